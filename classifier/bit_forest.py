"""Evaluation of boosted trees with NumPy alone, many lines at once, one bit a line.

A tree's leaves stand in a row, numbered from the left; each split is the boundary between two of
them and has a row of bits that says which lines end *beyond* it, in a leaf to its right:

    beyond = (begin AND right) OR end

`right` are the lines that the split's own comparison sends right, `begin` those that end at or
beyond the first leaf under the split, `end` those that end beyond the last. The latter two are
the `beyond` rows of splits higher up, so a level of all trees is one take and two operations. The
Gray code of a leaf's number changes one bit at each boundary: bit b is the XOR of the `beyond`
rows of the boundaries 1, 3, 5, ... times ``2**b``. The codes pick the leaves' values.

Trees in two steps are two such forests, the second for the lines that the first leaves in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .trees import Doubles, Floats, Ints, Trees

__all__ = ["BitForest"]

Words = npt.NDArray[np.uint64]

CHUNK_LINES = 1 << 14
"""Lines at once: many a call, so that its cost is small, and yet a few megabytes of bits."""

_BYTES = 1 << 24
"""Fewer lines at once where the bits of a forest's splits would take more: blocks above 32 MiB are
mapped anew every time, see :func:`classifier.features._keep_freed_memory`."""

_FEW = 512
"""Up to so many lines are compared with all thresholds at once."""

_SOME = 1 << 11
"""Up to so many lines are summed up over several trees at once."""

_GROUP = 64
"""Comparisons are packed into bits by about so many, while their bytes are in the cache."""


class BitForest:
    """Trees laid out for fast evaluation; it holds no state that a call changes.

    Parameters
    ----------
    trees : Trees
        Tables that passed `Trees.validate`.
    """

    def __init__(self, trees: Trees) -> None:
        self._bound = trees.bound
        trees, others = trees.in_steps()
        self._others = None if others is None else BitForest(others)
        levels = [nodes[trees.feature[nodes] >= 0] for nodes in trees.levels()]
        self._baseline = trees.baseline
        self._n_trees = len(trees.root)
        self._compile_comparisons(trees, np.concatenate(levels))
        self._compile_rows(trees, levels)
        self._chunk = min(CHUNK_LINES, (_BYTES // (8 * self._n_splits + 1) + 1) * 64)

    def _compile_comparisons(self, trees: Trees, splits: Ints) -> None:
        """List each comparison of a feature with a threshold once."""
        feature, threshold = trees.feature[splits], trees.threshold[splits]
        order = np.lexsort((threshold, feature))
        feature, threshold = feature[order], threshold[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (feature[1:] != feature[:-1]) | (threshold[1:] != threshold[:-1])
        self._feature = feature[new].astype(np.intp)
        self._threshold = threshold[new][:, None]
        bounds = np.flatnonzero(np.diff(self._feature, prepend=-1, append=-1)).tolist()
        self._of_feature = [
            (int(self._feature[start]), slice(start, stop)) for start, stop in pairwise(bounds)
        ]
        self._most = max((part.stop - part.start for _, part in self._of_feature), default=0)
        self._comparison = np.empty(len(order), dtype=np.intp)
        self._comparison[order] = np.cumsum(new) - 1
        self._left_if_missing = bool(trees.missing_left[splits].all())
        twin = len(self._feature) * ~trees.missing_left[splits]
        self._comparison_if_missing = self._comparison + twin

    def _compile_rows(self, trees: Trees, levels: list[Ints]) -> None:
        """Say where the rows of each level's splits come from, and place the leaves."""
        leaves = trees.sum_below(np.ones(len(trees.feature), dtype=np.intp))
        n_bits = max(1, int(leaves[trees.root].max() - 1).bit_length())
        self._n_splits = n_splits = sum(map(len, levels))
        # two constant rows stand behind those of the splits: no line, and all lines
        end, begin = np.full((2, len(leaves)), [[n_splits], [n_splits + 1]])
        first = np.full(len(leaves), -1)  # place of the first leaf below a node of these trees
        first[trees.root] = np.arange(self._n_trees) << n_bits
        at_boundary = np.full(self._n_trees << n_bits, n_splits)
        self._levels: list[tuple[slice, Ints]] = []
        start = 0
        for splits in levels:
            stop = start + len(splits)
            self._levels.append((slice(start, stop), np.append(begin[splits], end[splits])))
            left, right, own = trees.left[splits], trees.right[splits], np.arange(start, stop)
            begin[left], end[left], first[left] = begin[splits], own, first[splits]
            begin[right], end[right], first[right] = own, end[splits], first[splits] + leaves[left]
            at_boundary[first[right]] = own
            start = stop
        leaf = (trees.feature < 0) & (first >= 0)
        self._compile_codes(at_boundary, first[leaf], trees.value[leaf], n_bits)

    def _compile_codes(self, at_boundary: Ints, place: Ints, value: Doubles, n_bits: int) -> None:
        """List the rows that flip each bit of the codes; put each value where its code points."""
        rows = at_boundary.reshape(self._n_trees, -1)
        flips = [rows[:, 1 << bit :: 2 << bit].T for bit in reversed(range(n_bits))]
        self._flips = [np.ascontiguousarray(flip) for flip in flips]
        self._offset = np.arange(self._n_trees)[:, None] << n_bits
        values = np.zeros(len(at_boundary))
        values[place ^ ((place & ((1 << n_bits) - 1)) >> 1)] = value
        self._values = values.reshape(self._n_trees, -1)

    def scores(self, *blocks: Floats) -> Doubles:
        """Return the raw score of each line: the baseline and its leaves, summed in tree order.

        Parameters
        ----------
        *blocks : ndarray of float32, shape (n_features, n_lines)
            The features, NaN where a value is missing; several blocks stand for one, in which
            their rows follow one another.

        Returns
        -------
        ndarray of float64, shape (n_lines,)
            Log odds. A line's score does not depend on the lines beside it, bit for bit.
        """
        n_lines = blocks[0].shape[1]
        scores = np.empty(n_lines)
        parts = 1 + max(n_lines - 1, 0) // self._chunk
        step = 64 * (1 + n_lines // (64 * parts))  # parts of about one size: a small one costs more
        for start in range(0, n_lines, step):
            stop = min(start + step, n_lines)
            beyond = self._beyond([block[:, start:stop] for block in blocks])
            scores[start:stop] = self._sums(self._codes(beyond))[: stop - start]
        if self._others:
            doubtful = np.flatnonzero(np.abs(scores) < self._bound)
            parts = (block.take(doubtful, axis=1) for block in blocks)
            scores[doubtful] += self._others.scores(*parts)
        return scores

    def _sums(self, codes: npt.NDArray[np.uint8]) -> Doubles:
        """Return the sums of the leaves' values, a few trees at once where lines are few."""
        total: Doubles = np.full(codes.shape[1], self._baseline)
        if codes.shape[1] > _SOME:
            for values, own in zip(self._values, codes, strict=True):
                total += values.take(own)
            return total
        step = max(1, CHUNK_LINES // codes.shape[1])
        for first in range(0, self._n_trees, step):
            place = slice(first, first + step)
            parts = self._values.take(codes[place] + self._offset[place])
            parts[0] += total
            # rows of at least 64 columns are added one upon the other, in the order of the trees
            total = parts.sum(axis=0)
        return total

    def _right(self, blocks: Sequence[Floats]) -> tuple[Words, Ints]:
        """Return rows of bits of lines, and which of them says what each split sends right."""
        # NaN is not above anything: it goes left here
        right = (self._few if blocks[0].shape[1] <= _FEW else self._many)(blocks)
        if self._left_if_missing or not any(np.isnan(x.min()) for x in blocks if x.size):
            return right, self._comparison
        missing = np.concatenate([np.isnan(block) for block in blocks])
        missing = np.pad(missing, ((0, 0), (0, -missing.shape[1] % 64)))
        right = np.concatenate([right, right | _packed(missing).take(self._feature, axis=0)])
        return right, self._comparison_if_missing

    def _few(self, blocks: Sequence[Floats]) -> Words:
        """Return the bits of the lines above each threshold, in one comparison."""
        values = np.concatenate(blocks).take(self._feature, axis=0)
        flags = np.zeros((len(values), (values.shape[1] + 63) // 64 * 64), dtype=bool)
        np.greater(values, self._threshold, out=flags[:, : values.shape[1]])
        return _packed(flags)

    def _many(self, blocks: Sequence[Floats]) -> Words:
        """Return the same by one comparison a feature, which copies no values."""
        rows = [row for block in blocks for row in block]
        size = len(rows[0])
        flags = np.zeros((_GROUP + self._most, (size + 63) // 64 * 64), dtype=bool)
        right = np.empty((len(self._feature), flags.shape[1] // 64), dtype=np.uint64)
        done = 0
        for feature, part in self._of_feature:
            own = flags[part.start - done : part.stop - done, :size]
            np.greater(rows[feature], self._threshold[part], out=own)
            if part.stop - done >= _GROUP or part.stop == len(right):
                right[done : part.stop] = _packed(flags[: part.stop - done])
                done = part.stop
        return right

    def _beyond(self, blocks: Sequence[Floats]) -> Words:
        """Return the bits of the lines that end beyond each split, and the constant rows."""
        right, place = self._right(blocks)
        beyond = np.empty((self._n_splits + 2, right.shape[1]), dtype=np.uint64)
        beyond[-2], beyond[-1] = 0, ~np.uint64(0)
        for rows, sources in self._levels:
            both = beyond.take(sources, axis=0)
            begin, end = both[: len(both) // 2], both[len(both) // 2 :]
            np.bitwise_and(begin, right.take(place[rows], axis=0), out=begin)
            np.bitwise_or(begin, end, out=beyond[rows])
        return beyond

    def _codes(self, beyond: Words) -> npt.NDArray[np.uint8]:
        """Return the code of each line's leaf in each tree, shape (n_trees, n_lines)."""
        shape = self._n_trees, 64 * beyond.shape[1]
        codes = np.zeros(shape[0] * shape[1] // 8, dtype=np.uint64)
        for flip in self._flips:
            plane = np.bitwise_xor.reduce(beyond.take(flip, axis=0), axis=0)
            bits = np.unpackbits(plane.view(np.uint8).ravel(), bitorder="little")
            np.left_shift(codes, np.uint64(1), out=codes)  # eight codes at once
            np.bitwise_or(codes, bits.view(np.uint64), out=codes)
        return codes.view(np.uint8).reshape(shape)


def _packed(flags: npt.NDArray[np.bool_]) -> Words:
    """Return one row of bits for each row of flags; their number is a multiple of 64."""
    bits = np.packbits(flags.ravel(), bitorder="little")
    return bits.view(np.uint64).reshape(len(flags), flags.shape[1] // 64)
