"""Files and folders: written whole, read within bounds, locked for one process, flushed to disk."""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import uuid
from pathlib import Path
from typing import IO, Any, Iterator, Union

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import PACKAGE, PRETRAINED, display_path

try:
    import fcntl
except ImportError:  # Windows, where two runs in one folder do not notice each other
    fcntl = None  # type: ignore[assignment]

MAX_JSON_BYTES = 1 << 22  # a run's transcript has some 10,000 bytes, that of 10,000 epochs a million
ABANDONED_AFTER_SECONDS = 600  # by then, nobody is writing to a temporary file any more
UNFINISHED_PREFIX = "unfinished-"  # names that begin so were left behind by a kill


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Context manager: a binary file that appears on disk under the name `path` after the block, or not at all.

    The bytes go to a temporary file beside `path`, whose name ends in .part; the file is flushed to disk and renamed.

    Raises:
        OSError: the file cannot be written; an earlier file of that name stays.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")  # unique, so that two processes can write at once
    try:
        with open(str(part), "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(part), str(path))
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)  # the name that the user knows
        raise


def write_atomically(path: Path, content: bytes) -> Path:
    """Write bytes to a file that appears whole or not at all; return its path. See atomic_file."""
    with atomic_file(path) as file:
        file.write(content)
    return path


def open_regular(path: Union[str, Path]) -> IO[bytes]:
    """Open a regular file for reading.

    Raises:
        OSError: the file cannot be opened.
        ValueError: the path is a folder, a device or a pipe; a pipe without a writer would never answer.
    """
    descriptor = os.open(str(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("it is not a file")
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Union[str, Path], limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises:
        OSError, ValueError: see open_regular; or the file is larger.
    """
    with open_regular(path) as file:  # read() would take the memory for all bytes that it is asked for
        size = os.fstat(file.fileno()).st_size
        content = file.read(size + 1) if size <= limit else b""
    if size > limit or len(content) > limit:
        raise ValueError(f"more than {limit} bytes in it")
    return content


def read_json(file: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the content is not JSON, or larger than any run writes; or the path is a folder or a device.
    """
    content = read_bounded(file, MAX_JSON_BYTES)
    try:
        return json.loads(content.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a regular file, in hexadecimal; see open_regular for the errors."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def check_not_shipped(folder: Path) -> None:
    """Raise UserError if a folder belongs to what the project ships, which no command changes."""
    for shipped in (PRETRAINED, PACKAGE):
        if shipped in (folder.resolve(), *folder.resolve().parents):
            raise UserError(f"{display_path(folder)}: this folder is part of the project and is not written to; "
                            "choose another")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they outlast a power loss: each is flushed into the one above it.

    Raises:
        OSError: a folder cannot be made.
    """
    if not folder.is_dir():
        if folder.parent != folder:
            make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        fsync(folder.parent)


def make_writable_folder(folder: Union[str, Path]) -> Path:
    """Make `folder` and test it with a small file, so that a run does not fail only at its end; return it as a Path.

    Raises:
        UserError: the folder cannot be made or written to, or it belongs to what the project ships.
    """
    folder = Path(folder).expanduser()
    check_not_shipped(folder)
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=str(folder)) as probe:
            probe.write(bytes(4096))
    except OSError as error:
        raise UserError(f"{display_path(folder)}: {error.strerror}; expected a folder that can be written to, "
                        "choose another or free space") from error
    return folder


def lock_folder(folder: Union[str, Path], argument: str) -> IO[str]:
    """Lock a folder for this process, until the returned file is closed or the process ends in any way.

    Args:
        folder: the lock is a file beside the folder, so that the folder itself can be renamed.
        argument: the option that names another folder, for the message.

    Raises:
        UserError: another process holds the lock.
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
            raise UserError(f"{display_path(folder)}: another run{f' (process {process})' if process else ''} is at "
                            f"work there; wait for its end, or choose another {argument}") from error
        except OSError:  # a file system without locks
            pass
        else:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
    return file


def fsync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk."""
    if os.name == "nt":  # Windows flushes neither folders nor files that are open for reading only
        return
    descriptor = os.open(str(path), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_link(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target` in one rename, whatever is there."""
    unfinished = path.with_name(UNFINISHED_PREFIX + path.name)
    os.symlink(target, str(unfinished))
    os.replace(str(unfinished), str(path))
