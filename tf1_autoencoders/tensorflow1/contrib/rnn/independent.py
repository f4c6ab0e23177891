"""Cells whose units do not see each other."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    LayerRNNCell,
    LSTMStateTuple,
)


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
