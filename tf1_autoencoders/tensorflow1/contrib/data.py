"""tf.contrib.data of TensorFlow 1.15: transformations of data sets, which tf.data.experimental has today."""
from __future__ import annotations

from tensorflow.python.data.util import nest as _nest

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1 import seeds as _seeds

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


def sloppy_interleave(map_func, cycle_length, block_length=1):
    """Return a transformation for Dataset.apply: parallel_interleave, in whatever order elements are ready."""
    return tf.data.experimental.parallel_interleave(map_func, cycle_length, block_length, sloppy=True)


def sliding_window_batch(window_size, stride=None, window_shift=None, window_stride=1):
    """Return a transformation for Dataset.apply: batches of window_size elements, all of them full.

    Args:
        stride, window_shift: elements from the start of a batch to the start of the next, of which one is given; 1.
        window_stride: elements from one element of a batch to the next.

    Raises:
        ValueError: both stride and window_shift are given.
    """
    if stride is not None and window_shift is not None:
        raise ValueError("Cannot specify both `stride` and `window_shift`")
    shift = 1 if stride is None and window_shift is None else window_shift if stride is None else stride

    def batch(*windows):
        return Dataset.zip(_nest.map_structure(lambda window: window.batch(window_size),
                                               windows[0] if len(windows) == 1 else windows))

    def slide(dataset):
        with _seeds.more(-2):  # one operation did all of it
            return dataset.window(window_size, shift, window_stride, drop_remainder=True).flat_map(batch)

    return slide


def assert_element_shape(expected_shapes):
    """Return a transformation for Dataset.apply: it gives elements these static shapes, and fails on other elements.

    Args:
        expected_shapes: tf.TensorShape, or a structure of these as the elements have.
    """
    def checked(*elements):
        element = elements[0] if len(elements) == 1 else elements
        return _nest.map_structure(tf.ensure_shape, element, expected_shapes)

    return lambda dataset: dataset.map(checked)


def _experimental(name):
    if hasattr(tf.data.experimental, name):
        return getattr(tf.data.experimental, name)
    return _missing(name)


_missing = _contrib.explain_missing(__name__, (), {
    "read_batch_features": "tf.data.experimental.make_batched_features_dataset reads the same files",
    "reduce_dataset": "Dataset.reduce does the same",
    "CheckpointInputPipelineHook": "it belongs to Estimators; make_saveable_from_iterator saves the position",
    "LMDBDataset": "pip install tensorflow-io has it"})
__getattr__ = _experimental
