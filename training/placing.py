"""Places of a dump's tokens in a reference: long runs first, then what stands between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import LCSseq

from training.matching import (
    MOST_COPIES,
    WIDTH,
    first_place,
    heaviest_chain,
    shared_runs,
)
from training.numbering import Doubles, Ints, Tokens

__all__ = ["How", "Placing", "place_tokens"]

_LONG = 10
"""Tokens of a run that counts whatever its tokens weigh."""

_SHORT_LINE = 14
"""Tokens of a line up to which it is looked for as a whole."""

_NEAR = 60
"""Tokens between a short line and a long run that it can belong to."""


_FAR = 1000
"""Distance in tokens from a long run that isn't there."""

_MOST_CELLS = 1 << 28
"""Pairs of tokens of a common subsequence; it takes so many bits of memory."""


class Gap(NamedTuple):
    """A part of the dump, from `begin` to `stop`, and one of the reference, `there` to `end`."""

    begin: int
    stop: int
    there: int
    end: int


class How(IntEnum):
    """How a token got its place, the surest first."""

    NOT = 0
    RUN = 1
    LINE = 2
    MOVED = 3
    FUZZY = 4


class Placing:
    """The places found so far; each token of the reference is used once.

    Attributes
    ----------
    dump, gold : Tokens
    place : ndarray of intp, shape (n_dump_tokens,)
        Where a token stands in the reference, -1 if nowhere.
    how : ndarray of int8, shape (n_dump_tokens,)
        The :class:`How` of each token.
    used : ndarray of bool, shape (n_gold_tokens,)
    """

    def __init__(self, dump: Tokens, gold: Tokens) -> None:
        self.dump, self.gold = dump, gold
        self.place = np.full(len(dump), -1, dtype=np.intp)
        self.how = np.zeros(len(dump), dtype=np.int8)
        self.used = np.zeros(len(gold), dtype=bool)
        self.ours, self.theirs = dump.ids.tolist(), gold.ids.tolist()
        self.places: dict[int, list[int]] = {}
        for place, number in enumerate(self.theirs):
            self.places.setdefault(number, []).append(place)

    def free(self, start: int, there: int, length: int) -> Ints:
        """Return which tokens of a run are without a place, and their places unused."""
        open_ = (self.place[start : start + length] < 0) & ~self.used[there : there + length]
        return np.flatnonzero(open_)

    def put(self, start: int, there: int, length: int, how: How) -> None:
        """Give the tokens of a run their places, as far as they are free."""
        chosen = self.free(start, there, length)
        self.place[start + chosen] = there + chosen
        self.how[start + chosen] = how
        self.used[there + chosen] = True


def place_tokens(dump: Tokens, gold: Tokens) -> Placing:
    """Find the places of a dump's tokens in a reference.

    Runs of tokens that both share are chained so that they go forward in both texts. Between them
    short lines are placed as a whole, then what is left by a longest common subsequence. Runs
    outside of the chain are blocks that were moved; they get what is still free, longest first
    (the greedy tiling of Wise 1993).
    """
    placing = Placing(dump, gold)
    runs = shared_runs(dump.ids, gold.ids)
    mass = dump.mass[runs[:, 0] + runs[:, 2]] - dump.mass[runs[:, 0]]
    enough = (mass >= WIDTH - 0.1) | (runs[:, 2] >= _LONG)
    runs, mass = runs[enough], mass[enough]
    # The heading itself rather than a title that contains it: whole lines are worth a little.
    edges = dump.begins[runs[:, 0]] * 0.3 + dump.begins[runs[:, 0] + runs[:, 2]] * 0.3
    chain = heaviest_chain(runs, mass + edges)
    for start, there, length, _ in chain.tolist():
        placing.put(start, there, length, How.RUN)
    for gap in _gaps(chain, len(dump), len(gold)):
        _fill(placing, gap)
    outside = np.delete(runs, chain[:, 3], axis=0)
    for start, there, length in outside[np.argsort(-outside[:, 2], kind="stable")].tolist():
        n_free = len(placing.free(start, there, length))
        if n_free >= WIDTH and 2 * n_free >= length:
            placing.put(start, there, length, How.MOVED)
    return placing


def _gaps(chain: Ints, n_dump: int, n_gold: int) -> Iterator[Gap]:
    """Yield what lies between the pieces of a chain."""
    start = there = 0
    for piece, place, length, *_ in [*chain.tolist(), (n_dump, n_gold, 0)]:
        if start < piece and there < place:
            yield Gap(start, piece, there, place)
        start, there = piece + length, place + length


def _fill(placing: Placing, gap: Gap) -> None:
    """Place the short lines of a gap, then the rest of it."""
    chosen = _whole_lines(placing, gap)
    for start, there, length in chosen.tolist():
        placing.put(start, there, length, How.LINE)
    pairs = []
    inside = chosen - np.array([gap.begin, gap.there, 0])
    for rest in _gaps(inside, gap.stop - gap.begin, gap.end - gap.there):
        ours = placing.ours[gap.begin + rest.begin : gap.begin + rest.stop]
        theirs = placing.theirs[gap.there + rest.there : gap.there + rest.end]
        if len(ours) * len(theirs) > _MOST_CELLS:
            continue
        for op in LCSseq.opcodes(ours, theirs):
            if op.tag == "equal":
                first, place = gap.begin + rest.begin, gap.there + rest.there
                both = zip(range(op.src_start, op.src_end), count(op.dest_start), strict=False)
                pairs += [(first + i, place + j) for i, j in both]
    _place_fuzzy(placing, pairs)


def _short_lines(placing: Placing, gap: Gap) -> dict[tuple[int, ...], list[int]]:
    """Return where each short line of a gap starts, with copies of it.

    A line with a number before it ("3.2 Results") is also looked for without: it may be one that
    the page counts by itself.
    """
    dump = placing.dump
    first, last = np.searchsorted(dump.starts, [gap.begin, gap.stop + 1])
    found: dict[tuple[int, ...], list[int]] = {}
    for start, behind in pairwise(dump.starts[first:last].tolist()):
        if 0 < behind - start <= _SHORT_LINE:
            words = start
            while words < behind - 1 and dump.numeric[words]:
                words += 1
            for low in {start, words}:
                line = tuple(placing.ours[low:behind])
                if min(line) >= 0:
                    found.setdefault(line, []).append(low)
    return found


def _copies(placing: Placing, gap: Gap) -> Ints:
    """Return where the short lines of a gap stand in the reference, whole."""
    found = []
    for line, starts in _short_lines(placing, gap).items():
        size = len(line)
        rarest = min(range(size), key=lambda k: len(placing.places[line[k]]))
        spots = placing.places[line[rarest]]
        low = bisect_left(spots, gap.there + rarest)
        high = bisect_right(spots, gap.end - size + rarest)
        firsts = [spot - rarest for spot in spots[low:high]]
        firsts = [place for place in firsts if tuple(placing.theirs[place : place + size]) == line]
        if firsts:
            nth = np.arange(len(starts))
            look = first_place(nth, np.array(len(starts)), np.array(len(firsts))).tolist()
            for start, at in zip(starts, look, strict=True):
                found += [(start, place, size) for place in firsts[at : at + MOST_COPIES]]
    return np.array(found, dtype=np.intp).reshape(-1, 3)


def _whole_lines(placing: Placing, gap: Gap) -> Ints:
    """Return the pieces, start here, there, and length, that are short lines of a gap."""
    found = _copies(placing, gap)
    if not len(found):
        return found
    weight = _weights(placing, gap, found)
    chain = heaviest_chain(found, weight, bonus=0.6, left=gap.there)
    apart = chain[1:, 1] - chain[:-1, 1] - chain[:-1, 2] > 1
    groups = np.split(chain, np.flatnonzero(apart) + 1)
    kept = [x for x in groups if _belongs(placing, gap, x, float(weight[x[:, 3]].sum()))]
    return np.concatenate([found[:0], *(group[:, :3] for group in kept)])


def _weights(placing: Placing, gap: Gap, found: Ints) -> Doubles:
    """Weigh copies of lines: more if they are whole lines there, less far from the gap's ends."""
    start, place, length = found.T
    mass, begins = placing.dump.mass, placing.gold.begins
    whole = 0.5 * begins[place] + 0.5 * begins[place + length]
    after = start - gap.begin if gap.there else np.full_like(start, _FAR)
    ahead = gap.stop - start - length if gap.end < len(placing.gold) else np.full_like(start, _FAR)
    far = np.minimum(after, ahead)
    weights: Doubles = mass[start + length] - mass[start] + whole - np.minimum(far * 0.002, 0.4)
    return weights


def _belongs(placing: Placing, gap: Gap, group: Ints, weight: float) -> bool:
    """Return whether lines that follow each other in the reference are there by more than chance.

    They are if they are whole lines there, go on where a long run next to them ends, or weigh
    enough.
    """
    begins = placing.gold.begins
    first, there = group[0, :2].tolist()
    last, end = (group[-1, :2] + group[-1, 2]).tolist()
    edges = int(begins[there]) + int(begins[end])
    goes_on = gap.there and there - gap.there <= 1 and first - gap.begin <= _NEAR
    leads_on = gap.end < len(placing.gold) and gap.end - end <= 1 and gap.stop - last <= _NEAR
    return bool(edges == 2 or goes_on or leads_on or weight >= (3 if edges else 4.5))


def _place_fuzzy(placing: Placing, pairs: list[tuple[int, int]]) -> None:
    """Keep what a common subsequence found on lines that it, and what was known, cover densely."""
    line_of, starts = placing.dump.line_of, placing.dump.starts
    by_line: dict[int, list[tuple[int, int]]] = {}
    for start, place in pairs:
        by_line.setdefault(int(line_of[start]), []).append((start, place))
    for line, found in by_line.items():
        known = placing.place[starts[line] : starts[line + 1]]
        known = known[known >= 0]
        places = [place for _, place in found] + known.tolist()
        if _dense(placing, int(starts[line + 1] - starts[line]), places, known.size > 0):
            for start, place in found:
                placing.put(start, place, 1, How.FUZZY)


def _dense(placing: Placing, size: int, places: list[int], known: bool) -> bool:
    """Return whether places of a line's tokens are many enough, and close together."""
    covered = len(places) / size
    first, last = min(places), max(places)
    if known:
        return covered >= 0.4
    if size >= 5:
        return covered >= 0.7 and last - first + 1 <= 1.6 * size + 2
    whole = placing.gold.begins[first] and placing.gold.begins[last + 1]
    return bool(covered >= 0.66 and size >= 3 and last - first <= size and whole)
