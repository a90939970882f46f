from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.features import FEATURE_NAMES, FEATURES, batches, extract
from classifier.page_features import running_sums, window
from classifier.report import MEANINGS, feature_table
from classifier.runs import HEADLINE_FEATURES, headline_rows, largest_run, run_rows
from classifier.stacking import STACKING_FEATURES, stacking_rows
from classifier.tokens import lay_out

LINE = st.one_of(
    st.text(st.characters(exclude_characters="\n\r"), max_size=30),
    st.sampled_from(["", " ", "Menu", "12:30", "© 2024", "A sentence, and more of it."]),
)
PAGE = st.lists(LINE, min_size=1, max_size=12)


def feature(name: str, *lines: str) -> list[Any]:
    found: list[Any] = np.round(extract([lines]).matrix[FEATURE_NAMES.index(name)], 3).tolist()
    return found


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("ends_sentence", "He said “no.”", 1),
        ("ends_sentence", "是的。", 1),
        ("ends_sentence", "यह है।", 1),
        ("ends_sentence", "هل هذا صحيح؟", 1),
        ("ends_sentence", "Read more", 0),
        ("ends_ellipsis", "and so on...", 1),
        ("ends_ellipsis", "and so on.", 0),
        ("sentences", "One. Two! 3.5 three?", 3),
        ("joins", "HomeRussia & FSU", 1),
        ("joins", "espрусdefrrs", 2),
        ("icon_joins", "bookmarkicon cameraicon chevron downicon", 3),
        ("prices", "now € 12, was 15 €, in $ and %", 2),
        ("counters", "Comments (12) [3] (a)", 2),
        ("times", "0:00 / 28:15", 2),
        ("urls", "see https://a.example or www.b.example", 2),
        ("tags", 'a < b <div class="x"><p>text</p></div>', 4),
        ("dotted", "a.example 3.5 end.", 1),
        ("copyright", "© 2024 Somebody", 1),
        ("early_colon", "Price: 12", 1),
        ("early_colon", "Price:", 0),
        ("digit_tokens", "12 of 34 left", 0.5),
        ("indent", "   three", 3),
        ("wide_gaps", "a  b   c d  ", 2),
        ("scripts", "English и русский", 2),
        ("words", "中文网站", float(np.log1p(2))),
        ("repeated", "red red blue red", 0.5),
        ("unspaced", "abあ中", 0.5),
    ],
)
def test_feature_of_a_line(name: str, line: str, expected: float) -> None:
    assert feature(name, line) == pytest.approx([expected], abs=1e-3)


def test_copies_ignore_case_and_digits() -> None:
    lines = ["Top stories 1", "a", "TOP STORIES 22", "b"]
    assert feature("copy_back", *lines) == [-1, -1, 2, -1]
    assert feature("copy_on", *lines) == [2, -1, -1, -1]


def test_a_block_that_comes_twice() -> None:
    block = ["alpha beta", "gamma delta", "epsilon zeta"]
    assert feature("block_copy", *block, "other words", *block) == [2, 2, 3, 0, 3, 2, 2]


def test_a_headline_doubled_with_a_word_behind_it() -> None:
    lines = ["Grapes are expected", "Grapes are expected FEATURE", "Grapes are expected FEATURE"]
    assert feature("prefix_next", *lines) == [1, 2, 0]
    assert feature("prefix_previous", *lines) == [0, 1, 2]


def test_distances_to_prose() -> None:
    prose = "This is a sentence that has more than eight words in it."
    assert feature("prose_on", "a", "b", prose, "c") == [2, 1, 50, 50]
    assert feature("prose_back", "a", "b", prose, "c") == [50, 50, 50, 1]


def test_blank_lines_around() -> None:
    assert feature("blank_before", "", "a", "", "", "b") == [1, 2]
    assert feature("blank_after", "", "a", "", "", "b", "") == [2, 1]


def test_words_shared_with_the_first_line() -> None:
    shared = feature("shared_title", "bridge closed", "the bridge is old", "something else")
    assert shared[1] > 0
    assert shared[2] == 0


def test_the_name_of_the_site_comes_again() -> None:
    name = "The Quay Post", "Ferry sinks", "Photo: The Quay Post / A. Lee", "© Quay Post 2020"
    assert feature("first_line_named", *name) == pytest.approx([np.log(2)] * 4, abs=1e-3)
    assert feature("first_line_owned", *name) == [0] * 4
    signed = *name, "© The Quay Post 2020", "THE QUAY POST"
    assert feature("first_line_named", *signed) == pytest.approx([np.log(3)] * 6, abs=1e-3)
    assert feature("first_line_owned", *signed) == [1] * 6
    assert feature("first_line_named", "...", "Ferry sinks") == [0, 0]


def test_missing_neighbours_are_minus_one() -> None:
    assert feature("chars[-1]", "a", "bb")[0] == -1
    assert feature("chars[before4]", "a", "bb")[0] == -1


def test_every_feature_has_a_meaning_and_a_row() -> None:
    assert extract([["a"]]).matrix.shape == (len(FEATURES), 1)
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert all(MEANINGS.values())
    assert feature_table().count("\n") == len(MEANINGS) + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(PAGE, min_size=1, max_size=4))
def test_a_page_does_not_depend_on_its_batch(pages: list[list[str]]) -> None:
    together = extract(pages)
    assert np.isfinite(together.matrix).all()
    for place, page in enumerate(pages):
        start, stop = together.text.page_start[place : place + 2]
        assert np.array_equal(together.matrix[:, start:stop], extract([page]).matrix)


@settings(max_examples=40, deadline=None)
@given(st.lists(PAGE, min_size=2, max_size=3), st.integers(0, 2**32 - 1))
def test_the_second_stage_does_not_depend_on_the_batch(pages: list[list[str]], seed: int) -> None:
    batch = extract(pages)
    scores = np.random.default_rng(seed).normal(0, 3, (2, batch.text.n_lines))
    rows = stacking_rows(batch, *scores)
    assert rows.shape == (len(STACKING_FEATURES), batch.text.n_lines)
    assert np.isfinite(rows).all()
    for place, page in enumerate(pages):
        own = slice(*batch.text.page_start[place : place + 2].tolist())
        alone = stacking_rows(extract([page]), *scores[:, own])
        assert np.array_equal(rows[:, own], alone)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-5, 5), max_size=7), min_size=1, max_size=4))
def test_the_largest_run_is_the_one_of_largest_gain(gains: list[list[int]]) -> None:
    text = lay_out([["x"] * len(page) for page in gains])
    start, stop = largest_run(np.array([g for page in gains for g in page], dtype=np.int64), text)
    offset = 0
    for place, page in enumerate(gains):
        low, high = start[place] - offset, stop[place] - offset
        sums = [sum(page[i:j]) for i in range(len(page)) for j in range(i + 1, len(page) + 1)]
        assert sum(page[low:high]) == max(sums, default=0)
        offset += len(page)


def test_short_lines_end_the_core_run_where_the_main_run_goes_on() -> None:
    """A menu, an article, and the summaries of others, each between two buttons."""
    text = lay_out([["x"] * 26])
    chance = np.array([0.1] * 2 + [0.9] * 6 + [0.1, 0.6, 0.1] * 6)
    words = np.where(chance < 0.2, 1, 40)
    rows = run_rows(text, words, np.log(chance / (1 - chance)), chance)
    assert np.flatnonzero(rows["run_inside"]).tolist() == list(range(2, 25))
    assert np.flatnonzero(rows["core_inside"]).tolist() == list(range(2, 8))
    assert np.round(rows["core_from"][[0, 2, 4]], 3).tolist() == [-1.099, 0, 1.099]
    assert np.expm1(rows["core_low"])[[0, 1, 5, 8, 9, 10]].round().tolist() == [1, 0, 0, 0, 1, 1]
    assert np.expm1(rows["core_past"])[[1, 5, 9, 10]].round().tolist() == [0, 0, 0, 24]
    assert np.expm1(rows["core_words"]).round().tolist() == [6 * 41] * 26


@given(st.lists(st.lists(st.floats(0, 1), max_size=20), min_size=1, max_size=3))
def test_the_valley_is_the_lowest_mean_on_the_way_from_the_anchor(pages: list[list[float]]) -> None:
    text = lay_out([["x"] * len(page) for page in pages])
    chance = np.array([value for page in pages for value in page])
    rows = run_rows(text, np.ones(len(chance), dtype=np.intp), chance, chance)
    offset = 0
    for page in pages:
        around = [(max(i - 2, 0), i + 3) for i in range(len(page))]
        mean = [float(np.mean(page[low:high])) for low, high in around]
        mass = [sum(page[max(i - 4, 0) : i + 5]) for i in range(len(page))]
        own = slice(offset, offset + len(page))
        anchor = np.flatnonzero(rows["anchor_from"][own] == 0).tolist()
        assert len(anchor) == min(len(page), 1)
        for i, found in enumerate(rows["valley2"][own]):
            low, high = sorted((i, anchor[0]))
            assert found == pytest.approx(min(mean[low : high + 1]), abs=0.001)
            assert mass[anchor[0]] >= mass[i] - 0.01
        offset += len(page)


def test_batches_keep_the_order_and_lose_nothing() -> None:
    pages = [["x" * 30]] * 10
    groups = list(batches(pages, chars=100))
    assert [index for group in groups for index in group] == list(range(10))
    assert [len(group) for group in groups] == [4, 4, 2]
    assert [len(group) for group in batches([["x"]] * 100)] == [64, 36]


def test_windows_are_right_where_the_running_sums_are_large() -> None:
    values = np.random.default_rng(0).uniform(0, 12, 200_000).round(2)
    text = lay_out([["a"] * 120_000, ["b"] * 80_000])
    sums = running_sums(values[None])
    assert sums.max() > 2**32
    found = window(sums, text, -60, -1)[0]
    for line in (1, 30, 60, 119_999, 120_001, 150_000, 199_999):
        start = max(line - 60, 0 if line < 120_000 else 120_000)
        assert found[line] == pytest.approx(values[start:line].mean(), abs=2e-4)
    assert found[[0, 120_000]].tolist() == [-1, -1]


@given(st.lists(PAGE, min_size=1, max_size=3))
def test_no_feature_is_missing(pages: list[list[str]]) -> None:
    assert np.isfinite(extract(pages).matrix).all()


def test_windows_are_right_over_lines_full_of_commas() -> None:
    found = extract([["," * 30_000 + "a"] * 70]).matrix
    for side in ("before", "after"):
        row = found[FEATURE_NAMES.index(f"commas[{side}60]")]
        assert row[35] == pytest.approx(30_000)


def test_lines_stand_before_and_after_the_likely_headline() -> None:
    text = lay_out([["x"] * 2, [], ["x"] * 4])
    score = np.array([-1.0, -3.0, -5.0, -2.0, -4.0, -2.0])
    rows = headline_rows(text, np.array([3, 1, 2, 6, 10, 4]), score)
    found = dict(zip(HEADLINE_FEATURES, rows, strict=True))
    assert found["headline_best"].tolist() == [-1] * 2 + [-2] * 4
    assert np.sign(found["headline_from"]).tolist() == [0, 1, -1, 0, 1, 1]
    assert np.expm1(np.abs(found["headline_words"])).round().tolist() == [0, 3, 2, 0, 6, 16]
    assert found["headline_gap"].tolist() == [0, -2, -3, 0, -2, 0]
