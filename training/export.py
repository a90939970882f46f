"""From scikit-learn's boosted trees to plain node tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.trees import Trees

__all__ = ["constant", "mean_of", "one_sided", "trees_of"]


def trees_of(model: HistGradientBoostingClassifier) -> Trees:
    """Return the node tables of a fitted model.

    They give scikit-learn's own decisions for float32 inputs.

    Parameters
    ----------
    model : HistGradientBoostingClassifier
        Fitted, of two classes, with numerical features only.

    Returns
    -------
    Trees
        Checked. A split's value is the mean of its training lines' leaves.

    Raises
    ------
    ValueError
        If the model is something else, or its trees are too large.

    Examples
    --------
    >>> rows = np.arange(40, dtype=np.float32)[:, None]
    >>> model = HistGradientBoostingClassifier(max_iter=1).fit(rows, rows[:, 0] > 19)
    >>> trees_of(model).threshold[0]
    np.float32(19.5)
    """
    _check_kind(model)
    nodes = [iteration[0].nodes for iteration in model._predictors]
    sizes = np.array([len(table) for table in nodes])
    root = np.cumsum(sizes) - sizes
    table = np.concatenate(nodes)
    first = np.repeat(root, sizes)
    leaf = table["is_leaf"].astype(bool)
    trees = Trees(
        feature=np.where(leaf, -1, table["feature_idx"]).astype(np.int32),
        threshold=float32_below(np.where(leaf, 0.0, table["num_threshold"])),
        missing_left=table["missing_go_to_left"].astype(bool) & ~leaf,
        left=np.where(leaf, -1, table["left"] + first).astype(np.int32),
        right=np.where(leaf, -1, table["right"] + first).astype(np.int32),
        value=table["value"].astype(np.float64),
        root=root.astype(np.int32),
        baseline=float(model._baseline_prediction[0, 0]),
    )
    trees.validate(int(model.n_features_in_))
    return replace(trees, value=_means(trees, table["count"].astype(np.float64)))


def one_sided(truth: npt.NDArray[np.bool_]) -> float | None:
    """Return the log odds that all lines get where a class has no rows; None where both have some.

    It says no where no row is.
    """
    hits, misses = int(truth.sum()), int((~truth).sum())
    return None if hits and misses else float(np.log((hits + 0.01) / (misses + 1)))


def constant(score: float) -> Trees:
    """Return a forest that gives every line the same score.

    Parameters
    ----------
    score : float
        Log odds.

    Returns
    -------
    Trees
        Of one leaf.
    """
    none, leaf = np.full(1, -1, dtype=np.int32), np.zeros(1)
    return Trees(
        feature=none,
        threshold=leaf.astype(np.float32),
        missing_left=leaf.astype(bool),
        left=none,
        right=none,
        value=leaf,
        root=leaf.astype(np.int32),
        baseline=score,
    )


def mean_of(forests: Sequence[Trees]) -> Trees:
    """Return one forest whose score is the mean of several forests' scores.

    The forests' first trees come first, then their second ones, and so on, so that opening trees
    stay ahead of the others.

    Parameters
    ----------
    forests : sequence of Trees
        At least one; the highest of their bounds holds.

    Returns
    -------
    Trees
    """
    sizes = [len(forest.feature) for forest in forests]
    shift = np.cumsum(sizes) - sizes

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(forest, name) for forest in forests])

    def moved(name: str) -> npt.NDArray[np.int32]:
        parts = [getattr(forest, name) for forest in forests]
        moves = zip(parts, shift, strict=True)
        return np.concatenate([np.where(x < 0, x, x + by) for x, by in moves]).astype(np.int32)

    turn = np.concatenate([np.arange(len(forest.root)) for forest in forests])
    return Trees(
        feature=joined("feature"),
        threshold=joined("threshold"),
        missing_left=joined("missing_left"),
        left=moved("left"),
        right=moved("right"),
        value=joined("value") / len(forests),
        root=moved("root")[np.argsort(turn, kind="stable")],
        baseline=sum(forest.baseline for forest in forests) / len(forests),
        opening=sum(forest.opening or len(forest.root) for forest in forests),
        bound=max(forest.bound for forest in forests),
    )


def _check_kind(model: Any) -> None:
    if not isinstance(model, HistGradientBoostingClassifier):
        raise ValueError(
            f"expected a HistGradientBoostingClassifier; found a {type(model).__name__}"
        )
    if not hasattr(model, "_predictors"):
        raise ValueError("expected a fitted model; call its fit first")
    if len(model.classes_) != 2:
        raise ValueError(f"expected a model of two classes; found {len(model.classes_)}")
    # scikit-learn puts categorical columns first, so even one that no split uses moves the others
    if model.is_categorical_ is not None and np.any(model.is_categorical_):
        raise ValueError("expected numerical features only; found categorical ones")


def float32_below(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Round down to float32, so that ``x <= value`` stays what it was for every float32 x."""
    with np.errstate(over="ignore", under="ignore"):
        nearest = values.astype(np.float32)
        lower = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > values, lower, nearest)


def _means(trees: Trees, count: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the leaves' values, and at splits their mean weighted by training lines."""
    mean = trees.sum_below(count * trees.value) / np.maximum(trees.sum_below(count), 1.0)
    return np.where(trees.feature < 0, trees.value, mean)
