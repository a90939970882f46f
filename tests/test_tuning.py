from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.tuning import Outcome, calibrate, tune


def outcome(rng: np.random.Generator) -> Outcome:
    """Return a page of long content lines with a short line of boilerplate after each third."""
    content = np.arange(24) % 4 != 3
    score = np.where(content, 2.0, -1.0) + rng.normal(0, 0.5, 24)
    words = np.where(content, 40, 1)
    physical = np.arange(24)
    return Outcome(score, np.zeros(24), words, content.astype(np.int8), physical, None)


def test_the_decoder_does_not_swallow_short_lines_that_hardly_count_in_words() -> None:
    rng = np.random.default_rng(0)
    pages = [outcome(rng) for _ in range(40)]
    tuned = tune(pages, np.ones(40))
    for page in pages:
        labels = tuned.decoder.labels(np.interp(page.score, *tuned.knots), page.words)
        assert (labels == (page.truth == 1)).mean() > 0.95


@pytest.mark.parametrize(("wrong", "threshold"), [(0, 0.05), (20, 0.082)])
def test_the_headline_threshold_is_the_lowest_that_finds_about_as_many(
    wrong: int, threshold: float
) -> None:
    rng = np.random.default_rng(0)
    pages = []
    for place in range(40):
        page = outcome(rng)
        page.headline[0] = 0.07 if place < wrong else 0.9
        pages.append(replace(page, top=1 if place < wrong else 0))
    assert tune(pages, np.ones(40)).headline_threshold == threshold


def test_the_aim_is_learned_where_the_lines_of_a_page_err_together() -> None:
    pages = []
    for place in range(40):
        page = outcome(np.random.default_rng(place))
        asides = np.arange(24) % 4 == 1
        # long lines that are as probable as not: content on two pages in five, on the others not
        truth = np.where(asides, place % 5 < 2, page.truth).astype(np.int8)
        pages.append(replace(page, score=np.where(asides, 0.0, page.score), truth=truth))
    tuned = tune(pages, np.ones(40))
    assert tuned.presets["balanced"].aim == tuned.decoder.aim > 1
    aims = [tuned.presets[name].aim for name in ("recall", "balanced", "precision")]
    assert aims == sorted(aims)


def test_in_calibration_a_page_weighs_by_the_root_of_its_lines() -> None:
    def page(lines: int, content: int) -> Outcome:
        blank = np.zeros(lines)
        truth = np.full(lines, content, dtype=np.int8)
        return Outcome(blank, blank, np.ones(lines, int), truth, np.arange(lines), None)

    knots = calibrate([page(100, 1), page(1, 0)], np.ones(2))
    assert np.interp(0.0, *knots) == pytest.approx(10 / 11)
