"""Input pipelines: the data enters the graph once, and each session.run then takes the next batch.

`repeated_batches` is the report's own pipeline (section 2). It repeats the rows in their order, in batches that
continue across the end of the data.

`ordered_batches` is for shuffled epochs. The arrays stay in the graph as variables (the "preloaded data" of the
TensorFlow 1 guides); TensorFlow does not copy those that `aligned_copy` made. The pipeline carries row numbers in an
order that is fed for each epoch. The batches of an epoch then depend on this order alone, under every release of
TensorFlow.
"""
from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.graphs import strategy
from tf1_autoencoders.utils.frameworks import tf1

ALIGNMENT = 64  # bytes; EIGEN_MAX_ALIGN_BYTES of TensorFlow's builds


class Pipeline(NamedTuple):
    """The source of a graph's batches.

    | field      | dtype[shape]           | meaning                                                                |
    |------------|------------------------|------------------------------------------------------------------------|
    | data       | placeholders [n, ...]  | the arrays, fed to `load`                                              |
    | batch_size | int64[] placeholder    | rows per batch, fed to the iterator's initializer                      |
    | load       | operation              | takes the arrays; for repeated_batches, the iterator's initializer     |
    | order      | int64[m] placeholder   | row numbers, fed to `start`; None for repeated_batches                 |
    | start      | operation              | the iterator's initializer, which starts at order[0];                  |
    |            |                        | None for repeated_batches                                              |
    | batch      | tensors [batch, ...]   | the next batch of each array                                           |
    """

    data: Tuple[Any, ...]
    batch_size: Any
    load: Any
    order: Optional[Any]
    start: Optional[Any]
    batch: Tuple[Any, ...]


def aligned_copy(x: np.ndarray) -> np.ndarray:
    """Return a copy of an array that starts at a multiple of ALIGNMENT bytes.

    TensorFlow uses such an array where it is, and copies any other array when it is fed. The array belongs to the graph
    from then on: a change would change the graph's data.
    """
    buffer = np.empty(x.nbytes + ALIGNMENT, np.uint8)
    first = -buffer.ctypes.data % ALIGNMENT
    copy = buffer[first:first + x.nbytes].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


def _initializable_iterator(dataset: Any) -> Any:
    """Return a dataset's initializable iterator, which makes the next batch while the current one is trained on.

    TensorFlow 2's autotuning, which delays each epoch by up to two seconds, is switched off.
    """
    options = tf1.data.Options()
    if hasattr(options, "autotune"):
        options.autotune.enabled = False
    elif hasattr(options.experimental_optimization, "autotune"):  # before 2.7
        options.experimental_optimization.autotune = False
    return tf1.data.make_initializable_iterator(dataset.prefetch(1).with_options(options))


def repeated_batches(n_input: int) -> Pipeline:
    """Return the report's pipeline, as in its listing: one array float32[n, n_input], repeated, in batches."""
    x = tf1.placeholder(tf1.float32, [None, n_input], name="x")
    batch_size = tf1.placeholder(tf1.int64, [], name="batch_size")
    batches = tf1.data.Dataset.from_tensor_slices(x).repeat().batch(batch_size)
    iterator = _initializable_iterator(strategy.current().divide(batches))
    features = strategy.current().next_batch(iterator)
    return Pipeline((x,), batch_size, iterator.initializer, None, None, (features,))


def ordered_batches(*shapes_and_dtypes: Tuple[Sequence[int], Any]) -> Pipeline:
    """Return a pipeline whose batches follow an order that is fed for each epoch; its last batch may be short.

    Args:
        shapes_and_dtypes: (shape of a row, dtype) of each array, e.g. ([784], tf1.float32).
    """
    placeholders, variables = [], []
    for shape, dtype in shapes_and_dtypes:
        placeholders.append(tf1.placeholder(dtype, [None, *shape], name="data"))
        variables.append(tf1.Variable(placeholders[-1], trainable=False, collections=[], validate_shape=False,
                                      use_resource=True, name="resident", shape=tf1.TensorShape([None, *shape])))
    batch_size = tf1.placeholder(tf1.int64, [], name="batch_size")
    order = tf1.placeholder(tf1.int64, [None], name="order")
    batches = tf1.data.Dataset.from_tensor_slices(order).batch(batch_size)
    iterator = _initializable_iterator(strategy.current().divide(batches))
    rows = strategy.current().next_batch(iterator)
    batch = tuple(tf1.gather(variable.value(), rows) for variable in variables)
    for (shape, _), tensor in zip(shapes_and_dtypes, batch):
        tensor.set_shape([None, *shape])
    load = tf1.group(*(variable.initializer for variable in variables))
    return Pipeline(tuple(placeholders), batch_size, load, order, iterator.initializer, batch)
