from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.matching import (
    MOST_COPIES,
    WIDTH,
    first_place,
    heaviest_chain,
    shared_runs,
)
from training.numbering import number_tokens, split_tokens
from training.placing import place_tokens

WORDS = st.lists(st.integers(0, 3), max_size=11)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't  STOP—now!", ["don", "t", "stop", "now"]),
        ("HomeNews Mar7", ["home", "news", "mar7"]),
        ("ส้ม", ["ส", "้", "ม"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
        ("\u200b\u200d • —", []),
        ("", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert split_tokens(text) == tokens


def test_numbers_are_shared_and_unknown_tokens_are_none() -> None:
    dump, gold = number_tokens(["The sea 1999 air 1999", "", "海 the"], ["sea the 海"])
    assert gold.ids.tolist() == [0, 1, 2]
    assert dump.ids.tolist() == [1, 0, -1, -2, -1, 2, 1]
    assert dump.starts.tolist() == [0, 5, 5, 7]
    assert dump.numeric.tolist() == [False, False, True, False, True, False, False]
    assert dump.weights.tolist() == [1, 1, 1, 1, 1, 0.4, 1]
    assert dump.line_of.tolist() == [0, 0, 0, 0, 0, 2, 2]


def maximal_runs(dump: list[int], gold: list[int]) -> set[tuple[int, int, int]]:
    found = set()
    for i in range(len(dump)):
        for j in range(len(gold)):
            if i and j and dump[i - 1] == gold[j - 1]:
                continue
            size = 0
            while (
                i + size < len(dump) and j + size < len(gold) and dump[i + size] == gold[j + size]
            ):
                size += 1
            if size >= WIDTH:
                found.add((i, j, size))
    return found


@given(dump=WORDS, gold=WORDS)
def test_shared_runs_are_those_of_brute_force(dump: list[int], gold: list[int]) -> None:
    runs = shared_runs(np.array(dump, dtype=np.intp), np.array(gold, dtype=np.intp))
    assert {tuple(run) for run in runs.tolist()} == maximal_runs(dump, gold)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 5)), max_size=7))
def test_the_chain_is_the_heaviest_that_does_not_overlap(runs: list[tuple[int, int, int]]) -> None:
    array = np.array(runs, dtype=np.intp).reshape(-1, 3)
    weights = array[:, 2].astype(float)
    chain = heaviest_chain(array, weights)

    def forward(part: tuple[tuple[int, int, int], ...]) -> bool:
        ordered = sorted(part)
        return all(a[0] + a[2] <= b[0] and a[1] + a[2] <= b[1] for a, b in pairwise(ordered))

    best = max(
        (sum(run[2] for run in part)
         for count in range(len(runs) + 1)
         for part in combinations(runs, count) if forward(part)),
        default=0,
    )  # fmt: skip
    assert forward(tuple(tuple(piece[:3]) for piece in chain.tolist()))
    # far apart costs a little, and cutting what overlaps can only gain
    assert chain[:, 2].sum() >= best - 0.5 or not runs


def test_of_many_copies_those_as_far_along_are_looked_at() -> None:
    first = first_place(np.arange(100), np.array(100), np.array(100))
    assert np.all(first <= np.arange(100))
    assert np.all(first + MOST_COPIES > np.arange(100))
    assert first_place(np.arange(3), np.array(3), np.array(2)).tolist() == [0, 0, 0]


@given(
    dump=st.lists(st.text("ab \n12", max_size=9), max_size=9),
    gold=st.lists(st.text("ab \n12", max_size=9), max_size=9),
)
def test_each_token_of_the_reference_is_used_once(dump: list[str], gold: list[str]) -> None:
    placing = place_tokens(*number_tokens(dump, gold))
    at = np.flatnonzero(placing.place >= 0)
    places = placing.place[at]
    assert len(set(places.tolist())) == len(places)
    assert np.array_equal(placing.dump.ids[at], placing.gold.ids[places])
    assert sorted(places.tolist()) == np.flatnonzero(placing.used).tolist()
