"""From places in a reference to a label for each line, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from training.numbering import Doubles, Ints, split_tokens
from training.placing import How, Placing

__all__ = ["Judge"]

_SURENESS = {How.NOT: 0.0, How.RUN: 1.0, How.LINE: 0.95, How.MOVED: 0.85, How.FUZZY: 0.7}
"""How much the way in which a token was placed says of its line."""

_CLEAR = 0.2
"""Share of a line's tokens, above or below what it needs, from which its label is clear."""

_SHORT = 7
"""Tokens of the longest line that is placed by itself, out of the order of the reference."""

_REACH = {1: 2, 2: 6, 3: 25}
"""How many lines from the content a line of so many words, or more, can be placed by itself."""

_COPY = 12
"""Tokens of the longest line whose copies between content lines are content too."""

_LONE = 3
"""Lines from other content beyond which a copy of a line nearer to content is the likelier one."""

_HEADLINE_REACH = 20
"""Lines above the content in which its headline is looked for."""

_TITLE_SHARE = 0.8
"""Share of a headline's tokens that stand in the title."""


class Judge:
    """The lines of a dump that have tokens, and what their places say of them.

    Attributes
    ----------
    lines : ndarray of intp, shape (n,)
        The physical lines.
    start, size : ndarray of intp, shape (n,)
        First token of each, and number of tokens.
    content : ndarray of bool, shape (n,)
    confidence : ndarray of float64, shape (n,)
        Of `content` or its opposite, from 0.5 to 1.
    """

    def __init__(self, placing: Placing) -> None:
        starts = placing.dump.starts
        self.placing = placing
        self.lines = np.flatnonzero(np.diff(starts))
        self.start, self.size = starts[self.lines], np.diff(starts)[self.lines]
        covered = self._covered
        need = np.select([self.size >= 8, self.size >= 4], [0.5, 0.6], 0.99)
        self.content = covered >= need
        margin = np.where(self.size >= 4, np.minimum(np.abs(covered - need) / _CLEAR, 1), 1)
        sureness = np.array([_SURENESS[how] for how in How])[placing.how]
        sure = self._sums(sureness) / np.maximum(self._sums(placing.place >= 0), 1)
        self.confidence = 0.5 + margin * np.where(self.content, sure, 1) / 2

    def _sums(self, values: npt.NDArray[np.generic]) -> Doubles:
        sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        total: Doubles = sums[self.start + self.size] - sums[self.start]
        return total

    @cached_property
    def _covered(self) -> Doubles:
        """Share of each line's tokens that have a place."""
        placed, numeric = self.placing.place >= 0, self.placing.dump.numeric
        covered = self._sums(placed) / self.size
        # "3.2 Results": the page counts what the reference does not
        counted = (self._sums(placed | numeric) == self.size) & (self._sums(placed & ~numeric) > 0)
        covered[counted & (self.size <= _SHORT)] = 1
        return covered

    def _key(self, k: int) -> tuple[int, ...]:
        return tuple(self.placing.ours[self.start[k] : self.start[k] + self.size[k]])

    def distance(self) -> Ints:
        """Return how many lines each line is away from content other than itself."""
        at, edge = np.flatnonzero(self.content), 1 << 30
        padded = np.concatenate([[-edge], at, [edge]])
        k = np.arange(len(self.lines))
        before = padded[np.searchsorted(at, k)]
        behind = padded[np.searchsorted(at, k, "right") + 1]
        nearest: Ints = np.minimum(k - before, behind - k)
        return nearest

    def place_moved_lines(self) -> None:
        """Label short lines that are, whole, lines of the reference without a place yet.

        A block that was moved can be shorter than the runs that are looked for everywhere. Nearest
        to the content first.
        """
        free = _free_lines(self.placing)
        if not free:
            return
        away = self.distance()
        weight = self._sums(self.placing.dump.weights)
        found = []
        for k in np.flatnonzero(~self.content & (self.size <= _SHORT)).tolist():
            reach = _REACH[max(1, min(3, round(weight[k])))]
            if away[k] <= reach and self._key(k) in free:
                found.append((int(away[k]), k))
        for far, k in sorted(found):
            places = free[self._key(k)]
            if places:
                self.placing.put(int(self.start[k]), places.pop(), int(self.size[k]), How.MOVED)
                self.content[k] = True
                self.confidence[k] = 0.9 - 0.2 * far / 25

    def settle_copies(self) -> None:
        """Move labels from lone lines to copies of them that stand next to content.

        The name of a chapter is also in the table of contents, that of a product in a teaser.
        What remains is less sure: of equal lines some are content and some are not.
        """
        copies: dict[tuple[int, ...], list[int]] = {}
        for k in range(len(self.lines)):
            copies.setdefault(self._key(k), []).append(k)
        mixed = [group for group in copies.values() if len(set(self.content[group])) == 2]
        away = self.distance()
        for group in mixed:
            lone = [k for k in group if self.content[k] and away[k] > _LONE]
            near = [k for k in group if not self.content[k] and away[k] == 1]
            for k, copy in zip(lone, near, strict=False):
                self.content[[k, copy]] = [False, True]
        away = self.distance()
        for group in mixed:
            fits = (away[group] == 1) == self.content[group]
            self.confidence[group] = np.minimum(self.confidence[group], np.where(fits, 0.9, 0.65))

    def keep_copies(self) -> None:
        """Label copies of content lines that stand between content lines.

        Gold texts tell what comes again and again ("Read more", a label of a table) only once. Of
        a long line that comes again the reference does not say whether it is wanted twice.
        """
        known = {self._key(k) for k in np.flatnonzero(self.content).tolist()}
        inside = np.zeros(len(self.lines), dtype=bool)
        inside[1:-1] = self.content[:-2] & self.content[2:]
        for k in np.flatnonzero(inside & ~self.content).tolist():
            if self._key(k) in known:
                self.content[k] = self.size[k] <= _COPY
                self.confidence[k] = 0.8 if self.content[k] else 0.5

    def headline(self, lines: Sequence[str], title: str | None) -> int | None:
        """Return the physical line of the headline, if it stands above the content without a place.

        It is the line that shares most with the title; of such lines the last.

        Parameters
        ----------
        lines : sequence of str
            All physical lines.
        title : str, optional
            By default the first line that has tokens.
        """
        at = np.flatnonzero(self.content)
        if not len(at):
            return None
        words = set(split_tokens(lines[self.lines[0]] if title is None else title))
        first = max(1 if title is None else 0, int(at[0]) - _HEADLINE_REACH)
        best, found = 0, None
        for k in range(first, int(at[0]) + 1):
            tokens = split_tokens(lines[self.lines[k]])
            shared = sum(token in words for token in tokens)
            if shared > 1 and shared >= _TITLE_SHARE * len(tokens) and shared >= best:
                best, found = shared, k
        return None if found is None or self.content[found] else int(self.lines[found])


def _free_lines(placing: Placing) -> dict[tuple[int, ...], list[int]]:
    """Return where short lines of the reference start of which no token is used."""
    starts = placing.gold.starts
    used = np.concatenate([[0], np.cumsum(placing.used)])
    size = np.diff(starts)
    open_ = (used[starts[1:]] == used[starts[:-1]]) & (size > 0) & (size <= _SHORT)
    free: dict[tuple[int, ...], list[int]] = {}
    for start, length in zip(starts[:-1][open_].tolist(), size[open_].tolist(), strict=True):
        free.setdefault(tuple(placing.theirs[start : start + length]), []).append(start)
    return free
