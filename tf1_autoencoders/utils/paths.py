"""Where files lie, and how a path is shown.

Data, checkpoints and results lie in the working directory unless an option names another folder. The trained
checkpoints that come with the project lie in its clone, or inside the package where the package was installed.
"""
from __future__ import annotations

import os
from pathlib import Path
from typing import Union

from tf1_autoencoders.utils.errors import printable

PACKAGE = Path(__file__).resolve().parent.parent
DATA = Path("data")  # the cache of downloaded data sets
CHECKPOINTS = Path("checkpoints")
RESULTS = Path("results")
_IN_CLONE = PACKAGE.parent / "checkpoints" / "pretrained"
PRETRAINED = _IN_CLONE if _IN_CLONE.is_dir() else PACKAGE / "pretrained"  # read only


def display_path(path: Union[str, Path]) -> str:
    """Return `path` as the report would print it: from `./` if it lies below the working directory, else in full."""
    relative = os.path.relpath(str(path))
    return printable(path if relative.startswith(os.pardir) else relative if relative == os.curdir
                     else os.path.join(os.curdir, relative))
