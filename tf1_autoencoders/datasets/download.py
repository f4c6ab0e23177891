"""Downloads that leave either a verified file or none."""
from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import queue
import sys
import threading
import time
import urllib.request
import uuid
from pathlib import Path

from tqdm import tqdm

from tf1_autoencoders.utils.errors import UserError, brief

BLOCK = 1 << 17  # bytes
ABANDONED = 600  # seconds after which nobody is writing to an unfinished file any more


class DownloadError(UserError):
    """The file could not be had, or was not the one expected."""


def fetch(url, path, *, size, sha256, timeout=20.0, attempts=2, pause=1.0):
    """Download `url` to `path`, with a progress bar on a terminal.

    The bytes go to a file of this call's own beside `path`, which gets that name when size and sum are right. Each
    attempt starts over; what a killed process left behind is removed by a later one.

    Args:
        url: http or https address.
        path: where the file goes; its folder is made where it is missing.
        size: bytes expected; nothing behind them is read.
        sha256: sum expected, in hexadecimal.
        timeout: seconds to wait for the answer, redirects and all, and then for each next BLOCK.
        attempts, pause: how often to try, and the seconds between.

    Raises:
        DownloadError: no attempt gave the file expected; nothing is left behind.
        OSError: the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    for attempts_left in reversed(range(attempts)):
        try:
            with unfinished(path) as file, tqdm(total=size, unit="B", unit_scale=True, desc=path.name,
                                                file=sys.stderr, disable=None) as bar:
                total = hashlib.sha256()
                for block in _blocks(url, size, timeout):
                    file.write(block)
                    total.update(block)
                    bar.update(len(block))
                if total.hexdigest() != sha256:
                    raise DownloadError(f"{url}: sha256 {total.hexdigest()[:12]}..., expected {sha256[:12]}...")
            return
        except DownloadError:
            if not attempts_left:
                raise
            time.sleep(pause)


@contextlib.contextmanager
def unfinished(path):
    """A file to write to, which is on disk under the name `path` after the block, or nowhere where the block fails."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")  # so that two processes can be at it at once
    try:
        with open(str(part), "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(part), str(path))
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _remove_abandoned(path):
    for part in path.parent.glob(path.name + "*.part"):
        with contextlib.suppress(OSError):  # another process may remove it, too
            if time.time() - part.stat().st_mtime > ABANDONED:
                part.unlink()


def _blocks(url, size, timeout):
    """Yield the first `size` bytes behind `url`; what the network does wrong becomes a DownloadError.

    The server is spoken to in another thread, which is left alone when nothing has come from it in time: one that sends
    a byte now and then, in its headers or anywhere else, can keep each of Python's calls waiting for days.
    """
    blocks, given_up, n_read = queue.Queue(maxsize=8), threading.Event(), 0
    threading.Thread(target=_receive, args=(url, size, timeout, blocks, given_up), daemon=True).start()
    try:
        while n_read < size:
            try:
                block = blocks.get(timeout=timeout)
            except queue.Empty:
                raise DownloadError(f"{url}: timed out after {n_read} of {size} bytes, expected an answer and then "
                                    f"{BLOCK} bytes every {timeout:g} s") from None
            if isinstance(block, Exception):
                raise DownloadError(f"{url}: {brief(getattr(block, 'reason', None) or block)}") from block
            if not block:
                raise DownloadError(f"{url}: {n_read} bytes came, expected {size}")
            n_read += len(block)
            yield block
    finally:
        given_up.set()
        with contextlib.suppress(queue.Empty):  # room for what the thread may be about to put
            while True:
                blocks.get_nowait()


def _receive(url, size, timeout, blocks, given_up):
    """Put the first `size` bytes behind `url` into the queue, an empty block where it ends, or the exception."""
    opener = urllib.request.OpenerDirector()
    for kind in ("Proxy", "HTTP", "HTTPS", "HTTPRedirect", "HTTPDefaultError", "Unknown"):  # no file:, no ftp:
        opener.add_handler(getattr(urllib.request, kind + "Handler")())
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    try:
        with opener.open(url, timeout=timeout) as answer:
            while size > 0 and not given_up.is_set():
                block = answer.read(min(BLOCK, size))
                blocks.put(block)
                size -= len(block) or size
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: an address that is none
        blocks.put(error)
