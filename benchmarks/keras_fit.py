"""Our Keras twin through model.fit: one call for all epochs, on arrays that are in their order before it starts.

fit gathers each batch of an array by row numbers whether it shuffles or not, so that to go without shuffling only
saves it the drawing of an order. Section 4's one-hots are made before, too. Section 2's rows run on from epoch to
epoch: there fit gets the report's pipeline, which is also faster for it than an array.
"""
from __future__ import annotations

import numpy as np

from benchmarks.tasks import Task
from tf1_autoencoders.keras_twin.weights import set_keras_weights
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils.frameworks import keras, tf1


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
        section, self.task = SECTIONS[task.number], task
        settings = section.Settings(**task.settings)
        self.model = section.build_keras(settings)
        self.model.jit_compile = jit_compile
        set_keras_weights(self.model, task.weights)
        self.arrays = section.inputs_and_targets(
            task.arrays if task.order is None else [array[task.order] for array in task.arrays], settings)
        self.first_x, _ = section.inputs_and_targets([array[:task.batch_size] for array in task.arrays], settings)
        self.position = 0  # of rows that are taken in turn

    def fit(self, n_rows, n_epochs, lap):
        def end(epoch, logs):
            if epoch % self.task.epochs_per_lap == 0:
                lap()
        options = dict(epochs=n_epochs, shuffle=False, verbose=0,
                       callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end)])
        size, (x, y) = self.task.batch_size, self.arrays
        if self.task.order is None:
            dataset = tf1.data.Dataset.from_tensor_slices((x, y)).repeat().skip(self.position).batch(size).prefetch(2)
            self.position += n_rows * n_epochs + size  # and the batch whose MSE the others print
            self.model.fit(dataset, steps_per_epoch=n_rows // size, **options)
        else:
            self.model.fit(_first(x, n_rows), y[:n_rows], batch_size=size, **options)

    def predict(self, n):
        return np.asarray(self.model.predict_on_batch(_first(self.first_x, n)))

    def about(self):
        return {"TensorFlow": tf1.version.VERSION, "Keras": keras.version(),
                "threads": self.task.threads or "TensorFlow's default"}


def _first(x, n):
    return [array[:n] for array in x] if isinstance(x, list) else x[:n]
