"""Downloads that leave either a verified file or no file."""
from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
import time
import urllib.request
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import IO, Iterator

from tqdm import tqdm

from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import ABANDONED_AFTER_SECONDS, atomic_file

BLOCK_SIZE = 1 << 17  # bytes


class DownloadError(UserError):
    """The download failed, or its content was not the expected file."""


def download(url: str, path: Path, *, size: int, sha256: str, timeout: float = 20.0, attempts: int = 2,
             pause: float = 1.0) -> None:
    """Download `url` to `path`, with a progress bar on a terminal.

    The bytes go to a temporary file beside `path`, which is renamed when size and checksum are right. Each attempt
    starts over. A later call removes what a killed process left behind.

    Args:
        url: http or https address.
        path: path of the file; its folder is made if it is missing.
        size: expected bytes; nothing after them is read.
        sha256: expected checksum, in hexadecimal.
        timeout: seconds to wait for the answer, with all redirects, and then for more; at most twice as many pass
            without a block.
        attempts, pause: number of attempts, and seconds between them.

    Raises:
        DownloadError: no attempt gave the expected file; nothing is left behind.
        OSError: the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    for attempts_left in reversed(range(attempts)):
        try:
            with atomic_file(path) as file, tqdm(total=size, unit="B", unit_scale=True, desc=path.name,
                                                file=sys.stderr, disable=None) as bar:
                found = _receive(url, file, size, timeout, bar)
                if found != sha256:
                    raise DownloadError(f"{url}: sha256 {found[:12]}..., expected {sha256[:12]}...")
            return
        except DownloadError:
            if not attempts_left:
                raise
            time.sleep(pause)


def _remove_abandoned(path: Path) -> None:
    for part in path.parent.glob(path.name + "*.part"):
        with contextlib.suppress(OSError):  # another process may remove the file, too
            if time.time() - part.stat().st_mtime > ABANDONED_AFTER_SECONDS:
                part.unlink()


def _receive(url: str, file: IO[bytes], size: int, timeout: float, bar: tqdm) -> str:
    """Write the first `size` bytes of `url` to a file; return their sha256.

    A thread does the work, and is left alone when nothing has come in time: a server that sends a byte now and then, in
    its headers or anywhere else, can keep each of Python's calls waiting for days, whatever its timeout is. The thread
    then ends by itself, because the file is closed.

    Raises:
        DownloadError: nothing came in time, or the network failed.
        OSError: the file cannot be written.
    """
    outcome: "Future[str]" = Future()

    def copy() -> None:
        digest = hashlib.sha256()
        try:
            for block in _blocks(url, size, timeout):
                file.write(block)
                digest.update(block)
                bar.update(len(block))
            outcome.set_result(digest.hexdigest())
        except Exception as error:
            outcome.set_exception(error)

    threading.Thread(target=copy, daemon=True).start()
    n_written = 0
    while True:
        try:
            return outcome.result(timeout)
        except FutureTimeout:
            if file.tell() == n_written:
                raise DownloadError(f"{url}: timed out after {n_written} of {size} bytes, expected an answer and then "
                                    f"{BLOCK_SIZE} bytes every {timeout:g} s") from None
            n_written = file.tell()


def _blocks(url: str, size: int, timeout: float) -> Iterator[bytes]:
    """Yield the first `size` bytes of `url`; any failure of the network becomes a DownloadError."""
    opener = urllib.request.OpenerDirector()
    for kind in ("Proxy", "HTTP", "HTTPS", "HTTPRedirect", "HTTPDefaultError", "Unknown"):  # no file:, no ftp:
        opener.add_handler(getattr(urllib.request, kind + "Handler")())
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    n_read = 0
    try:
        with opener.open(url, timeout=timeout) as answer:
            while n_read < size:
                block = answer.read(min(BLOCK_SIZE, size - n_read))
                if not block:
                    raise DownloadError(f"{url}: received {n_read} bytes, expected {size}")
                n_read += len(block)
                yield block
    except DownloadError:
        raise
    except Exception as error:  # OSError, HTTPException; of an invalid address ValueError, OverflowError and others
        raise DownloadError(f"{url}: {one_line(getattr(error, 'reason', None) or error)}") from error
