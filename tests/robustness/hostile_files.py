"""Files as an attacker would write them, and small valid ones to start from, for fuzz and test_hostile_files."""
from __future__ import annotations

import functools
import gzip
import json
import os
import pickle
import struct
import tarfile
import zlib

import numpy as np

from tests.conftest import batch_bytes

CANARY = "canary"  # name of a file that a payload would create in the working directory
COMMAND = f"touch {CANARY}"


class Calls:
    """An object that is pickled as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


# CIFAR-10 batches

def batch(n):
    """Return a valid batch of n images."""
    return batch_bytes(np.arange(n * 3072, dtype=np.uint32).astype(np.uint8).reshape(n, 3072),
                       [k % 10 for k in range(n)])


def _text(content):
    return pickle.BINUNICODE + struct.pack("<I", len(content)) + content


def _batch_of(data, labels=b"]"):
    """Return the pickle of a batch's dict, with these opcodes for its entries."""
    return (b"\x80\x04}(" + pickle.SHORT_BINBYTES + b"\x04data" + data
            + pickle.SHORT_BINBYTES + b"\x06labels" + labels + b"u.")


UINT8 = b"cnumpy\ndtype\n" + _text(b"u1") + b"\x85R"


def _array_of(shape=b"K\x0aM\x00\x0c\x86", dtype=UINT8, raw=b"C\x00"):
    """Return the opcodes of an array with this state."""
    return b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01" + shape + dtype + b"\x89" + raw + b"tb"


def pickles(n):
    """Return {name: pickle}; a valid batch would have n images."""
    command = COMMAND.encode()
    labels = b"](" + b"K\x01" * n + b"e"
    doubled = b")" + b"2\x86" * 60  # DUP TUPLE2: 2 ** 60 leaves
    remembered = b")" + b"\x94h\x00\x86" + b"".join(b"\x94h" + bytes([k]) + b"\x86" for k in range(1, 60))  # no DUP
    deep = b")" + b"\x85" * 90000
    valid = batch(n)
    return {
        "calls os.system": pickle.dumps({b"data": Calls(os.system, COMMAND), b"labels": []}),
        "calls eval": pickle.dumps({b"data": Calls(eval, f"__import__('os').system('{COMMAND}')"), b"labels": []}),
        "calls exec in protocol 0": b"c__builtin__\nexec\n(S\"import os; os.system('" + command + b"')\"\ntR.",
        "calls with INST": b"(S'" + command + b"'\nios\nsystem\n.",
        "calls with OBJ": b"(cos\nsystem\nS'" + command + b"'\no.",
        "calls with STACK_GLOBAL": b"\x80\x04" + _text(b"os") + _text(b"system") + b"\x93" + _text(command) + b"\x85R.",
        "calls with NEWOBJ": b"\x80\x02csubprocess\nPopen\n" + _text(command) + b"\x85\x81.",
        "calls with NEWOBJ_EX": b"\x80\x04csubprocess\nPopen\n" + _text(command) + b"\x85}\x92.",
        "runs a string through numpy": b"cnumpy.testing._private.utils\nrunstring\n(" + _text(b"import os") + b"}tR.",
        "loads a file through numpy": b"cnumpy\nload\n(" + _text(b"/etc/passwd") + b"tR.",
        "reaches through a dotted name": b"\x80\x04" + _text(b"numpy") + _text(b"ndarray.__class__") + b"\x93)R.",
        "reaches globals of the stand-in":
            b"\x80\x04" + _text(b"numpy") + _text(b"dtype.__init__.__globals__") + b"\x93.",
        "sets attributes of the stand-in": b"cnumpy\nndarray\n}" + _text(b"__setstate__") + b"Nsb.",
        "sets attributes of its slots": b"cnumpy.core.multiarray\n_reconstruct\nN}(" + _text(b"__name__") + b"Nu\x86b.",
        "EXT1": b"\x80\x02\x82\x01.", "EXT2": b"\x80\x02\x83\x01\x00.", "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "a persistent id": b"P" + command + b"\n.", "a binary persistent id": _text(command) + b"Q.",
        "LONG4 of 2 GB": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "LONG1 of 255 bytes": b"\x80\x02\x8a\xff" + b"\xff" * 255 + b".",
        "BINBYTES8 of 2 ** 62": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",
        "BYTEARRAY8 of 2 ** 33": b"\x80\x05\x96" + struct.pack("<Q", 1 << 33) + b".",
        "BYTEARRAY8 of 2 ** 62": b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b".",
        "FRAME of 2 ** 62": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"}.",
        "BINSTRING of -1": b"\x80\x02T\xff\xff\xff\xff.", "LONG_BINPUT of 2 ** 32": b"}r\xff\xff\xff\xff.",
        "INT of a million digits": b"I" + b"7" * 10 ** 6 + b"\n.", "LONG of a million": b"L" + b"7" * 10 ** 6 + b"L\n.",
        "a doubled tuple as a key": b"\x80\x02}" + doubled + b"Ns.",
        "a remembered tuple as a key": b"\x80\x04}(" + remembered + b"Nu.",
        "a deep tuple as a key": b"\x80\x02}(" + deep + b"Nu.",
        "a deep tuple as the key alone": b"\x80\x02}" + deep + b"Ns.",
        "a deep list": b"\x80\x02" + b"](" * 40000 + b"e" * 40000 + b".",
        "a doubled tuple as the shape": _batch_of(_array_of(shape=remembered), labels),
        "a deep tuple as the shape": _batch_of(_array_of(shape=deep), labels),
        "a doubled tuple as the dtype": _batch_of(_array_of(dtype=remembered), labels),
        "a shape of reals": _batch_of(_array_of(b"G" + struct.pack(">d", n) + b"M\x00\x0c\x86"), labels),
        "a shape of 2 ** 40": _batch_of(
            _array_of(b"\x8a\x06" + struct.pack("<Q", 1 << 40)[:6] + b"M\x00\x0c\x86"), labels),
        "no raw bytes": _batch_of(_array_of(b"M" + struct.pack("<H", n) + b"M\x00\x0c\x86"), labels),
        "raw bytes that are text": _batch_of(_array_of(b"M" + struct.pack("<H", n) + b"M\x00\x0c\x86",
                                                       raw=_text(b"x" * 9)), labels),
        "labels that hold themselves": _batch_of(b"N", b"]\x94h\x00a"), "an array without a state": _batch_of(
            b"cnumpy\nndarray\n)R", labels), "a dtype without a name": _batch_of(_array_of(dtype=b"cnumpy\ndtype\n)R")),
        "a class for data": _batch_of(b"cnumpy\nndarray\n", labels), "only memo": b"\x80\x02h\x07.",
        "eight million sets": b"\x80\x04" + b"\x8f" * (8 << 20) + b".",
        "a million dicts": b"\x80\x04" + b"}" * (1 << 20) + b".",
        "a million marks": b"\x80\x04" + b"(" * (1 << 20) + b".", "a million POPs": b"N" + b"0" * (1 << 20),
        "a long name to import": b"c" + b"os\x1b[2J" * 10000 + b"\nsystem\n.", "a name of two lines": (
            b"\x80\x04" + _text(b"os\nsystem") + _text(b"a\r\nb") + b"\x93."),
        "a buffer from outside": b"\x80\x05\x97.", "protocol 255": b"\x80\xff}.", "twice the batch": valid + valid}


# CIFAR-10 archives

def member(name, content=b"", size=None, kind=tarfile.REGTYPE, **more):
    """Return a tar member: a header, which may claim a wrong size, and the content."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in more.items():
        setattr(info, key, value)
    info.size = 0
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT)[-512:])
    size = len(content) if size is None else size
    header[124:136] = (b"%011o\0" % size if 0 <= size < 8 ** 11 else
                       (b"\xff" if size < 0 else b"\x80") + (size % (1 << 88)).to_bytes(11, "big"))
    return with_checksum(header) + content + bytes(-len(content) % 512)


def with_checksum(header):
    """Return the tar header with the right checksum in it."""
    header = bytearray(header)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def archive(n):
    """Return a valid tar archive, not compressed, with a test batch of n images."""
    return (member("cifar-10-batches-py/", kind=tarfile.DIRTYPE)
            + member("cifar-10-batches-py/batches.meta", b"x" * 100)
            + member("cifar-10-batches-py/test_batch", batch(n)) + bytes(1024))


def packed(content, level=1):
    return gzip.compress(content, level)


@functools.lru_cache(maxsize=None)
def bomb(start, n_bytes):
    """Return `start` and then n_bytes zeros (whole MB), compressed by gzip; a MB of zeros is compressed once only."""
    zeros, crc = bytes(1 << 20), zlib.crc32(start)
    packer = zlib.compressobj(1, wbits=-15)
    begin, megabyte = (packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH) for content in (start, zeros))
    for _ in range(n_bytes >> 20):
        crc = zlib.crc32(zeros, crc)
    return (gzip.compress(b"")[:10] + begin + megabyte * (n_bytes >> 20) + packer.flush()
            + struct.pack("<II", crc, len(start) + n_bytes))


def archives(n):
    """Return {name: compressed archive}; some of them hold a test batch of n images."""
    good = member("cifar-10-batches-py/test_batch", batch(n))
    pax = b"30 path=../../../tmp/test_batch\n19 GNU.sparse.major=1\n20 GNU.sparse.minor=0\n"
    tars = {
           "an absolute path": member("/" + CANARY, b"x") + good,
           "a path upwards": member("../../" + CANARY, b"x") + good,
           "a link out of it": member("data", kind=tarfile.SYMTYPE, linkname="/etc") + good,
           "the batch is a symbolic link": member("test_batch", kind=tarfile.SYMTYPE, linkname="/dev/zero"),
           "the batch is a hard link": member("test_batch", kind=tarfile.LNKTYPE, linkname="/etc/passwd"),
           "the batch is a device": member("test_batch", kind=tarfile.CHRTYPE, devmajor=1, devminor=5),
           "the batch is a pipe": member("test_batch", kind=tarfile.FIFOTYPE),
           "the batch is a folder": member("test_batch", kind=tarfile.DIRTYPE, size=1 << 40),
           "the batch is sparse": member("test_batch", bytes(512), kind=tarfile.GNUTYPE_SPARSE),
           "a claim of 2 ** 40": member("test_batch", size=1 << 40), "a claim of 2 ** 80": member("x", size=1 << 80),
           "a size of -512": member("x", size=-512) + good, "a size of -1024": member("x", b"y" * 512, size=-1024),
           "a pax header of 2 ** 40": member("x", size=1 << 40, kind=tarfile.XHDTYPE),
           "a pax header of -1": member("x", size=-1, kind=tarfile.XHDTYPE) + good,
           "a long name of -1": member("x", size=-1, kind=tarfile.GNUTYPE_LONGNAME) + good,
           "a sparse pax header": member("x", pax, kind=tarfile.XHDTYPE) + member("test_batch", b"99999999\n"),
           "a pax header of length 0": member("x", b"0 a=b\n", kind=tarfile.XHDTYPE) + good,
           "a pax header without a number": member("x", b"9" * 5000 + b" a=b\n", kind=tarfile.XGLTYPE) + good,
           "an unknown kind": member("x", b"1" * 700, kind=b"~") + good,
           "a name of escapes": member("\x1b[2J\n", size=1 << 40),
           "only a header": good[:512], "junk after the end": good + bytes(1024) + b"junk" * 1000,
           "a hostile batch": member("test_batch", pickles(n)["calls os.system"]),
           "60000 empty members": member("x") * 60000 + good}
    return {**{name: packed(content) for name, content in tars.items()},
            "a bomb after the end": bomb(good + bytes(1024), 300 << 20),
            "a bomb in the batch": bomb(member("test_batch", size=60 << 20), 60 << 20),
            "a bomb in a long name": bomb(member("x", size=1 << 30, kind=tarfile.GNUTYPE_LONGNAME), 300 << 20),
            "a bomb in a pax header": bomb(member("x", size=1 << 30, kind=tarfile.XHDTYPE), 300 << 20),
            "a bomb of zeros": bomb(b"", 300 << 20), **gzips()}


def gzips():
    """Return {name: hostile gzip file}, for any kind of content."""
    empty = gzip.compress(b"")
    return {"a gzip name without end": b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (8 << 20),
            "a gzip comment without end": b"\x1f\x8b\x08\x10" + bytes(6) + b"n" * (8 << 20),
            "half a million empty gzip members": empty * (1 << 19),
            "an unknown gzip method": b"\x1f\x8b\x09" + empty[3:],
            "a gzip header alone": empty[:10], "nothing": b"", "a preset dictionary": b"\x1f\x8b\x08\x20" + empty[4:]}


# Fashion-MNIST

def idx(magic, *numbers, content=b""):
    return bytes(magic) + struct.pack(f">{len(numbers)}I", *numbers) + content


def idx_files(n):
    """Return {name: compressed IDX file of images}; a valid file would have n images."""
    files = {"2 ** 31 images": idx((0, 0, 8, 3), 1 << 31, 28, 28), "2 ** 40 bytes": idx((0, 0, 8, 3), 1 << 30, 32, 32),
            "the largest numbers": idx((0, 0, 8, 3), *[(1 << 32) - 1] * 3),
            "255 dimensions": idx((0, 0, 8, 255), *[1] * 255),
            "no dimension": idx((0, 0, 8, 0)), "doubles": idx((0, 0, 0x0e, 3), n, 28, 28, content=bytes(n * 784 * 8)),
            "a header alone": idx((0, 0, 8, 3), n, 28, 28), "a line break in its magic": b"\n\r\x1b[" + bytes(12)}
    return {**{name: packed(content) for name, content in files.items()},
            "a bomb": bomb(idx((0, 0, 8, 3), n, 28, 28), 300 << 20), **gzips()}


# JSON

def documents():
    """Return {name: JSON file that no run writes}."""
    result = {"deep lists": b"[" * 100000, "deep lists that end": b"[" * 100000 + b"]" * 100000,
            "deep dicts": b'{"a":' * 50000 + b"1" + b"}" * 50000, "a list a little too deep": b"[" * 990 + b"]" * 990,
            "an integer of 5000 digits": b"9" * 5000,
            "an integer of 10000 digits in place": b'{"settings": ' + b"9" * 10000 + b"}",
            "not UTF-8": b'{"a": "\xff\xfe"}', "UTF-16": json.dumps({"a": 1}).encode("utf-16"),
            "a byte order mark": b"\xef\xbb\xbf{}",
            "NaN": b"NaN", "-Infinity": b"-Infinity", "a number": b"3", "a text": b'"x"', "nothing": b"",
            "null": b"null",
            "zeros": bytes(1000), "three million lists": b"[" + b"[]," * (3 << 20) + b"[]]",
            "a million digits": b"7" * 10 ** 6,
            "an open text": b'"' + b"x" * 100000, "a lone surrogate": b'{"\\ud800": "\\udfff"}', "true": b"true"}
    return result


HOSTILE_VALUES = [None, True, [], {}, "", "x" * 2000, "<script>alert(1)</script>", "\ud800", "../../../etc/passwd",
"/dev/zero",
                  "a\nb\x1b[2J", 0, -1, 1 << 64, 10 ** 400, -1.5, 1e308, float("nan"), float("inf"),
                  [[1]], {"a": {"b": 1}},
                  ["x"], "line 1", "section2", "figure", "text", {"kind": "figure", "file": "/dev/zero", "caption": ""}]


# Checkpoints: a table in the format of LevelDB

def crc32c(content):
    """Return the masked checksum of LevelDB and TensorFlow."""
    crc = 0xffffffff
    for byte in content:
        crc = _CRC[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def _crc_of(byte):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
    return byte


_CRC = [_crc_of(byte) for byte in range(256)]


def varint(n):
    """Return n as a varint of protocol buffers, which encode negative numbers modulo 2 ** 64."""
    n %= 1 << 64
    result = b""
    while n > 127:
        result, n = result + bytes([n & 127 | 128]), n >> 7
    return result + bytes([n])


def _read_varint(content, at):
    n = shift = 0
    while True:
        n, at, shift = n | (content[at] & 127) << shift, at + 1, shift + 7
        if content[at - 1] < 128:
            return n, at


def entries(index):
    """Return the list of [key, value] in the only block of a small checkpoint's index."""
    at = len(index) - 48
    for _ in range(2):  # place of the metaindex
        _, at = _read_varint(index, at)
    at, _ = _read_varint(index, at)  # the index block, which has one entry: the place of the block of entries
    _, at = _read_varint(index, at)
    n_key, at = _read_varint(index, at)
    _, at = _read_varint(index, at)
    _, at = _read_varint(index, at + n_key)
    size, _ = _read_varint(index, at)
    end = size - 4 - 4 * struct.unpack("<I", index[size - 4:size])[0]
    result, key, at = [], b"", 0
    while at < end:
        n_shared, at = _read_varint(index, at)
        n_key, at = _read_varint(index, at)
        n_value, at = _read_varint(index, at)
        key = key[:n_shared] + index[at:at + n_key]
        at += n_key + n_value
        result.append([key, index[at - n_value:at]])
    return result


def table(stored, damage=lambda block: block):
    """Return an index of these [key, value], with right checksums even if `damage` changes the block of entries."""
    result = b""

    def add(block):
        nonlocal result
        place = varint(len(result)) + varint(len(block))
        result += block + b"\0" + struct.pack("<I", crc32c(block + b"\0"))
        return place

    def block_of(pairs):
        content, starts = b"", b""
        for key, value in pairs:
            starts += struct.pack("<I", len(content))
            content += b"\0" + varint(len(key)) + varint(len(value)) + key + value
        return content + (starts or bytes(4)) + struct.pack("<I", max(len(pairs), 1))
    data = add(damage(block_of(stored)))
    meta = add(block_of([]))
    index = add(block_of([(b"zzz", data)]))
    return result + (meta + index).ljust(40, b"\0") + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


def table_of_blocks(blocks, pointers=None):
    """Return an index of raw blocks, to which its index points in this order; its checksums are wrong."""
    result, places = b"", []
    for block in blocks:
        places.append(varint(len(result)) + varint(len(block)))
        result += block + bytes(5)
    end = bytes(4) + struct.pack("<I", 1)
    pointing = b"".join(b"\0\0" + varint(len(places[k])) + places[k] for k in pointers or range(len(places))) + end
    meta = varint(len(result)) + varint(len(end))
    index = varint(len(result) + len(end) + 5) + varint(len(pointing))
    result += end + bytes(5) + pointing + bytes(5)
    return result + (meta + index).ljust(40, b"\0") + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"


@functools.lru_cache(maxsize=None)
def small_indexes_of_much(n=1 << 20):
    """Return {name: index of n bytes} that would take gigabytes: of keys, of pointers to one block, of restarts."""
    end = bytes(4) + struct.pack("<I", 1)
    header = b"\0\0" + varint(4) + b"\x08\x01\x10\x00"

    def keys(n_key, n_keys):
        tail = varint(n_key) + b"\1\0"
        return header + b"\0" + varint(n_key) + b"\0" + b"a" * n_key + b"".join(
            tail + bytes([97 + k % 20]) for k in range(n_keys)) + end

    def ascending(n_key, n_keys):
        tail = varint(n_key) + b"\4\0"
        return header + b"\0" + varint(n_key) + b"\0" + b"a" * n_key + b"".join(
            tail + struct.pack(">I", k + 1) for k in range(n_keys)) + end
    block = b"\0\0\0" * (n // 6) + end
    return {"long keys": table_of_blocks([keys(n // 2, n // 12)]),
            "keys of 4000 bytes in order": table_of_blocks([ascending(4000, n // 9)]),
            "pointers to one block": table_of_blocks([block], [0] * (n // 14)),
            "pointers backwards": table_of_blocks([header + end] * (n // 32), range(n // 32 - 1, -1, -1)),
            "many keys": table_of_blocks([header + b"".join(
                b"\0\4\0" + struct.pack(">I", k) for k in range(n // 7)) + end]),
            "many restarts": table_of_blocks([header + b"".join(struct.pack("<I", k) for k in range(n // 4))
                                              + struct.pack("<I", n // 4)]),
            "many fields": table_of_blocks([b"\0\0" + varint(n) + b"\x08\x01" * (n // 2) + end])}


def entry(dtype=1, shape=(), shard=0, offset=0, size=4, crc=0, more=b""):
    """Return a value of the index: place, type and shape of a tensor."""
    dims = b"".join(b"\x12" + varint(len(dim)) + dim for dim in (b"\x08" + varint(n) for n in shape))
    return (b"\x08" + varint(dtype) + b"\x12" + varint(len(dims)) + dims
            + b"\x18" + varint(shard) + b"\x20" + varint(offset)
            + b"\x28" + varint(size) + b"\x35" + struct.pack("<I", crc) + more)


def indexes(index):
    """Return {name: index}, made from a valid index; the first variable is replaced, or a variable is added."""
    stored = entries(index)
    values = {
        "2 ** 40 numbers": entry(shape=(1 << 40,)),
        "2 ** 40 numbers, size right": entry(shape=(1 << 40,), size=1 << 42),
        "2 ** 30 numbers": entry(shape=(1 << 30,)),
        "2 ** 30 numbers, size right": entry(shape=(1 << 30,), size=1 << 32),
        "2 ** 62 numbers": entry(shape=(1 << 62,)), "2 ** 124 numbers": entry(shape=(1 << 62, 1 << 62)),
        "numbers whose size overflows to 0": entry(shape=(1 << 62,), size=0), "a dimension of -1": entry(shape=(-1,)),
        "a dimension of -2": entry(shape=(-2, 13)), "the lowest dimension": entry(shape=(-1 << 63,)),
        "300 dimensions": entry(shape=(1,) * 300), "254 dimensions": entry(shape=(1,) * 254),
        "255 dimensions": entry(shape=(1,) * 255), "an unknown rank": b"\x08\x01\x12\x02\x18\x01" + entry()[4:],
        "a size of 2 ** 62": entry(shape=(13,), size=1 << 62), "a size of -1": entry(shape=(13,), size=-1),
        "an offset of 2 ** 62": entry(shape=(13,), size=52, offset=1 << 62), "an offset of -1": entry(
            shape=(13,), size=52, offset=-1), "shard 1000": entry(shape=(13,), size=52, shard=1000), "shard -1": entry(
            shape=(13,), size=52, shard=-1), "no bytes": b"", "junk": b"\xff" * 40, "a slice": entry(
            shape=(13,), size=52, more=b"\x3a\x00"), "a thousand slices": entry(shape=(13,), more=b"\x3a\x00" * 1000),
        **{f"dtype {k}": entry(dtype=k, shape=(13,), size=52) for k in (*range(31), 101, 120, 200, 1 << 31, -1)},
        "2 ** 30 texts": entry(dtype=7, shape=(1 << 30,), size=1 << 30),
        "a text of a wild size": entry(dtype=7, size=1 << 40),
        "2 ** 40 texts": entry(dtype=7, shape=(1 << 40,)), "2 ** 28 variants": entry(dtype=21, shape=(1 << 28,)),
        "2 ** 28 texts": entry(dtype=7, shape=(1 << 28,), size=100)}
    headers = {"2 ** 31 shards": b"\x08" + varint((1 << 31) - 1) + b"\x1a\x02\x08\x01",
               "no shards": b"\x08\x00\x1a\x02\x08\x01",
               "-1 shards": b"\x08" + varint(-1), "big-endian": b"\x08\x01\x10\x01\x1a\x02\x08\x01", "version 99": (
                   b"\x08\x01\x1a\x02\x08\x63"), "no header": b"", "a junk header": b"\xff" * 9}
    result = {}
    for name, value in values.items():
        result[f"for a variable: {name}"] = table([stored[0], [stored[1][0], value], *stored[2:]])
        result[f"for a stranger: {name}"] = table([*stored, [b"stranger", value]])
    for name, value in headers.items():
        result[name] = table([[b"", value], *stored[1:]])
    result.update({
        "nothing in it": table([]), "a header alone": table(stored[:1]), "the same twice": table([*stored, *stored]),
        "keys in another order": table(stored[::-1]), "only a footer": index[-48:],
        "an empty block": table(stored, lambda block: b""),
        "restarts of 2 ** 32": table(stored, lambda block: block[:-4] + b"\xff" * 4), "a shared key without end": table(
            stored, lambda block: b"\x00\xff\xff\xff\xff\x0f\x01" + block[3:]),
        "a footer of wild places": index[:-48] + varint(1 << 62) * 4 + bytes(4) + index[-8:],
        "a block of 2 ** 40": index[:-48] + (varint(0) + varint(1 << 40) + varint(
                0) + varint(1 << 40)).ljust(40, b"\0") + index[-8:], "ten thousand strangers": table(
            [*stored, *([b"stranger %06d" % k, entry(shape=(13,), size=52)] for k in range(10000))]),
        "two variables in one place": table([*stored, [b"stranger", entry(shape=(2,), size=8)]]),
        "a name of two lines": table([*stored, [b"stranger\n\x1b[2J", entry(shape=(9,))]]),
        "a name that is not text": table(
            [*stored, [b"\xff\xfe", entry()]])})
    return result
