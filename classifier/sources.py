"""Sources of dumps: text files, folders, standard input, WET, JSON Lines and Parquet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .readers import READERS, sniff
from .records import BadRecord, Record, SourceError
from .streams import OpenFile

__all__ = ["KINDS", "Source", "find_sources", "read_records", "read_source"]

KINDS = tuple(READERS)
"""Kinds of sources."""

_KIND_OF = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".warc": "warc",
    ".wet": "warc",
    ".parquet": "parquet",
}
_PACKED = (".gz", ".zst")


@dataclass(frozen=True)
class Source:
    """A file of dumps, or standard input.

    Attributes
    ----------
    name : str
        The path as it was given or found; ``"-"`` for standard input.
    kind : str or None
        One of `KINDS`; None: by the file's first bytes.
    size : int
        Bytes; 0 for standard input.
    """

    name: str
    kind: str | None
    size: int


def find_sources(names: Iterable[str | Path], *, kind: str | None = None) -> list[Source]:
    """Return the files that names stand for.

    Parameters
    ----------
    names : iterable of str or Path
        Files; folders, which are searched for files with the endings of sources (hidden ones are
        left out); ``"-"`` for standard input.
    kind : str, optional
        One of `KINDS`, where the files' endings do not tell it.

    Returns
    -------
    list of Source
        In the order of the names; the files of a folder by name.

    Raises
    ------
    SourceError
        If a file is missing, a folder has no such file, or there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise SourceError(f"expected a kind out of {', '.join(KINDS)}; found {kind!r}")
    found: list[Source] = []
    for name in map(str, names):
        path = Path(name)
        if name == "-":
            found.append(Source("-", kind, 0))
        elif path.is_dir():
            found += _inside(path, kind)
        elif path.exists():
            found.append(_source(path, kind))
        else:
            raise SourceError(f"{name}: expected a file or a folder, found nothing; check the path")
    return found


def _inside(folder: Path, kind: str | None) -> list[Source]:
    files = (path for path in folder.rglob("[!.]*") if _kind(path) and path.is_file())
    found = [_source(path, kind) for path in sorted(files)]
    if not found:
        endings = ", ".join(_KIND_OF)
        raise SourceError(f"{folder}: expected files that end in {endings} (.gz, .zst); found none")
    return found


def _source(path: Path, kind: str | None) -> Source:
    return Source(path.as_posix(), kind or _kind(path), path.stat().st_size)


def _kind(path: Path) -> str | None:
    bare = path.with_suffix("") if path.suffix in _PACKED else path
    return _KIND_OF.get(bare.suffix)


def read_source(
    source: Source,
    *,
    text_field: str = "text",
    opened: Callable[[BinaryIO], object] = lambda raw: None,
) -> Iterator[Record | BadRecord]:
    """Yield the records of a source, one at a time.

    What cannot be read is a `BadRecord`; what stands before it is given, and after it where that
    can be found.

    Parameters
    ----------
    source : Source
    text_field : str
        Name of the field or column that holds the text, in JSON Lines and Parquet.
    opened : callable
        Is given the open file, whose ``tell()`` says how far the reading is.

    Yields
    ------
    Record or BadRecord
        In the order of the file.

    Raises
    ------
    SourceError
        If a library is missing that this kind of source needs.
    """
    try:
        with _open(source) as raw:
            opened(raw)
            file = OpenFile(source.name, raw)
            yield from READERS[source.kind or sniff(file)](file, text_field)
    except OSError as error:
        reason = f"expected a readable file, found: {error.strerror or error}"
        yield BadRecord(source.name, source.name, 0, reason)


def _open(source: Source) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if source.name == "-" else Path(source.name).open("rb")


def read_records(
    names: Iterable[str | Path], *, text_field: str = "text", kind: str | None = None
) -> Iterator[Record | BadRecord]:
    r"""Yield the records of files, folders and standard input.

    Parameters
    ----------
    names, kind
        As for :func:`find_sources`.
    text_field : str
        As for :func:`read_source`.

    Yields
    ------
    Record or BadRecord

    Raises
    ------
    SourceError
        As the two functions do.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "pages.jsonl"
    >>> _ = path.write_text('{"id": 7, "text": "Home", "site": "a.example"}')
    >>> [(record.id, record.text, record.site) for record in read_records([path])]
    [('7', 'Home', 'a.example')]
    """
    for source in find_sources(names, kind=kind):
        yield from read_source(source, text_field=text_field)
