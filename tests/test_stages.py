from __future__ import annotations

import numpy as np
import pytest

from classifier.bit_forest import BitForest
from classifier.stacking import probability
from classifier.trees import Trees
from tests.conftest import small_recipe
from training.binning import bin_rows
from training.stages import fit_forest

ROWS = np.random.default_rng(0).random((4000, 3)).astype(np.float32)
RARE = ((ROWS[:, 0] > 0.9) & (np.random.default_rng(1).random(4000) < 0.3)).astype(np.int8)


def forest(target: np.ndarray, **settings: float) -> Trees:
    return fit_forest(
        bin_rows(ROWS, 20), target, np.ones(len(ROWS)), {**small_recipe().first, **settings}, seed=0
    )


def test_what_is_emphasised_is_no_more_probable_for_it() -> None:
    found = {}
    for emphasis in (1.0, 8.0):
        trees = forest(RARE, emphasis=emphasis, max_iter=40)
        assert probability(BitForest(trees).scores(ROWS.T)).mean() == pytest.approx(0.03, abs=0.01)
        found[emphasis] = trees.value
    assert not np.array_equal(found[1.0], found[8.0])


def test_bags_learn_from_rows_of_their_own() -> None:
    trees = forest(RARE, bags=2, max_iter=1)
    second = int(trees.root[1])
    assert trees.value[:second].tolist() != trees.value[second:].tolist()


@pytest.mark.parametrize(("target", "low", "high"), [(-1, 0, 0.05), (0, 0, 0.05), (1, 0.95, 1)])
def test_rows_of_one_class_give_one_answer(target: int, low: float, high: float) -> None:
    trees = forest(np.full(len(ROWS), target, dtype=np.int8))
    chances = probability(BitForest(trees).scores(ROWS.T))
    assert len(np.unique(chances)) == 1
    assert low < chances[0] < high
