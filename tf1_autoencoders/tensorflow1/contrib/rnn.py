"""tf.contrib.rnn of TensorFlow 1.15: cells, wrappers of cells, and recurrent networks over lists of steps.

Source of every name: tf.contrib.rnn of TensorFlow 1.15.5; the papers stand in the docstrings. The cells that are also
in tf.nn.rnn_cell (BasicLSTMCell, LSTMCell, GRUCell, MultiRNNCell, DropoutWrapper, ...) are those of tf_keras.

A cell is called as cell(inputs, state) and returns (output, new state). Inputs are float[batch, inputs], outputs and
states float[batch, units], unless a docstring says otherwise; the state of an LSTM is LSTMStateTuple(c, h). `reuse`
says whether the variables exist already, `name` names the scope (None: the class's name in small letters),
`activation` is a function (None: tanh), `forget_bias` is added to the forget gate. Variables have 1.15's names,
`kernel` and `bias`.
"""
from __future__ import annotations

import contextlib
import math
from typing import Any, List, Tuple

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import layers as _layers

_cells = tf.nn.rnn_cell
RNNCell: Any = _cells.RNNCell
BasicRNNCell, BasicLSTMCell, LSTMCell, GRUCell = (_cells.BasicRNNCell, _cells.BasicLSTMCell, _cells.LSTMCell,
                                                  _cells.GRUCell)
MultiRNNCell, LSTMStateTuple = _cells.MultiRNNCell, _cells.LSTMStateTuple
DropoutWrapper, ResidualWrapper, DeviceWrapper = _cells.DropoutWrapper, _cells.ResidualWrapper, _cells.DeviceWrapper
LayerRNNCell: Any = BasicRNNCell.__mro__[1]  # tf_keras has no public name for it

static_rnn = tf.nn.static_rnn
static_state_saving_rnn = tf.nn.static_state_saving_rnn
static_bidirectional_rnn = tf.nn.static_bidirectional_rnn

# ---- what cells have in common


def _width(tensor):
    """Return the static last size of a tensor; raise ValueError if it is unknown."""
    width = tensor.shape.as_list()[-1]
    if width is None:
        raise ValueError(f"expected a known last dimension; got shape {tensor.shape} of {tensor.name}")
    return width


def _linear(args, output_size, bias, bias_initializer=None, kernel_initializer=None):
    """Return args . kernel + bias, float[batch, output_size], with new variables of the current scope.

    Args:
        args: tensor [batch, n], or a list of such tensors, which are joined.
        bias_initializer: None for zeros.
    """
    args = list(args) if isinstance(args, (list, tuple)) else [args]
    if not args:
        raise ValueError("`args` must be specified")
    dtype = args[0].dtype
    kernel = tf.get_variable("kernel", [sum(map(_width, args)), output_size], dtype=dtype,
                             initializer=kernel_initializer)
    product = tf.matmul(args[0] if len(args) == 1 else tf.concat(args, 1), kernel)
    if not bias:
        return product
    zeros = tf.constant_initializer(0.0, dtype=dtype)
    return tf.nn.bias_add(product, tf.get_variable("bias", [output_size], dtype=dtype,
                                                   initializer=zeros if bias_initializer is None else bias_initializer))


class _Linear:
    """A linear map whose variables are made once: args . kernel + bias, float[batch, output_size]."""

    def __init__(self, args, output_size, build_bias, bias_initializer=None, kernel_initializer=None):
        self._is_list = isinstance(args, (list, tuple))
        tensors = list(args) if self._is_list else [args]
        dtype = tensors[0].dtype
        self._weights = tf.get_variable("kernel", [sum(map(_width, tensors)), output_size], dtype=dtype,
                                        initializer=kernel_initializer)
        self._bias = None
        if build_bias:
            zeros = tf.constant_initializer(0.0, dtype=dtype)
            self._bias = tf.get_variable("bias", [output_size], dtype=dtype,
                                         initializer=zeros if bias_initializer is None else bias_initializer)

    def __call__(self, args):
        args = list(args) if isinstance(args, (list, tuple)) else [args]
        product = tf.matmul(args[0] if len(args) == 1 else tf.concat(args, 1), self._weights)
        return product if self._bias is None else tf.nn.bias_add(product, self._bias)


def _initialized_by(initializer):
    """Return a context manager: variables of the current scope are made by this initializer."""
    return tf.variable_scope(tf.get_variable_scope(), initializer=initializer)


class _Wrapper(RNNCell):
    """A cell around a cell: the sizes are those of the inner cell."""

    def __init__(self, cell, reuse=None):
        super().__init__(_reuse=reuse)
        self._cell = cell

    @property
    def state_size(self):
        return self._cell.state_size

    @property
    def output_size(self):
        return self._cell.output_size

    def zero_state(self, batch_size, dtype):
        with tf.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)


def transpose_batch_time(x):
    """Return a tensor with its first two dimensions exchanged: [batch, time, ...] to [time, batch, ...] and back.

    Raises:
        ValueError: the rank is known and below 2.
    """
    rank = x.shape.ndims
    if rank is not None and rank < 2:
        raise ValueError(f"Expected input tensor {x.name} to have rank at least 2, but saw shape: {x.shape}")
    order = tf.concat(([1, 0], tf.range(2, tf.rank(x))), axis=0)
    turned = tf.transpose(x, order)
    if rank is not None:
        sizes = x.shape.as_list()
        turned.set_shape([sizes[1], sizes[0], *sizes[2:]])
    return turned


def best_effort_input_batch_size(flat_input):
    """Return the batch size of tensors [time, batch, ...]: an int if one of them knows it, otherwise an int32[]."""
    for tensor in flat_input:
        if tensor.shape.ndims is not None and tensor.shape.ndims >= 2 and tensor.shape.as_list()[1] is not None:
            return tensor.shape.as_list()[1]
    return tf.shape(flat_input[0])[1]


# ---- wrappers


class InputProjectionWrapper(_Wrapper):
    """A cell whose inputs go through a dense layer first: inputs . kernel + bias, float[batch, num_proj].

    Args:
        cell: RNNCell.
        num_proj: int.
        activation: function of the layer's output; None for none.
        input_size: not used, as in 1.15.
    """

    def __init__(self, cell, num_proj, activation=None, input_size=None, reuse=None):
        super().__init__(cell, reuse)
        self._num_proj, self._activation, self._projection = num_proj, activation, None

    def call(self, inputs, state):
        if self._projection is None:
            self._projection = _Linear(inputs, self._num_proj, True)  # type: ignore[assignment]
        projected = self._projection(inputs)  # type: ignore[misc]
        return self._cell(self._activation(projected) if self._activation else projected, state)


class OutputProjectionWrapper(_Wrapper):
    """A cell whose outputs go through a dense layer: output . kernel + bias, float[batch, output_size].

    Args:
        cell: RNNCell.
        output_size: int above 0.
        activation: function of the layer's output; None for none.

    Raises:
        ValueError: `output_size` is below 1.
    """

    def __init__(self, cell, output_size, activation=None, reuse=None):
        super().__init__(cell, reuse)
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        self._output_size, self._activation, self._projection = output_size, activation, None

    @property
    def output_size(self):
        return self._output_size

    def call(self, inputs, state):
        output, state = self._cell(inputs, state)
        if self._projection is None:
            self._projection = _Linear(output, self._output_size, True)  # type: ignore[assignment]
        projected = self._projection(output)  # type: ignore[misc]
        return (self._activation(projected) if self._activation else projected), state


class EmbeddingWrapper(_Wrapper):
    """A cell whose inputs are ids int[batch] or int[batch, 1], looked up in a table `embedding`.

    Args:
        cell: RNNCell.
        embedding_classes, embedding_size: shape of the table.
        initializer: of the table; None for the scope's, or else uniform in +-sqrt(3).

    Raises:
        ValueError: a size is below 1.
    """

    def __init__(self, cell, embedding_classes, embedding_size, initializer=None, reuse=None):
        super().__init__(cell, reuse)
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(f"Both embedding_classes and embedding_size must be > 0: {embedding_classes}, "
                             f"{embedding_size}.")
        self._shape, self._initializer = [embedding_classes, embedding_size], initializer

    def call(self, inputs, state):
        with tf.device("/cpu:0"):
            initializer = self._initializer or tf.get_variable_scope().initializer or tf.random_uniform_initializer(
                -math.sqrt(3), math.sqrt(3))
            dtype = state[0].dtype if isinstance(state, tuple) else state.dtype
            table = tf.get_variable("embedding", self._shape, initializer=initializer, dtype=dtype)
            embedded = tf.nn.embedding_lookup(table, tf.reshape(inputs, [-1]))
        return self._cell(embedded, state)


class AttentionCellWrapper(RNNCell):
    """A cell with attention over its last outputs.

    Args:
        cell: RNNCell.
        attn_length: number of outputs to attend to.
        attn_size: size of an attended vector; None for the cell's output size.
        attn_vec_size: size of the attention's hidden layer; None for attn_size.
        input_size: size of the inputs that the cell gets; None for that of the inputs.
        state_is_tuple: whether the state is (the cell's, float[batch, attn_size], float[batch, attn_size *
            attn_length]), or these joined.

    Raises:
        ValueError: `attn_length` is below 1, or the cell's state is a tuple and this one's is not.

    Source: arXiv:1409.0473 and 1601.06733.
    """

    def __init__(self, cell, attn_length, attn_size=None, attn_vec_size=None, input_size=None, state_is_tuple=True,
                 reuse=None):
        super().__init__(_reuse=reuse)
        if isinstance(cell.state_size, tuple) and not state_is_tuple:
            raise ValueError(f"Cell returns tuple of states, but the flag state_is_tuple is not set. State size is: "
                             f"{cell.state_size}")
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        self._cell, self._attn_length, self._input_size = cell, attn_length, input_size
        self._attn_size = cell.output_size if attn_size is None else attn_size
        self._attn_vec_size = self._attn_size if attn_vec_size is None else attn_vec_size
        self._state_is_tuple = state_is_tuple
        self._maps: dict = {}

    @property
    def state_size(self):
        sizes = self._cell.state_size, self._attn_size, self._attn_size * self._attn_length
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._attn_size

    def _mapped(self, name, args, size):
        if name not in self._maps:
            self._maps[name] = _Linear(args, size, True)
        return self._maps[name](args)

    def call(self, inputs, state):
        size, length = self._attn_size, self._attn_length
        if self._state_is_tuple:
            state, attended, memory = state
        else:
            joined, width = state, self._cell.state_size
            state = tf.slice(joined, [0, 0], [-1, width])
            attended = tf.slice(joined, [0, width], [-1, size])
            memory = tf.slice(joined, [0, width + size], [-1, size * length])
        memory = tf.reshape(memory, [-1, length, size])
        input_size = _width(inputs) if self._input_size is None else self._input_size
        inputs = self._mapped("inputs", [inputs, attended], input_size)
        cell_output, new_state = self._cell(inputs, state)
        query = tf.concat(tf.nest.flatten(new_state), 1) if self._state_is_tuple else new_state
        attended, memory = self._attend(query, memory)
        with tf.variable_scope("attn_output_projection"):
            output = self._mapped("output", [cell_output, attended], size)
        memory = tf.reshape(tf.concat([memory, tf.expand_dims(output, 1)], 1), [-1, length * size])
        parts = (new_state, attended, memory)
        return output, parts if self._state_is_tuple else tf.concat(list(parts), 1)

    def _attend(self, query, memory):
        """Return (attended vector float[batch, attn_size], memory without its oldest vector)."""
        size, length, hidden_size = self._attn_size, self._attn_length, self._attn_vec_size
        with tf.variable_scope("attention"):
            kernel = tf.get_variable("attn_w", [1, 1, size, hidden_size])
            vector = tf.get_variable("attn_v", [hidden_size])
            hidden = tf.reshape(memory, [-1, length, 1, size])
            features = tf.nn.conv2d(hidden, kernel, [1, 1, 1, 1], "SAME")
            y = tf.reshape(self._mapped("query", query, hidden_size), [-1, 1, 1, hidden_size])
            weights = tf.nn.softmax(tf.reduce_sum(vector * tf.tanh(features + y), [2, 3]))
            attended = tf.reduce_sum(tf.reshape(weights, [-1, length, 1, 1]) * hidden, [1, 2])
            return tf.reshape(attended, [-1, size]), tf.slice(memory, [0, 1, 0], [-1, -1, -1])


class HighwayWrapper(RNNCell):
    """A cell whose output is mixed with its inputs: inputs * carry + output * transform, float[batch, inputs].

    Args:
        cell: RNNCell whose outputs have the size of the inputs.
        couple_carry_transform_gates: whether transform is 1 - carry, or a gate of its own.
        carry_bias_init: initial bias of carry; transform has the opposite one.

    Source: arXiv:1505.00387.
    """

    def __init__(self, cell, couple_carry_transform_gates=True, carry_bias_init=1.0):
        super().__init__()
        self._cell, self._coupled, self._bias = cell, couple_carry_transform_gates, carry_bias_init

    @property
    def state_size(self):
        return self._cell.state_size

    @property
    def output_size(self):
        return self._cell.output_size

    def zero_state(self, batch_size, dtype):
        with tf.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)

    def _gate(self, inputs, name, bias):
        width = _width(inputs)
        weights = tf.get_variable(f"{name}_w", [width, width])
        biases = tf.get_variable(f"{name}_b", [width], initializer=tf.constant_initializer(bias))
        return tf.sigmoid(tf.nn.xw_plus_b(inputs, weights, biases))

    def __call__(self, inputs, state, scope=None):
        outputs, state = self._cell(inputs, state, scope=scope)
        tf.nest.assert_same_structure(inputs, outputs)

        def mixed(one, output):
            carry = self._gate(one, "carry", self._bias)
            transform = 1 - carry if self._coupled else self._gate(one, "transform", -self._bias)
            return one * carry + output * transform

        return tf.nest.map_structure(mixed, inputs, outputs), state


# ---- cells with normalization


class _NormalizedCell(RNNCell):
    """What LSTMs with layer normalization have in common."""

    _norm_gain: float
    _norm_shift: float

    def _norm(self, tensor, name):
        """Return the tensor after layer normalization, with variables `gamma` and `beta` of the scope `name`."""
        with tf.variable_scope(name):
            for parameter, value in (("gamma", self._norm_gain), ("beta", self._norm_shift)):
                tf.get_variable(parameter, shape=tensor.shape[-1:], initializer=tf.constant_initializer(value),
                                dtype=tensor.dtype)
        return _layers.layer_norm(tensor, reuse=True, scope=name)


class LayerNormBasicLSTMCell(_NormalizedCell):
    """LSTM with layer normalization and dropout of the new values.

    Args:
        num_units: int.
        forget_bias: float.
        input_size: not used, as in 1.15.
        layer_norm: whether gates and state are normalized; without, there is a `bias`.
        norm_gain, norm_shift: initial `gamma` and `beta`.
        dropout_keep_prob: float, or float[] tensor; below 1.0 the new values are dropped out.
        dropout_prob_seed: the operation's seed.

    Source: arXiv:1607.06450 and 1603.05118.
    """

    def __init__(self, num_units, forget_bias=1.0, input_size=None, activation=tf.tanh, layer_norm=True, norm_gain=1.0,
                 norm_shift=0.0, dropout_keep_prob=1.0, dropout_prob_seed=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._forget_bias, self._activation = num_units, forget_bias, activation
        self._keep_prob, self._seed, self._layer_norm = dropout_keep_prob, dropout_prob_seed, layer_norm
        self._norm_gain, self._norm_shift = norm_gain, norm_shift

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def call(self, inputs, state):
        c, h = state
        args = tf.concat([inputs, h], 1)
        kernel = tf.get_variable("kernel", [_width(args), 4 * self._num_units], dtype=args.dtype)
        gates = tf.matmul(args, kernel)
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, tf.get_variable("bias", [4 * self._num_units], dtype=args.dtype))
        i, j, f, o = tf.split(gates, 4, 1)
        if self._layer_norm:
            i, j, f, o = (self._norm(gate, name) for gate, name in
                          ((i, "input"), (j, "transform"), (f, "forget"), (o, "output")))
        g = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            g = tf.nn.dropout(g, self._keep_prob, seed=self._seed)
        new_c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * g
        if self._layer_norm:
            new_c = self._norm(new_c, "state")
        new_h = self._activation(new_c) * tf.sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)


class CoupledInputForgetGateLSTMCell(_NormalizedCell):
    """LSTM whose input gate is 1 - forget gate.

    Args:
        num_units: int.
        use_peepholes: whether the gates see the state.
        initializer: of the weights; None for the scope's.
        num_proj: size of the outputs; None for num_units and no projection.
        proj_clip: outputs are clipped to +-proj_clip.
        num_unit_shards, num_proj_shards: into how many variables the weights are divided.
        state_is_tuple: whether the state is LSTMStateTuple, or [batch, c and h joined].
        layer_norm, norm_gain, norm_shift: see LayerNormBasicLSTMCell.

    Source: arXiv:1503.04069.
    """

    def __init__(self, num_units, use_peepholes=False, initializer=None, num_proj=None, proj_clip=None,
                 num_unit_shards=1, num_proj_shards=1, forget_bias=1.0, state_is_tuple=True, activation=tf.tanh,
                 reuse=None, layer_norm=False, norm_gain=1.0, norm_shift=0.0):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._initializer = num_units, use_peepholes, initializer
        self._num_proj, self._proj_clip, self._state_is_tuple = num_proj, proj_clip, state_is_tuple
        self._shards, self._forget_bias, self._activation = (num_unit_shards, num_proj_shards), forget_bias, activation
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift

    @property
    def state_size(self):
        sizes = self._num_units, self.output_size
        return LSTMStateTuple(*sizes) if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._num_units if self._num_proj is None else self._num_proj

    def _variable(self, name, shape, dtype, initializer=None):
        return tf.get_variable(name, list(shape), initializer=initializer or self._initializer, dtype=dtype)

    def _sharded(self, name, shape, dtype, n):
        """Return a weight that is divided along its rows into n variables `<name>_0`, `<name>_1`, ..."""
        sizes = [shape[0] // n + (k < shape[0] % n) for k in range(n)]
        parts = [self._variable(f"{name}_{k}", [size, shape[1]], dtype) for k, size in enumerate(sizes)]
        return parts[0] if n == 1 else tf.concat(parts, 0)

    def call(self, inputs, state):
        units, n_out, dtype = self._num_units, self.output_size, inputs.dtype
        if self._state_is_tuple:
            c_prev, m_prev = state
        else:
            c_prev, m_prev = tf.slice(state, [0, 0], [-1, units]), tf.slice(state, [0, units], [-1, n_out])
        weights = self._sharded("W", [_width(inputs) + n_out, 3 * units], dtype, self._shards[0])
        bias = self._variable("B", [3 * units], dtype, tf.zeros_initializer())
        gates = tf.matmul(tf.concat([inputs, m_prev], 1), weights)
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, bias)
        j, f, o = tf.split(gates, 3, 1)
        if self._layer_norm:
            j, f, o = (self._norm(gate, name) for gate, name in ((j, "transform"), (f, "forget"), (o, "output")))
        if self._use_peepholes:
            w_f, w_o = (self._variable(f"W_{gate}_diag", [units], dtype) for gate in "FO")
            forget = tf.sigmoid(f + self._forget_bias + w_f * c_prev)
        else:
            forget = tf.sigmoid(f + self._forget_bias)
        c = forget * c_prev + (1 - forget) * self._activation(j)
        if self._layer_norm:
            c = self._norm(c, "state")
        m = tf.sigmoid(o + w_o * c if self._use_peepholes else o) * self._activation(c)
        if self._num_proj is not None:
            m = tf.matmul(m, self._sharded("W_P", [units, self._num_proj], dtype, self._shards[1]))
            if self._proj_clip is not None:
                m = tf.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m) if self._state_is_tuple else tf.concat([c, m], 1)


# ---- fused cells


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
        outputs, state = static_rnn(self._cell, inputs if is_list else tf.unstack(inputs),
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


# ---- further cells


class _UnitsCell(RNNCell):
    """A cell whose state and output are float[batch, num_units]."""

    def __init__(self, num_units, reuse=None, **kwargs):
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units = num_units

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units


class UGRNNCell(_UnitsCell):
    """Update gate RNN: a compromise between LSTM and RNN with one gate.

    Args:
        num_units: int.
        initializer: of the weights; None for the scope's.

    Source: arXiv:1611.09913.
    """

    def __init__(self, num_units, initializer=None, forget_bias=1.0, activation=tf.tanh, reuse=None):
        super().__init__(num_units, reuse)
        self._initializer, self._forget_bias, self._activation, self._map = initializer, forget_bias, activation, None

    def call(self, inputs, state):
        with _initialized_by(self._initializer):
            cell_inputs = tf.concat([inputs, state], 1)
            if self._map is None:
                self._map = _Linear(cell_inputs, 2 * self._num_units, True)  # type: ignore[assignment]
            g_act, c_act = tf.split(axis=1, num_or_size_splits=2,
                                    value=self._map(cell_inputs))  # type: ignore[misc]
            c = self._activation(c_act)
            g = tf.sigmoid(g_act + self._forget_bias)
            new_state = g * state + (1.0 - g) * c
        return new_state, new_state


class IntersectionRNNCell(_UnitsCell):
    """Intersection RNN: a gated RNN that is also gated in depth.

    Args:
        num_units: int, size of state and output.
        num_in_proj: size to which the inputs are projected if their size is not num_units.
        y_activation: function of the new output; tf.nn.relu.

    Raises:
        ValueError: inputs of another size and no num_in_proj.

    Source: arXiv:1611.09913.
    """

    def __init__(self, num_units, num_in_proj=None, initializer=None, forget_bias=1.0, y_activation=tf.nn.relu,
                 reuse=None):
        super().__init__(num_units, reuse)
        self._initializer, self._forget_bias, self._y_activation = initializer, forget_bias, y_activation
        self._num_in_proj = num_in_proj
        self._maps: dict = {}

    def call(self, inputs, state):
        n = self._num_units
        with _initialized_by(self._initializer):
            if _width(inputs) != n:
                if not self._num_in_proj:
                    raise ValueError("Must have input size == output size for Intersection RNN. To fix, num_in_proj "
                                     "should be set to num_units at cell init.")
                with tf.variable_scope("in_projection"):
                    if "in" not in self._maps:
                        self._maps["in"] = _Linear(inputs, self._num_in_proj, True)
                    inputs = self._maps["in"](inputs)
            cell_inputs = tf.concat([inputs, state], 1)
            if "rnn" not in self._maps:
                self._maps["rnn"] = _Linear(cell_inputs, 4 * n, True)
            gates = self._maps["rnn"](cell_inputs)
            gh_act, h_act, gy_act, y_act = (gates[:, k * n:(k + 1) * n] for k in range(4))
            h, y = tf.tanh(h_act), self._y_activation(y_act)
            gh, gy = tf.sigmoid(gh_act + self._forget_bias), tf.sigmoid(gy_act + self._forget_bias)
            new_state = gh * state + (1.0 - gh) * h
            new_y = gy * inputs + (1.0 - gy) * y
        return new_y, new_state


class NASCell(LayerRNNCell):
    """The cell that neural architecture search found.

    Args:
        num_units: int.
        num_proj: size of the outputs; None for num_units and no projection.
        use_bias: whether the gates have a bias.

    Source: arXiv:1611.01578.
    """

    def __init__(self, num_units, num_proj=None, use_bias=False, reuse=None, **kwargs):
        super().__init__(_reuse=reuse, **kwargs)
        self._num_units, self._num_proj, self._use_bias = num_units, num_proj, use_bias

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self.output_size)

    @property
    def output_size(self):
        return self._num_units if self._num_proj is None else self._num_proj

    def build(self, inputs_shape):
        width = tf.TensorShape(inputs_shape).as_list()[-1]
        if width is None:
            raise ValueError("Could not infer input size from inputs.get_shape()[-1]")
        units = self._num_units
        self._recurrent_kernel = self.add_variable("recurrent_kernel", [self.output_size, 8 * units])
        self._kernel = self.add_variable("kernel", [width, 8 * units])
        if self._use_bias:
            self._bias = self.add_variable("bias", [8 * units], initializer=tf.zeros_initializer())
        if self._num_proj is not None:
            self._projection = self.add_variable("projection_weights", [units, self._num_proj])
        self.built = True

    def call(self, inputs, state):
        c_prev, m_prev = state
        m = tf.matmul(m_prev, self._recurrent_kernel)
        x = tf.matmul(inputs, self._kernel)
        if self._use_bias:
            m = tf.nn.bias_add(m, self._bias)
        m, x = (tf.split(axis=1, num_or_size_splits=8, value=one) for one in (m, x))
        first = [tf.sigmoid(x[0] + m[0]), tf.nn.relu(x[1] + m[1]), tf.sigmoid(x[2] + m[2]), tf.nn.relu(x[3] * m[3]),
                 tf.tanh(x[4] + m[4]), tf.sigmoid(x[5] + m[5]), tf.tanh(x[6] + m[6]), tf.sigmoid(x[7] + m[7])]
        second = [tf.tanh(first[0] * first[1]), tf.tanh(first[2] + first[3]), tf.tanh(first[4] * first[5]),
                  tf.sigmoid(first[6] + first[7])]
        new_c = tf.tanh(second[0] + c_prev) * second[1]
        new_m = tf.tanh(new_c * tf.tanh(second[2] + second[3]))
        if self._num_proj is not None:
            new_m = tf.matmul(new_m, self._projection)
        return new_m, LSTMStateTuple(new_c, new_m)


class GLSTMCell(RNNCell):
    """LSTM whose units are divided into groups, each of which sees its part of the inputs only.

    Args:
        num_units, num_proj, number_of_groups: num_units and num_proj (None: num_units) are multiples of the groups.
        initializer: of the weights; None for the scope's.

    Raises:
        ValueError: sizes that are no multiples.

    Source: arXiv:1703.10722.
    """

    def __init__(self, num_units, initializer=None, num_proj=None, number_of_groups=1, forget_bias=1.0,
                 activation=tf.tanh, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._initializer, self._num_proj = num_units, initializer, num_proj
        self._groups, self._forget_bias, self._activation = number_of_groups, forget_bias, activation
        for size in (num_units, num_proj or num_units):
            if size % number_of_groups:
                raise ValueError(f"GLSTMCell: {size} is no multiple of {number_of_groups} groups")
        self._maps: dict = {}

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self.output_size)

    @property
    def output_size(self):
        return self._num_units if self._num_proj is None else self._num_proj

    def call(self, inputs, state):
        c_prev, m_prev = state
        batch = inputs.shape.as_list()[0]
        if batch is None:
            batch = tf.shape(inputs)[0]
        input_size = _width(inputs)
        parts: List[List[Any]] = [[], [], [], []]
        with _initialized_by(self._initializer):
            for group in range(self._groups):
                with tf.variable_scope(f"group{group}"):
                    own = tf.concat([tf.slice(one, [0, group * (size // self._groups)], [batch, size // self._groups],
                                              name=f"GLSTM_group{group}_input_generation")
                                     for one, size in ((inputs, input_size), (m_prev, self.output_size))], axis=1)
                    if group not in self._maps:
                        self._maps[group] = _Linear(own, 4 * self._num_units // self._groups, False)
                    for part, gate in zip(parts, tf.split(self._maps[group](own), 4, 1)):
                        part.append(gate)
            biases = [tf.get_variable(f"bias_{name}", [self._num_units], dtype=inputs.dtype,
                                      initializer=tf.constant_initializer(0.0)) for name in "ijfo"]
            i, j, f, o = (tf.nn.bias_add(tf.concat(part, axis=1), bias) for part, bias in zip(parts, biases))
        c = tf.sigmoid(f + self._forget_bias) * c_prev + tf.sigmoid(i) * tf.tanh(j)
        m = tf.sigmoid(o) * self._activation(c)
        if self._num_proj is not None:
            with tf.variable_scope("projection"):
                if "projection" not in self._maps:
                    self._maps["projection"] = _Linear(m, self._num_proj, False)
                m = self._maps["projection"](m)
        return m, LSTMStateTuple(c, m)


class _IndependentCell(LayerRNNCell):
    """A cell each of whose units sees its own state only: state * kernel_u instead of state . kernel."""

    def __init__(self, num_units, activation=None, reuse=None, name=None, dtype=None, **kwargs):
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **kwargs)
        self._num_units, self._activation = num_units, activation or tf.tanh

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def _input_size(self, inputs_shape):
        width = tf.TensorShape(inputs_shape).as_list()[-1]
        if width is None:
            raise ValueError(f"Expected inputs.shape[-1] to be known, saw shape: {inputs_shape}")
        return width

    def _gates(self, inputs, state, kernel_w, kernel_u, bias):
        return tf.nn.bias_add(tf.matmul(inputs, kernel_w) + state * kernel_u, bias)


class IndRNNCell(_IndependentCell):
    """Independently recurrent neural network: activation(inputs . kernel_w + state * kernel_u + bias).

    Source: arXiv:1803.04831.
    """

    def build(self, inputs_shape):
        width, units = self._input_size(inputs_shape), self._num_units
        self._kernel_w = self.add_variable("kernel_w", [width, units])
        self._kernel_u = self.add_variable("kernel_u", [1, units], initializer=tf.random_uniform_initializer(
            -1.0, 1.0, dtype=self.dtype))
        self._bias = self.add_variable("bias", [units], initializer=tf.zeros_initializer(dtype=self.dtype))
        self.built = True

    def call(self, inputs, state):
        output = self._activation(self._gates(inputs, state, self._kernel_w, self._kernel_u, self._bias))
        return output, output


class IndyGRUCell(_IndependentCell):
    """GRUCell with independent units, see IndRNNCell.

    Args:
        kernel_initializer: of all weights; None for uniform in +-1 where a weight meets the state, and the scope's
            elsewhere.
        bias_initializer: of all biases; None for 1 (gates) and 0 (candidate).

    Source: arXiv:1803.04831 and 1406.1078.
    """

    def __init__(self, num_units, activation=None, reuse=None, kernel_initializer=None, bias_initializer=None,
                 name=None, dtype=None):
        super().__init__(num_units, activation, reuse, name, dtype)
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    def _build_gates(self, scope, kernel, width, n, bias):
        recurrent = self._kernel_initializer
        if recurrent is None:
            recurrent = tf.random_uniform_initializer(-1.0, 1.0, dtype=self.dtype)
        return (self.add_variable(f"{scope}/{kernel}", [width, n], initializer=self._kernel_initializer),
                self.add_variable(f"{scope}/kernel_u", [1, n], initializer=recurrent),
                self.add_variable(f"{scope}/bias", [n], initializer=self._bias_initializer
                                  or tf.constant_initializer(bias, dtype=self.dtype)))

    def build(self, inputs_shape):
        width, units = self._input_size(inputs_shape), self._num_units
        self._gate = self._build_gates("gates", "kernel_w", width, 2 * units, 1.0)
        self._candidate = self._build_gates("candidate", "kernel", width, units, 0.0)
        self.built = True

    def call(self, inputs, state):
        gates = tf.sigmoid(self._gates(inputs, tf.tile(state, [1, 2]), *self._gate))
        r, u = tf.split(value=gates, num_or_size_splits=2, axis=1)
        c = self._activation(self._gates(inputs, r * state, *self._candidate))
        new_h = u * state + (1 - u) * c
        return new_h, new_h


class IndyLSTMCell(_IndependentCell):
    """BasicLSTMCell with independent units, see IndRNNCell.

    Args:
        kernel_initializer, bias_initializer: as for IndyGRUCell; biases are 0 by default.

    Source: arXiv:1903.08023.
    """

    def __init__(self, num_units, forget_bias=1.0, activation=None, reuse=None, kernel_initializer=None,
                 bias_initializer=None, name=None, dtype=None):
        super().__init__(num_units, activation, reuse, name, dtype)
        self._forget_bias = forget_bias
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    def build(self, inputs_shape):
        width, units = self._input_size(inputs_shape), self._num_units
        recurrent = self._kernel_initializer
        if recurrent is None:
            recurrent = tf.random_uniform_initializer(-1.0, 1.0, dtype=self.dtype)
        self._kernel_w = self.add_variable("kernel_w", [width, 4 * units], initializer=self._kernel_initializer)
        self._kernel_u = self.add_variable("kernel_u", [1, 4 * units], initializer=recurrent)
        self._bias = self.add_variable("bias", [4 * units], initializer=self._bias_initializer
                                       or tf.zeros_initializer(dtype=self.dtype))
        self.built = True

    def call(self, inputs, state):
        one = tf.constant(1, dtype=tf.int32)
        c, h = state
        gates = self._gates(inputs, tf.tile(h, [1, 4]), self._kernel_w, self._kernel_u, self._bias)
        i, j, f, o = tf.split(value=gates, num_or_size_splits=4, axis=one)
        forget = tf.constant(self._forget_bias, dtype=f.dtype)
        new_c = tf.add(tf.multiply(c, tf.sigmoid(tf.add(f, forget))), tf.multiply(tf.sigmoid(i), self._activation(j)))
        new_h = tf.multiply(self._activation(new_c), tf.sigmoid(o))
        return new_h, LSTMStateTuple(new_c, new_h)


class SRUCell(_IndependentCell):
    """Simple recurrent unit; its inputs have the size num_units.

    Source: arXiv:1709.02755.
    """

    def __init__(self, num_units, activation=None, reuse=None, name=None, **kwargs):
        super().__init__(num_units, activation, reuse, name, **kwargs)

    def build(self, inputs_shape):
        width, units = self._input_size(inputs_shape), self._num_units
        self._kernel = self.add_variable("kernel", [width, 4 * units])
        self._bias = self.add_variable("bias", [2 * units], initializer=tf.constant_initializer(0.0, dtype=self.dtype))
        self.built = True

    def call(self, inputs, state):
        u = tf.matmul(inputs, self._kernel)
        x_bar, f, r, x_tx = tf.split(value=u, num_or_size_splits=4, axis=1)
        f_r = tf.sigmoid(tf.nn.bias_add(tf.concat([f, r], 1), self._bias))
        f, r = tf.split(value=f_r, num_or_size_splits=2, axis=1)
        c = f * state + (1.0 - f) * x_bar
        return r * self._activation(c) + (1.0 - r) * x_tx, c


class PhasedLSTMCell(RNNCell):
    """LSTM that updates its state in phases of its own; inputs are (times float[batch, 1], float[batch, inputs]).

    Args:
        num_units: int.
        use_peepholes: whether the gates see the state.
        leak: how much of an update passes while a unit is closed.
        ratio_on: part of the period in which a unit is open.
        trainable_ratio_on: whether that part is trained.
        period_init_min, period_init_max: the initial periods are distributed exponentially between them.

    Source: arXiv:1610.09513.
    """

    def __init__(self, num_units, use_peepholes=False, leak=0.001, ratio_on=0.1, trainable_ratio_on=True,
                 period_init_min=1.0, period_init_max=1000.0, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._leak, self._ratio_on = num_units, use_peepholes, leak, ratio_on
        self._trainable_ratio_on, self._periods = trainable_ratio_on, (period_init_min, period_init_max)
        self._maps: dict = {}

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def _mapped(self, name, args, size):
        with tf.variable_scope(name):
            if name not in self._maps:
                self._maps[name] = _Linear(args, size, True)
            return self._maps[name](args)

    def call(self, inputs, state):
        c_prev, h_prev = state
        time, x = inputs
        units, dtype = self._num_units, x.dtype
        peephole = [c_prev] if self._use_peepholes else []
        gates = tf.sigmoid(self._mapped("mask_gates", [x, h_prev, *peephole], 2 * units))
        input_gate, forget_gate = tf.split(axis=1, num_or_size_splits=2, value=gates)
        new_input = tf.tanh(self._mapped("new_input", [x, h_prev], units))
        new_c = c_prev * forget_gate + input_gate * new_input
        peephole = [new_c] if self._use_peepholes else []
        output_gate = tf.sigmoid(self._mapped("output_gate", [x, h_prev, *peephole], units))
        new_h = tf.tanh(new_c) * output_gate

        def periods(shape, dtype=dtype, partition_info=None):
            low, high = (tf.log(one) for one in self._periods)
            return tf.exp(tf.random_uniform(shape, low, high, dtype))

        period = tf.get_variable("period", [units], initializer=periods, dtype=dtype)
        phase = tf.get_variable("phase", [units], dtype=dtype,
                                initializer=tf.random_uniform_initializer(0.0, period.initial_value))
        ratio_on = tf.get_variable("ratio_on", [units], dtype=dtype, trainable=self._trainable_ratio_on,
                                   initializer=tf.constant_initializer(self._ratio_on))
        shifted = time - tf.cast(phase, time.dtype)
        period = tf.cast(period, time.dtype)
        # the remainder moves with the time: its gradient is that of the time itself
        remainder = shifted + tf.stop_gradient(tf.mod(shifted, period) - shifted)
        cycle = tf.cast(remainder / period, dtype)
        opening = 2 * cycle / ratio_on
        k = tf.where(tf.less(cycle, ratio_on), 2 - opening, self._leak * cycle)
        k = tf.where(tf.less(cycle, 0.5 * ratio_on), opening, k)
        new_c = k * new_c + (1 - k) * c_prev
        new_h = k * new_h + (1 - k) * h_prev
        return new_h, LSTMStateTuple(new_c, new_h)


class ConvLSTMCell(RNNCell):
    """LSTM whose products are convolutions: inputs float[batch, *input_shape], states float[..., output_channels].

    Args:
        conv_ndims: 1, 2 or 3.
        input_shape: sizes of the inputs without the batch, channels last.
        output_channels: int.
        kernel_shape: sizes of the kernel.
        use_bias: whether there is a bias, `biases`.
        skip_connection: whether the inputs join the outputs.
        initializers: not used, as in 1.15.

    Raises:
        ValueError: `input_shape` does not have conv_ndims + 1 sizes.

    Source: arXiv:1506.04214.
    """

    def __init__(self, conv_ndims, input_shape, output_channels, kernel_shape, use_bias=True, skip_connection=False,
                 forget_bias=1.0, initializers=None, name="conv_lstm_cell"):
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {list(input_shape)} for conv_ndims={conv_ndims}.")
        self._conv_ndims, self._input_shape, self._output_channels = conv_ndims, list(input_shape), output_channels
        self._kernel_shape, self._use_bias, self._forget_bias = list(kernel_shape), use_bias, forget_bias
        self._skip_connection = skip_connection

    @property
    def state_size(self):
        size = tf.TensorShape([*self._input_shape[:-1], self._output_channels])
        return LSTMStateTuple(size, size)

    @property
    def output_size(self):
        channels = self._output_channels + self._skip_connection * self._input_shape[-1]
        return tf.TensorShape([*self._input_shape[:-1], channels])

    def call(self, inputs, state, scope=None):
        cell, hidden = state
        gates = self._convolved([inputs, hidden], 4 * self._output_channels)
        input_gate, new_input, forget_gate, output_gate = tf.split(value=gates, num_or_size_splits=4,
                                                                   axis=self._conv_ndims + 1)
        new_cell = tf.sigmoid(forget_gate + self._forget_bias) * cell
        new_cell += tf.sigmoid(input_gate) * tf.tanh(new_input)
        output = tf.tanh(new_cell) * tf.sigmoid(output_gate)
        if self._skip_connection:
            output = tf.concat([output, inputs], axis=-1)
        return output, LSTMStateTuple(new_cell, output)

    def _convolved(self, args, channels):
        kernel = tf.get_variable("kernel", [*self._kernel_shape, sum(map(_width, args)), channels],
                                 dtype=args[0].dtype)
        joined = tf.concat(axis=self._conv_ndims + 1, values=args)
        if self._conv_ndims == 1:
            product = tf.nn.conv1d(joined, kernel, 1, padding="SAME")
        else:
            convolve = tf.nn.conv2d if self._conv_ndims == 2 else tf.nn.conv3d
            product = convolve(joined, kernel, [1] * (self._conv_ndims + 2), padding="SAME")
        if not self._use_bias:
            return product
        return product + tf.get_variable("biases", [channels], dtype=args[0].dtype,
                                         initializer=tf.constant_initializer(0.0, dtype=args[0].dtype))


class Conv1DLSTMCell(ConvLSTMCell):
    """ConvLSTMCell over one dimension."""

    def __init__(self, name="conv_1d_lstm_cell", **kwargs):
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """ConvLSTMCell over two dimensions."""

    def __init__(self, name="conv_2d_lstm_cell", **kwargs):
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """ConvLSTMCell over three dimensions."""

    def __init__(self, name="conv_3d_lstm_cell", **kwargs):
        super().__init__(conv_ndims=3, name=name, **kwargs)


# ---- stacks of bidirectional networks


def _checked_stack(cells_fw, cells_bw, states_fw, states_bw):
    """Raise ValueError unless both directions have a list of as many cells, and states for each or none."""
    for what, cells in (("cells_fw", cells_fw), ("cells_bw", cells_bw)):
        if not isinstance(cells, list) or not cells:
            raise ValueError(f"{what} must be a list of cells, one for each layer; got {cells!r}")
    if len(cells_fw) != len(cells_bw):
        raise ValueError(f"Forward and backward cells must have the same depth; got {len(cells_fw)} and "
                         f"{len(cells_bw)}.")
    for what, states in (("initial_states_fw", states_fw), ("initial_states_bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"{what} must be a list of state tensors, one for each layer; got {states!r}")


def stack_bidirectional_rnn(cells_fw, cells_bw, inputs, initial_states_fw=None, initial_states_bw=None, dtype=None,
                            sequence_length=None, scope=None):
    """Return (outputs, forward states, backward states) of layers of bidirectional networks, over a list of steps.

    Args:
        cells_fw, cells_bw: lists of RNNCells, one for each layer.
        inputs: list of float[batch, inputs].
        initial_states_fw, initial_states_bw: lists of states, one for each layer; None for zeros.
        dtype: type of the zeros.
        sequence_length: int[batch]; None for all steps.
        scope: default `stack_bidirectional_rnn`; layer k is `cell_<k>` in it.

    Returns:
        The outputs are float[batch, units of both directions], one for each step; the states one for each layer.

    Raises:
        ValueError: see _checked_stack.
    """
    _checked_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states: List[Tuple[Any, Any]] = []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for k, (forward, backward) in enumerate(zip(cells_fw, cells_bw)):
            with tf.variable_scope(f"cell_{k}") as cell_scope:
                inputs, state_fw, state_bw = static_bidirectional_rnn(
                    forward, backward, inputs, initial_state_fw=initial_states_fw and initial_states_fw[k],
                    initial_state_bw=initial_states_bw and initial_states_bw[k], sequence_length=sequence_length,
                    dtype=dtype, scope=cell_scope)
            states.append((state_fw, state_bw))
    return inputs, tuple(one for one, _ in states), tuple(one for _, one in states)


def stack_bidirectional_dynamic_rnn(cells_fw, cells_bw, inputs, initial_states_fw=None, initial_states_bw=None,
                                    dtype=None, sequence_length=None, parallel_iterations=None, time_major=False,
                                    scope=None, swap_memory=False):
    """Return (outputs, forward states, backward states) of layers of bidirectional networks, over one tensor.

    Args:
        inputs: float[batch, time, inputs]; time first with time_major.
        parallel_iterations, swap_memory: as for tf.nn.dynamic_rnn.
        others: as for stack_bidirectional_rnn.

    Returns:
        The outputs are float[batch, time, units of both directions].

    Raises:
        ValueError: see _checked_stack.
    """
    _checked_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states: List[Tuple[Any, Any]] = []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for k, (forward, backward) in enumerate(zip(cells_fw, cells_bw)):
            with tf.variable_scope(f"cell_{k}"):
                outputs, pair = tf.nn.bidirectional_dynamic_rnn(
                    forward, backward, inputs, initial_state_fw=initial_states_fw and initial_states_fw[k],
                    initial_state_bw=initial_states_bw and initial_states_bw[k], sequence_length=sequence_length,
                    parallel_iterations=parallel_iterations, dtype=dtype, swap_memory=swap_memory,
                    time_major=time_major)
                inputs = tf.concat(outputs, 2)
            states.append(pair)
    return inputs, tuple(one for one, _ in states), tuple(one for _, one in states)


_INNER = ("ops", "core_rnn", "core_rnn_cell", "core_rnn_cell_impl", "rnn", "rnn_cell", "lstm_ops", "gru_ops",
          "fused_rnn_cell")
_GRID = "write the cell with tf.nn.rnn_cell.LSTMCell over slices of the inputs"
_REFUSED = {"TimeFreqLSTMCell": _GRID, "GridLSTMCell": _GRID, "BidirectionalGridLSTMCell": _GRID,
            "CompiledWrapper": "it compiled a cell with XLA of its time; tf.config.optimizer.set_jit does the same"}
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)
