"""Our Keras twin through model.fit: one call for all epochs, on arrays that are in their order before it starts.

fit gathers each batch of an array by row numbers whether it shuffles or not, so that to go without shuffling only
saves it the drawing of an order. Section 4's one-hots are made before, too.
"""
from __future__ import annotations

import numpy as np

from benchmarks.tasks import Task
from tf1_autoencoders import bridge
from tf1_autoencoders.catalog import SECTIONS
from tf1_autoencoders.frameworks import keras, tf1


class Contestant:
    """A section's Keras twin.

    Args:
        task: Task.
        jit_compile: through XLA?
    """

    def __init__(self, task: Task, jit_compile=False):
        if task.threads:
            for set_threads in (tf1.config.threading.set_intra_op_parallelism_threads,
                                tf1.config.threading.set_inter_op_parallelism_threads):
                set_threads(task.threads)
        section, self.task = SECTIONS[task.number].module, task
        settings = section.Settings(**task.settings)
        self.model = section.build_keras(settings)
        self.model.jit_compile = jit_compile
        bridge.set_keras_weights(self.model, task.weights)
        rows = task.turn()(task.rows_per_epoch)
        self.x, self.y = section.inputs_and_targets([array[rows] for array in task.arrays], settings)
        self.first_x, _ = section.inputs_and_targets([array[:task.batch_size] for array in task.arrays], settings)

    def fit(self, n_rows, n_epochs, lap):
        def end(epoch, logs):
            if epoch % self.task.epochs_per_lap == 0:
                lap()
        x, y = (self.x, self.y) if n_rows == self.task.rows_per_epoch else (_first(self.x, n_rows), self.y[:n_rows])
        self.model.fit(x, y, batch_size=self.task.batch_size, epochs=n_epochs, shuffle=False, verbose=0,
                       callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end)])

    def predict(self, n):
        return np.asarray(self.model.predict_on_batch(_first(self.first_x, n)))

    def about(self):
        return {"TensorFlow": tf1.version.VERSION, "Keras": keras.version(),
                "threads": self.task.threads or "TensorFlow's default"}


def _first(x, n):
    return [array[:n] for array in x] if isinstance(x, list) else x[:n]
