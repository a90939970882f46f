"""The forests of boosted trees, as scikit-learn grows them on binned rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from classifier.bit_forest import CHUNK_LINES, BitForest
from classifier.trees import Trees
from training.binning import Binned, unbinned
from training.export import constant, mean_of, one_sided, trees_of

__all__ = ["fit_forest"]

Doubles = npt.NDArray[np.float64]
_Rows = tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], Doubles]

_THREADS = 1
"""Threads of a fit: several fits at once are faster, and sums do not depend on who adds first."""

_WIDER = 0.5
"""Later trees learn from lines up to so far beyond the bound, where other bags may place them."""


class _Draws:
    """The set of features that may meet in a tree, drawn anew whenever one begins."""

    def __init__(self, n_features: int, share: float, seed: int) -> None:
        self._n_features, self._size = n_features, max(1, round(share * n_features))
        self._rng = np.random.default_rng(seed)
        self._drawn: set[int] = set()

    def __iter__(self) -> Iterator[set[int]]:
        self._drawn = set(self._rng.permutation(self._n_features)[: self._size].tolist())
        return iter([self._drawn])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place: int) -> set[int]:
        return [self._drawn][place]


class _OnCodes(HistGradientBoostingClassifier):  # type: ignore[misc]
    """The learner, which takes the codes of bins as they are and grows a tree on some features.

    Scikit-learn has no public way to say either. By itself it sorts every column of every fit,
    which takes longer than the boosting of a small forest; and where it draws features for each
    split, it has counted all of them first, which is nine tenths of the work.
    """

    tree_features = 1.0

    def _check_interaction_cst(self, n_features: int) -> _Draws | None:
        if self.tree_features == 1.0:
            return None
        return _Draws(n_features, self.tree_features, self.random_state)

    def _bin_data(self, X: Doubles, *_: Any, **__: Any) -> npt.NDArray[np.uint8]:
        codes = np.asfortranarray(X, dtype=np.uint8)
        mapper, highest = self._bin_mapper, codes.max(axis=0)
        mapper.bin_thresholds_ = [np.arange(top) + 0.5 for top in highest.tolist()]
        mapper.n_bins_non_missing_ = highest.astype(np.uint32) + 1
        mapper.is_categorical_ = np.zeros(len(highest), dtype=np.uint8)
        mapper.missing_values_bin_idx_ = mapper.n_bins - 1
        return codes


def fit_forest(
    rows: Binned,
    target: npt.NDArray[np.int8],
    weight: npt.NDArray[np.float64],
    settings: dict[str, Any],
    seed: int,
) -> Trees:
    """Fit boosted trees on rows whose target is known.

    The mean of several short forests, each learned from rows of its own, is better than one long
    one.

    Parameters
    ----------
    rows : Binned
        Of n_rows rows.
    target : ndarray of int8, shape (n_rows,)
        1, 0, or -1 where it is not known.
    weight : ndarray of float64, shape (n_rows,)
    settings : dict
    seed : int

    Returns
    -------
    Trees
    """
    known = np.flatnonzero((target >= 0) & (weight > 0))
    settings = {
        **settings,
        "min_samples_leaf": min(settings["min_samples_leaf"], 1 + len(known) // 200),
        "max_bins": max(2, 1 + max(map(len, rows.edges))),
    }
    bags, emphasis, misses = (settings.pop(name) for name in ("bags", "emphasis", "misses"))
    weight = np.where(target == 1, emphasis * misses * weight, weight)
    rng = np.random.default_rng(seed)
    known = known[(target[known] == 1) | (rng.random(len(known)) < misses)]
    every = rows.codes[known], target[known] == 1, weight[known]
    share = rng.integers(bags, size=len(known))
    forests = [_fit_trees(every, share == bag, settings, seed + bag) for bag in range(bags)]
    trees = unbinned(mean_of(forests), rows.edges)
    return replace(trees, baseline=trees.baseline - float(np.log(emphasis)))


def _fit_trees(
    every: _Rows, own: npt.NDArray[np.bool_], settings: dict[str, Any], seed: int
) -> Trees:
    """Fit one forest; where a class has no rows, it is one leaf, and says no where no row is.

    The opening trees learn from its own rows, the later ones from all that those leave in doubt.
    """
    codes, truth, weight = every[0][own], every[1][own], every[2][own]
    if (score := one_sided(truth)) is not None:
        return constant(score)
    public = {"tree_features": 1.0, "later": {}, **settings}
    later, share = public.pop("later"), public.pop("tree_features")
    learner = _OnCodes(early_stopping=False, warm_start=True, random_state=seed, **public)
    learner.tree_features = share
    with threadpool_limits(limits=_THREADS, user_api="openmp"):
        learner.fit(codes, truth, sample_weight=weight / weight.mean())
        opening = trees_of(learner)
        if not later:
            return opening
        _fit_later(learner, opening, later, every)
    return replace(trees_of(learner), opening=len(opening.root), bound=later["bound"])


def _fit_later(learner: _OnCodes, opening: Trees, settings: dict[str, Any], every: _Rows) -> None:
    """Let the learner grow the later trees, on the rows that the opening ones leave in doubt."""
    forest = BitForest(opening)
    blocks = np.array_split(every[0], 1 + len(every[0]) // CHUNK_LINES)
    scores = np.concatenate([forest.scores(block.T.astype(np.float32)) for block in blocks])
    near = np.abs(scores) < settings["bound"] + _WIDER
    codes, truth, weight = every[0][near], every[1][near], every[2][near]
    if 0 < truth.sum() < len(truth):
        learner.set_params(
            max_iter=len(opening.root) + settings["max_iter"],
            learning_rate=settings["learning_rate"],
            max_leaf_nodes=settings["max_leaf_nodes"],
            random_state=learner.random_state + 1,
        )
        learner.tree_features = settings["tree_features"]
        learner.fit(codes, truth, sample_weight=weight / weight.mean())
