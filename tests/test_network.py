from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classifier.network import EXACT, HIDDEN_TOP, INPUT_TOP, Layer, Network

FEATURES = 210


def layer(rng: np.random.Generator, below: int, units: int, most: int = 300) -> Layer:
    weights = rng.integers(-most, most, (units, below)).astype(np.int16)
    gain, offset = rng.random((2, units)).astype(np.float32) * [[1e-3], [10.0]]
    return Layer(weights, gain.astype(np.float32), offset.astype(np.float32))


@pytest.fixture
def network() -> Network:
    rng = np.random.default_rng(0)
    low, high = np.full(FEATURES, -2.0, np.float32), np.full(FEATURES, 2.0, np.float32)
    gain, offset = (rng.random((2, FEATURES)) * [[50.0], [5.0]]).astype(np.float32)
    layers = layer(rng, FEATURES, 64), layer(rng, 64, 32), layer(rng, 32, 1)
    return Network(low, high, gain, offset, layers)


def plainly(network: Network, values: np.ndarray) -> list[float]:
    """Score lines one by one, in whole numbers of Python."""
    scores = []
    for line in values.T:
        clipped = np.clip(line, network.low, network.high)
        given = np.rint(clipped * network.gain + network.offset).astype(int).tolist()
        for part in network.layers:
            rows = zip(part.weights.tolist(), part.gain, part.offset, strict=True)
            sums = [
                (np.float32(sum(w * x for w, x in zip(row, given, strict=True))), gain, offset)
                for row, gain, offset in rows
            ]
            last = [total * gain + offset for total, gain, offset in sums]
            given = [int(np.rint(min(max(x, np.float32(0)), np.float32(HIDDEN_TOP)))) for x in last]
        scores.append(float(last[0]))
    return scores


def test_scores_are_those_of_whole_numbers(network: Network) -> None:
    network.validate(FEATURES)
    values = np.random.default_rng(1).normal(size=(FEATURES, 40)).astype(np.float32)
    found = network.scores(values[:150], values[150:])
    assert found.tolist() == plainly(network, values)
    assert len(set(found.tolist())) == 40


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 256, 700])
def test_a_score_does_not_depend_on_the_lines_beside_it(network: Network, count: int) -> None:
    values = np.random.default_rng(2).normal(size=(FEATURES, 1000)).astype(np.float32)
    chosen = np.random.default_rng(count).permutation(1000)[:count]
    assert np.array_equal(network.scores(values[:, chosen]), network.scores(values)[chosen])


def test_pushes_account_for_the_score(network: Network) -> None:
    values = np.random.default_rng(3).normal(size=FEATURES).astype(np.float32)
    still = replace(network, gain=np.where(np.arange(FEATURES) == 5, 0, network.gain))
    still = replace(still, offset=np.zeros(FEATURES, np.float32))
    mean, line = still.scores(np.stack([np.zeros(FEATURES, np.float32), values], axis=1))
    pushes = still.pushes(values)
    assert pushes.sum() == pytest.approx(line - mean, abs=0.02 * np.abs(pushes).sum())
    assert pushes[5] == 0
    assert np.abs(pushes).max() > 0


def test_saved_and_taken_back_it_is_the_same(network: Network) -> None:
    values = np.random.default_rng(4).normal(size=(FEATURES, 30)).astype(np.float32)
    expected = network.scores(values)
    again = Network.from_arrays(network.to_arrays("second_"), "second_")
    again.validate(FEATURES)
    assert np.array_equal(again.scores(values), expected)


def test_a_used_network_is_pickled_as_a_new_one_is(network: Network) -> None:
    values = np.random.default_rng(5).normal(size=(FEATURES, 3)).astype(np.float32)
    before = pickle.dumps(network)
    expected = network.scores(values)
    assert pickle.dumps(network) == before
    assert np.array_equal(pickle.loads(before).scores(values), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": np.zeros(3, np.float32)}, "features of a network"),
        ({"gain": np.full(FEATURES, np.nan, np.float32)}, "expected finite float32"),
        ({"offset": np.zeros(FEATURES)}, "expected finite float32"),
        ({"low": np.full(FEATURES, 3.0, np.float32)}, f"from -{INPUT_TOP} to {INPUT_TOP}"),
        ({"gain": np.full(FEATURES, 3e38, np.float32)}, f"from -{INPUT_TOP} to {INPUT_TOP}"),
    ],
)
def test_features_that_do_not_hold(network: Network, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(network, **changes).validate(FEATURES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": np.zeros((32, 9), np.int16)}, "64 for each unit"),
        ({"weights": np.zeros((32, 64))}, "as int16"),
        ({"weights": np.zeros((0, 64), np.int16)}, "as int16"),
        ({"weights": np.full((32, 64), EXACT // (64 * HIDDEN_TOP) + 1, np.int16)}, "are exact"),
        ({"weights": np.full((32, 64), -(1 << 15), np.int16)}, "are exact"),
        ({"gain": np.zeros(3, np.float32)}, "a finite float32 for each unit"),
        ({"offset": np.full(32, np.inf, np.float32)}, "a finite float32 for each unit"),
    ],
)
def test_layers_that_do_not_hold(network: Network, changes: dict[str, Any], message: str) -> None:
    first, second, last = network.layers
    with pytest.raises(ValueError, match=message):
        replace(network, layers=(first, replace(second, **changes), last)).validate(FEATURES)


def test_one_unit_gives_the_score(network: Network) -> None:
    with pytest.raises(ValueError, match="one unit at the top of a network; found 32"):
        replace(network, layers=network.layers[:2]).validate(FEATURES)
