"""What the readers of files from elsewhere share: gzip within bounds."""
from __future__ import annotations

import zlib

from tf1_autoencoders.utils.errors import brief

BLOCK = 1 << 16  # bytes


class BadFile(Exception):
    """The file is not what it claims to be."""


class Unpacked:
    """The content of a gzip file, read piece by piece: no claim and no header field of it costs memory or time.

    Args:
        file: open for reading bytes.
        largest: bytes that may come out of it.
    """

    def __init__(self, file, largest):
        self._file, self._left = file, largest
        self._zlib = zlib.decompressobj(wbits=31)  # 31: a gzip header, and its sum at the end

    def read(self, n):
        """The next n bytes, fewer only where it ends.

        Raises:
            BadFile: not gzip, not whole, another sum, more behind its end, or more in it than `largest`.
        """
        pieces = []
        while n > 0 and not self._zlib.eof:
            packed = self._zlib.unconsumed_tail or self._file.read(BLOCK)
            try:
                pieces.append(self._zlib.decompress(packed, n))
            except zlib.error as error:
                raise BadFile(brief(error)) from error
            n -= len(pieces[-1])
            self._left -= len(pieces[-1])
            if not packed and not pieces[-1] and not self._zlib.eof:
                raise BadFile("it ends early")
            if self._left < 0:
                raise BadFile("more in it than there can be")
        if self._zlib.eof and (self._zlib.unused_data + self._file.read(BLOCK)).strip(b"\0"):
            raise BadFile("more behind its end")
        return b"".join(pieces)
