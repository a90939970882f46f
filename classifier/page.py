"""A dump as text and as physical lines: decoding, line ends, offsets."""

from __future__ import annotations

import codecs
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Page", "read_page"]

_BREAK = re.compile(r"\r\n|\r|\n")
_ENDS = ("\n", "\r\n", "\r")

# UTF-32 before UTF-16: the little-endian mark of the one begins with that of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_SAMPLE = 1 << 15
"""Bytes of which the encoding is guessed."""

_ENCODINGS = (
    "cp1252 cp1250 iso8859_2 cp1251 koi8_r cp1253 iso8859_7 cp1254 cp1255 cp1256 cp1257 cp874 "
    "cp932 euc_jp gb18030 big5 cp949"
)
"""Encodings that web pages had before UTF-8; without those of mainframes and old terminals."""

# As browsers read it: the five bytes that Windows-1252 leaves open stay control characters.
_WESTERN = "".join(
    chr(byte) if char == "\ufffd" else char
    for byte, char in enumerate(bytes(range(256)).decode("cp1252", "replace"))
)


@dataclass(frozen=True)
class Page:
    r"""The decoded text of a dump and its physical lines; made by :func:`read_page`.

    Attributes
    ----------
    text : str
        The decoded text.
    lines : tuple of str
        The physical lines without their ends; at least one, the empty line of an empty text.
    ends : tuple of str
        End of each line, ``"\n"``, ``"\r\n"`` or ``"\r"``; ``""`` for the last.
    """

    text: str
    lines: tuple[str, ...]
    ends: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of physical lines."""
        return len(self.lines)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the lines without their ends."""
        return iter(self.lines)

    @cached_property
    def offsets(self) -> npt.NDArray[np.int64]:
        r"""Where each line starts in `text`, in code points.

        Returns
        -------
        ndarray of int64, shape (n_lines,)
            Read-only.

        Examples
        --------
        >>> read_page("ab\r\nc\n").offsets.tolist()
        [0, 4, 6]
        """
        sizes = np.fromiter(map(len, self.lines), np.int64, len(self))
        sizes += np.fromiter(map(len, self.ends), np.int64, len(self))
        starts = np.zeros_like(sizes)
        np.cumsum(sizes[:-1], out=starts[1:])
        starts.flags.writeable = False
        return starts


def read_page(dump: str | bytes | bytearray | memoryview) -> Page:
    r"""Decode a dump and split it into physical lines.

    Lines are split on ``\n``, ``\r\n`` and ``\r`` only, so that joining lines and ends gives the
    text back. Every character survives, control characters and NULs too.

    Parameters
    ----------
    dump : str or bytes-like
        A str is taken as it is. Bytes are read by their byte order mark, which is dropped; without
        one as UTF-8, where a few broken bytes become U+FFFD each; and what isn't UTF-8 in a legacy
        encoding guessed from a sample, Windows-1252 if in doubt.

    Returns
    -------
    Page

    Raises
    ------
    TypeError
        If `dump` is neither str nor bytes-like.

    Examples
    --------
    >>> page = read_page(b"Menu\r\n\r\nCaf\xc3\xa9")
    >>> page.lines
    ('Menu', '', 'Café')
    >>> page.ends
    ('\r\n', '\r\n', '')
    """
    if isinstance(dump, str):
        return Page(dump, *_split(dump))
    if not isinstance(dump, bytes | bytearray | memoryview):
        raise TypeError(
            f"expected a dump as str or bytes, found {type(dump).__name__}; "
            "for a file, pass what Path(...).read_bytes() returns"
        )
    text = _decode(bytes(dump))
    return Page(text, *_split(text))


def _split(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    n_returns = text.count("\r")
    n_chars = n_returns + text.count("\n") if n_returns else 0
    for end in _ENDS:
        if not n_chars or text.count(end) * len(end) == n_chars:  # the only kind of end there
            lines = text.split(end)
            return tuple(lines), (end,) * (len(lines) - 1) + ("",)
    ends = map(sys.intern, _BREAK.findall(text))  # interned: one object a kind, not one a line
    return tuple(_BREAK.split(text)), (*ends, "")


def _decode(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _decode_broken(data, error.start)


def _decode_broken(data: bytes, place: int) -> str:
    """Decode what isn't UTF-8 throughout; `place` is the first byte that isn't."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") - data.count("\ufffd".encode())
    n_ascii = np.count_nonzero(np.frombuffer(data, dtype=np.uint8) < 0x80)
    good = len(text) - n_ascii - broken
    if good >= broken:  # legacy encodings look like UTF-8 by chance less than half as often
        return text
    encoding = _guess_encoding(_sample(data, place))
    if encoding == "cp1252":
        return codecs.charmap_decode(data, "strict", _WESTERN)[0]
    return data.decode(encoding, "replace")


def _sample(data: bytes, place: int) -> bytes:
    """Return some bytes from the word at `place` on; from ASCII space to space, whole characters.

    The bytes before `place` are UTF-8, most likely ASCII, and tell nothing.
    """
    nearest = max(data.rfind(space, max(0, place - 1024), place) for space in (b"\n", b" "))
    start = nearest + 1 if nearest >= 0 else place
    sample = data[start : start + _SAMPLE]
    return sample if start + _SAMPLE >= len(data) else sample.rsplit(None, 1)[0]


def _guess_encoding(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=_ENCODINGS.split(), threshold=0.35)
    best = matches.best()
    if best is None:
        return "cp1252"
    for match in matches:
        # Spanish reads about as well in cp1250, with a wrong letter here and there.
        about_as_good = (
            match.chaos <= best.chaos + 0.003 and match.coherence >= best.coherence - 0.01
        )
        if about_as_good and "cp1252" in match.could_be_from_charset:
            return "cp1252"
    return best.encoding
