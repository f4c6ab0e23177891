"""Cells around a cell: projections, embeddings, attention, highways."""
from __future__ import annotations

import math

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    RNNCell,
    _Linear,
    _width,
    _Wrapper,
)


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


class HighwayWrapper(_Wrapper):
    """A cell whose output is mixed with its inputs: inputs * carry + output * transform, float[batch, inputs].

    Args:
        cell: RNNCell whose outputs have the size of the inputs.
        couple_carry_transform_gates: whether transform is 1 - carry, or a gate of its own.
        carry_bias_init: initial bias of carry; transform has the opposite one.

    Source: arXiv:1505.00387.
    """

    def __init__(self, cell, couple_carry_transform_gates=True, carry_bias_init=1.0):
        super().__init__(cell)
        self._coupled, self._bias = couple_carry_transform_gates, carry_bias_init

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
