"""Cells with other gates: UGRNN, intersection RNN, NAS, grouped LSTM."""
from __future__ import annotations

from typing import Any, List

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    LayerRNNCell,
    LSTMStateTuple,
    RNNCell,
    _initialized_by,
    _Linear,
    _width,
)


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
