"""Downloads that leave either a verified file or none."""
from __future__ import annotations

import hashlib
import http.client
import os
import sys
import time
import urllib.request
from pathlib import Path

from tqdm import tqdm

from tf1_autoencoders.errors import UserError

BLOCK = 1 << 20  # bytes


class DownloadError(UserError):
    """The file could not be had, or was not the one expected."""


def fetch(url, path, *, size, sha256, timeout=20.0, attempts=2, pause=1.0):
    """Download `url` to `path`, with a progress bar on a terminal.

    The bytes go to `path` + ".part", which is renamed only when size and sum are right.

    Args:
        url: http or https address.
        path: where the file goes; its folder is made where it is missing.
        size: bytes expected.
        sha256: sum expected, in hexadecimal.
        timeout: seconds to wait for the connection and for each next block.
        attempts, pause: how often to try, and the seconds between.

    Raises:
        DownloadError: no attempt gave the file expected; nothing is left behind.
        OSError: the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        for attempts_left in reversed(range(attempts)):
            try:
                with open(str(part), "wb") as file, tqdm(total=size, unit="B", unit_scale=True, desc=path.name,
                                                         file=sys.stderr, disable=None) as bar:
                    for block in _blocks(url, size, timeout):
                        file.write(block)
                        bar.update(len(block))
                found = file_sum(part)
                if found != sha256:
                    raise DownloadError(f"{url}: sha256 {found[:12]}..., expected {sha256[:12]}...")
                os.replace(str(part), str(path))
                return
            except DownloadError:
                if not attempts_left:
                    raise
                time.sleep(pause)
    finally:
        if part.exists():
            part.unlink()


def _blocks(url, size, timeout):
    """Yield the `size` bytes behind `url`; what the network does wrong becomes a DownloadError."""
    n_read = 0
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            while n_read <= size:
                block = answer.read(BLOCK)
                if not block:
                    break
                n_read += len(block)
                yield block
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}") from error
    if n_read != size:
        raise DownloadError(f"{url}: {'more bytes' if n_read > size else f'{n_read} bytes'} came, expected {size}")


def file_sum(path):
    """The sha256 of a file, in hexadecimal."""
    total = hashlib.sha256()
    with open(str(path), "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            total.update(block)
    return total.hexdigest()
