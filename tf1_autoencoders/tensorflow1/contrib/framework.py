"""tf.contrib.framework of TensorFlow 1.15: argument scopes, variables by name and collection, values from checkpoints.

Source of every function: tf.contrib.framework of TensorFlow 1.15.5, whose arguments, defaults, names and collections
they keep. What a function returns is a graph's tensor, variable or operation, unless it says otherwise.
"""
from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import re
import types
import warnings
import weakref
from typing import Any, Callable, Dict, List

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1 import seeds as _seeds

# ---- argument scopes

_scopes_of_graphs: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # graph -> its stack of argument scopes
_scoped_functions: Dict[str, Callable] = {}


def _scopes():
    """Return the default graph's stack of argument scopes."""
    return _scopes_of_graphs.setdefault(tf.get_default_graph(), [{}])


def current_arg_scope():
    """Return the innermost argument scope: {key of a function: {argument: value}}."""
    return _scopes()[-1]


def arg_scope_func_key(op):
    """Return the key of a function in an argument scope."""
    return getattr(op, "_key_op", str(op))


def has_arg_scope(func):
    """Say whether a function was decorated with add_arg_scope."""
    return arg_scope_func_key(func) in _scoped_functions


def arg_scoped_arguments(func):
    """Return the names of a decorated function's arguments that have a default, which an argument scope may set."""
    parameters = inspect.signature(_scoped_functions[arg_scope_func_key(func)]).parameters.values()
    return tuple(one.name for one in parameters if one.default is not one.empty)


def add_arg_scope(func):
    """Return a function whose arguments can be set by `arg_scope`; used as a decorator.

    The function is called with the values of the innermost scope; arguments of the call win over them.
    """
    key = str(func)

    @functools.wraps(func)
    def with_scope(*args, **kwargs):
        scope = current_arg_scope()
        if key in scope:
            kwargs = {**scope[key], **kwargs}
        return func(*args, **kwargs)

    with_scope._key_op = key  # type: ignore[attr-defined]
    _scoped_functions[key] = func
    return with_scope


@contextlib.contextmanager
def arg_scope(list_ops_or_scope, **kwargs):
    """Context manager: set default arguments of functions.

    Args:
        list_ops_or_scope: list or tuple of functions decorated with add_arg_scope; or a scope that an earlier
            arg_scope gave, which is then the scope again.
        kwargs: the arguments; they join those of the scopes around.

    Yields:
        The scope, {key of a function: {argument: value}}.

    Raises:
        ValueError: a scope comes with arguments, or a function is not decorated.
        TypeError: `list_ops_or_scope` is neither list, tuple nor scope.
    """
    stack = _scopes()
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("arg_scope: a scope that is used again takes no further arguments; "
                             f"got {', '.join(sorted(kwargs))}")
        scope = copy.copy(list_ops_or_scope)
    elif not isinstance(list_ops_or_scope, (list, tuple)):
        raise TypeError("arg_scope: expected a list or tuple of functions, or a scope (dict); got "
                        f"{list_ops_or_scope!r}: put it in brackets")
    else:
        scope = copy.copy(current_arg_scope())
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                raise ValueError(f"arg_scope: {getattr(function, '__name__', function)!r} is not decorated with "
                                 "@add_arg_scope")
            key = arg_scope_func_key(function)
            scope[key] = {**scope.get(key, {}), **kwargs}
    stack.append(scope)
    try:
        yield scope
    finally:
        stack.pop()


# ---- variables

assert_global_step = tf.train.assert_global_step
get_global_step = tf.train.get_global_step
create_global_step = tf.train.create_global_step
get_or_create_global_step = tf.train.get_or_create_global_step


def assert_or_get_global_step(graph=None, global_step_tensor=None):
    """Return the given global step after a check of its shape and type; without one, the graph's, or None."""
    if global_step_tensor is None:
        return get_global_step(graph)
    assert_global_step(global_step_tensor)
    return global_step_tensor


@add_arg_scope
def variable(name, shape=None, dtype=None, initializer=None, regularizer=None, trainable=True, collections=None,
             caching_device=None, device=None, partitioner=None, custom_getter=None, use_resource=None,
             synchronization=tf.VariableSynchronization.AUTO, aggregation=tf.VariableAggregation.NONE):
    """Return the variable of this name in the current variable scope, of dtype[shape]; make it if it is new.

    Args:
        name: name inside of the current variable scope.
        shape, dtype, initializer, regularizer, trainable: as for tf.get_variable.
        collections: names of the collections that get the variable; tf.GraphKeys.GLOBAL_VARIABLES always does.
        device: name of a device, or a function of the variable's operation.
        custom_getter: called instead of tf.get_variable.
    """
    names = list(collections if collections is not None else [tf.GraphKeys.GLOBAL_VARIABLES])
    if tf.GraphKeys.GLOBAL_VARIABLES not in names:
        names.append(tf.GraphKeys.GLOBAL_VARIABLES)
    getter: Any = tf.get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=tf.get_variable_scope().reuse)
    with tf.device(device or ""):
        return getter(name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer,
                      trainable=trainable, collections=names, caching_device=caching_device, partitioner=partitioner,
                      use_resource=use_resource, synchronization=synchronization, aggregation=aggregation)


@add_arg_scope
def model_variable(name, shape=None, dtype=tf.float32, initializer=None, regularizer=None, trainable=True,
                   collections=None, caching_device=None, device=None, partitioner=None, custom_getter=None,
                   use_resource=None, synchronization=tf.VariableSynchronization.AUTO,
                   aggregation=tf.VariableAggregation.NONE):
    """Return a variable of dtype[shape] that is also in tf.GraphKeys.MODEL_VARIABLES; arguments as for `variable`."""
    names = [*(collections or []), tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES]
    return variable(name, shape=shape, dtype=dtype, initializer=initializer, regularizer=regularizer,
                    trainable=trainable, collections=names, caching_device=caching_device, device=device,
                    partitioner=partitioner, custom_getter=custom_getter, use_resource=use_resource,
                    synchronization=synchronization, aggregation=aggregation)


def local_variable(initial_value, validate_shape=True, name=None, use_resource=None):
    """Return a variable in tf.GraphKeys.LOCAL_VARIABLES with this initial value; it is not trained or saved."""
    return tf.Variable(initial_value, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES],
                       validate_shape=validate_shape, use_resource=use_resource, name=name)


def global_variable(initial_value, validate_shape=True, name=None, use_resource=None):
    """Return a variable in tf.GraphKeys.GLOBAL_VARIABLES with this initial value; it is saved, not trained."""
    return tf.Variable(initial_value, trainable=False, collections=[tf.GraphKeys.GLOBAL_VARIABLES],
                       validate_shape=validate_shape, use_resource=use_resource, name=name)


def add_model_variable(var):
    """Add a variable to tf.GraphKeys.MODEL_VARIABLES, once."""
    if not any(var is other for other in tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)):
        tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, var)


def get_variables(scope=None, suffix=None, collection=tf.GraphKeys.GLOBAL_VARIABLES):
    """Return the variables of a collection whose names begin with `scope` and, if given, then contain `suffix`.

    Args:
        scope: a regular expression or a variable scope; None for every variable.
        suffix: what the name contains after the scope.
        collection: name of the collection.
    """
    if isinstance(scope, tf.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = (scope if scope and ":" in scope else scope or "") + ".*" + suffix
    return tf.get_collection(collection, scope)


def get_model_variables(scope=None, suffix=None):
    """Return the variables of tf.GraphKeys.MODEL_VARIABLES, see get_variables."""
    return get_variables(scope, suffix, tf.GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope=None, suffix=None):
    """Return the variables of tf.GraphKeys.LOCAL_VARIABLES, see get_variables."""
    return get_variables(scope, suffix, tf.GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope=None, suffix=None):
    """Return the variables of tf.GraphKeys.TRAINABLE_VARIABLES, see get_variables."""
    return get_variables(scope, suffix, tf.GraphKeys.TRAINABLE_VARIABLES)


def get_variables_by_suffix(suffix, scope=None):
    """Return the variables whose names contain `suffix` after the scope."""
    return get_variables(scope=scope, suffix=suffix)


def get_variables_by_name(given_name, scope=None):
    """Return the variables whose last part of the name is `given_name`, inside of a scope."""
    return get_variables(scope=scope, suffix="/" + given_name + ":|^" + given_name + ":")


def get_variable_full_name(var):
    """Return the name of a variable without the output number; of a part of a variable, the name of the whole."""
    slice_info = getattr(var, "_save_slice_info", None)
    return slice_info.full_name if slice_info else var.op.name


def get_unique_variable(var_op_name):
    """Return the variable of exactly this name.

    Raises:
        ValueError: no variable has the name.
    """
    for one in get_variables(scope=var_op_name):
        if one.op.name == var_op_name:
            return one
    raise ValueError(f"Couldn't find variable {var_op_name}")


def filter_variables(var_list, include_patterns=None, exclude_patterns=None, reg_search=True):
    """Return the variables whose names fit a pattern of `include_patterns` and none of `exclude_patterns`.

    Args:
        var_list: variables.
        include_patterns, exclude_patterns: lists of regular expressions; None for no condition.
        reg_search: whether a pattern may fit anywhere in the name, or only at its beginning.
    """
    fits = re.search if reg_search else re.match
    if include_patterns is not None:
        var_list = [one for one in var_list if any(fits(pattern, one.op.name) for pattern in include_patterns)]
    if exclude_patterns is not None:
        var_list = [one for one in var_list if not any(fits(pattern, one.op.name) for pattern in exclude_patterns)]
    return var_list


def get_variables_to_restore(include=None, exclude=None):
    """Return the global variables in the scopes of `include` (None: all) that are in no scope of `exclude`.

    Args:
        include, exclude: lists of beginnings of names, or None.

    Raises:
        TypeError: one of them is neither a list, a tuple nor None.
    """
    for what, value in (("include", include), ("exclude", exclude)):
        if value is not None and not isinstance(value, (list, tuple)):
            raise TypeError(f"{what} must be a list or a tuple of scopes; got {value!r}")
    found: List[Any] = []
    for scope in [None] if include is None else include:
        found += get_variables(scope)
    left_out = {id(one) for scope in exclude or [] for one in get_variables(scope)}
    return [one for one in found if id(one) not in left_out]


class VariableDeviceChooser:
    """Chooses the parameter server of each variable in turn; for the `device` argument of `variable`.

    Args:
        num_tasks: number of parameter servers; 0 for none.
        job_name, device_type, device_index, replica: parts of the name of the device.
    """

    def __init__(self, num_tasks=0, job_name="ps", device_type="CPU", device_index=0, replica=None):
        self._num_tasks, self._job_name, self._replica = num_tasks, job_name, replica
        self._device_type, self._device_index = device_type, device_index
        self._next = 0

    def __call__(self, op):
        """Return the name of the device of an operation."""
        name = f"/device:{self._device_type}:{self._device_index}"
        if self._num_tasks:
            name = f"/task:{self._next}" + name
            self._next = (self._next + 1) % self._num_tasks
            name = f"/job:{self._job_name}" + (f"/replica:{self._replica}" if self._replica is not None else "") + name
        return name


def zero_initializer(ref, use_locking=True, name="zero_initializer"):
    """Return the operation that sets a variable to zero, the variable's value afterwards."""
    return tf.assign(ref, tf.zeros(ref.shape, ref.dtype.base_dtype), use_locking=use_locking, name=name)


# ---- values from checkpoints

load_checkpoint = tf.train.load_checkpoint
load_variable = tf.train.load_variable
list_variables = tf.train.list_variables
init_from_checkpoint = tf.train.init_from_checkpoint


def assign_from_values(var_names_to_values):
    """Return (operation, feed_dict): running the operation gives variables these values.

    Args:
        var_names_to_values: {name of a variable: array of its shape}.
    """
    feeds, operations = {}, []
    for name, value in var_names_to_values.items():
        target = get_unique_variable(name)
        placeholder = tf.placeholder(target.dtype.base_dtype, name=f"placeholder/{target.op.name}")
        operations.append(target.assign(placeholder))
        feeds[placeholder] = np.reshape(value, target.shape.as_list())
    return tf.group(*operations), feeds


def assign_from_values_fn(var_names_to_values):
    """Return a function of a session that gives variables these values, see assign_from_values."""
    operation, feeds = assign_from_values(var_names_to_values)
    return lambda session: session.run(operation, feeds)


def _names_to_variables(var_list):
    """Return {name in the checkpoint: [variable or its parts]} of a list of variables or such a dictionary."""
    if isinstance(var_list, (list, tuple)):
        grouped: Dict[str, List[Any]] = {}
        for one in var_list:
            grouped.setdefault(get_variable_full_name(one), []).append(one)
        return grouped
    return {name: list(one) if isinstance(one, (list, tuple)) else [one] for name, one in var_list.items()}


def assign_from_checkpoint(model_path, var_list, ignore_missing_vars=False):
    """Return (operation, feed_dict): running the operation gives variables their values of a checkpoint.

    Args:
        model_path: path of the checkpoint, as tf.train.latest_checkpoint gives it.
        var_list: list of variables, or {name in the checkpoint: variable}.
        ignore_missing_vars: whether a variable that the checkpoint does not have is left out with a warning.

    Raises:
        ValueError: the checkpoint has no such variable, or another shape.
    """
    reader = tf.train.load_checkpoint(model_path)
    shapes = reader.get_variable_to_shape_map()
    feeds, operations = {}, []
    for name, parts in _names_to_variables(var_list).items():
        if name not in shapes:
            if not ignore_missing_vars:
                raise ValueError(f"Checkpoint is missing variable [{name}]: {model_path}")
            tf.logging.warning("Checkpoint is missing variable [%s]", name)
            continue
        value = reader.get_tensor(name)
        for one in parts:
            slice_info = getattr(one, "_save_slice_info", None)
            part = value if slice_info is None else value[tuple(
                slice(start, start + size) for start, size in zip(slice_info.var_offset, slice_info.var_shape))]
            if one.shape.num_elements() != part.size:
                raise ValueError(f"Total size of new array must be unchanged for {name}: the checkpoint has shape "
                                 f"{list(part.shape)}, the variable {one.shape.as_list()}")
            placeholder = tf.placeholder(one.dtype.base_dtype, shape=one.shape)
            operations.append(one.assign(placeholder))
            feeds[placeholder] = part.reshape(one.shape.as_list())
    return tf.group(*operations), feeds


def assign_from_checkpoint_fn(model_path, var_list, ignore_missing_vars=False, reshape_variables=False):
    """Return a function of a session that restores variables from a checkpoint.

    Args:
        model_path, var_list, ignore_missing_vars: as for assign_from_checkpoint.
        reshape_variables: whether a variable of another shape and the same size is reshaped.

    Returns:
        The function; None, with a warning, if no variable is left to restore.

    Raises:
        ValueError: `var_list` is empty.
    """
    if not var_list:
        raise ValueError("var_list cannot be empty: there is no variable to restore")
    if ignore_missing_vars:
        stored = tf.train.load_checkpoint(model_path).get_variable_to_shape_map()
        by_name = var_list if isinstance(var_list, dict) else {one.op.name: one for one in var_list}
        for name in by_name:
            if name not in stored:
                tf.logging.warning("Variable %s missing in checkpoint %s", name, model_path)
        var_list = {name: one for name, one in by_name.items() if name in stored}
    if not var_list:
        tf.logging.warning("No Variables to restore")
        return None
    saver = tf.train.Saver(var_list, reshape=reshape_variables, write_version=tf.train.SaverDef.V1)
    return lambda session: saver.restore(session, model_path)


# ---- small functions

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
        expected = _seeds.count() + 20  # what 1.15's checks of a list of sizes took
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


_INNER = ("checkpoint_utils", "framework_ops", "ops", "variables", "tensor_util", "checkpoint_ops", "arg_ops")
_REFUSED = {name: "it changed the vocabulary of a checkpoint; load the checkpoint with tf.train.load_variable and "
                  "assign the rows that are wanted" for name in
            ("load_and_remap_matrix_initializer", "load_embedding_initializer", "load_variable_slot_initializer",
             "load_linear_multiclass_bias_initializer")}
_REFUSED.update(dict.fromkeys(("convolutional_delta_orthogonal", "convolutional_orthogonal_1d",
                               "convolutional_orthogonal_2d", "convolutional_orthogonal_3d"),
                              "tf.initializers.orthogonal is the initializer of matrices"))
_REFUSED.update(dict.fromkeys(("prepend_name_scope", "strip_name_scope"), "str.split and str.join do the same"))
_REFUSED.update(BoundedTensorSpec="tf.TensorSpec has shape and type", smart_case="tf.case does the same",
                fuse_op="it rewrote a GraphDef for an accelerator of its time; tf.graph_util does what is left of it",
                RecordInput="tf.data.TFRecordDataset reads the same files")
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)
