"""Downloads that leave either a verified file or no file."""
from __future__ import annotations

import contextlib
import hashlib
import queue
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Iterator

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
        timeout: seconds to wait for the answer, with all redirects, and then for each next block.
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
                digest = hashlib.sha256()
                for block in _receive_blocks(url, size, timeout):
                    file.write(block)
                    digest.update(block)
                    bar.update(len(block))
                if digest.hexdigest() != sha256:
                    raise DownloadError(f"{url}: sha256 {digest.hexdigest()[:12]}..., expected {sha256[:12]}...")
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


def _receive_blocks(url: str, size: int, timeout: float) -> Iterator[bytes]:
    """Yield the first `size` bytes of `url`; any failure of the network becomes a DownloadError.

    Another thread talks to the server, and is abandoned when nothing has come from it in time. A server that sends a
    byte now and then, in its headers or anywhere else, can keep each of Python's calls waiting for days.
    """
    blocks: queue.Queue[Any] = queue.Queue(maxsize=8)
    given_up, n_read = threading.Event(), 0
    threading.Thread(target=_receive_in_thread, args=(url, size, timeout, blocks, given_up), daemon=True).start()
    try:
        while n_read < size:
            try:
                block = blocks.get(timeout=timeout)
            except queue.Empty:
                raise DownloadError(f"{url}: timed out after {n_read} of {size} bytes, expected an answer and then "
                                    f"{BLOCK_SIZE} bytes every {timeout:g} s") from None
            if isinstance(block, Exception):
                raise DownloadError(f"{url}: {one_line(getattr(block, 'reason', None) or block)}") from block
            if not block:
                raise DownloadError(f"{url}: received {n_read} bytes, expected {size}")
            n_read += len(block)
            yield block
    finally:
        given_up.set()
        with contextlib.suppress(queue.Empty):  # makes room for a block that the thread may be about to put
            while True:
                blocks.get_nowait()


def _receive_in_thread(url: str, size: int, timeout: float, blocks: Any, given_up: threading.Event) -> None:
    """Put the first `size` bytes of `url` into the queue, an empty block at an early end, or the exception."""
    opener = urllib.request.OpenerDirector()
    for kind in ("Proxy", "HTTP", "HTTPS", "HTTPRedirect", "HTTPDefaultError", "Unknown"):  # no file:, no ftp:
        opener.add_handler(getattr(urllib.request, kind + "Handler")())
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    try:
        with opener.open(url, timeout=timeout) as answer:
            while size > 0 and not given_up.is_set():
                block = answer.read(min(BLOCK_SIZE, size))
                blocks.put(block)
                size -= len(block) or size
    except Exception as error:  # OSError, HTTPException; of an invalid address ValueError, OverflowError and others
        blocks.put(error)
