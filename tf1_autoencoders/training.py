"""The only training loop, and the two kinds of trainer that go through it; it knows no section.

A trainer holds a network and the arrays it learns from, and is told which rows to take:

    train(rows, measured, tick)   a step on each batch of the rows in their order; the metrics' means where measured;
                                  tick(1) is called after each step
    measure(rows)                 the metrics' means over the rows
    predict(*arrays)              the outputs for other arrays, all rows in order
"""
from __future__ import annotations

import math
import sys
import time
from typing import Dict, NamedTuple

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.errors import UserError
from tf1_autoencoders.frameworks import keras, tf1


class Measurement(NamedTuple):
    """What the metrics were after an epoch (counted from 0)."""

    epoch: int
    metrics: Dict[str, float]


class Session:
    """A tf1.Session on a model's graph that counts the seconds spent inside run(); a context manager.

    Args:
        model: GraphModel.
        threads: CPU threads within and between operations; 0 leaves the number to TensorFlow.
    """

    def __init__(self, model, threads=0):
        config = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        self.tf1_session = tf1.Session(graph=model.graph, config=config)
        self.seconds_in_run = 0.0

    def run(self, fetches, feed_dict=None):
        start = time.perf_counter()
        try:
            return self.tf1_session.run(fetches, feed_dict)
        finally:
            self.seconds_in_run += time.perf_counter() - start

    def __enter__(self):  # the default graph stays as it is, so that eager Keras can be used in the block
        return self

    def __exit__(self, *_):
        self.tf1_session.close()


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
        self.n_rows = len(arrays[0])
        self._load(arrays, batch_size)
        self._position = 0  # of a pipeline of repeated batches: the row that comes next

    def _load(self, arrays, batch_size):
        pipeline = self.model.pipeline
        feeds = dict(zip(pipeline.data, arrays))
        if pipeline.order is None:
            feeds[pipeline.batch_size] = batch_size
        self.session.run(pipeline.load, feeds)

    def start(self, rows, batch_size=None):
        """Make the pipeline give these rows next; returns the batches' sizes."""
        pipeline, n, batch_size = self.model.pipeline, len(rows), batch_size or self.batch_size
        if pipeline.order is not None:
            self.session.run(pipeline.start, {pipeline.order: rows, pipeline.batch_size: batch_size})
        else:  # it runs on by itself, so the rows asked for must be those that come
            if n % batch_size or rows[0] != self._position or rows[-1] != (self._position + n - 1) % self.n_rows:
                raise ValueError(f"repeated batches: row {self._position} comes next, not {rows[0]}")
            self._position = (self._position + n) % self.n_rows
        return [min(batch_size, n - k) for k in range(0, n, batch_size)]

    def train(self, rows, measured, tick):
        sizes, metrics = self.start(rows), []
        fetches = [self.model.metrics, self.model.train_op] if measured else self.model.train_op
        for _ in sizes:
            metrics.append(self.session.run(fetches))
            tick(1)
        return _mean([values for values, _ in metrics], sizes) if measured else {}

    def measure(self, rows):
        sizes = self.start(rows)
        return _mean([self.session.run(self.model.metrics) for _ in sizes], sizes)

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
        self.n_rows = 0
        return np.concatenate([self.session.run(fetch) for _ in range(0, n, batch_size)])[:n]


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

    def train(self, rows, measured, tick):
        x, y = self._of(rows)
        ticking = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: tick(1))
        fitted = self.model.fit(x, y, batch_size=self.batch_size, shuffle=False, verbose=0, callbacks=[ticking])
        values = {name: fitted.history[name][0] for name in sorted(fitted.history, key="loss".__ne__)}  # loss first
        return self._metrics(self._settings, self.model, values) if measured else {}

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


def _mean(metrics, sizes):
    """The mean over rows of {name: mean over a batch}, as Keras's running means weigh a short last batch."""
    return {name: float(np.average([float(batch[name]) for batch in metrics], weights=sizes)) for name in metrics[0]}


def fit(trainer, *, n_epochs, rows_of, measure_every=None, measured_rows_of=None, validation_rows=None, patience=None):
    """Train, and yield Measurements.

    Two ways of measuring: Keras's, the mean over the epoch while training, after every epoch; and the report's in
    section 2 (measured_rows_of is given), some rows after epochs 0, measure_every, 2 * measure_every, ...

    Args:
        trainer: GraphTrainer or KerasTrainer.
        n_epochs: whole number, 1 or more.
        rows_of: function of the epoch, the rows to train on in their order.
        measure_every, measured_rows_of: see above; measured_rows_of is a function of the epoch.
        validation_rows: rows that are measured after each epoch, as val_loss, ...; None for none.
        patience: epochs to go on without a better val_loss, as Keras's EarlyStopping counts them; None to go on.

    Raises:
        UserError: a metric is no longer finite.
    """
    best, best_epoch = math.inf, 0
    with tqdm(unit="step", leave=False, file=sys.stderr, disable=None) as bar:
        for epoch in range(n_epochs):
            rows = rows_of(epoch)
            bar.total = bar.total or n_epochs * math.ceil(len(rows) / trainer.batch_size)
            bar.set_description(f"Epoch {epoch + 1}/{n_epochs}", refresh=False)
            metrics = trainer.train(rows, measured_rows_of is None, bar.update)
            if measured_rows_of is not None:
                if epoch % measure_every:
                    continue
                metrics = trainer.measure(measured_rows_of(epoch))
            if validation_rows is not None:
                metrics.update((f"val_{name}", value) for name, value in trainer.measure(validation_rows).items())
            for name, value in metrics.items():
                if not math.isfinite(value):
                    raise UserError(f"epoch {epoch}: the {name} is {value}, training has diverged; "
                                    "try a smaller --learning-rate (nothing was saved)")
            bar.set_postfix({name: f"{value:.4g}" for name, value in metrics.items()}, refresh=False)
            bar.clear()  # the line is free for what is printed now; the next step draws the bar again
            yield Measurement(epoch, metrics)
            if patience is not None:
                if metrics["val_loss"] < best:
                    best, best_epoch = metrics["val_loss"], epoch
                elif epoch - best_epoch >= patience:
                    return
