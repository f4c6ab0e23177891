"""What a run leaves behind: lines on the terminal, metrics.jsonl, settings.json, figures, tables, its account.

Here, and nowhere else, results from the drawn sample are marked as such and kept apart from the published numbers.
"""
from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import platform
import sys
import time
from pathlib import Path
from typing import Optional

import numpy as np

from tf1_autoencoders.reporting import comparison, figures, tables
from tf1_autoencoders.utils.files import write_whole
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import shown

ACCOUNT = "account.json"
PACKAGE = Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Options:
    """What a run is asked for beside the section's settings."""

    preset: str = "report"  # name of the preset that the settings started from
    backend: str = "graph"  # graph | keras
    data: str = "auto"  # auto | real | sample
    data_dir: Optional[str] = None  # folder with the data set, or None
    out: str = "results"  # folder of results
    checkpoint_dir: str = "checkpoints"  # folder of checkpoints
    threads: Optional[int] = None  # CPU threads, 0: as TensorFlow chooses; None: the section's own number
    weights_only: bool = False  # leave the optimiser's slots out of the checkpoint
    tensorboard: bool = False  # write event files
    precision: str = "float32"  # float32 | bfloat16, of products and convolutions
    save_every: Optional[int] = None  # epochs from one checkpoint to the next; None: the section's SAVE_EVERY
    resume: bool = False  # go on from what is in the folder of checkpoints, or refuse


def n_threads(section, options):
    """The CPU threads that a run uses: those asked for, else the section's own number; 0: TensorFlow's choice."""
    if options.threads is not None:
        return options.threads
    return section.THREADS if options.backend == "graph" else 0


def code_checksum(section):
    """The sha256 of all code that a run of the section can come to: every module but those of the other sections."""
    own = f"section{section.NUMBER}"
    files = [path for path in sorted(PACKAGE.rglob("*.py"))
             if not path.name.startswith("section") or path.name.startswith(own)]
    return _sum(np.frombuffer(f"{path.relative_to(PACKAGE)}\n".encode() + path.read_bytes(), np.uint8)
                for path in files)


def describe(section, settings, options, source, arrays):
    """What a run is, as settings.json has it: runs of which this is the same come to the same bytes.

    Args:
        section: its module.
        settings: the section's settings, resolved.
        options: Options.
        source: datasets.Source of the data.
        arrays: those that are trained on; their sum is in it.
    """
    return {
        "section": section.NUMBER, "preset": options.preset, "backend": options.backend,
        "settings": dataclasses.asdict(settings),
        "data": {"name": source.name, "kind": source.kind, "sha256_of_training_arrays": _sum(arrays)},
        "threads": n_threads(section, options), "precision": options.precision,
        "code": {"sha256": code_checksum(section)},
        "versions": {"python": platform.python_version(), "numpy": np.__version__,
                     "tensorflow": tf1.version.VERSION, "machine": platform.machine()}}


class Report:
    """The account of one run of one section.

    Args:
        section: its module.
        settings: the section's settings, resolved.
        options: Options.
        source: datasets.Source of the data.
        described: what describe() gives for these.
    """

    def __init__(self, section, settings, options, source, described):
        self.section, self.number, self.source, self.preset = section, section.NUMBER, source, options.preset
        self.folder = Path(options.out) / f"section{self.number}"
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob("*.part"):  # by a kill
            left.unlink()
        self.settings = described
        write_whole(self.folder / "settings.json", (json.dumps(described, indent=1) + "\n").encode())
        self._metrics = self.folder / "metrics.jsonl"
        self._metrics.write_text("")
        for former in (self.folder / "tensorboard").glob("events.out.tfevents.*") if options.tensorboard else ():
            former.unlink()
        self._events = tf1_events(self.folder / "tensorboard") if options.tensorboard else None
        self.measured = {}  # name of a number -> value, those of `published` under their names there
        self._account = []
        print(f"Section {self.number}: {section.TITLE} (preset {options.preset}, {options.backend}, "
              f"seed {settings.seed})", f"data: {source}", sep="\n")

    @property
    def mark(self):
        """What stands beside a result: empty, or that it is made from the drawn sample."""
        return " (drawn sample)" if self.source.is_sample else ""

    @property
    def published(self):
        """The published numbers of the section, {} for the drawn sample: nothing made from it stands beside them."""
        return {} if self.source.is_sample else comparison.NUMBERS[self.number]

    def say(self, *lines):
        """Lines of the report, on the terminal and in the account."""
        self._account.append({"kind": "text", "lines": [str(line) for line in lines]})
        print(*lines, sep="\n", flush=True)

    def heading(self, text):
        """A heading in the account; nothing on the terminal."""
        self._account.append({"kind": "heading", "text": text})

    def record(self, step, values):
        """Append a line to metrics.jsonl, and the scalars to TensorBoard's event file where there is one."""
        line = {**({"epoch": step} if step is not None else {}), **values}
        if self.source.is_sample:
            line["data"] = self.source.kind
        with open(str(self._metrics), "a") as file:
            file.write(json.dumps(line) + "\n")
        if self._events and step is not None:
            summary = tf1.Summary(value=[tf1.Summary.Value(tag=tag, simple_value=value)
                                         for tag, value in values.items()])
            self._events.add_summary(summary, step)

    def epoch(self, step, text, values, names, note=""):
        """Say a line of the report's trace with our values, the published ones beside it, and record the values.

        Args:
            step: the epoch, as the report counts it.
            text: the line, in the report's words.
            values: {metric: value}.
            names: the numbers' names in `published`, in the line's order.
            note: what else to say in the line.
        """
        published = [f"{self.published[name]:.4f}" for name in names if name in self.published]
        parts = [text + self.mark, "published: " + " ".join(published) if published else "", note]
        self.say("   ".join(part for part in parts if part))
        self.record(step, values)

    def figure(self, name, caption, figure):
        """Save a figure under the run's folder and say where."""
        path = figures.save(figure, self.folder, name, self.source)
        self._account.append({"kind": "figure", "file": path.name, "caption": caption + self.mark})
        if self._events:
            image = tf1.Summary.Image(encoded_image_string=path.read_bytes(), colorspace=4)
            self._events.add_summary(tf1.Summary(value=[tf1.Summary.Value(tag=name, image=image)]), 0)
        print(f"picture: {shown(path)}", flush=True)

    def graph(self, model):
        """Write the graph to TensorBoard's event file where there is one."""
        if self._events:
            self._events.add_graph(model.graph)

    def table(self, caption, header, rows):
        """A table, as Markdown on the terminal; columns named published are left out for the drawn sample."""
        keep = [k for k, name in enumerate(header) if not (self.source.is_sample and "published" in name)]
        header, rows = [header[k] for k in keep], [[str(row[k]) for k in keep] for row in rows]
        self._account.append({"kind": "table", "caption": caption + self.mark, "header": header, "rows": rows})
        print("", caption + self.mark, "", *tables.markdown(header, rows), "", sep="\n", flush=True)

    @contextlib.contextmanager
    def timed(self, session=None, saves=()):
        """Say how long the block took, how much of it passed outside session.run, and how much with saving.

        Args:
            session: training.Session, or None.
            saves: seconds of each checkpoint that the block saved.
        """
        start, start_in_run = time.perf_counter(), session.seconds_in_run if session else 0
        yield
        seconds = time.perf_counter() - start
        in_run = session.seconds_in_run - start_in_run if session else 0
        outside = f", {1 - (in_run + sum(saves)) / seconds:.1%} of it outside session.run" if session else ""
        saving = f"; {len(saves)} checkpoints saved in {sum(saves):.1f} s" if saves else ""
        self.say(f"trained in {seconds:.1f} s{outside}{saving}{_peak_memory()}")

    def close(self):
        """Save the account: what `page` makes the results page of. Returns the rows of published beside measured."""
        rows = [] if self.source.is_sample else comparison.compare(self.number, self.preset, self.measured)
        account = {**self.settings, "title": self.section.TITLE, "about": self.section.__doc__,
                   "source": str(self.source), "mark": self.mark.strip(" ()"),
                   "account": self._account, "measured": self.measured, "compared": rows}
        (self.folder / ACCOUNT).write_text(json.dumps(account, indent=1) + "\n")
        if self._events:
            self._events.close()
        return rows


def tf1_events(folder):
    """A tf1.summary.FileWriter on the folder."""
    with tf1.Graph().as_default():  # it refuses to work eagerly
        return tf1.summary.FileWriter(str(folder))


def _peak_memory():
    try:
        import resource  # not on Windows
    except ImportError:
        return ""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2 ** 20 if sys.platform == "darwin" else 2 ** 10)
    return f"; peak memory {peak:.0f} MB"


def _sum(arrays):
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array))
    return total.hexdigest()
