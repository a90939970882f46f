from __future__ import annotations

import numpy as np

from classifier.features import FEATURE_NAMES, extract
from classifier.landmarks import distances
from classifier.tokens import lay_out


def test_distances_stay_on_their_page() -> None:
    text = lay_out([["a", "b", "c"], ["d", "e"]])
    flags = np.array([[False, True, False, False, True], [False] * 5])
    back, on = distances(flags, text, 9)
    assert back.tolist() == [[9, 9, 1, 9, 9], [9] * 5]
    assert on.tolist() == [[1, 9, 9, 1, 9], [9] * 5]


def landmark(name: str, *lines: str) -> list[int]:
    row = extract([lines]).matrix[FEATURE_NAMES.index(name)]
    return [round(value) for value in np.expm1(row).tolist()]


def test_a_line_under_related_knows_it() -> None:
    assert landmark("related_back", "one", "Related stories", "two", "three") == [250, 250, 1, 2]


def test_the_title_line_comes_again() -> None:
    lines = ("The bridge is closed | Ledger", "Menu", "The bridge is closed", "On Monday")
    assert landmark("title_on", *lines) == [2, 1, 250, 250]
    assert landmark("title_back", *lines) == [250, 250, 250, 1]
