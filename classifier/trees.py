"""Node tables of boosted trees, and their evaluation with NumPy alone.

`BitForest` takes many lines at once, one bit a line. A tree's leaves stand in a row, numbered from
the left; each split is the boundary between two of them and has a row of bits that says which
lines end *beyond* it, in a leaf to its right:

    beyond = (begin AND right) OR end

`right` are the lines that the split's own comparison sends right, `begin` those that end at or
beyond the first leaf under the split, `end` those that end beyond the last. The latter two are
the `beyond` rows of splits higher up, so a level of all trees is one take and two operations. The
Gray code of a leaf's number changes one bit at each boundary: bit b is the XOR of the `beyond`
rows of the boundaries 1, 3, 5, ... times ``2**b``. The codes pick the leaves' values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BitForest", "Trees"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]

MAX_NODES, MAX_TREES, MAX_LEAVES, MAX_DEPTH = 1 << 20, 10_000, 256, 128
"""Bounds on what is evaluated; the leaves are those of one tree, whose codes are bytes."""

CHUNK_LINES = 1 << 10
"""Lines at once: many a call, yet in the cache."""

_DTYPES = {
    "feature": np.int32,
    "threshold": np.float32,
    "missing_left": np.bool_,
    "left": np.int32,
    "right": np.int32,
    "value": np.float64,
    "root": np.int32,
}


@dataclass(frozen=True, eq=False)
class Trees:
    """Node tables of all trees of a boosted model, one tree after the other.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        Row of the feature matrix that a split looks at; -1 at leaves.
    threshold : ndarray of float32, shape (n_nodes,)
        Values up to it go left; infinity sends every value left, and NaN as `missing_left` says.
    missing_left : ndarray of bool, shape (n_nodes,)
        Whether a line goes left where its value is NaN.
    left, right : ndarray of int32, shape (n_nodes,)
        Children, always further down the table; -1 at leaves.
    value : ndarray of float64, shape (n_nodes,)
        What a leaf adds to the score; at splits the mean below, which only explains scores.
    root : ndarray of int32, shape (n_trees,)
        Root of each tree.
    baseline : float
        Score before the first tree.
    """

    feature: npt.NDArray[np.int32]
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: Doubles
    root: npt.NDArray[np.int32]
    baseline: float

    def to_arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """Return the tables as named rows, to be saved; the inverse of `from_arrays`."""
        tables = {prefix + name: getattr(self, name) for name in _DTYPES}
        return {**tables, f"{prefix}baseline": np.array([self.baseline])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str = "") -> Trees:
        """Take the tables out of named rows; `validate` says whether they hold.

        Raises
        ------
        ValueError
            If a row is missing or the baseline is not one float64.
        """
        for name in (*_DTYPES, "baseline"):
            if prefix + name not in arrays:
                raise ValueError(f"expected an array {prefix}{name}; found none")
        tables: dict[str, Any] = {name: arrays[prefix + name] for name in _DTYPES}
        baseline = arrays[prefix + "baseline"]
        if baseline.shape != (1,) or baseline.dtype != np.float64:
            raise ValueError(f"expected one float64 in {prefix}baseline")
        return cls(**tables, baseline=float(baseline[0]))

    def validate(self, n_features: int) -> None:
        """Check that the tables are trees over `n_features` features, small enough to evaluate.

        Raises
        ------
        ValueError
            Says in one sentence what does not hold.
        """
        self._check_shapes()
        split = self.feature >= 0
        self._check_numbers(split, n_features)
        self._check_links(split)
        if (most := int(self.sum_below(np.ones(len(split), int))[self.root].max())) > MAX_LEAVES:
            raise ValueError(f"expected trees of at most {MAX_LEAVES} leaves; found {most}")

    def _check_shapes(self) -> None:
        for name, dtype in _DTYPES.items():
            table = getattr(self, name)
            if table.dtype != dtype or table.ndim != 1:
                found = f"{table.dtype} of shape {table.shape}"
                raise ValueError(f"expected {name} as a row of {np.dtype(dtype)}; found {found}")
            if name != "root" and len(table) != len(self.feature):
                raise ValueError(f"expected {len(self.feature)} nodes in {name}, not {len(table)}")
        if not 1 <= len(self.root) <= MAX_TREES or len(self.feature) > MAX_NODES:
            raise ValueError(f"expected 1 to {MAX_TREES} trees of at most {MAX_NODES} nodes in all")

    def _check_numbers(self, split: npt.NDArray[np.bool_], n_features: int) -> None:
        if not (np.isfinite(self.value).all() and np.isfinite(self.baseline)):
            raise ValueError("expected finite values and a finite baseline")
        if np.isnan(self.threshold).any():
            raise ValueError("expected thresholds that are numbers; found NaN")
        if (self.feature < -1).any() or (self.feature >= n_features).any():
            raise ValueError(f"expected features from 0 to {n_features - 1}, and -1 at leaves")
        if ((self.left != -1) | (self.right != -1))[~split].any():
            raise ValueError("expected no children (-1) at leaves")

    def _check_links(self, split: npt.NDArray[np.bool_]) -> None:
        """Check that each node has one parent or is one root; no loop can then exist."""
        n_nodes = len(self.feature)
        at = np.flatnonzero(split)
        for name, child in (("left", self.left[split]), ("right", self.right[split])):
            if ((child <= at) | (child >= n_nodes)).any():
                raise ValueError(f"expected every {name} child further down the table")
        if (self.root < 0).any() or (self.root >= n_nodes).any():
            raise ValueError("expected the roots inside the table")
        named = np.concatenate([self.root, self.left[split], self.right[split]])
        if (np.bincount(named, minlength=n_nodes) != 1).any():
            raise ValueError("expected every node to be a root or to have one parent")

    def levels(self) -> list[Ints]:
        """Return the nodes of all trees by their depth, the roots first."""
        levels: list[Ints] = []
        nodes = self.root.astype(np.intp)
        while len(nodes):
            if len(levels) > MAX_DEPTH:
                raise ValueError(f"expected trees of at most {MAX_DEPTH} levels of splits")
            levels.append(nodes)
            splits = nodes[self.feature[nodes] >= 0]
            nodes = np.concatenate([self.left[splits], self.right[splits]]).astype(np.intp)
        return levels

    def sum_below(self, amount: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return at every node the sum over the leaves below it (at a leaf, its own)."""
        total = np.where(self.feature < 0, amount, 0)
        for nodes in reversed(self.levels()):
            splits = nodes[self.feature[nodes] >= 0]
            total[splits] = total[self.left[splits]] + total[self.right[splits]]
        return total


class BitForest:
    """Trees laid out for fast evaluation; it holds no state that a call changes.

    Parameters
    ----------
    trees : Trees
        Tables that passed `Trees.validate`.
    """

    def __init__(self, trees: Trees) -> None:
        levels = [nodes[trees.feature[nodes] >= 0] for nodes in trees.levels()]
        self._baseline = trees.baseline
        self._n_trees = len(trees.root)
        self._compile_comparisons(trees, np.concatenate(levels))
        self._compile_rows(trees, levels)

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
        self._comparison = np.empty(len(order), dtype=np.intp)
        self._comparison[order] = np.cumsum(new) - 1
        twin = len(self._feature) * ~trees.missing_left[splits]
        self._comparison_if_missing = self._comparison + twin

    def _compile_rows(self, trees: Trees, levels: list[Ints]) -> None:
        """Say where the rows of each level's splits come from, and place the leaves."""
        leaves = trees.sum_below(np.ones(len(trees.feature), dtype=np.intp))
        n_bits = max(1, int(leaves[trees.root].max() - 1).bit_length())
        self._n_splits = n_splits = sum(map(len, levels))
        # two constant rows stand behind those of the splits: no line, and all lines
        end, begin = np.full((2, len(leaves)), [[n_splits], [n_splits + 1]])
        first = np.zeros(len(leaves), dtype=np.intp)  # place of the first leaf below a node
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
        leaf = trees.feature < 0
        self._compile_codes(at_boundary, first[leaf], trees.value[leaf], n_bits)

    def _compile_codes(self, at_boundary: Ints, place: Ints, value: Doubles, n_bits: int) -> None:
        """List the rows that flip each bit of the codes; put each value where its code points."""
        rows = at_boundary.reshape(self._n_trees, -1)
        flips = [rows[:, 1 << bit :: 2 << bit].T for bit in reversed(range(n_bits))]
        self._flips = [np.ascontiguousarray(flip) for flip in flips]
        self._offset = np.arange(self._n_trees)[:, None] << n_bits
        self._values = np.zeros(len(at_boundary))
        self._values[place ^ ((place & ((1 << n_bits) - 1)) >> 1)] = value

    def scores(self, matrix: Floats) -> Doubles:
        """Return the raw score of each line: the baseline and its leaves, summed in tree order.

        Parameters
        ----------
        matrix : ndarray of float32, shape (n_features, n_lines)
            NaN where a value is missing.

        Returns
        -------
        ndarray of float64, shape (n_lines,)
            Log odds. A line's score does not depend on the lines beside it, bit for bit.
        """
        n_features, n_lines = matrix.shape
        scores = np.empty(n_lines)
        for start in range(0, n_lines, CHUNK_LINES):
            stop = min(start + CHUNK_LINES, n_lines)
            block = np.zeros((n_features, (stop - start + 63) // 64 * 64), dtype=np.float32)
            block[:, : stop - start] = matrix[:, start:stop]
            parts = self._values.take(self._codes(self._beyond(block)) + self._offset)
            parts[0] += self._baseline
            # rows of at least 64 columns are added one upon the other, in the order of the trees
            scores[start:stop] = parts.sum(axis=0)[: stop - start]
        return scores

    def _right(self, block: Floats) -> Words:
        """Return the bits of the lines that each split sends right, for every split."""
        beyond = np.empty((len(self._feature), block.shape[1]), dtype=bool)
        for feature, part in self._of_feature:
            # NaN is not above anything: it goes left here
            np.greater(block[feature], self._threshold[part], out=beyond[part])
        right = _packed(beyond)
        if not (missing := np.isnan(block)).any():
            return right.take(self._comparison, axis=0)
        right = np.concatenate([right, right | _packed(missing).take(self._feature, axis=0)])
        return right.take(self._comparison_if_missing, axis=0)

    def _beyond(self, block: Floats) -> Words:
        """Return the bits of the lines that end beyond each split, and the constant rows."""
        right = self._right(block)
        beyond = np.empty((self._n_splits + 2, right.shape[1]), dtype=np.uint64)
        beyond[-2], beyond[-1] = 0, ~np.uint64(0)
        for rows, sources in self._levels:
            both = beyond.take(sources, axis=0)
            begin, end = both[: len(both) // 2], both[len(both) // 2 :]
            np.bitwise_and(begin, right[rows], out=begin)
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
