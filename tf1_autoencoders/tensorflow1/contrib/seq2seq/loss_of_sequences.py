"""The weighted cross-entropy of sequences."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf


def sequence_loss(logits, targets, weights, average_across_timesteps=True, average_across_batch=True,
                  sum_over_timesteps=False, sum_over_batch=False, softmax_loss_function=None, name=None):
    """Return the weighted cross-entropy of sequences.

    Args:
        logits: float[batch, time, classes].
        targets: int[batch, time].
        weights: float[batch, time]; 0 for steps that do not count.
        average_across_timesteps, average_across_batch: whether the loss is divided by the weights along a dimension.
        sum_over_timesteps, sum_over_batch: whether it is summed along a dimension instead, which is divided by the
            number of weights that are not zero.
        softmax_loss_function: function of (labels=int[n], logits=float[n, classes]); None for the softmax
            cross-entropy.
        name: default `sequence_loss`.

    Returns:
        float[], or float[time], float[batch] or float[batch, time] if a dimension is neither averaged nor summed.

    Raises:
        ValueError: wrong ranks, or a dimension both averaged and summed.
    """
    for what, tensor, rank, shape in (("Logits", logits, 3, "batch_size x sequence_length x logits"),
                                      ("Targets", targets, 2, "batch_size x sequence_length"),
                                      ("Weights", weights, 2, "batch_size x sequence_length")):
        if len(tensor.shape) != rank:
            raise ValueError(f"{what} must be a [{shape}] tensor; got shape {tensor.shape}")
    for what, average, total in (("timesteps", average_across_timesteps, sum_over_timesteps),
                                 ("batch", average_across_batch, sum_over_batch)):
        if average and total:
            raise ValueError(f"average_across_{what} and sum_over_{what} cannot both be true")
    with tf.name_scope(name, "sequence_loss", [logits, targets, weights]):
        n_classes = tf.shape(logits)[2]
        flat = tf.reshape(logits, [-1, n_classes])
        targets = tf.reshape(targets, [-1])
        if softmax_loss_function is None:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=flat)
        else:
            losses = softmax_loss_function(labels=targets, logits=flat)
        losses *= tf.reshape(weights, [-1])
        time, batch = (average_across_timesteps, sum_over_timesteps), (average_across_batch, sum_over_batch)
        if time[0] and batch[0]:
            return tf.div_no_nan(tf.reduce_sum(losses), tf.reduce_sum(weights))
        if time[1] and batch[1]:
            count = tf.cast(tf.count_nonzero(weights), losses.dtype)
            return tf.div_no_nan(tf.reduce_sum(losses), count)
        losses = tf.reshape(losses, tf.shape(logits)[0:2])
        if time[0] or batch[0]:
            axes = [0] if batch[0] else [1]
            return tf.div_no_nan(tf.reduce_sum(losses, axis=axes), tf.reduce_sum(weights, axis=axes))
        if time[1] or batch[1]:
            axes = [0] if batch[1] else [1]
            count = tf.cast(tf.count_nonzero(weights, axis=axes), losses.dtype)
            return tf.div_no_nan(tf.reduce_sum(losses, axis=axes), count)
        return losses
