"""tf.nn.rnn_cell of TensorFlow before 1.0, and the functions that unroll a cell.

A cell of that time makes its variables each time it is called, in the variable scope of the call, named by its class:
`RNN/BasicLSTMCell/Linear/Matrix`. One cell object in two scopes therefore has two sets of weights, and
`MultiRNNCell([cell] * 2)` has two layers. Written from how TensorFlow 0.12.1 behaves (tests/tf012).
"""
from __future__ import annotations

import tensorflow.compat.v1 as tf
from tensorflow.python.ops import rnn as rnn_ops
from tf_keras.api._v1.keras.__internal__.legacy import rnn_cell as cells_of_1

LSTMStateTuple = cells_of_1.LSTMStateTuple  # (c, h)


def linear(args, output_size, bias, bias_start=0.0, scope=None):
    """Return args joined along axis 1, times `Linear/Matrix`, plus `Linear/Bias`: float[batch, output_size].

    Args:
        args: float[batch, n], or a list of them.
        bias: whether to add a bias, which begins with bias_start.
    """
    args = args if isinstance(args, (list, tuple)) else [args]
    size = sum(arg.shape[1].value for arg in args)
    with tf.variable_scope(scope or "Linear"):
        matrix = tf.get_variable("Matrix", [size, output_size], dtype=args[0].dtype)
        product = tf.matmul(args[0] if len(args) == 1 else tf.concat(args, 1), matrix)
        if not bias:
            return product
        return product + tf.get_variable("Bias", [output_size], dtype=args[0].dtype,
                                         initializer=tf.constant_initializer(bias_start))


class RNNCell:
    """A cell: `cell(inputs, state, scope=None)` returns (output, new state)."""

    _num_units: int

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def __call__(self, inputs, state, scope=None):
        raise NotImplementedError("Abstract method")

    def _scope(self, scope, **options):
        return tf.variable_scope(scope or type(self).__name__, **options)

    def zero_state(self, batch_size, dtype):
        """Return zeros of the structure of state_size, each float[batch_size, n]."""
        def zeros(size):
            state = tf.zeros(tf.stack([batch_size, size]), dtype)
            state.set_shape([batch_size if isinstance(batch_size, int) else None, size])
            return state
        return tf.nest.map_structure(zeros, self.state_size)

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        return self.zero_state(tf.shape(inputs)[0] if batch_size is None else batch_size, dtype or inputs.dtype)


class BasicRNNCell(RNNCell):
    """output = new state = activation(Linear([inputs, state]))."""

    def __init__(self, num_units, input_size=None, activation=tf.tanh):
        self._num_units, self._activation = num_units, activation

    def __call__(self, inputs, state, scope=None):
        with self._scope(scope):
            output = self._activation(linear([inputs, state], self._num_units, True))
        return output, output


class GRUCell(RNNCell):
    """Gated recurrent unit (arXiv:1406.1078); the biases of its gates begin with 1."""

    def __init__(self, num_units, input_size=None, activation=tf.tanh):
        self._num_units, self._activation = num_units, activation

    def __call__(self, inputs, state, scope=None):
        with self._scope(scope):
            with tf.variable_scope("Gates"):
                gates = linear([inputs, state], 2 * self._num_units, True, 1.0)
                reset, update = (tf.sigmoid(gate) for gate in tf.split(gates, 2, 1))
            with tf.variable_scope("Candidate"):
                candidate = self._activation(linear([inputs, reset * state], self._num_units, True))
            output = update * state + (1 - update) * candidate
        return output, output


class BasicLSTMCell(RNNCell):
    """Long short-term memory without peepholes (arXiv:1409.2329).

    Args:
        forget_bias: added to the forget gate.
        state_is_tuple: the default of 0.12; a program written for 0.10 or older may mean False.
    """

    def __init__(self, num_units, forget_bias=1.0, input_size=None, state_is_tuple=True, activation=tf.tanh):
        self._num_units, self._forget_bias = num_units, forget_bias
        self._state_is_tuple, self._activation = state_is_tuple, activation

    @property
    def state_size(self):
        n = self._num_units
        return LSTMStateTuple(n, n) if self._state_is_tuple else 2 * n

    def __call__(self, inputs, state, scope=None):
        with self._scope(scope):
            c, h = state if self._state_is_tuple else tf.split(state, 2, 1)
            i, j, f, o = tf.split(linear([inputs, h], 4 * self._num_units, True), 4, 1)
            c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * self._activation(j)
            h = self._activation(c) * tf.sigmoid(o)
            return h, LSTMStateTuple(c, h) if self._state_is_tuple else tf.concat([c, h], 1)


class LSTMCell(RNNCell):
    """Long short-term memory with peepholes, clipping and projection, each if it is asked for.

    Args:
        num_unit_shards, num_proj_shards: parts into which the matrices W and W_P are divided, row by row.
        others: as in tf.nn.rnn_cell.LSTMCell of TensorFlow 1.15.
    """

    def __init__(self, num_units, input_size=None, use_peepholes=False, cell_clip=None, initializer=None,
                 num_proj=None, proj_clip=None, num_unit_shards=1, num_proj_shards=1, forget_bias=1.0,
                 state_is_tuple=True, activation=tf.tanh):
        self._num_units, self._use_peepholes, self._cell_clip = num_units, use_peepholes, cell_clip
        self._initializer, self._num_proj, self._proj_clip = initializer, num_proj, proj_clip
        self._shards, self._forget_bias = (num_unit_shards, num_proj_shards), forget_bias
        self._state_is_tuple, self._activation = state_is_tuple, activation

    @property
    def output_size(self):
        return self._num_proj or self._num_units

    @property
    def state_size(self):
        sizes = self._num_units, self.output_size
        return LSTMStateTuple(*sizes) if self._state_is_tuple else sum(sizes)

    @staticmethod
    def _matrix(name, n_rows, n_columns, n_shards, dtype):
        n, rest = divmod(n_rows, n_shards)
        shards = [tf.get_variable(f"{name}_{k}", [n + (k < rest), n_columns], dtype) for k in range(n_shards)]
        return shards[0] if n_shards == 1 else tf.concat(shards, 0)

    def __call__(self, inputs, state, scope=None):
        n, dtype = self._num_units, inputs.dtype
        with self._scope(scope, initializer=self._initializer):
            c, h = state if self._state_is_tuple else tf.split(state, [n, self.output_size], 1)
            matrix = self._matrix("W", inputs.shape[1].value + self.output_size, 4 * n, self._shards[0], dtype)
            bias = tf.get_variable("B", [4 * n], dtype, tf.zeros_initializer)
            i, j, f, o = tf.split(tf.matmul(tf.concat([inputs, h], 1), matrix) + bias, 4, 1)
            f = f + self._forget_bias
            if self._use_peepholes:
                of_f, of_i, of_o = (tf.get_variable(f"W_{gate}_diag", [n], dtype) for gate in "FIO")
                f, i = f + of_f * c, i + of_i * c
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * self._activation(j)
            if self._cell_clip is not None:
                c = tf.clip_by_value(c, -self._cell_clip, self._cell_clip)
            h = tf.sigmoid(o + of_o * c if self._use_peepholes else o) * self._activation(c)
            if self._num_proj is not None:
                h = tf.matmul(h, self._matrix("W_P", n, self._num_proj, self._shards[1], dtype))
                if self._proj_clip is not None:
                    h = tf.clip_by_value(h, -self._proj_clip, self._proj_clip)
        return h, LSTMStateTuple(c, h) if self._state_is_tuple else tf.concat([c, h], 1)


class MultiRNNCell(RNNCell):
    """Several cells, one above the other; the layers' variables stand in `Cell0`, `Cell1`, ..."""

    def __init__(self, cells, state_is_tuple=True):
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        self._cells, self._state_is_tuple = cells, state_is_tuple

    @property
    def state_size(self):
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._cells[-1].output_size

    def __call__(self, inputs, state, scope=None):
        states = state if self._state_is_tuple else tf.split(state, [cell.state_size for cell in self._cells], 1)
        new_states = []
        with self._scope(scope):
            for k, (cell, before) in enumerate(zip(self._cells, states)):
                with tf.variable_scope(f"Cell{k}"):
                    inputs, after = cell(inputs, before)
                    new_states.append(after)
        return inputs, tuple(new_states) if self._state_is_tuple else tf.concat(new_states, 1)


class _Wrapper(RNNCell):
    """A cell around another one, with the same state."""

    def __init__(self, cell):
        self._cell = cell

    @property
    def state_size(self):
        return self._cell.state_size

    @property
    def output_size(self):
        return self._cell.output_size


class DropoutWrapper(_Wrapper):
    """Dropout of the inputs and of the outputs of a cell."""

    def __init__(self, cell, input_keep_prob=1.0, output_keep_prob=1.0, seed=None):
        super().__init__(cell)
        self._keep, self._seed = (input_keep_prob, output_keep_prob), seed

    def _dropout(self, values, keep_prob):
        return values if isinstance(keep_prob, (int, float)) and keep_prob >= 1 else \
            tf.nn.dropout(values, keep_prob, seed=self._seed)

    def __call__(self, inputs, state, scope=None):
        output, state = self._cell(self._dropout(inputs, self._keep[0]), state, scope)
        return self._dropout(output, self._keep[1]), state


class EmbeddingWrapper(_Wrapper):
    """A cell whose inputs are whole numbers below embedding_classes, looked up in `EmbeddingWrapper/embedding`."""

    def __init__(self, cell, embedding_classes, embedding_size, initializer=None):
        super().__init__(cell)
        self._shape, self._initializer = [embedding_classes, embedding_size], initializer

    def __call__(self, inputs, state, scope=None):
        with self._scope(scope), tf.device("/cpu:0"):
            initializer = self._initializer or tf.get_variable_scope().initializer or \
                tf.random_uniform_initializer(-3 ** 0.5, 3 ** 0.5)
            embedding = tf.get_variable("embedding", self._shape, tf.nest.flatten(state)[0].dtype, initializer)
            embedded = tf.nn.embedding_lookup(embedding, tf.reshape(inputs, [-1]))
        return self._cell(embedded, state)


class InputProjectionWrapper(_Wrapper):
    """A linear map to num_proj columns before a cell."""

    def __init__(self, cell, num_proj, input_size=None):
        super().__init__(cell)
        self._num_proj = num_proj

    def __call__(self, inputs, state, scope=None):
        with self._scope(scope):
            projected = linear(inputs, self._num_proj, True)
        return self._cell(projected, state)


class OutputProjectionWrapper(_Wrapper):
    """A linear map to output_size columns after a cell."""

    def __init__(self, cell, output_size):
        super().__init__(cell)
        self._output_size = output_size

    @property
    def output_size(self):
        return self._output_size

    def __call__(self, inputs, state, scope=None):
        output, state = self._cell(inputs, state)
        with self._scope(scope):
            return linear(output, self._output_size, True), state


def rnn(cell, inputs, initial_state=None, dtype=None, sequence_length=None, scope=None):
    """Unroll a cell over a list of inputs, float[batch, n] each; return (list of outputs, last state)."""
    return rnn_ops.static_rnn(cell, inputs, initial_state, dtype, sequence_length, scope or "RNN")


def state_saving_rnn(cell, inputs, state_saver, state_name, sequence_length=None, scope=None):
    """Unroll a cell whose state a state_saver keeps between batches."""
    return rnn_ops.static_state_saving_rnn(cell, inputs, state_saver, state_name, sequence_length, scope or "RNN")


def dynamic_rnn(cell, inputs, sequence_length=None, initial_state=None, dtype=None, parallel_iterations=None,
                swap_memory=False, time_major=False, scope=None):
    """Unroll a cell over inputs float[batch, time, n] in a loop; return (outputs, last state)."""
    return rnn_ops.dynamic_rnn(cell, inputs, sequence_length, initial_state, dtype, parallel_iterations, swap_memory,
                               time_major, scope or "RNN")


def _reversed(inputs, lengths, time_axis, batch_axis):
    if lengths is None:
        return tf.reverse(inputs, [time_axis])
    return tf.reverse_sequence(inputs, tf.cast(lengths, tf.int64), seq_axis=time_axis, batch_axis=batch_axis)


def bidirectional_dynamic_rnn(cell_fw, cell_bw, inputs, sequence_length=None, initial_state_fw=None,
                              initial_state_bw=None, dtype=None, parallel_iterations=None, swap_memory=False,
                              time_major=False, scope=None):
    """Unroll a cell forwards and another one backwards; return ((outputs, outputs), (state, state))."""
    axes = (0, 1) if time_major else (1, 0)
    results = []
    with tf.variable_scope(scope or "BiRNN"):
        for name, cell, state in (("FW", cell_fw, initial_state_fw), ("BW", cell_bw, initial_state_bw)):
            with tf.variable_scope(name) as inner:
                given = inputs if name == "FW" else _reversed(inputs, sequence_length, *axes)
                results.append(rnn_ops.dynamic_rnn(cell, given, sequence_length, state, dtype, parallel_iterations,
                                                   swap_memory, time_major, inner))
        (fw, state_fw), (bw, state_bw) = results
        return (fw, _reversed(bw, sequence_length, *axes)), (state_fw, state_bw)


def bidirectional_rnn(cell_fw, cell_bw, inputs, initial_state_fw=None, initial_state_bw=None, dtype=None,
                      sequence_length=None, scope=None):
    """Unroll two cells over a list of inputs, forwards and backwards.

    Returns:
        (list of the outputs of both, joined along axis 1; last state forwards; last state backwards).
    """
    def backwards(values):
        if sequence_length is None:
            return values[::-1]
        return tf.unstack(_reversed(tf.stack(values), sequence_length, 0, 1))

    with tf.variable_scope(scope or "BiRNN"):
        with tf.variable_scope("FW") as inner:
            fw, state_fw = rnn_ops.static_rnn(cell_fw, inputs, initial_state_fw, dtype, sequence_length, inner)
        with tf.variable_scope("BW") as inner:
            bw, state_bw = rnn_ops.static_rnn(cell_bw, backwards(inputs), initial_state_bw, dtype, sequence_length,
                                              inner)
    return [tf.concat(pair, 1) for pair in zip(fw, backwards(bw))], state_fw, state_bw


_linear = linear  # the name under which programs imported it
