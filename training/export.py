"""From scikit-learn's gradient boosting to plain node tables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.trees import Trees

__all__ = ["trees_of"]


def trees_of(learner: HistGradientBoostingClassifier) -> Trees:
    """Return the node tables of a fitted model.

    Thresholds are rounded down to float32, so that float32 inputs take the same way everywhere.

    Parameters
    ----------
    learner : HistGradientBoostingClassifier
        Of two classes, with numerical features only.

    Returns
    -------
    Trees

    Raises
    ------
    ValueError
        If the model has more classes or categorical features.
    """
    iterations = learner._predictors
    if any(len(trees) != 1 for trees in iterations):
        raise ValueError("expected a model of two classes; found one of more")
    nodes = [trees[0].nodes for trees in iterations]
    sizes = np.array([len(table) for table in nodes])
    root = np.cumsum(sizes) - sizes
    table = np.concatenate(nodes)
    if table["is_categorical"].any():
        raise ValueError("expected numerical features only; found a categorical split")
    offset = np.repeat(root, sizes)
    leaf = table["is_leaf"].astype(bool)
    trees = Trees(
        feature=np.where(leaf, -1, table["feature_idx"]).astype(np.int32),
        threshold=_float32_below(np.where(leaf, 0.0, table["num_threshold"])),
        missing_left=table["missing_go_to_left"].astype(bool) & ~leaf,
        left=np.where(leaf, -1, table["left"] + offset).astype(np.int32),
        right=np.where(leaf, -1, table["right"] + offset).astype(np.int32),
        value=np.where(leaf, table["value"], 0.0),
        root=root.astype(np.int32),
        baseline=float(np.ravel(learner._baseline_prediction)[0]),
    )
    _fill_inner_values(trees, table["count"].astype(np.float64))
    return trees


def _float32_below(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Round towards minus infinity; infinite thresholds become the largest finite ones."""
    limit = np.finfo(np.float32).max
    rounded = np.clip(values, -limit, limit).astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > values, lower, rounded)


def _fill_inner_values(trees: Trees, count: npt.NDArray[np.float64]) -> None:
    """Give every split the mean value of the training lines below it; children stand behind."""
    for node in np.flatnonzero(trees.feature >= 0)[::-1].tolist():
        left, right = trees.left[node], trees.right[node]
        mass = count[left] * trees.value[left] + count[right] * trees.value[right]
        trees.value[node] = mass / max(count[left] + count[right], 1.0)
