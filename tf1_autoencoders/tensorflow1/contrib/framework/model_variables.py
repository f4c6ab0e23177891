"""Variables by name and collection, and their values from checkpoints."""
from __future__ import annotations

import functools
import re
from typing import Any, Dict, List

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds
from tf1_autoencoders.tensorflow1.contrib.framework.scopes import add_arg_scope

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
    """Return the operation that initializes a variable with zeros, its value; an error if it has one."""
    expected = _seeds.count() + 1  # one operation in 1.15
    is_new = tf.Assert(tf.logical_not(tf.is_variable_initialized(ref)), ["input is already initialized"])
    with tf.control_dependencies([is_new]):
        zeroed = tf.assign(ref, tf.zeros(ref.shape, ref.dtype.base_dtype), use_locking=use_locking, name=name)
    _seeds.shift(expected - _seeds.count())
    return zeroed


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
