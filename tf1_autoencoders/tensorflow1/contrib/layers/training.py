"""optimize_loss: a loss whose computation makes one step of training."""
from __future__ import annotations

from typing import Any, Callable, Dict, List

import tf1_autoencoders.tensorflow1 as tf

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
        updates = set(tf.get_collection(tf.GraphKeys.UPDATE_OPS) if update_ops is None else update_ops)
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
