"""Anybody's TensorFlow 1 checkpoint: which variables it holds, checked before TensorFlow's own reader sees the files.

Read are the V2 format (an index and one or more data files), with partitioned variables and with the object-based
names of tf.train.Checkpoint, and the single file of the older V1 format.
"""
from __future__ import annotations

import contextlib
import glob
import mmap
import re
import struct
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import numpy as np

from tf1_autoencoders.checkpointing.index import (
    DTYPES,
    INDEX_MAGIC,
    MAX_KEY_BYTES,
    StoredVariable,
    n_numbers,
    read_fields,
    read_shape,
    read_table,
    read_variables,
    read_varint,
    repeated_fields,
    single_field,
)
from tf1_autoencoders.utils.errors import UserError, one_line, short_reason
from tf1_autoencoders.utils.files import open_regular, read_bounded
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

MAX_TABLE_BYTES = 1 << 26  # of a V2 index; one with 100,000 variables has some 10 MB
MAX_BLOCK_BYTES = 1 << 30  # of a compressed block, which has one variable of the V1 format or many small ones
STATE, SAVED_MODEL = "checkpoint", "saved_model.pb"  # names the newest checkpoint; the graph beside variables/
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
STRUCTURE = "_CHECKPOINTABLE_OBJECT_GRAPH"  # the key that an object-based file has
OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
# bytes of one number in the fields of a TensorProto, as the V1 format has them; the other fields are varints
V1_FIELD_BYTES = {4: 1, 5: 4, 6: 8, 9: 8, 12: 16}
DAMAGED_ERRORS = (ValueError, IndexError, TypeError, struct.error, UnicodeDecodeError, OverflowError)


class CheckpointFile:
    """A checkpoint that was checked: its variables by name, and their values.

    | attribute | meaning                                                      |
    |-----------|--------------------------------------------------------------|
    | path      | the checkpoint, without suffix                               |
    | form      | "V2", "V2, object-based" or "V1"                             |
    | variables | {name: StoredVariable}, in the order of the names            |
    """

    def __init__(self, path: Union[str, Path]) -> None:
        """Read and check the structure of a checkpoint.

        Args:
            path: the checkpoint without suffix, one of its files, or a folder with one checkpoint.

        Raises:
            UserError: there is no checkpoint, or it is damaged.
        """
        self.path = find_checkpoint(path)
        index = Path(f"{self.path}.index")
        for file in [index, self.path, *self.path.parent.glob(f"{glob.escape(self.path.name)}.data-*")]:
            refuse_lfs_pointer(file)
        try:
            if index.is_file():
                self.form, variables = "V2", read_variables(
                    read_bounded(index, MAX_TABLE_BYTES), self._size_of_data)
                if STRUCTURE in {variable.key for variable in variables}:
                    self.form = "V2, object-based"
                    variables = [variable for variable in variables if variable.dtype != "string"]
            else:
                self.form, variables = "V1", _read_v1(self.path)
        except OSError as error:
            raise UserError(f"{display_path(self.path)}: {one_line(error)}; name a checkpoint that can be read") \
                from error
        except DAMAGED_ERRORS as error:
            raise self._damaged(error) from error
        self._reader: Any = None
        if self.form == "V2, object-based":
            variables = _with_recorded_names(variables, self._structure())
        self.variables: Dict[str, StoredVariable] = {variable.name: variable for variable in sorted(variables)}

    def _size_of_data(self, shard: int, n_shards: int) -> int:
        data = Path(f"{self.path}.data-{shard:05d}-of-{n_shards:05d}")
        if not data.is_file():
            raise ValueError(f"no file {data.name}")
        return data.stat().st_size

    def read(self, name: str) -> np.ndarray:
        """Return the value of a variable.

        Raises:
            UserError: the data is damaged.
        """
        return self._tensor(self.variables[name].key)

    def read_all(self) -> Dict[str, np.ndarray]:
        """Return all variables, {name: array}."""
        return {name: self.read(name) for name in self.variables}

    def _structure(self) -> bytes:
        value = self._tensor(STRUCTURE)
        return value if isinstance(value, bytes) else bytes(np.asarray(value).item())

    def _tensor(self, key: str) -> Any:
        load_checkpoint = tf1.train.load_checkpoint  # outside: TensorFlow may not be there
        try:
            if self._reader is None:
                self._reader = load_checkpoint(str(self.path))
            return self._reader.get_tensor(key)
        except Exception as error:  # TensorFlow translates its reader's status to exceptions of several kinds
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> UserError:
        return UserError(f"{display_path(self.path)}: not a TensorFlow checkpoint, or a damaged one "
                         f"({short_reason(error)}); copy the files again, or name another checkpoint")


def find_checkpoint(path: Union[str, Path]) -> Path:
    """Return the path without suffix of the checkpoint that a user means.

    Raises:
        UserError: there is none, or a folder has several and no file `checkpoint` that names the newest.
    """
    given = Path(path).expanduser()
    path = given
    if path.name in (STATE, SAVED_MODEL) and path.is_file():
        path = path.parent
    if (path / SAVED_MODEL).is_file():
        path = path / "variables" / "variables"
        if not Path(f"{path}.index").is_file():
            raise UserError(f"{display_path(given)}: a SavedModel without variables, there is no checkpoint in it; "
                            "tf.saved_model.load reads it")
    elif path.is_dir():
        path = _checkpoint_of_folder(path)
    elif SUFFIX.search(path.name):
        path = path.with_name(SUFFIX.sub("", path.name))
    if Path(f"{path}.index").is_file() or path.is_file():
        return path
    others = sorted(file.name[:-len(".index")] for file in path.parent.glob("*.index"))
    near = [name for name in others if name.startswith(path.name)] or others
    hint = f"name one that is there: {one_line(', '.join(near[-3:]))}" if near else \
        "name a checkpoint without its suffix"
    raise UserError(f"{display_path(given)}: no checkpoint there (neither {path.name}.index nor a file {path.name}); "
                    f"{hint}")


def refuse_lfs_pointer(path: Path) -> None:
    """Raise UserError for the text that stands for a large file in a Git repository, until Git LFS fetches the file."""
    with contextlib.suppress(OSError):
        with open_regular(path) as file:
            if file.read(len(LFS_POINTER)) == LFS_POINTER:
                raise UserError(f"{display_path(path)}: a Git LFS pointer, not the file itself; fetch the file with "
                                "`git lfs pull`, or download it from the repository's page")


def files_of(path: Path) -> List[Path]:
    """Return the files that belong to a checkpoint, as a user names it; [] if there is none."""
    try:
        path = find_checkpoint(path)
    except (UserError, OSError):
        return []
    shards = [file for file in path.parent.iterdir()
              if file.name.startswith(path.name) and SUFFIX.fullmatch(file.name[len(path.name):])]
    return [*shards, path, path.with_name("graph.pbtxt")]


def _checkpoint_of_folder(folder: Path) -> Path:
    """Return the checkpoint that a folder's file `checkpoint` names, or the only one."""
    names = sorted(file.name[:-len(".index")] for file in folder.glob("*.index"))
    state = folder / STATE
    if state.is_file():
        named = re.search(r'^model_checkpoint_path: "(.{1,4096}?)"',
                          read_bounded(state, 1 << 20).decode(errors="replace"), re.M)
        latest = Path(named.group(1)).name if named else ""  # the folder may have been moved since
        if latest in names or (folder / latest).is_file() and latest:
            return folder / latest
    if len(names) == 1:
        return folder / names[0]
    raise UserError(f"{display_path(folder)}: expected a folder with one checkpoint, found "
                    f"{one_line(', '.join(names) or 'none')}; name the checkpoint itself")


def _text(content: Any) -> str:
    """Return the text of a field, of which a slice of a file is no bytes yet."""
    if isinstance(content, int) or len(content) > MAX_KEY_BYTES:
        raise ValueError("a name in it is damaged")
    return bytes(content).decode()


# ---- object-based names ----

def _with_recorded_names(variables: List[StoredVariable], structure: bytes) -> List[StoredVariable]:
    """Give the variables the names that the program gave them, where these are recorded and unique."""
    try:
        recorded = dict(_read_structure(structure))
    except DAMAGED_ERRORS:
        recorded = {}
    names = [recorded.get(variable.key, "") for variable in variables]
    n_uses = Counter(names)
    return [variable._replace(name=name if name and n_uses[name] == 1
                              else variable.key.replace(OBJECT_SUFFIX, ""))
            for variable, name in zip(variables, names)]


def _read_structure(structure: bytes) -> Iterator[Tuple[str, str]]:
    """Yield (key in the file, variable's name) of the attributes of a TrackableObjectGraph's nodes."""
    for node in repeated_fields(structure).get(1, []):
        for attribute in repeated_fields(node).get(2, []):
            fields = repeated_fields(attribute)
            yield _text(fields.get(3, [b""])[0]), _text(fields.get(2, [b""])[0])


# ---- V1 ----

def _read_v1(path: Path) -> List[StoredVariable]:
    """Return the variables of a V1 file, after a check that the file holds as many numbers as the shapes claim."""
    variables: List[StoredVariable] = []
    numbers: Dict[str, int] = {}
    with open_regular(path) as file:
        if file.seek(0, 2) < 56:
            raise ValueError("not a checkpoint")
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))  # of which slices are no copies
    if content[-8:] != INDEX_MAGIC:
        raise ValueError("neither the V2 nor the V1 format")
    for k, (key, value) in enumerate(read_table(content, decompress_snappy)):
        message = repeated_fields(value)
        if (key == b"") != (k == 0):
            raise ValueError("its index has no header")
        if k == 0:
            variables = [_v1_variable(tensor) for tensor in repeated_fields(message[1][0]).get(1, [])]
            continue
        piece = repeated_fields(message[2][0])
        name = _text(piece[1][0])
        numbers[name] = numbers.get(name, 0) + _n_stored(piece[3][0])
    for variable in variables:
        if numbers.get(variable.name, 0) < n_numbers(variable.shape):
            raise ValueError(f"{variable.name[:80]!r} claims the shape {list(variable.shape)}, the file has "
                             f"{numbers.get(variable.name, 0)} numbers of it")
    return variables


def _v1_variable(content: bytes) -> StoredVariable:
    """Return the variable of a SavedSliceMeta."""
    fields = repeated_fields(content)
    name, dtype = _text(fields[1][0]), single_field(fields, 3)
    if dtype not in DTYPES:
        raise ValueError(f"{name[:80]!r} is not an array of numbers")
    shape = read_shape(fields.get(2, [b""])[0])
    return StoredVariable(name, name, shape, DTYPES[dtype], max(1, len(fields.get(4, ()))))


def _n_stored(tensor: bytes) -> int:
    """Return how many numbers a TensorProto holds."""
    n = 0
    for number, value in read_fields(tensor):
        if number in V1_FIELD_BYTES and not isinstance(value, int):
            n += len(value) // V1_FIELD_BYTES[number]
        elif number >= 5 and not isinstance(value, int):  # packed varints: the last byte of each is below 128
            n += int(np.count_nonzero(np.frombuffer(value, np.uint8) < 128))
        elif number >= 5:
            n += 1
    return n


def decompress_snappy(block: Any) -> Any:
    """Decompress a block of Google's Snappy format, as TensorFlow 1 wrote V1 checkpoints.

    Raises:
        ValueError, IndexError: the block is damaged, or claims more than it can hold.
    """
    block = bytes(block)  # whose bytes are read faster than a memoryview's
    n, at = read_varint(block, 0)
    if n > min(24 * len(block) + 64, MAX_BLOCK_BYTES):  # a copy of 64 bytes takes 3
        raise ValueError("its compression is damaged")
    output = bytearray()
    while at < len(block):
        tag, at = block[at], at + 1
        kind, length = tag & 3, (tag >> 2) + 1
        if kind == 0:
            if length > 60:
                n_bytes = length - 60
                length, at = int.from_bytes(block[at:at + n_bytes], "little") + 1, at + n_bytes
            output += block[at:at + length]
            at += length
        else:
            if kind == 1:
                length, offset, at = ((tag >> 2) & 7) + 4, (tag >> 5) << 8 | block[at], at + 1
            else:
                n_bytes = 2 if kind == 2 else 4
                offset, at = int.from_bytes(block[at:at + n_bytes], "little"), at + n_bytes
            if not 0 < offset <= len(output):
                raise ValueError("its compression is damaged")
            start = len(output) - offset
            pattern = output[start:start + length]  # a copy may overlap what it writes
            output += (pattern * (length // len(pattern) + 1))[:length]
        if len(output) > n:
            raise ValueError("its compression is damaged")
    if len(output) != n:
        raise ValueError("its compression is damaged")
    return memoryview(output)


def find_meta(path: Path, named: Optional[str] = None) -> Optional[Path]:
    """Return the .meta file of a checkpoint: the one that the user names, or the one beside it, or None.

    Beside an Estimator's checkpoint, graph.pbtxt has the graph too; above a SavedModel's variables, saved_model.pb.

    Raises:
        UserError: the user names a file that is not there.
    """
    if named:
        file = Path(named).expanduser()
        if not file.is_file():
            raise UserError(f"--meta {named}: no such file; name the .meta file of the checkpoint")
        return file
    files = [Path(f"{path}.meta"), path.with_name("graph.pbtxt")]
    if path.parent.name == path.name == "variables":
        files.append(path.parent.parent / SAVED_MODEL)
    return next((file for file in files if file.is_file()), None)


def part_of(value: np.ndarray, part: str) -> np.ndarray:
    """Return the part of a partitioned variable that a Saver's text names, such as "10 5 0,4:-" (rows 0 to 3 of 10).

    Raises:
        ValueError: the text names no part of the variable.
    """
    if not part:
        return value
    *shape, ranges = part.split(" ")
    if tuple(map(int, shape)) != value.shape:
        raise ValueError(f"a part of {part!r} is asked for, the shape is {list(value.shape)}")
    slices = []
    for text in ranges.split(":"):
        begin, _, length = text.partition(",")
        slices.append(slice(None) if text == "-" else slice(int(begin), int(begin) + int(length)))
    return value[tuple(slices)]
