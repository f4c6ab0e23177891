"""A reader within bounds of files from elsewhere, which may be packed by gzip."""
from __future__ import annotations

import zlib
from typing import IO, Union

from tf1_autoencoders.utils.errors import one_line

BLOCK_SIZE = 1 << 16  # bytes
MAGIC = b"\x1f\x8b"  # the first bytes of a gzip file


class MalformedFile(Exception):
    """The content of a file is not what the file claims to be."""


def bounded_reader(file: IO[bytes], max_bytes: int) -> Union[IO[bytes], BoundedGzipReader]:
    """Return a reader of a file's content: unpacked if the first bytes are gzip's, whatever the file's name is.

    Args:
        file: open for reading bytes, at its start.
        max_bytes: see BoundedGzipReader.
    """
    packed = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return BoundedGzipReader(file, max_bytes) if packed else file


class BoundedGzipReader:
    """Reads the content of a gzip file piece by piece; no claim and no header field of the file costs memory or time.

    Args:
        file: open for reading bytes.
        max_bytes: bytes that the file may unpack to.
    """

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file, self._bytes_left = file, max_bytes
        self._zlib = zlib.decompressobj(wbits=31)  # 31: with gzip's header, and its checksum at the end

    def read(self, n: int) -> bytes:
        """Return the next n bytes, fewer only at the end.

        Raises:
            MalformedFile: the file is not gzip, incomplete, has a wrong checksum, trailing data or more than max_bytes.
        """
        pieces = []
        while n > 0 and not self._zlib.eof:
            packed = self._zlib.unconsumed_tail or self._file.read(BLOCK_SIZE)
            try:
                pieces.append(self._zlib.decompress(packed, n))
            except zlib.error as error:
                raise MalformedFile(one_line(error)) from error
            n -= len(pieces[-1])
            self._bytes_left -= len(pieces[-1])
            if not packed and not pieces[-1] and not self._zlib.eof:
                raise MalformedFile("it ends early")
            if self._bytes_left < 0:
                raise MalformedFile("its content is larger than expected")
        if self._zlib.eof and (self._zlib.unused_data + self._file.read(BLOCK_SIZE)).strip(b"\0"):
            raise MalformedFile("there is more data after its end")
        return b"".join(pieces)
