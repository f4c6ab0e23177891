"""Fresh processes with limits: what a foreign file can make grow is bounded in memory and time.

A .meta file is a program. Its operations are checked (harmless.py), but a harmless one can ask for any size: Fill makes
a terabyte of three numbers, and TensorFlow computes what depends on constants alone while it reads the graph. So the
command `convert` works in a process of its own, and the comparison in a further one. The system then refuses memory
beyond the limit, and the user reads one sentence.
"""
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Sequence

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import PACKAGE

BYTES = 4 << 30  # for TensorFlow and small networks, which take one; each thread of a pool has its own stack and heap
BYTES_PER_CORE = 64 << 20
COPIES = 12  # of the weights: as read, as constants, as what a converter makes of them, and written
SECONDS_TO_END = 5


def limit_memory(path: Path) -> int:
    """Bound the memory of this process and of those that it starts, by the size of a checkpoint's files; return bytes.

    Bounded is the memory that a process can write to, on Linux; elsewhere nothing is.
    """
    folder, name = (path, "") if path.is_dir() else (path.parent, path.name.partition(".data-")[0])
    n_files = 0
    with contextlib.suppress(OSError):
        n_files = sum(file.stat().st_size for file in folder.iterdir() if file.name.startswith(name) and file.is_file())
    limit = BYTES + BYTES_PER_CORE * (os.cpu_count() or 1) + COPIES * n_files
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    return limit


def run_fresh(arguments: Sequence[str], seconds: float, capture: bool = False) -> str:
    """Run Python in a fresh process that can import this package; return what it wrote to stderr if captured.

    Args:
        arguments: of Python.
        seconds: limit of time, after which the process and those that it started are ended.
        capture: whether stdout and stderr are kept from the user.

    Raises:
        UserError: the process took longer, or a limit or a signal ended it.
        subprocess.CalledProcessError: the process ended with an exit code above 0.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(
        [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])}
    pipe = subprocess.PIPE if capture else None
    sys.stdout.flush()
    process = subprocess.Popen([sys.executable, *arguments], stdout=pipe, stderr=pipe, env=environment,
                               universal_newlines=True, errors="replace", start_new_session=True)
    try:
        _, message = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise UserError(f"the graph did not answer within {seconds:g} seconds; name other outputs") from None
    finally:
        if process.poll() is None:
            _end(process)
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        raise UserError(f"the process that reads and runs the graph was ended by {name}, as one is that asks for more "
                        "memory than it may have; name other outputs, or convert by name with --to npz")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, stderr=message)
    return message or ""


def _end(process: subprocess.Popen) -> None:  # type: ignore[type-arg]
    """End a process and those that it started, softly first, so that no unfinished file is left."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number) if hasattr(os, "killpg") else process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
            return
