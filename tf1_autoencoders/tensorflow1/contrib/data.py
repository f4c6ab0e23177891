"""tf.contrib.data of TensorFlow 1.15: transformations of data sets, which tf.data.experimental has today."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib

AUTOTUNE = tf.data.experimental.AUTOTUNE
Dataset, Iterator = tf.data.Dataset, tf.data.Iterator
FixedLengthRecordDataset, TextLineDataset = tf.data.FixedLengthRecordDataset, tf.data.TextLineDataset
TFRecordDataset = tf.data.TFRecordDataset


def batch_and_drop_remainder(batch_size):
    """Return a transformation for Dataset.apply: batches of exactly batch_size elements."""
    return lambda dataset: dataset.batch(batch_size, drop_remainder=True)


def padded_batch_and_drop_remainder(batch_size, padded_shapes, padding_values=None):
    """Return a transformation for Dataset.apply: padded batches of exactly batch_size elements."""
    return lambda dataset: dataset.padded_batch(batch_size, padded_shapes, padding_values, drop_remainder=True)


def _experimental(name):
    if hasattr(tf.data.experimental, name):
        return getattr(tf.data.experimental, name)
    return _missing(name)


_missing = _contrib.explain_missing(__name__, (), {
    "read_batch_features": "tf.data.experimental.make_batched_features_dataset reads the same files",
    "sliding_window_batch": "Dataset.window and flat_map do the same",
    "sloppy_interleave": "tf.data.experimental.parallel_interleave with sloppy=True does the same",
    "LMDBDataset": "pip install tensorflow-io has it"})
__getattr__ = _experimental
