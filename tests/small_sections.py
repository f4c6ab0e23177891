"""The four sections at sizes that train in a second, for tests of whole runs. The command runs one of them:

    python -m tests.small_sections --section N --results-dir DIR --checkpoint-dir DIR [--backend keras] [--epochs N] ...

Its arguments are those of run_all.py.
"""
from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

from tf1_autoencoders import run_all
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.sections import SECTIONS

SIZES = {
    1: dict(n_hidden_1=23, n_hidden_2=17, n_hidden_3=13, n_latent=7, batch_size=16, n_epochs=5),
    2: dict(n_hidden_1=19, n_hidden_2=11, n_hidden_3=13, batch_size=16, n_epochs=9, print_every=4),
    3: dict(n_filters_1=5, n_filters_2=3, n_filters_3=2, batch_size=16, n_epochs=3, pretrain_epochs=1),
    4: dict(n_in=5, n_out=3, cardinality=13, n_units=11, n_sequences=100, n_test=20, batch_size=16, n_epochs=4)}
SOURCE = Source("random images", "drawn sample", "a test")


def _images(n, *shape):
    return np.random.default_rng(n).random((n, *shape), dtype=np.float32)


def _classes(n):
    return (np.arange(n) % 10).astype(np.uint8)


def _load_1(settings, **where):
    return {"train": (_images(125, 784), _classes(125)), "test": (_images(30, 784), _classes(30))}, SOURCE


def _load_2(settings, splits=("train", "test"), **where):
    classes = np.where(np.arange(83) < 70, 7, 3)  # 70 horses: a batch of 16 crosses their end
    data = {"train": (255 * _images(83, 1024), classes), "test": (255 * _images(24, 1024), classes[-24:])}
    return {split: data[split] for split in splits}, SOURCE


def _load_3(settings, **where):
    clean = {"train": _images(75, 28, 28, 1), "test": _images(12, 28, 28, 1)}
    return {split: (np.clip(x + 0.1, 0, 1), x) for split, x in clean.items()}, SOURCE


LOADS = {1: _load_1, 2: _load_2, 3: _load_3}


def shrink(set_attribute, set_item):
    """Make the sections small.

    Args:
        set_attribute: function of (module, name, value), such as setattr or monkeypatch.setattr.
        set_item: function of (dict, key, value), such as dict.__setitem__ or monkeypatch.setitem.
    """
    set_attribute(figures, "DOTS_PER_INCH", 30)
    for number, sizes in SIZES.items():
        section = SECTIONS[number]
        set_item(section.presets, "report", dataclasses.replace(section.presets["report"], **sizes))
        set_item(SECTIONS, number, dataclasses.replace(section, save_every=1, load=LOADS.get(number, section.load)))


def arguments(section, folder, *more):
    """Return run_all's arguments for a run into a folder; a seed, so that no collapse on random images repeats it."""
    return ["--section", str(section), "--seed", "0", "--results-dir", str(Path(folder) / "results"),
            "--checkpoint-dir", str(Path(folder) / "checkpoints"), *more]


def remains(folder, section):
    """Return {file: bytes} of a finished run, without its transcript, which has durations in it."""
    name = f"section{section}"
    results, checkpoints = Path(folder) / "results" / name, Path(folder) / "checkpoints" / name
    files = [path for path in results.rglob("*") if path.name != "transcript.json"]
    files += (checkpoints / "latest").resolve().iterdir()
    return {path.name: path.read_bytes() for path in files if path.is_file()}


def workers_of(launcher):
    """Return the process ids of the workers of a launcher, which is a process id; the chief is the first."""
    workers = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == launcher and b"tests.small_sections" in (folder / "cmdline").read_bytes():
                workers.append(int(folder.name))
        except (OSError, ValueError):  # a process that has just ended
            pass
    return sorted(workers)


def is_running(process_id):
    """Return whether a process is running, or stopped."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    shrink(setattr, dict.__setitem__)
    sys.exit(run_all.main())
