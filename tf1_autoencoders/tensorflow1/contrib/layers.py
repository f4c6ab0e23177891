"""tf.contrib.layers of TensorFlow 1.15: layers as functions, initializers, regularizers, summaries, optimize_loss.

Source of every function: tf.contrib.layers of TensorFlow 1.15.5; the papers stand in the docstrings. A layer is called
with a tensor and returns a tensor. These arguments mean the same everywhere and are not explained again:

| argument | default | meaning |
|---|---|---|
| inputs | | tensor float[batch, ..., channels]; images float[batch, height, width, channels] |
| num_outputs | | int, channels of the output |
| activation_fn | tf.nn.relu | function of the output; None for none |
| normalizer_fn, normalizer_params | None | function used instead of adding biases, and its arguments |
| weights_initializer | xavier_initializer() | initial weights |
| biases_initializer | zeros | initial biases; None for no biases |
| weights_regularizer, biases_regularizer | None | functions of a variable whose values join REGULARIZATION_LOSSES |
| reuse | None | whether the layer's variables exist already; needs `scope` |
| variables_collections | None | collections of all variables, or {"weights": [...], "biases": [...]} |
| outputs_collections | None | collections of the output |
| trainable | True | whether the variables join TRAINABLE_VARIABLES |
| scope | None | name of the layer; None for the default name, made unique |

Variables join GLOBAL_VARIABLES and MODEL_VARIABLES under 1.15's names: `<scope>/weights`, `<scope>/biases`.
"""
from __future__ import annotations

import collections
import functools
import math
import re
from typing import Any, Callable, Dict, List

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1 import seeds as _seeds
from tf1_autoencoders.tensorflow1.contrib.framework import (
    add_arg_scope,
    model_variable,
    smart_cond,
    smart_constant_value,
)

DATA_FORMAT_NCHW, DATA_FORMAT_NHWC, DATA_FORMAT_NCDHW, DATA_FORMAT_NDHWC = "NCHW", "NHWC", "NCDHW", "NDHWC"
_COLLECTIONS = tf.GraphKeys

# ---- initializers


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=tf.float32):
    """Return an initializer whose values have variance factor / n: He's initialization by default.

    Args:
        factor: positive number.
        mode: n is the number of inputs ("FAN_IN"), of outputs ("FAN_OUT") or their mean ("FAN_AVG").
        uniform: uniform distribution, or a normal one cut off at two standard deviations.
        seed: the operation's seed.
        dtype: floating-point type.

    Raises:
        TypeError: an unknown mode, or a type that is not floating-point.

    Source: arXiv:1502.01852.
    """
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError(f"Cannot create initializer for non-floating point type {dtype!r}.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode!r}; expected FAN_IN, FAN_OUT or FAN_AVG")

    def initializer(shape, dtype=dtype, partition_info=None):
        if not tf.as_dtype(dtype).is_floating:
            raise TypeError(f"Cannot create initializer for non-floating point type {dtype!r}.")
        sizes = [float(size) for size in shape] or [1.0]
        field = math.prod(sizes[:-2])
        fan_in, fan_out = field * (sizes[-2] if len(sizes) > 1 else sizes[-1]), field * sizes[-1]
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return tf.random_uniform(shape, -limit, limit, dtype, seed=seed)
        return tf.truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / n), dtype, seed=seed)

    return initializer


def xavier_initializer(uniform=True, seed=None, dtype=tf.float32):
    """Return Glorot's initializer: variance 2 / (inputs + outputs).

    Args:
        uniform: uniform distribution in +-sqrt(6 / (inputs + outputs)), or a normal one cut off.
        seed: the operation's seed.
        dtype: floating-point type.

    Source: Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks.
    """
    return variance_scaling_initializer(factor=1.0, mode="FAN_AVG", uniform=uniform, seed=seed, dtype=dtype)


xavier_initializer_conv2d = xavier_initializer

# ---- regularizers


def _checked_scale(scale):
    """Return a regularizer's scale after the checks that 1.15 makes."""
    if isinstance(scale, int):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if isinstance(scale, float) and scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")
    return scale


def _scaled(scale, weights, penalty, name):
    """Return scale * penalty(weights) under this name."""
    return tf.multiply(tf.convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale"), penalty(weights),
                       name=name)


def l1_regularizer(scale, scope=None):
    """Return a function: weights -> scale * sum(|weights|), float[]; None if scale is 0.0.

    Raises:
        ValueError: `scale` is an int or negative.
    """
    if _checked_scale(scale) == 0.0:
        return lambda _: None

    def l1(weights, name=None):
        with tf.name_scope(scope, "l1_regularizer", [weights]) as name:
            return _scaled(scale, weights, lambda one: tf.reduce_sum(tf.abs(one)), name)

    return l1


def l2_regularizer(scale, scope=None):
    """Return a function: weights -> scale * sum(weights ** 2) / 2, float[]; None if scale is 0.0.

    Raises:
        ValueError: `scale` is an int or negative.
    """
    if _checked_scale(scale) == 0.0:
        return lambda _: None

    def l2(weights):
        with tf.name_scope(scope, "l2_regularizer", [weights]) as name:
            return _scaled(scale, weights, tf.nn.l2_loss, name)

    return l2


def l1_l2_regularizer(scale_l1=1.0, scale_l2=1.0, scope=None):
    """Return a function: the sum of l1_regularizer(scale_l1) and l2_regularizer(scale_l2).

    Raises:
        ValueError: a scale is an int or negative.
    """
    _checked_scale(scale_l1)
    _checked_scale(scale_l2)
    name = scope or "l1_l2_regularizer"
    if scale_l1 == 0.0:
        return l2_regularizer(scale_l2, name)
    if scale_l2 == 0.0:
        return l1_regularizer(scale_l1, name)
    both: Any = sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope=name)
    return both


def sum_regularizer(regularizer_list, scope=None):
    """Return a function: the sum of what these regularizers give; None if all of them are None."""
    given = [one for one in regularizer_list if one is not None]
    if not given:
        return None

    def sum_reg(weights):
        with tf.name_scope(scope, "sum_regularizer", [weights]) as name:
            values = [value for value in (one(weights) for one in given) if value is not None]
            return tf.add_n(values, name=name) if values else None

    return sum_reg


def apply_regularization(regularizer, weights_list=None):
    """Return the sum of a regularizer over variables, float[], which joins REGULARIZATION_LOSSES.

    Args:
        regularizer: function of a variable; it may return None.
        weights_list: variables; None for the collection WEIGHTS.

    Raises:
        ValueError: there is no variable, or a value is not a scalar.
    """
    if not weights_list:
        weights_list = tf.get_collection(_COLLECTIONS.WEIGHTS)
    if not weights_list:
        raise ValueError("No weights to regularize.")
    with tf.name_scope("get_regularization_penalty", values=weights_list) as name:
        values = [regularizer(weights) for weights in weights_list]
        values = [tf.constant(0.0) if value is None else value for value in values]
        for value in values:
            if value.shape.ndims != 0:
                raise ValueError(f"regularizer must return a scalar Tensor instead of a Tensor with rank "
                                 f"{value.shape.ndims}.")
        total = tf.add_n(values, name=name)
        tf.add_to_collection(_COLLECTIONS.REGULARIZATION_LOSSES, total)
        return total


# ---- collections of outputs (1.15's contrib.layers.utils)


def append_tensor_alias(tensor, alias):
    """Return the tensor, which has one more name in collections, `tensor.aliases`."""
    tensor.aliases = [*getattr(tensor, "aliases", []), alias.rstrip("/")]
    return tensor


def get_tensor_aliases(tensor):
    """Return the names of a tensor in collections; the operation's name if it has none."""
    if hasattr(tensor, "aliases"):
        return tensor.aliases
    return [tensor.name[:-2] if tensor.name.endswith(":0") else tensor.name]


def gather_tensors_aliases(tensors):
    """Return the names of all tensors in collections."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def collect_named_outputs(collections, alias, outputs):
    """Return `outputs`, which joins the collections under this name."""
    if collections:
        append_tensor_alias(outputs, alias)
        tf.add_to_collections(collections, outputs)
    return outputs


def convert_collection_to_dict(collection, clear_collection=False):
    """Return {name: tensor} of a collection of outputs, in their order; `clear_collection` empties the collection."""
    outputs = collections.OrderedDict((alias, tensor) for tensor in tf.get_collection(collection)
                                      for alias in get_tensor_aliases(tensor))
    if clear_collection:
        tf.get_default_graph().clear_collection(collection)
    return outputs


def get_variable_collections(variables_collections, name):
    """Return the collections of the variables `name`, of a dictionary by names or of collections for all."""
    return variables_collections.get(name) if isinstance(variables_collections, dict) else variables_collections


def constant_value(value_or_tensor_or_var, dtype=None):
    """Return the value of a Python value or constant tensor; None for other tensors and variables."""
    if value_or_tensor_or_var is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not tf.is_tensor(value_or_tensor_or_var):
        return value_or_tensor_or_var
    return None if isinstance(value_or_tensor_or_var, tf.Variable) else tf.get_static_value(value_or_tensor_or_var)


def static_cond(pred, fn1, fn2):
    """Return fn1() if `pred` is true, otherwise fn2()."""
    return fn1() if pred else fn2()


def n_positive_integers(n, value):
    """Return an int, or a sequence of n ints, as a tuple of n ints.

    Raises:
        ValueError: the value is no positive int and no sequence of n positive ints.
    """
    values = (value,) * n if isinstance(value, int) else tuple(int(one) for one in value)
    if len(values) != n or any(one < 1 for one in values):
        raise ValueError(f"Expected {n} positive integers; got {value!r}")
    return values


def two_element_tuple(int_or_tuple):
    """Return an int, or two ints, as (height, width).

    Raises:
        ValueError: the value is none of these.
    """
    if isinstance(int_or_tuple, tf.TensorShape):
        int_or_tuple = int_or_tuple.as_list()
    if isinstance(int_or_tuple, int):
        return int(int_or_tuple), int(int_or_tuple)
    if not isinstance(int_or_tuple, (list, tuple)) or len(int_or_tuple) != 2:
        raise ValueError(f"Must be an int, or a list or tuple with 2 elements; got {int_or_tuple!r}")
    return int(int_or_tuple[0]), int(int_or_tuple[1])


def last_dimension(shape, min_rank=1):
    """Return the last size of a static shape.

    Raises:
        ValueError: the rank is below `min_rank`, or the size is unknown.
    """
    return _known_size(tf.TensorShape(shape), -1, min_rank)


def _known_size(shape, axis, min_rank=1):
    if shape.ndims is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.ndims < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.ndims}")
    size = shape.as_list()[axis]
    if size is None:
        raise ValueError(f"size of dimension {axis} must be known; the shape is {shape.as_list()}")
    return size


# ---- what layers have in common


def _model_variable_getter(names=None):
    """Return a getter for a variable scope: variables are model variables, their last name renamed."""
    def getter(getter, name, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True,
               collections=None, caching_device=None, partitioner=None, use_resource=None,
               synchronization=tf.VariableSynchronization.AUTO, aggregation=tf.VariableAggregation.NONE, **_):
        path, slash, last = name.rpartition("/")
        return model_variable(path + slash + (names or {}).get(last, last), shape=shape, dtype=dtype,
                              initializer=initializer, regularizer=regularizer, collections=collections,
                              trainable=trainable, caching_device=caching_device, partitioner=partitioner,
                              custom_getter=getter, use_resource=use_resource, synchronization=synchronization,
                              aggregation=aggregation)
    return getter


def _collect_variables(variables_collections, **named):
    """Add variables to the collections of their names; a variable that is None or a tuple of several is welcome."""
    for name, variables in named.items():
        chosen = get_variable_collections(variables_collections, name) or []
        for collection in [chosen] if isinstance(chosen, str) else chosen:
            for one in variables if isinstance(variables, (list, tuple)) else [variables]:
                if one is not None and not any(one is other for other in tf.get_collection(collection)):
                    tf.add_to_collection(collection, one)


def _finished(outputs, scope, activation_fn, outputs_collections, normalizer_fn=None, normalizer_params=None):
    """Return a layer's output after normalizer and activation, in its collections."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(outputs_collections, scope if isinstance(scope, str) else scope.name, outputs)


def _checked_data_format(data_format, allowed):
    """Return whether channels are first; raise ValueError for an unknown format."""
    if data_format not in allowed:
        raise ValueError(f"data_format has to be either {' or '.join(map(str, allowed))}; got {data_format!r}")
    return bool(data_format) and data_format.startswith("NC")


def _keras_format(channels_first):
    return "channels_first" if channels_first else "channels_last"


# ---- dense layers


@add_arg_scope
def fully_connected(inputs, num_outputs, activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
                    weights_initializer=xavier_initializer(), weights_regularizer=None,
                    biases_initializer=tf.zeros_initializer(), biases_regularizer=None, reuse=None,
                    variables_collections=None, outputs_collections=None, trainable=True, scope=None):
    """Return activation_fn(inputs . weights + biases), float[..., num_outputs]; default scope `fully_connected`.

    `weights` is float[channels, num_outputs]. Inputs of a rank above two are multiplied along their last dimension.

    Raises:
        ValueError: `num_outputs` is not an int, the rank is below two, or the number of channels is unknown.
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be int, got {type(num_outputs).__name__}: {num_outputs!r}.")
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse, custom_getter=_model_variable_getter(
            {"bias": "biases", "kernel": "weights"})) as sc:
        inputs = tf.convert_to_tensor(inputs)
        layer = tf.layers.Dense(
            num_outputs, use_bias=bool(not normalizer_fn and biases_initializer),
            kernel_initializer=weights_initializer, bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer, bias_regularizer=biases_regularizer, trainable=trainable,
            name=sc.name, dtype=inputs.dtype.base_dtype, _scope=sc, _reuse=reuse)
        outputs = layer.apply(inputs)
        _collect_variables(variables_collections, weights=layer.kernel, biases=layer.bias)
        return _finished(outputs, sc, activation_fn, outputs_collections, normalizer_fn, normalizer_params)


linear = functools.partial(fully_connected, activation_fn=None)
relu = functools.partial(fully_connected, activation_fn=tf.nn.relu)
relu6 = functools.partial(fully_connected, activation_fn=tf.nn.relu6)
elu = functools.partial(fully_connected, activation_fn=tf.nn.elu)


def legacy_fully_connected(x, num_output_units, activation_fn=None, weight_init=xavier_initializer(),
                           bias_init=tf.zeros_initializer(), name=None, weight_collections=(_COLLECTIONS.WEIGHTS,),
                           bias_collections=(_COLLECTIONS.BIASES,), output_collections=(_COLLECTIONS.ACTIVATIONS,),
                           trainable=True, weight_regularizer=None, bias_regularizer=None):
    """Return activation_fn(x . weights + bias), float[..., num_output_units], the form before 1.0.

    Args:
        x: float[..., channels].
        weight_collections, bias_collections, output_collections: collections beside GLOBAL_VARIABLES.

    Raises:
        ValueError: the rank of x is below two, or the number of channels is unknown.
    """
    with tf.variable_scope(name, "fully_connected", [x]):
        x = tf.convert_to_tensor(x)
        n_inputs = _known_size(x.shape, -1, 2)
        dtype = x.dtype.base_dtype
        weights = tf.get_variable("weights", [n_inputs, num_output_units], dtype, weight_init, weight_regularizer,
                                  trainable, [*weight_collections, _COLLECTIONS.GLOBAL_VARIABLES])
        flat = x if x.shape.ndims == 2 else tf.reshape(x, [-1, n_inputs])
        y = tf.matmul(flat, weights)
        if bias_init is not None:
            bias = tf.get_variable("bias", [num_output_units], dtype, bias_init, bias_regularizer, trainable,
                                   [*bias_collections, _COLLECTIONS.GLOBAL_VARIABLES])
            y = tf.nn.bias_add(y, bias)
        if x.shape.ndims != 2:
            y = tf.reshape(y, tf.concat([tf.shape(x)[:-1], [num_output_units]], 0))
            y.set_shape(x.shape[:-1].concatenate(num_output_units))
        if activation_fn is not None:
            y = activation_fn(y)
        tf.add_to_collections(list(output_collections), y)
        return y


legacy_linear = functools.partial(legacy_fully_connected, activation_fn=None)
legacy_relu = functools.partial(legacy_fully_connected, activation_fn=tf.nn.relu)

# ---- convolutions


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


# ---- pooling


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


# ---- dropout, biases, reshaping


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


# ---- normalization


def _assign_moving_average(variable, value, decay, zero_debias):
    """Return the operation that moves a variable towards a value: variable -= (variable - value) * (1 - decay).

    With zero_debias, the variable becomes the moving average divided by 1 - decay ** steps; two more variables hold
    the average and the number of steps (arXiv:1412.6980, section 3).
    """
    with tf.name_scope(None, "AssignMovingAvg", [variable, value, decay]) as scope:
        rate = tf.convert_to_tensor(1.0 - decay, dtype=variable.dtype.base_dtype, name="decay")
        if not zero_debias:
            return tf.assign_sub(variable, (variable - value) * rate, name=scope)
        with tf.variable_scope(variable.op.name, values=[variable, value, rate]):
            biased = tf.get_variable("biased", variable.shape, variable.dtype.base_dtype, tf.zeros_initializer(),
                                     trainable=False)
            step = tf.get_variable("local_step", [], variable.dtype.base_dtype, tf.zeros_initializer(),
                                   trainable=False)
        moved = tf.assign_sub(biased, (biased - value) * rate)
        stepped = tf.assign_add(step, 1)
        return tf.assign(variable, moved / (1 - tf.pow(1.0 - rate, stepped)), name=scope)


def _updated(updates_collections, is_training, moving, batch, decay, zero_debias, trained, otherwise):
    """Update the moving averages by the batch's mean and variance; return trained() or otherwise().

    Without collections, the updates run before the tensors that trained() gives. With collections, the updates join
    them, and what is returned does not wait for them.
    """
    def updates():
        return (_assign_moving_average(moving[0], batch[0], decay, zero_debias),
                _assign_moving_average(moving[1], batch[1], decay, False))

    def after_updates():
        with tf.control_dependencies(list(updates())):
            return tf.nest.map_structure(tf.identity, trained())

    if updates_collections is None:
        return smart_cond(is_training, after_updates, otherwise)
    for update in smart_cond(is_training, updates, lambda: tuple(moving)):
        tf.add_to_collections(updates_collections, update)
    return trained() if trained is otherwise else smart_cond(is_training, trained, otherwise)


@add_arg_scope
def batch_norm(inputs, decay=0.999, center=True, scale=False, epsilon=0.001, activation_fn=None,
               param_initializers=None, param_regularizers=None, updates_collections=_COLLECTIONS.UPDATE_OPS,
               is_training=True, reuse=None, variables_collections=None, outputs_collections=None, trainable=True,
               batch_weights=None, fused=None, data_format=DATA_FORMAT_NHWC, zero_debias_moving_mean=False, scope=None,
               renorm=False, renorm_clipping=None, renorm_decay=0.99, adjustment=None):
    """Return the inputs normalized over the batch, [...] as the inputs; default scope `BatchNorm`.

    Args:
        inputs: float[batch, ..., channels]; channels second with data_format "NCHW".
        decay: of the moving averages.
        center, scale: whether `beta` is added, whether `gamma` multiplies.
        epsilon: added to the variance.
        param_initializers: {"beta", "gamma", "moving_mean", "moving_variance": initializer}.
        param_regularizers: {"beta", "gamma": regularizer}.
        updates_collections: collections of the operations that update the moving averages; None to update them whenever
            the output is computed in training.
        is_training: bool or bool tensor: the batch's own mean and variance, or the moving averages.
        batch_weights: float[batch], weights of the examples in mean and variance; None for equal weights.
        fused: False to compute it by several operations, as ranks other than 2 and 4 and weights always do.
        zero_debias_moving_mean: whether the moving mean is corrected for its first value, by two more variables.
        renorm, renorm_clipping, renorm_decay: batch renormalization, arXiv:1702.03275.
        adjustment: function of the shape that gives (scale, bias) of the normalized values in training.

    Raises:
        ValueError: an unknown data_format, an unknown rank, or renorm with what it cannot go together with.

    Source: arXiv:1502.03167.
    """
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    inputs = tf.convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank")
    fused = batch_weights is None and not renorm and rank in (2, 4) and adjustment is None and fused is not False
    default_updates = updates_collections == _COLLECTIONS.UPDATE_OPS
    if fused and (zero_debias_moving_mean or rank == 2 or not default_updates):
        return _fused_batch_norm(
            inputs, decay, center, scale, epsilon, activation_fn, param_initializers or {}, param_regularizers or {},
            updates_collections, is_training, reuse, variables_collections, outputs_collections, trainable,
            channels_first, zero_debias_moving_mean, scope)
    initial, regular = param_initializers or {}, param_regularizers or {}
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=_model_variable_getter()) as sc:
        if batch_weights is None and default_updates and not zero_debias_moving_mean:
            layer = tf.layers.BatchNormalization(
                axis=1 if channels_first else -1, momentum=decay, epsilon=epsilon, center=center, scale=scale,
                beta_initializer=initial.get("beta", tf.zeros_initializer()),
                gamma_initializer=initial.get("gamma", tf.ones_initializer()),
                moving_mean_initializer=initial.get("moving_mean", tf.zeros_initializer()),
                moving_variance_initializer=initial.get("moving_variance", tf.ones_initializer()),
                beta_regularizer=regular.get("beta"), gamma_regularizer=regular.get("gamma"), trainable=trainable,
                renorm=renorm, renorm_clipping=renorm_clipping, renorm_momentum=renorm_decay, adjustment=adjustment,
                name=sc.name, _scope=sc, _reuse=reuse, fused=fused)
            outputs = layer.apply(inputs, training=is_training)  # the layer itself adds its updates to UPDATE_OPS
            _collect_variables(variables_collections, beta=layer.beta if center else None,
                               gamma=layer.gamma if scale else None, moving_mean=layer.moving_mean,
                               moving_variance=layer.moving_variance)
            return _finished(outputs, sc, activation_fn, outputs_collections)
        if renorm or adjustment is not None:
            raise ValueError("batch_norm: renorm and adjustment need the default updates_collections, no "
                             "batch_weights and no zero_debias_moving_mean")
        outputs = _unfused_batch_norm(inputs, decay, center, scale, epsilon, initial, regular, updates_collections,
                                      is_training, variables_collections, trainable, batch_weights, channels_first,
                                      zero_debias_moving_mean)
        return _finished(outputs, sc, activation_fn, outputs_collections)


def _norm_parameters(channels, dtype, center, scale, initializers, regularizers, variables_collections, trainable,
                     constants=False):
    """Return (beta, gamma), float[channels], each None or, with `constants`, a constant where it is not wanted."""
    pair = []
    for name, wanted, default, make in (("beta", center, tf.zeros_initializer(), 0.0),
                                        ("gamma", scale, tf.ones_initializer(), 1.0)):
        if wanted:
            pair.append(model_variable(
                name, shape=[channels], dtype=dtype, initializer=initializers.get(name, default),
                regularizer=regularizers.get(name), trainable=trainable,
                collections=get_variable_collections(variables_collections, name)))
        else:
            pair.append(tf.constant(make, dtype=dtype, shape=[channels]) if constants else None)
    return pair[0], pair[1]


def _moving_statistics(channels, dtype, initializers, variables_collections):
    """Return the variables (moving_mean, moving_variance), float[channels]."""
    return tuple(model_variable(  # type: ignore[return-value]
        name, shape=[channels], dtype=dtype, initializer=initializers.get(name, default), trainable=False,
        collections=get_variable_collections(variables_collections, name))
        for name, default in (("moving_mean", tf.zeros_initializer()), ("moving_variance", tf.ones_initializer())))


def _fused_batch_norm(inputs, decay, center, scale, epsilon, activation_fn, initializers, regularizers,
                      updates_collections, is_training, reuse, variables_collections, outputs_collections, trainable,
                      channels_first, zero_debias, scope):
    """Return batch_norm by the fused operation, with updates in any collection."""
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as sc:
        original, dtype = inputs, inputs.dtype.base_dtype
        channels = _known_size(inputs.shape, 1 if channels_first else -1)
        if inputs.shape.ndims == 2:
            inputs = tf.reshape(inputs, [-1, channels, 1, 1] if channels_first else [-1, 1, 1, channels])
        beta, gamma = _norm_parameters(channels, dtype, center, scale, initializers, regularizers,
                                       variables_collections, trainable, constants=True)
        moving = _moving_statistics(channels, dtype, initializers, variables_collections)
        data_format = DATA_FORMAT_NCHW if channels_first else DATA_FORMAT_NHWC

        def of_batch():
            return tf.nn.fused_batch_norm(inputs, gamma, beta, epsilon=epsilon, data_format=data_format)

        def of_moving_averages():
            return tf.nn.fused_batch_norm(inputs, gamma, beta, mean=moving[0], variance=moving[1], epsilon=epsilon,
                                          is_training=False, data_format=data_format)

        normalized, *batch = smart_cond(is_training, of_batch, of_moving_averages)
        outputs = normalized
        if smart_constant_value(is_training) is not False:
            keep = lambda: normalized  # noqa: E731
            outputs = _updated(updates_collections, is_training, moving, batch, decay, zero_debias, keep, keep)
        if original.shape.ndims == 2:
            outputs = tf.reshape(outputs, tf.shape(original))
        outputs.set_shape(original.shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


def _unfused_batch_norm(inputs, decay, center, scale, epsilon, initializers, regularizers, updates_collections,
                        is_training, variables_collections, trainable, batch_weights, channels_first, zero_debias):
    """Return batch_norm by several operations, with weights of the examples or updates in any collection."""
    shape, dtype = inputs.shape, inputs.dtype.base_dtype
    if batch_weights is not None:
        batch_weights = tf.reshape(tf.convert_to_tensor(batch_weights), [-1] + [1] * (shape.ndims - 1))
    axis = 1 if channels_first else shape.ndims - 1
    channels = _known_size(shape, axis)
    beta, gamma = _norm_parameters(channels, dtype, center, scale, initializers, regularizers, variables_collections,
                                   trainable)
    moving = _moving_statistics(channels, dtype, initializers, variables_collections)
    mean, variance = moving
    if smart_constant_value(is_training) is not False:
        axes = [one for one in range(shape.ndims) if one != axis]
        if batch_weights is None:
            batch = tf.nn.moments(inputs, axes, keep_dims=channels_first)
        else:
            batch = tf.nn.weighted_moments(inputs, axes, batch_weights, keep_dims=channels_first)
        if channels_first:
            batch = tuple(tf.reshape(one, [-1]) for one in batch)
        mean, variance = _updated(updates_collections, is_training, moving, batch, decay, zero_debias,
                                  lambda: batch, lambda: moving)
    if channels_first:
        broadcast = [1, channels] + [1] * (shape.ndims - 2)
        mean, variance, beta, gamma = (None if one is None else tf.reshape(one, broadcast)
                                       for one in (mean, variance, beta, gamma))
    with tf.name_scope("batchnorm"):  # 1.15 enters this scope before, so that the next one is batchnorm_1
        pass
    outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
    outputs.set_shape(shape)
    return outputs


@add_arg_scope
def layer_norm(inputs, center=True, scale=True, activation_fn=None, reuse=None, variables_collections=None,
               outputs_collections=None, trainable=True, begin_norm_axis=1, begin_params_axis=-1, scope=None):
    """Return the inputs normalized over the dimensions from begin_norm_axis on; default scope `LayerNorm`.

    Args:
        center, scale: whether `beta` is added, whether `gamma` multiplies.
        begin_params_axis: both have the sizes from this dimension on.

    Raises:
        ValueError: the rank is unknown or not above the axes, or a size of the parameters is unknown.

    Source: arXiv:1607.06450. Epsilon is 1e-12, or 1e-3 for float16.
    """
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as sc:
        inputs = tf.convert_to_tensor(inputs)
        shape, rank, dtype = inputs.shape, inputs.shape.ndims, inputs.dtype.base_dtype
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        first = begin_norm_axis + rank if begin_norm_axis < 0 else begin_norm_axis
        if begin_params_axis >= rank or first >= rank:
            raise ValueError(f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({first}) must be < "
                             f"rank(inputs) ({rank})")
        sizes = shape[begin_params_axis:]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: {shape}")
        beta, gamma = (model_variable(name, shape=sizes, dtype=dtype, initializer=initializer, trainable=trainable,
                                      collections=get_variable_collections(variables_collections, name))
                       if wanted else None
                       for name, wanted, initializer in (("beta", center, tf.zeros_initializer()),
                                                         ("gamma", scale, tf.ones_initializer())))
        mean, variance = tf.nn.moments(inputs, list(range(first, rank)), keep_dims=True)
        epsilon = 1e-3 if dtype == tf.float16 else 1e-12
        outputs = tf.nn.batch_normalization(inputs, mean, variance, offset=beta, scale=gamma,
                                            variance_epsilon=epsilon)
        outputs.set_shape(shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


@add_arg_scope
def instance_norm(inputs, center=True, scale=True, epsilon=1e-06, activation_fn=None, param_initializers=None,
                  reuse=None, variables_collections=None, outputs_collections=None, trainable=True,
                  data_format=DATA_FORMAT_NHWC, scope=None):
    """Return each channel of each example normalized over its pixels; default scope `InstanceNorm`.

    Args:
        inputs: float[batch, ..., channels]; channels second with data_format "NCHW".
        center, scale: whether `beta` is added, whether `gamma` multiplies, float[channels].
        param_initializers: {"beta", "gamma": initializer}.

    Raises:
        ValueError: an unknown data_format, an unknown rank, or an unknown number of channels.

    Source: arXiv:1607.08022.
    """
    inputs = tf.convert_to_tensor(inputs)
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    with tf.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as sc:
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        axis = 1 if channels_first else rank - 1
        channels = _known_size(inputs.shape, axis)
        beta, gamma = _norm_parameters(channels, inputs.dtype.base_dtype, center, scale, param_initializers or {}, {},
                                       variables_collections, trainable)
        if channels_first:
            broadcast = [1, channels] + [1] * (rank - 2)
            beta, gamma = (None if one is None else tf.reshape(one, broadcast) for one in (beta, gamma))
        mean, variance = tf.nn.moments(inputs, [one for one in range(1, rank) if one != axis], keep_dims=True)
        with tf.name_scope("instancenorm"):
            factor = tf.rsqrt(variance + epsilon)
            if gamma is not None:
                factor *= gamma
            outputs = inputs * factor + (beta - mean * factor if beta is not None else -mean * factor)
        outputs.set_shape(inputs.shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


@add_arg_scope
def group_norm(inputs, groups=32, channels_axis=-1, reduction_axes=(-3, -2), center=True, scale=True, epsilon=1e-06,
               activation_fn=None, param_initializers=None, reuse=None, variables_collections=None,
               outputs_collections=None, trainable=True, scope=None, mean_close_to_zero=False):
    """Return groups of channels normalized over their channels and `reduction_axes`; default scope `GroupNorm`.

    Args:
        inputs: float[batch, ..., channels].
        groups: number of groups; the number of channels is a multiple.
        channels_axis: the dimension of the channels.
        reduction_axes: further dimensions to normalize over, usually height and width.
        center, scale: whether `beta` is added, whether `gamma` multiplies, float[channels].
        mean_close_to_zero: whether mean and variance may be computed in one pass, which is exact enough near zero.

    Raises:
        ValueError: unknown rank or channels, channels that are no multiple of `groups`, or axes that overlap.

    Source: arXiv:1803.08494.
    """
    inputs = tf.convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    axis = channels_axis % rank
    reduced = [one % rank for one in reduction_axes]
    channels = inputs.shape.as_list()[axis]
    if axis in reduced:
        raise ValueError(f"group_norm: channels_axis {channels_axis} is also in reduction_axes {reduction_axes}")
    if channels is None or channels % groups:
        raise ValueError(f"group_norm: {channels} channels are no multiple of {groups} groups")
    sizes = inputs.shape.as_list()
    if None in sizes:
        dynamic = tf.shape(inputs)
        sizes = [dynamic[position] if size is None else size for position, size in enumerate(sizes)]
    grouped = tf.reshape(inputs, [*sizes[:axis], groups, channels // groups, *sizes[axis + 1:]])
    # one more dimension: those behind the channels are one further
    axes = [one + (one > axis) for one in reduced] + [axis + 1]
    broadcast = [1] * (rank + 1)
    broadcast[axis], broadcast[axis + 1] = groups, channels // groups
    with tf.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as sc:
        beta, gamma = (tf.reshape(model_variable(
            name, shape=[channels], dtype=inputs.dtype.base_dtype,
            initializer=(param_initializers or {}).get(name, initializer), trainable=trainable,
            collections=get_variable_collections(variables_collections, name)), broadcast) if wanted else None
            for name, wanted, initializer in (("beta", center, tf.zeros_initializer()),
                                              ("gamma", scale, tf.ones_initializer())))
        if mean_close_to_zero:
            n, total, squares, _ = tf.nn.sufficient_statistics(grouped, axes, keep_dims=True)
            mean, variance = tf.nn.normalize_moments(n, total, squares, shift=None)
        else:
            mean, variance = tf.nn.moments(grouped, axes, keep_dims=True)
        factor = tf.rsqrt(variance + epsilon)
        offset = -mean * factor
        if gamma is not None:
            factor, offset = factor * gamma, offset * gamma
        if beta is not None:
            offset += beta
        outputs = tf.reshape(grouped * factor + offset, sizes)
        outputs.set_shape(inputs.shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


# ---- embeddings


def embedding_lookup_unique(params, ids, partition_strategy="mod", name=None):
    """Return rows of a table, [..., width]; a row that is wanted several times is looked up once.

    Args:
        params: float[rows, width], or a list of tensors among which the rows are distributed.
        ids: int[...].
        partition_strategy: "mod" or "div", how the rows are distributed.
    """
    with tf.name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = tf.convert_to_tensor(ids)
        shape = tf.shape(ids)
        unique, positions = tf.unique(tf.reshape(ids, tf.reduce_prod(shape, keepdims=True)))
        rows = tf.nn.embedding_lookup(params, unique, partition_strategy)
        embeds = tf.reshape(tf.gather(rows, positions), tf.concat([shape, tf.shape(rows)[1:]], 0))
        embeds.set_shape(ids.shape.concatenate(rows.shape[1:]))
        return embeds


def safe_embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights=None, combiner=None, default_id=None,
                                 name=None, partition_strategy="div", max_norm=None):
    """Return for each example the combined rows of its ids, float[..., width]; negative ids are left out.

    Args:
        embedding_weights: float[rows, width], or a list of its parts.
        sparse_ids, sparse_weights: SparseTensor int64[..., ids] and float[..., ids].
        combiner: "mean", "sqrtn" or "sum"; None for "mean".
        default_id: id of an example without any; None for zeros.
        max_norm: length above which a row is shortened.
    """
    outputs = tf.nn.safe_embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights, combiner or "mean",
                                                 default_id, name, partition_strategy, max_norm)
    if sparse_weights is None and max_norm is None:
        _seeds.shift(5)  # 1.15 gathered the rows before it combined them
    return outputs


def embed_sequence(ids, vocab_size=None, embed_dim=None, unique=False, initializer=None, regularizer=None,
                   trainable=True, scope=None, reuse=None):
    """Return the rows `ids` of a new table `embeddings`, float32[batch, length, embed_dim]; scope `EmbedSequence`.

    Args:
        ids: int[batch, length].
        vocab_size, embed_dim: shape of the table; both may be None if `reuse` is true.
        unique: whether a row that is wanted several times is looked up once.
        initializer: None for the variable scope's, as a rule Glorot's.

    Raises:
        ValueError: the shape is missing and nothing is reused.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError("Must specify vocab size and embedding dimension when not reusing. "
                         f"Got vocab_size={vocab_size} and embed_dim={embed_dim}")
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim]
        if reuse and vocab_size is None or embed_dim is None:
            shape = None  # type: ignore[assignment]
        embeddings = model_variable("embeddings", shape=shape, initializer=initializer, regularizer=regularizer,
                                    trainable=trainable)
        return (embedding_lookup_unique if unique else tf.nn.embedding_lookup)(embeddings, ids)


def bow_encoder(ids, vocab_size, embed_dim, sparse_lookup=True, initializer=None, regularizer=None, trainable=True,
                scope=None, reuse=None):
    """Return the mean of the rows `ids` of a new table `embeddings`, float32[batch, embed_dim]; scope `bow_encoder`.

    Args:
        ids: int32 or int64[batch, length], or such a SparseTensor.
        sparse_lookup: whether zeros of dense ids count as padding.
    """
    with tf.variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        embeddings = model_variable("embeddings", shape=[vocab_size, embed_dim], initializer=initializer,
                                    regularizer=regularizer, trainable=trainable)
        if isinstance(ids, tf.SparseTensor):
            return safe_embedding_lookup_sparse([embeddings], ids, combiner="mean", default_id=0)
        if not sparse_lookup:
            return tf.reduce_mean(tf.nn.embedding_lookup(embeddings, ids), 1)
        with tf.name_scope("DenseToSparseTensor", values=[ids]):
            padding = tf.cast(0, ids.dtype, name="ignore_value")
            indices = tf.where(tf.not_equal(ids, padding), name="indices")
            sparse = tf.SparseTensor(indices, tf.gather_nd(ids, indices, name="values"),
                                     tf.shape(ids, out_type=tf.int64, name="dense_shape"))
        return safe_embedding_lookup_sparse([embeddings], sparse, combiner="mean", default_id=0)


# ---- layers of layers


def repeat(inputs, repetitions, layer, *args, **kwargs):
    """Return a layer applied several times, each time to the output before: `<scope>/<scope>_1`, `<scope>_2`, ...

    Args:
        layer: function of a tensor and `args`, `kwargs`; it needs an argument `scope`.
        kwargs: `scope` is the name of the whole; without it, the layer's name, or `stack`.

    Raises:
        ValueError: `repetitions` is negative.
    """
    if repetitions < 0:
        raise ValueError(f"repetitions must be positive: {repetitions}")
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Repeat", [inputs]):
        outputs = tf.convert_to_tensor(inputs)
        if scope is None:
            scope = getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", "repeat")
        for step in range(repetitions):
            outputs = layer(outputs, *args, **kwargs, scope=f"{scope}_{step + 1}")
        return outputs


def stack(inputs, layer, stack_args, **kwargs):
    """Return a layer applied once for each element of stack_args: `<scope>/<scope>_1`, `<scope>_2`, ...

    Args:
        layer: function of a tensor and the arguments; it needs an argument `scope`.
        stack_args: list or tuple; each element is the layer's next argument, or a list or tuple of several.
        kwargs: further arguments of each; `scope` is the name of the whole.

    Raises:
        ValueError: `stack_args` is no list or tuple.
    """
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError(f"stack_args need to be a list or tuple; got {stack_args!r}")
    with tf.variable_scope(scope, "Stack", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        if scope is None:
            scope = getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", "stack")
        for step, arguments in enumerate(stack_args):
            arguments = arguments if isinstance(arguments, (list, tuple)) else [arguments]
            inputs = layer(inputs, *arguments, **kwargs, scope=f"{scope}_{step + 1}")
        return inputs


# ---- summaries


def summarize_tensor(tensor, tag=None):
    """Return the summary of a tensor: its value if it is a scalar, its histogram otherwise; None if not numeric.

    Args:
        tag: name; None for that of the tensor, for a histogram with `_summary`.
    """
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_complex):
        return None
    if tensor.shape.ndims == 0:
        return tf.summary.scalar(tag or f"{tensor.op.name}_summary", tensor)
    return tf.summary.histogram(tag or f"{tensor.op.name}_summary", tensor)


def summarize_activation(op):
    """Return the histogram of a layer's output, and record how many values a Relu, Softplus or Relu6 made zero."""
    def share(values):
        return tf.reduce_mean(tf.cast(values, tf.float32, name="ToFloat"))

    if op.op.type in ("Relu", "Softplus", "Relu6"):
        tf.summary.scalar(f"{op.op.name}/zeros", share(tf.less(op.op.inputs[0], tf.cast(0.0, op.op.inputs[0].dtype))))
    if op.op.type == "Relu6":
        tf.summary.scalar(f"{op.op.name}/sixes",
                          share(tf.greater(op.op.inputs[0], tf.cast(6.0, op.op.inputs[0].dtype))))
    return tf.summary.histogram(f"{op.op.name}/activation", op)


def summarize_tensors(tensors, summarizer=summarize_tensor):
    """Return the summaries of several tensors."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(collection, name_filter=None, summarizer=summarize_tensor):
    """Return the summaries of a collection's tensors whose names begin as `name_filter`, a regular expression."""
    return summarize_tensors([one for one in tf.get_collection(collection)
                              if name_filter is None or re.match(name_filter, one.op.name)], summarizer)


summarize_variables = functools.partial(summarize_collection, _COLLECTIONS.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, _COLLECTIONS.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, _COLLECTIONS.BIASES)


def summarize_activations(name_filter=None, summarizer=summarize_activation):
    """Return the summaries of the collection ACTIVATIONS, see summarize_collection."""
    return summarize_collection(_COLLECTIONS.ACTIVATIONS, name_filter, summarizer)


# ---- optimize_loss

OPTIMIZER_CLS_NAMES: Dict[str, Callable] = {
    "Adagrad": tf.train.AdagradOptimizer, "Adam": tf.train.AdamOptimizer, "Ftrl": tf.train.FtrlOptimizer,
    "Momentum": lambda learning_rate: tf.train.MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": tf.train.RMSPropOptimizer, "SGD": tf.train.GradientDescentOptimizer}
OPTIMIZER_SUMMARIES = ["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"]


def optimize_loss(loss, global_step, learning_rate, optimizer, gradient_noise_scale=None, gradient_multipliers=None,
                  clip_gradients=None, learning_rate_decay_fn=None, update_ops=None, variables=None, name=None,
                  summaries=None, colocate_gradients_with_ops=False, increment_global_step=True):
    """Return the loss, float[]; computing it also makes one step of training.

    Args:
        loss: float[].
        global_step: int[] variable; None for the graph's, or no step.
        learning_rate: float or float[]; None for an optimizer with a rate of its own.
        optimizer: a name of OPTIMIZER_CLS_NAMES, a class, a function of the learning rate, or an optimizer.
        gradient_noise_scale: standard deviation of normal noise added to the gradients.
        gradient_multipliers: {variable or its name: number}.
        clip_gradients: global norm to clip to, or a function of [(gradient, variable)].
        learning_rate_decay_fn: function of (learning rate, global step).
        update_ops: operations that run before the loss; None for the collection UPDATE_OPS.
        variables: variables to train; None for TRAINABLE_VARIABLES.
        name: of the scope; None for `OptimizeLoss`.
        summaries: names of OPTIMIZER_SUMMARIES; None for learning_rate, loss and global_gradient_norm.
        colocate_gradients_with_ops: whether gradients stand on the devices of their operations.
        increment_global_step: whether the step grows by one.

    Raises:
        ValueError: an unknown optimizer or summary, a missing or wrong learning rate, no gradient at all.
    """
    loss = tf.convert_to_tensor(loss)
    if loss.shape.ndims not in (0, None):
        raise ValueError(f"loss must be a scalar; got shape {loss.shape}")
    global_step = tf.train.get_global_step() if global_step is None else global_step
    if global_step is not None:
        tf.train.assert_global_step(global_step)
    with tf.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        updates = set(tf.get_collection(_COLLECTIONS.UPDATE_OPS) if update_ops is None else update_ops)
        if updates:
            loss = _after(list(updates), loss)
        rate = None
        if learning_rate is not None:
            if tf.is_tensor(learning_rate) and learning_rate.shape.ndims == 0:
                rate = learning_rate
            elif isinstance(learning_rate, float):
                if learning_rate < 0.0:
                    raise ValueError(f"Invalid learning_rate {learning_rate}.")
                rate = tf.get_variable("learning_rate", [], trainable=False,
                                       initializer=tf.constant_initializer(learning_rate))
            else:
                raise ValueError("Learning rate should be 0d Tensor or float. "
                                 f"Got {learning_rate!r} of type {type(learning_rate).__name__}")
        wanted = ["loss", "learning_rate", "global_gradient_norm"] if summaries is None else summaries
        for one in wanted:
            if one not in OPTIMIZER_SUMMARIES:
                raise ValueError(f"Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided {one}.")
        if learning_rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in wanted:
                tf.summary.scalar("learning_rate", rate)
        chosen = _optimizer(optimizer, learning_rate, rate)
        pairs = chosen.compute_gradients(loss, tf.trainable_variables() if variables is None else variables,
                                         colocate_gradients_with_ops=colocate_gradients_with_ops)
        if gradient_noise_scale is not None:
            pairs = _with_noise(pairs, gradient_noise_scale)
        if gradient_multipliers is not None:
            pairs = _multiplied(pairs, gradient_multipliers)
            if not pairs:
                raise ValueError("Empty list of (gradient, var) pairs encountered. This is most likely to be caused by "
                                 "an improper value of gradient_multipliers.")
        norms = "global_gradient_norm" in wanted or "gradient_norm" in wanted
        if norms:
            tf.summary.scalar("global_norm/gradient_norm", tf.linalg.global_norm([one for one, _ in pairs]))
        if isinstance(clip_gradients, float):
            clipped, _ = tf.clip_by_global_norm([one for one, _ in pairs], clip_gradients)
            pairs = list(zip(clipped, [one for _, one in pairs]))
        elif callable(clip_gradients):
            pairs = clip_gradients(pairs)
        elif clip_gradients is not None:
            raise ValueError(f"Unknown type {type(clip_gradients).__name__} for clip_gradients")
        if "loss" in wanted:
            tf.summary.scalar("loss", loss)
        for gradient, variable in pairs:
            values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
            if values is not None:
                label = variable.name.replace(":", "_")
                if "gradients" in wanted:
                    tf.summary.histogram(f"gradients/{label}", values)
                if "gradient_norm" in wanted:
                    tf.summary.scalar(f"gradient_norm/{label}", tf.linalg.global_norm([values]))
        if clip_gradients is not None and norms:
            tf.summary.scalar("global_norm/clipped_gradient_norm", tf.linalg.global_norm([one for one, _ in pairs]))
        step = chosen.apply_gradients(pairs, global_step=global_step if increment_global_step else None, name="train")
        return _after([step], loss)


def _after(operations, tensor):
    """Return the tensor, computed after the operations."""
    with tf.name_scope("control_dependency") as scope:
        with tf.control_dependencies(operations):
            return tf.identity(tensor, name=scope)


def _optimizer(optimizer, learning_rate, rate):
    """Return the optimizer that optimize_loss was given in one of five forms."""
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZER_CLS_NAMES:
            raise ValueError(f"Optimizer name should be one of [{', '.join(OPTIMIZER_CLS_NAMES)}], "
                             f"you provided {optimizer}.")
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is string ({optimizer}).")
        return OPTIMIZER_CLS_NAMES[optimizer](learning_rate=rate)
    if isinstance(optimizer, type) and issubclass(optimizer, tf.train.Optimizer):
        if rate is None:
            raise ValueError(f"Learning rate is None, but should be specified if optimizer is class ({optimizer}).")
        return optimizer(learning_rate=rate)
    if isinstance(optimizer, tf.train.Optimizer):
        return optimizer
    if not callable(optimizer):
        raise ValueError("Unrecognized optimizer: expected a name, a class, an optimizer or a function of the "
                         f"learning rate; got {optimizer!r}")
    made = optimizer() if learning_rate is None else optimizer(rate)
    if not isinstance(made, tf.train.Optimizer):
        raise ValueError(f"Unrecognized optimizer: function should return a tf.train.Optimizer; got {made!r}.")
    return made


def _with_noise(pairs, scale):
    """Return [(gradient, variable)] with normal noise added to the gradients."""
    noisy: List[Any] = []
    for gradient, _ in pairs:
        if gradient is None:
            noisy.append(None)
            continue
        shape = gradient.dense_shape if isinstance(gradient, tf.IndexedSlices) else gradient.shape
        noisy.append(gradient + tf.truncated_normal(shape) * scale)
    return list(zip(noisy, [variable for _, variable in pairs]))


def _multiplied(pairs, multipliers):
    """Return [(gradient, variable)] with the gradients of some variables multiplied."""
    products = []
    named = {getattr(key, "name", key): value for key, value in multipliers.items()}
    for gradient, variable in pairs:
        if gradient is not None and variable.name in named:
            factor = tf.constant(named[variable.name], dtype=tf.float32)
            if isinstance(gradient, tf.IndexedSlices):
                gradient = tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
            else:
                gradient = gradient * tf.cast(factor, gradient.dtype)
        products.append((gradient, variable))
    return products


# ---- 1.15's other names of the same functions

conv1d, conv2d, conv3d = convolution1d, convolution2d, convolution3d
conv2d_transpose, conv3d_transpose = convolution2d_transpose, convolution3d_transpose
conv2d_in_plane, separable_conv2d = convolution2d_in_plane, separable_convolution2d

_INNER = ("layers", "initializers", "regularizers", "optimizers", "utils", "summaries", "embedding_ops", "encoders",
          "normalization", "ops")
_COLUMNS = "its feature columns fed contrib.learn's estimators; tf.feature_column has the same columns for tf.keras"
_REFUSED = dict.fromkeys((
    "bucketized_column", "check_feature_columns", "create_feature_spec_for_parsing", "crossed_column",
    "embedding_column", "infer_real_valued_columns", "input_from_feature_columns", "one_hot_column",
    "joint_weighted_sum_from_feature_columns", "make_place_holder_tensors_for_base_features", "multi_class_target",
    "parse_feature_columns_from_examples", "parse_feature_columns_from_sequence_examples", "real_valued_column",
    "regression_target", "scattered_embedding_column", "sequence_input_from_feature_columns", "feature_column",
    "shared_embedding_columns", "sparse_column_with_hash_bucket", "sparse_column_with_integerized_feature",
    "sparse_column_with_keys", "sparse_column_with_vocabulary_file", "transform_features", "weighted_sparse_column",
    "weighted_sum_from_feature_columns"), _COLUMNS)
_REFUSED.update(GDN="pip install tensorflow-compression has the layer", gdn="pip install tensorflow-compression has it",
                RevBlock="write the reversible block with tf.custom_gradient",
                rev_block="write the reversible block with tf.custom_gradient",
                recompute_grad="tf.recompute_grad does the same")
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)
