"""Where things lie in a clone, how a path is shown, and how a file is written whole."""
from __future__ import annotations

import contextlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"  # the cache of downloaded data sets; ignored by git
CHECKPOINTS = ROOT / "checkpoints"
PRETRAINED = CHECKPOINTS / "pretrained"  # the only checkpoints that git tracks
RESULTS = ROOT / "results"  # ignored by git


def shown(path):
    """`path` as the report would print it: from `./` where it lies below the working directory, else in full."""
    relative = os.path.relpath(str(path))
    return str(path) if relative.startswith(os.pardir) else os.path.join(".", relative)


def write_whole(path, content):
    """Write bytes to a file that appears whole or not at all; returns its path.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(str(part), str(path))
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return path
