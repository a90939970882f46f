from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.decoder import Decoder, cheapest_labels, expected_f1, find_headline

GAINS = st.lists(st.floats(-5, 5), max_size=9)


def value(labels: tuple[bool, ...], gain: list[float], switch_cost: float) -> float:
    switches = sum(a != b for a, b in pairwise(labels))
    return sum(g for g, label in zip(gain, labels, strict=True) if label) - switch_cost * switches


@given(GAINS, st.floats(0, 6))
def test_no_labelling_is_cheaper(gain: list[float], switch_cost: float) -> None:
    found = tuple(cheapest_labels(np.array(gain), switch_cost).tolist())
    best = max(value(x, gain, switch_cost) for x in product([False, True], repeat=len(gain)))
    assert value(found, gain, switch_cost) == pytest.approx(best, abs=1e-9)


@given(GAINS)
def test_without_a_switch_cost_each_line_decides_alone(gain: list[float]) -> None:
    assert cheapest_labels(np.array(gain), 0.0).tolist() == [g > 0 for g in gain]


def test_a_switch_cost_joins_what_stands_together() -> None:
    gain = np.array([3.0, -0.5, 2.0, -4.0, 0.3, -4.0])
    assert cheapest_labels(gain, 1.0).tolist() == [True, True, True, False, False, False]


def test_expected_f1_by_hand() -> None:
    # taking the first line: 2 * 9 / (10 + 9 + 1); taking both: 2 * 10 / (20 + 10)
    assert expected_f1(np.array([0.9, 0.1]), np.array([10.0, 10.0])) == pytest.approx(0.9)


def test_expected_f1_of_nothing() -> None:
    assert expected_f1(np.array([]), np.array([])) == 0.0


def test_aim_moves_the_threshold() -> None:
    chance, words = np.array([0.9, 0.5, 0.3]), np.array([10, 10, 10])
    low, high = Decoder(aim=0.5).threshold(chance, words), Decoder(aim=1.5).threshold(chance, words)
    assert low < Decoder().threshold(chance, words) < high
    assert Decoder(0.0).labels(chance, words, threshold=0.4).tolist() == [True, True, False]


@given(st.lists(GAINS, min_size=1, max_size=5), st.floats(0, 6))
def test_pages_together_are_labelled_as_each_alone(pages: list[list[float]], cost: float) -> None:
    lengths = [len(page) for page in pages]
    found = cheapest_labels(np.concatenate(list(map(np.array, pages))), cost, lengths).tolist()
    assert found == [x for page in pages for x in cheapest_labels(np.array(page), cost).tolist()]


@given(st.lists(st.lists(st.floats(0, 1), max_size=6), min_size=1, max_size=5))
def test_pages_together_have_the_thresholds_of_each_alone(pages: list[list[float]]) -> None:
    chances = [np.array(page, dtype=np.float64) for page in pages]
    words = [7 * np.arange(len(page)) for page in pages]
    together = Decoder().threshold(
        np.concatenate(chances), np.concatenate(words), list(map(len, pages))
    )
    alone = [Decoder().threshold(c, w)[0] for c, w in zip(chances, words, strict=True)]
    assert together.tolist() == alone


def test_a_headline_has_content_below_it() -> None:
    chance, sure = np.array([0.2, 0.9, 0.95, 0.3]), np.ones(4)
    assert find_headline(chance, sure, np.array([False, False, True, True]), 0.5) == 2
    assert find_headline(chance, sure, np.array([False, False, True, False]), 0.5) == 1
    assert find_headline(chance, sure, np.array([True, False, False, False]), 0.1) is None
    assert find_headline(chance, sure, np.zeros(4, dtype=bool), 0.1) is None
    assert find_headline(np.array([]), np.array([]), np.array([], dtype=bool), 0.1) is None
    assert find_headline(chance, sure, np.ones(4, dtype=bool), 0.96) is None


def test_a_headline_is_content_as_well() -> None:
    headline, labels = np.array([0.8, 0.7, 0.1]), np.ones(3, dtype=bool)
    assert find_headline(headline, np.array([0.5, 0.9, 1.0]), labels, 0.5) == 1
    assert find_headline(headline, np.array([0.6, 0.7, 1.0]), labels, 0.5) == 0
    assert find_headline(headline, np.array([0.5, 0.7, 1.0]), labels, 0.6) is None
