"""The runs of tokens that two texts share, and the heaviest chain of such runs."""

from __future__ import annotations

import numpy as np

from training.numbering import Doubles, Ints

__all__ = ["MOST_COPIES", "WIDTH", "first_place", "heaviest_chain", "shared_runs"]

WIDTH = 4
"""Tokens of the shortest run that is looked for in the whole text."""

MOST_COPIES = 12
"""Places in the reference that are looked at, of those that are alike."""

_MOST_RUNS = 2000
"""Runs that are chained at once, the longest ones: the chain takes their number squared."""

_FAR_COST, _MOST_FAR_COST = 0.0005, 0.4
"""What a token between two runs of a chain costs, and all of them at most, in words."""


def _windows(dump: Ints, gold: Ints) -> tuple[Ints, Ints]:
    """Name the windows of :data:`WIDTH` tokens of both texts; equal windows have equal names.

    Names of pairs make names of pairs of pairs, as in the suffix arrays of Manber and Myers.
    """
    names = np.concatenate([dump, gold])
    names -= names.min()
    step = 1
    while step < WIDTH:
        pairs = names[:-step] * (int(names.max()) + 1) + names[step:]
        names = np.unique(pairs, return_inverse=True)[1]
        step *= 2
    return names[: max(0, len(dump) - WIDTH + 1)], names[len(dump) :]


def _first_copy(names: Ints, n_places: Ints) -> Ints:
    """Return the first of the :data:`MOST_COPIES` places to look at, for each window.

    Of many places those that come as far along as the window does among its own copies.
    """
    order = np.argsort(names, kind="stable")
    begin = np.searchsorted(names[order], names)
    n_copies = np.searchsorted(names[order], names, "right") - begin
    nth = np.empty_like(order)
    nth[order] = np.arange(len(order))
    return first_place(nth - begin, n_copies, n_places)


def first_place(nth: Ints, n_copies: Ints, n_places: Ints) -> Ints:
    """Return the first place to look at for the `nth` of some copies, if there are many places.

    Examples
    --------
    >>> first_place(np.array([0, 49, 99]), np.array(100), np.array(100)).tolist()
    [0, 43, 88]
    """
    middle = (2 * nth + 1) * n_places // (2 * n_copies)
    first: Ints = np.clip(middle - MOST_COPIES // 2, 0, np.maximum(n_places - MOST_COPIES, 0))
    return first


def shared_runs(dump: Ints, gold: Ints) -> Ints:
    """Return the maximal runs of at least :data:`WIDTH` tokens that two texts share.

    Parameters
    ----------
    dump, gold : ndarray of intp
        Token numbers.

    Returns
    -------
    ndarray of intp, shape (n_runs, 3)
        Where a run starts in `dump`, where in `gold`, and its length; by diagonal, then start.

    Examples
    --------
    >>> shared_runs(np.array([9, 1, 2, 3, 4, 5]), np.array([1, 2, 3, 4, 5, 6])).tolist()
    [[1, 0, 5]]
    """
    if len(dump) < WIDTH or len(gold) < WIDTH:
        return np.zeros((0, 3), dtype=np.intp)
    ours, theirs = _windows(dump, gold)
    order = np.argsort(theirs, kind="stable")
    ranked = theirs[order]
    low, high = np.searchsorted(ranked, ours), np.searchsorted(ranked, ours, "right")
    counts = np.minimum(high - low, MOST_COPIES)
    low += _first_copy(ours, high - low)
    here = np.repeat(np.arange(len(ours)), counts)
    nth = np.arange(len(here)) - np.repeat(np.cumsum(counts) - counts, counts)
    there = order[low[here] + nth]
    diagonal = there - here
    order = np.lexsort((here, diagonal))
    here, there, diagonal = here[order], there[order], diagonal[order]
    first = np.ones(len(here), dtype=bool)
    first[1:] = (np.diff(diagonal) != 0) | (np.diff(here) != 1)
    at = np.flatnonzero(first)
    length = np.diff(np.append(at, len(here))) + WIDTH - 1
    return np.column_stack([here[at], there[at], length])


def heaviest_chain(runs: Ints, weights: Doubles, bonus: float = 0.0, left: int = -2) -> Ints:
    """Return the runs of largest total weight that go forward in both texts.

    Runs may overlap by less than half; what overlaps is cut off the later one and does not count.
    Between chains of like weight the one whose runs lie close together in the dump is chosen.

    Parameters
    ----------
    runs : ndarray of intp, shape (n_runs, 3)
        As of :func:`shared_runs`, in any order.
    weights : ndarray of float64, shape (n_runs,)
    bonus : float
        Added for a run that follows the one before it in the reference without a gap.
    left : int
        Where the reference goes on before the first run, for its bonus.

    Returns
    -------
    ndarray of intp, shape (n_chosen, 4)
        Start in the dump, in the reference, and length of each piece, and the run that it is of.

    Examples
    --------
    >>> runs = np.array([[0, 7, 4], [5, 0, 9], [14, 20, 4]])
    >>> heaviest_chain(runs, np.array([4.0, 9.0, 4.0])).tolist()
    [[5, 0, 9, 1], [14, 20, 4, 2]]
    """
    if not len(runs):
        return np.zeros((0, 4), dtype=np.intp)
    kept = np.argsort(-runs[:, 2], kind="stable")[:_MOST_RUNS]
    kept = kept[np.lexsort((runs[kept, 1], runs[kept, 0]))]
    start, there, length = runs[kept].T
    weight = weights[kept]
    best = weight + bonus * (there - left <= 1)
    last, before, cut = _link(start, there, length, weight, best, bonus)
    pieces = []
    while last >= 0:
        shift = cut[last]
        pieces.append((start[last] + shift, there[last] + shift, length[last] - shift, kept[last]))
        last = int(before[last])
    return np.array(pieces[::-1], dtype=np.intp)


def _link(
    start: Ints, there: Ints, length: Ints, weight: Doubles, best: Doubles, bonus: float
) -> tuple[int, Ints, Ints]:
    """Return the last run of the heaviest chain, the run before each, and what is cut off each."""
    before = np.full(len(start), -1)
    cut = np.zeros(len(start), dtype=np.intp)
    stop, end = start + length, there + length
    for k in range(1, len(start)):
        gap = start[k] - stop[:k]
        jump = there[k] - end[:k]
        overlap = np.maximum(-np.minimum(gap, jump), 0)
        fits = (there[:k] < there[k]) & (start[:k] < start[k])
        fits &= 2 * overlap < np.minimum(length[:k], length[k])
        far = np.minimum(np.maximum(gap, 0) * _FAR_COST, _MOST_FAR_COST)
        total = np.where(fits, best[:k] - overlap - far + bonus * (jump <= 1), -np.inf)
        nearest = k - 1 - int(np.argmax(total[::-1]))
        if total[nearest] + weight[k] > best[k]:
            best[k], before[k] = total[nearest] + weight[k], nearest
            cut[k] = overlap[nearest]
    return int(np.argmax(best)), before, cut
