"""Folders and the names in them: made and tried, held for one process, flushed to disk, links replaced whole."""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import uuid
from pathlib import Path

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import shown

try:
    import fcntl
except ImportError:  # Windows: there two runs in one folder are not told apart
    fcntl = None

LARGEST_JSON = 1 << 22  # bytes; a run's account has some 10000, one of 10000 epochs a million
UNFINISHED = "unfinished-"  # how the names of what a kill may leave behind begin


def prepare(folder):
    """Make `folder` and try it with a small file, so that a run does not fail only at its end; returns it as a Path.

    Raises:
        UserError: it cannot be made or written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)) as probe:
            probe.write(bytes(4096))
    except OSError as error:
        raise UserError(f"{shown(folder)}: {error.strerror}; expected a folder that can be written to, "
                        "choose another or free space") from error
    return folder


def lock(folder, argument):
    """Hold a folder for this process, until the file returned is closed or the process ends, however it ends.

    Args:
        folder: the lock is a file beside it, so that the folder itself can be renamed.
        argument: the one that names another folder, for the message.

    Raises:
        UserError: another process holds it.
    """
    folder = Path(folder).resolve()
    file = open(str(folder.with_name(f".{folder.name}.lock")), "a+")
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            process = file.read(20).strip()
            file.close()
            raise UserError(f"{shown(folder)}: another run{f' (process {process})' if process else ''} is at work "
                            f"there; wait for its end, or choose another {argument}") from error
        except OSError:  # a file system that has no locks
            pass
        else:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
    return file


def flush(path):
    """Have a file, or the names in a folder, written to disk."""
    if os.name == "nt":  # Windows flushes neither what is open for reading only nor folders
        return
    descriptor = os.open(str(path), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_link(path, target):
    """Make `path` a symbolic link in one rename, whatever is there."""
    unfinished = path.with_name(UNFINISHED + path.name)
    os.symlink(target, str(unfinished))
    os.replace(str(unfinished), str(path))


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
