"""Layers of tf_keras whose operations changed since TensorFlow 1.15: what seeds need of them; and what is refused.

Imported with tf_keras, at the first use of `tf.layers`, `tf.nn.rnn_cell` or `tf.keras`.
"""
from __future__ import annotations

import importlib
import math

from tensorflow.python.framework import config, ops, tensor_shape
from tensorflow.python.ops import array_ops, math_ops

from tf1_autoencoders.tensorflow1 import seeds
from tf1_autoencoders.utils.errors import NotOffered

_LAYERS = "tf_keras.src.layers"


@seeds.replaces(f"{_LAYERS}.convolutional.base_conv:Conv.build")
def build_convolution(original, self, input_shape):
    """1.15 made a constant for the dilation rate when a convolution was built."""
    result = original(self, input_shape)
    if type(self).__name__ in ("Conv1D", "Conv2D", "Conv3D") and set(self.dilation_rate) == {1}:
        seeds.shift(1)
    return result


@seeds.replaces(f"{_LAYERS}.reshaping.flatten:Flatten.call")
def flatten(original, self, inputs):
    """1.15 kept the first size, known or not, and let the reshape find the other one."""
    inputs = ops.convert_to_tensor(inputs)
    rank = inputs.shape.rank
    if self.data_format == "channels_first" and rank is not None and rank > 1:
        inputs = array_ops.transpose(inputs, [0, *range(2, rank), 1])
    first = tensor_shape.dimension_value(inputs.shape[0]) or array_ops.shape(inputs)[0]
    outputs = array_ops.reshape(inputs, (first, -1))
    sizes = inputs.shape.as_list()
    outputs.set_shape([sizes[0], None if None in sizes[1:] else math.prod(sizes[1:])])
    return outputs


@seeds.replaces(f"{_LAYERS}.convolutional.conv2d_transpose:Conv2DTranspose.call")
def transposed_convolution(original, self, inputs):
    """1.15 computed the size of the output in the graph, also where it is known."""
    sizes = inputs.shape.as_list() if inputs.shape.rank == 4 else []
    known = [size for size in (sizes[2:] if self.data_format == "channels_first" else sizes[1:3]) if size is not None]
    with seeds.more(len(known) * (5 if self.padding == "same" else 7)):
        return original(self, inputs)


@seeds.replaces(f"{_LAYERS}.normalization.batch_normalization:BatchNormalizationBase._fused_batch_norm")
def fused_batch_norm(original, self, inputs, mask, training):
    """1.15 made constants for the momentum and for the missing mean."""
    known = training if isinstance(training, (bool, int)) else None
    with seeds.more(0 if known is None else 2 if known else 1):
        return original(self, inputs, mask, training)


def _penalty(self, x):
    """L1 and L2 as 1.15 composed them: 0 + l1 * sum(|x|) + l2 * sum(x^2)."""
    total = 0.0
    if getattr(self, "l1", None):
        total += self.l1 * math_ops.reduce_sum(math_ops.abs(x))
    if getattr(self, "l2", None):
        total += self.l2 * math_ops.reduce_sum(math_ops.square(x))
    return total


for _name in ("L1", "L2", "L1L2"):
    seeds.replaces(f"tf_keras.src.regularizers:{_name}.__call__")(lambda original, self, x: _penalty(self, x))


@seeds.replaces(f"{_LAYERS}.rnn.base_cudnn_rnn:_CuDNNRNN.__init__")
def cudnn_layer(original, self, *args, **kwargs):
    """A layer of cuDNN's kernels, which only a GPU has."""
    if not config.list_physical_devices("GPU"):
        name = type(self).__name__
        options = "recurrent_activation='sigmoid'" + ", reset_after=True" * (name == "CuDNNGRU")
        raise NotOffered(f"keras.layers.{name} needs a GPU and there is none; keras.layers.{name[5:]} with {options} "
                         "computes the same")
    original(self, *args, **kwargs)


@seeds.replaces("tf_keras.src.estimator:model_to_estimator", "tf_keras.src.estimator:model_to_estimator_v2")
def model_to_estimator(original, *args, **kwargs):
    """An Estimator of a Keras model; Estimators left TensorFlow."""
    raise NotOffered("tf.keras.estimator is not offered: Estimators left TensorFlow with 2.16; model.fit trains the "
                     "same network")


# at the end, since this imports what stands above in the place of tf_keras's own; of 1.15.5's tf.keras
vars(importlib.import_module("tf_keras.api._v1.keras"))["__version__"] = "2.2.4-tf"
