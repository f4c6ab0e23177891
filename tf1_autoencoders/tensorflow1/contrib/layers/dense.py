"""Dense layers, and layers applied several times."""
from __future__ import annotations

import functools

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.framework import (
    add_arg_scope,
)
from tf1_autoencoders.tensorflow1.contrib.layers.common import (
    _collect_variables,
    _finished,
    _known_size,
    _model_variable_getter,
)
from tf1_autoencoders.tensorflow1.contrib.layers.initial_values import xavier_initializer


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
                           bias_init=tf.zeros_initializer(), name=None, weight_collections=(tf.GraphKeys.WEIGHTS,),
                           bias_collections=(tf.GraphKeys.BIASES,), output_collections=(tf.GraphKeys.ACTIVATIONS,),
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
                                  trainable, [*weight_collections, tf.GraphKeys.GLOBAL_VARIABLES])
        flat = x if x.shape.ndims == 2 else tf.reshape(x, [-1, n_inputs])
        y = tf.matmul(flat, weights)
        if bias_init is not None:
            bias = tf.get_variable("bias", [num_output_units], dtype, bias_init, bias_regularizer, trainable,
                                   [*bias_collections, tf.GraphKeys.GLOBAL_VARIABLES])
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
