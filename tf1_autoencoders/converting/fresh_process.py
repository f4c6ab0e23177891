"""Runs untrusted files in a subprocess with memory and time limits.

A .meta file is a program. Its operations are checked (allowlist.py), but an allowed one can ask for any size: Fill
makes a terabyte of three numbers, and TensorFlow computes what depends on constants alone while it reads the graph. So
the command `convert` works in a subprocess, and the comparison in a further one. The operating system enforces the
limits, which grow with the bytes that the checkpoint's files take on the disk, and the user reads one sentence.
"""
from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterable, Optional, Sequence

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import PACKAGE

BYTES = 3 << 29  # for TensorFlow and small networks, which take a third of it; without oneDNN, convolutions take more
BYTES_PER_CORE = 64 << 20  # each thread of a pool has its own stack and heap
COPIES = 12  # of the weights: as read, as constants, as what a converter makes of them, and written
RESERVE = 256 << 20  # with which a process whose memory has ended can still say so
SECONDS, SECONDS_PER_MB = 60, 2  # of processor time, for reading a checkpoint or for comparing models
SECONDS_TO_END = 5


def bytes_on_disk(files: Iterable[Path]) -> int:
    """Return how many bytes some regular files take on the disk, where a hole in a file takes none."""
    n = 0
    for file in files:
        with contextlib.suppress(OSError):
            state = file.stat()
            n += min(state.st_size, 512 * getattr(state, "st_blocks", state.st_size)) if file.is_file() else 0
    return n


def limit_memory(n_bytes: int) -> int:
    """Bound the memory of this process and of those that it starts; return the limit in bytes.

    Bounded is the memory that a process can write to, on Linux; elsewhere nothing is.

    Args:
        n_bytes: of the checkpoint, see bytes_on_disk.
    """
    limit = BYTES + BYTES_PER_CORE * (os.cpu_count() or 1) + COPIES * n_bytes
    with contextlib.suppress(ImportError, ValueError, OSError, AttributeError):
        limit = max(BYTES, min(limit, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")))
        import resource  # not on Windows
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit + RESERVE))
    return limit


def use_reserve() -> None:
    """Let this process have a little more memory than limit_memory allowed, for the sentence that memory has ended."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource
        resource.setrlimit(resource.RLIMIT_DATA, (resource.getrlimit(resource.RLIMIT_DATA)[1],) * 2)


def limit_time(n_bytes: Optional[int]) -> None:
    """Bound the processor time that this process may take from now on; with None, lift the bound.

    Args:
        n_bytes: of the checkpoint, see bytes_on_disk.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        seconds = hard if n_bytes is None else int(time.process_time() + SECONDS + SECONDS_PER_MB * n_bytes / 1e6)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds if hard < 0 else min(seconds, hard), hard))


def run_fresh(function: str, arguments: Sequence[str], seconds: float, capture: bool = False) -> str:
    """Call a function of this package in a fresh Python; return what it wrote to stderr if captured.

    The process finds modules where this one would find them, but never in the current directory: it may be the folder
    of a downloaded checkpoint, beside which a file numpy.py would be code of a stranger.

    Args:
        function: "module:function" of this package, of a list of arguments, which returns an exit code.
        arguments: the list.
        seconds: limit of time, after which the process and those that it started are ended.
        capture: whether stdout and stderr are kept from the user.

    Raises:
        UserError: the process took longer, or a limit or a signal ended it.
        subprocess.CalledProcessError: the process ended with an exit code above 0.
    """
    module, _, name = function.partition(":")
    code = f"import sys; sys.path = [{str(PACKAGE.parent)!r}] + [path for path in sys.path if path]; " \
        f"from {module} import {name}; sys.exit({name}(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(  # an empty part would be the current directory
        filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))}
    pipe = subprocess.PIPE if capture else None
    sys.stdout.flush()
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=pipe, stderr=pipe, env=environment,
                               universal_newlines=True, errors="replace", start_new_session=True)
    try:
        _, message = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise UserError(f"the graph did not answer within {seconds:.0f} seconds; name other outputs") from None
    finally:
        if process.poll() is None:
            _end(process)
    if process.returncode < 0:
        raise UserError(_reason(-process.returncode))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, stderr=message)
    return message or ""


def _reason(number: int) -> str:
    """Return a sentence about the signal that ended a process."""
    advice = "name other outputs, or convert by name with --to npz --no-meta"
    if number == getattr(signal, "SIGXCPU", None):
        return f"the files took more than {SECONDS} seconds of processor time, and {SECONDS_PER_MB} for each " \
            f"megabyte; {advice}"
    name = signal.Signals(number).name
    if number == getattr(signal, "SIGKILL", None):
        return f"the process that reads the files was killed by SIGKILL, probably because memory ran out; {advice}"
    return f"the process that reads the files crashed ({name}), as TensorFlow does on some damaged files; {advice}"


def _end(process: subprocess.Popen) -> None:  # type: ignore[type-arg]
    """End a process and those that it started, softly first, so that no unfinished file is left."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number) if hasattr(os, "killpg") else process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
            return
