"""Node tables of boosted trees, as they are saved, checked and explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Trees"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

MAX_NODES, MAX_TREES, MAX_LEAVES, MAX_DEPTH = 1 << 20, 10_000, 256, 128
"""Bounds on what is evaluated; the leaves are those of one tree, whose codes are bytes."""

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
    opening : int
        The first so many trees are asked of every line; 0 stands for all of them.
    bound : float
        The other trees are asked only where the opening ones end nearer to 0 than this.
    """

    feature: npt.NDArray[np.int32]
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: Doubles
    root: npt.NDArray[np.int32]
    baseline: float
    opening: int = 0
    bound: float = 0.0

    def in_steps(self) -> tuple[Trees, Trees | None]:
        """Return the opening trees and the other ones, None where all of them are opening ones.

        Their tables still hold all nodes; the score of the other ones begins at 0.
        """
        if self.opening in (0, len(self.root)):
            return self, None
        opening = replace(self, root=self.root[: self.opening], opening=0)
        return opening, replace(opening, root=self.root[self.opening :], baseline=0.0)

    def to_arrays(self, prefix: str = "") -> dict[str, npt.NDArray[Any]]:
        """Return the tables as named rows, to be saved; the inverse of `from_arrays`."""
        tables: dict[str, npt.NDArray[Any]]
        tables = {prefix + name: getattr(self, name) for name in _DTYPES}
        tables[f"{prefix}steps"] = np.array([self.opening, self.bound], dtype=np.float64)
        return {**tables, f"{prefix}baseline": np.array([self.baseline])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str = "") -> Trees:
        """Take the tables out of named rows; `validate` says whether they hold.

        Raises
        ------
        ValueError
            If a row is missing, or the baseline and the steps are not one and two float64.
        """
        for name in (*_DTYPES, "baseline"):
            if prefix + name not in arrays:
                raise ValueError(f"expected an array {prefix}{name}; found none")
        tables: dict[str, Any] = {name: arrays[prefix + name] for name in _DTYPES}
        baseline = arrays[prefix + "baseline"]
        if baseline.shape != (1,) or baseline.dtype != np.float64:
            raise ValueError(f"expected one float64 in {prefix}baseline")
        steps = arrays.get(f"{prefix}steps", np.zeros(2))  # older files have one step
        if steps.shape != (2,) or steps.dtype != np.float64 or steps[0] not in range(MAX_TREES + 1):
            raise ValueError(f"expected a number of trees and a bound as float64 in {prefix}steps")
        return cls(
            **tables, baseline=float(baseline[0]), opening=int(steps[0]), bound=float(steps[1])
        )

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
        if not (0 <= self.bound < np.inf and self.opening <= len(self.root)):
            raise ValueError("expected a finite bound, and no more opening trees than trees")
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
