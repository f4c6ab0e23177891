"""Small functions of tensors: checks of shapes and types, conditions, Python functions."""
from __future__ import annotations

import functools
import types
import warnings

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds

argsort, sort = tf.argsort, tf.sort
is_tensor = tf.is_tensor
TensorSpec = tf.TensorSpec
convert_to_tensor_or_sparse_tensor = tf.convert_to_tensor_or_sparse_tensor
nest = types.SimpleNamespace(**{name: getattr(tf.nest, name) for name in dir(tf.nest) if not name.startswith("_")},
                             is_sequence=tf.nest.is_nested)


def smart_constant_value(pred):
    """Return the value of a Python bool (or 0, 1) or constant bool tensor; None if it is known in a session only.

    Raises:
        TypeError: `pred` is neither.
    """
    if isinstance(pred, (bool, np.bool_)) or (isinstance(pred, int) and pred in (0, 1)):
        return bool(pred)
    if not tf.is_tensor(pred):
        raise TypeError(f"expected a bool, 0, 1 or a bool tensor; got {pred!r}")
    value = tf.get_static_value(pred)
    return None if value is None else bool(value)


def smart_cond(pred, true_fn=None, false_fn=None, name=None):
    """Return true_fn() or false_fn(), with tf.cond only if the value of `pred` is known in a session only.

    Raises:
        TypeError: `true_fn` or `false_fn` is not callable.
    """
    for what, function in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(function):
            raise TypeError(f"{what} must be callable; got {function!r}")
    value = smart_constant_value(pred)
    return tf.cond(pred, true_fn=true_fn, false_fn=false_fn, name=name) if value is None \
        else (true_fn if value else false_fn)()


def assert_same_float_dtype(tensors=None, dtype=None):
    """Return the one floating-point type of the tensors (float32 without any tensor and type).

    Raises:
        ValueError: the types differ or are not floating-point.
    """
    return tf.debugging.assert_same_float_dtype(tensors, dtype)


def assert_scalar(tensor, name=None, message=None):
    """Return the tensor [] after a check of its static rank."""
    return tf.debugging.assert_scalar(tensor, name=name, message=message)


def assert_scalar_int(tensor, name=None):
    """Return the integer tensor [] after a check of its type and static rank."""
    with tf.name_scope(name, "assert_scalar_int", [tensor]) as scope:
        tensor = tf.convert_to_tensor(tensor)
        if not tensor.dtype.is_integer:
            raise ValueError(f"Expected integer type for {tensor.name}, received type: {tensor.dtype.name}.")
        return tf.debugging.assert_scalar(tensor, name=scope)


def remove_squeezable_dimensions(predictions, labels, name=None):
    """Return predictions and labels; of the two, the one with one more dimension, a last one of size 1, loses it."""
    with tf.name_scope(name, "remove_squeezable_dimensions", [labels, predictions]):
        predictions, labels = tf.convert_to_tensor(predictions), tf.convert_to_tensor(labels)
        difference = (predictions.shape.ndims or 0) - (labels.shape.ndims or 0)
        if difference == 1:
            predictions = tf.squeeze(predictions, [-1])
        elif difference == -1:
            labels = tf.squeeze(labels, [-1])
        return predictions, labels


def reduce_sum_n(tensors, name=None):
    """Return the sum [] of all elements of all tensors.

    Raises:
        ValueError: `tensors` is empty.
    """
    if not tensors:
        raise ValueError("No tensors provided.")
    with tf.name_scope(name, "reduce_sum_n", tensors) as scope:
        sums = [tf.reduce_sum(tensor, name=f"{tensor.op.name}/sum") if tensor.shape.ndims != 0 else tensor
                for tensor in tensors]
        return sums[0] if len(sums) == 1 else tf.add_n(sums, name=scope)


def with_same_shape(expected_tensor, tensor):
    """Return `tensor`, checked to have the shape of `expected_tensor`, see with_shape."""
    with tf.name_scope(f"{tensor.op.name}/", values=[expected_tensor, tensor]):
        expected = expected_tensor.shape
        if expected.is_fully_defined():
            return with_shape(expected.as_list(), tensor)
        return with_shape(tf.shape(expected_tensor, name="expected_shape"), tensor)


def with_shape(expected_shape, tensor):
    """Return `tensor`, with a check of its shape: now as far as it is known, and in the session otherwise.

    Args:
        expected_shape: list of sizes or int tensor [rank].
        tensor: tensor.

    Raises:
        ValueError: the known shape differs.
    """
    with tf.name_scope(f"{tensor.op.name}/", values=[tensor]):
        known = tf.get_static_value(expected_shape) if tf.is_tensor(expected_shape) else expected_shape
        if known is not None:
            shape = tf.TensorShape([None if size in (None, -1) else int(size) for size in known])
            if not tensor.shape.is_compatible_with(shape):
                raise ValueError(f"Invalid shape for {tensor.name}: expected {shape.as_list()}, "
                                 f"got {tensor.shape.as_list()}.")
            if tensor.shape.is_fully_defined():
                return tensor
        expected = _seeds.count() + (15 if tf.is_tensor(expected_shape) else 20)  # what 1.15's checks took
        with tf.control_dependencies([tf.assert_equal(tf.shape(tensor), expected_shape,
                                                      message=f"{tensor.name} has another shape than expected")]):
            checked = tf.identity(tensor)
        _seeds.shift(expected - _seeds.count())
        if known is not None:
            checked.set_shape(shape)
        return checked


def get_graph_from_inputs(op_input_list, graph=None):
    """Return the graph of the inputs; the given or the default graph if they have none."""
    graphs = [one.graph for one in op_input_list or [] if hasattr(one, "graph")]
    return graph or (graphs[0] if graphs else tf.get_default_graph())


def get_name_scope():
    """Return the current name scope."""
    return tf.get_default_graph().get_name_scope()


def get_placeholders(graph):
    """Return the outputs of a graph's placeholders."""
    return [one.outputs[0] for one in graph.get_operations() if one.type == "Placeholder"]


def py_func(func, args=(), kwargs=None, output_types=None, output_shapes=None, stateful=True, name=None):
    """Return what a Python function computes from the values of tensors, as tensors.

    Args:
        func: function of arrays.
        args, kwargs: nested tensors, given to the function as nested arrays.
        output_types: nested types of what the function returns.
        output_shapes: nested shapes, or None.
        stateful: whether the function must run each time.
    """
    kwargs = dict(kwargs or {})
    flat_types = tf.nest.flatten(output_types)

    def function(*flat):
        positional, named = tf.nest.pack_sequence_as((tuple(args), kwargs), flat)
        return [np.asarray(value, dtype.as_numpy_dtype)
                for value, dtype in zip(tf.nest.flatten(func(*positional, **named)), flat_types)]

    flat = tf.py_func(function, tf.nest.flatten((tuple(args), kwargs)), flat_types, stateful, name)
    if output_shapes is not None:
        for tensor, shape in zip(flat, output_shapes if isinstance(output_shapes, (list, tuple)) else [output_shapes]):
            tensor.set_shape(shape)
    return tf.nest.pack_sequence_as(output_types, flat)


def deprecated(date, instructions, warn_once=True):
    """Return a decorator: the function warns at its first call that it is deprecated."""
    def decorate(function):
        @functools.wraps(function)
        def warning(*args, **kwargs):
            warnings.warn(f"{function.__name__} is deprecated and will be removed "
                          f"{'in a future version' if date is None else f'after {date}'}: {instructions}",
                          DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)
        return warning
    return decorate


def deprecated_args(date, instructions, *names, **kwargs):
    """Return a decorator that marks arguments as deprecated; the function is unchanged."""
    return lambda function: function


def deprecated_arg_values(date, instructions, warn_once=True, **values):
    """Return a decorator that marks values of arguments as deprecated; the function is unchanged."""
    return lambda function: function
