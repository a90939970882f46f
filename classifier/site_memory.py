"""What a site repeats: on how many of its pages each line was seen, as hashes and counts.

A line on many pages of its site is chrome, and one on a single page probably not: evidence that
no page gives by itself. To the model it is a few more features, not a rule.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .array_file import Arrays, pack_arrays, replace_file, unpack_arrays
from .hashing import UInts, finalize, name_hash
from .page import read_page
from .repetition import line_letters
from .tokens import lay_out, tokenize

__all__ = ["Site", "SiteMemory", "SiteMemoryError"]

FORMAT = 1
_BATCH = 64
_PENDING = 1 << 22
_NO_LETTERS = finalize(np.zeros(1, dtype=np.uint64))[0]
Counts = npt.NDArray[np.uint32]


class SiteMemoryError(ValueError):
    """A memory that cannot be read; the message says why, in one sentence."""


def _summed(keys: UInts, counts: npt.NDArray[np.integer]) -> tuple[UInts, Counts]:
    """Return distinct keys, in order, with the sums of their counts."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    first = np.flatnonzero(np.diff(keys, prepend=~keys[:1]) != 0)
    total = np.add.reduceat(counts[order].astype(np.int64), first) if len(first) else counts
    return keys[first], np.minimum(total, 0xFFFFFFFF).astype(np.uint32)


def _look_up(keys: UInts, counts: Counts, wanted: UInts) -> npt.NDArray[np.int64]:
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    place = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place], 0).astype(np.int64)


def _salt(site: str) -> np.uint64:
    return np.uint64(name_hash(site))


class SiteMemory:
    r"""Counts of the pages of sites, and of the pages that have each line.

    Lines are told apart by a 64-bit hash of their words and their site (case, digits and signs
    are ignored); no text is kept. The order in which pages are added makes no difference, as
    long as `max_lines` is not reached.

    Parameters
    ----------
    max_lines : int, optional
        Most lines that are kept; beyond it, those on the fewest pages are forgotten.

    Attributes
    ----------
    error : int
        By how many pages a count may be too low, because lines were forgotten.

    Examples
    --------
    >>> memory = SiteMemory().add(["Menu\nOne story.", "Menu\nAnother story."], site="a.example")
    >>> memory.n_pages, memory.n_lines
    (2, 3)
    """

    def __init__(self, *, max_lines: int = 50_000_000) -> None:
        self.max_lines = max_lines
        self.error = 0
        none = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint32)
        self._lines, self._sites = none, none
        self._pending: list[UInts] = []
        self._n_pending = 0

    def add(self, dumps: Iterable[str | bytes], site: str = "") -> SiteMemory:
        """Count pages of one site.

        Parameters
        ----------
        dumps : iterable of str or bytes
            Each page once.
        site : str
            Name of the site, such as its domain.

        Returns
        -------
        SiteMemory
            Itself.
        """
        source = iter(dumps)
        while chunk := [read_page(dump).lines for dump in islice(source, _BATCH)]:
            self.add_pages(chunk, [site] * len(chunk))
        return self

    def add_pages(self, pages: Sequence[Sequence[str]], sites: Sequence[str]) -> None:
        """Count pages of any sites.

        Parameters
        ----------
        pages : sequence of sequences of str
            Physical lines of each page.
        sites : sequence of str
            Site of each page.
        """
        text = lay_out(pages)
        letters = line_letters(text, tokenize(text))
        salts = np.array([_salt(site) for site in sites], dtype=np.uint64)
        for page, salt in enumerate(salts):
            own = letters[text.page_start[page] : text.page_start[page + 1]]
            keys = np.unique(finalize(own[own != _NO_LETTERS] + salt))
            self._pending.append(keys)
            self._n_pending += len(keys)
        joined = np.concatenate([self._sites[0], salts])
        ones = np.ones(len(salts), dtype=np.uint32)
        self._sites = _summed(joined, np.concatenate([self._sites[1], ones]))
        if self._n_pending > _PENDING:
            self._settle()

    def _settle(self) -> None:
        """Count the pending lines, and forget the lightest beyond the limit."""
        if not self._pending:
            return
        new = np.concatenate(self._pending)
        self._pending, self._n_pending = [], 0
        self._put(new, np.ones(len(new), dtype=np.uint32))

    def _put(self, keys: UInts, counts: Counts) -> None:
        joined = np.concatenate([self._lines[0], keys])
        keys, counts = _summed(joined, np.concatenate([self._lines[1], counts]))
        if len(keys) > self.max_lines:
            order = np.lexsort((keys, -counts.astype(np.int64)))
            kept = np.sort(order[: max(self.max_lines * 3 // 4, 1)])
            self.error += int(counts[order[len(kept)]])
            keys, counts = keys[kept], counts[kept]
        self._lines = keys, counts

    def merge(self, other: SiteMemory) -> SiteMemory:
        """Add the counts of another memory, of other pages.

        Parameters
        ----------
        other : SiteMemory
            Is not changed.

        Returns
        -------
        SiteMemory
            Itself.
        """
        other._settle()
        self._settle()
        self._put(*other._lines)
        keys = np.concatenate([self._sites[0], other._sites[0]])
        self._sites = _summed(keys, np.concatenate([self._sites[1], other._sites[1]]))
        self.error += other.error
        return self

    @property
    def n_pages(self) -> int:
        """Number of pages that were added."""
        return int(self._sites[1].sum(dtype=np.int64))

    @property
    def n_sites(self) -> int:
        """Number of sites that pages were added of."""
        return len(self._sites[0])

    @property
    def n_lines(self) -> int:
        """Number of different lines that are kept."""
        self._settle()
        return len(self._lines[0])

    def site(self, name: str = "") -> Site:
        """Return what is known of one site, as evidence for its pages.

        Parameters
        ----------
        name : str
            As it was given to :meth:`add`.

        Returns
        -------
        Site
        """
        return Site(self, name)

    def known(self, letters: UInts, site: str) -> tuple[npt.NDArray[np.int64], int]:
        """Return on how many other pages of the site each line of a page is, and their number.

        A page all of whose lines are known is taken to be one of those that were added, and
        does not count itself.

        Parameters
        ----------
        letters : ndarray of uint64, shape (n_lines,)
            Hashes by :func:`classifier.repetition.line_letters`.
        site : str

        Returns
        -------
        counts : ndarray of int64, shape (n_lines,)
            -1 for lines without letters.
        pages : int
        """
        self._settle()
        salt = np.full(1, _salt(site))
        pages = int(_look_up(*self._sites, salt)[0])
        worded = letters != _NO_LETTERS
        counts = np.where(worded, _look_up(*self._lines, finalize(letters + salt)), -1)
        itself = int(pages > 0 and worded.any() and counts[worded].min() > 0)
        return np.where(worded, counts - itself, -1), pages - itself

    def to_bytes(self) -> bytes:
        """Return the memory as the bytes of its file."""
        self._settle()
        arrays: Arrays = {"format": np.array(FORMAT), "error": np.array(self.error)}
        arrays |= {"lines": self._lines[0], "line_pages": self._lines[1]}
        arrays |= {"sites": self._sites[0], "site_pages": self._sites[1]}
        return pack_arrays(arrays, deflate=False)

    @classmethod
    def from_bytes(cls, packed: bytes, *, max_lines: int = 50_000_000) -> SiteMemory:
        """Return the memory that was saved as these bytes; errors are those of :meth:`load`."""
        try:
            arrays = unpack_arrays(packed, 2 * len(packed) + (1 << 20))
            return _checked(cls(max_lines=max_lines), arrays)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SiteMemoryError(f"expected a site memory; {error}") from None

    def save(self, path: str | Path) -> None:
        """Write the memory to a file, which is replaced whole."""
        replace_file(Path(path), self.to_bytes())

    @classmethod
    def load(cls, path: str | Path, *, max_lines: int = 50_000_000) -> SiteMemory:
        """Read a memory that was saved.

        Parameters
        ----------
        path : str or Path
        max_lines : int
            As for a new memory.

        Raises
        ------
        SiteMemoryError
            If the file is missing or is no memory.
        """
        try:
            return cls.from_bytes(Path(path).read_bytes(), max_lines=max_lines)
        except (OSError, SiteMemoryError) as error:
            raise SiteMemoryError(f"{path}: {error}") from None


def _checked(memory: SiteMemory, arrays: Arrays) -> SiteMemory:
    if arrays["format"].shape != () or int(arrays["format"]) != FORMAT:
        raise ValueError(f"expected format {FORMAT}, found {arrays['format']}")
    tables = []
    for keys, counts in ((arrays["lines"], arrays["line_pages"]),
                         (arrays["sites"], arrays["site_pages"])):  # fmt: skip
        if keys.dtype != np.uint64 or counts.dtype != np.uint32 or keys.ndim != 1:
            raise ValueError("expected hashes of uint64 and counts of uint32")
        if keys.shape != counts.shape or (keys[1:] <= keys[:-1]).any() or not counts.all():
            raise ValueError("expected a count for each hash, and hashes in order")
        tables.append((keys, counts))
    memory._lines, memory._sites = tables
    memory.error = int(arrays["error"])
    return memory


@dataclass(frozen=True, eq=False)
class Site:
    """One site within a memory.

    Attributes
    ----------
    memory : SiteMemory
    name : str
    """

    memory: SiteMemory
    name: str
