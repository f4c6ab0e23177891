"""What the runs of the sections share: a network of either backend, training by epochs, the layer table."""
from __future__ import annotations

import contextlib
import dataclasses
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf1_autoencoders.checkpointing import saver, store
from tf1_autoencoders.reporting.metrics import log_distance
from tf1_autoencoders.reporting.published import LAYERS
from tf1_autoencoders.reporting.run_log import Options, Report, describe, n_threads
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.loop import Progress, fit
from tf1_autoencoders.training.row_order import n_train, shuffled
from tf1_autoencoders.training.session import Session
from tf1_autoencoders.utils import interrupts
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import lock, prepare
from tf1_autoencoders.utils.frameworks import keras
from tf1_autoencoders.utils.paths import shown

N_SHOWN = 10  # pictures in a grid


class Network(NamedTuple):
    """A network of either backend, ready to train."""

    trainer: Any  # trainers.GraphTrainer or trainers.KerasTrainer
    model: Any  # GraphModel, or keras.Model
    session: Any  # training.Session, or None


@contextlib.contextmanager
def network(section, settings, arrays, options):
    """The section's network on the arrays, by options.backend; a context, in which its session is open."""
    if options.backend == "keras":
        trainers.set_keras_threads(n_threads(section, options))
        keras.utils.set_random_seed(settings.seed)
        twin = section.build_keras(settings)
        yield Network(trainers.KerasTrainer(twin, arrays, settings.batch_size, section, settings), twin, None)
        return
    model = section.build_graph(settings)
    with Session(model, n_threads(section, options), options.precision) as session:
        session.run(model.initializer)
        yield Network(trainers.GraphTrainer(session, model, arrays, settings.batch_size), model, session)


class Kept:
    """The checkpoints of a run, and what its training goes on from; a context manager that holds its folders.

    Args:
        section: its module.
        options: results.Options.

    Raises:
        UserError: the folder of checkpoints cannot be written to, or another run is at work there.
    """

    def __init__(self, section, options):
        self._section, self._options, self._stack = section, options, contextlib.ExitStack()
        self._store = self._stack.enter_context(store.Store(Path(options.checkpoint_dir) / f"section{section.NUMBER}"))
        self.path = self._store.folder / saver.NAME  # the latest, under the report's name

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self._store.end()
        self._stack.close()

    def report(self, settings, source, arrays):
        """The Report of a run on these, once it is clear what is to become of a former run.

        Raises:
            UserError: see store.Store.begin; or another run writes its results to the same folder.
        """
        section, options = self._section, self._options
        self._described = describe(section, settings, options, source, arrays)
        results = prepare(Path(options.out) / self._store.folder.name)
        if results.resolve() != self._store.folder.resolve():
            self._stack.enter_context(lock(results, "--out"))
        self._found = self._store.begin(self._described, options.resume, warn)
        return Report(section, settings, options, source, self._described)

    @contextlib.contextmanager
    def training(self, report, made):
        """Around the training: takes up a former run, gives the arguments of training.fit that keep this one.

        Says how long it took. On SIGINT and SIGTERM the step at hand ends, is saved, and Interrupted is raised.
        """
        trainer, found, options = made.trainer, self._found, self._options
        progress = Progress()
        if found:
            try:
                progress = Progress(**found.progress)
            except TypeError as error:
                raise UserError(f"{shown(found.path)}: not the progress of a training ({error}); "
                                "choose another --checkpoint-dir") from error
            weights_only = progress.finished and options.weights_only
            trainer.restore(found.path / saver.NAME, weights_only)
            warn(f"goes on from {shown(found.path)}" + (", which is the end" if progress.finished else ""))

        saves = []

        def save(progress):
            start = time.perf_counter()
            self._store.save(progress.n_steps,
                             lambda folder: trainer.write(folder, progress.finished and options.weights_only),
                             self._described, dataclasses.asdict(progress))
            saves.append(time.perf_counter() - start)
        if made.session:
            report.graph(made.model)
        with interrupts.noted() as received:
            with contextlib.nullcontext() if progress.finished else report.timed(made.session, saves):
                try:
                    yield dict(progress=progress, save=save, interrupts=received,
                               save_every=options.save_every or self._section.SAVE_EVERY)
                except interrupts.Interrupted as error:
                    raise interrupts.Interrupted(error.number, f"{error}; saved, the same command goes on from "
                                                               f"{shown(self.path)}") from error
        if received:
            raise interrupts.Interrupted(received[0], "interrupted at the end of the training; saved, --resume goes on "
                                                      f"from {shown(self.path)}")


def keeping(section):
    """Decorates the story of a section, a function of (settings, options, Kept): it becomes one of the first two."""
    def decorate(story):
        def run(settings, options):
            with Kept(section, options) as kept:
                return story(settings, options, kept)
        return run
    return decorate


def layer_table(report, model):
    """Print the published layer table beside what the network at hand has."""
    rows, totals = [], [0, 0]
    for name, shape, n_parameters in LAYERS[report.number]:
        shape_here, n_here = (_graph_layer if hasattr(model, "graph") else _keras_layer)(model, name)
        rows.append((name, (None, *shape), shape_here, f"{n_parameters:,}", f"{n_here:,}"))
        totals = [totals[0] + n_parameters, totals[1] + n_here]
    rows.append(("total", "", "", *(f"{total:,}" for total in totals)))
    report.table(f"Section {report.number}: layers",
                 ("layer", "published shape", "shape", "published parameters", "parameters"), rows)


def _graph_layer(model, name):
    """(output shape, parameters) of a layer of a graph, by the names of its operation and its variables."""
    weights = [variable for variable in model.weights if variable.op.name.startswith(name + "/")]
    operation = model.graph.get_operation_by_name(name + "/BiasAdd" if weights else name)
    return (tuple(operation.outputs[0].shape.as_list()),
            sum(variable.shape.num_elements() for variable in weights))


def _keras_layer(model, name):
    layer = model.get_layer(name)
    return tuple(layer.output.shape), layer.count_params()


def train_epochs(trainer, settings, n_rows, say=None, **kept):
    """Train with shuffled epochs, validation and early stopping, as Keras's fit does; {number: value} of each epoch.

    The last validation_share of the rows is for validation. Epochs are counted as the report counts them: from 1,
    after settings.epochs_before where the section has it, so that 0 and below are those before. `kept` is what
    Kept.training gives.
    """
    n, before = n_train(n_rows, settings.validation_share), getattr(settings, "epochs_before", 0)
    numbers = {}
    for epoch, metrics in fit(
            trainer, n_epochs=before + settings.n_epochs, rows_of=lambda epoch: shuffled(n, settings.seed, epoch),
            validation_rows=np.arange(n, n_rows), patience=settings.patience, **kept):
        counted = epoch + 1 - before
        numbers.update((f"epoch {counted} {name}", value) for name, value in metrics.items())
        if say:
            say(epoch + 1, counted, metrics)
    return numbers


def saying(report, n_epochs):
    """What train_epochs says an epoch: the line that Keras prints, the published values beside it."""
    def say(epoch, counted, metrics):
        text = " - ".join(f"{name}: {value:.4f}" for name, value in metrics.items())
        names = [f"epoch {counted} {name}" for name in metrics]
        note = f"the report's epoch {counted}" if epoch != counted and counted > 0 and report.published else ""
        report.epoch(epoch, f"Epoch {epoch}/{n_epochs} - {text}", metrics, names, note)
    return say


def say_distance(report):
    """Say how far the measured numbers are from the published ones, where there are some to compare with."""
    if report.published:
        report.say("distance from the published numbers (root mean square of log ratio): "
                   f"{log_distance(report.measured, report.published):.3f}")


def best_epoch(report, numbers, settings):
    """Say the best val_loss and its epoch, and whether early stopping ended the training."""
    values = {name: value for name, value in numbers.items() if name.endswith(" val_loss")}
    best = min(values, key=values.get)
    ended = "early stopping ended the training" if len(values) - list(values).index(best) > settings.patience else \
        f"early stopping (patience {settings.patience}) had no cause to end the training"
    report.say(f"best val_loss: {values[best]:.4f}, {best[:-len(' val_loss')]}; {ended}{report.mark}")


def measure_by_epochs(section):
    """A function of (settings, data) that trains with train_epochs and gives the numbers, for `spread`."""
    def measure(settings, data):
        arrays = section.training_arrays(data)
        settings = section.resolve(settings, len(arrays[0]))
        with network(section, settings, arrays, Options()) as made:
            return train_epochs(made.trainer, settings, len(arrays[0]))
    return measure
