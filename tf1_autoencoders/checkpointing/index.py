"""The index of a checkpoint, read without TensorFlow, whose own reader ends the process on some damaged ones.

An index is a table as LevelDB has it: blocks of keys and values, then a block of the blocks' places, then a footer. The
key "" has a header, each other key is a variable's name, and its value says where it lies in the data file. Only what
tf1.train.Saver writes on one machine is accepted; the sums are left to TensorFlow.
"""
from __future__ import annotations

import struct

MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
LARGEST = 1 << 20  # bytes of an index; the report's networks have some 1000
N_BYTES = {1: 4, 2: 8, 3: 4, 4: 1, 5: 2, 6: 1, 9: 8, 10: 1, 14: 2, 17: 2, 19: 2, 22: 4, 23: 8}  # of TensorFlow's dtypes


def read(index, n_data):
    """{variable's name: shape} of a checkpoint.

    Args:
        index: the file's bytes.
        n_data: bytes in the data file.

    Raises:
        ValueError: not an index, or not one of n_data bytes of numbers.
    """
    if len(index) > LARGEST or index[-8:] != MAGIC:
        raise ValueError("not the index of a checkpoint")
    try:
        _, _, start, size, *_ = _varints(index[-48:-8])
        stored = [pair for _, place in _block(index, start, size) for pair in _block(index, *_varints(place))]
        keys = [key for key, _ in stored]
        if keys != sorted(set(keys)) or keys[:1] != [b""]:
            raise ValueError("its names are not in order")
        header = _message(stored[0][1])
        if header.get(1) != 1 or header.get(2, 0) != 0:
            raise ValueError("not of one data file")
        return {key.decode(): _shape(key.decode(), _message(value), n_data) for key, value in stored[1:]}
    except (IndexError, TypeError, struct.error) as error:
        raise ValueError("its index is damaged") from error


def _shape(name, entry, n_data):
    shape, n = [], 1
    for dimension in _messages(entry.get(2, b"")):
        shape.append(dimension.get(1, 0))
        n *= shape[-1]
    offset, size, dtype = entry.get(4, 0), entry.get(5, 0), entry.get(1, 0)
    if dtype not in N_BYTES or len(shape) > 8 or max([0, *shape]) >= 1 << 40 or set(entry) - {1, 2, 3, 4, 5, 6}:
        raise ValueError(f"{name[:80]!r} is not an array of numbers")
    if size != n * N_BYTES[dtype] or offset + size > n_data or entry.get(3, 0) != 0:
        raise ValueError(f"{name[:80]!r} claims {size} bytes at {offset} for a shape {shape}, the data has {n_data}")
    return shape


def _varint(content, at):
    value = shift = 0
    while shift < 70:
        value, at, shift = value | (content[at] & 127) << shift, at + 1, shift + 7
        if content[at - 1] < 128:
            return value, at
    raise ValueError("its index is damaged")


def _varints(content):
    at, made = 0, []
    while at < len(content):
        value, at = _varint(content, at)
        made.append(value)
    return made


def _block(index, start, size):
    """The (key, value) pairs of a block; its trailer is a byte for the kind of compression, here none, and its sum."""
    if start + size + 5 > len(index) - 48 or index[start + size] != 0:
        raise ValueError("its index is damaged")
    block = index[start:start + size]
    n_restarts, = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * n_restarts
    if n_restarts == 0 or end < 0:
        raise ValueError("its index is damaged")
    restarts, whole, pairs, key, at = struct.unpack(f"<{n_restarts}I", block[end:-4]), {0}, [], b"", 0
    while at < end:
        begin = at
        n_shared, at = _varint(block, at)
        n_key, at = _varint(block, at)
        n_value, at = _varint(block, at)
        if n_shared == 0:
            whole.add(begin)
        if n_shared > len(key) or at + n_key + n_value > end:
            raise ValueError("its index is damaged")
        key, at = key[:n_shared] + block[at:at + n_key], at + n_key + n_value
        pairs.append((key, block[at - n_value:at]))
    if not set(restarts) <= whole:
        raise ValueError("its index is damaged")
    return pairs


def _fields(content):
    """(number, value) of each field of a protocol buffer: varints, fixed32 and bytes."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        if tag & 7 == 0:
            value, at = _varint(content, at)
        elif tag & 7 in (2, 5):
            n, at = _varint(content, at) if tag & 7 == 2 else (4, at)
            if at + n > len(content):
                raise ValueError("its index is damaged")
            value, at = content[at:at + n], at + n
        else:
            raise ValueError("its index is damaged")
        yield tag >> 3, value


def _message(content):
    """{number: value}; a field that is there twice would be added up by TensorFlow."""
    fields = list(_fields(content))
    if len(dict(fields)) < len(fields):
        raise ValueError("its index is damaged")
    return dict(fields)


def _messages(content):
    """The messages in a shape, one for each dimension."""
    for number, value in _fields(content):
        if number != 2:
            raise ValueError("a shape is not known")
        yield _message(value)
