"""LSTMs whose products are convolutions."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    LSTMStateTuple,
    RNNCell,
    _width,
)


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
