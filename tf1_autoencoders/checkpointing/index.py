"""The index of a checkpoint, read without TensorFlow, whose own reader aborts the process on some damaged files.

An index is a table in LevelDB's format: blocks of keys and values, then a block with the places of the blocks, then a
footer. The key "" has a header. Each other key is a variable's name, and its value says where the variable lies in the
data file. read_index accepts only what tf1.train.Saver writes on one machine; converting.checkpoint_file reads the
other forms with the same functions. TensorFlow checks the checksums.
"""
from __future__ import annotations

import struct
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

INDEX_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
MAX_INDEX_BYTES = 1 << 20  # the report's networks have some 1000 bytes
BYTES_PER_NUMBER = {1: 4, 2: 8, 3: 4, 4: 1, 5: 2, 6: 1, 9: 8, 10: 1, 14: 2, 17: 2, 19: 2, 22: 4, 23: 8}  # by dtype
DAMAGED = "its index is damaged"


def read_index(index: bytes, n_data: int) -> Dict[str, List[int]]:
    """Return {variable's name: shape} of a checkpoint.

    Args:
        index: content of the index file.
        n_data: bytes in the data file.

    Raises:
        ValueError: the content is no index, or no index of n_data bytes of numbers.
    """
    if len(index) > MAX_INDEX_BYTES or index[-8:] != INDEX_MAGIC:
        raise ValueError("not the index of a checkpoint")
    try:
        entries = list(read_table(index))
        keys = [key for key, _ in entries]
        if keys != sorted(set(keys)) or keys[:1] != [b""]:
            raise ValueError("its names are not in order")
        header = read_message(entries[0][1])
        if header.get(1) != 1 or header.get(2, 0) != 0:
            raise ValueError("not of one data file")
        return {key.decode(): _checked_shape(key.decode(), read_message(value), n_data)
                for key, value in entries[1:]}
    except (IndexError, TypeError, struct.error) as error:
        raise ValueError(DAMAGED) from error


def read_table(table: Any, decompress: Optional[Callable[[bytes], bytes]] = None) -> Iterator[Tuple[bytes, bytes]]:
    """Yield the (key, value) pairs of a table in LevelDB's format.

    Args:
        table: the file's content, bytes or mmap, with INDEX_MAGIC at its end.
        decompress: function of a compressed block; None where no block may be compressed.

    Raises:
        ValueError, IndexError, TypeError, struct.error: the table is damaged.
    """
    _, _, start, size, *_ = _read_varints(table[-48:-8])
    for _, place in _read_block(table, start, size, decompress):
        first, n_bytes = _read_varints(place)
        yield from _read_block(table, first, n_bytes, decompress)


def _checked_shape(name: str, entry: Dict[int, Any], n_data: int) -> List[int]:
    """Return the shape in a variable's entry, after a check against the size of the data file."""
    shape, n = [], 1
    for dimension in read_dimensions(entry.get(2, b"")):
        shape.append(dimension.get(1, 0))
        n *= shape[-1]
    offset, size, dtype = entry.get(4, 0), entry.get(5, 0), entry.get(1, 0)
    if dtype not in BYTES_PER_NUMBER or len(shape) > 8 or max([0, *shape]) >= 1 << 40 \
            or set(entry) - {1, 2, 3, 4, 5, 6}:
        raise ValueError(f"{name[:80]!r} is not an array of numbers")
    if size != n * BYTES_PER_NUMBER[dtype] or offset + size > n_data or entry.get(3, 0) != 0:
        raise ValueError(f"{name[:80]!r} claims {size} bytes at {offset} for a shape {shape}, the data has {n_data}")
    return shape


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
                decompress: Optional[Callable[[bytes], bytes]] = None) -> List[Tuple[bytes, bytes]]:
    """Return the (key, value) pairs of a block. A byte for the compression (0 or 1) and a checksum follow it."""
    if start + size + 5 > len(table) - 48 or table[start + size] not in ((0, 1) if decompress else (0,)):
        raise ValueError(DAMAGED)
    block = table[start:start + size]
    if decompress and table[start + size] == 1:
        block = decompress(block)
    n_restarts, = struct.unpack("<I", block[-4:])
    end = len(block) - 4 - 4 * n_restarts
    if n_restarts == 0 or end < 0:
        raise ValueError(DAMAGED)
    restarts, pairs = struct.unpack(f"<{n_restarts}I", block[end:-4]), []
    whole_keys, key, at = {0}, b"", 0  # whole_keys: positions of keys that share nothing with the key before
    while at < end:
        begin = at
        n_shared, at = read_varint(block, at)
        n_key, at = read_varint(block, at)
        n_value, at = read_varint(block, at)
        if n_shared == 0:
            whole_keys.add(begin)
        if n_shared > len(key) or at + n_key + n_value > end:
            raise ValueError(DAMAGED)
        key, at = key[:n_shared] + block[at:at + n_key], at + n_key + n_value
        pairs.append((key, block[at - n_value:at]))
    if not set(restarts) <= whole_keys:
        raise ValueError(DAMAGED)
    return pairs


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


def read_message(content: bytes) -> Dict[int, Any]:
    """Return {number: value} of a message; TensorFlow would add up a field that stands there twice."""
    fields = list(read_fields(content))
    if len(dict(fields)) < len(fields):
        raise ValueError(DAMAGED)
    return dict(fields)


def read_dimensions(content: bytes) -> Iterator[Dict[int, Any]]:
    """Yield the messages in a shape, one for each dimension."""
    for number, value in read_fields(content):
        if number != 2:
            raise ValueError("a shape is not known")
        yield read_message(value)
