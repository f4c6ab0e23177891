"""What cells have in common, and the cells of tf.nn.rnn_cell."""
from __future__ import annotations

from typing import Any

import tf1_autoencoders.tensorflow1 as tf

_cells = tf.nn.rnn_cell
RNNCell: Any = _cells.RNNCell
BasicRNNCell, BasicLSTMCell, LSTMCell, GRUCell = (_cells.BasicRNNCell, _cells.BasicLSTMCell, _cells.LSTMCell,
                                                  _cells.GRUCell)
MultiRNNCell, LSTMStateTuple = _cells.MultiRNNCell, _cells.LSTMStateTuple
DropoutWrapper, ResidualWrapper, DeviceWrapper = _cells.DropoutWrapper, _cells.ResidualWrapper, _cells.DeviceWrapper
LayerRNNCell: Any = BasicRNNCell.__mro__[1]  # tf_keras has no public name for it


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
