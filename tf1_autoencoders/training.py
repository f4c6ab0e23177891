"""The only training loop, and the two kinds of trainer that go through it; it knows no section.

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

import dataclasses
import math
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import numpy as np
from tqdm import tqdm

from tf1_autoencoders import bridge, checkpoint
from tf1_autoencoders.errors import UserError
from tf1_autoencoders.frameworks import keras, tf1
from tf1_autoencoders.interrupts import Interrupted


class Measurement(NamedTuple):
    """What the metrics were after an epoch (counted from 0)."""

    epoch: int
    metrics: Dict[str, float]


@dataclasses.dataclass
class Progress:
    """How far a training has come: all that it goes on from, beside the variables; JSON can hold it."""

    n_steps: int = 0  # training steps done
    epoch: int = 0  # the epoch at hand, counted from 0
    step: int = 0  # steps of it done
    partial: List[Any] = dataclasses.field(default_factory=list)  # what the trainer measured in them
    measurements: List[Any] = dataclasses.field(default_factory=list)  # [epoch, {metric: value}] of those before
    finished: bool = False

    def stepped(self):
        self.n_steps, self.step = self.n_steps + 1, self.step + 1

    def epoch_done(self, metrics, finished):
        if metrics:
            self.measurements.append([self.epoch, metrics])
        self.epoch, self.step, self.partial, self.finished = self.epoch + 1, 0, [], finished


class Session:
    """A tf1.Session on a model's graph that counts the seconds spent inside run(); a context manager.

    Args:
        model: GraphModel.
        threads: CPU threads within and between operations; 0 leaves the number to TensorFlow. With one, operations run
            one after the other without a scheduler, which is the fastest where they are small.
        precision: float32, or bfloat16 for products and convolutions in that type: TensorFlow's graph rewriter puts the
            casts in; variables, their updates and what is sensitive stay float32.

    Raises:
        UserError: this CPU or this TensorFlow has no bfloat16.
    """

    def __init__(self, model, threads=0, precision="float32"):
        config = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        if threads == 1 and not tf1.version.VERSION.startswith("1."):  # there it knows no reference variables
            config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
        if precision == "bfloat16":
            check_bfloat16()
            rewriter = config.graph_options.rewrite_options
            rewriter.auto_mixed_precision_onednn_bfloat16 = rewriter.ON
        self.tf1_session = tf1.Session(graph=model.graph, config=config)
        self.seconds_in_run = 0.0

    def run(self, fetches, feed_dict=None):
        return self._timed(self.tf1_session.run, fetches, feed_dict)

    def callable(self, fetches):
        """A function without arguments that runs the fetches, prepared once: for steps, of which there are many."""
        with self.tf1_session.graph.as_default():
            prepared = self.tf1_session.make_callable(fetches)
        return lambda: self._timed(prepared)

    def _timed(self, run, *args):
        start = time.perf_counter()
        try:
            return run(*args)
        finally:
            self.seconds_in_run += time.perf_counter() - start

    def __enter__(self):  # the default graph stays as it is, so that eager Keras can be used in the block
        return self

    def __exit__(self, *_):
        self.tf1_session.close()


def check_bfloat16(cpu=Path("/proc/cpuinfo")):
    """Raises UserError where this CPU or this TensorFlow has no bfloat16, which would only make it slow."""
    if not hasattr(tf1.ConfigProto().graph_options.rewrite_options, "auto_mixed_precision_onednn_bfloat16"):
        raise UserError(f"--precision bfloat16: TensorFlow {tf1.version.VERSION} cannot rewrite a graph for it; "
                        "use a newer one, or leave it out")
    flags = set(cpu.read_text().split()) if cpu.exists() else set()
    if not flags & {"avx512_bf16", "amx_bf16"}:
        raise UserError("--precision bfloat16: this CPU says neither avx512_bf16 nor amx_bf16 in /proc/cpuinfo; "
                        "leave it out")


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
        values = bridge.keras_weights(self.model)
        if not weights_only:
            values.update((name, np.asarray(variable)) for name, variable in self._state().items())
        checkpoint.write_arrays(values, folder)

    def restore(self, path, weights_only=False):
        if weights_only:
            shapes = {name: array.shape for name, array in bridge.keras_weights(self.model).items()}
            bridge.set_keras_weights(self.model, checkpoint.read_arrays(path, shapes))
            return
        state = self._state()
        for name, array in checkpoint.read_arrays(path, {name: v.shape for name, v in state.items()}).items():
            state[name].assign(array)


def _sizes(n, batch_size):
    """Of the batches of n rows."""
    return [min(batch_size, n - k) for k in range(0, n, batch_size)]


def _mean(metrics, sizes):
    """The mean over rows of {name: mean over a batch}, as Keras's running means weigh a short last batch."""
    return {name: float(np.average([float(batch[name]) for batch in metrics], weights=sizes)) for name in metrics[0]}


def fit(trainer, *, n_epochs, rows_of, measure_every=None, measured_rows_of=None, validation_rows=None, patience=None,
        progress=None, save=None, save_every=1, interrupts=()):
    """Train, and yield Measurements; of a training that goes on, those that were made before come first.

    Two ways of measuring: Keras's, the mean over the epoch while training, after every epoch; and the report's in
    section 2 (measured_rows_of is given), some rows after epochs 0, measure_every, 2 * measure_every, ...

    Args:
        trainer: GraphTrainer or KerasTrainer.
        n_epochs: whole number, 1 or more.
        rows_of: function of the epoch, the rows to train on in their order.
        measure_every, measured_rows_of: see above; measured_rows_of is a function of the epoch.
        validation_rows: rows that are measured after each epoch, as val_loss, ...; None for none.
        patience: epochs to go on without a better val_loss, as Keras's EarlyStopping counts them; None to go on.
        progress: Progress to go on from, the trainer restored to it; None to start at the beginning.
        save: function of a Progress, called at the end, every save_every epochs, and where training is interrupted.
        interrupts: list that a signal's number is put into to end the training after the step at hand.

    Raises:
        UserError: a metric is no longer finite.
        Interrupted: by a signal; what was trained is saved.
    """
    progress = progress or Progress()
    for measurement in progress.measurements:
        yield Measurement(*measurement)
    with tqdm(unit="step", leave=False, file=sys.stderr, disable=None, initial=progress.n_steps) as bar:
        def tick():
            bar.update(1)
            return bool(interrupts)
        while not progress.finished:
            epoch, rows = progress.epoch, rows_of(progress.epoch)
            bar.total = bar.total or n_epochs * math.ceil(len(rows) / trainer.batch_size)
            bar.set_description(f"Epoch {epoch + 1}/{n_epochs}", refresh=False)
            metrics = trainer.train(rows, measured_rows_of is None, progress, tick)
            if metrics is not None:
                if measured_rows_of is not None and epoch % measure_every == 0:
                    metrics = trainer.measure(measured_rows_of(epoch))
                if validation_rows is not None:
                    metrics.update((f"val_{name}", value) for name, value in trainer.measure(validation_rows).items())
                for name, value in metrics.items():
                    if not math.isfinite(value):
                        raise UserError(f"epoch {epoch}: the {name} is {value}, training has diverged; "
                                        "try a smaller --learning-rate (nothing of this epoch was saved)")
                progress.epoch_done(metrics, epoch + 1 == n_epochs)
                progress.finished |= patience is not None and _waited(progress.measurements) >= patience
                bar.set_postfix({name: f"{value:.4g}" for name, value in metrics.items()}, refresh=False)
            if save and (interrupts or progress.finished or progress.epoch % save_every == 0):
                save(progress)
            if metrics:
                bar.clear()  # the line is free for what is printed now; the next step draws the bar again
                yield Measurement(epoch, metrics)
            if interrupts and not progress.finished:
                raise Interrupted(interrupts[0], f"interrupted after step {progress.n_steps}")


def _waited(measurements):
    """Epochs since the best val_loss."""
    losses = [metrics["val_loss"] for _, metrics in measurements]
    return len(losses) - 1 - losses.index(min(losses))
