from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from classifier.bit_forest import BitForest
from training.export import constant, float32_below, mean_of, trees_of

Floats = npt.NDArray[np.float32]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    with threadpool_limits(limits=1):
        yield


def fitted(rows: Floats, **options: Any) -> HistGradientBoostingClassifier:
    target = np.nansum(np.clip(rows[:, :3], -9, 9), axis=1) > 0
    model = HistGradientBoostingClassifier(
        **{"max_iter": 15, "max_leaf_nodes": 15, "early_stopping": False, **options}
    )
    return model.fit(rows, target)


def sample(missing: float = 0.1, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(600, 5)).astype(np.float32)
    rows[:, 1] = rows[:, 1].round(1)
    rows[rng.random(rows.shape) < missing] = np.nan
    return rows


def probes(model: HistGradientBoostingClassifier, rows: Floats) -> Floats:
    """Lines around every threshold: on it in float32, and on the two float32 beside it."""
    nodes = np.concatenate([trees[0].nodes for trees in model._predictors])
    edges = np.clip(nodes["num_threshold"], -3e38, 3e38).astype(np.float32)
    away = [np.nextafter(edges, np.float32(side)) for side in (-np.inf, np.inf)]
    near = np.concatenate(
        [edges, *away, np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], np.float32)]
    )
    rng = np.random.default_rng(1)
    mixed = rng.choice(near, (2000, rows.shape[1]))
    return np.concatenate([rows, mixed])


def check(model: HistGradientBoostingClassifier, rows: Floats) -> None:
    forest = BitForest(trees_of(model))
    asked = probes(model, rows)
    scores = forest.scores(np.ascontiguousarray(asked.T))
    assert np.array_equal(scores, model.decision_function(asked))
    chance = 1 / (1 + np.exp(-scores))
    assert np.abs(chance - model.predict_proba(asked)[:, 1]).max() < 1e-12


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_bins": 63},
        {"max_bins": 3},
        {"max_leaf_nodes": 2},
        {"max_leaf_nodes": 31, "min_samples_leaf": 2},
        {"max_iter": 1},
        {"max_depth": 1},
        {"early_stopping": True, "random_state": 0},
    ],
)
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_scores_are_those_of_scikit_learn(options: dict[str, Any], missing: float) -> None:
    rows = sample(missing)
    check(fitted(rows, **options), rows)


def test_a_split_on_missing_alone_sends_infinity_left() -> None:
    rows = np.ones((200, 1), np.float32)
    rows[::2] = np.nan
    target = np.arange(200) % 2 == 0
    model = HistGradientBoostingClassifier(max_iter=2).fit(rows, target)
    assert trees_of(model).threshold[0] == np.inf
    check(model, rows)


def test_infinite_values_in_training() -> None:
    rows = sample()
    rows[:, 0] = rows[:, 0].round()  # few values: scikit-learn takes no quantiles of infinity
    rows[::9, 0], rows[4::9, 0] = np.inf, -np.inf
    model = fitted(rows)
    assert np.isinf(trees_of(model).threshold).any()
    check(model, rows)


def test_trees_of_one_leaf() -> None:
    rows = np.ones((50, 2), np.float32)
    model = HistGradientBoostingClassifier(max_iter=3).fit(rows, np.arange(50) < 10)
    trees = trees_of(model)
    assert trees.feature.tolist() == [-1] * len(trees.root)
    check(model, rows)


def test_values_at_splits_are_means_of_the_training_lines() -> None:
    rows = sample(0.0)
    model = fitted(rows, max_iter=3, max_leaf_nodes=4)
    trees = trees_of(model)
    for root, value in zip(trees.root, trees.value[trees.root], strict=True):
        node = np.full(len(rows), root)
        while (moving := trees.feature[node] >= 0).any():
            left = rows[np.arange(len(rows)), trees.feature[node]] <= trees.threshold[node]
            node = np.where(moving, np.where(left, trees.left[node], trees.right[node]), node)
        assert value == pytest.approx(trees.value[node].mean())


@given(st.floats(allow_nan=False), st.floats(allow_nan=False, width=32))
def test_rounding_down_keeps_every_decision(threshold: float, value: float) -> None:
    rounded = float32_below(np.array([threshold]))
    with np.errstate(over="ignore"):
        above = np.nextafter(rounded, np.float32(np.inf))
    values = np.array([value, rounded[0], above[0]], dtype=np.float32)
    assert (values <= rounded).tolist() == (values.astype(np.float64) <= threshold).tolist()


def test_other_models_are_refused() -> None:
    rows = np.arange(90, dtype=np.float32)[:, None]
    classifier = HistGradientBoostingClassifier(max_iter=1)
    with pytest.raises(ValueError, match="fitted"):
        trees_of(classifier)
    with pytest.raises(ValueError, match="two classes; found 3"):
        trees_of(classifier.fit(rows, np.repeat([0, 1, 2], 30)))
    with pytest.raises(ValueError, match="HistGradientBoostingRegressor"):
        trees_of(HistGradientBoostingRegressor(max_iter=1).fit(rows, rows[:, 0]))


def test_a_categorical_feature_is_refused_even_without_a_split() -> None:
    rows = np.stack([np.arange(200) % 3, np.arange(200)], axis=1).astype(np.float32)
    model = HistGradientBoostingClassifier(max_iter=1, categorical_features=[0])
    with pytest.raises(ValueError, match="categorical"):
        trees_of(model.fit(rows, rows[:, 1] > 99))


def test_trees_that_are_too_large_are_refused() -> None:
    rows = np.random.default_rng(0).normal(size=(3000, 2)).astype(np.float32)
    target = np.random.default_rng(1).random(3000) > 0.5
    model = HistGradientBoostingClassifier(max_iter=1, max_leaf_nodes=400, min_samples_leaf=1)
    with pytest.raises(ValueError, match="at most 256 leaves"):
        trees_of(model.fit(rows, target))


def test_the_mean_of_forests() -> None:
    rows = sample()
    forests = [trees_of(fitted(rows, max_iter=n, random_state=n, max_features=0.5)) for n in (3, 5)]
    together = mean_of(forests)
    together.validate(5)
    columns = np.ascontiguousarray(rows.T)
    apart = np.mean([BitForest(forest).scores(columns) for forest in forests], axis=0)
    assert np.abs(BitForest(together).scores(columns) - apart).max() < 1e-12
    assert np.array_equal(mean_of(forests[:1]).value, forests[0].value)


def test_opening_trees_come_first_in_the_mean() -> None:
    rows = sample()
    own = [replace(trees_of(fitted(rows, max_iter=n)), opening=2, bound=3.0) for n in (3, 5)]
    together = mean_of([own[0], constant(4.0), own[1]])
    together.validate(5)
    assert (together.opening, together.bound) == (5, 3.0)
    first = [forest.in_steps()[0] for forest in own]
    columns = np.ascontiguousarray(rows.T)
    apart = sum(BitForest(forest).scores(columns) for forest in first) + 4.0
    opening = BitForest(together.in_steps()[0]).scores(columns)
    assert opening == pytest.approx(apart / 3)
