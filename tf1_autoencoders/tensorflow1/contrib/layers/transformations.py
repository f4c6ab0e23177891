"""Layers without a kernel: dropout, biases, softmax, and changes of the shape."""
from __future__ import annotations

from typing import Any, List

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds
from tf1_autoencoders.tensorflow1.contrib.framework import (
    add_arg_scope,
    model_variable,
)
from tf1_autoencoders.tensorflow1.contrib.layers.common import (
    DATA_FORMAT_NCHW,
    DATA_FORMAT_NHWC,
    _checked_data_format,
    _finished,
    _known_size,
    _model_variable_getter,
    collect_named_outputs,
    get_variable_collections,
)


@add_arg_scope
def dropout(inputs, keep_prob=0.5, noise_shape=None, is_training=True, outputs_collections=None, scope=None, seed=None):
    """Return the inputs, each element with probability keep_prob divided by keep_prob and otherwise 0.

    Args:
        inputs: float[...].
        keep_prob: float or float[]: a number or a tensor.
        noise_shape: shape of the mask, 1 where the mask is the same along a dimension; None for that of the inputs.
        is_training: bool or bool tensor; otherwise the inputs are returned as they are.
        seed: the operation's seed.

    Source: Srivastava et al. (2014), JMLR 15. Default scope `Dropout`.
    """
    with tf.variable_scope(scope, "Dropout", [inputs], custom_getter=_model_variable_getter()) as sc:
        inputs = tf.convert_to_tensor(inputs)
        layer = tf.layers.Dropout(rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=sc.name, _scope=sc)
        outputs = layer.apply(inputs, training=is_training)
        return collect_named_outputs(outputs_collections, sc.name, outputs)


@add_arg_scope
def bias_add(inputs, activation_fn=None, initializer=tf.zeros_initializer(), regularizer=None, reuse=None,
             variables_collections=None, outputs_collections=None, trainable=True, data_format=DATA_FORMAT_NHWC,
             scope=None):
    """Return the inputs plus biases float[channels]; default scope `BiasAdd`.

    Raises:
        ValueError: an unknown data_format, or an unknown number of channels.
    """
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    with tf.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as sc:
        inputs = tf.convert_to_tensor(inputs)
        channels = _known_size(inputs.shape, 1 if channels_first else -1, 2)
        biases = model_variable("biases", shape=[channels], dtype=inputs.dtype.base_dtype, initializer=initializer,
                                regularizer=regularizer, trainable=trainable,
                                collections=get_variable_collections(variables_collections, "biases"))
        outputs = tf.nn.bias_add(inputs, biases, data_format=data_format)
        return _finished(outputs, sc, activation_fn, outputs_collections)


@add_arg_scope
def flatten(inputs, outputs_collections=None, scope=None):
    """Return the inputs as [batch, product of the other sizes]; default scope `Flatten`."""
    with tf.name_scope(scope, "Flatten", [inputs]) as sc:
        return collect_named_outputs(outputs_collections, sc, tf.layers.Flatten().apply(tf.convert_to_tensor(inputs)))


@add_arg_scope
def one_hot_encoding(labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None):
    """Return float32[batch, num_classes], `on_value` at each label; labels are int[batch]; scope `OneHotEncoding`."""
    with tf.name_scope(scope, "OneHotEncoding", [labels, num_classes]) as sc:
        labels = tf.convert_to_tensor(labels)
        if labels.dtype == tf.int32:
            labels = tf.cast(labels, tf.int64, name="ToInt64")
        outputs = tf.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def softmax(logits, scope=None):
    """Return the softmax over the last dimension, float[..., classes]; default scope `softmax`."""
    with tf.variable_scope(scope, "softmax", [logits]):
        classes = _known_size(logits.shape, -1, 2)
        predictions = tf.nn.softmax(tf.reshape(logits, [-1, classes]))
        predictions = tf.reshape(predictions, tf.shape(logits))
        predictions.set_shape(logits.shape)
        return predictions


@add_arg_scope
def maxout(inputs, num_units, axis=-1, scope=None):
    """Return the maxima of groups of units, [..., num_units] along `axis`; default scope `MaxOut`.

    Raises:
        ValueError: the size along `axis` is unknown or no multiple of num_units.

    Source: arXiv:1302.4389.
    """
    with tf.variable_scope(scope, "MaxOut", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        shape = inputs.shape.as_list()
        size = shape[axis]
        if size is None or size % num_units:
            raise ValueError(f"number of features({size}) is not a multiple of num_units({num_units})")
        shape[axis] = num_units
        for position, known in enumerate(shape):
            if known is None:
                shape[position] = tf.shape(inputs)[position]
        # the new last dimension holds the groups, as 1.15's reshape orders them
        outputs = tf.reduce_max(tf.reshape(inputs, [*shape, size // num_units]), -1)
        if not any(tf.is_tensor(one) for one in shape):
            outputs.set_shape(shape)
        return outputs


@add_arg_scope
def unit_norm(inputs, dim, epsilon=1e-07, scope=None):
    """Return the inputs divided by their length along dimension `dim`; default scope `UnitNorm`.

    Args:
        epsilon: added to the squared length.

    Raises:
        ValueError: `dim` is negative or not below the rank.
    """
    with tf.variable_scope(scope, "UnitNorm", [inputs]):
        rank = inputs.shape.ndims
        if not rank:
            raise ValueError("The input rank must be known.")
        if not 0 <= dim < rank:
            raise ValueError(f"dim must be nonnegative and smaller than the rank {rank}, but is {dim}.")
        lengths = tf.sqrt(epsilon + tf.reduce_sum(tf.square(inputs), dim, keepdims=True))
        repeats: List[Any] = [tf.ones([dim], tf.int32)] if dim else []
        repeats.append(tf.strided_slice(tf.shape(inputs), [dim], [dim + 1]))
        if dim < rank - 1:
            repeats.append(tf.ones([rank - 1 - dim], tf.int32))
        return tf.truediv(inputs, tf.tile(lengths, tf.concat(repeats, 0)), name="div")


@add_arg_scope
def images_to_sequence(inputs, data_format=DATA_FORMAT_NHWC, outputs_collections=None, scope=None):
    """Return images as sequences over the width: [width, batch * height, channels]; scope `ImagesToSequence`.

    Raises:
        ValueError: an unknown data_format.
    """
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    with tf.name_scope(scope, "ImagesToSequence", [inputs]) as sc:
        inputs = tf.convert_to_tensor(inputs)
        if channels_first:
            inputs = tf.transpose(inputs, [0, 2, 3, 1])
        _, _, width, channels = inputs.shape.as_list()
        sizes = tf.shape(inputs)
        batch, height = sizes[0], sizes[1]
        columns = tf.transpose(inputs, [2, 0, 1, 3])
        outputs = tf.reshape(columns, [-1 if width is None else width, batch * height, channels])
        return collect_named_outputs(outputs_collections, sc, outputs)


@add_arg_scope
def sequence_to_images(inputs, height, output_data_format="channels_last", outputs_collections=None, scope=None):
    """Return sequences [width, batch * height, channels] as images [batch, height, width, channels].

    Args:
        output_data_format: "channels_first" for [batch, channels, height, width]. Default scope `SequenceToImages`.
    """
    with tf.name_scope(scope, "SequenceToImages", [inputs]) as sc:
        inputs = tf.convert_to_tensor(inputs)
        width, n_rows, channels = inputs.shape.as_list()
        batch = -1 if n_rows is None else n_rows // height
        rows = tf.reshape(inputs, [-1 if width is None else width, batch, height, channels])
        order = [1, 3, 2, 0] if output_data_format == "channels_first" else [1, 2, 0, 3]
        return collect_named_outputs(outputs_collections, sc, tf.transpose(rows, order))


@add_arg_scope
def dense_to_sparse(tensor, eos_token=0, outputs_collections=None, scope=None):
    """Return a tensor int[...] as a SparseTensor of the elements that are not `eos_token`; scope `dense_to_sparse`."""
    with tf.variable_scope(scope, "dense_to_sparse", [tensor]) as sc:
        tensor = tf.convert_to_tensor(tensor)
        indices = tf.where(tf.not_equal(tensor, tf.constant(eos_token, tensor.dtype)))
        outputs = tf.SparseTensor(indices, tf.gather_nd(tensor, indices), tf.shape(tensor, out_type=tf.int64))
        return collect_named_outputs(outputs_collections, sc.name, outputs)


@add_arg_scope
def spatial_softmax(features, temperature=None, name=None, variables_collections=None, trainable=True,
                    data_format="NHWC"):
    """Return the expected position of each channel under its softmax over the pixels.

    Args:
        features: float[batch, height, width, channels]; channels second with data_format "NCHW".
        temperature: divisor of the features; the first value of the variable `temperature`; None for 1.

    Returns:
        float[batch, channels * 2], x and y of each channel in [-1, 1]; default scope `spatial_softmax`.

    Source: arXiv:1509.06113.
    """
    with tf.variable_scope(name, "spatial_softmax"):
        shape = tf.shape(features)
        if data_format == DATA_FORMAT_NHWC:
            height, width, channels = shape[1], shape[2], features.shape.as_list()[3]
        else:
            height, width, channels = shape[2], shape[3], features.shape.as_list()[1]
        with tf.name_scope("spatial_softmax_op") as operations:
            lines = [tf.raw_ops.LinSpace(start=-1.0, stop=1.0, num=size) for size in (height, width)]
            expected = _seeds.count() + 14
            x, y = tf.meshgrid(*lines, indexing="ij")
            _seeds.shift(expected - _seeds.count())
            x, y = (tf.reshape(one, [height * width]) for one in (x, y))
        initializer = tf.ones_initializer() if temperature is None else tf.constant_initializer(temperature)
        divisor = model_variable("temperature", shape=(), dtype=tf.float32, initializer=initializer,
                                 collections=variables_collections, trainable=trainable)
        with tf.name_scope(operations):
            if data_format == DATA_FORMAT_NHWC:
                features = tf.transpose(features, [0, 3, 1, 2])
            attention = tf.nn.softmax(tf.reshape(features, [-1, height * width]) / divisor)
            expected_x = tf.reduce_sum(x * attention, [1], keepdims=True)
            expected_y = tf.reduce_sum(y * attention, [1], keepdims=True)
            positions = tf.reshape(tf.concat([expected_x, expected_y], 1), [-1, channels * 2])
            positions.set_shape([None, channels * 2])
            return positions


def scale_gradient(inputs, scale):
    """Return the inputs; the gradient that comes back through them is multiplied by `scale`, float[]."""
    inputs = tf.convert_to_tensor(inputs)
    factor = tf.convert_to_tensor(scale, inputs.dtype)

    @tf.custom_gradient
    def scaled(value):
        return tf.identity(value), lambda gradient: gradient * factor

    expected = _seeds.count() + 1  # one function call in 1.15
    outputs = scaled(inputs)
    _seeds.shift(expected - _seeds.count())
    return outputs
