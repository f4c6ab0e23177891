"""The network as a program of 2019 on the real TensorFlow 1.15.5, from tests/tf115/original.py.

Section 2 has the report's own pipeline in the graph. The other sections feed each batch to a placeholder (feed_dict).
Feeding section 4's 1.5 kB takes as long as a tf.data pipeline takes to deliver them. In sections 1 and 3 the copy of a
batch is negligible compared with a step.
"""
from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np
import tensorflow as tf

from benchmarks.tasks import Task
from tests.tf115 import original


class Implementation:
    """A section's original program.

    Args:
        task: Task.
        options: further arguments of the section's function in original.py.
    """

    def __init__(self, task: Task, **options: Any) -> None:
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        self.task, self.next_rows = task, task.make_next_rows()
        program = original.PROGRAMS[f"section{task.number}"]
        names = program.__code__.co_varnames[:program.__code__.co_argcount]
        self.network = program(**{name: task.settings[name] for name in names if name in task.settings}, **options)
        self.session = tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=task.threads,
                                                        inter_op_parallelism_threads=task.threads))
        self.session.run(tf.global_variables_initializer())
        for variable in tf.trainable_variables():
            variable.load(task.weights[variable.op.name], self.session)
        if self.network.initializer is not None:
            self.session.run(self.network.initializer, dict(zip(self.network.inputs, task.arrays)))

    def fit(self, n_rows: int, n_epochs: int, on_lap: Callable[[], None]) -> None:
        network, run, size = self.network, self.session.run, self.task.batch_size
        for epoch in range(n_epochs):
            if network.initializer is not None:
                for _ in range(n_rows // size):
                    run(network.train_op)
                if epoch % self.task.epochs_per_lap:
                    continue
                run(network.loss)
            else:
                rows, losses = self.next_rows(n_rows), []
                for k in range(0, n_rows, size):
                    batch = rows[k:k + size]
                    feeds = {tensor: array[batch] for tensor, array in zip(network.inputs, self.task.arrays)}
                    losses.append(run([network.loss, network.train_op], feeds)[0])
            on_lap()

    def predict(self, n: int) -> np.ndarray:
        feeds = {tensor: array[:n] for tensor, array in zip(self.network.inputs, self.task.arrays)}
        if self.network.initializer is not None:
            self.session.run(self.network.initializer, feeds)
            feeds = {}
        return self.session.run(self.network.outputs, feeds)

    def about(self) -> Dict[str, Any]:
        return {"TensorFlow": tf.__version__, "threads": self.task.threads or "TensorFlow's default"}
