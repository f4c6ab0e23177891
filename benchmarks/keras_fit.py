"""Our Keras twin, trained by model.fit: one call for all epochs, on arrays that are put in order before the call.

fit gathers each batch of an array by row numbers even if it does not shuffle, so that training without shuffling
only saves drawing an order. Section 4's one-hots are made before the call too. Section 2's rows continue from epoch
to epoch; there fit gets the report's pipeline, which is also faster for fit than an array.
"""
from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np

from benchmarks.tasks import Task
from tf1_autoencoders.keras_twin.weights import set_keras_weights
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils.frameworks import keras, tf1


class Implementation:
    """A section's Keras twin.

    Args:
        task: Task.
        jit_compile: True compiles the training step through XLA.
        whole_epochs: True gives fit a pipeline of whole batches without tf.data's autotuning, and lets each call of
            TensorFlow run all steps of an epoch (steps_per_execution).
    """

    def __init__(self, task: Task, jit_compile: bool = False, whole_epochs: bool = False) -> None:
        if task.threads:
            for set_threads in (tf1.config.threading.set_intra_op_parallelism_threads,
                                tf1.config.threading.set_inter_op_parallelism_threads):
                set_threads(task.threads)
        section, self.task, self.whole_epochs = SECTIONS[task.number], task, whole_epochs
        settings = section.settings_class(**task.settings)
        self.model = section.build_keras(settings)
        self.model.jit_compile = jit_compile
        set_keras_weights(self.model, task.weights)
        self.arrays = section.inputs_and_targets(
            task.arrays if task.order is None else [array[task.order] for array in task.arrays], settings)
        self.first_x, _ = section.inputs_and_targets([array[:task.batch_size] for array in task.arrays], settings)
        self.position = 0  # of the next row in section 2, counted without return to row 0

    def fit(self, n_rows: int, n_epochs: int, on_lap: Callable[[], None]) -> None:
        def end_epoch(epoch: int, logs: Any) -> None:
            if epoch % self.task.epochs_per_lap == 0:
                on_lap()

        options = dict(epochs=n_epochs, shuffle=False, verbose=0,
                       callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end_epoch)])
        size, (x, y) = self.task.batch_size, self.arrays
        n_steps = n_rows // size
        if self.whole_epochs and self.model.steps_per_execution != n_steps:
            self.model.steps_per_execution, self.model.train_function = n_steps, None  # fit makes the function again
        if self.task.order is None:  # tf1 in Keras code: fit takes the report's pipeline
            dataset = tf1.data.Dataset.from_tensor_slices((x, y)).repeat().skip(self.position).batch(size).prefetch(2)
            self.position += n_rows * n_epochs + size  # and the batch whose MSE the other implementations print
            self.model.fit(self._with_options(dataset), steps_per_epoch=n_steps, **options)
        elif self.whole_epochs:
            batches = tf1.nest.map_structure(lambda array: array[:n_rows].reshape(n_steps, size, *array.shape[1:]),
                                             (tuple(x) if isinstance(x, list) else x, y))
            dataset = tf1.data.Dataset.from_tensor_slices(batches).prefetch(2)
            self.model.fit(self._with_options(dataset), **options)
        else:
            self.model.fit(_first_rows(x, n_rows), y[:n_rows], batch_size=size, **options)

    def _with_options(self, dataset: Any) -> Any:
        options = tf1.data.Options()
        options.autotune.enabled = not self.whole_epochs
        return dataset.with_options(options)

    def predict(self, n: int) -> np.ndarray:
        return np.asarray(self.model.predict_on_batch(_first_rows(self.first_x, n)))

    def about(self) -> Dict[str, Any]:
        return {"TensorFlow": tf1.version.VERSION, "Keras": keras.version(),
                "threads": self.task.threads or "TensorFlow's default"}


def _first_rows(x: Any, n: int) -> Any:
    """Return the first n rows of an array, or of each array in a list."""
    return [array[:n] for array in x] if isinstance(x, list) else x[:n]
