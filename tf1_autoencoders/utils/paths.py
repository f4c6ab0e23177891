"""Where things lie in a clone, how a path is shown, and how files are written whole and read with care."""
from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "data"  # the cache of downloaded data sets; ignored by git
CHECKPOINTS = ROOT / "checkpoints"
PRETRAINED = CHECKPOINTS / "pretrained"  # the only checkpoints that git tracks
RESULTS = ROOT / "results"  # ignored by git


def shown(path):
    """`path` as the report would print it: from `./` where it lies below the working directory, else in full."""
    relative = os.path.relpath(str(path))
    return str(path) if relative.startswith(os.pardir) else os.path.join(".", relative)
