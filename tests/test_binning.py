from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.bit_forest import BitForest
from training.binning import bin_rows, unbinned
from training.export import trees_of


def rows() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(3)
    found = rng.normal(size=(900, 4)).astype(np.float32)
    found[:, 1] = found[:, 1].round()
    found[:, 2] = 7.0
    return found


def test_codes_count_the_edges_below() -> None:
    values = rows()
    binned = bin_rows(values, 16)
    for place, edges in enumerate(binned.edges):
        below = (edges[None, :] < values[:, place : place + 1]).sum(axis=1)
        assert binned.codes[:, place].tolist() == below.tolist()
        assert len(edges) < 16
    assert np.bincount(binned.codes[:, 0]).max() < 2 * 900 / 16
    assert len(binned.edges[1]) == len(np.unique(values[:, 1])) - 1
    assert len(binned.edges[2]) == 0


def test_trees_on_codes_decide_as_trees_on_values() -> None:
    values = rows()
    binned = bin_rows(values, 16)
    learner = HistGradientBoostingClassifier(max_iter=9, early_stopping=False)
    learner.fit(binned.codes, values[:, 0] + values[:, 1] > 0)
    forest = BitForest(unbinned(trees_of(learner), binned.edges))
    scores = forest.scores(np.ascontiguousarray(values.T))
    assert np.array_equal(scores, learner.decision_function(binned.codes))
