from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from classifier import Model
from tests.conftest import invented_pages
from training import choose_trial
from training.choose import PageLines, choose_lines, look, order_pages, usefulness
from training.fit import fit


def page(
    second: Sequence[float],
    features: Sequence[Sequence[float]],
    judged: Sequence[int] = (),
    first: Sequence[float] | None = None,
) -> PageLines:
    count = len(second)
    return PageLines(
        np.arange(count) * 2,
        np.array(second if first is None else first, dtype=np.float64),
        np.array(second, dtype=np.float64),
        np.array(features, dtype=np.float32).reshape(count, -1 if count else 2),
        np.isin(np.arange(count), judged),
    )


def test_usefulness_by_hand() -> None:
    first, second = np.array([0.5, 0.25, 0.0, 1.0]), np.array([0.5, 0.25, 1.0, 0.75])
    quarter = 0.25 * 2 + 0.75 * np.log2(4 / 3)
    assert usefulness(first, second) == pytest.approx([1.0, quarter, 1.0, quarter + 0.25])


def far(count: int) -> list[list[float]]:
    return np.eye(count, dtype=float).tolist()


def test_the_most_doubtful_lines_come_first() -> None:
    pages = [page([0.99, 0.5, 0.9], far(6)[:3]), page([0.01, 0.6, 0.3], far(6)[3:])]
    chosen = choose_lines(pages, 3)
    assert [(at, line) for at, line, _ in chosen] == [(0, 2), (1, 2), (1, 4)]
    assert all(a[2] >= b[2] for a, b in pairwise(chosen))


def test_a_disagreement_of_the_stages_counts() -> None:
    pages = [page([0.8, 0.8, 0.2], far(3), first=[0.8, 0.1, 0.2])]
    assert choose_lines(pages, 1)[0][:2] == (0, 2)


def test_the_same_doubt_is_asked_once() -> None:
    same = [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    pages = [page([0.5, 0.5, 0.5, 0.9], same)]
    assert {line for _, line, _ in choose_lines(pages, 2)} == {0, 6}


def test_what_is_like_a_judged_line_waits() -> None:
    features = [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    pages = [page([0.5, 0.5, 0.8, 0.99], features, judged=[0])]
    chosen = choose_lines(pages, 10)
    assert [line for _, line, _ in chosen] == [4, 6, 2]  # never the judged one, the like one last
    assert chosen[-1][2] == pytest.approx(0.0, abs=1e-6)


def test_edges() -> None:
    assert choose_lines([], 5) == []
    assert order_pages([]) == []
    empty = page([], [])
    assert choose_lines([empty], 5) == []
    assert choose_lines([page([0.5], [[1.0]], judged=[0])], 5) == []
    assert choose_lines([page([0.5, 0.4], far(2))], 0) == []
    assert order_pages([empty, empty]) == [0, 1]
    same = [[1.0, np.nan]] * 3
    assert len(choose_lines([page([0.0, 1.0, 0.5], same)], 5)) == 3


def test_pages_are_ordered_by_what_is_left_to_learn() -> None:
    sure, doubtful = page([0.99] * 4, far(16)[:4]), page([0.5] * 4, far(16)[4:8])
    done = page([0.5] * 4, far(16)[8:12], judged=range(4))
    assert order_pages([sure, done, doubtful]) == [2, 0, 1]


def test_looking_at_pages(small_model: Model) -> None:
    texts = [x.text.split("\n") for x in invented_pages(3)]
    pages = list(look(small_model, [*texts, [""]], [[0, 5], [], [], []]))
    assert [len(x.physical) for x in pages] == [11, 11, 11, 0]
    assert pages[0].physical[pages[0].judged].tolist() == [0, 5]
    result = small_model.classify("\n".join(texts[1]))
    assert pages[1].second.tolist() == result.content_probability[pages[1].physical].tolist()
    assert (pages[1].first > 0).all()
    assert (pages[1].first < 1).all()
    chosen = choose_lines(pages, 7, seed=1)
    assert chosen == choose_lines(pages, 7, seed=1)
    assert len({pair[:2] for pair in chosen}) == 7
    assert (0, 0) not in {pair[:2] for pair in chosen}


def test_the_small_recipe_of_the_trial_trains() -> None:
    pages = invented_pages()
    assert "content" in fit(pages, choose_trial.small_recipe()).classify(pages[0].text).labels
