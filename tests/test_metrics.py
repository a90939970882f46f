from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classifier.span import BOILERPLATE, CONTENT, Label
from training.evaluate import evaluate_pages, total_figures
from training.metrics import Prediction, figures, keeps_headline, page_sums, word_scores
from training.records import LabeledPage

LABEL: dict[str, Label] = {"C": CONTENT, "B": BOILERPLATE, ".": BOILERPLATE, "?": BOILERPLATE}


def page(labels: str, text: str | None = None, **fields: Any) -> LabeledPage:
    lines = ["" if label == "." else f"w{number}" for number, label in enumerate(labels)]
    fields = {"site": "s", **fields}
    return LabeledPage("x/1", text or "\n".join(lines), labels, **fields)


def said(
    labels: str, chances: list[float] | None = None, headline: int | None = None
) -> Prediction:
    chance = np.array([0.9 if label == "C" else 0.1 for label in labels])
    return Prediction(
        [LABEL[x] for x in labels], chance if chances is None else np.array(chances), headline
    )


def measured(truth: LabeledPage, found: Prediction) -> dict[str, float]:
    return {name: float(np.ravel(x)[0]) for name, x in figures(page_sums(truth, found)).items()}


def test_word_scores_are_of_bags() -> None:
    precision, recall, f1 = word_scores("a a b", "A b c d")
    assert [precision, recall, f1] == pytest.approx([2 / 3, 1 / 2, 4 / 7])
    assert word_scores("", "") == (1, 1, 1)
    assert word_scores("a", "...") == (0, 0, 0)


def test_line_figures_by_hand() -> None:
    found = measured(page("CCCCBBB.?"), said("CCBBCBBCC"))
    assert found["content_precision"] == pytest.approx(2 / 3)
    assert found["content_recall"] == pytest.approx(2 / 4)
    assert found["content_f1"] == pytest.approx(4 / 7)
    assert found["boilerplate_precision"] == pytest.approx(2 / 4)
    assert found["boilerplate_recall"] == pytest.approx(2 / 3)


def test_span_figures_by_hand() -> None:
    # true spans 1-3, 5-8; found 1-3, 5-6, 8-9: one exact, and 5-6 is a third of 5-8
    found = measured(page("BCCBBCCCBB"), said("BCCBBCBBCB"))
    assert found["span_exact_f1"] == pytest.approx(2 / 5)
    assert found["span_overlap_f1"] == pytest.approx(2 / 5)
    assert (found["spans_found"], found["spans_true"]) == (3, 2)
    assert found["boundary_error"] == pytest.approx(0.5)


def test_unjudged_lines_join_their_neighbours() -> None:
    found = measured(page("BC?CB"), said("BCBCB"))
    assert (found["spans_found"], found["spans_true"]) == (1, 1)


def test_calibration_by_hand() -> None:
    found = measured(page("CB"), said("CB", [0.75, 0.25]))
    assert found["brier"] == pytest.approx(0.0625)
    assert found["calibration_error"] == pytest.approx(0.25)
    assert found["auc"] == 1


def test_auc_counts_ties_as_halves() -> None:
    found = measured(page("CCBB"), said("CCBB", [0.9, 0.5, 0.5, 0.1]))
    assert found["auc"] == pytest.approx(3.5 / 4)


def test_the_mean_auc_leaves_pages_of_one_label_out() -> None:
    pages = [page("CCBB"), page("CB"), page("BB")]
    found = [
        said("CCBB", [0.9, 0.5, 0.5, 0.1]),
        said("CB", [0.2, 0.1]),
        said("BB", [0.9, 0.9]),
    ]
    figure = evaluate_pages(pages, found).total.figures["page_auc"]
    assert figure.value == pytest.approx((3.5 / 4 + 1) / 2)


def test_perfect_and_empty_predictions() -> None:
    truth = page("BCC.CB")
    perfect = measured(truth, said("BCC.CB"))
    for name in (
        "word_f1",
        "content_f1",
        "boilerplate_f1",
        "span_exact_f1",
        "span_overlap_f1",
        "auc",
    ):
        assert perfect[name] == 1
    assert perfect["boundary_error"] == 0
    assert measured(truth, said("BBB.BB"))["word_f1"] == 0


def test_the_headline_is_dropped_against_a_gold_text_without_it() -> None:
    truth = page("CC", "Title\nbody", reference="body")
    assert not keeps_headline(truth)
    assert measured(truth, said("CC", headline=0))["word_f1"] == 1
    assert measured(truth, said("CC"))["word_f1"] == pytest.approx(2 / 3)
    assert keeps_headline(LabeledPage("cleaneval/1", "a", "C", "s", reference="a"))
    assert keeps_headline(page("C"))


def test_unjudged_lines_count_against_a_gold_text_only() -> None:
    text = "one\ntwo"
    assert measured(page("C?", text), said("CC"))["word_precision"] == 1
    gold = page("C?", text, reference="one")
    found = Prediction([CONTENT, CONTENT], np.array([0.9, 0.9]), None)
    assert measured(gold, found)["word_precision"] == 0.5


def test_a_report_has_intervals_breakdowns_and_worst_pages() -> None:
    pages = [page("BCB", site=f"s{n // 4}", language="en" if n % 2 else "de") for n in range(20)]
    found = [said("BCB") if n >= 5 else said("BBC") for n in range(20)]
    report = evaluate_pages(pages, found)
    figure = report.total.figures["word_f1"]
    assert figure.value == pytest.approx(0.75)
    assert figure.low < 0.75 < figure.high
    assert sorted(report.by["language"]) == ["de", "en"]
    assert len(report.by["site"]) == 5
    assert len(report.worst) == 10
    assert "content lost" in report.worst[0].what
    assert "after" in report.worst[0].what
    assert json.loads(report.to_json())["total"]["pages"] == 20


def test_the_order_of_pages_does_not_matter() -> None:
    pages = [page("BCB", site=f"s{n % 3}") for n in range(6)]
    found = [said("BCB") if n % 2 else said("CCB") for n in range(6)]
    forward = evaluate_pages(pages, found).total
    backward = evaluate_pages(pages[::-1], found[::-1]).total
    assert forward == backward


def test_headlines_count_where_they_are_known() -> None:
    top = replace(page("BCB"), headline_line=1)
    right, wrong = (Prediction(said("BCB").labels, np.zeros(3), n) for n in (1, 0))
    found = total_figures([top, top, page("BCB")], [right, wrong, wrong])
    assert found["headline"] == 0.5
    assert "headline" not in total_figures([page("BCB")], [wrong])


def test_totals_are_those_of_the_report() -> None:
    pages = [page("BCB", site=f"s{n % 3}") for n in range(6)]
    found = [said("BCB") if n % 2 else said("CCB") for n in range(6)]
    report = evaluate_pages(pages, found).total.figures
    assert total_figures(pages, found) == {name: x.value for name, x in report.items()}
