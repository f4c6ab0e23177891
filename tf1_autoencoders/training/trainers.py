"""The two kinds of trainer that go through the training loop: one for a graph, one for its Keras twin.

A trainer holds a network and the arrays it learns from, and is told which rows to take:

    train(rows, measured, progress, tick)   a step on each batch of an epoch's rows in their order, from
                                            progress.step on; the metrics' means where measured; tick() is called
                                            after each step, and where it is true training stops: None
    measure(rows)                           the metrics' means over the rows
    predict(*arrays)                        the outputs for other arrays, all rows in order
    write(folder, weights_only)             its checkpoint
    restore(path, weights_only)             takes one back, so that training goes on to the same bytes
"""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.checkpointing import saver as checkpoint
from tf1_autoencoders.keras_twin.weights import keras_weights, set_keras_weights
from tf1_autoencoders.utils.errors import UsageError
from tf1_autoencoders.utils.frameworks import keras, tf1


class GraphTrainer:
    """Trains a GraphModel in a session.

    Args:
        session: Session in which the model's variables have their values, or get them before the first use.
        model: GraphModel.
        arrays: one for each of model.pipeline.data, [n, ...].
        batch_size: rows a step.
    """

    def __init__(self, session, model, arrays, batch_size):
        self.session, self.model, self.batch_size = session, model, batch_size
        model.graph.finalize()  # nothing is added to it from here on, however long the training
        self._load(arrays, batch_size)

    def _load(self, arrays, batch_size, first=0):
        """Put the arrays into the graph; of repeated batches, `first` is the row that comes next."""
        self.arrays, self._position, pipeline = arrays, first, self.model.pipeline
        if pipeline.load is None:
            pipeline.data[:] = arrays
            return
        feeds = dict(zip(pipeline.data, arrays))
        if pipeline.order is None:
            feeds = {data: np.roll(array, -first, axis=0) for data, array in feeds.items()} if first else feeds
            feeds[pipeline.batch_size] = batch_size
        self.session.run(pipeline.load, feeds)

    def start(self, rows, batch_size=None):
        """Make the pipeline give these rows next; returns the batches' sizes."""
        pipeline, n, batch_size = self.model.pipeline, len(rows), batch_size or self.batch_size
        if pipeline.order is not None:
            self.session.run(pipeline.start, {pipeline.order: rows, pipeline.batch_size: batch_size})
        else:  # it runs on by itself; where other rows are asked for, it is started anew there
            n_rows = len(self.arrays[0])
            if n % batch_size or rows[-1] != (rows[0] + n - 1) % n_rows:
                raise ValueError(f"repeated batches: rows {rows[0]} to {rows[-1]} are not {n} in a row")
            if rows[0] != self._position:
                self._load(self.arrays, batch_size, rows[0])
            self._position = (rows[0] + n) % n_rows
        return _sizes(n, batch_size)

    def train(self, rows, measured, progress, tick):
        sizes = _sizes(len(rows), self.batch_size)
        if progress.step < len(sizes):
            self.start(rows[progress.step * self.batch_size:])
        step = self.session.callable([self.model.metrics, self.model.train_op] if measured else self.model.train_op)
        while progress.step < len(sizes):
            values = step()
            if measured:
                progress.partial.append({name: float(value) for name, value in values[0].items()})
            progress.stepped()
            if tick() and progress.step < len(sizes):
                return None
        return _mean(progress.partial, sizes) if measured else {}

    def measure(self, rows):
        sizes = self.start(rows)
        measure = self.session.callable(self.model.metrics)
        return _mean([measure() for _ in sizes], sizes)

    def first_batch(self, rows):
        """The features of one batch, taken from the pipeline and not trained on."""
        self.start(rows)
        return self.session.run(self.model.features)

    def predict(self, *arrays, batch_size=1000, fetch=None):
        """The outputs (or the tensor to fetch) for other arrays, [n, ...]; those given before leave the graph."""
        n, fetch = len(arrays[0]), self.model.outputs if fetch is None else fetch
        self._load(arrays, batch_size)
        if self.model.pipeline.order is not None:
            self.start(np.arange(n), batch_size)
        self._position = None
        return np.concatenate([self.session.run(fetch) for _ in range(0, n, batch_size)])[:n]

    def write(self, folder, weights_only=False):
        checkpoint.write(self.session, self.model.weights_saver if weights_only else self.model.saver, folder)

    def restore(self, path, weights_only=False):
        model = self.model
        saver, variables = (model.weights_saver, model.weights) if weights_only else (model.saver, model.variables)
        checkpoint.restore(self.session, saver, variables, path)


class KerasTrainer:
    """Trains a compiled Keras model, by fit and evaluate, one epoch a call.

    Args:
        model: compiled keras.Model.
        arrays: as a GraphTrainer's.
        batch_size: rows a step.
        section: the section's module; its inputs_and_targets gives what fit takes as x and y, its keras_metrics,
            where it has one, the section's metrics from Keras's.
        settings: the section's.
    """

    def __init__(self, model, arrays, batch_size, section, settings):
        self.model, self.arrays, self.batch_size = model, arrays, batch_size
        self._section = section
        self._metrics = getattr(section, "keras_metrics", lambda settings, model, values: values)
        self._settings = settings

    def _of(self, rows):
        return self._section.inputs_and_targets([array[rows] for array in self.arrays], self._settings)

    def train(self, rows, measured, progress, tick):
        x, y = self._of(rows[progress.step * self.batch_size:])
        model, n_steps, stopped = self.model, len(_sizes(len(rows), self.batch_size)), []
        if progress.partial:
            self.measure(rows[:1])  # Keras makes the metrics' variables when they are used first

        def begin(epoch, logs):
            for variable, value in zip(model.metrics_variables, progress.partial):
                variable.assign(value)

        def end_step(batch, logs):
            progress.stepped()
            if tick() and progress.step < n_steps:
                model.stop_training = True
                stopped.append(True)
        callback = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_train_batch_end=end_step)
        fitted = model.fit(x, y, batch_size=self.batch_size, shuffle=False, verbose=0, callbacks=[callback])
        if stopped:
            progress.partial = [np.asarray(variable).tolist() for variable in model.metrics_variables]
            return None
        values = {name: fitted.history[name][0] for name in sorted(fitted.history, key="loss".__ne__)}  # loss first
        return self._metrics(self._settings, model, values) if measured else {}

    def measure(self, rows):
        x, y = self._of(rows)
        values = np.atleast_1d(self.model.evaluate(x, y, batch_size=self.batch_size, verbose=0)).tolist()
        return self._metrics(self._settings, self.model, dict(zip(("loss", "acc"), values)))

    def first_batch(self, rows):
        """The features of one batch, not trained on."""
        return np.asarray(self._of(rows)[0])

    def predict(self, *arrays, batch_size=1000):
        """The outputs for other arrays, float32[n, ...]."""
        x, _ = self._section.inputs_and_targets(arrays, self._settings)
        return self.model.predict(x, batch_size=batch_size, verbose=0)

    def _state(self):
        """What the twin goes on from, in Keras's own layout: {name in the checkpoint: variable}."""
        self.model.optimizer.build(self.model.trainable_variables)
        variables = [*self.model.weights, *self.model.optimizer.variables]
        return {f"keras/{number:03}/{variable.name}": variable for number, variable in enumerate(variables)}

    def write(self, folder, weights_only=False):
        """Its weights as a TensorFlow 1 checkpoint, and beside them, unless weights_only, what it goes on from."""
        values = keras_weights(self.model)
        if not weights_only:
            values.update((name, np.asarray(variable)) for name, variable in self._state().items())
        checkpoint.write_arrays(values, folder)

    def restore(self, path, weights_only=False):
        if weights_only:
            shapes = {name: array.shape for name, array in keras_weights(self.model).items()}
            set_keras_weights(self.model, checkpoint.read_arrays(path, shapes))
            return
        state = self._state()
        for name, array in checkpoint.read_arrays(path, {name: v.shape for name, v in state.items()}).items():
            state[name].assign(array)


def set_keras_threads(threads):
    """Have TensorFlow use this number of CPU threads for Keras; 0 leaves the number to TensorFlow.

    Raises:
        UsageError: TensorFlow has started in this process with another number.
    """
    threading = tf1.config.threading
    try:
        if threads:
            threading.set_intra_op_parallelism_threads(threads)
            threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise UsageError(f"--threads {threads}: TensorFlow already runs in this process with another number for Keras; "
                         "leave it out") from error


def _sizes(n, batch_size):
    """Of the batches of n rows."""
    return [min(batch_size, n - k) for k in range(0, n, batch_size)]


def _mean(metrics, sizes):
    """The mean over rows of {name: mean over a batch}, as Keras's running means weigh a short last batch."""
    return {name: float(np.average([float(batch[name]) for batch in metrics], weights=sizes)) for name in metrics[0]}
