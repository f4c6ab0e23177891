"""The only training loop, and how far a training has come; the loop knows no section and no network.

`fit` trains a trainer of `trainers`: a graph or its Keras twin.
"""
from __future__ import annotations

import dataclasses
import math
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.interrupts import Interrupted
from tf1_autoencoders.utils.progress_bar import ProgressBar

RowsForEpoch = Callable[[int], np.ndarray]  # epoch, counted from 0 -> row numbers in the order of training


class EpochMetrics(NamedTuple):
    """The metrics after an epoch."""

    epoch: int  # counted from 0
    metrics: Dict[str, float]


@dataclasses.dataclass
class Progress:
    """Training state needed to resume, apart from the variables. JSON can hold it."""

    n_steps: int = 0  # training steps done
    epoch: int = 0  # the current epoch, counted from 0
    step: int = 0  # steps done in the current epoch
    batch_metrics: List[Any] = dataclasses.field(default_factory=list)  # the trainer's, from the current epoch
    measurements: List[Any] = dataclasses.field(default_factory=list)  # [epoch, {metric: value}] of earlier epochs
    finished: bool = False
    machines: List[Any] = dataclasses.field(default_factory=list)  # that computed it, in order: describe_machine's
    final_error: Optional[List[Any]] = None  # of the finished network: the fields of reporting.baselines.FinalError
    collapsed_before: List[Any] = dataclasses.field(default_factory=list)  # [seed, final_error] of runs before this one

    @classmethod
    def from_json(cls, content: Any, n_epochs: int, steps_per_epoch: int) -> Progress:
        """Return the progress that a checkpoint's progress.json holds.

        Args:
            content: of the file.
            n_epochs, steps_per_epoch: of the training.

        Raises:
            ValueError: the content is not the progress of such a training.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        later = {"final_error", "collapsed_before"}  # older checkpoints lack these
        if not isinstance(content, dict) or not set(names) - later <= set(content) <= set(names):
            raise ValueError(f"expected {', '.join(names)}")
        progress = cls(**content)
        counts = progress.n_steps, progress.epoch, progress.step
        if not all(type(count) is int for count in counts) or type(progress.finished) is not bool:
            raise ValueError("n_steps, epoch and step must be whole numbers, and finished true or false")
        ended = progress.epoch if progress.finished else progress.epoch + 1
        if not (0 <= progress.epoch and ended <= n_epochs and 0 <= progress.step <= steps_per_epoch
                and progress.n_steps == progress.epoch * steps_per_epoch + progress.step):
            raise ValueError(f"step {progress.n_steps}, epoch {progress.epoch}, step {progress.step} of it: not of "
                             f"{n_epochs} epochs of {steps_per_epoch} steps")
        epoch = -1
        for measurement in _list(progress.measurements, n_epochs, "measurements"):
            if not isinstance(measurement, list) or len(measurement) != 2 or type(measurement[0]) is not int \
                    or not epoch < measurement[0] < progress.epoch or not _are_metrics(measurement[1]):
                raise ValueError("a measurement is not an epoch and its metrics, in order")
            epoch = measurement[0]
        names_of = [set(metrics) for _, metrics in progress.measurements]
        if names_of and any(other != names_of[0] for other in names_of):
            raise ValueError("the measurements have different metrics")
        states = _list(progress.batch_metrics, progress.step, "batch_metrics")
        of_graph = len(states) in (0, progress.step) and all(
            _are_metrics(state) and set(state) == set(states[0]) for state in states)
        if not (of_graph or len(states) == 1 and _is_keras_state(states[0], progress.step)):
            raise ValueError("batch_metrics are not those of the steps of the epoch")
        if not all(isinstance(machine, dict) for machine in _list(progress.machines, 10_000, "machines")) \
                or not progress.machines:
            raise ValueError("machines are not a list of machines")
        errors = [progress.final_error] if progress.final_error is not None else []
        for run in _list(progress.collapsed_before, 1000, "collapsed_before"):
            if not isinstance(run, list) or len(run) != 2 or type(run[0]) is not int:
                raise ValueError("a run of collapsed_before is not a seed and its final_error")
            errors.append(run[1])
        if not all(isinstance(error, list) and [type(value) for value in error] == [str, float, float, str]
                   for error in errors):
            raise ValueError("a final_error is not a name, two numbers and a name")
        return progress

    def advance_step(self) -> None:
        """Count one more training step."""
        self.n_steps, self.step = self.n_steps + 1, self.step + 1

    def finish_epoch(self, metrics: Dict[str, float], finished: bool) -> None:
        """Go to the next epoch; `metrics` is empty if the epoch was not evaluated."""
        if metrics:
            self.measurements.append([self.epoch, metrics])
        self.epoch, self.step, self.batch_metrics, self.finished = self.epoch + 1, 0, [], finished


def _list(value: Any, longest: int, name: str) -> List[Any]:
    if not isinstance(value, list) or len(value) > longest:
        raise ValueError(f"{name} is not a list of at most {longest}")
    return value


def _are_metrics(value: Any) -> bool:
    """Return whether a value is {name: finite number}."""
    return isinstance(value, dict) and bool(value) and all(_is_finite(number) for number in value.values())


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e308


def _is_keras_state(state: Any, n_steps: int) -> bool:
    """Return whether a value is the state of KerasTrainer's metrics in the middle of an epoch."""
    if not isinstance(state, dict) or set(state) != {"metrics_variables", "running_means"}:
        return False
    variables, means = state["metrics_variables"], state["running_means"]
    return isinstance(variables, list) and all(_is_finite(number) for number in variables) \
        and isinstance(means, list) and len(means) == n_steps and all(_are_metrics(metrics) for metrics in means) \
        and all(set(metrics) == set(means[0]) for metrics in means)


def fit(trainer: Any, *, n_epochs: int, rows_for_epoch: RowsForEpoch, evaluate_every: int = 1,
        evaluation_rows: Optional[RowsForEpoch] = None, validation_rows: Optional[np.ndarray] = None,
        patience: Optional[int] = None, progress: Optional[Progress] = None,
        save: Optional[Callable[[Progress], None]] = None, save_every: int = 1,
        judge: Optional[Callable[[], Sequence[Any]]] = None,
        interrupts: Sequence[int] = (), bar: Optional[ProgressBar] = None) -> Iterator[EpochMetrics]:
    """Train, and yield EpochMetrics; a resumed training first yields those of its earlier epochs.

    Metrics are measured in one of two ways. Keras's way is the mean over an epoch while it trains, after every epoch.
    The way of the report's section 2 (evaluation_rows is given) is to evaluate some rows after epochs 0,
    evaluate_every, 2 * evaluate_every, ...

    Args:
        trainer: GraphTrainer or KerasTrainer.
        n_epochs: whole number, 1 or more.
        rows_for_epoch: function of the epoch that returns the rows to train on, in their order.
        evaluate_every, evaluation_rows: see above; evaluation_rows is a function of the epoch.
        validation_rows: rows that are evaluated after each epoch, as val_loss, ...; None for no validation.
        patience: epochs to continue without a better val_loss, as Keras's EarlyStopping counts them; None for no
            early stopping.
        progress: Progress to resume from, with the trainer restored to the same state; None to start at the beginning.
        save: function of a Progress, called at the end, every save_every epochs, and when a signal interrupts.
        judge: function that is called when the training is finished, before it is saved; returns Progress.final_error.
        interrupts: list that receives a signal's number; the training then ends after the current step.
        bar: ProgressBar of several trainings, of which this is the next; None for a bar of its own.

    Raises:
        UserError: a metric is no longer finite.
        Interrupted: a signal arrived; the training state is saved.
    """
    progress = progress or Progress()
    for measurement in progress.measurements:
        yield EpochMetrics(*measurement)
    with bar or ProgressBar() as bar:
        def on_step() -> bool:
            bar.step()
            return bool(interrupts)
        metrics: Optional[Dict[str, float]] = {}
        while not progress.finished:
            epoch, rows = progress.epoch, rows_for_epoch(progress.epoch)
            bar.begin_epoch(f"epoch {epoch + 1}/{n_epochs}", n_epochs * math.ceil(len(rows) / trainer.batch_size),
                            progress.n_steps, metrics or {})
            metrics = trainer.train(rows, evaluation_rows is None, progress, on_step)
            if metrics is not None:
                if evaluation_rows is not None and epoch % evaluate_every == 0:
                    metrics = trainer.evaluate(evaluation_rows(epoch))
                if validation_rows is not None:
                    metrics.update((f"val_{name}", value) for name, value in trainer.evaluate(validation_rows).items())
                for name, value in metrics.items():
                    if not math.isfinite(value):
                        raise UserError(f"epoch {epoch}: the {name} is {value}, the training has diverged; "
                                        "try a smaller --learning-rate (nothing of this epoch was saved)")
                progress.finish_epoch(metrics, epoch + 1 == n_epochs)
                progress.finished |= patience is not None and _epochs_since_best(progress.measurements) >= patience
            if judge and progress.finished:
                progress.final_error = list(judge())
            if save and (interrupts or progress.finished or progress.epoch % save_every == 0):
                save(progress)
            if metrics:
                bar.clear()  # leaves the line free for what is printed now; the next step draws the bar again
                yield EpochMetrics(epoch, metrics)
            if interrupts and not progress.finished:
                raise Interrupted(interrupts[0], f"interrupted after step {progress.n_steps}")


def _epochs_since_best(measurements: List[Any]) -> int:
    """Count the epochs since the best val_loss."""
    losses = [metrics["val_loss"] for _, metrics in measurements]
    return len(losses) - 1 - losses.index(min(losses))
