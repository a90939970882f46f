from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from classifier.trees import BitForest, Trees
from training.export import trees_of

Floats = npt.NDArray[np.float32]


def fitted(rows: Floats, **settings: int) -> HistGradientBoostingClassifier:
    target = np.nansum(rows[:, :3], axis=1) > 0
    options = {"max_iter": 20, "max_leaf_nodes": 15, **settings}
    return HistGradientBoostingClassifier(early_stopping=False, **options).fit(rows, target)


@pytest.fixture(scope="module")
def rows() -> Floats:
    rng = np.random.default_rng(0)
    found = rng.normal(size=(1500, 8)).astype(np.float32).round(1)  # many ties with thresholds
    found[rng.random(found.shape) < 0.05] = np.nan
    return found


@pytest.mark.parametrize("settings", [{}, {"max_bins": 63}, {"max_leaf_nodes": 2}, {"max_iter": 1}])
def test_tables_give_the_probabilities_of_scikit_learn(
    rows: Floats, settings: dict[str, int]
) -> None:
    learner = fitted(rows, **settings)
    trees = trees_of(learner)
    trees.validate(rows.shape[1])
    probes = np.concatenate([rows, np.full((1, 8), np.inf), np.full((1, 8), -np.inf)])
    scores = BitForest(trees).scores(np.ascontiguousarray(probes.T.astype(np.float32)))
    expected = learner.predict_proba(probes)[:, 1]
    assert np.abs(1 / (1 + np.exp(-scores)) - expected).max() < 1e-12


def test_float32_inputs_on_a_threshold_go_the_same_way() -> None:
    rows = np.repeat(np.array([0.1, 0.2, 0.3, 0.4], np.float32), 100)[:, None]
    learner = HistGradientBoostingClassifier(max_iter=3).fit(rows, rows[:, 0] > 0.25)
    edge = learner._predictors[0][0].nodes["num_threshold"][0]
    near = np.float32(edge)
    probes = np.array(
        [[np.nextafter(near, -np.inf)], [near], [np.nextafter(near, np.inf)]], np.float32
    )
    scores = BitForest(trees_of(learner)).scores(probes.T)
    assert np.array_equal(np.round(scores, 12), np.round(learner.decision_function(probes), 12))


def test_without_missing_values_in_training() -> None:
    rows = np.random.default_rng(1).normal(size=(400, 4)).astype(np.float32)
    learner = fitted(rows)
    scores = BitForest(trees_of(learner)).scores(np.ascontiguousarray(rows.T))
    assert np.allclose(scores, learner.decision_function(rows), atol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 257, 1000])
def test_a_line_does_not_depend_on_the_lines_beside_it(rows: Floats, count: int) -> None:
    forest = BitForest(trees_of(fitted(rows)))
    matrix = np.ascontiguousarray(rows.T)
    assert np.array_equal(forest.scores(matrix[:, :count]), forest.scores(matrix)[:count])


def test_no_lines(rows: Floats) -> None:
    assert BitForest(trees_of(fitted(rows))).scores(np.empty((8, 0), np.float32)).shape == (0,)


def test_arrays_and_back(rows: Floats) -> None:
    trees = trees_of(fitted(rows))
    again = Trees.from_arrays(trees.to_arrays("x_"), "x_")
    assert np.array_equal(again.threshold, trees.threshold)
    assert again.baseline == trees.baseline


def damage(trees: Trees, name: str) -> Trees:
    inner = np.flatnonzero(trees.feature >= 0)
    value = getattr(trees, name).copy()
    if name in ("left", "right"):
        value[inner[0]] = inner[0]
    elif name == "root":
        value[0] = 3
    elif name == "feature":
        value[inner[0]] = 1000
    else:
        value[inner[0]] = np.nan
    return replace(trees, **{name: value})


@pytest.mark.parametrize("name", ["left", "right", "root", "feature", "threshold", "value"])
def test_damaged_tables_are_refused(rows: Floats, name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        damage(trees_of(fitted(rows)), name).validate(8)


def test_two_parents_of_one_node_are_refused(rows: Floats) -> None:
    trees = trees_of(fitted(rows))
    right = trees.right.copy()
    right[0] = trees.left[0]
    with pytest.raises(ValueError, match="one parent"):
        replace(trees, right=right).validate(8)


def test_a_model_of_three_classes_is_refused() -> None:
    rows = np.arange(90, dtype=np.float32)[:, None]
    learner = HistGradientBoostingClassifier(max_iter=1).fit(rows, np.repeat([0, 1, 2], 30))
    with pytest.raises(ValueError, match="two classes"):
        trees_of(learner)
