"""The session, the only training loop, and how far a training has come; no section is known here, and no network.

What `fit` trains is a trainer of `trainers`.
"""
from __future__ import annotations

import dataclasses
import math
import sys
from typing import Any, Dict, List, NamedTuple

from tqdm import tqdm

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.interrupts import Interrupted


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
