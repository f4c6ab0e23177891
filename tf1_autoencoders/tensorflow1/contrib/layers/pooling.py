"""Means and maxima of windows."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.framework import (
    add_arg_scope,
)
from tf1_autoencoders.tensorflow1.contrib.layers.common import (
    DATA_FORMAT_NCDHW,
    DATA_FORMAT_NCHW,
    DATA_FORMAT_NDHWC,
    DATA_FORMAT_NHWC,
    _checked_data_format,
    _keras_format,
    collect_named_outputs,
    n_positive_integers,
)


def _pooled(layer_class, default_scope, allowed, inputs, kernel_size, stride, padding, data_format, outputs_collections,
            scope):
    """Return a pooling layer's output, see avg_pool2d."""
    channels_first = _checked_data_format(data_format, allowed)
    with tf.name_scope(scope, default_scope, [inputs]) as sc:
        inputs = tf.convert_to_tensor(inputs)
        layer = layer_class(pool_size=kernel_size, strides=stride, padding=padding,
                            data_format=_keras_format(channels_first), _scope=sc)
        return collect_named_outputs(outputs_collections, sc, layer.apply(inputs))


_FORMATS = {2: (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC), 3: (DATA_FORMAT_NCDHW, DATA_FORMAT_NDHWC)}


@add_arg_scope
def avg_pool2d(inputs, kernel_size, stride=2, padding="VALID", data_format=DATA_FORMAT_NHWC, outputs_collections=None,
               scope=None):
    """Return means of windows, float[batch, new height, new width, channels]; default scope `AvgPool2D`.

    Args:
        kernel_size, stride: an int or two.

    Raises:
        ValueError: an unknown data_format.
    """
    return _pooled(tf.layers.AveragePooling2D, "AvgPool2D", _FORMATS[2], inputs, kernel_size, stride, padding,
                   data_format, outputs_collections, scope)


@add_arg_scope
def max_pool2d(inputs, kernel_size, stride=2, padding="VALID", data_format=DATA_FORMAT_NHWC, outputs_collections=None,
               scope=None):
    """Return maxima of windows, float[batch, new height, new width, channels]; default scope `MaxPool2D`.

    Args and errors: see avg_pool2d.
    """
    return _pooled(tf.layers.MaxPooling2D, "MaxPool2D", _FORMATS[2], inputs, kernel_size, stride, padding,
                   data_format, outputs_collections, scope)


@add_arg_scope
def avg_pool3d(inputs, kernel_size, stride=2, padding="VALID", data_format=DATA_FORMAT_NDHWC, outputs_collections=None,
               scope=None):
    """Return means of windows of volumes, float[batch, depth, height, width, channels]; default scope `AvgPool3D`.

    Args and errors: see avg_pool2d.
    """
    return _pooled(tf.layers.AveragePooling3D, "AvgPool3D", _FORMATS[3], inputs, kernel_size, stride, padding,
                   data_format, outputs_collections, scope)


@add_arg_scope
def max_pool3d(inputs, kernel_size, stride=2, padding="VALID", data_format=DATA_FORMAT_NDHWC, outputs_collections=None,
               scope=None):
    """Return maxima of windows of volumes, float[batch, depth, height, width, channels]; default scope `MaxPool3D`.

    Args and errors: see avg_pool2d.
    """
    return _pooled(tf.layers.MaxPooling3D, "MaxPool3D", _FORMATS[3], inputs, kernel_size, stride, padding,
                   data_format, outputs_collections, scope)


@add_arg_scope
def pool(inputs, kernel_size, pooling_type, padding="VALID", data_format=None, dilation_rate=1, stride=1,
         outputs_collections=None, scope=None):
    """Return the maxima ("MAX") or means ("AVG") of windows over every dimension between batch and channels.

    Args:
        kernel_size, dilation_rate, stride: an int, or one for each dimension.

    Raises:
        ValueError: the inputs have no known rank.
    """
    with tf.name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as sc:
        inputs = tf.convert_to_tensor(inputs)
        if inputs.shape.ndims is None:
            raise ValueError("Rank of inputs must be known")
        n = inputs.shape.ndims - 2
        outputs = tf.nn.pool(
            inputs, n_positive_integers(n, kernel_size), pooling_type, padding=padding, data_format=data_format,
            dilation_rate=n_positive_integers(n, dilation_rate), strides=n_positive_integers(n, stride), name=sc)
        return collect_named_outputs(outputs_collections, sc, outputs)
