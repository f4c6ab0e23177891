"""tf.contrib.metrics of TensorFlow 1.15: tf.metrics with the predictions first, and a few functions more.

Source of every name: tf.contrib.metrics of TensorFlow 1.15.5. A streaming metric is (value, update operation), see
tf.metrics.
"""
from __future__ import annotations

import inspect

from tensorflow.python.ops.metrics_impl import metric_variable as _metric_variable
from tensorflow.python.ops.weights_broadcast_ops import broadcast_weights as _broadcast_weights

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib

confusion_matrix = tf.confusion_matrix
set_difference, set_intersection = tf.sets.set_difference, tf.sets.set_intersection
set_size, set_union = tf.sets.set_size, tf.sets.set_union


def accuracy(predictions, labels, weights=None, name=None):
    """Return the share of predictions that equal the labels, float32[].

    Args:
        predictions, labels: bool, integer or string tensors of the same shape.
        weights: float of that shape, or None.

    Raises:
        ValueError: other types, or types that differ.
    """
    if not (labels.dtype.is_integer or labels.dtype in (tf.bool, tf.string)):
        raise ValueError(f"Labels should have bool, integer, or string dtype. Given: {labels.dtype}")
    if labels.dtype != predictions.dtype:
        raise ValueError("Dtypes of predictions and labels should match. "
                         f"Given: predictions ({predictions.dtype}) and labels ({labels.dtype})")
    with tf.name_scope(name, "accuracy", values=[predictions, labels]):
        correct = tf.cast(tf.equal(predictions, labels), tf.float32)
        if weights is None:
            return tf.reduce_mean(correct)
        total = tf.reduce_sum(tf.ones_like(correct) * weights)
        return tf.div_no_nan(tf.reduce_sum(tf.multiply(correct, weights)), total)


def aggregate_metrics(*value_update_tuples):
    """Return ([values], [update operations]) of metrics.

    Raises:
        ValueError: there is no metric.
    """
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples)
    return list(values), list(updates)


def aggregate_metric_map(names_to_tuples):
    """Return ({name: value}, {name: update operation}) of {name: metric}."""
    return ({name: value for name, (value, _) in names_to_tuples.items()},
            {name: update for name, (_, update) in names_to_tuples.items()})


def _streaming(name, own_name=None):
    """Return tf.metrics.<name> with the arguments of contrib: predictions before labels."""
    metric = getattr(tf.metrics, name)
    names = list(inspect.signature(metric).parameters)
    if names[:2] == ["labels", "predictions"]:
        names[:2] = ["predictions", "labels"]

    def streaming(*args, **kwargs):
        return metric(**dict(zip(names, args)), **kwargs)

    streaming.__name__ = streaming.__qualname__ = f"streaming_{own_name or name}"
    streaming.__doc__ = (f"Return tf.metrics.{name}, (value, update operation); arguments in the order "
                         f"{', '.join(names)}.")
    return streaming


def _counted_at_thresholds(name):
    """Return a count whose variable has no scope of its own, and that does not check the predictions: contrib's."""
    def streaming(predictions, labels, thresholds, weights=None):
        predictions.shape.assert_is_compatible_with(labels.shape)
        n, column = len(thresholds), tf.reshape(tf.cast(predictions, tf.float32), [-1, 1])
        truth = tf.reshape(tf.cast(labels, tf.bool), [1, -1])
        limits = tf.tile(tf.expand_dims(tf.constant(thresholds), [1]), tf.stack([1, tf.shape(column)[0]]))
        predicted = tf.greater(tf.tile(tf.transpose(column, [1, 0]), [n, 1]), limits)
        if name in ("true_negatives", "false_negatives"):
            predicted = tf.logical_not(predicted)
        truth = tf.tile(truth, [n, 1])
        if name in ("true_negatives", "false_positives"):
            truth = tf.logical_not(truth)
        if weights is not None:
            weights = _broadcast_weights(tf.cast(weights, tf.float32), predictions)
            weights = tf.tile(tf.reshape(weights, [1, -1]), [n, 1])
        count = _metric_variable([n], tf.float32, name=name)
        found = tf.cast(tf.logical_and(truth, predicted), tf.float32)
        return count, tf.assign_add(count, tf.reduce_sum(found if weights is None else found * weights, 1))

    streaming.__name__ = streaming.__qualname__ = f"streaming_{name}_at_thresholds"
    streaming.__doc__ = (f"Return (value, update operation) of the {name.replace('_', ' ')}, float32[thresholds], of "
                         "predictions, float and not checked, and labels, cast to bool, of the same shape.")
    return streaming


streaming_accuracy, streaming_auc = _streaming("accuracy"), _streaming("auc")
streaming_mean, streaming_mean_tensor = _streaming("mean"), _streaming("mean_tensor")
streaming_mean_absolute_error, streaming_mean_iou = _streaming("mean_absolute_error"), _streaming("mean_iou")
streaming_mean_squared_error = _streaming("mean_squared_error")
streaming_mean_relative_error = _streaming("mean_relative_error")
streaming_mean_cosine_distance = _streaming("mean_cosine_distance")
streaming_root_mean_squared_error = _streaming("root_mean_squared_error")
streaming_percentage_less = _streaming("percentage_below", "percentage_less")
streaming_precision, streaming_recall = _streaming("precision"), _streaming("recall")
streaming_true_positives, streaming_true_negatives = _streaming("true_positives"), _streaming("true_negatives")
streaming_false_positives = _streaming("false_positives")
streaming_false_negatives = _streaming("false_negatives")
streaming_precision_at_thresholds = _streaming("precision_at_thresholds")
streaming_recall_at_thresholds = _streaming("recall_at_thresholds")
streaming_true_positives_at_thresholds = _counted_at_thresholds("true_positives")
streaming_true_negatives_at_thresholds = _counted_at_thresholds("true_negatives")
streaming_false_positives_at_thresholds = _counted_at_thresholds("false_positives")
streaming_false_negatives_at_thresholds = _counted_at_thresholds("false_negatives")
streaming_sensitivity_at_specificity = _streaming("sensitivity_at_specificity")
streaming_specificity_at_sensitivity = _streaming("specificity_at_sensitivity")
streaming_sparse_precision_at_k = _streaming("precision_at_k", "sparse_precision_at_k")
streaming_sparse_recall_at_k = _streaming("recall_at_k", "sparse_recall_at_k")
streaming_sparse_average_precision_at_k = _streaming("average_precision_at_k", "sparse_average_precision_at_k")


def streaming_recall_at_k(predictions, labels, k, weights=None, metrics_collections=None, updates_collections=None,
                          name=None):
    """Return (value, update operation): the share of labels int[batch] among the k largest predictions.

    Args:
        predictions: float32[batch, classes].
        k: int.
        weights: float of the labels' shape, or None.
        metrics_collections, updates_collections, name: as for tf.metrics.mean.
    """
    found = tf.cast(tf.nn.in_top_k(predictions, labels, k), tf.float32)
    return tf.metrics.mean(found, weights, metrics_collections, updates_collections, name or f"recall_at_{k}")


_REFUSED = dict.fromkeys((
    "auc_using_histogram", "auc_with_confidence_intervals", "cohen_kappa", "count", "f1_score", "precision_at_recall",
    "precision_recall_at_equal_thresholds", "recall_at_precision", "sparse_recall_at_top_k", "streaming_concat",
    "streaming_covariance", "streaming_curve_points", "streaming_false_negative_rate",
    "streaming_false_negative_rate_at_thresholds", "streaming_false_positive_rate",
    "streaming_false_positive_rate_at_thresholds", "streaming_sparse_average_precision_at_top_k",
    "streaming_sparse_precision_at_top_k", "streaming_dynamic_auc", "streaming_pearson_correlation"),
    "tf.metrics has the common metrics; scikit-learn has this one for arrays")
__getattr__ = _contrib.explain_missing(__name__, ("ops", "metric_ops", "set_ops"), _REFUSED)
