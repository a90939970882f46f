from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from classifier.network import Network
from classifier.stacking import probability
from training import networks
from training.binning import Binned, bin_rows
from training.networks import constant_network, fit_network

RNG = np.random.default_rng(0)
ROWS = np.concatenate([RNG.normal(size=(6000, 3)), np.full((6000, 1), 7.0)], axis=1)
ROWS = np.concatenate([ROWS, RNG.integers(0, 3, (6000, 1))], axis=1).astype(np.float32)
CROSSED = ((ROWS[:, 0] > 0) ^ (ROWS[:, 1] > 0)).astype(np.int8)
SETTINGS: dict[str, Any] = {
    "units": (16, 8), "epochs": 2, "steps": 600, "rate": 0.01, "hidden": 0.0
}  # fmt: skip


def fitted(target: np.ndarray, weight: np.ndarray | None = None, **settings: Any) -> Network:
    weight = np.ones(len(ROWS)) if weight is None else weight
    return fit_network(bin_rows(ROWS, 40), target, weight, {**SETTINGS, **settings}, seed=0)


def same(one: Network, other: Network) -> bool:
    pairs = zip(one.to_arrays().values(), other.to_arrays().values(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_what_no_single_feature_tells_is_learned() -> None:
    network = fitted(CROSSED)
    network.validate(ROWS.shape[1])
    fresh = np.random.default_rng(9).normal(size=(5, 2000)).astype(np.float32)
    truth = (fresh[0] > 0) ^ (fresh[1] > 0)
    assert ((network.scores(fresh) > 0) == truth).mean() > 0.9


def test_probabilities_are_those_of_the_rows() -> None:
    chance = 1 / (1 + np.exp(-2 * ROWS[:, 4].astype(float) + 2))
    target = (np.random.default_rng(1).random(len(ROWS)) < chance).astype(np.int8)
    found = probability(fitted(target, rate=0.003).scores(ROWS.T))
    for value in (0, 1, 2):
        own = ROWS[:, 4] == value
        assert found[own].mean() == pytest.approx(target[own].mean(), abs=0.05)


def test_whole_numbers_give_what_scikit_learn_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[MLPClassifier] = []

    class Noted(MLPClassifier):  # type: ignore[misc]
        def partial_fit(self, *arguments: Any, **others: Any) -> MLPClassifier:
            made[:] = [self]
            return super().partial_fit(*arguments, **others)

    monkeypatch.setattr(networks, "MLPClassifier", Noted)
    network = fitted(CROSSED)
    binned = bin_rows(ROWS, 40)
    means = np.stack([m[codes] for m, codes in zip(binned.means, binned.codes.T, strict=True)])
    spread = np.where(means.std(axis=1) > 0, means.std(axis=1), 1)
    standard = ((means.T - means.mean(axis=1)) / spread).clip(-4, 4)
    standard = (np.rint(standard * 31) / 31).astype(np.float32)
    expected = made[0].predict_proba(standard)[:, 1]
    found = probability(network.scores(means.astype(np.float32)))
    assert np.abs(found - expected).max() < 0.05
    assert np.abs(found - expected).mean() < 0.003


def test_rows_without_a_target_or_weight_have_no_say() -> None:
    target, weight = CROSSED.copy(), np.ones(len(ROWS))
    target[:500], weight[500:1000] = -1, 0
    other = target.copy()
    other[500:1000] = 1 - other[500:1000]
    assert same(fitted(target, weight), fitted(other, weight))
    assert not same(fitted(target, weight), fitted(CROSSED))


def test_the_same_seed_gives_the_same_network() -> None:
    assert same(fitted(CROSSED, hidden=0.2), fitted(CROSSED, hidden=0.2))
    assert not same(fitted(CROSSED, hidden=0.2), fitted(CROSSED, hidden=0.3))


@pytest.mark.parametrize("side", [0, 1])
def test_of_one_class_the_score_is_constant(side: int) -> None:
    network = fitted(np.full(len(ROWS), side, dtype=np.int8))
    network.validate(ROWS.shape[1])
    scores = set(network.scores(ROWS.T).tolist())
    assert len(scores) == 1
    assert (scores.pop() > 5) == bool(side)


def test_a_constant_network_says_so() -> None:
    network = constant_network(3, -1.5)
    network.validate(3)
    assert network.scores(np.ones((3, 2), np.float32)).tolist() == [-1.5, -1.5]
    assert network.pushes(np.ones(3, np.float32)).tolist() == [0, 0, 0]


def test_few_rows_are_enough_for_a_step() -> None:
    codes, edges = np.arange(6, dtype=np.uint8)[:, None], np.arange(5, dtype=np.float32)
    rows = Binned(codes, [edges], [np.arange(6.0)])
    target = np.array([0, 0, 0, 1, 1, 1], dtype=np.int8)
    network = fit_network(rows, target, np.ones(6), {**SETTINGS, "steps": 20}, seed=0)
    scores = network.scores(np.arange(6, dtype=np.float32)[None])
    assert scores[0] < scores[5]
