"""tf.contrib.training of TensorFlow 1.15: HParams, create_train_op and what the two need.

Source of every name: tf.contrib.training of TensorFlow 1.15.5.
"""
from __future__ import annotations

import json
import numbers
import re
import time
from typing import Any, Dict, Tuple

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib

# ---- HParams

_PAIR = re.compile(r"\s*(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*"
                   r"(\[(?P<values>[^\]]*)\]|(?P<value>[^,\[]*))\s*($|,)")


def _parsed_value(name, text, kind):
    """Return the value of a hyperparameter of this type, of its text."""
    text = text.strip()
    if kind is bool:
        if text in ("true", "True", "1"):
            return True
        if text in ("false", "False", "0"):
            return False
        raise ValueError(f"Could not parse hparam '{name}' of type 'bool' with value '{text}'; expected true or false")
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{text}'") from None


def parse_values(values, type_map, ignore_unknown=False):
    """Return {name: value} of a text such as `rate=0.1,layers=[3,5],sizes[1]=7`.

    Args:
        values: pairs name=value, separated by commas; a list stands in brackets.
        type_map: {name: type of the value, or of each element of a list}.
        ignore_unknown: whether names that are not in type_map are left out.

    Returns:
        A single element of a list is {index: value}.

    Raises:
        ValueError: an unknown name, a value of another type, a name given twice, or text that is no pair.
    """
    found: Dict[str, Any] = {}
    position = 0
    while position < len(values):
        match = _PAIR.match(values, position)
        if match is None:
            raise ValueError(f"Malformed hyperparameter value: {values[position:]}")
        position = match.end()
        name, index = match["name"], match["index"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}; known are {', '.join(sorted(type_map))}")
        if match["values"] is not None:
            if index is not None:
                raise ValueError(f"Must pass a single value when assigning a list index: {match[0].strip(', ')}")
            value: Any = [_parsed_value(name, one, type_map[name])
                          for one in match["values"].split(",") if one.strip()]
        else:
            value = _parsed_value(name, match["value"], type_map[name])
        if index is None:
            if name in found:
                raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
            found[name] = value
            continue
        elements = found.setdefault(name, {})
        if not isinstance(elements, dict) or int(index) in elements:
            raise ValueError(f"Multiple assignments to variable '{name}[{index}]' in {values}")
        elements[int(index)] = value
    return found


def _cast(name, kind, value):
    """Return a value as the type of its hyperparameter, if that loses nothing; otherwise raise ValueError."""
    fails = ValueError(f"Could not cast hparam '{name}' of type '{kind.__name__}' from value {value!r}")
    if value is None or kind is type(None):
        return value
    if issubclass(kind, str) != isinstance(value, str) or issubclass(kind, bool) != isinstance(value, bool):
        raise fails
    if issubclass(kind, numbers.Integral) and not isinstance(value, numbers.Integral):
        raise fails
    if issubclass(kind, numbers.Number) and not isinstance(value, numbers.Number):
        raise fails
    return kind(value)


class HParams:
    """Hyperparameters: named values with their types, as attributes.

    Args:
        hparam_def: not used here; a protocol buffer in 1.15.
        model_structure: anything; see get_model_structure.
        kwargs: {name: value}; the value's type, or that of a list's elements, is kept.

    Raises:
        ValueError: a name that the class itself has, a value of another type, or an empty list.
    """

    def __init__(self, hparam_def=None, model_structure=None, **kwargs):
        if hparam_def is not None:
            raise ValueError("HParams: hparam_def is a protocol buffer of 1.15; give the values by name instead")
        self._hparam_types: Dict[str, Tuple[Any, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name, value):
        """Add a hyperparameter."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        if isinstance(value, (list, tuple)):
            if not value:
                raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
            self._hparam_types[name] = (type(value[0]), True)
        else:
            self._hparam_types[name] = (type(value), False)
        setattr(self, name, value)

    def set_hparam(self, name, value):
        """Give a hyperparameter another value, which is cast to its type."""
        kind, is_list = self._hparam_types[name]
        if isinstance(value, list) != is_list:
            raise ValueError(f"Must {'' if is_list else 'not '}pass a list for "
                             f"{'multi' if is_list else 'single'}-valued parameter: {name}.")
        setattr(self, name, [_cast(name, kind, one) for one in value] if is_list else _cast(name, kind, value))

    def del_hparam(self, name):
        """Remove a hyperparameter, if it is there."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values):
        """Give hyperparameters the values of a text, see parse_values; return self."""
        parsed = parse_values(values, {name: kind for name, (kind, _) in self._hparam_types.items()})
        return self.override_from_dict(parsed)

    def override_from_dict(self, values_dict):
        """Give hyperparameters the values of a dictionary; return self."""
        for name, value in values_dict.items():
            if isinstance(value, dict):  # elements of a list
                elements = list(getattr(self, name))
                for index, element in value.items():
                    elements[index] = element
                value = elements
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map):
        """The earlier name of override_from_dict."""
        return self.override_from_dict(values_map)

    def parse_json(self, values_json):
        """Give hyperparameters the values of a JSON object; return self."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, indent=None, separators=None, sort_keys=False):
        """Return the hyperparameters as a JSON object; functions are left out."""
        values = {name: value for name, value in self.values().items() if not callable(value)}
        return json.dumps(values, indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self):
        """Return {name: value}."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key, default=None):
        """Return a value; the default if there is no such hyperparameter.

        Raises:
            ValueError: the default has another type than the hyperparameter.
        """
        if key not in self._hparam_types:
            return default
        if default is not None:
            kind, is_list = self._hparam_types[key]
            if is_list != isinstance(default, list) or not all(
                    isinstance(one, kind) for one in (default if is_list else [default])):
                raise ValueError(f"HParams.get: the default {default!r} of '{key}' is not of the type "
                                 f"'{'list of ' * is_list}{kind.__name__}'")
        return getattr(self, key)

    def get_model_structure(self):
        """Return what set_model_structure was given."""
        return self._model_structure

    def set_model_structure(self, model_structure):
        """Keep anything beside the hyperparameters."""
        self._model_structure = model_structure

    def __contains__(self, key):
        return key in self._hparam_types

    def __str__(self):
        return ",".join(f"{name}={value}" for name, value in sorted(self.values().items()))

    def __repr__(self):
        return f"{type(self).__name__}({sorted(self.values().items())})"


# ---- training


def add_gradients_summaries(grads_and_vars):
    """Return summaries of gradients: the histogram and the norm of each."""
    summaries = []
    for gradient, variable in grads_and_vars:
        if gradient is None:
            tf.logging.info("Var %s has no gradient", variable.op.name)
            continue
        values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
        summaries.append(tf.summary.histogram(variable.op.name + "_gradient", values))
        summaries.append(tf.summary.scalar(variable.op.name + "_gradient_norm", tf.linalg.global_norm([values])))
    return summaries


def clip_gradient_norms(gradients_to_variables, max_norm):
    """Return [(gradient, variable)], each gradient clipped to a norm of its own."""
    clipped = []
    for gradient, variable in gradients_to_variables:
        if isinstance(gradient, tf.IndexedSlices):
            gradient = tf.IndexedSlices(tf.clip_by_norm(gradient.values, max_norm), gradient.indices,
                                        gradient.dense_shape)
        elif gradient is not None:
            gradient = tf.clip_by_norm(gradient, max_norm)
        clipped.append((gradient, variable))
    return clipped


def clip_gradient_norms_fn(max_norm):
    """Return clip_gradient_norms with this norm, for create_train_op."""
    return lambda gradients_to_variables: clip_gradient_norms(gradients_to_variables, max_norm)


def multiply_gradients(grads_and_vars, gradient_multipliers):
    """Return [(gradient, variable)], some gradients multiplied.

    Args:
        gradient_multipliers: {variable or its name: number or tensor}.

    Raises:
        ValueError: there are no multipliers, or a variable that has one has no gradient.
    """
    if not isinstance(gradient_multipliers, dict) or not gradient_multipliers:
        raise ValueError(f"`gradient_multipliers` must be a dictionary with an element; got {gradient_multipliers!r}")
    by_name = {key if isinstance(key, str) else key.op.name: value for key, value in gradient_multipliers.items()}
    products = []
    for gradient, variable in grads_and_vars:
        if variable.op.name in by_name:
            if gradient is None:
                raise ValueError("Requested multiple of `None` gradient.")
            factor = by_name[variable.op.name]
            factor = tf.cast(factor, gradient.dtype) if tf.is_tensor(factor) else tf.constant(factor, gradient.dtype)
            if isinstance(gradient, tf.IndexedSlices):
                gradient = tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
            else:
                gradient *= factor
        products.append((gradient, variable))
    return products


_USE_GLOBAL_STEP = 0


def create_train_op(total_loss, optimizer, global_step=_USE_GLOBAL_STEP, update_ops=None, variables_to_train=None,
                    transform_grads_fn=None, summarize_gradients=False, gate_gradients=tf.train.Optimizer.GATE_OP,
                    aggregation_method=None, colocate_gradients_with_ops=False, check_numerics=True):
    """Return the loss, float[]; computing it also makes one step of training.

    Args:
        total_loss: float[].
        optimizer: tf.train.Optimizer.
        global_step: int[] variable; by default the graph's, made if needed; None for no step.
        update_ops: operations that run before the loss; None for the collection UPDATE_OPS.
        variables_to_train: None for TRAINABLE_VARIABLES.
        transform_grads_fn: function of [(gradient, variable)] that returns such a list.
        summarize_gradients: whether histograms and norms of the gradients are recorded.
        gate_gradients, aggregation_method, colocate_gradients_with_ops: as for Optimizer.compute_gradients.
        check_numerics: whether a loss that is infinite or not a number is an error.

    Raises:
        ValueError: a variable to train is not trainable.
    """
    if global_step is _USE_GLOBAL_STEP:
        global_step = tf.train.get_or_create_global_step()
    known = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    updates = set(known if update_ops is None else update_ops)
    if not set(known) <= updates:
        tf.logging.warning("update_ops in create_train_op does not contain all the update_ops in GraphKeys.UPDATE_OPS")
    if updates:
        with tf.control_dependencies(list(updates)):
            barrier = tf.no_op(name="update_barrier")
        total_loss = _after(barrier, total_loss)
    trainable = tf.trainable_variables()
    if variables_to_train is None:
        variables_to_train = trainable
    elif any(not any(one is other for other in trainable) for one in variables_to_train):
        raise ValueError("create_train_op: variables_to_train has a variable that is not in tf.trainable_variables()")
    pairs = optimizer.compute_gradients(total_loss, variables_to_train, gate_gradients=gate_gradients,
                                        aggregation_method=aggregation_method,
                                        colocate_gradients_with_ops=colocate_gradients_with_ops)
    if transform_grads_fn:
        pairs = transform_grads_fn(pairs)
    if summarize_gradients:
        with tf.name_scope("summarize_grads"):
            add_gradients_summaries(pairs)
    step = optimizer.apply_gradients(pairs, global_step=global_step)
    with tf.name_scope("train_op"):
        if check_numerics:
            total_loss = tf.check_numerics(total_loss, "LossTensor is inf or nan")
        train_op = _after(step, total_loss)
    operations = tf.get_collection_ref(tf.GraphKeys.TRAIN_OP)
    if not any(train_op is one for one in operations):
        operations.append(train_op)
    return train_op


def _after(operation, tensor):
    """Return the tensor, computed after the operation."""
    with tf.name_scope("control_dependency") as scope, tf.control_dependencies([operation]):
        return tf.identity(tensor, name=scope)


def train(train_op, logdir, master="", is_chief=True, scaffold=None, hooks=None, chief_only_hooks=None,
          save_checkpoint_secs=600, save_summaries_steps=100, config=None, max_wait_secs=7200, run_metadata=None):
    """Run train_op until a hook stops the session; return its last value, None if it never ran.

    Args:
        train_op: tensor, see create_train_op.
        logdir: folder of checkpoints and summaries; None for none.
        others: as for tf.train.MonitoredTrainingSession.

    Raises:
        ValueError: no logdir, but checkpoints or summaries.
    """
    if logdir is None and is_chief and (save_summaries_steps or save_checkpoint_secs):
        raise ValueError("logdir cannot be None unless save_summaries_steps and save_checkpoint_secs are None")
    loss = None
    with tf.train.MonitoredTrainingSession(
            master=master, is_chief=is_chief, checkpoint_dir=logdir, scaffold=scaffold, hooks=hooks,
            chief_only_hooks=chief_only_hooks, save_checkpoint_secs=save_checkpoint_secs,
            save_summaries_steps=save_summaries_steps, config=config, max_wait_secs=max_wait_secs) as session:
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss


# ---- checkpoints as they appear


def wait_for_new_checkpoint(checkpoint_dir, last_checkpoint=None, seconds_to_sleep=1, timeout=None):
    """Return the path of a checkpoint that is newer than `last_checkpoint`; None after `timeout` seconds."""
    end = None if timeout is None else time.time() + timeout
    while True:
        path = tf.train.latest_checkpoint(checkpoint_dir)
        if path is not None and path != last_checkpoint:
            return path
        if end is not None and time.time() + seconds_to_sleep > end:
            return None
        time.sleep(seconds_to_sleep)


def checkpoints_iterator(checkpoint_dir, min_interval_secs=0, timeout=None, timeout_fn=None):
    """Yield the path of each new checkpoint, see tf.train.checkpoints_iterator."""
    return tf.train.checkpoints_iterator(checkpoint_dir, min_interval_secs, timeout, timeout_fn)


_INNER = ("training", "hparam", "evaluation", "hparam_pb2")
_DATASETS = "tf.data has the batches: Dataset.padded_batch, bucket_by_sequence_length and tf.data.experimental"
_REFUSED = dict.fromkeys(("bucket", "bucket_by_sequence_length", "batch_sequences_with_states", "rejection_sample",
                          "resample_at_rate", "stratified_sample", "weighted_resample", "FeedingQueueRunner",
                          "SequenceQueueingStateSaver", "NextQueuedSequenceBatch"), _DATASETS)
_REFUSED.update(dict.fromkeys(("evaluate_once", "evaluate_repeatedly", "get_or_create_eval_step", "SummaryAtEndHook",
                               "StopAfterNEvalsHook"), "slim.evaluation.evaluate_once does the same"))
_REFUSED.update(dict.fromkeys(("GreedyLoadBalancingStrategy", "RandomStrategy", "byte_size_load_fn"),
                              "tf.train.replica_device_setter distributes variables over parameter servers"))
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)
