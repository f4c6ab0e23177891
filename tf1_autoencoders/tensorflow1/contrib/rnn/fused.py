"""Cells and networks that are one operation."""
from __future__ import annotations

import contextlib

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    LayerRNNCell,
    LSTMStateTuple,
    _width,
)


def _register(operation, gradient):
    """Register the gradient of an operation that TensorFlow 2 kept without one; leave a later release's own alone."""
    with contextlib.suppress(KeyError):
        tf.RegisterGradient(operation)(gradient)


def _lstm_block_gradient(op, *grads):
    x, cs_prev, h_prev, w, wci, wcf, wco, b = op.inputs
    i, cs, f, o, ci, co, _ = op.outputs
    cs_prev_grad, dgates, wci_grad, wcf_grad, wco_grad = tf.raw_ops.LSTMBlockCellGrad(
        x=x, cs_prev=cs_prev, h_prev=h_prev, w=w, wci=wci, wcf=wcf, wco=wco, b=b, i=i, cs=cs, f=f, o=o, ci=ci, co=co,
        cs_grad=grads[1], h_grad=grads[6], use_peephole=op.get_attr("use_peephole"))
    xh_grad = tf.matmul(dgates, w, transpose_b=True)
    n_inputs = _width(x)
    w_grad = tf.matmul(tf.concat([x, h_prev], 1), dgates, transpose_a=True)
    return (xh_grad[:, :n_inputs], cs_prev_grad, xh_grad[:, n_inputs:], w_grad, wci_grad, wcf_grad, wco_grad,
            tf.reduce_sum(dgates, 0))


def _gru_block_gradient(op, *grads):
    x, h_prev, w_ru, w_c, b_ru, b_c = op.inputs
    r, u, c, _ = op.outputs
    d_x, d_h_prev, d_c_bar, d_ru_bar = tf.raw_ops.GRUBlockCellGrad(
        x=x, h_prev=h_prev, w_ru=w_ru, w_c=w_c, b_ru=b_ru, b_c=b_c, r=r, u=u, c=c, d_h=grads[3])
    d_w_ru = tf.matmul(tf.concat([x, h_prev], 1), d_ru_bar, transpose_a=True)
    d_w_c = tf.matmul(tf.concat([x, h_prev * r], 1), d_c_bar, transpose_a=True)
    return d_x, d_h_prev, d_w_ru, d_w_c, tf.reduce_sum(d_ru_bar, 0), tf.reduce_sum(d_c_bar, 0)


_register("LSTMBlockCell", _lstm_block_gradient)
_register("GRUBlockCell", _gru_block_gradient)


class _LSTMBlock(LayerRNNCell):
    """The variables of the fused LSTMs: kernel, bias and, with peepholes, three vectors."""

    def _build_weights(self, n_inputs, units, use_peephole):
        self._kernel = self.add_variable("kernel", [n_inputs + units, 4 * units])
        self._bias = self.add_variable("bias", [4 * units], initializer=tf.constant_initializer(0.0))
        self._peepholes = [self.add_variable(f"w_{gate}_diag", [units]) for gate in "ifo"] if use_peephole else None
        self.built = True

    def _peephole_weights(self, units, dtype):
        if self._peepholes:
            return tuple(self._peepholes)  # type: ignore[return-value]
        zeros = tf.zeros([units], dtype)
        return zeros, zeros, zeros


class LSTMBlockCell(_LSTMBlock):
    """BasicLSTMCell computed by one operation.

    Args:
        num_units: int.
        cell_clip: the state is clipped to +-cell_clip; None for no clipping.
        use_peephole: whether the gates see the state.
        dtype: None for that of the inputs.
        name: `lstm_cell` by default.

    Source: arXiv:1409.2329. The gates stand in the kernel as in BasicLSTMCell: input, new, forget, output.
    """

    def __init__(self, num_units, forget_bias=1.0, cell_clip=None, use_peephole=False, dtype=None, reuse=None,
                 name="lstm_cell"):
        super().__init__(_reuse=reuse, dtype=dtype, name=name)
        self._num_units, self._forget_bias, self._use_peephole = num_units, forget_bias, use_peephole
        self._cell_clip = -1.0 if cell_clip is None else cell_clip

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def build(self, inputs_shape):
        width = tf.TensorShape(inputs_shape).as_list()[-1]
        if not width:
            raise ValueError(f"Expecting inputs_shape[1] to be set: {inputs_shape}")
        self._build_weights(width, self._num_units, self._use_peephole)

    def call(self, inputs, state):
        if len(state) != 2:
            raise ValueError("Expecting state to be a tuple with length 2.")
        wci, wcf, wco = self._peephole_weights(self._num_units, inputs.dtype)
        _, cs, _, _, _, _, h = tf.raw_ops.LSTMBlockCell(
            x=inputs, cs_prev=state[0], h_prev=state[1], w=self._kernel, wci=wci, wcf=wcf, wco=wco, b=self._bias,
            forget_bias=self._forget_bias, cell_clip=self._cell_clip, use_peephole=self._use_peephole)
        return h, LSTMStateTuple(cs, h)


class GRUBlockCellV2(LayerRNNCell):
    """GRUCell computed by one operation; the reset gate acts before the product, as in GRUCell.

    Args:
        num_units: int.
        cell_size: the earlier name of num_units.
        name: `gru_cell` by default.

    Raises:
        ValueError: both sizes are given, or none.

    Source: arXiv:1406.1078.
    """

    _names = "gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"

    def __init__(self, num_units=None, cell_size=None, reuse=None, name="gru_cell"):
        super().__init__(_reuse=reuse, name=name)
        if (cell_size is None) == (num_units is None):
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        self._cell_size = num_units if cell_size is None else cell_size

    @property
    def state_size(self):
        return self._cell_size

    @property
    def output_size(self):
        return self._cell_size

    def build(self, input_shape):
        width, units = tf.TensorShape(input_shape).as_list()[-1], self._cell_size
        if width is None:
            raise ValueError(f"Expecting input_shape[1] to be set: {input_shape}")
        total = width + units  # type: ignore[operator]
        self._gate_kernel = self.add_variable(self._names[0], [total, 2 * units])  # type: ignore[operator]
        self._gate_bias = self.add_variable(self._names[1], [2 * units],  # type: ignore[operator]
                                            initializer=tf.constant_initializer(1.0))
        self._candidate_kernel = self.add_variable(self._names[2], [total, units])
        self._candidate_bias = self.add_variable(self._names[3], [units], initializer=tf.constant_initializer(0.0))
        self.built = True

    def call(self, inputs, h_prev):
        _, _, _, new_h = tf.raw_ops.GRUBlockCell(x=inputs, h_prev=h_prev, w_ru=self._gate_kernel,
                                                 w_c=self._candidate_kernel, b_ru=self._gate_bias,
                                                 b_c=self._candidate_bias)
        return new_h, new_h


class GRUBlockCell(GRUBlockCellV2):
    """GRUBlockCellV2 with the earlier names of its variables: `w_ru`, `b_ru`, `w_c`, `b_c`."""

    _names = "w_ru", "b_ru", "w_c", "b_c"


class FusedRNNCell:
    """What computes all steps at once: fused(inputs, initial_state, dtype, sequence_length, scope).

    Inputs are float[time, batch, inputs] or a list of steps; the call returns (outputs, final state), the outputs in
    the form of the inputs.
    """

    def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
        raise NotImplementedError


class FusedRNNCellAdaptor(FusedRNNCell):
    """Any RNNCell as a FusedRNNCell, by static_rnn or, with use_dynamic_rnn, by dynamic_rnn."""

    def __init__(self, cell, use_dynamic_rnn=False):
        self._cell, self._use_dynamic_rnn = cell, use_dynamic_rnn

    def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
        is_list = isinstance(inputs, list)
        if self._use_dynamic_rnn:
            outputs, state = tf.nn.dynamic_rnn(
                self._cell, tf.stack(inputs) if is_list else inputs, sequence_length=sequence_length,
                initial_state=initial_state, dtype=dtype, time_major=True, scope=scope)
            return tf.unstack(outputs, num=len(inputs)) if is_list else outputs, state
        outputs, state = tf.nn.static_rnn(self._cell, inputs if is_list else tf.unstack(inputs),
                                    initial_state=initial_state, dtype=dtype, sequence_length=sequence_length,
                                    scope=scope)
        return outputs if is_list else tf.stack(outputs), state


class TimeReversedFusedRNN(FusedRNNCell):
    """A FusedRNNCell that reads its inputs from the end; its outputs stand in the order of the inputs."""

    def __init__(self, cell):
        self._cell = cell

    def _reversed(self, tensor, lengths):
        if isinstance(tensor, list):
            return list(reversed(tensor))
        return tf.reverse(tensor, [0]) if lengths is None else tf.reverse_sequence(tensor, lengths, 0, 1)

    def __call__(self, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
        outputs, state = self._cell(self._reversed(inputs, sequence_length), initial_state=initial_state, dtype=dtype,
                                    sequence_length=sequence_length, scope=scope)
        return tf.nest.map_structure(lambda one: self._reversed(one, sequence_length), outputs) \
            if not isinstance(outputs, list) else self._reversed(outputs, sequence_length), state


class LSTMBlockWrapper(tf.layers.Layer):
    """What LSTMBlockFusedCell is made of: subclasses have num_units, build and _call_cell.

    layer(inputs, initial_state=None, dtype=None, sequence_length=None): inputs float[time, batch, inputs] or a list of
    steps, sequence_length int[batch]; returns (outputs float[time, batch, units], LSTMStateTuple).
    """

    @property
    def num_units(self):
        """Number of units."""
        raise NotImplementedError

    def _call_cell(self, inputs, cs_prev, h_prev, dtype, sequence_length):
        """Return (states, outputs), float[time, batch, units]."""
        raise NotImplementedError

    def call(self, inputs, initial_state=None, dtype=None, sequence_length=None):
        is_list = isinstance(inputs, list)
        if is_list:
            inputs = tf.stack(inputs)
        n_steps, batch, _ = (static if static is not None else dynamic for static, dynamic in zip(
            inputs.shape.as_list(), _LazyShape(inputs)))
        if initial_state is None:
            if dtype is None:
                raise ValueError("Either initial_state or dtype needs to be specified")
            zeros = tf.zeros(tf.stack([batch, self.num_units]), dtype=dtype)
            initial_state = zeros, zeros
        elif len(initial_state) != 2:
            raise ValueError("Expecting initial_state to be a tuple with length 2 or None")
        dtype = initial_state[0].dtype if dtype is None else dtype
        if sequence_length is not None:
            sequence_length = tf.cast(sequence_length, tf.int32)
        states, outputs = self._call_cell(inputs, initial_state[0], initial_state[1], dtype, sequence_length)
        if sequence_length is None:
            final = LSTMStateTuple(states[-1], outputs[-1])
        else:
            mask = tf.transpose(tf.sequence_mask(sequence_length, n_steps, dtype=dtype), [1, 0])
            outputs *= tf.tile(tf.expand_dims(mask, [-1]), [1, 1, self.num_units])
            final = LSTMStateTuple(*(tf.gather_nd(
                tf.concat([tf.expand_dims(first, [0]), all_steps], 0),
                tf.stack([sequence_length, tf.range(batch)], axis=1))
                for first, all_steps in zip(initial_state, (states, outputs))))
        return tf.unstack(outputs) if is_list else outputs, final


class _LazyShape:
    """The dynamic sizes of a tensor, computed one by one as they are needed."""

    def __init__(self, tensor):
        self._tensor = tensor

    def __iter__(self):
        for position, size in enumerate(self._tensor.shape.as_list()):
            yield tf.shape(self._tensor)[position] if size is None else size


class LSTMBlockFusedCell(LSTMBlockWrapper):
    """LSTM over all steps by one operation; arguments as LSTMBlockCell, call as FusedRNNCell."""

    def __init__(self, num_units, forget_bias=1.0, cell_clip=None, use_peephole=False, reuse=None, dtype=None,
                 name="lstm_fused_cell"):
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._num_units, self._forget_bias, self._use_peephole = num_units, forget_bias, use_peephole
        self._cell_clip = -1.0 if cell_clip is None else cell_clip

    @property
    def num_units(self):
        return self._num_units

    _build_weights, _peephole_weights = _LSTMBlock._build_weights, _LSTMBlock._peephole_weights

    def build(self, input_shape):
        self._build_weights(tf.TensorShape(input_shape).as_list()[2], self._num_units, self._use_peephole)

    def _call_cell(self, inputs, cs_prev, h_prev, dtype, sequence_length):
        wci, wcf, wco = self._peephole_weights(self._num_units, dtype)
        n_steps = inputs.shape.as_list()[0]
        if sequence_length is None:
            longest = tf.cast(tf.shape(inputs)[0] if n_steps is None else n_steps, tf.int64)
        else:
            longest = tf.cast(tf.reduce_max(sequence_length), tf.int64)
        _, cs, _, _, _, _, h = tf.raw_ops.BlockLSTM(
            seq_len_max=longest, x=inputs, cs_prev=cs_prev, h_prev=h_prev, w=self._kernel, wci=wci, wcf=wcf, wco=wco,
            b=self._bias, forget_bias=self._forget_bias, cell_clip=self._cell_clip, use_peephole=self._use_peephole)
        return cs, h
