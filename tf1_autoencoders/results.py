"""What a run leaves behind: lines on the terminal, metrics.jsonl, settings.json, figures, tables.

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

from tf1_autoencoders import console, figures
from tf1_autoencoders.frameworks import tf1
from tf1_autoencoders.paths import shown


@dataclasses.dataclass(frozen=True)
class Options:
    """What a run is asked for beside the section's settings."""

    preset: str  # name of the preset that the settings started from
    data: str  # auto | real | sample
    data_dir: Optional[str]  # folder with the data set, or None
    out: str  # folder of results/
    checkpoint_dir: str  # folder of checkpoints/
    threads: int  # CPU threads, 0: as TensorFlow chooses
    weights_only: bool  # leave the optimiser's slots out of the checkpoint


class Report:
    """The account of one run of one section.

    Args:
        number: of the section.
        title: of the section.
        settings: the section's settings, resolved.
        options: Options.
        source: datasets.Source of the pictures.
        arrays: those that are trained on; their sum goes into settings.json.
    """

    def __init__(self, number, title, settings, options, source, arrays):
        self.source = source
        self.folder = Path(options.out) / f"section{number}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "section": number, "preset": options.preset, "settings": dataclasses.asdict(settings),
            "data": {"name": source.name, "kind": source.kind, "sha256_of_training_arrays": _sum(arrays)},
            "threads": options.threads,
            "versions": {"python": platform.python_version(), "numpy": np.__version__,
                         "tensorflow": tf1.version.VERSION, "machine": platform.machine()}}
        (self.folder / "settings.json").write_text(json.dumps(self.settings, indent=2) + "\n")
        self._metrics = self.folder / "metrics.jsonl"
        self._metrics.write_text("")
        self.say(f"Section {number}: {title} (preset {options.preset}, seed {settings.seed})", f"data: {source}")

    @property
    def mark(self):
        """What stands beside a result: empty, or that it is made from the drawn sample."""
        return " (drawn sample)" if self.source.is_sample else ""

    def say(self, *lines):
        print(*lines, sep="\n", flush=True)

    def record(self, **values):
        """Append a line to metrics.jsonl."""
        if self.source.is_sample:
            values["data"] = self.source.kind
        with open(str(self._metrics), "a") as file:
            file.write(json.dumps(values) + "\n")

    def measured(self, text, published, note=""):
        """Say a line of the report with our value in it, the published value beside it."""
        beside = f"published: {published}" if published is not None and not self.source.is_sample else ""
        self.say("   ".join(part for part in (text + self.mark, beside, note) if part))

    def figure(self, name, figure):
        """Save a figure under the run's folder and say where."""
        self.say(f"picture: {shown(figures.save(figure, self.folder, name, self.source))}")

    def table(self, caption, header, rows):
        """Say a table in Markdown; columns named published are left out for the drawn sample."""
        keep = [k for k, name in enumerate(header) if not (self.source.is_sample and "published" in name)]
        self.say("", caption + self.mark, "", *console.markdown([header[k] for k in keep],
                                                                [[row[k] for k in keep] for row in rows]))

    @contextlib.contextmanager
    def timed(self, session):
        """Say how long the block took, and how much of it passed outside session.run."""
        start, start_in_run = time.perf_counter(), session.seconds_in_run
        yield
        seconds = time.perf_counter() - start
        outside = 1 - (session.seconds_in_run - start_in_run) / seconds
        self.say(f"trained in {seconds:.1f} s, {outside:.1%} of it outside session.run{_peak_memory()}")


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
