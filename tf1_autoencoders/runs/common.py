"""What the runs of the sections share: a network of either backend, training by epochs, the layer table."""
from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf1_autoencoders import bridge, checkpoint, training
from tf1_autoencoders.frameworks import keras
from tf1_autoencoders.measures import log_distance
from tf1_autoencoders.paths import shown
from tf1_autoencoders.published import LAYERS
from tf1_autoencoders.results import Options
from tf1_autoencoders.rows import n_train, shuffled

N_SHOWN = 10  # pictures in a grid


class Network(NamedTuple):
    """A network of either backend, ready to train."""

    trainer: Any  # training.GraphTrainer or training.KerasTrainer
    model: Any  # GraphModel, or keras.Model
    session: Any  # training.Session, or None
    save: Any  # function of a folder and a settings dict: writes model.ckpt, returns its path


@contextlib.contextmanager
def network(section, settings, arrays, options):
    """The section's network on the arrays, by options.backend; a context, in which its session is open."""
    if options.backend == "keras":
        keras.utils.set_random_seed(settings.seed)
        twin = section.build_keras(settings)
        trainer = training.KerasTrainer(twin, arrays, settings.batch_size, section, settings)
        yield Network(trainer, twin, None, lambda *to: _save_keras(section, settings, twin, *to))
        return
    model = section.build_graph(settings)
    with training.Session(model, options.threads) as session:
        session.run(model.initializer)
        trainer = training.GraphTrainer(session, model, arrays, settings.batch_size)
        saver = model.weights_saver if options.weights_only else model.saver
        yield Network(trainer, model, session, lambda *to: checkpoint.save(session, saver, *to))


def _save_keras(section, settings, twin, folder, described):
    """The twin's weights as a TensorFlow 1 checkpoint: by name into the graph, from there to disk."""
    model = section.build_graph(settings)
    with training.Session(model) as session:
        bridge.set_graph_weights(session, model, bridge.keras_weights(twin))
        return checkpoint.save(session, model.weights_saver, folder, described)


def checkpoint_folder(options, number):
    """Where the section's model.ckpt goes; tried before anything long begins."""
    return checkpoint.prepare_folder(Path(options.checkpoint_dir) / f"section{number}")


@contextlib.contextmanager
def training_of(report, made, folder):
    """Around the training: says how long it took, and saves what was trained when Ctrl-C ends it."""
    if made.session:
        report.graph(made.model)
    try:
        with report.timed(made.session):
            yield
    except KeyboardInterrupt:
        report.say(f"Interrupted; model saved in path: {shown(made.save(folder, report.settings))}")
        raise


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


def train_epochs(trainer, settings, n_rows, say=None):
    """Train with shuffled epochs, validation and early stopping, as Keras's fit does; {number: value} of each epoch.

    The last validation_share of the rows is for validation. Epochs are counted as the report counts them: from 1,
    after settings.epochs_before where the section has it, so that 0 and below are those before.
    """
    n, before = n_train(n_rows, settings.validation_share), getattr(settings, "epochs_before", 0)
    numbers = {}
    for epoch, metrics in training.fit(
            trainer, n_epochs=before + settings.n_epochs, rows_of=lambda epoch: shuffled(n, settings.seed, epoch),
            validation_rows=np.arange(n, n_rows), patience=settings.patience):
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
