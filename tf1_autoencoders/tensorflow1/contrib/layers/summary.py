"""Summaries of tensors and collections."""
from __future__ import annotations

import functools
import re

import tf1_autoencoders.tensorflow1 as tf


def summarize_tensor(tensor, tag=None):
    """Return the summary of a tensor: its value if it is a scalar, its histogram otherwise; None if not numeric.

    Args:
        tag: name; None for that of the tensor, for a histogram with `_summary`.
    """
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_complex):
        return None
    if tensor.shape.ndims == 0:
        return tf.summary.scalar(tag or f"{tensor.op.name}_summary", tensor)
    return tf.summary.histogram(tag or f"{tensor.op.name}_summary", tensor)


def summarize_activation(op):
    """Return the histogram of a layer's output, and record how many values a Relu, Softplus or Relu6 made zero."""
    def share(values):
        return tf.reduce_mean(tf.cast(values, tf.float32, name="ToFloat"))

    if op.op.type in ("Relu", "Softplus", "Relu6"):
        tf.summary.scalar(f"{op.op.name}/zeros", share(tf.less(op.op.inputs[0], tf.cast(0.0, op.op.inputs[0].dtype))))
    if op.op.type == "Relu6":
        tf.summary.scalar(f"{op.op.name}/sixes",
                          share(tf.greater(op.op.inputs[0], tf.cast(6.0, op.op.inputs[0].dtype))))
    return tf.summary.histogram(f"{op.op.name}/activation", op)


def summarize_tensors(tensors, summarizer=summarize_tensor):
    """Return the summaries of several tensors."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(collection, name_filter=None, summarizer=summarize_tensor):
    """Return the summaries of a collection's tensors whose names begin as `name_filter`, a regular expression."""
    return summarize_tensors([one for one in tf.get_collection(collection)
                              if name_filter is None or re.match(name_filter, one.op.name)], summarizer)


summarize_variables = functools.partial(summarize_collection, tf.GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, tf.GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, tf.GraphKeys.BIASES)


def summarize_activations(name_filter=None, summarizer=summarize_activation):
    """Return the summaries of the collection ACTIVATIONS, see summarize_collection."""
    return summarize_collection(tf.GraphKeys.ACTIVATIONS, name_filter, summarizer)
