"""The network as a program of 2019 on the real TensorFlow 1.15.5: tests/tf115/original.py, each batch fed.

Section 2 has the report's own pipeline in the graph. The others feed each batch to a placeholder (feed_dict): section
4's 1.5 kB are fed in the time that a tf.data pipeline takes to hand them over, and beside the steps of sections 1 and 3
a batch's copy is nothing.
"""
from __future__ import annotations

import tensorflow as tf

from benchmarks.tasks import Task
from tests.tf115 import original


class Contestant:
    """A section's program.

    Args:
        task: Task.
        sizes: more arguments of the section's function.
    """

    def __init__(self, task: Task, **sizes):
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        program, self.task, self.take = original.PROGRAMS[f"section{task.number}"], task, task.turn()
        names = program.__code__.co_varnames[:program.__code__.co_argcount]
        self.network = program(**{name: task.settings[name] for name in names if name in task.settings}, **sizes)
        self.session = tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=task.threads,
                                                        inter_op_parallelism_threads=task.threads))
        self.session.run(tf.global_variables_initializer())
        for variable in tf.trainable_variables():
            variable.load(task.weights[variable.op.name], self.session)
        if self.network.start is not None:
            self.session.run(self.network.start, dict(zip(self.network.inputs, task.arrays)))

    def fit(self, n_rows, n_epochs, lap):
        network, run, size = self.network, self.session.run, self.task.batch_size
        for epoch in range(n_epochs):
            if network.start is not None:
                for _ in range(n_rows // size):
                    run(network.train_op)
                if epoch % self.task.epochs_per_lap:
                    continue
                run(network.loss)
            else:
                rows, losses = self.take(n_rows), []
                for k in range(0, n_rows, size):
                    batch = rows[k:k + size]
                    feeds = {tensor: array[batch] for tensor, array in zip(network.inputs, self.task.arrays)}
                    losses.append(run([network.loss, network.train_op], feeds)[0])
            lap()

    def predict(self, n):
        feeds = {tensor: array[:n] for tensor, array in zip(self.network.inputs, self.task.arrays)}
        if self.network.start is not None:
            self.session.run(self.network.start, feeds)
            feeds = {}
        return self.session.run(self.network.outputs, feeds)

    def about(self):
        return {"TensorFlow": tf.__version__, "threads": self.task.threads or "TensorFlow's default"}
