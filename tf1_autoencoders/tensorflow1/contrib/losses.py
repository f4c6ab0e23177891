"""tf.contrib.losses of TensorFlow 1.15: losses that join the collection LOSSES; slim.losses is the same package.

Source of every function: tf.contrib.losses of TensorFlow 1.15.5. They differ from tf.losses by the order of their
arguments (predictions first) and by weights of zero, which leave an example out of the mean. Each returns float32[],
the mean over the elements whose weight is not zero; `weights` is a number, float[batch] or a tensor of the first
dimensions of the losses.
"""
from __future__ import annotations

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.framework import add_arg_scope

_LOSSES = tf.GraphKeys.LOSSES


def _float(tensor):
    return tf.cast(tensor, tf.float32)


def _checked(predictions, labels, weights):
    """Raise ValueError if one of the three is None."""
    for name, value in (("labels", labels), ("weights", weights), ("predictions", predictions)):
        if value is None:
            raise ValueError(f"{name} cannot be None")


def _sum(tensor, axes=()):
    """Return the sum over these dimensions; over none, too, it is an operation with a constant, as in 1.15."""
    return tf.reduce_sum(tensor, np.array(axes, np.int32))


def _number_present(losses, weights):
    """Return the number of elements whose weight is not zero, float32[]; for one weight, a float32[batch] of them."""
    if weights.shape.ndims == 0:
        batch = tf.reshape(tf.slice(tf.shape(losses), [0], [1]), np.zeros(0, np.int32))
        each = tf.truediv(_float(tf.size(losses)), _float(batch), name="div")
        each = tf.where(tf.equal(weights, 0.0), 0.0, each)
        return tf.multiply(tf.ones(tf.reshape(batch, [1])), each)
    kept = _float(tf.not_equal(weights, 0.0))
    rank = weights.shape.ndims
    kept = _sum(kept, range(1, rank))
    rest = tf.reduce_prod(tf.slice(tf.shape(losses), [rank], [-1]))
    return tf.multiply(kept, _float(rest))


@add_arg_scope
def compute_weighted_loss(losses, weights=1.0, scope=None):
    """Return the mean of losses float[batch, ...] times weights, which joins LOSSES; default scope `weighted_loss`.

    Raises:
        ValueError: weights are None, or their rank is unknown or above that of the losses.
    """
    with tf.name_scope(scope, "weighted_loss", [losses, weights]):
        losses = tf.convert_to_tensor(losses)
        dtype = losses.dtype
        losses, weights = _as_float(losses), _as_float(tf.convert_to_tensor(weights))
        if losses.shape.ndims is None:
            raise ValueError("losses.get_shape().ndims cannot be None")
        if weights.shape.ndims is None:
            raise ValueError("weight.get_shape().ndims cannot be None")
        if weights.shape.ndims > 1 and weights.shape.as_list()[-1] in (1, None):
            weights = tf.squeeze(weights, [-1])
        scaled = _sum(losses, range(weights.shape.ndims, losses.shape.ndims))
        product = tf.multiply(scaled, weights)
        total = _sum(product, range(product.shape.ndims))
        present = tf.reduce_sum(_number_present(losses, weights))
        mean = tf.cast(tf.div_no_nan(_sum(total), present, name="value"), dtype)
        add_loss(mean)
        return mean


def _as_float(tensor):
    return tensor if tensor.dtype == tf.float32 else _float(tensor)


@add_arg_scope
def add_loss(loss, loss_collection=_LOSSES):
    """Add a loss to a collection; None adds it to none."""
    if loss_collection:
        tf.add_to_collection(loss_collection, loss)


def get_losses(scope=None, loss_collection=_LOSSES):
    """Return the losses of a collection whose names begin as `scope`."""
    return tf.get_collection(loss_collection, scope)


def get_regularization_losses(scope=None):
    """Return the losses of REGULARIZATION_LOSSES whose names begin as `scope`."""
    return tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES, scope)


def get_total_loss(add_regularization_losses=True, name="total_loss"):
    """Return the sum of all losses, with or without those of regularizers, float32[]."""
    losses = get_losses() + (get_regularization_losses() if add_regularization_losses else [])
    return tf.add_n(losses, name=name)


def absolute_difference(predictions, labels=None, weights=1.0, scope=None):
    """Return the mean of |predictions - labels|; both float[batch, ...]; default scope `absolute_difference`."""
    _checked(predictions, labels, weights)
    with tf.name_scope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        predictions.shape.assert_is_compatible_with(labels.shape)
        losses = tf.abs(tf.subtract(_as_float(predictions), _as_float(labels)))
        return compute_weighted_loss(losses, weights, scope=scope)


def mean_squared_error(predictions, labels=None, weights=1.0, scope=None):
    """Return the mean of (predictions - labels) ** 2; both float[batch, ...]; default scope `mean_squared_error`."""
    _checked(predictions, labels, weights)
    with tf.name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        predictions.shape.assert_is_compatible_with(labels.shape)
        losses = tf.squared_difference(_as_float(predictions), _as_float(labels))
        return compute_weighted_loss(losses, weights, scope=scope)


def mean_pairwise_squared_error(predictions, labels=None, weights=1.0, scope=None):
    """Return the mean, over pairs of elements of an example, of the squared error of their difference.

    Args:
        predictions, labels: float[batch, ...].
        weights: a number or float[batch].

    Default scope `mean_pairwise_squared_error`.
    """
    _checked(predictions, labels, weights)
    with tf.name_scope(scope, "mean_pairwise_squared_error", [predictions, labels, weights]):
        weights = tf.convert_to_tensor(weights)
        predictions.shape.assert_is_compatible_with(labels.shape)
        delta = tf.subtract(_as_float(predictions), _as_float(labels))
        weights = _as_float(weights)
        if weights.shape.ndims is None:
            raise ValueError("weights.get_shape().ndims cannot be None")
        axes = list(range(1, delta.shape.ndims))
        squares = tf.reduce_sum(tf.square(delta), axes)
        n = _number_present(delta, weights)
        first = 2.0 * tf.div_no_nan(squares, n, name="value")
        second = 2.0 * tf.div_no_nan(tf.square(tf.reduce_sum(delta, axes)), tf.square(n), name="value")
        product = tf.multiply(_sum(first - second, range(weights.shape.ndims, 1)), weights)
        total = _sum(product, range(product.shape.ndims))
        mean = tf.where(tf.reduce_sum(n) > 0, total, tf.zeros_like(total), name="value")
        add_loss(mean)
        return mean


def cosine_distance(predictions, labels=None, axis=None, weights=1.0, scope=None, dim=None):
    """Return the mean of 1 - sum(predictions * labels) along an axis; the vectors have length 1.

    Args:
        axis: the dimension of the vectors; `dim` is its earlier name. Default scope `cosine_distance_loss`.

    Raises:
        ValueError: no axis, or two.
    """
    if (axis is None) == (dim is None):
        raise ValueError("You must specify 'axis' (or its earlier name 'dim'), one of them.")
    axis = dim if axis is None else axis
    _checked(predictions, labels, weights)
    with tf.name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        predictions.shape.assert_is_compatible_with(labels.shape)
        products = tf.multiply(_as_float(predictions), _as_float(labels))
        losses = 1 - tf.reduce_sum(products, [axis])
        return compute_weighted_loss(losses, weights, scope=scope)


def hinge_loss(logits, labels=None, scope=None):
    """Return max(0, 1 - (2 labels - 1) * logits), float32[batch, ...]; it joins no collection; scope `hinge_loss`."""
    with tf.name_scope(scope, "hinge_loss", [logits, labels]):
        logits.shape.assert_is_compatible_with(labels.shape)
        labels = _as_float(labels)
        ones = tf.ones_like(labels)
        signs = tf.subtract(2 * labels, ones)
        return tf.nn.relu(tf.subtract(ones, tf.multiply(signs, logits)))


def log_loss(predictions, labels=None, weights=1.0, epsilon=1e-07, scope=None):
    """Return the mean binary cross-entropy of probabilities float[batch, ...]; default scope `log_loss`.

    Args:
        epsilon: added before each logarithm.
    """
    _checked(predictions, labels, weights)
    with tf.name_scope(scope, "log_loss", [predictions, labels, weights]) as scope:
        predictions.shape.assert_is_compatible_with(labels.shape)
        predictions, labels = _as_float(predictions), _as_float(labels)
        losses = -tf.multiply(labels, tf.log(predictions + epsilon)) - tf.multiply(
            1 - labels, tf.log(1 - predictions + epsilon))
        return compute_weighted_loss(losses, weights, scope=scope)


def sigmoid_cross_entropy(logits, multi_class_labels, weights=1.0, label_smoothing=0, scope=None):
    """Return the mean sigmoid cross-entropy; both float[batch, classes]; default scope `sigmoid_cross_entropy_loss`.

    Args:
        label_smoothing: labels become labels * (1 - label_smoothing) + label_smoothing / 2.
    """
    with tf.name_scope(scope, "sigmoid_cross_entropy_loss", [logits, multi_class_labels, weights]) as scope:
        logits.shape.assert_is_compatible_with(multi_class_labels.shape)
        labels = tf.cast(multi_class_labels, logits.dtype)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def softmax_cross_entropy(logits, onehot_labels, weights=1.0, label_smoothing=0, scope=None):
    """Return the mean softmax cross-entropy; both float[batch, classes]; default scope `softmax_cross_entropy_loss`.

    Args:
        label_smoothing: labels become labels * (1 - label_smoothing) + label_smoothing / classes.
    """
    with tf.name_scope(scope, "softmax_cross_entropy_loss", [logits, onehot_labels, weights]) as scope:
        logits.shape.assert_is_compatible_with(onehot_labels.shape)
        labels = tf.cast(onehot_labels, logits.dtype)
        if label_smoothing > 0:
            classes = tf.cast(tf.shape(labels)[1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.stop_gradient(labels, name="xentropy/labels_"
                                                                                    "stop_gradient"),
                                                            logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


def sparse_softmax_cross_entropy(logits, labels, weights=1.0, scope=None):
    """Return the mean softmax cross-entropy of classes int[batch] or int[batch, 1]; logits are float[batch, classes].

    Default scope `sparse_softmax_cross_entropy_loss`.
    """
    with tf.name_scope(scope, "sparse_softmax_cross_entropy_loss", [logits, labels, weights]) as scope:
        labels = tf.reshape(labels, shape=[tf.shape(labels)[0]])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope=scope)


_REFUSED = {"metric_learning": "its triplet and contrastive losses are a few lines over tf.linalg and tf.reduce_mean"}
__getattr__ = _contrib.explain_missing(__name__, ("losses", "loss_ops"), _REFUSED)
