"""What the format of labelled dumps has no place for: which lines nobody judged, and where one was.

It lies hidden beside the labelled dumps. Without it no label is lost: a line that nobody judged
then counts as one that somebody left open on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from classifier.array_file import replace_file

__all__ = ["PageProgress", "Progress", "read_progress", "runs_of", "write_progress"]

_NAME = ".label_app.json"


@dataclass(frozen=True)
class PageProgress:
    """How far a page is.

    Attributes
    ----------
    done : bool
        Whether somebody accepted the page as a whole.
    open : tuple of (int, int)
        Half-open runs of lines that nobody judged.
    """

    done: bool = False
    open: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a folder is.

    Attributes
    ----------
    at : str
        Name of the page that was open last.
    pages : mapping of str to PageProgress
    wanted : mapping of str to tuple of int
        The lines that were chosen to be labelled next, by page; empty without a budget.
    """

    at: str = ""
    pages: Mapping[str, PageProgress] = field(default_factory=dict)
    wanted: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def runs_of(labels: str, label: str) -> tuple[tuple[int, int], ...]:
    """Return the half-open runs of lines that have a label.

    Examples
    --------
    >>> runs_of("__C_", "_")
    ((0, 2), (3, 4))
    """
    runs, start = [], 0
    for found, group in groupby(labels):
        stop = start + sum(1 for _ in group)
        runs += [(start, stop)] if found == label else []
        start = stop
    return tuple(runs)


def read_progress(folder: str | Path) -> Progress:
    """Read how far a folder is; one that is missing or damaged counts as the start."""
    try:
        return _parse(json.loads((Path(folder) / _NAME).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Progress()


def _parse(found: Any) -> Progress:
    pages = {
        str(name): PageProgress(
            bool(page["done"]), tuple((max(0, int(a)), int(b)) for a, b in page["open"])
        )
        for name, page in found["pages"].items()
    }
    wanted = {str(name): tuple(map(int, lines)) for name, lines in found["wanted"].items()}
    return Progress(str(found["at"]), pages, wanted)


def write_progress(folder: str | Path, progress: Progress) -> None:
    """Write how far a folder is; the file is replaced whole."""
    text = json.dumps(asdict(progress), ensure_ascii=False)
    replace_file(Path(folder) / _NAME, text.encode("utf-8", "surrogatepass"))
