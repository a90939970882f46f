"""Calibration and decoder settings, learned from out-of-fold scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from classifier.decoder import Decoder, find_headline
from classifier.model import Preset

__all__ = ["Outcome", "Tuned", "calibrate", "tune"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_KNOTS = 48
_SWITCH = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5)
_POWER = (0.75, 1.0)
_AIMS = (0.9, 1.0, 1.1, 1.2, 1.3)
_PRESETS = {"precision": 1.5, "balanced": 1.0, "recall": 0.5}
_CUTS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
_HEADLINE: list[float] = np.geomspace(0.05, 0.75, 12).round(3).tolist()
_CLOSE = 0.005


@dataclass(frozen=True, eq=False)
class Outcome:
    """Out-of-fold scores of the non-blank lines of one page, and the truth.

    Attributes
    ----------
    score : ndarray of float64, shape (n_lines,)
        Of the second stage.
    headline : ndarray of float64, shape (n_lines,)
        Probability of being the headline.
    words : ndarray of intp, shape (n_lines,)
    truth : ndarray of int8, shape (n_lines,)
        1 content, 0 boilerplate, -1 not judged.
    physical : ndarray of intp, shape (n_lines,)
        Index of each line among the page's physical lines.
    top : int or None
        The line that is the headline, None where nothing is known.
    """

    score: Doubles
    headline: Doubles
    words: Ints
    truth: npt.NDArray[np.int8]
    physical: Ints
    top: int | None


@dataclass(frozen=True, eq=False)
class Tuned:
    """Settings that turn scores into labels, as :class:`classifier.model.Model` takes them.

    `cut` is the best fixed threshold on the probability, which the decoder is compared with.
    """

    knots: Doubles
    decoder: Decoder
    headline_threshold: float
    presets: dict[str, Preset]
    cut: float


def calibrate(outcomes: Sequence[Outcome], weight: Doubles) -> Doubles:
    """Fit a rising, piecewise linear map from scores to probabilities.

    It goes through the mean score and the mean truth of the blocks of an isotonic regression
    (Zadrozny and Elkan 2002), at most 48 of them.

    Parameters
    ----------
    outcomes : sequence of Outcome
    weight : ndarray of float64, shape (n_pages,)
        The lines of a page weigh so much together.

    Returns
    -------
    ndarray of float64, shape (2, n_knots)
    """
    score = np.concatenate([page.score for page in outcomes])
    truth = np.concatenate([page.truth for page in outcomes])
    lines = np.array([len(page.score) for page in outcomes])
    heavy = np.repeat(weight / np.maximum(lines, 1), lines)
    known = (truth >= 0) & (heavy > 0)
    score, truth, heavy = score[known], truth[known], heavy[known]
    rank = np.argsort(score, kind="stable")
    mass = np.cumsum(heavy[rank])
    block = np.minimum((mass / mass[-1] * _KNOTS).astype(np.intp), _KNOTS - 1)
    total = np.bincount(block, weights=heavy[rank], minlength=_KNOTS)
    some = total > 0
    means = [
        np.bincount(block, weights=(heavy * x)[rank], minlength=_KNOTS)[some] / total[some]
        for x in (score, truth)
    ]
    fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(
        means[0], means[1], sample_weight=total[some]
    )
    knots = np.stack([means[0], np.clip(fitted, 0.001, 0.999)])
    return knots[:, np.concatenate([[True], np.diff(knots[0]) > 1e-9])]


def word_scores(outcomes: Sequence[Outcome], labels: Sequence[npt.NDArray[np.bool_]]) -> Doubles:
    """Return word precision, recall and F1 of each page against its labelled content.

    Returns
    -------
    ndarray of float64, shape (n_pages, 3)
    """
    pairs = zip(outcomes, labels, strict=True)
    return np.array([_scores(page, page.words, chosen) for page, chosen in pairs])


def _scores(page: Outcome, weight: Ints, chosen: npt.NDArray[np.bool_]) -> list[float]:
    """Return precision, recall and F1 of a page's judged lines, each with a weight."""
    weight = weight * (page.truth >= 0)
    picked, true = float(weight @ chosen), float(weight @ (page.truth == 1))
    hits = float(weight @ (chosen & (page.truth == 1)))
    if not picked or not true:
        return [float(picked == true)] * 3
    return [hits / picked, hits / true, 2 * hits / (picked + true)]


def _choose_decoder(
    outcomes: Sequence[Outcome], chances: Sequence[Doubles], weight: Doubles
) -> Decoder:
    """Return the decoder with the best sum of the pages' word F1 and line F1; its aim last.

    By word F1 alone, one that swallows every short line within the content is as good. Half of the
    expected F1 is the best threshold where lines err each for itself; those of a page err together.
    """

    def figure(decoder: Decoder) -> float:
        found = []
        for page, chance in zip(outcomes, chances, strict=True):
            chosen = decoder.labels(chance, page.words)
            masses = page.words, np.ones_like(page.words)
            found.append(sum(_scores(page, mass, chosen)[2] for mass in masses))
        return float(np.average(found, weights=weight))

    tried = [Decoder(switch_cost=s, weight_power=p) for p, s in product(_POWER, _SWITCH)]
    best = max(tried, key=figure)
    return max((replace(best, aim=aim) for aim in _AIMS), key=figure)


def _choose_cut(outcomes: Sequence[Outcome], chances: Sequence[Doubles], weight: Doubles) -> float:
    """Return the fixed threshold with the best mean word F1."""

    def figure(cut: float) -> float:
        found = word_scores(outcomes, [chance > cut for chance in chances])[:, 2]
        return float(np.average(found, weights=weight))

    return max(_CUTS, key=figure)


def _choose_headline(
    outcomes: Sequence[Outcome],
    chances: Sequence[Doubles],
    labels: Sequence[npt.NDArray[np.bool_]],
) -> float:
    """Return the lowest threshold with an F1 of finding headlines that is close to the best.

    F1 hardly depends on it from 0.05 to 0.25, so that the best one would be left to chance.
    """
    pages = zip(outcomes, chances, labels, strict=True)
    known = [page for page in pages if page[0].top is not None]

    def figure(threshold: float) -> float:
        found = [(find_headline(p.headline, c, x, threshold), p.top) for p, c, x in known]
        total = len(found) + sum(got is not None for got, _ in found)
        return 2 * sum(got == top for got, top in found) / max(total, 1)

    figures = [figure(threshold) for threshold in _HEADLINE]
    close = [f >= max(figures) - _CLOSE for f in figures]
    return _HEADLINE[close.index(True)]


def tune(outcomes: Sequence[Outcome], weight: Doubles) -> Tuned:
    """Learn calibration, decoder, headline threshold and presets from out-of-fold scores.

    Parameters
    ----------
    outcomes : sequence of Outcome
    weight : ndarray of float64, shape (n_pages,)

    Returns
    -------
    Tuned
    """
    knots = calibrate(outcomes, weight)
    chances = [np.interp(page.score, *knots) for page in outcomes]
    decoder = _choose_decoder(outcomes, chances, weight)
    presets: dict[str, Preset] = {}
    balanced: list[npt.NDArray[np.bool_]] = []
    for name, factor in _PRESETS.items():
        aimed = replace(decoder, aim=round(factor * decoder.aim, 3))
        labels = [aimed.labels(p, page.words) for p, page in zip(chances, outcomes, strict=True)]
        figures = np.average(word_scores(outcomes, labels), axis=0, weights=weight)
        presets[name] = Preset(aimed.aim, round(float(figures[0]), 4), round(float(figures[1]), 4))
        balanced = labels if name == "balanced" else balanced
    return Tuned(
        knots,
        decoder,
        _choose_headline(outcomes, chances, balanced),
        presets,
        _choose_cut(outcomes, chances, weight),
    )
