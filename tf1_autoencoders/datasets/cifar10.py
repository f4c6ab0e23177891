"""CIFAR-10: finding a copy, downloading one, reading its pickles without running them.

The official archive is https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz (A. Krizhevsky, 2009): five training
batches and a test batch of 10000 images, each a pickled dict written by Python 2.
"""
from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import pickle
import tarfile
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Tuple

import numpy as np

from tf1_autoencoders.datasets import LabelledImages, Source, drawn_sample, locate
from tf1_autoencoders.datasets.download import download
from tf1_autoencoders.datasets.gzip_reader import MalformedFile, bounded_reader
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import atomic_file
from tf1_autoencoders.utils.paths import DATA, display_path

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE_NAME = "cifar-10-python.tar.gz"
ARCHIVE_SIZE = 170498071  # bytes
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
FOLDER_NAME = "cifar-10-batches-py"
OFFICIAL_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f", "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751", "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb", "test_batch": "40351d587109b95175f43aff81a1287e"}
SPLITS = {"train": tuple(f"data_batch_{k}" for k in range(1, 6)), "test": ("test_batch",)}
IMAGES_PER_BATCH = 10000  # images in a batch file
BYTES_PER_IMAGE = 3072  # of an image: 1024 red, 1024 green, 1024 blue
MAX_FILE_BYTES = 64 << 20  # bytes; the official batches have 31 million
MAX_ARCHIVE_BYTES = 256 << 20  # bytes, packed or unpacked; the official one unpacks to 186 million
MAX_MEMBERS = 100  # of an archive; the official one has nine
MAX_PICKLE_STEPS = 100_000  # of a pickle; the official ones have about 30000, two a file name and one a label


def load(splits: Sequence[str] = ("train", "test"), *, data: str = "auto",
         data_dir: locate.DataDir = None) -> Dict[str, LabelledImages]:
    """Read the splits, as a dict {split: LabelledImages} with x uint8[n, 3072], all from one source.

    locate.find_dataset says how a copy is looked for; the places are the cache ./data and Keras's cache.

    Args:
        splits: names from SPLITS.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (only the drawn sample).
        data_dir: folder, or list of folders, with the six batches or cifar-10-python.tar.gz in it, at most
            locate.MAX_DEPTH folders deep.

    Raises:
        UserError: the folder that the user named holds no readable copy, or data="real" and no copy can be had.
    """
    return locate.find_dataset("CIFAR-10", splits, data=data, data_dir=data_dir, folders=_usual_folders(),
                               read=_read_copy, download=_download, draw=drawn_sample.cifar10)


def plan(*, data: str = "auto", data_dir: locate.DataDir = None) -> str:
    """Return where load would take the images from; see locate.plan_dataset."""
    return locate.plan_dataset("CIFAR-10", data=data, data_dir=data_dir, folders=_usual_folders(),
                               find_copy=_find_copy, n_bytes=ARCHIVE_SIZE)


def _usual_folders() -> Tuple[Path, ...]:
    return DATA, locate.keras_cache()


def _find_copy(folder: Path) -> Path:
    """Return the folder with the batches, or the archive, in a folder or in the folders within.

    All six batches come first, then an archive, then what there is of the batches.

    Raises:
        DatasetNotFound: there is nothing of them.
    """
    complete: List[Path] = []
    archives: List[Path] = []
    incomplete: List[Path] = []
    for place, names in locate.folders_with_files(folder, "CIFAR-10"):
        batches = [name for name in names if name in OFFICIAL_MD5]
        archives += [place / name for name in names if name not in OFFICIAL_MD5]
        if batches:
            (complete if len(batches) == len(OFFICIAL_MD5) else incomplete).append(place)
    return [*complete, *archives, *incomplete][0]


def _download() -> None:
    """Download the archive into the cache, and unpack and verify the six files that are read."""
    archive = DATA / ARCHIVE_NAME
    download(URL, archive, size=ARCHIVE_SIZE, sha256=ARCHIVE_SHA256)
    (DATA / FOLDER_NAME).mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # another process has unpacked it at the same time
        for name, content in _archive_members(archive, OFFICIAL_MD5):
            with atomic_file(DATA / FOLDER_NAME / name) as file:
                file.write(content)
        archive.unlink()


def _read_copy(folder: Path, splits: Sequence[str], must_be_official: bool = False) -> Dict[str, LabelledImages]:
    """Read the splits from a folder (see load).

    Raises:
        DatasetNotFound: the folder has neither batches nor an archive.
        UserError: a file is missing or damaged, or, with must_be_official, its content is not the official one.
    """
    copy = _find_copy(folder)
    folder = copy.parent if copy.is_file() or copy.name == FOLDER_NAME else copy
    names = [name for split in splits for name in SPLITS[split]]
    files = (_folder_members if copy.is_dir() else _archive_members)(copy, names)
    official, parts = True, {}
    for name, content in files:
        official = official and hashlib.md5(content).hexdigest() == OFFICIAL_MD5[name]
        if must_be_official and not official:
            raise UserError(f"{display_path(folder)}: {name} is not the official file (md5 differs)")
        parts[name] = read_batch(content, f"{display_path(folder)}: {name}")
    source = Source("CIFAR-10", "official" if official else "unverified copy", display_path(folder))
    return {split: LabelledImages(np.concatenate([parts[name][0] for name in SPLITS[split]]),
                            np.concatenate([parts[name][1] for name in SPLITS[split]]), source) for split in splits}


def _folder_members(folder: Path, names: Sequence[str]) -> Iterator[Tuple[str, bytes]]:
    """Yield (name, bytes) of the files in an unpacked copy."""
    for name in names:
        path = folder / name
        try:
            size = path.stat().st_size
            if size > MAX_FILE_BYTES or not path.is_file():
                raise UserError(f"{display_path(path)}: {size} bytes, expected a file of about 31 million; "
                                "this is not a CIFAR-10 batch, unpack the official archive again")
            with open(str(path), "rb") as file:
                content = file.read(MAX_FILE_BYTES)
        except OSError as error:
            remedy = f"a copy of CIFAR-10 has {len(OFFICIAL_MD5)} batch files, unpack it again" \
                if isinstance(error, FileNotFoundError) else "make the file readable"
            raise UserError(f"{display_path(path)}: {error.strerror}; {remedy}") from error
        yield name, content


def _archive_members(path: Path, names: Iterable[str]) -> Iterator[Tuple[str, bytes]]:
    """Yield (name, bytes) of the archive's batch files; nothing is written to disk, and no member's path is used.

    The archive may be packed by gzip or not; its first bytes tell. Only the plain headers of the blocks are read: nine
    files do not need extended headers, as tarfile reads them.

    Raises:
        FileNotFoundError: there is no archive.
        UserError: the archive is not complete, or has no such files.
    """
    missing = set(names)
    try:
        with open(str(path), "rb") as packed:
            if path.stat().st_size > MAX_ARCHIVE_BYTES:
                raise MalformedFile(f"{path.stat().st_size} bytes, expected {ARCHIVE_SIZE}")
            archive = bounded_reader(packed, MAX_ARCHIVE_BYTES)
            for k in itertools.count():
                header = archive.read(tarfile.BLOCKSIZE)
                if not header.strip(b"\0"):
                    break
                if k == MAX_MEMBERS:
                    raise MalformedFile(f"more than {k} members in it")
                member = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
                size = 0 if member.type in b"123456" else member.size  # links, devices, folders: a header alone
                if not 0 <= size <= MAX_FILE_BYTES:
                    raise MalformedFile(f"{one_line(member.name)} claims {size} bytes")
                content = archive.read(size)
                if len(content) < size:
                    raise MalformedFile(f"it ends within {one_line(member.name)}")
                archive.read(-size % tarfile.BLOCKSIZE)
                name = member.name.rpartition("/")[2]
                if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and name in missing:
                    missing.remove(name)
                    yield name, content
            while archive.read(1 << 20):  # to the end, where gzip keeps its checksum
                pass
    except FileNotFoundError:
        raise
    except (OSError, MalformedFile, tarfile.TarError) as error:
        raise UserError(f"{display_path(path)}: not a whole tar archive ({one_line(error)}); "
                        "download it again or name another folder with --data-dir") from error
    if missing:
        raise UserError(f"{display_path(path)}: no {sorted(missing)[0]} in it; this is not the CIFAR-10 archive, "
                        "download it again or name another folder with --data-dir")


def read_batch(content: bytes, name: str) -> Tuple[np.ndarray, np.ndarray]:
    """Read one batch file; return (x uint8[10000, 3072], y uint8[10000]).

    Args:
        content: the file's bytes.
        name: name of the file, for messages.

    Raises:
        UserError: the content is no pickle, a pickle that needs more than arrays, or not the dict that CIFAR-10 has.
    """
    try:
        batch = _Unpickler(content).load()
        if not isinstance(batch, dict) or not {b"data", b"labels"} <= set(batch):
            raise _NotABatch("it has no data and labels")
        x, labels = batch[b"data"], batch[b"labels"]
        if not isinstance(x, _StoredArray) or not isinstance(labels, list):
            raise _NotABatch(f"data is a {type(x).__name__}, labels a {type(labels).__name__}")
        x = x.pixels()
        if len(labels) != IMAGES_PER_BATCH or any(type(label) is not int or not 0 <= label <= 9 for label in labels):
            raise _NotABatch(f"expected {IMAGES_PER_BATCH} labels from 0 to 9")
    except Exception as error:  # a hostile pickle can raise anything
        reason = one_line(error) if isinstance(error, _NotABatch) else "it is cut off, or another kind of file"
        raise UserError(f"{name}: not a CIFAR-10 batch ({reason}); unpack the official archive again") from error
    return x, np.array(labels, np.uint8)


class _NotABatch(pickle.UnpicklingError):
    """What is wrong with a file, in words for people."""


class _StoredArray:
    """Stands in for numpy.ndarray while unpickling; it keeps what the file says and allocates nothing."""

    shape: Any = None
    dtype: Any = None
    is_fortran: Any = None
    raw: Any = None

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.is_fortran, self.raw = state

    def pixels(self) -> np.ndarray:
        if not isinstance(self.dtype, _StoredDtype) or self.dtype.name not in ("u1", b"u1"):
            raise _NotABatch("data is not of dtype uint8")
        if self.shape != (IMAGES_PER_BATCH, BYTES_PER_IMAGE):
            # The message shows a plain shape only: hostile tuples of tuples need not be short.
            found = self.shape if _is_shape(self.shape) else f"of type {type(self.shape).__name__}"
            raise _NotABatch(f"data has shape {found}, expected {(IMAGES_PER_BATCH, BYTES_PER_IMAGE)}")
        if type(self.raw) is not bytes or len(self.raw) != IMAGES_PER_BATCH * BYTES_PER_IMAGE or self.is_fortran:
            raise _NotABatch(f"data is not {IMAGES_PER_BATCH * BYTES_PER_IMAGE} bytes in C order")
        return np.frombuffer(self.raw, np.uint8).reshape(self.shape)


def _is_shape(value: Any) -> bool:
    return type(value) is tuple and len(value) < 8 and all(type(n) is int for n in value)


class _StoredDtype:
    """Stands in for numpy.dtype while unpickling."""

    def __init__(self, name: Any = None, *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


class _Unpickler(pickle._Unpickler):  # type: ignore  # in Python: its memory grows with the file, not with its claims
    """Reads the content of CIFAR-10's files: dicts, lists, numbers, bytes and uint8 arrays. Nothing is ever imported.

    Opcodes that these files do not need are refused. Some of them would take any amount of memory (BYTEARRAY8) or hours
    (INT with a million digits).
    """

    ALLOWED = {("numpy.core.multiarray", "_reconstruct"): _StoredArray,
               ("numpy._core.multiarray", "_reconstruct"): _StoredArray,
               ("numpy", "ndarray"): _StoredArray, ("numpy", "dtype"): _StoredDtype}

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="bytes")
        functions = {code: pickle._Unpickler.dispatch[code] for code in ALLOWED_OPCODES}  # type: ignore[attr-defined]
        functions[pickle.SETITEMS[0]] = _Unpickler.load_setitems  # type: ignore[assignment]
        self.dispatch = _BoundedDispatch(functions)  # type: ignore[misc]

    def load_setitems(self) -> None:
        items = self.pop_mark()  # type: ignore[attr-defined]
        if any(type(key) not in (bytes, str) for key in items[::2]):  # hashing a deep tuple would abort the process
            raise _NotABatch("a dict has a key that is not text")
        self.stack[-1].update(zip(items[::2], items[1::2]))  # type: ignore[attr-defined]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise _NotABatch(f"it asks for {module[:40]}.{name[:40]}, which no batch of images needs")
        return self.ALLOWED[module, name]


class _BoundedDispatch(dict):
    """{opcode: its function}, which can be looked up MAX_PICKLE_STEPS times."""

    n_steps = 0

    def __getitem__(self, code: Any) -> Any:
        self.n_steps += 1
        if code not in self:
            raise _NotABatch(f"it has an opcode {code:#04x}, which no batch of images needs")
        if self.n_steps > MAX_PICKLE_STEPS:
            raise _NotABatch(f"more than {MAX_PICKLE_STEPS} steps in it")
        return super().__getitem__(code)


ALLOWED_OPCODES = b"".join([  # those of the official files (protocol 2), and of the same dict written by Python 3
    pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE,
    pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1,
    pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.BINUNICODE, pickle.SHORT_BINUNICODE,
    pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2,
    pickle.TUPLE3, pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT, pickle.SETITEMS,
    pickle.MEMOIZE, pickle.BINPUT, pickle.LONG_BINPUT, pickle.BINGET, pickle.LONG_BINGET,
    pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE, pickle.BUILD])
