"""CIFAR-10: finding a copy, downloading one, reading its pickles without running them.

The official archive is https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz (A. Krizhevsky, 2009): five training
batches and a test batch of 10000 pictures, each a pickled dict written by Python 2.
"""
from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import pickle
import tarfile

import numpy as np

from tf1_autoencoders.datasets import Pictures, Source, drawn_sample, locate
from tf1_autoencoders.datasets.download import fetch, unfinished
from tf1_autoencoders.datasets.gzip_reader import BadFile, Unpacked
from tf1_autoencoders.utils.errors import UserError, brief
from tf1_autoencoders.utils.paths import DATA, shown

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_SIZE = 170498071  # bytes
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
FOLDER = "cifar-10-batches-py"
OFFICIAL_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f", "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751", "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb", "test_batch": "40351d587109b95175f43aff81a1287e"}
SPLITS = {"train": tuple(f"data_batch_{k}" for k in range(1, 6)), "test": ("test_batch",)}
N_BATCH = 10000  # pictures in a batch file
N_BYTES = 3072  # of a picture: 1024 red, 1024 green, 1024 blue
LARGEST_FILE = 64 << 20  # bytes; the official batches have 31 million
LARGEST_ARCHIVE = 256 << 20  # bytes, packed or unpacked; the official one unpacks to 186 million
MOST_MEMBERS = 100  # of an archive; the official one has nine
MOST_STEPS = 100_000  # of a pickle; the official ones have about 30000, two a file name and one a label


def load(splits=("train", "test"), *, data="auto", data_dir=None):
    """Read the splits, as a dict {split: Pictures} with x uint8[n, 3072], all from one source.

    search.find says how a copy is looked for; the places are the project's cache and Keras's.

    Args:
        splits: names from SPLITS.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (nothing else).
        data_dir: folder with cifar-10-batches-py/ or cifar-10-python.tar.gz in it, or cifar-10-batches-py/ itself.

    Raises:
        UserError: the folder named holds no readable copy, or data="real" and there is no copy to be had.
    """
    datasets = locate.keras_datasets()
    return locate.find("CIFAR-10", splits, data=data, data_dir=data_dir,
                       folders=(DATA, datasets / "cifar-10-batches-py-target", datasets),
                       read=_read_copy, download=_download, draw=drawn_sample.cifar10)


def _holds_copy(folder):
    return (folder / FOLDER).is_dir() or (folder / ARCHIVE).is_file()


def _download():
    """Download the archive into the cache and unpack the six files that are read, each checked."""
    archive = DATA / ARCHIVE
    fetch(URL, archive, size=ARCHIVE_SIZE, sha256=ARCHIVE_SHA256)
    (DATA / FOLDER).mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # another process has unpacked it at the same time
        for name, content in _archive_members(archive, OFFICIAL_MD5):
            with unfinished(DATA / FOLDER / name) as file:
                file.write(content)
        archive.unlink()


def _read_copy(folder, splits, must_be_official=False):
    """Read the splits from a folder (see load).

    Raises:
        NoCopy: neither the unpacked folder nor the archive is there.
        UserError: a file missing or damaged, or, with must_be_official, not the official content.
    """
    if not _holds_copy(folder) and (folder / SPLITS["test"][0]).is_file():
        folder = folder.parent if folder.name == FOLDER else folder
    names = [name for split in splits for name in SPLITS[split]]
    if (folder / FOLDER).is_dir():
        files = _folder_members(folder / FOLDER, names)
    elif (folder / ARCHIVE).is_file():
        files = _archive_members(folder / ARCHIVE, names)
    else:
        raise locate.NoCopy(f"{shown(folder)}: expected a folder with {FOLDER}/ or {ARCHIVE} in it; "
                            "name another with --data-dir, or leave it out to download CIFAR-10")
    official, parts = True, {}
    for name, content in files:
        official = official and hashlib.md5(content).hexdigest() == OFFICIAL_MD5[name]
        if must_be_official and not official:
            raise UserError(f"{shown(folder)}: {name} is not the official file (md5 differs)")
        parts[name] = read_batch(content, f"{shown(folder)}: {name}")
    source = Source("CIFAR-10", "official" if official else "unverified copy", shown(folder))
    return {split: Pictures(np.concatenate([parts[name][0] for name in SPLITS[split]]),
                            np.concatenate([parts[name][1] for name in SPLITS[split]]), source) for split in splits}


def _folder_members(folder, names):
    """Yield (name, bytes) of the files in an unpacked copy."""
    for name in names:
        path = folder / name
        try:
            size = path.stat().st_size
            if size > LARGEST_FILE or not path.is_file():
                raise UserError(f"{shown(path)}: {size} bytes, expected a file of about 31 million; "
                                "this is not a CIFAR-10 batch, unpack the official archive again")
            with open(str(path), "rb") as file:
                content = file.read(LARGEST_FILE)
        except OSError as error:
            raise UserError(f"{shown(path)}: {error.strerror}; a copy of CIFAR-10 has {len(OFFICIAL_MD5)} batch "
                            "files, unpack it again") from error
        yield name, content


def _archive_members(path, names):
    """Yield (name, bytes) of the archive's batch files; nothing is written to disk, no member's path is used.

    Only the blocks' plain headers are read: what tarfile makes of extended ones is more than nine files need.

    Raises:
        FileNotFoundError: there is no archive.
        UserError: not a whole archive, or one without these files.
    """
    missing = set(names)
    try:
        with open(str(path), "rb") as packed:
            if path.stat().st_size > LARGEST_ARCHIVE:
                raise BadFile(f"{path.stat().st_size} bytes, expected {ARCHIVE_SIZE}")
            archive = Unpacked(packed, LARGEST_ARCHIVE)
            for k in itertools.count():
                header = archive.read(tarfile.BLOCKSIZE)
                if not header.strip(b"\0"):
                    break
                if k == MOST_MEMBERS:
                    raise BadFile(f"more than {k} members in it")
                member = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
                size = 0 if member.type in b"123456" else member.size  # links, devices, folders: a header alone
                if not 0 <= size <= LARGEST_FILE:
                    raise BadFile(f"{brief(member.name)} claims {size} bytes")
                content = archive.read(size)
                archive.read(-size % tarfile.BLOCKSIZE)
                name = member.name.rpartition("/")[2]
                if member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and name in missing:
                    missing.remove(name)
                    yield name, content
            while archive.read(1 << 20):  # to the end, where gzip keeps its sum
                pass
    except FileNotFoundError:
        raise
    except (OSError, BadFile, tarfile.TarError) as error:
        raise UserError(f"{shown(path)}: not a whole gzip-compressed tar archive ({brief(error)}); "
                        "download it again or name another folder with --data-dir") from error
    if missing:
        raise UserError(f"{shown(path)}: no {sorted(missing)[0]} in it; this is not the CIFAR-10 archive, "
                        "download it again or name another folder with --data-dir")


def read_batch(content, name):
    """Read one batch file: (x uint8[10000, 3072], y uint8[10000]).

    Args:
        content: the file's bytes.
        name: of the file, for messages.

    Raises:
        UserError: not a pickle, one that asks for anything but arrays, or not the dict that CIFAR-10 has.
    """
    try:
        batch = _Unpickler(content).load()
        x, labels = batch[b"data"], batch[b"labels"]
        if not isinstance(x, _StoredArray) or not isinstance(labels, list):
            raise ValueError(f"data is a {type(x).__name__}, labels a {type(labels).__name__}")
        x = x.pixels()
        if len(labels) != N_BATCH or any(type(label) is not int or not 0 <= label <= 9 for label in labels):
            raise ValueError(f"expected {N_BATCH} labels from 0 to 9")
    except Exception as error:  # a hostile pickle can raise anything; none of its own code has run
        raise UserError(f"{name}: not a CIFAR-10 batch ({brief(error)}); unpack the official archive again") from error
    return x, np.array(labels, np.uint8)


class _StoredArray:
    """Stands in for numpy.ndarray while unpickling: it keeps what the file says and allocates nothing."""

    shape = dtype = is_fortran = raw = None

    def __init__(self, *_):
        pass

    def __setstate__(self, state):
        _, self.shape, self.dtype, self.is_fortran, self.raw = state

    def pixels(self):
        if not isinstance(self.dtype, _StoredDtype) or self.dtype.name not in ("u1", b"u1"):
            raise ValueError("data is not of dtype uint8")
        if self.shape != (N_BATCH, N_BYTES):  # as text only what is short: a shape of tuples of tuples need not be
            found = self.shape if _is_shape(self.shape) else f"of type {type(self.shape).__name__}"
            raise ValueError(f"data has shape {found}, expected {(N_BATCH, N_BYTES)}")
        if type(self.raw) is not bytes or len(self.raw) != N_BATCH * N_BYTES or self.is_fortran:
            raise ValueError(f"data is not {N_BATCH * N_BYTES} bytes in C order")
        return np.frombuffer(self.raw, np.uint8).reshape(self.shape)


def _is_shape(value):
    return type(value) is tuple and len(value) < 8 and all(type(n) is int for n in value)


class _StoredDtype:
    """Stands in for numpy.dtype while unpickling."""

    name = None

    def __init__(self, name, *_):
        self.name = name

    def __setstate__(self, state):
        pass


class _Unpickler(pickle._Unpickler):  # the one in Python, whose memory grows with the file and not with its claims
    """Reads what CIFAR-10's files hold: dicts, lists, numbers, bytes and uint8 arrays. Nothing is ever imported.

    Opcodes that these files do not need are refused, for some of them take memory as they are told (BYTEARRAY8) or
    hours (INT with a million digits).
    """

    ALLOWED = {("numpy.core.multiarray", "_reconstruct"): _StoredArray,
               ("numpy._core.multiarray", "_reconstruct"): _StoredArray,
               ("numpy", "ndarray"): _StoredArray, ("numpy", "dtype"): _StoredDtype}

    def __init__(self, content):
        super().__init__(io.BytesIO(content), encoding="bytes")
        self.dispatch = _Steps({**{code: pickle._Unpickler.dispatch[code] for code in OPCODES},
                                pickle.SETITEMS[0]: _Unpickler.load_setitems})

    def load_setitems(self):
        items = self.pop_mark()
        if any(type(key) not in (bytes, str) for key in items[::2]):  # to hash a deep tuple ends the process
            raise pickle.UnpicklingError("a dict has a key that is not text")
        self.stack[-1].update(zip(items[::2], items[1::2]))

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module[:40]}.{name[:40]}, which no batch of pictures needs")
        return self.ALLOWED[module, name]


class _Steps(dict):
    """{opcode: its function}, to be looked up MOST_STEPS times and no more."""

    n_steps = 0

    def __getitem__(self, code):
        self.n_steps += 1
        if code not in self:
            raise pickle.UnpicklingError(f"it has an opcode {code:#04x}, which no batch of pictures needs")
        if self.n_steps > MOST_STEPS:
            raise pickle.UnpicklingError(f"more than {MOST_STEPS} steps in it")
        return super().__getitem__(code)


OPCODES = b"".join([  # of the official files (protocol 2), and of the same dict written by Python 3
    pickle.PROTO, pickle.FRAME, pickle.STOP, pickle.MARK, pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE,
    pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.LONG1,
    pickle.BINSTRING, pickle.SHORT_BINSTRING, pickle.BINUNICODE, pickle.SHORT_BINUNICODE,
    pickle.BINBYTES, pickle.SHORT_BINBYTES, pickle.EMPTY_TUPLE, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2,
    pickle.TUPLE3, pickle.EMPTY_LIST, pickle.APPEND, pickle.APPENDS, pickle.EMPTY_DICT, pickle.SETITEMS,
    pickle.MEMOIZE, pickle.BINPUT, pickle.LONG_BINPUT, pickle.BINGET, pickle.LONG_BINGET,
    pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.REDUCE, pickle.BUILD])
