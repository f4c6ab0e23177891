"""The index of a checkpoint, read without TensorFlow, whose own reader aborts the process on some damaged files.

An index is a table in LevelDB's format: blocks of keys and values, then a block with the places of the blocks, then a
footer. The key "" has a header. Each other key is a variable's name, and its value says where the variable lies in the
data files. read_variables takes any index; read_index accepts only what tf1.train.Saver writes on one machine. The
limits are the same. TensorFlow checks the checksums.

A small index can claim much: a key repeats the beginning of the key before, blocks and variables can lie on top of each
other. So blocks must be ascending and disjoint, variables disjoint, and keys have a budget.
"""
from __future__ import annotations

import functools
import operator
import struct
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

INDEX_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
MAX_INDEX_BYTES = 1 << 20  # the report's networks have some 1000 bytes
MAX_RANK, MAX_SIZE, MAX_FIELDS = 8, 1 << 40, 100  # of a variable; of a message
MAX_KEYS, MAX_KEY_BYTES, MAX_BYTES_OF_KEYS = 200_000, 4096, 1 << 25  # a table's keys, one of them, all as they expand
MAX_SHARDS = 10_000
STRING = 7  # number of the dtype
DTYPES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool",
          8: "complex64", 18: "complex128", 14: "bfloat16", 17: "uint16", 19: "float16", 22: "uint32", 23: "uint64"}
BYTES_PER_NUMBER = {1: 4, 2: 8, 3: 4, 4: 1, 5: 2, 6: 1, 8: 8, 9: 8, 10: 1, 14: 2, 17: 2, 18: 16, 19: 2, 22: 4, 23: 8}
DAMAGED = "its index is damaged"


class StoredVariable(NamedTuple):
    """A variable in a checkpoint.

    | field    | meaning                                                                                       |
    |----------|-----------------------------------------------------------------------------------------------|
    | name     | the name that the program gave it; in an object-based checkpoint the one recorded beside it   |
    | key      | the name under which TensorFlow's reader finds it                                             |
    | shape    | of the whole variable, also of a partitioned one                                              |
    | dtype    | name of the dtype, such as float32                                                            |
    | n_parts  | how many parts a partitioned variable has, else 1                                             |
    | n_stored | of a variable of texts: bytes in the file, where the shape does not say them                  |
    """

    name: str
    key: str
    shape: Tuple[int, ...]
    dtype: str
    n_parts: int = 1
    n_stored: int = 0

    @property
    def n_bytes(self) -> int:
        if self.dtype == "string":
            return self.n_stored
        number = {name: number for number, name in DTYPES.items()}[self.dtype]
        return n_numbers(self.shape) * BYTES_PER_NUMBER[number]


def read_index(index: bytes, n_data: int) -> Dict[str, List[int]]:
    """Return {variable's name: shape} of a checkpoint that tf1.train.Saver wrote on one machine, and of no other.

    Args:
        index: content of the index file.
        n_data: bytes in the data file.

    Raises:
        ValueError: the content is no index, or no index of n_data bytes of numbers.
    """
    if len(index) > MAX_INDEX_BYTES:
        raise ValueError(f"an index of more than {MAX_INDEX_BYTES} bytes")
    try:
        variables = read_variables(index, lambda shard, n_shards: n_data if n_shards == 1 else None, strict=True)
    except (IndexError, TypeError, struct.error) as error:
        raise ValueError(DAMAGED) from error
    return {variable.name: list(variable.shape) for variable in variables}


def read_variables(index: bytes, size_of: Callable[[int, int], Optional[int]],
                   strict: bool = False) -> List[StoredVariable]:
    """Return the variables of an index, after a check against the sizes of its data files.

    Args:
        index: content of the index file.
        size_of: function of (number of a data file, number of data files) that returns its bytes; None for no file.
        strict: whether texts, complex numbers, partitioned variables and unknown fields are refused.

    Raises:
        ValueError, IndexError, TypeError, struct.error: the index is damaged, or claims what the files do not have.
    """
    entries = read_entries(index)
    header = read_message(entries[0][1])
    n_shards = header.get(1, 0)
    if not 1 <= n_shards <= MAX_SHARDS or header.get(2, 0) != 0:
        raise ValueError("its index has no valid header")
    sizes: Dict[int, int] = {}
    places: Dict[int, List[Tuple[int, int]]] = {}  # in each data file
    variables, parts, whole = [], 0, 0
    for key, value in entries[1:]:
        entry = repeated_fields(value)
        shard = single_field(entry, 3)
        if not 0 <= shard < n_shards:
            raise ValueError(f"its index names data file {shard} of {n_shards}")
        if shard not in sizes:
            n_data = size_of(shard, n_shards)
            if n_data is None:
                raise ValueError(f"no data file {shard} of {n_shards}")
            sizes[shard], places[shard] = n_data, []
        name = key.decode() if not key.startswith(b"\0") or strict else ""  # parts of a variable have binary keys
        variable = _checked_variable(name, entry, sizes[shard])
        if strict and (variable.dtype.startswith(("string", "complex")) or set(entry) - {1, 2, 3, 4, 5, 6}
                       or any(len(values) > 1 for values in entry.values())):
            raise ValueError(f"{name[:80]!r} is not an array of numbers")
        if 7 not in entry:
            places[shard].append((single_field(entry, 4), single_field(entry, 5)))
        if name:
            variables.append(variable)
            whole += variable.n_bytes if 7 in entry else 0
        else:
            parts += variable.n_bytes
    for taken in places.values():
        check_disjoint(taken)
    if whole > parts:
        raise ValueError(f"its partitioned variables claim {whole} bytes, the parts have {parts}")
    return variables


def read_entries(index: bytes) -> List[Tuple[bytes, bytes]]:
    """Return the (key, value) pairs of an index, the header's first.

    Raises:
        ValueError, IndexError, TypeError, struct.error: the index is damaged.
    """
    if index[-8:] != INDEX_MAGIC:
        raise ValueError("not the index of a checkpoint")
    entries = list(read_table(index))
    if not entries or entries[0][0] != b"":
        raise ValueError("its index has no header")
    return entries


def check_disjoint(places: Iterable[Tuple[int, int]]) -> None:
    """Raise ValueError if two of the places (first byte, number of bytes) overlap."""
    end = 0
    for first, n_bytes in sorted(place for place in places if place[1]):
        if first < end:
            raise ValueError("two of its variables lie in the same place")
        end = first + n_bytes


def read_table(table: Any, decompress: Optional[Callable[[Any], Any]] = None) -> Iterator[Tuple[bytes, Any]]:
    """Yield the (key, value) pairs of a table in LevelDB's format.

    Args:
        table: the file's content, as bytes or a memoryview, with INDEX_MAGIC at its end.
        decompress: function of a compressed block; None where no block may be compressed.

    Raises:
        ValueError, IndexError, TypeError, struct.error: the table is damaged, or its keys are out of order, too long or
            too many.
    """
    _, _, start, size, *_ = _read_varints(table[-48:-8])
    end, last, n_keys, n_bytes_of_keys = 0, None, 0, 0
    for _, place in _read_block(table, start, size, decompress):
        first, n_bytes = _read_varints(place)
        if first < end or first + n_bytes > start:
            raise ValueError("its blocks are not in order")
        end = first + n_bytes
        for key, value in _read_block(table, first, n_bytes, decompress):
            n_keys, n_bytes_of_keys = n_keys + 1, n_bytes_of_keys + len(key)
            if last is not None and key <= last:
                raise ValueError("its names are not in order")
            if n_keys > MAX_KEYS or n_bytes_of_keys > MAX_BYTES_OF_KEYS:
                raise ValueError(f"more than {MAX_KEYS:,} names, or more than {MAX_BYTES_OF_KEYS:,} bytes of names")
            last = key
            yield key, value


def n_numbers(shape: Sequence[int]) -> int:
    """Return how many numbers an array of this shape has."""
    return functools.reduce(operator.mul, shape, 1)


def _checked_variable(name: str, entry: Dict[int, List[Any]], n_data: int) -> StoredVariable:
    """Return the variable of an index's entry; the check is that of the claimed bytes against the data file."""
    shape = read_shape(entry.get(2, [b""])[0])
    dtype, offset, size = single_field(entry, 1), single_field(entry, 4), single_field(entry, 5)
    n_parts = max(1, len(entry.get(7, ())))
    if dtype == STRING:
        if offset + size > n_data or n_numbers(shape) > size:  # each text takes a byte or more
            raise ValueError(f"{name[:80]!r} claims {size} bytes at {offset} for a shape {list(shape)}, "
                             f"the data has {n_data}")
        return StoredVariable(name, name, shape, "string", n_stored=size)
    if dtype not in DTYPES:
        raise ValueError(f"{name[:80]!r} is not an array of numbers")
    n_bytes = n_numbers(shape) * BYTES_PER_NUMBER[dtype]
    if 7 not in entry and (size != n_bytes or offset + size > n_data):
        raise ValueError(f"{name[:80]!r} claims {size} bytes at {offset} for a shape {list(shape)}, "
                         f"the data has {n_data}")
    return StoredVariable(name, name, shape, DTYPES[dtype], n_parts)


def repeated_fields(content: bytes) -> Dict[int, List[Any]]:
    """Return {number: values} of a message."""
    fields: Dict[int, List[Any]] = {}
    for n, (number, value) in enumerate(read_fields(content)):
        if n == MAX_KEYS:
            raise ValueError(f"more than {MAX_KEYS:,} fields")
        fields.setdefault(number, []).append(value)
    return fields


def single_field(fields: Dict[int, List[Any]], number: int) -> int:
    value = fields.get(number, [0])
    if len(value) != 1 or not isinstance(value[0], int):
        raise ValueError("its index is damaged")
    return value[0]


def read_varint(content: bytes, at: int) -> Tuple[int, int]:
    """Return the variable-length integer at a position, and the position after it."""
    value = shift = 0
    while shift < 70:
        value, at, shift = value | (content[at] & 127) << shift, at + 1, shift + 7
        if content[at - 1] < 128:
            return value, at
    raise ValueError(DAMAGED)


def _read_varints(content: bytes) -> List[int]:
    at, values = 0, []
    while at < len(content):
        value, at = read_varint(content, at)
        values.append(value)
    return values


def _read_block(table: Any, start: int, size: int,
                decompress: Optional[Callable[[Any], Any]] = None) -> Iterator[Tuple[bytes, Any]]:
    """Yield the (key, value) pairs of a block. A byte for the compression (0 or 1) and a checksum follow it."""
    if start + size + 5 > len(table) - 48 or table[start + size] not in ((0, 1) if decompress else (0,)):
        raise ValueError(DAMAGED)
    block = table[start:start + size]
    if decompress and table[start + size] == 1:
        block = decompress(block)
    n_restarts, = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * n_restarts
    if not 0 < n_restarts <= MAX_KEYS or end < 0:
        raise ValueError(DAMAGED)
    restarts = set(struct.unpack(f"<{n_restarts}I", block[end:-4])) - {0}  # where a key shares nothing
    key, at = b"", 0
    while at < end:
        begin = at
        n_shared, at = read_varint(block, at)
        n_key, at = read_varint(block, at)
        n_value, at = read_varint(block, at)
        if n_shared == 0:
            restarts.discard(begin)
        if n_shared > len(key) or at + n_key + n_value > end:
            raise ValueError(DAMAGED)
        if n_shared + n_key > MAX_KEY_BYTES:
            raise ValueError(f"a name of more than {MAX_KEY_BYTES} bytes")
        key, at = key[:n_shared] + bytes(block[at:at + n_key]), at + n_key + n_value
        yield key, block[at - n_value:at]
    if restarts:
        raise ValueError(DAMAGED)


def read_fields(content: bytes) -> Iterator[Tuple[int, Any]]:
    """Yield (number, value) of each field of a protocol buffer: varints, fixed32 and bytes."""
    at = 0
    while at < len(content):
        tag, at = read_varint(content, at)
        value: Any
        if tag & 7 == 0:
            value, at = read_varint(content, at)
        elif tag & 7 in (2, 5):
            n, at = read_varint(content, at) if tag & 7 == 2 else (4, at)
            if at + n > len(content):
                raise ValueError(DAMAGED)
            value, at = content[at:at + n], at + n
        else:
            raise ValueError(DAMAGED)
        yield tag >> 3, value


def read_message(content: Any) -> Dict[int, Any]:
    """Return {number: value} of a message; TensorFlow would add up a field that stands there twice."""
    fields: Dict[int, Any] = {}
    for number, value in read_fields(content):
        if number in fields or len(fields) > MAX_FIELDS:
            raise ValueError(DAMAGED)
        fields[number] = value
    return fields


def read_shape(content: Any) -> Tuple[int, ...]:
    """Return the sizes in a shape.

    Raises:
        ValueError: the rank is unknown or more than MAX_RANK, or a size is negative or too large.
    """
    shape: List[int] = []
    for number, value in read_fields(content):
        size = read_message(value).get(1, 0) if number == 2 and not isinstance(value, int) else -1
        if not isinstance(size, int) or not 0 <= size < MAX_SIZE or len(shape) == MAX_RANK:
            raise ValueError(f"a variable claims the shape {[*shape, size]}")
        shape.append(size)
    return tuple(shape)
