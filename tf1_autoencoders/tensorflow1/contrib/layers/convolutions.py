"""Convolutions, transposed and separable ones."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.framework import (
    add_arg_scope,
    model_variable,
)
from tf1_autoencoders.tensorflow1.contrib.layers.common import (
    DATA_FORMAT_NCDHW,
    DATA_FORMAT_NCHW,
    DATA_FORMAT_NDHWC,
    DATA_FORMAT_NHWC,
    _checked_data_format,
    _collect_variables,
    _finished,
    _keras_format,
    _known_size,
    _model_variable_getter,
    get_variable_collections,
    two_element_tuple,
)
from tf1_autoencoders.tensorflow1.contrib.layers.initial_values import xavier_initializer


@add_arg_scope
def convolution(inputs, num_outputs, kernel_size, stride=1, padding="SAME", data_format=None, rate=1,
                activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
                weights_initializer=xavier_initializer(), weights_regularizer=None,
                biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                variables_collections=None, outputs_collections=None, trainable=True, scope=None, conv_dims=None):
    """Return the convolution over one, two or three dimensions, as the rank of the inputs says; default scope `Conv`.

    Args:
        inputs: float[batch, size, ..., channels], or channels second with data_format "NCW", "NCHW" or "NCDHW".
        kernel_size, stride, rate: an int, or one for each dimension; stride or rate must be 1.
        padding: "SAME" or "VALID".
        conv_dims: number of dimensions that the inputs must have; None for no check.

    Returns:
        float[batch, new size, ..., num_outputs]. `weights` is float[size, ..., channels, num_outputs].

    Raises:
        ValueError: an unknown data_format, a rank that has no convolution, stride and rate both above 1.
    """
    channels_first = _checked_data_format(data_format, (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW"))
    with tf.variable_scope(scope, "Conv", [inputs], reuse=reuse, custom_getter=_model_variable_getter(
            {"bias": "biases", "kernel": "weights"})) as sc:
        inputs = tf.convert_to_tensor(inputs)
        rank = inputs.shape.ndims
        if conv_dims is not None and conv_dims + 2 != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank}")
        if rank not in (3, 4, 5):
            raise ValueError(f"Convolution not supported for input with rank {rank}")
        layer_class = {3: tf.layers.Conv1D, 4: tf.layers.Conv2D, 5: tf.layers.Conv3D}[rank]
        layer = layer_class(
            num_outputs, kernel_size, strides=stride, padding=padding, data_format=_keras_format(channels_first),
            dilation_rate=rate, use_bias=bool(not normalizer_fn and biases_initializer),
            kernel_initializer=weights_initializer, bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer, bias_regularizer=biases_regularizer, trainable=trainable,
            name=sc.name, dtype=inputs.dtype.base_dtype, _scope=sc, _reuse=reuse)
        outputs = layer.apply(inputs)
        _collect_variables(variables_collections, weights=layer.kernel, biases=layer.bias if layer.use_bias else None)
        return _finished(outputs, sc, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


def _convolution_of(dims, name):
    """Return `convolution` with a check of the number of dimensions, with an argument scope of its own."""
    def function(inputs, num_outputs, kernel_size, stride=1, padding="SAME", data_format=None, rate=1,
                 activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
                 weights_initializer=xavier_initializer(), weights_regularizer=None,
                 biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                 variables_collections=None, outputs_collections=None, trainable=True, scope=None):
        return convolution(inputs, num_outputs, kernel_size, stride, padding, data_format, rate, activation_fn,
                           normalizer_fn, normalizer_params, weights_initializer, weights_regularizer,
                           biases_initializer, biases_regularizer, reuse, variables_collections, outputs_collections,
                           trainable, scope, conv_dims=dims)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (f"Return the convolution over {dims} dimension{'s' * (dims > 1)}; default scope `Conv`.\n\n"
                        "    Arguments, defaults, shapes and errors: see `convolution`.")
    return add_arg_scope(function)


convolution1d = _convolution_of(1, "convolution1d")
convolution2d = _convolution_of(2, "convolution2d")
convolution3d = _convolution_of(3, "convolution3d")


@add_arg_scope
def convolution2d_in_plane(inputs, kernel_size, stride=1, padding="SAME", activation_fn=tf.nn.relu, normalizer_fn=None,
                           normalizer_params=None, weights_initializer=xavier_initializer(), weights_regularizer=None,
                           biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                           variables_collections=None, outputs_collections=None, trainable=True, scope=None):
    """Return each channel convolved with the same kernel, float[batch, new height, new width, channels].

    `weights` is float[height, width, 1, 1]; default scope `ConvInPlane`.

    Raises:
        ValueError: the number of channels is unknown.
    """
    with tf.variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as sc:
        dtype = inputs.dtype.base_dtype
        height, width = two_element_tuple(kernel_size)
        stride_height, stride_width = two_element_tuple(stride)
        channels = _known_size(inputs.shape, -1, 4)
        weights = model_variable(
            "weights", shape=[height, width, 1, 1], dtype=dtype, initializer=weights_initializer,
            regularizer=weights_regularizer, trainable=trainable,
            collections=get_variable_collections(variables_collections, "weights"))
        outputs = tf.nn.depthwise_conv2d(inputs, tf.tile(weights, [1, 1, channels, 1]),
                                         [1, stride_height, stride_width, 1], padding)
        if normalizer_fn is None and biases_initializer is not None:
            biases = model_variable(
                "biases", shape=[channels], dtype=dtype, initializer=biases_initializer,
                regularizer=biases_regularizer, trainable=trainable,
                collections=get_variable_collections(variables_collections, "biases"))
            outputs = tf.nn.bias_add(outputs, biases)
        return _finished(outputs, sc, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


def _transposed(layer_class, default_scope, allowed, inputs, num_outputs, kernel_size, stride, padding, data_format,
                activation_fn, normalizer_fn, normalizer_params, weights_initializer, weights_regularizer,
                biases_initializer, biases_regularizer, reuse, variables_collections, outputs_collections, trainable,
                scope):
    """Return a transposed convolution, see convolution2d_transpose."""
    channels_first = _checked_data_format(data_format, allowed)
    with tf.variable_scope(scope, default_scope, [inputs], reuse=reuse, custom_getter=_model_variable_getter(
            {"bias": "biases", "kernel": "weights"})) as sc:
        inputs = tf.convert_to_tensor(inputs)
        layer = layer_class(
            filters=num_outputs, kernel_size=kernel_size, strides=stride, padding=padding,
            data_format=_keras_format(channels_first), use_bias=bool(not normalizer_fn and biases_initializer),
            kernel_initializer=weights_initializer, bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer, bias_regularizer=biases_regularizer, trainable=trainable,
            name=sc.name, dtype=inputs.dtype.base_dtype, _scope=sc, _reuse=reuse)
        outputs = layer.apply(inputs)
        _collect_variables(variables_collections, weights=layer.kernel, biases=layer.bias if layer.use_bias else None)
        return _finished(outputs, sc, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


@add_arg_scope
def convolution2d_transpose(inputs, num_outputs, kernel_size, stride=1, padding="SAME", data_format=DATA_FORMAT_NHWC,
                            activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
                            weights_initializer=xavier_initializer(), weights_regularizer=None,
                            biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                            variables_collections=None, outputs_collections=None, trainable=True, scope=None):
    """Return the transposed convolution of images; default scope `Conv2d_transpose`.

    Args:
        inputs: float[batch, height, width, channels]; channels second with data_format "NCHW".
        kernel_size, stride: an int or two.
        padding: "SAME", new height = height * stride; "VALID", larger by max(kernel - stride, 0).

    Returns:
        float[batch, new height, new width, num_outputs]. `weights` is float[height, width, num_outputs, channels].

    Raises:
        ValueError: an unknown data_format.

    Source: Zeiler et al. (2010), Deconvolutional networks.
    """
    return _transposed(tf.layers.Conv2DTranspose, "Conv2d_transpose", (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC), inputs,
                       num_outputs, kernel_size, stride, padding, data_format, activation_fn, normalizer_fn,
                       normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                       biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope)


@add_arg_scope
def convolution3d_transpose(inputs, num_outputs, kernel_size, stride=1, padding="SAME", data_format=DATA_FORMAT_NDHWC,
                            activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
                            weights_initializer=xavier_initializer(), weights_regularizer=None,
                            biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                            variables_collections=None, outputs_collections=None, trainable=True, scope=None):
    """Return the transposed convolution of volumes; default scope `Conv3d_transpose`.

    Args:
        inputs: float[batch, depth, height, width, channels]; channels second with data_format "NCDHW".
        others: as for convolution2d_transpose.
    """
    return _transposed(tf.layers.Conv3DTranspose, "Conv3d_transpose", (DATA_FORMAT_NCDHW, DATA_FORMAT_NDHWC), inputs,
                       num_outputs, kernel_size, stride, padding, data_format, activation_fn, normalizer_fn,
                       normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                       biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope)


@add_arg_scope
def separable_convolution2d(inputs, num_outputs, kernel_size, depth_multiplier=1, stride=1, padding="SAME",
                            data_format=DATA_FORMAT_NHWC, rate=1, activation_fn=tf.nn.relu, normalizer_fn=None,
                            normalizer_params=None, weights_initializer=xavier_initializer(),
                            pointwise_initializer=None, weights_regularizer=None,
                            biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                            variables_collections=None, outputs_collections=None, trainable=True, scope=None):
    """Return a convolution of each channel, then, unless num_outputs is None, a 1 x 1 convolution over the channels.

    Args:
        num_outputs: int; None for the first part only.
        depth_multiplier: outputs of the first part for each channel.
        pointwise_initializer: initial weights of the second part; None for weights_initializer.

    Returns:
        float[batch, new height, new width, num_outputs or channels * depth_multiplier]; default scope
        `SeparableConv2d`, variables `depthwise_weights`, `pointwise_weights`, `biases`.

    Raises:
        ValueError: an unknown data_format.

    Source: arXiv:1610.02357.
    """
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    names = {"bias": "biases", "depthwise_kernel": "depthwise_weights", "pointwise_kernel": "pointwise_weights"}
    with tf.variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse,
                           custom_getter=_model_variable_getter(names)) as sc:
        inputs = tf.convert_to_tensor(inputs)
        if num_outputs is not None:
            layer = tf.layers.SeparableConv2D(
                num_outputs, kernel_size, strides=stride, padding=padding, data_format=_keras_format(channels_first),
                dilation_rate=two_element_tuple(rate), depth_multiplier=depth_multiplier,
                use_bias=bool(not normalizer_fn and biases_initializer), depthwise_initializer=weights_initializer,
                pointwise_initializer=pointwise_initializer or weights_initializer, bias_initializer=biases_initializer,
                depthwise_regularizer=weights_regularizer, pointwise_regularizer=weights_regularizer,
                bias_regularizer=biases_regularizer, trainable=trainable, name=sc.name,
                dtype=inputs.dtype.base_dtype, _scope=sc, _reuse=reuse)
            outputs = layer.apply(inputs)
            _collect_variables(variables_collections, weights=[layer.depthwise_kernel, layer.pointwise_kernel],
                               biases=layer.bias if layer.use_bias else None)
        else:
            outputs = _depthwise_convolution(
                inputs, two_element_tuple(kernel_size), depth_multiplier, two_element_tuple(stride), padding,
                data_format, two_element_tuple(rate), weights_initializer, weights_regularizer, trainable,
                None if normalizer_fn else biases_initializer, biases_regularizer, variables_collections)
        return _finished(outputs, sc, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


def _depthwise_convolution(inputs, kernel_size, depth_multiplier, stride, padding, data_format, rate,
                           weights_initializer, weights_regularizer, trainable, biases_initializer, biases_regularizer,
                           variables_collections):
    """Return the first part of separable_convolution2d, with biases."""
    dtype = inputs.dtype.base_dtype
    channels_first = data_format == DATA_FORMAT_NCHW
    channels = _known_size(inputs.shape, 1 if channels_first else -1, 4)
    weights = model_variable(
        "depthwise_weights", shape=[*kernel_size, channels, depth_multiplier], dtype=dtype,
        initializer=weights_initializer, regularizer=weights_regularizer, trainable=trainable,
        collections=get_variable_collections(variables_collections, "weights"))
    outputs = tf.nn.depthwise_conv2d(inputs, weights, [1, 1, *stride] if channels_first else [1, *stride, 1], padding,
                                     rate=rate, data_format=data_format)
    if biases_initializer is not None:
        biases = model_variable(
            "biases", shape=[channels * depth_multiplier], dtype=dtype, initializer=biases_initializer,
            regularizer=biases_regularizer, trainable=trainable,
            collections=get_variable_collections(variables_collections, "biases"))
        outputs = tf.nn.bias_add(outputs, biases, data_format=data_format)
    return outputs
