"""Several tasks train one network: between-graph replication with TensorFlow's own collective operations.

Each task builds its own copy of the graph inside `with strategy.scope(Replicated(...))`, and trains on its share of
each batch. Three places of a graph differ then:

- the input pipeline gives the task's share of each batch, rows task * n / W to (task + 1) * n / W of n;
- the optimiser adds up the gradients of all tasks before it applies them;
- each metric is the mean over the whole batch.

The gradients travel in one flat buffer, in one CollectiveReduce a step, so that every task applies the same bytes.
A task's mean is weighted with its share of the rows; the sum over the tasks is then the mean over the whole batch.
"""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np

from tf1_autoencoders.graphs.strategy import Strategy
from tf1_autoencoders.utils.frameworks import tf1

MESSAGES, GRADIENTS, METRICS = 1, 2, 3  # instance keys: which CollectiveReduce of the tasks belongs to which


class Replicated(Strategy):
    """The strategy of one task of several, for one graph.

    Args:
        task: number of this task, 0 to n_tasks - 1.
        n_tasks: number of tasks.
        group_key: number that the graphs of one network share, and no other network of the tasks.
    """

    def __init__(self, task: int, n_tasks: int, group_key: int) -> None:
        self.task, self.n_tasks, self.group_key = task, n_tasks, group_key
        self._share: Any = None  # int64[2] placeholder of (task, n_tasks); a trainer feeds (0, 1) for whole batches
        self.weight: Any = None  # float32[], the share's fraction of the rows
        self.stop: Any = None  # variable, a stop flag that any task can raise
        self.stop_sum: Any = None  # float32[], the sum of the flags of all tasks

    def divide(self, batches: Any) -> Any:
        """Return a dataset whose elements are (share of the batch, weight).

        A task without a row, in a batch smaller than the number of tasks, gets the first row with weight 0.
        """
        self._share = share = tf1.placeholder_with_default(np.array([self.task, self.n_tasks], np.int64), [2],
                                                           name="share")

        def cut(batch: Any) -> Any:
            n = tf1.shape(batch, out_type=tf1.int64)[0]
            first, last = share[0] * n // share[1], (share[0] + 1) * n // share[1]
            return (batch[first:tf1.maximum(last, first + 1)],
                    tf1.cast(last - first, tf1.float32) / tf1.cast(n, tf1.float32))
        return batches.map(tf1.autograph.experimental.do_not_convert(cut))

    def next_batch(self, iterator: Any) -> Any:
        """Return the share of the next batch, and keep its weight."""
        batch, self.weight = iterator.get_next()
        return batch

    def wrap(self, optimizer: Any) -> Any:
        """Return the optimiser as a DistributedOptimizer."""
        return DistributedOptimizer(optimizer, self)

    def whole_batch_metrics(self, metrics: Dict[str, Any]) -> Dict[str, Any]:
        """Return metrics, each a mean over the task's share of a batch, as means over the whole batch."""
        sums = tf1.unstack(self.sum_over_tasks(self.weight * tf1.stack(list(metrics.values())), METRICS), len(metrics))
        return dict(zip(metrics, sums))

    def tensors(self) -> Dict[str, Any]:
        """Return the tensors that a WorkerTrainer needs.

        `worker_message` is an int32[n] placeholder, and `worker_messages` the sum of what the tasks feed to it.
        """
        message = tf1.placeholder(tf1.int32, [None], name="worker_message")
        return {"worker_share": self._share, "worker_stop": self.stop, "worker_stop_sum": self.stop_sum,
                "worker_message": message, "worker_messages": self.sum_over_tasks(message, MESSAGES)}

    def sum_over_tasks(self, values: Any, instance_key: int) -> Any:
        """Return the sum of a tensor over all tasks, the same bytes in each task.

        Args:
            values: tensor of the same dtype and shape in each task.
            instance_key: number that is the same in all tasks for this sum, and differs from the graph's other sums.
        """
        return tf1.raw_ops.CollectiveReduce(
            input=values, group_size=self.n_tasks, group_key=self.group_key, instance_key=instance_key,
            merge_op="Add", final_op="Id", subdiv_offsets=[0])


class DistributedOptimizer:
    """An optimiser that applies the sum of all tasks' gradients; its methods are those of tf1.train.Optimizer.

    One more number travels with the gradients: the sum of the tasks' stop flags.

    Args:
        optimizer: tf1.train.Optimizer.
        strategy: Replicated.
    """

    def __init__(self, optimizer: Any, strategy: Replicated) -> None:
        self._optimizer, self._strategy = optimizer, strategy

    def compute_gradients(self, loss: Any, **arguments: Any) -> List[Tuple[Any, Any]]:
        """Return [(gradient of the mean over the whole batch, variable)] of a mean over this task's share."""
        strategy = self._strategy
        gradients, variables = zip(*self._optimizer.compute_gradients(loss * strategy.weight, **arguments))
        strategy.stop = tf1.Variable(0.0, trainable=False, collections=[], use_resource=True, name="stop")
        parts = [tf1.reshape(gradient, [-1]) for gradient in gradients]
        parts.append(tf1.reshape(strategy.stop.read_value(), [1]))
        *sums, stop_sum = tf1.split(strategy.sum_over_tasks(tf1.concat(parts, 0), GRADIENTS),
                                    [variable.shape.num_elements() for variable in variables] + [1])
        strategy.stop_sum = stop_sum[0]
        return [(tf1.reshape(flat, variable.shape), variable) for flat, variable in zip(sums, variables)]

    def apply_gradients(self, gradients: Any, global_step: Any = None) -> Any:
        """Return the operation that applies [(gradient, variable)]."""
        return self._optimizer.apply_gradients(gradients, global_step)

    def minimize(self, loss: Any, global_step: Any = None, **arguments: Any) -> Any:
        """Return the operation of one step on the whole batch; further arguments are those of compute_gradients."""
        return self.apply_gradients(self.compute_gradients(loss, **arguments), global_step)
