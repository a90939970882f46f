"""What a reader of a corpus gives: its pages, and those that it drops."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "Dropped",
    "Found",
    "LayoutError",
    "Pages",
    "SourcePage",
    "folder",
    "read_json",
    "site_of",
]


class LayoutError(ValueError):
    """A folder that is no checkout of the corpus."""


@dataclass(frozen=True)
class SourcePage:
    """A page of a corpus: its HTML and its gold text.

    Attributes
    ----------
    name : str
        Unique in the corpus.
    html : str
    reference : str
    url, title, page_type, language : str or None
    site : str or None
        Where it is not that of `url`.
    """

    name: str
    html: str
    reference: str
    url: str | None = None
    title: str | None = None
    page_type: str | None = None
    language: str | None = None
    site: str | None = None

    def __post_init__(self) -> None:
        """Refuse what a gold file has where a text should be."""
        if not all(value is None or isinstance(value, str) for value in vars(self).values()):
            raise TypeError("expected texts")


@dataclass(frozen=True)
class Dropped:
    """A page, or a rendering of one, that is not used, and why."""

    name: str
    why: str


Found = SourcePage | Dropped


def folder(root: Path, *names: str) -> Path:
    """Return the first of some folders of a checkout that is there."""
    for name in names:
        if (root / name).is_dir():
            return root / name
    expected = " or ".join(names)
    raise LayoutError(f"{root}: expected a folder {expected}, found none; check the path")


def _number(path: Path) -> tuple[int, str]:
    digits = re.findall(r"\d+", path.name)
    return (int(digits[-1]) if digits else 0, path.name)


@dataclass(frozen=True)
class Pages:
    """The pages of a corpus, read one by one as they are iterated over.

    Attributes
    ----------
    paths : sequence of Path
        Gold files, or folders of pages.
    read : callable
        Returns the page that a path stands for.
    """

    paths: Sequence[Path]
    read: Callable[[Path], Found]

    def __len__(self) -> int:
        """Return the number of pages, those that will be dropped too."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Found]:
        """Read the pages; a file that cannot be read is that page's loss alone."""
        for path in sorted(self.paths, key=_number):
            name = path.name.partition(".")[0]
            try:
                found = self.read(path)
                blank = isinstance(found, SourcePage) and not found.reference.strip()
                yield Dropped(name, "no gold text") if blank else found
            except FileNotFoundError:
                yield Dropped(name, "a file of it is missing")
            except (OSError, EOFError, zlib.error):
                yield Dropped(name, "a file that cannot be read")
            except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
                yield Dropped(name, "a gold file that is not what it should be")


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, with a byte order mark or without."""
    return json.loads(path.read_bytes().decode("utf-8-sig"))


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def site_of(url: str | None) -> str | None:
    """Return the domain that somebody registered for the host of an address.

    Examples
    --------
    >>> site_of("https://www.news.example.co.uk/a")
    'example.co.uk'
    """
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    if not host or host[-1].isdigit() or ":" in host:  # a number is an address, not a name
        return host
    return _suffixes().privatesuffix(host) or host
