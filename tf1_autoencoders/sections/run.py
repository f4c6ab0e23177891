"""One run of a section: its options, its identity, and the Run object that a section's story uses."""
from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import platform
import time
from pathlib import Path
from typing import Any, Dict, Generator, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.checkpointing.saver import CHECKPOINT_NAME
from tf1_autoencoders.checkpointing.store import (
    N_KEPT,
    Store,
    checkpoint_folders,
    first_difference,
    good_checkpoints,
    is_finished,
)
from tf1_autoencoders.distributed.coordination import Alone
from tf1_autoencoders.reporting.baselines import FinalError
from tf1_autoencoders.reporting.comparison import COLLAPSED
from tf1_autoencoders.reporting.run_log import RunLog
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.training import loop
from tf1_autoencoders.training.session import TimedSession, describe_machine
from tf1_autoencoders.training.trainers import KerasTrainer, Trainer, set_keras_threads
from tf1_autoencoders.utils import interrupts
from tf1_autoencoders.utils.cli import status, warn
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import lock_folder, make_writable_folder
from tf1_autoencoders.utils.frameworks import keras, tf1
from tf1_autoencoders.utils.paths import CHECKPOINTS, PACKAGE, RESULTS, display_path
from tf1_autoencoders.utils.progress_bar import ProgressBar

N_SHOWN = 10  # images in a grid


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """What a user asks of a run beside the section's settings."""

    preset: str = "report"  # name of the preset that the settings started from
    backend: str = "graph"  # graph | keras
    data: str = "auto"  # auto | real | sample
    data_dir: Optional[Sequence[str]] = None  # folders with the data sets, or None
    results_dir: str = str(RESULTS)
    checkpoint_dir: str = str(CHECKPOINTS)
    threads: Optional[int] = None  # CPU threads, 0 for TensorFlow's choice; None for the section's threads
    weights_only: bool = False  # leave the optimiser's slots out of the last checkpoint
    tensorboard: bool = False  # write event files
    precision: str = "float32"  # float32 | bfloat16, of products and convolutions
    save_every: Optional[int] = None  # epochs from one checkpoint to the next; None for the section's save_every
    keep: int = N_KEPT  # checkpoints of the run that stay, the newest
    resume: bool = False  # continue the run in checkpoint_dir, or fail
    tasks: Alone = Alone()  # or distributed.coordination.Workers: the tasks that train together
    retries: int = 0  # how often a run whose network has collapsed is repeated with the next seed
    bar: Optional[ProgressBar] = None  # of all sections that run, of which this is the next; None for its own

    @property
    def data_options(self) -> Dict[str, Any]:
        """The arguments of a section's load() that say where the data comes from."""
        return {"data": self.data, "data_dir": self.data_dir}


def n_threads(section: Section, options: RunOptions) -> int:
    """Return the CPU threads that a run uses: those asked for, else the section's threads; 0: TensorFlow's choice.

    The Keras twins share one pool of threads in a process, so that they have no number of their own.
    """
    if options.threads is not None:
        return options.threads
    return section.threads if options.backend == "graph" else 0


def run_identity(section: Section, settings: Any, options: RunOptions, source: Any,
                 arrays: Iterable[np.ndarray]) -> Dict[str, Any]:
    """Return everything that determines a run's result on one machine, as saved in settings.json.

    Two runs with equal identities produce identical files on one machine, so that one may continue the other. Another
    machine may round differently; a run that continues there says so (see Run.fit).

    Args:
        settings: the section's settings, checked.
        source: datasets.Source of the data.
        arrays: the arrays that are trained on; their checksum is in the identity.
    """
    return {
        "section": section.number, "preset": options.preset, "backend": options.backend,
        "settings": dataclasses.asdict(settings),
        "data": {"name": source.name, "kind": source.kind, "sha256_of_training_arrays": _sha256(arrays)},
        "threads": n_threads(section, options), "precision": options.precision,
        "code": {"sha256": code_checksum(section)},
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "tensorflow": tf1.version.VERSION, "machine": platform.machine()}}


def changed_settings(section: Section, settings: Any, options: RunOptions) -> List[str]:
    """Return the names of the settings, the seed apart, that differ from the preset's; the precision counts too."""
    preset = section.presets[options.preset]
    changed = [field.name for field in dataclasses.fields(settings)
               if field.name != "seed" and getattr(settings, field.name) != getattr(preset, field.name)]
    return changed + (["precision"] if options.precision != "float32" else [])


def code_checksum(section: Section) -> str:
    """Return the sha256 of the code that a run may execute: the whole package without the other sections' files."""
    others = [path for path in PACKAGE.glob("sections/section*.py") if path.name != Path(section.file).name]
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if path not in others]
    return _sha256(np.frombuffer(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes(), np.uint8)
                   for path in files)


def _sha256(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@contextlib.contextmanager
def open_trainer(section: Section, settings: Any, arrays: Tuple[np.ndarray, ...],
                 options: RunOptions = RunOptions()) -> Iterator[Trainer]:
    """Context manager: the trainer of the section's network on the arrays, a graph or its Keras twin.

    The graph's `with tf1.Session() as session` is here: the session is open, and initialised, inside the block.
    """
    if options.backend == "keras":
        set_keras_threads(n_threads(section, options))
        keras.utils.set_random_seed(settings.seed)
        yield keras_trainer(section, settings, section.build_keras(settings), arrays)
        return
    overrides = section.bfloat16_overrides if options.precision == "bfloat16" else {}
    with options.tasks.scope(section.number):
        model = section.build_graph(dataclasses.replace(settings, **overrides))
    with TimedSession(model, n_threads(section, options), options.precision, options.tasks.server) as session:
        session.run(model.initializer)
        trainer = options.tasks.make_trainer(session, model, arrays, settings.batch_size)
        del arrays  # or this generator holds them after trainer.predict has replaced them
        yield trainer


def keras_trainer(section: Section, settings: Any, twin: Any, arrays: Tuple[np.ndarray, ...]) -> KerasTrainer:
    """Return the trainer of a Keras twin that the section's build_keras has built."""
    return KerasTrainer(twin, arrays, settings.batch_size,
                        inputs_and_targets=lambda of_rows: section.inputs_and_targets(of_rows, settings),
                        graph_metrics=lambda model, values: section.keras_metrics(settings, model, values))


def train_as_worker(section: Section, settings: Any, options: RunOptions) -> None:
    """Train as a non-chief worker, which prints and saves nothing and follows the chief.

    Raises:
        UserError: the chief or another task is lost, or trains something else.
    """
    data, source = section.load(settings, **options.data_options)
    arrays = section.training_arrays(data, settings)
    settings = section.check_settings(settings, len(arrays[0]))
    tasks = options.tasks
    with open_trainer(section, settings, arrays, options) as trainer:
        progress = tasks.join(trainer, None, run_identity(section, settings, options, source, arrays))
        with interrupts.deferred_signals() as received:
            try:
                for _ in loop.fit(trainer, progress=progress, interrupts=tasks.interrupts(trainer, received),
                                  **section.fit_arguments(settings, len(arrays[0]))):
                    pass
            except interrupts.Interrupted as error:  # the chief says so
                tasks.leave(trainer)
                raise SystemExit(128 + error.number) from error
            tasks.leave(trainer)


@contextlib.contextmanager
def train_once(section: Section, settings: Any, arrays: Tuple[np.ndarray, ...],
               backend: str = "graph") -> Iterator[Tuple[Trainer, Dict[str, float]]]:
    """Context manager: train without checkpoints or log; gives the trainer and {name: value} of all epochs."""
    settings = section.check_settings(settings, len(arrays[0]))
    with open_trainer(section, settings, arrays, RunOptions(backend=backend)) as trainer:
        named: Dict[str, float] = {}
        # a signal ends the training after its step: raised inside a step, its exception would free what TensorFlow uses
        with interrupts.deferred_signals() as received:
            for epoch, metrics in loop.fit(trainer, interrupts=received,
                                           **section.fit_arguments(settings, len(arrays[0]))):
                named.update(section.named_metrics(settings, epoch, metrics))
        if received:
            raise interrupts.Interrupted(received[0], "interrupted")
        yield trainer, named


def measure(section: Section, settings: Any, data: Mapping[str, Any], backend: str = "graph") -> Dict[str, float]:
    """Train once; return {name: value} of all epochs, whether the network has collapsed (1 or 0), and the section's
    further numbers, for `spread`."""
    with train_once(section, settings, section.training_arrays(data, settings), backend) as (trainer, named):
        collapsed = float(section.final_error(trainer, settings).collapsed)
        return {**named, COLLAPSED: collapsed, **section.further_numbers(trainer, settings, data, named, backend)}


class Collapsed(Exception):
    """The network of a run has collapsed, and the run is to be repeated with the next seed.

    Args:
        runs: [seed, fields of its FinalError] of each run so far.
    """

    def __init__(self, runs: List[Any]) -> None:
        super().__init__(runs)
        self.runs = runs


def run_section(section: Section, settings: Any, options: RunOptions) -> Run:
    """Run a section, from the data to the last figure; return its Run, which is closed.

    If the network collapses, the training is repeated with the next seed, up to options.retries times, unless it had
    fewer epochs than the preset: such a network may only have learned too little.
    """
    collapsed: List[Any] = []
    while True:
        try:
            with Run(section, settings, options, collapsed) as run:
                section.experiment(run)
            return run
        except Collapsed as error:
            collapsed = error.runs
        settings = dataclasses.replace(settings, seed=collapsed[-1][0] + 1)
        options = dataclasses.replace(options, resume=False)
        if options.bar is not None:
            options.bar.repeat()


class Run:
    """One run of a section; a context manager that holds the run's folders, so that no other run can use them.

    A Run is ready from its beginning: its data is loaded, its settings fit the data, and its log is open.

    | name            | meaning                                                                            |
    |-----------------|------------------------------------------------------------------------------------|
    | data, source    | what the section's load returned; a story may delete `data`, to free its memory    |
    | arrays          | what the network is trained on                                                     |
    | settings        | the section's settings, checked against the data                                   |
    | options         | RunOptions                                                                         |
    | log             | RunLog: what the run prints and leaves behind                                      |
    | trainer         | the trainer of the network, which is built at its first use; its session stays     |
    |                 | open to the end of the block                                                       |
    | fit             | restores an earlier run, trains, saves checkpoints; yields EpochMetrics            |
    | checkpoint      | path of the latest checkpoint, under the report's name model.ckpt                  |
    | final_error     | FinalError of the trained network, which says whether it has collapsed (after fit) |
    | comparison      | rows of published beside measured values (after the block)                         |

    Args:
        section: the Section.
        settings: the section's settings.
        options: RunOptions.
        collapsed_before: of Progress: the runs with other seeds that this run repeats, because they collapsed.

    Raises:
        UserError: a folder cannot be written to, or another run is using it; the data cannot be had; or see
            Store.open_run.
    """

    def __init__(self, section: Section, settings: Any, options: RunOptions,
                 collapsed_before: Sequence[Any] = ()) -> None:
        self.section, self.options, self._collapsed_before = section, options, list(collapsed_before)
        self.final_error: Optional[FinalError] = None
        self.comparison: List[Tuple[str, ...]] = []
        self._trainer: Optional[Trainer] = None
        with contextlib.ExitStack() as stack:
            self._store = stack.enter_context(
                Store(Path(options.checkpoint_dir) / f"section{section.number}", options.keep))
            self.checkpoint = self._store.folder / CHECKPOINT_NAME
            results = make_writable_folder(Path(options.results_dir) / self._store.folder.name)
            if results.resolve() != self._store.folder.resolve():
                stack.enter_context(lock_folder(results, "--results-dir"))
            status(f"section {section.number}: loading TensorFlow and the data")
            self._load(settings)
            repeated = runs_to_repeat(self._store.folder, self._identity, options)
            if repeated and not collapsed_before:
                self._collapsed_before = repeated
                self._load(dataclasses.replace(settings, seed=settings.seed + len(repeated)))
            self._previous = self._store.open_run(self._identity, options.resume, warn)
            self.log = RunLog(section, self._identity, self.source, options.results_dir, options.tensorboard,
                              changed_settings(section, settings, options))
            if self._collapsed_before:
                self.log.repeats([(seed, FinalError(*error)) for seed, error in self._collapsed_before])
            self._stack = stack.pop_all()  # which holds the folders from here on

    def _load(self, settings: Any) -> None:
        """Load the data for these settings."""
        self.data, self.source = self.section.load(settings, **self.options.data_options)
        self.arrays = self.section.training_arrays(self.data, settings)
        self._n_rows = len(self.arrays[0])
        self.settings = self.section.check_settings(settings, self._n_rows)
        self._identity = run_identity(self.section, self.settings, self.options, self.source, self.arrays)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        with self._stack:  # closes the session and releases the folders, whatever happens
            self._trainer = None  # and its data, which take memory that the next section needs
            self.__dict__.pop("data", None)
            if kind is None:
                self.comparison = self.log.close()
            if kind in (None, Collapsed):
                self._store.mark_finished()

    @property
    def trainer(self) -> Trainer:
        """The trainer of the network of the backend asked for, which is built at its first use."""
        if self._trainer is None:
            self._trainer = self._stack.enter_context(
                open_trainer(self.section, self.settings, self.arrays, self.options))
            self.arrays = ()  # the trainer has them
            self.log.graph(self._trainer.graph)
        return self._trainer

    def fit(self) -> Iterator[loop.EpochMetrics]:
        """Restore an earlier run if there is one, train, save checkpoints; yield the EpochMetrics of every epoch.

        A run that continues where TensorFlow may round differently says so, because its result is then not
        bit-identical to that of an uninterrupted run. progress.json lists the machines.

        On SIGINT and SIGTERM the current step ends, its state is saved, and Interrupted is raised.
        """
        epochs = self._fit()
        self._stack.callback(epochs.close)  # an error in the caller's loop must not leave signals deferred
        return epochs

    def _judge(self) -> FinalError:
        return self.section.final_error(self.trainer, self.settings)

    def _fit(self) -> Generator[loop.EpochMetrics, None, None]:
        trainer, tasks, save_seconds = self.trainer, self.options.tasks, []  # type: ignore[var-annotated]
        progress = tasks.join(trainer, self._restore(), self._identity)
        resumed_at_the_end = progress.finished

        def save(progress: loop.Progress) -> None:
            start = time.perf_counter()
            weights_only = progress.finished and self.options.weights_only
            self._store.save(progress.n_steps, lambda folder: trainer.save(folder, weights_only),
                             self._identity, dataclasses.asdict(progress))
            save_seconds.append(time.perf_counter() - start)

        start, start_in_run = time.perf_counter(), trainer.seconds_in_run
        with interrupts.deferred_signals() as received:
            try:
                yield from loop.fit(trainer, progress=progress, save=save,
                                    interrupts=tasks.interrupts(trainer, received),
                                    judge=self._judge, save_every=self.options.save_every or self.section.save_every,
                                    bar=self.options.bar,
                                    **self.section.fit_arguments(self.settings, self._n_rows))
            except interrupts.Interrupted as error:
                tasks.leave(trainer)
                raise interrupts.Interrupted(
                    error.number, f"{error}; its checkpoint is {display_path(self.checkpoint)}, "
                                  "and the same command continues from there") from error
            tasks.leave(trainer)
            if not resumed_at_the_end:
                in_run = trainer.seconds_in_run
                self.log.training_time(time.perf_counter() - start,
                                       None if in_run is None else in_run - (start_in_run or 0), save_seconds)
        if received:
            raise interrupts.Interrupted(
                received[0], f"interrupted at the end of the training; its checkpoint is "
                             f"{display_path(self.checkpoint)}, and the same command continues from there")
        # a checkpoint of an older version does not have it
        self.final_error = FinalError(*progress.final_error) if progress.final_error else self._judge()
        as_long_as_preset = self.settings.n_epochs >= self.section.presets[self.options.preset].n_epochs
        if self.final_error.collapsed and as_long_as_preset and len(self._collapsed_before) < self.options.retries:
            raise Collapsed([*self._collapsed_before, [self.settings.seed, list(self.final_error)]])
        self.log.final_error(self.final_error)

    def _restore(self) -> loop.Progress:
        """Restore the trainer from the earlier run's checkpoint; return the progress to continue from."""
        previous, tasks = self._previous, self.options.tasks
        # small operations have one thread each: a session never divides them
        threads = tasks.threads or (1 if self.trainer.small_ops else n_threads(self.section, self.options))
        machine = {**describe_machine(threads), "workers": tasks.n_tasks}
        if previous is None:
            return loop.Progress(machines=[machine], collapsed_before=self._collapsed_before)
        arguments = self.section.fit_arguments(self.settings, self._n_rows)
        n_steps = math.ceil(len(arguments["rows_for_epoch"](0)) / self.trainer.batch_size)
        try:
            progress = loop.Progress.from_json(previous.progress, arguments["n_epochs"], n_steps)
        except ValueError as error:
            raise UserError(f"{display_path(previous.path)}: not the progress of this training ({error}); "
                            "choose another --checkpoint-dir") from error
        self.trainer.restore(previous.path / CHECKPOINT_NAME, progress.finished and self.options.weights_only)
        warn(f"{'already finished' if progress.finished else 'resumed from'}: {display_path(previous.path)}")
        if not progress.finished and progress.machines[-1] != machine:
            warn(f"TensorFlow may round differently here ({first_difference(progress.machines[-1], machine)}): the run "
                 "continues, but its result is not bit-identical to that of an uninterrupted run")
            progress.machines.append(machine)
        return progress


def runs_to_repeat(folder: Path, identity: Mapping[str, Any], options: RunOptions) -> List[Any]:
    """Return the collapsed runs of this identity that an unfinished run in the folder repeats with another seed.

    Args:
        folder: of checkpoints.
        identity: of a run with the first seed; the data is not compared if its name is empty.
        options: RunOptions; without retries, no run is repeated.

    Returns:
        [[seed, fields of its FinalError], ...], as progress.json has them; [] if there is no such run.
    """
    newest = next(good_checkpoints(folder, []), None) if options.retries else None
    if newest is None or is_finished(newest) and not options.resume:
        return []
    runs = newest.progress.get("collapsed_before", [])
    seed = identity["settings"]["seed"]
    expected = {**identity, "settings": {**identity["settings"], "seed": seed + len(runs)}, "data": None}
    try:
        same = {**newest.settings, "data": None} == expected and [run[0] for run in runs] == list(
            range(seed, seed + len(runs))) and len(runs) <= options.retries
        return [[number, list(FinalError(*error))] for number, error in runs] if same else []
    except (TypeError, ValueError, IndexError):  # not a progress of ours
        return []


def has_checkpoints(checkpoint_dir: Any, number: int) -> bool:
    """Return whether there is a checkpoint of a section, intact or not, in a folder of checkpoints."""
    return bool(checkpoint_folders(Path(checkpoint_dir) / f"section{number}"))
