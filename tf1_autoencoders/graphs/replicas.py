"""Several tasks train one network: between-graph replication with TensorFlow's own collective operations.

Each task builds its own copy of the graph inside `with replicated(...)`, and trains on its share of each batch. Three
places of a graph differ then, and each is a function here, which adds nothing to the graph outside of `replicated`:

- the input pipeline gives the task's share of each batch, rows task * n / W to (task + 1) * n / W of n (`split`);
- the optimiser adds up the gradients of all tasks before it applies them (`minimize`);
- each metric is the mean over the whole batch (`whole_batch_metrics`).

The gradients travel in one flat buffer, in one CollectiveReduce a step, so that every task applies the same bytes.
A task's mean is weighted with its share of the rows; the sum over the tasks is then the mean over the whole batch.
"""
from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

import numpy as np

from tf1_autoencoders.utils.frameworks import tf1

WEIGHT, STOP = "replica_weight", "replica_stop"  # graph collections
MESSAGES, GRADIENTS, METRICS = 1, 2, 3  # instance keys: which CollectiveReduce of the tasks belongs to which


class Replica(NamedTuple):
    """One of the tasks that train a network together.

    | field     | meaning                                                                       |
    |-----------|-------------------------------------------------------------------------------|
    | task      | number of this task, 0 to n_tasks - 1                                         |
    | n_tasks   | number of tasks                                                               |
    | group_key | number that the graphs of one network share, and no other network of the tasks |
    """

    task: int
    n_tasks: int
    group_key: int


_replicas: List[Replica] = []  # the innermost `replicated` is the last


@contextlib.contextmanager
def replicated(replica: Replica) -> Iterator[None]:
    """Context manager: the graph that is built inside belongs to a task of several."""
    _replicas.append(replica)
    try:
        yield
    finally:
        _replicas.pop()


def current() -> Optional[Replica]:
    """Return the Replica of the innermost `replicated`, or None outside."""
    return _replicas[-1] if _replicas else None


def split(dataset: Any) -> Any:
    """Return (dataset, share): a dataset that gives this task's share of each batch, and the fraction it takes.

    Each element becomes (share of the batch, weight), where the weight is the share's fraction of the rows. A task
    without a row, in a batch smaller than the number of tasks, gets the first row with weight 0.

    Args:
        dataset: of batches, each one tensor [n, ...].

    Returns:
        dataset: see above; the same dataset outside of `replicated`.
        share: int64[2] placeholder of (task, number of tasks), to be fed (0, 1) for whole batches; None outside.
    """
    replica = current()
    if replica is None:
        return dataset, None
    share = tf1.placeholder_with_default(np.array([replica.task, replica.n_tasks], np.int64), [2], name="share")

    def cut(batch: Any) -> Any:
        n = tf1.shape(batch, out_type=tf1.int64)[0]
        first, last = share[0] * n // share[1], (share[0] + 1) * n // share[1]
        return batch[first:tf1.maximum(last, first + 1)], tf1.cast(last - first, tf1.float32) / tf1.cast(n, tf1.float32)
    return dataset.map(tf1.autograph.experimental.do_not_convert(cut)), share


def map_batches(function: Callable[[Any], Any], dataset: Any) -> Any:
    """Return dataset.map(function), for a dataset that `split` returned; a share's weight stays beside it."""
    if current() is None:
        return dataset.map(function)
    return dataset.map(lambda batch, weight: (function(batch), weight))


def next_batch(iterator: Any) -> Any:
    """Return iterator.get_next(), for a dataset that `split` returned; the share's weight goes to a collection."""
    if current() is None:
        return iterator.get_next()
    batch, weight = iterator.get_next()
    tf1.add_to_collection(WEIGHT, weight)
    return batch


def minimize(optimizer: Any, loss: Any, global_step: Any = None, gated: bool = True) -> Any:
    """Return optimizer.minimize(loss, global_step), with the gradients of all tasks.

    One more number travels with the gradients: the sum of a variable that each task may set to ask all for an end. It
    is in the graph's collection STOP, as (variable, sum over the tasks).

    Args:
        optimizer: tf1.train.Optimizer.
        loss: float32[], the mean over the task's share of the batch.
        global_step: int64[] variable that counts the steps, or None.
        gated: True is TensorFlow 1's default, GATE_OP: all gradients of an operation are computed before one of them is
            used. False lets the next layer begin before the gradient of this layer's kernel is known. The gradients are
            the same. The reference variables of TensorFlow 1.15 are always gated: they may change while they are read.
    """
    gate = optimizer.GATE_OP if gated or tf1.version.VERSION.startswith("1.") else optimizer.GATE_NONE
    if current() is None:
        return optimizer.minimize(loss, global_step=global_step, gate_gradients=gate)
    weight, = tf1.get_collection(WEIGHT)
    gradients, variables = zip(*optimizer.compute_gradients(loss * weight, gate_gradients=gate))
    stop = tf1.Variable(0.0, trainable=False, collections=[], use_resource=True, name="stop")
    parts = [tf1.reshape(gradient, [-1]) for gradient in gradients] + [tf1.reshape(stop.read_value(), [1])]
    *sums, stop_sum = tf1.split(sum_over_tasks(tf1.concat(parts, 0), GRADIENTS),
                                [variable.shape.num_elements() for variable in variables] + [1])
    tf1.add_to_collection(STOP, (stop, stop_sum[0]))
    return optimizer.apply_gradients([(tf1.reshape(flat, variable.shape), variable)
                                      for flat, variable in zip(sums, variables)], global_step)


def whole_batch_metrics(metrics: Dict[str, Any]) -> Dict[str, Any]:
    """Return metrics, each a mean over the task's share of a batch, as means over the whole batch."""
    if current() is None:
        return metrics
    weight, = tf1.get_collection(WEIGHT)
    sums = tf1.unstack(sum_over_tasks(weight * tf1.stack(list(metrics.values())), METRICS), len(metrics))
    return dict(zip(metrics, sums))


def replica_tensors() -> Dict[str, Any]:
    """Return the tensors of GraphModel.tensors that only a replicated graph has.

    `replica_message` is an int32[n] placeholder, and `replica_messages` the sum of what the tasks feed to it. The
    others are the `share` of split, and the variable and the sum of minimize.
    """
    if current() is None:
        return {}
    message = tf1.placeholder(tf1.int32, [None], name="replica_message")
    (stop, stop_sum), = tf1.get_collection(STOP)
    return {"replica_message": message, "replica_messages": sum_over_tasks(message, MESSAGES),
            "replica_stop": stop, "replica_stop_sum": stop_sum}


def sum_over_tasks(values: Any, instance_key: int) -> Any:
    """Return the sum of a tensor over all tasks, the same bytes in each task.

    Args:
        values: tensor of the same dtype and shape in each task.
        instance_key: number that is the same in all tasks for this sum, and differs from the graph's other sums.
    """
    replica = current()
    assert replica is not None
    return tf1.raw_ops.CollectiveReduce(
        input=values, group_size=replica.n_tasks, group_key=replica.group_key, instance_key=instance_key,
        merge_op="Add", final_op="Id", subdiv_offsets=[0])
