"""What layers have in common: collections of variables and outputs, checks of arguments."""
from __future__ import annotations

import collections

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.framework import model_variable

DATA_FORMAT_NCHW, DATA_FORMAT_NHWC, DATA_FORMAT_NCDHW, DATA_FORMAT_NDHWC = "NCHW", "NHWC", "NCDHW", "NDHWC"


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
