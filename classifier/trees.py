"""Node tables of a boosted model, and their evaluation with NumPy alone.

The evaluation is a "bit forest": one bit a line, one row of 64-bit words a node. Every distinct
condition ``feature <= threshold`` is decided once for all lines of a chunk and packed into bits;
then a whole level of all trees is a gather, an AND and an XOR. The index of the leaf that a line
ends in comes out of OR-ed bit planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BitForest", "Trees"]

Ints = npt.NDArray[np.intp]
Words = npt.NDArray[np.uint64]
Doubles = npt.NDArray[np.float64]

_CHUNK = 256
_MAX_NODES = 1 << 20
_MAX_DEPTH = 64
_FIELDS = {
    "feature": np.int32,
    "threshold": np.float32,
    "missing_left": np.bool_,
    "left": np.int32,
    "right": np.int32,
    "value": np.float64,
}


@dataclass(frozen=True, eq=False)
class Trees:
    """All nodes of all trees, in plain arrays.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        Feature that a node splits on; -1 at leaves.
    threshold : ndarray of float32, shape (n_nodes,)
        Values up to it go left.
    missing_left : ndarray of bool, shape (n_nodes,)
        Whether NaN goes left.
    left, right : ndarray of int32, shape (n_nodes,)
        Children, behind their parent in the table; -1 at leaves.
    value : ndarray of float64, shape (n_nodes,)
        Score of a leaf; at other nodes the mean of the training lines below.
    root : ndarray of int32, shape (n_trees,)
        First node of each tree; a tree's nodes stand together.
    baseline : float
        Score before any tree.
    """

    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: Doubles
    root: npt.NDArray[np.int32]
    baseline: float

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Return the tables as arrays to be saved, each name behind `prefix`."""
        arrays = {f"{prefix}{name}": getattr(self, name) for name in (*_FIELDS, "root")}
        return {**arrays, f"{prefix}baseline": np.array([self.baseline])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]], prefix: str) -> Trees:
        """Return the tables out of saved arrays; check them by :meth:`validate`.

        Raises
        ------
        ValueError
            If an array is missing or not of its type.
        """
        found: dict[str, Any] = {}
        for name, kind in {**_FIELDS, "root": np.int32, "baseline": np.float64}.items():
            array = arrays.get(f"{prefix}{name}")
            if array is None:
                raise ValueError(f"expected an array {prefix}{name}, found none")
            if array.ndim != 1 or array.dtype != kind:
                raise ValueError(
                    f"expected {prefix}{name} to be one row of {np.dtype(kind)}, "
                    f"found {array.ndim} dimensions of {array.dtype}"
                )
            found[name] = array
        if len(found["baseline"]) != 1 or not np.isfinite(found["baseline"]).all():
            raise ValueError(f"expected {prefix}baseline to be one finite number")
        return cls(**{**found, "baseline": float(found["baseline"][0])})

    def validate(self, n_features: int) -> None:
        """Check that the tables are sound trees over so many features.

        Raises
        ------
        ValueError
            With the first thing that does not hold.
        """
        size = len(self.feature)
        if not 0 < size <= _MAX_NODES or any(len(getattr(self, name)) != size for name in _FIELDS):
            raise ValueError(f"expected columns of one length, 1 to {_MAX_NODES} nodes")
        roots = self.root.astype(np.int64)
        if not len(roots) or roots[0] != 0 or (np.diff(roots) <= 0).any() or roots[-1] >= size:
            raise ValueError("expected roots that rise from 0 within the table")
        if not (np.isfinite(self.threshold).all() and np.isfinite(self.value).all()):
            raise ValueError("expected finite thresholds and values")
        inner = self.feature >= 0
        if (self.feature < -1).any() or (self.feature >= n_features).any():
            raise ValueError(f"expected features from 0 to {n_features - 1}, or -1 at leaves")
        if (self.left[~inner] != -1).any() or (self.right[~inner] != -1).any():
            raise ValueError("expected leaves without children")
        self._check_children(np.flatnonzero(inner), roots, size)

    def _check_children(self, inner: Ints, roots: npt.NDArray[np.int64], size: int) -> None:
        tree = np.repeat(np.arange(len(roots)), np.diff(np.append(roots, size)))
        for side in (self.left[inner].astype(np.int64), self.right[inner].astype(np.int64)):
            if (side <= inner).any() or (side >= size).any():
                raise ValueError("expected children behind their parent and within the table")
            if (tree[side] != tree[inner]).any():
                raise ValueError("expected children in their parent's tree")
        children = np.concatenate([self.left[inner], self.right[inner], self.root])
        if len(children) != size or len(np.unique(children)) != size:
            raise ValueError("expected every node to have exactly one parent or to be a root")
        level = self.root
        for _ in range(_MAX_DEPTH):
            level = level[self.feature[level] >= 0]
            if not len(level):
                return
            level = np.concatenate([self.left[level], self.right[level]])
        raise ValueError(f"expected trees of at most {_MAX_DEPTH} levels")


class BitForest:
    """Evaluator of :class:`Trees`.

    Parameters
    ----------
    trees : Trees
        Sound ones, see :meth:`Trees.validate`.
    """

    def __init__(self, trees: Trees) -> None:
        self._baseline = trees.baseline
        self._n_trees = len(trees.root)
        condition = self._number_conditions(trees)
        row, self._levels, self._n_rows = self._order_levels(trees, condition)
        self._place_leaves(trees, row)

    def _number_conditions(self, trees: Trees) -> Ints:
        """Sort out the distinct conditions, and return the one of each node."""
        inner = np.flatnonzero(trees.feature >= 0)
        keys = trees.feature[inner], trees.threshold[inner], trees.missing_left[inner]
        rank = np.lexsort(keys[::-1])
        feature, threshold, missing = (key[rank] for key in keys)
        new = np.ones(len(rank), dtype=bool)
        new[1:] = (
            (feature[1:] != feature[:-1])
            | (threshold[1:] != threshold[:-1])
            | (missing[1:] != missing[:-1])
        )
        condition = np.full(len(trees.feature), -1, dtype=np.intp)
        condition[inner[rank]] = np.cumsum(new) - 1
        self._feature = feature[new].astype(np.intp)
        self._threshold = threshold[new][:, None]
        self._missing_left = missing[new][:, None]
        return condition

    @staticmethod
    def _order_levels(trees: Trees, condition: Ints) -> tuple[Ints, list[tuple[Ints, Ints]], int]:
        """Give the nodes numbers level by level: all left children of one, then all right ones."""
        row = np.full(len(trees.feature), -1, dtype=np.intp)
        level = trees.root.astype(np.intp)
        row[level] = np.arange(len(level))
        levels, count = [], len(level)
        while len(level := level[trees.feature[level] >= 0]):
            levels.append((row[level], condition[level]))
            level = np.concatenate([trees.left[level], trees.right[level]]).astype(np.intp)
            row[level] = np.arange(count, count + len(level))
            count += len(level)
        return row, levels, count

    def _place_leaves(self, trees: Trees, row: Ints) -> None:
        """Give each tree's leaves numbers, and note for each bit the leaves that have it."""
        leaf = np.flatnonzero(trees.feature < 0)
        tree = trees.root.searchsorted(leaf, side="right") - 1
        counts = np.bincount(tree, minlength=self._n_trees)
        number = np.arange(len(leaf)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._bits = max(1, int(counts.max() - 1).bit_length())
        width = 1 << self._bits
        values = np.zeros((self._n_trees, width))
        values[tree, number] = trees.value[leaf]
        rows = np.full((self._n_trees, width), self._n_rows, dtype=np.intp)
        rows[tree, number] = row[leaf]
        codes = np.arange(width)
        planes = np.stack([rows[:, codes >> bit & 1 == 1] for bit in range(self._bits)])
        self._planes = np.ascontiguousarray(planes.transpose(2, 0, 1))
        self._values = values.ravel()
        self._offset = (np.arange(self._n_trees) * width)[:, None]

    def scores(self, matrix: npt.NDArray[np.float32]) -> Doubles:
        """Return the raw score of each line: the baseline and the leaves it falls into.

        Parameters
        ----------
        matrix : ndarray of float32, shape (n_features, n_lines)
            NaN where a value is missing.

        Returns
        -------
        ndarray of float64, shape (n_lines,)
            A line's score does not depend on the lines beside it, bit for bit.
        """
        count = matrix.shape[1]
        scores = np.empty(count)
        for start in range(0, count, _CHUNK):
            chunk = np.ascontiguousarray(matrix[:, start : start + _CHUNK])
            scores[start : start + _CHUNK] = self._evaluate(chunk)
        return scores

    def _decide(self, chunk: npt.NDArray[np.float32], width: int) -> Words:
        """Decide all conditions for all lines; return one row of bits a condition."""
        values = chunk.take(self._feature, axis=0)
        decided = np.zeros((len(self._feature), 64 * width), dtype=bool)
        np.less_equal(values, self._threshold, out=decided[:, : chunk.shape[1]])
        if np.isnan(chunk).any():
            decided[:, : chunk.shape[1]] |= np.isnan(values) & self._missing_left
        return np.packbits(decided, axis=1, bitorder="little").view(np.uint64)

    def _evaluate(self, chunk: npt.NDArray[np.float32]) -> Doubles:
        count = chunk.shape[1]
        width = (count + 63) // 64
        conditions = self._decide(chunk, width)
        reached = np.empty((self._n_rows + 1, width), dtype=np.uint64)
        reached[: self._n_trees] = ~np.uint64(0)
        reached[self._n_rows] = 0
        end = self._n_trees
        for parents, wanted in self._levels:
            above = reached.take(parents, axis=0)
            left = reached[end : end + len(parents)]
            right = reached[end + len(parents) : end + 2 * len(parents)]
            np.bitwise_and(above, conditions.take(wanted, axis=0), out=left)
            np.bitwise_xor(above, left, out=right)
            end += 2 * len(parents)
        return self._sum_leaves(reached, count)

    def _sum_leaves(self, reached: Words, count: int) -> Doubles:
        planes = reached.take(self._planes[0], axis=0)
        for rows in self._planes[1:]:
            planes |= reached.take(rows, axis=0)
        bits = np.unpackbits(planes.view(np.uint8), axis=2, bitorder="little")
        leaf = bits[0].astype(np.uint8 if self._bits <= 8 else np.uint32)
        for bit in range(1, self._bits):
            leaf |= bits[bit].astype(leaf.dtype) << leaf.dtype.type(bit)
        # rows are summed one upon the other, in the order of the trees
        total: Doubles = self._values.take(leaf + self._offset).sum(axis=0)[:count]
        return total + self._baseline
