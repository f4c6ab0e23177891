"""L1 and L2 penalties, and their sums."""
from __future__ import annotations

from typing import Any

import tf1_autoencoders.tensorflow1 as tf


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
        weights_list = tf.get_collection(tf.GraphKeys.WEIGHTS)
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
        tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, total)
        return total
