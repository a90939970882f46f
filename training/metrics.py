"""Figures of predictions against labelled pages; pure functions of arrays and counts.

Every figure is a function of sums over pages, so that a bootstrap over sites only has to weigh
the sites' sums anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.page import read_page
from classifier.result import PageResult
from classifier.span import CONTENT, Label
from training.labeled import LabeledPage
from training.records import headline_of

__all__ = ["FIGURES", "Prediction", "figures", "page_sums", "predicted_lines", "word_scores"]

Doubles = npt.NDArray[np.float64]
Sums = dict[str, Doubles]

_WORD = re.compile(r"\w+")
_CALIBRATION_BINS = 15
_SCORE_BINS = 1000


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is said of one page.

    Attributes
    ----------
    labels : sequence of str
        One a physical line.
    content_probability : ndarray of float64, shape (n_lines,)
        NaN on blank lines.
    headline : int or None
    """

    labels: Sequence[Label]
    content_probability: Doubles
    headline: int | None

    @classmethod
    def of(cls, result: PageResult) -> Prediction:
        """Return the prediction that a model's result is."""
        return cls(result.labels, result.content_probability, result.headline)


def word_scores(predicted: str, reference: str) -> tuple[float, float, float]:
    r"""Return word precision, recall and F1: WCXB's metric.

    The texts are bags of lower-cased ``\w+`` tokens.

    Parameters
    ----------
    predicted, reference : str

    Returns
    -------
    tuple of float
        All 1 if both are empty, all 0 if only one is.

    Examples
    --------
    >>> word_scores("a b", "A c")
    (0.5, 0.5, 0.5)
    """
    found, gold = (Counter(_WORD.findall(text.lower())) for text in (predicted, reference))
    n_found, n_gold = found.total(), gold.total()
    if not n_found or not n_gold:
        same = float(n_found == n_gold)
        return same, same, same
    hits = (found & gold).total()
    return hits / n_found, hits / n_gold, 2 * hits / (n_found + n_gold)


def keeps_headline(page: LabeledPage) -> bool:
    """Return whether the page's gold text holds the headline.

    The record says so, or else the corpus: of those in use, CleanEval's and WebMainBench's do.
    """
    if page.headline_in_reference is not None:
        return page.headline_in_reference
    return page.reference is None or page.id.startswith(("cleaneval/", "webmainbench/"))


def predicted_lines(page: LabeledPage, prediction: Prediction, keep: bool) -> list[int]:
    """Return the physical lines whose words are compared; without the headline unless `keep`."""
    judged = page.reference is not None
    return [
        index
        for index, (label, truth) in enumerate(zip(prediction.labels, page.labels, strict=True))
        if label == CONTENT
        and truth != "."
        and (judged or truth != "?")
        and (keep or index != prediction.headline)
    ]


def _runs(content: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], content, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def span_hits(found: list[tuple[int, int]], true: list[tuple[int, int]]) -> tuple[int, int]:
    """Return how many spans are found exactly, and how many by an overlap of half their union.

    Of spans that do not meet each other, at most one overlaps another one by half of the union,
    so that no matching has to be chosen.
    """
    exact = len(set(found) & set(true))
    overlapping = 0
    for start, stop in found:
        for other, end in true:
            common = min(stop, end) - max(start, other)
            overlapping += common > 0 and 2 * common >= max(stop, end) - min(start, other)
    return exact, overlapping


def page_sums(page: LabeledPage, prediction: Prediction, keep: bool | None = None) -> Sums:
    """Return the sums of one page that :func:`figures` needs.

    Parameters
    ----------
    page : LabeledPage
    prediction : Prediction
    keep : bool, optional
        Whether the gold text holds the headline; by default :func:`keeps_headline`.

    Returns
    -------
    dict of str to ndarray
    """
    keep = keeps_headline(page) if keep is None else keep
    lines = read_page(page.text).lines
    text = "\n".join(lines[i] for i in predicted_lines(page, prediction, keep))
    gold = page.reference
    if gold is None:
        gold = "\n".join(x for x, label in zip(lines, page.labels, strict=True) if label == "C")
    judged = [i for i, label in enumerate(page.labels) if label in "CB"]
    truth = np.array([page.labels[i] == "C" for i in judged], dtype=bool)
    found = np.array([prediction.labels[i] == CONTENT for i in judged], dtype=bool)
    chance = prediction.content_probability[judged]
    sums = {"words": np.array(word_scores(text, gold)), "pages": np.ones(1)}
    sums["headline"] = _headline(page, lines, prediction.headline)
    return sums | _line_sums(truth, found, chance) | _span_sums(truth, found)


def _headline(page: LabeledPage, lines: Sequence[str], found: int | None) -> Doubles:
    """Return whether the headline was found, a copy of it or itself, and whether it is known."""
    top = headline_of(page)
    if top is None:
        return np.zeros(2)
    same = found is not None and lines[found].strip().lower() == lines[top].strip().lower()
    return np.array([float(same), 1.0])


def _line_sums(truth: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_], chance: Doubles) -> Sums:
    chance = np.nan_to_num(chance)
    cells = [found & truth, found & ~truth, ~found & truth, ~found & ~truth]
    table = np.array([np.count_nonzero(cell) for cell in cells], dtype=np.float64)
    level = np.minimum((chance * _CALIBRATION_BINS).astype(np.intp), _CALIBRATION_BINS - 1)
    fine = np.minimum((chance * _SCORE_BINS).astype(np.intp), _SCORE_BINS - 1)
    both = table[0] * 2 + table[1] + table[2]
    content, boilerplate = (
        np.bincount(fine[side], minlength=_SCORE_BINS).astype(np.float64)
        for side in (truth, ~truth)
    )
    mixed = float(truth.any() and not truth.all())
    return {
        "table": table,
        "macro": np.array([2 * table[0] / both if both else 1.0]),
        "brier": np.array([np.sum((chance - truth) ** 2)]),
        "said": np.bincount(level, weights=chance, minlength=_CALIBRATION_BINS),
        "seen": np.bincount(level, weights=truth, minlength=_CALIBRATION_BINS),
        "content": content,
        "boilerplate": boilerplate,
        "ranked": np.array([float(_auc({"content": content, "boilerplate": boilerplate})), mixed]),
    }


def _span_sums(truth: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> Sums:
    true_runs, found_runs = _runs(truth), _runs(found)
    exact, overlapping = span_hits(found_runs, true_runs)
    spans = [exact, overlapping, len(found_runs), len(true_runs)]
    edges = [0.0, 0.0]
    if true_runs and found_runs:
        start = abs(true_runs[0][0] - found_runs[0][0])
        edges = [(start + abs(true_runs[-1][1] - found_runs[-1][1])) / 2, 1.0]
    return {"spans": np.array(spans, dtype=np.float64), "edges": np.array(edges)}


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Doubles:
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole)
    ratio: Doubles = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return ratio


def _auc(sums: Sums) -> Doubles:
    positive, negative = sums["content"], sums["boilerplate"]
    below = np.cumsum(negative, axis=-1) - negative / 2
    pairs = positive.sum(axis=-1) * negative.sum(axis=-1)
    return _ratio((positive * below).sum(axis=-1), pairs)


def _part(name: str, top: Sequence[int], bottom: Sequence[int]) -> Callable[[Sums], Doubles]:
    return lambda sums: _ratio(
        sum((sums[name][..., i] for i in top), start=np.zeros(1)),
        sum((sums[name][..., i] for i in bottom), start=np.zeros(1)),
    )


def _mean(name: str, place: int) -> Callable[[Sums], Doubles]:
    return lambda sums: _ratio(sums[name][..., place], sums["pages"][..., 0])


FIGURES: dict[str, Callable[[Sums], Doubles]] = {
    "word_precision": _mean("words", 0),
    "word_recall": _mean("words", 1),
    "word_f1": _mean("words", 2),
    "content_precision": _part("table", [0], [0, 1]),
    "content_recall": _part("table", [0], [0, 2]),
    "content_f1": _part("table", [0, 0], [0, 0, 1, 2]),
    "boilerplate_precision": _part("table", [3], [3, 2]),
    "boilerplate_recall": _part("table", [3], [3, 1]),
    "boilerplate_f1": _part("table", [3, 3], [3, 3, 1, 2]),
    "page_line_f1": _mean("macro", 0),
    "headline": lambda sums: np.where(
        sums["headline"][..., 1] > 0,
        _ratio(sums["headline"][..., 0], sums["headline"][..., 1]),
        np.nan,
    ),
    "auc": _auc,
    "page_auc": lambda sums: _ratio(sums["ranked"][..., 0], sums["ranked"][..., 1]),
    "brier": lambda sums: _ratio(sums["brier"][..., 0], sums["table"].sum(axis=-1)),
    "calibration_error": lambda sums: _ratio(
        np.abs(sums["said"] - sums["seen"]).sum(axis=-1), sums["table"].sum(axis=-1)
    ),
    "span_exact_f1": lambda sums: _ratio(
        2 * sums["spans"][..., 0], sums["spans"][..., 2] + sums["spans"][..., 3]
    ),
    "span_overlap_f1": lambda sums: _ratio(
        2 * sums["spans"][..., 1], sums["spans"][..., 2] + sums["spans"][..., 3]
    ),
    "spans_found": _mean("spans", 2),
    "spans_true": _mean("spans", 3),
    "boundary_error": lambda sums: _ratio(sums["edges"][..., 0], sums["edges"][..., 1]),
}
"""Each figure as a function of sums.

Word figures are means over pages; those of lines, calibration and spans are over all judged lines
and spans; ``page_line_f1`` is the mean over pages of the content lines' F1, and ``page_auc`` that
of the AUC of each page with lines of both labels. ``headline`` is the share of known headlines
that were found, NaN where none is known. ``calibration_error``
has 15 bins of equal width, ``boundary_error`` is the mean distance, in judged lines, of the first
and last content line from the true ones, on pages with content on both sides.
"""


def figures(sums: Sums) -> dict[str, Doubles]:
    """Return all figures of sums with any number of leading axes."""
    return {name: np.asarray(figure(sums)) for name, figure in FIGURES.items()}
