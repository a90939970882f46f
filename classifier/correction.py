"""What a few labelled pages of a site teach: evidence on that site's pages, before the decoder.

A page is taken for one of a taught site where neighbouring lines of it stand on that site's
labelled pages, too; on all other pages a correction does nothing. There, the log odds of a line
move in both stages by the sum of learned weights of what recurs on a site: the line's letters, the
lines around it, the nearest lines before and after that the site repeats, its shape, its edges, its
words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .counting import log_count
from .explain import Contribution
from .features import Batch
from .hashing import UInts, finalize
from .page_features import shifted
from .tokens import Ints
from .vocabulary import Doubles
from .wording import line_terms

__all__ = ["AGAIN", "CORRECTION", "Correction", "line_pairs", "site_lines", "site_terms"]

CORRECTION: dict[str, str] = {
    "taught": "how surely the page is one of a site that the model was taught, from 0 to 1",
}
"""Name and meaning of what a correction adds to an explanation."""

STRANGE, SURE = 5, 9
"""A page with so many pairs of lines of a taught site is not yet taken for one of it, and with
so many it is for sure; docs/teach.md says how often that is wrong."""

LIMIT = 8.0
"""A line's log odds move by so much at most."""

AGAIN = 0.45
"""The first stage's log odds move by the whole evidence, which the second stage sees around each
line, and the second stage's by so much of it again; docs/teach.md says what that does."""

_WORDING = 3.0
"""A line's words count for so much, beside 1 for each other thing."""

_WORD_BITS = 48
_NONE = np.uint64(0)
_BORDER = np.uint64(0x8CB92BA72F3D8DD7)
_SITE = np.uint64(0xD6E8FEB86659FD93)


def line_pairs(batch: Batch) -> UInts:
    """Return a hash of each line's letters and those of the next line.

    Parameters
    ----------
    batch : Batch

    Returns
    -------
    ndarray of uint64, shape (n_lines,)
        0 where one of the two has no letters, and at the end of a page.
    """
    after = shifted(batch.letters, 1, batch.text, _NONE)
    lettered = (batch.letters != _NONE) & (after != _NONE)
    return np.where(lettered, _two(batch.letters, after), _NONE)


def site_lines(batch: Batch, site: Ints) -> UInts:
    """Return a hash of each line's letters and its site.

    Parameters
    ----------
    batch : Batch
    site : ndarray of intp, shape (n_lines,)
        Number of each line's site.

    Returns
    -------
    ndarray of uint64, shape (n_lines,)
        0 for lines without letters.
    """
    return np.where(batch.letters != _NONE, _two(batch.letters, _salts(site)), _NONE)


def site_terms(
    batch: Batch, site: Ints, known: npt.NDArray[np.bool_], bits: int
) -> tuple[Ints, Ints, Doubles]:
    """Return what a line's site may have taught about it: the places of weights, and factors.

    Parameters
    ----------
    batch : Batch
    site : ndarray of intp, shape (n_lines,)
        Number of each line's site.
    known : ndarray of bool, shape (n_lines,)
        Whether the site repeats the line.
    bits : int
        Places are below ``2**bits``.

    Returns
    -------
    line, place : ndarray of intp, shape (n_terms,)
        In an order that does not depend on other lines.
    factor : ndarray of float64, shape (n_terms,)
    """
    salt, n = _salts(site), batch.text.n_lines
    kinds = [_two(key, salt + np.uint64(i)) for i, key in enumerate(_kinds(batch, known), start=1)]
    line, word = line_terms(batch.text, batch.tokens, _WORD_BITS)
    share = _WORDING / np.sqrt(np.maximum(np.bincount(line, minlength=n), 1))
    place = np.concatenate([*kinds, _two(word.astype(np.uint64), salt.take(line))])
    return (
        np.concatenate([np.tile(np.arange(n), len(kinds)), line]),
        (place >> np.uint64(64 - bits)).astype(np.intp),
        np.concatenate([np.ones(n * len(kinds)), share.take(line)]),
    )


def _kinds(batch: Batch, known: npt.NDArray[np.bool_]) -> Iterator[UInts]:
    """Yield what lines of a site have in common, one array a kind."""
    text, letters, shapes = batch.text, batch.letters, batch.shapes
    size = np.minimum(log_count(batch.words) * 1.5, 7).astype(np.uint64)
    section, following = _nearest(letters, known, *text.bounds)
    yield letters
    yield shapes
    yield _two(shifted(letters, -1, text, _NONE), shapes)
    yield _two(shifted(letters, 1, text, _NONE), shapes)
    around = _two(shapes, shifted(shapes, -1, text, _NONE))
    yield _two(around, shifted(shapes, 1, text, _NONE))
    yield from _edges(batch)
    yield section
    yield following
    yield _two(section, size)


def _nearest(
    letters: UInts, known: npt.NDArray[np.bool_], start: Ints, stop: Ints
) -> tuple[UInts, UInts]:
    """Return the letters of the nearest known line before each line, and after it."""
    at, n = np.arange(len(letters)), len(letters)
    before = np.append(-1, np.maximum.accumulate(np.where(known, at, -1)))[:-1]
    after = np.append(np.minimum.accumulate(np.where(known, at, n)[::-1])[::-1], n)[1:]
    padded = np.append(letters, _BORDER)
    return padded[np.where(before < start, n, before)], padded[np.where(after < stop, after, n)]


def _edges(batch: Batch) -> Iterator[UInts]:
    """Yield the first token of each line and the last one."""
    start, stop = batch.tokens.line_start[:-1], batch.tokens.line_start[1:]
    padded = np.append(batch.tokens.hash, _NONE)
    some = stop > start
    yield np.where(some, padded[start], _NONE)
    yield np.where(some, padded[stop - 1], _NONE)


def _two(first: UInts, second: UInts) -> UInts:
    return finalize(finalize(first) + second)


def _salts(site: Ints) -> UInts:
    return finalize((site + 1).astype(np.uint64) * _SITE)


@dataclass(frozen=True, eq=False)
class Correction:
    """Learned weights, and how to tell the pages that they are for; see ``training.teach``.

    Attributes
    ----------
    weights : ndarray of float32, shape (2**bits,)
        Changes of the log odds, at the places that :func:`site_terms` gives.
    lines : ndarray of uint64, shape (n,)
        The lines that each site repeats, as :func:`site_lines` hashes them, in rising order.
    pairs : ndarray of uint64, shape (m,)
        Pairs of lines of one of the sites, in rising order.
    sites : ndarray of uint16, shape (m,)
        The number of each pair's site.
    """

    weights: npt.NDArray[np.float32]
    lines: UInts
    pairs: UInts
    sites: npt.NDArray[np.uint16]

    def found(self, batch: Batch) -> tuple[Ints, Doubles]:
        """Return the taught site of each page, and how surely it is one of it.

        Parameters
        ----------
        batch : Batch

        Returns
        -------
        site : ndarray of intp, shape (n_pages,)
        trust : ndarray of float64, shape (n_pages,)
            0 up to `STRANGE` pairs of lines in common, 1 from `SURE` on.
        """
        pairs = line_pairs(batch)
        hits = np.flatnonzero(_within(pairs, self.pairs) & (pairs != _NONE))
        place = self.pairs.searchsorted(pairs[hits])
        distinct = np.unique(batch.text.page[hits] * max(len(self.pairs), 1) + place)
        page, place = np.divmod(distinct, max(len(self.pairs), 1))
        n_sites = int(self.sites.max(initial=0)) + 1
        count = np.bincount(
            page * n_sites + self.sites[place], minlength=batch.text.n_pages * n_sites
        ).reshape(batch.text.n_pages, n_sites)
        most = count.max(axis=1, initial=0)
        return count.argmax(axis=1), np.clip((most - STRANGE) / (SURE - STRANGE), 0.0, 1.0)

    def shifts(self, batch: Batch) -> Doubles:
        """Return by how much the log odds of each line move; 0 on pages of other sites.

        Parameters
        ----------
        batch : Batch

        Returns
        -------
        ndarray of float64, shape (n_lines,)
        """
        site, trust = self.found(batch)
        if not trust.any():
            return np.zeros(batch.text.n_lines)
        site, trust = site[batch.text.page], trust[batch.text.page]
        known = _within(site_lines(batch, site), self.lines)
        line, place, factor = site_terms(batch, site, known, len(self.weights).bit_length() - 1)
        total = np.bincount(line, factor * self.weights[place], minlength=len(site))
        shift: Doubles = trust * np.clip(total, -LIMIT, LIMIT)
        return shift

    def contributions(self, batch: Batch, line: int) -> list[Contribution]:
        """Return what the correction adds to the explanation of a line."""
        push = AGAIN * float(self.shifts(batch)[line])
        trust = float(self.found(batch)[1][batch.text.page[line]])
        return [Contribution(name, trust, push, "taught") for name in CORRECTION if trust]


def _within(values: UInts, known: UInts) -> npt.NDArray[np.bool_]:
    """Return which values are among known ones in rising order."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(known.searchsorted(values), len(known) - 1)
    return np.asarray(known[place] == values)
