"""The first of two passes over records: what their sites repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from .page import read_page
from .records import BadRecord, Record, SourceError
from .site_memory import SiteMemory, SiteMemoryError

__all__ = ["load_memory", "remember"]

_PAGES, _CHARS = 64, 1 << 20


def load_memory(path: str | Path, **options: int) -> SiteMemory:
    """Read a memory; what is wrong with it is told as of any source.

    Raises
    ------
    SourceError
        If the file is missing or is no memory.
    """
    try:
        return SiteMemory.load(path, **options)
    except SiteMemoryError as error:
        raise SourceError(str(error)) from None


def remember(records: Iterable[Record | BadRecord], memory: SiteMemory) -> Iterator[int]:
    """Count the pages of records whose site is known.

    Parameters
    ----------
    records : iterable of Record or BadRecord
        Taken a few at a time.
    memory : SiteMemory
        Is added to.

    Yields
    ------
    int
        Pages counted since the last time.
    """
    known = (item for item in records if isinstance(item, Record) and item.site)
    while group := list(_few(known)):
        pages = [read_page(record.text).lines for record in group]
        memory.add_pages(pages, [record.site or "" for record in group])
        yield len(group)


def _few(records: Iterator[Record]) -> Iterator[Record]:
    chars = 0
    for record in islice(records, _PAGES):
        yield record
        chars += len(record.text)
        if chars >= _CHARS:
            return
