"""Where things lie in a clone, how a path is shown, and how files are written whole and read with care."""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"  # the cache of downloaded data sets; ignored by git
CHECKPOINTS = ROOT / "checkpoints"
PRETRAINED = CHECKPOINTS / "pretrained"  # the only checkpoints that git tracks
RESULTS = ROOT / "results"  # ignored by git
LARGEST_JSON = 1 << 22  # bytes; a run's account has some 10000, one of 10000 epochs a million


def shown(path):
    """`path` as the report would print it: from `./` where it lies below the working directory, else in full."""
    relative = os.path.relpath(str(path))
    return str(path) if relative.startswith(os.pardir) else os.path.join(".", relative)


def write_whole(path, content):
    """Write bytes to a file that appears whole or not at all; returns its path.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")  # so that two processes can be at it at once
    try:
        part.write_bytes(content)
        os.replace(str(part), str(path))
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return path


def read_json(file):
    """What a JSON file holds.

    Raises:
        OSError: it cannot be read, or is none (a folder, a device).
        ValueError: not JSON, or more of it than any run writes.
    """
    if file.exists() and not file.is_file():
        raise ValueError("it is not a file")
    with open(str(file), "rb") as opened:
        content = opened.read(LARGEST_JSON + 1)
    if len(content) > LARGEST_JSON:
        raise ValueError(f"more than {LARGEST_JSON} bytes in it")
    try:
        return json.loads(content.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def file_sum(path):
    """The sha256 of a file, in hexadecimal."""
    total = hashlib.sha256()
    with open(str(path), "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            total.update(block)
    return total.hexdigest()
