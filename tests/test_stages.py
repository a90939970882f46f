from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier

from classifier.bit_forest import BitForest
from classifier.stacking import probability
from classifier.trees import Trees
from tests.conftest import small_recipe
from training.binning import bin_rows
from training.forests import fit_forest
from training.stages import Recipe, fit_wording

ROWS = np.random.default_rng(0).random((4000, 3)).astype(np.float32)
RARE = ((ROWS[:, 0] > 0.9) & (np.random.default_rng(1).random(4000) < 0.3)).astype(np.int8)


def forest(target: np.ndarray, **settings: Any) -> Trees:
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


def test_misses_that_are_drawn_stand_for_all_of_them() -> None:
    few, all_of_them = forest(RARE, misses=0.3, max_iter=40), forest(RARE, max_iter=40)
    found, known = (probability(BitForest(trees).scores(ROWS.T)) for trees in (few, all_of_them))
    assert found.mean() == pytest.approx(0.03, abs=0.01)
    assert np.corrcoef(found, known)[0, 1] > 0.8
    assert not np.array_equal(found, known)


def test_fits_without_binning_are_those_of_scikit_learn() -> None:
    codes, weight = bin_rows(ROWS, 20).codes, np.linspace(0.5, 1.5, len(ROWS))
    settings = {"max_iter": 9, "min_samples_leaf": 20, "max_features": 0.5}
    learner = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **settings)
    learner.fit(codes, RARE, sample_weight=weight / weight.mean())
    explicit = {**small_recipe().first, "max_leaf_nodes": 31, **settings}
    trees = fit_forest(bin_rows(ROWS, 20), RARE, weight, explicit, seed=0)
    expected = learner.decision_function(codes)
    assert BitForest(trees).scores(ROWS.T) == pytest.approx(expected, abs=1e-9)


def test_each_tree_is_grown_on_some_features_drawn_anew() -> None:
    rows = np.random.default_rng(0).random((2000, 20)).astype(np.float32)
    target = (rows.sum(axis=1) > 10).astype(np.int8)
    settings = {**small_recipe().first, "max_iter": 30, "tree_features": 0.25}
    later = {"max_iter": 20, "learning_rate": 0.1, "max_leaf_nodes": 31, "bound": 9.0}
    settings["later"] = {**later, "tree_features": 0.5}
    trees = fit_forest(bin_rows(rows, 20), target, np.ones(len(rows)), settings, seed=0)
    seen = [set(found[found >= 0].tolist()) for found in np.split(trees.feature, trees.root[1:])]
    assert (max(map(len, seen[:30])), max(map(len, seen[30:]))) == (5, 10)
    assert set().union(*seen) == set(range(20))


def test_bags_learn_from_rows_of_their_own() -> None:
    trees = forest(RARE, bags=2, max_iter=1)
    second = int(trees.root[1])
    assert trees.value[:second].tolist() != trees.value[second:].tolist()


def test_later_trees_move_the_lines_within_the_bound_alone() -> None:
    settings = {"bags": 2, "max_iter": 5}
    later = {"max_iter": 20, "learning_rate": 0.1, "max_leaf_nodes": 6, "bound": 0.3}
    later["tree_features"] = 1.0
    noise = np.random.default_rng(2).normal(0, 0.3, 4000)
    target = (ROWS.sum(axis=1) + noise > 1.5).astype(np.int8)
    one, two = forest(target, **settings), forest(target, **settings, later=later)
    assert (len(two.root), two.opening, two.bound) == (50, 10, 0.3)
    before, after = (BitForest(trees).scores(ROWS.T) for trees in (one, two))
    moved = before != after
    assert moved.tolist() == (np.abs(before) < 0.3).tolist()
    assert 0.1 < moved.mean() < 0.9
    errors = [((probability(x) - target)[moved] ** 2).mean() for x in (before, after)]
    assert errors[1] < errors[0]


@pytest.mark.parametrize(("target", "low", "high"), [(-1, 0, 0.05), (0, 0, 0.05), (1, 0.95, 1)])
def test_rows_of_one_class_give_one_answer(target: int, low: float, high: float) -> None:
    trees = forest(np.full(len(ROWS), target, dtype=np.int8))
    chances = probability(BitForest(trees).scores(ROWS.T))
    assert len(np.unique(chances)) == 1
    assert low < chances[0] < high


def test_the_word_score_does_not_hang_on_which_line_comes_last() -> None:
    rng = np.random.default_rng(0)
    term = rng.integers(1024, size=(10_000, 8))
    target = (rng.random(10_000) < probability((term < 300).sum(axis=1) - 2.3)).astype(np.int8)
    term[:, :4] = 0  # what all lines have
    rows = csr_matrix((np.full(term.size, 8**-0.5), (np.arange(10_000).repeat(8), term.ravel())))
    weight = np.where(rng.random(10_000) < 0.001, 40.0, 1.0)
    found, last_steps = [], []
    for seed in range(6):
        recipe = Recipe(seed=seed)
        found.append((rows @ fit_wording(rows, target, weight, recipe)).mean())
        learner = SGDClassifier(
            loss="log_loss", alpha=recipe.word_alpha, max_iter=5, tol=None, random_state=seed
        ).fit(rows, target, sample_weight=weight / weight.mean())
        last_steps.append((rows @ learner.coef_[0]).mean())
    assert np.std(found) < np.std(last_steps) / 5
