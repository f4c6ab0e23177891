"""What a run leaves behind: lines on the terminal, metrics.jsonl, settings.json, figures, tables and its transcript.

Results from the drawn sample are marked as such, and kept apart from the published values.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.baselines import FinalError
from tf1_autoencoders.reporting.comparison import (
    COLLAPSED,
    SeedBands,
    compare_with_published,
    format_number,
    seed_bands,
)
from tf1_autoencoders.reporting.metrics import log_distance, mean_squared_error
from tf1_autoencoders.reporting.published import Layer, ReportedSection
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.utils.files import sha256_of_file, write_atomically
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

TRANSCRIPT = "transcript.json"


class RunLog:
    """The log of one run of one section.

    Args:
        section: the section that runs, a sections.contract.Section.
        identity: dict of everything that determines the run's result; saved as settings.json.
        source: datasets.Source of the data.
        results_dir: folder of results; the log writes into results_dir/sectionN.
        tensorboard: whether to write TensorBoard event files.
        changed: names of the settings that differ from the preset's, the seed apart; there is then no verdict.
    """

    def __init__(self, section: ReportedSection, identity: Dict[str, Any], source: Any, results_dir: Any,
                 tensorboard: bool = False, changed: Sequence[str] = ()) -> None:
        self.section, self.identity, self.source, self.changed = section, identity, source, changed
        self.mark: str = source.mark  # stands beside a result: empty, or that it is made from the drawn sample
        # Published values by name; {} for the drawn sample, because nothing made from it stands beside them.
        self.published: Dict[str, float] = {} if source.is_sample else section.published
        self.bands = SeedBands({}, 0) if source.is_sample else \
            seed_bands(section.number, identity["preset"], identity["backend"])
        self.measured: Dict[str, float] = {}  # values by name; those of `published` have the same names
        self.folder = Path(results_dir) / f"section{section.number}"
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob("*.part"):  # of a killed run
            leftover.unlink()
        write_atomically(self.folder / "settings.json", (json.dumps(identity, indent=1) + "\n").encode())
        self._metrics_file = self.folder / "metrics.jsonl"
        self._metrics_file.write_bytes(b"")
        self._events = _event_file_writer(self.folder / "tensorboard") if tensorboard else None
        self._collapsed: Optional[FinalError] = None
        self._notes: List[str] = []
        self._transcript: List[Dict[str, Any]] = []
        self._key_figures: List[Tuple[str, str, str]] = []
        self._line_width = 0  # characters of the longest line of an epoch; the published values stand beside it
        print(f"Section {section.number}: {section.title} (preset {identity['preset']}, {identity['backend']}, "
              f"seed {identity['settings']['seed']})", f"data: {source}", sep="\n", flush=True)

    def say(self, *lines: Any) -> None:
        """Print lines of the report and add them to the transcript."""
        self._transcript.append({"kind": "text", "lines": [str(line) for line in lines]})
        print(*lines, sep="\n", flush=True)

    def repeats(self, runs: Sequence[Tuple[int, FinalError]]) -> None:
        """Print that the run repeats others because their networks collapsed: [(seed, FinalError)]."""
        seed, error = runs[-1]
        self._note(f"the network of seed {seed} has collapsed ({error}{self.mark}); no --seed was given, so that the "
                   f"training is repeated with seed {self.identity['settings']['seed']}")

    def final_error(self, error: FinalError) -> None:
        """Print how the trained network compares with a constant answer; a collapsed one is not judged any further."""
        self.record(None, {"final_error": error.network, "constant_answer_error": error.constant,
                           COLLAPSED: float(error.collapsed)})
        if error.collapsed:
            self._collapsed = error
            self._note(f"this network has collapsed ({error}{self.mark}): it tells the inputs apart no better than "
                       "one answer for all of them; train again with another --seed, or for more epochs")
        else:
            self.say(f"{error}{self.mark}")

    def _note(self, sentence: str) -> None:
        """Print a sentence that also belongs on the section's card of the results page."""
        self._notes.append(sentence)
        self.say(sentence)

    def heading(self, text: str) -> None:
        """Add a heading to the transcript; the terminal shows none."""
        self._transcript.append({"kind": "heading", "text": text})

    def record(self, epoch: Optional[int], values: Dict[str, float]) -> None:
        """Append a line to metrics.jsonl, and the values of an epoch to TensorBoard's event file."""
        line: Dict[str, Any] = {**({"epoch": epoch} if epoch is not None else {}), **values}
        if self.source.is_sample:
            line["data"] = self.source.kind
        with open(str(self._metrics_file), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self._events and epoch is not None:
            summary = tf1.Summary(value=[tf1.Summary.Value(tag=tag, simple_value=value)
                                         for tag, value in values.items()])
            self._events.add_summary(summary, epoch)

    def epoch(self, epoch: int, line: str, metrics: Dict[str, float], named: Dict[str, float], note: str = "") -> None:
        """Print a line of the report's trace with the published values beside it, and record the metrics.

        Args:
            epoch: number of the epoch, as the line counts it.
            line: the line, in the report's words.
            metrics: {metric: value}, for metrics.jsonl.
            named: {name in `published`: value}, in the line's order.
            note: what else to say in the line.
        """
        self.measured.update(named)
        line += self.mark
        missing_digits = max(0, len(str(self.identity["settings"]["n_epochs"])) - len(str(epoch)))
        self._line_width = max(self._line_width, len(line) + missing_digits)
        parts = [line.ljust(self._line_width), self._published_column(named), note]
        self.say("   ".join(part for part in parts if part).rstrip())
        self.record(epoch, metrics)

    def _published_column(self, names: Iterable[str]) -> str:
        """Return the published values of the names, all of one width.

        A metric that the report does not print is left out; "-" stands for an epoch that the report does not print.
        """
        metrics = {_metric(name) for name in self.published}
        names = [name for name in names if _metric(name) in metrics]
        values = {name: f"{value:.4f}" for name, value in self.published.items()}
        width = max(map(len, values.values()), default=0)
        return " ".join(["published:", *(values.get(name, "-").rjust(width) for name in names)]) if names else ""

    def keras_epoch(self, epoch: int, n_epochs: int, metrics: Dict[str, float], named: Dict[str, float],
                    note: str = "") -> None:
        """Print an epoch (counted from 1) in the words of Keras's progress bar, and record it; see epoch()."""
        values = " - ".join(f"{name}: {value:.4f}" for name, value in metrics.items())
        self.epoch(epoch, f"Epoch {epoch}/{n_epochs} - {values}", metrics, named, note)

    def best_epoch(self, patience: int) -> None:
        """Print the best val_loss and its epoch, and whether early stopping ended the training."""
        losses = {name: value for name, value in self.measured.items() if name.endswith(" val_loss")}
        best = min(losses, key=lambda name: losses[name])
        ended = "early stopping ended the training" if len(losses) - list(losses).index(best) > patience else \
            f"early stopping (patience {patience}) had no reason to end the training"
        self.say(f"best val_loss: {losses[best]:.4f}, {best[:-len(' val_loss')]}; {ended}{self.mark}")

    def distance_to_published(self) -> None:
        """Print the distance of this run from the published numbers, if there are any, and that of our seeds."""
        if self.published:
            names = [name for name in self.published if name in self.measured]
            of_seeds = [log_distance(seed, self.published) for seed in self.bands.seeds(names)]
            self.say("distance from the published numbers (root mean square of log ratio): "
                     f"{log_distance(self.measured, self.published):.3f}",
                     *([f"the same distance over {len(of_seeds)} seeds: median {np.median(of_seeds):.3f}, "
                        f"{min(of_seeds):.3f} to {max(of_seeds):.3f}"] if of_seeds else []))

    def figure(self, name: str, caption: str, figure: Any) -> None:
        """Save a figure in the run's folder as `name`.png and print its path."""
        self._transcript.append({"kind": "figure", "caption": caption + self.mark, **self._save_figure(name, figure)})

    def slider(self, name: str, caption: str, frames: Dict[str, Any]) -> None:
        """Save the figures {label: figure} as `name`_1.png, `name`_2.png, ...; the results page has a slider of them.

        The figures must have the same size.
        """
        self._transcript.append({"kind": "slider", "caption": caption + self.mark, "frames": [
            {"label": label, **self._save_figure(f"{name}_{number}", figure)}
            for number, (label, figure) in enumerate(frames.items(), start=1)]})

    def _save_figure(self, name: str, figure: Any) -> Dict[str, Any]:
        """Save a figure as `name`.png and print its path; return what the transcript says about the file.

        For pages in the dark, `name`_dark.png is the same figure on a dark ground.
        """
        words = figures.texts(figure)
        path = figures.save(figure, self.folder, name, self.mark)
        if self._events:
            image = tf1.Summary.Image(encoded_image_string=path.read_bytes(), colorspace=4)
            self._events.add_summary(tf1.Summary(value=[tf1.Summary.Value(tag=name, image=image)]), 0)
        print(f"figure: {display_path(path)}", flush=True)
        figures.darken(figure)
        dark = figures.save(figure, self.folder, f"{name}_dark")  # which has the mark already
        return {"file": path.name, "sha256": sha256_of_file(path), "texts": words,
                "dark": {"file": dark.name, "sha256": sha256_of_file(dark)}}

    def graph(self, graph: Any) -> None:
        """Write a tf1.Graph to TensorBoard's event file, if there are both."""
        if self._events and graph is not None:
            self._events.add_graph(graph)

    def table(self, caption: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a table as Markdown; columns named published are left out for the drawn sample."""
        columns = [k for k, name in enumerate(header) if not (self.source.is_sample and "published" in name)]
        header, rows = [header[k] for k in columns], [[str(row[k]) for k in columns] for row in rows]
        self._transcript.append({"kind": "table", "caption": caption + self.mark, "header": header, "rows": rows})
        print("", caption + self.mark, "", *markdown_table(header, rows), "", sep="\n", flush=True)

    def baselines(self, caption: str, outputs: Dict[str, np.ndarray], targets: np.ndarray) -> None:
        """Print the mean squared error of {method: outputs of the targets' shape} as a table.

        The first method is the network; the best of the others is a key figure.
        """
        errors = {method: mean_squared_error(output, targets) for method, output in outputs.items()}
        self.table(caption, ("method", "mean squared error"), [
            (method, f"{error:.4g}") for method, error in errors.items()])
        best = min(list(errors)[1:], key=lambda method: errors[method])
        self.key_figure(f"MSE of {best}", f"{errors[best]:.4g}")

    def key_figure(self, name: str, value: str) -> None:
        """Put a value on the section's card on the results page, after the last number of each published metric."""
        self._key_figures.append((name, "", value))

    def _last_numbers(self) -> List[Tuple[str, str, str]]:
        """Return (name, published, measured) of the last number of each published metric that was measured."""
        names = {_metric(name): name for name in self.section.published if name in self.measured}
        return [(_in_words(name), format_number(self.published.get(name)), format_number(self.measured[name]))
                for name in names.values()]

    def layer_table(self, layers: Sequence[Layer], trainer: Any, model: str = "",
                    names: Mapping[str, str] = MappingProxyType({})) -> None:
        """Print a published summary beside the layers of a trainer's network.

        Args:
            layers: as published.SUMMARIES has them; the names of the inputs begin with "input".
            trainer: trainers.Trainer.
            model: name of the model, for the caption, if the section has several.
            names: {published name: name in the trainer}, where they differ.
        """
        rows: List[Tuple[Any, ...]] = []
        inputs = {f"input_{k}": shape for k, shape in enumerate(trainer.input_shapes, start=1)}
        n_published = n_measured = n_trainable = 0
        for layer in layers:
            if layer.name.startswith("input"):
                shape, n = inputs.get(layer.name, ""), 0
            else:
                name = names.get(layer.name, layer.name)
                shape, n = trainer.layer(name)
                n_trainable += trainer.n_trainable([name])
            rows.append((layer.name, (None, *layer.shape), shape, f"{layer.n_parameters:,}", f"{n:,}",
                         layer.connected_to))
            n_published, n_measured = n_published + layer.n_parameters, n_measured + n
        for name, of_report, of_run in (("total", n_published, n_measured), ("trainable", n_published, n_trainable),
                                        ("non-trainable", 0, n_measured - n_trainable)):
            rows.append((name, "", "", f"{of_report:,}", f"{of_run:,}", ""))
        n_columns = 6 if any(layer.connected_to for layer in layers) else 5
        self.table(f"Section {self.section.number}: layers{model and f' of the {model}'}",
                   ("layer", "published shape", "shape", "published parameters", "parameters",
                    "connected to")[:n_columns], [row[:n_columns] for row in rows])

    def training_time(self, seconds: float, seconds_in_run: Optional[float], save_seconds: Sequence[float]) -> None:
        """Print how long the training took, how much of the time passed outside session.run, and the cost of saving."""
        outside = "" if seconds_in_run is None else \
            f", {1 - (seconds_in_run + sum(save_seconds)) / seconds:.1%} of it outside session.run"
        n, plural = len(save_seconds), "" if len(save_seconds) == 1 else "s"
        saving = f"; {n} checkpoint{plural} saved in {sum(save_seconds):.1f} s" if n else ""
        self.say(f"trained in {seconds:.1f} s{outside}{saving}{_peak_memory()}")

    def close(self) -> List[Tuple[str, ...]]:
        """Save the transcript, from which html_report makes the results page; return the comparison with the report.

        Returns:
            Rows under comparison.HEADER; none for the drawn sample.
        """
        rows = compare_with_published(self.published, self.bands, self.measured, self.changed,
                                      self.identity["preset"], self._collapsed is not None)
        content = {**self.identity, "title": self.section.title, "about": self.section.about,
                   "source": str(self.source), "mark": self.mark.strip(" ()"), "transcript": self._transcript,
                   "key_figures": self._last_numbers() + self._key_figures,
                   "notes": self._notes, "collapsed": self._collapsed is not None, "bands": str(self.bands),
                   "measured": self.measured, "compared": rows, "note": self.section.verdict_note}
        write_atomically(self.folder / TRANSCRIPT, (json.dumps(content, indent=1) + "\n").encode())
        if self._events:
            self._events.close()
        return rows


def _metric(name: str) -> str:
    """Return the metric in a name of a published value, such as loss of `epoch 1 loss`."""
    return name.split(" ", 2)[-1]


def _in_words(name: str) -> str:
    """Return a name of a published value in words that need no explanation, for the section's card."""
    words = {"progress_bar_loss": "training loss on the progress bar", "loss": "training loss",
             "progress_bar_acc": "accuracy on the progress bar", "val_loss": "validation loss"}
    return name.replace(_metric(name), words.get(_metric(name), _metric(name)))


def _event_file_writer(folder: Path) -> Any:
    """Return a tf1.summary.FileWriter on the folder, after the event files of earlier runs are removed."""
    for former in folder.glob("events.out.tfevents.*"):
        former.unlink()
    with tf1.Graph().as_default():  # the FileWriter refuses to work eagerly
        return tf1.summary.FileWriter(str(folder))


def _peak_memory() -> str:
    try:
        import resource  # Windows has no such module
    except ImportError:
        return ""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2 ** 20 if sys.platform == "darwin" else 2 ** 10)
    return f"; peak memory {peak:.0f} MB"
