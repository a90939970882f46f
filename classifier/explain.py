"""Why a line got its label: how far each feature moved the score, in the trees and the networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .network import DOUBT, SHARE, Network
from .trees import Trees

__all__ = ["Contribution", "contributions"]

Source = tuple[Trees, Network | None, npt.NDArray[np.float32], tuple[str, ...]]


@dataclass(frozen=True)
class Contribution:
    """What one feature did to the score of a line.

    Attributes
    ----------
    feature : str
        Name of the feature.
    value : float
        Its value on this line.
    push : float
        Change of the log odds of content; above 0 speaks for content.
    stage : {"first", "second", "phrases", "taught"}
        The stage that saw it, or that a user's phrase or what a site taught did it.
    """

    feature: str
    value: float
    push: float
    stage: str


def path_pushes(
    trees: Trees, values: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], float]:
    """Return the change of a forest's score by each feature along the paths of one line.

    At every split the expected value changes from the node's to its child's; the change is put
    down to the feature that splits (Saabas 2014, "Interpreting random forests").

    Parameters
    ----------
    trees : Trees
    values : ndarray of float32, shape (n_features,)

    Returns
    -------
    pushes : ndarray of float64, shape (n_features,)
    score : float
        The forest's.
    """
    opening, others = trees.in_steps()
    pushes, score = _walk(opening, values)
    if others is not None and abs(score) < trees.bound:
        further, change = _walk(others, values)
        pushes, score = pushes + further, score + change
    return pushes, score


def _walk(trees: Trees, values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float64], float]:
    """Return the pushes in all of these trees, and the score."""
    pushes = np.zeros(len(values))
    leaves, node = [], trees.root.astype(np.intp)
    while len(node):
        leaves.append(node[trees.feature[node] < 0])
        node = node[trees.feature[node] >= 0]
        feature = trees.feature[node]
        value = values[feature]
        left = np.where(np.isnan(value), trees.missing_left[node], value <= trees.threshold[node])
        child = np.where(left, trees.left[node], trees.right[node]).astype(np.intp)
        np.add.at(pushes, feature, trees.value[child] - trees.value[node])
        node = child
    return pushes, trees.baseline + float(trees.value[np.concatenate(leaves)].sum())


def _pushes(
    trees: Trees, network: Network | None, values: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return how far each feature moved the score of a stage, see `scoring.Blend`."""
    pushes, score = path_pushes(trees, values)
    if network is not None and abs(score) < DOUBT:
        pushes += SHARE * (network.pushes(values) - pushes)
    return pushes


def contributions(second: Source, first: Source) -> list[Contribution]:
    """Return the features that pushed a line in either stage, largest push first.

    The second stage sees the first one's score of the line as the feature ``score``. What that
    pushed is shared out over the features of the first stage, by their pushes there.

    Parameters
    ----------
    second, first : tuple of (Trees, Network or None, ndarray of float32, tuple of str)
        The forest and the network if there is one, the line's features and their names.

    Returns
    -------
    list of Contribution
    """
    found = []
    pushes, inner = (_pushes(*source[:3]) for source in (second, first))
    at = second[3].index("score")
    total = float(np.abs(inner).sum())
    through = inner * (abs(float(pushes[at])) / total) if total else inner
    pushes[at] = 0.0
    for stage, values, (*_, features, names) in (
        ("second", pushes, second),
        ("first", through, first),
    ):
        for place in np.flatnonzero(values):
            value, push = float(features[place]), float(values[place])
            found.append(Contribution(names[place], value, push, stage))
    return sorted(found, key=lambda item: -abs(item.push))
