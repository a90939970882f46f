"""Pages of different sites with nearly the same content: what would leak over site boundaries.

Pages are compared as sets of shingles, runs of five tokens (Broder 1997, "On the resemblance and
containment of documents"). MinHash signatures, cut into bands, find the pairs that are worth
comparing (Leskovec, Rajaraman and Ullman, "Mining of massive datasets", chapter 3), so that some
thousands of pages take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from classifier.features import batches
from classifier.hashing import UInts, finalize, powers
from classifier.tokens import lay_out, tokenize

__all__ = ["near_duplicates", "shingles"]

SIZE = 5
"""Tokens of a shingle."""

FEWEST = 20
"""A page with fewer shingles says too little to be compared."""

_BANDS, _ROWS = 20, 3  # a pair of resemblance 0.5 shares a band with probability 0.93, 0.7 1.00
_CROWD = 40
_BASE = 0xD6E8FEB86659FD93


def shingles(pages: Sequence[Sequence[str]]) -> list[UInts]:
    """Return the distinct hashed shingles of each page.

    Parameters
    ----------
    pages : sequence of sequences of str
        Lines of each page.

    Returns
    -------
    list of ndarray of uint64
        Sorted; empty for a page of fewer than five tokens.

    Examples
    --------
    >>> one, two = shingles([["The old bridge is shut", "today"], ["the OLD bridge is shut"]])
    >>> len(one), len(two), len(np.intersect1d(one, two))
    (2, 1, 1)
    """
    found: list[UInts] = []
    for group in batches(pages):
        text = lay_out([pages[index] for index in group])
        tokens = tokenize(text)
        bounds = text.page.take(tokens.line).searchsorted(np.arange(text.n_pages + 1))
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            found.append(_shingles(tokens.hash[start:stop]))
    return found


def _shingles(words: UInts) -> UInts:
    if len(words) < SIZE:
        return np.empty(0, dtype=np.uint64)
    runs = np.lib.stride_tricks.sliding_window_view(words, SIZE)
    return np.unique(finalize((runs * powers(_BASE, SIZE)).sum(axis=1, dtype=np.uint64)))


def near_duplicates(
    pages: Sequence[Sequence[str]], sites: Sequence[str], resemblance: float = 0.5
) -> list[tuple[int, int, float]]:
    """Return the pairs of pages of different sites that share most of their shingles.

    Parameters
    ----------
    pages : sequence of sequences of str
        Lines of each page.
    sites : sequence of str
        Site of each page.
    resemblance : float
        Jaccard coefficient of the shingles from which on a pair is told.

    Returns
    -------
    list of (int, int, float)
        Indices of both pages and their resemblance, in order. Of a crowd of more than 40 pages
        that are alike, the first one's pairs only.
    """
    sets = shingles(pages)
    kept = np.array([i for i, own in enumerate(sets) if len(own) >= FEWEST], dtype=np.intp)
    if not len(kept):
        return []
    signatures = np.stack([_signature(sets[i]) for i in kept.tolist()])
    pairs = {
        (int(kept[a]), int(kept[b]))
        for a, b in _candidates(signatures)
        if sites[kept[a]] != sites[kept[b]]
    }
    compared = [(a, b, _resemblance(sets[a], sets[b])) for a, b in sorted(pairs)]
    return [pair for pair in compared if pair[2] >= resemblance]


def _signature(own: UInts) -> UInts:
    seeds = powers(_BASE, _BANDS * _ROWS)
    lowest: UInts = finalize(own[:, None] ^ seeds).min(axis=0)
    return lowest


def _candidates(signatures: UInts) -> Iterator[tuple[int, int]]:
    for band in range(_BANDS):
        rows = signatures[:, band * _ROWS : (band + 1) * _ROWS]
        key = (rows * powers(_BASE, _ROWS)).sum(axis=1, dtype=np.uint64)
        order = np.argsort(key, kind="stable")
        for crowd in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
            members = crowd.tolist()
            if len(members) <= _CROWD:
                yield from combinations(members, 2)
            else:
                yield from ((members[0], other) for other in members[1:])


def _resemblance(one: UInts, two: UInts) -> float:
    both = len(np.intersect1d(one, two, assume_unique=True))
    return both / (len(one) + len(two) - both)
