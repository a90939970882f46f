"""Files as streams of bytes: unpacked by what they are, not by their name; broken ones told."""

from __future__ import annotations

import importlib
import io
import zlib
from typing import Any, BinaryIO

from .records import load_extra

__all__ = ["GZIP_WBITS", "MAX_BYTES", "OpenFile", "fast_zlib", "zstandard"]

MAX_BYTES = 1 << 28
"""Size of the largest dump that is read, 256 MiB; a larger one is an error, not a full memory."""

_BUFFER = 1 << 20
_PACKED = 1 << 15
GZIP_WBITS = 31
"""As zlib counts: the largest window, and gzip around it."""


class _UpToBreak(io.RawIOBase):
    """A stream that ends where it breaks, and keeps the reason.

    Whoever reads then gets every byte before the break, where an exception would take along what
    was buffered.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._given = 0
        self.problem: str | None = None

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given

    def readinto(self, buffer: Any, /) -> int:
        if self.problem:
            return 0
        try:
            data = self._source.read1(len(buffer))
        except Exception as error:  # each way of packing has errors of its own
            self.problem = str(error) or type(error).__name__
            return 0
        buffer[: len(data)] = data
        self._given += len(data)
        return len(data)


class _Gunzip:
    """The unpacked bytes of gzip members that stand one after another.

    The readers of ``gzip`` and ``isal.igzip`` are not used: the second loses what it has unpacked
    where the file breaks, and the first is slow.
    """

    def __init__(self, packed: Any) -> None:
        self._packed = packed
        self._zlib = fast_zlib()
        self._member: Any = None
        self._waiting = b""

    def read1(self, size: int) -> bytes:
        """Return some bytes, at most `size` of them; none at the end."""
        while True:
            data = self._waiting or self._packed.read1(_PACKED)
            if self._member is None:
                if not data:
                    return b""
                self._waiting = data = data.lstrip(b"\0")  # padding between members
                if not data:
                    continue
                self._member = self._zlib.decompressobj(GZIP_WBITS)
            given: bytes = self._member.decompress(data, size)
            self._waiting = self._member.unconsumed_tail or self._member.unused_data
            if self._member.eof:
                self._member = None
            if given:
                return given
            if not data:
                raise EOFError("the end of its gzip data is missing")


def fast_zlib() -> Any:
    """Return isal's zlib, which takes a third of the time; the standard one where it is missing."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


class OpenFile:
    """A file that is open for reading, unpacked where it is gzip or zstandard.

    Parameters
    ----------
    name : str
        Its name, for ids and errors.
    raw : binary file
        At its start. It stays open.

    Attributes
    ----------
    stream : BufferedReader
        The unpacked bytes, as far as they can be read.

    Raises
    ------
    SourceError
        If the file is packed with zstandard and that is not installed.
    """

    def __init__(self, name: str, raw: BinaryIO) -> None:
        self.name = name
        packed: Any = raw if hasattr(raw, "peek") else io.BufferedReader(raw)
        head = packed.peek(4)[:4]
        source = packed
        if head[:2] == b"\x1f\x8b":
            source = _Gunzip(packed)
        elif head == b"\x28\xb5\x2f\xfd":
            source = zstandard().ZstdFile(packed)
        self.raw = packed
        self._bytes = _UpToBreak(source)
        self.stream = io.BufferedReader(self._bytes, _BUFFER)

    @property
    def problem(self) -> str | None:
        """Why the stream ended early; None if it did not, or not yet."""
        return self._bytes.problem


def zstandard() -> Any:
    """Return the module of the standard library's zstandard interface, or its backport."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return load_extra("backports.zstd", "crawl", "zstandard")
    return zstd
