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
        Of each page; its lines weigh so much together, times the root of their number: between
        one say for each page and one for each line.

    Returns
    -------
    ndarray of float64, shape (2, n_knots)
    """
    score = np.concatenate([page.score for page in outcomes])
    truth = np.concatenate([page.truth for page in outcomes])
    lines = np.array([len(page.score) for page in outcomes])
    heavy = np.repeat(weight / np.sqrt(np.maximum(lines, 1)), lines)
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


@dataclass(frozen=True, eq=False)
class _Pages:
    """The lines of all pages in one row, which is decoded at once."""

    chance: Doubles
    words: Ints
    truth: npt.NDArray[np.int8]
    lengths: Ints
    weight: Doubles

    def labels(self, decoder: Decoder) -> npt.NDArray[np.bool_]:
        return decoder.labels(self.chance, self.words, self.lengths)

    def mean_f1(self, chosen: npt.NDArray[np.bool_], mass: Ints) -> float:
        found = word_scores(self.truth, mass, chosen, self.lengths)[:, 2]
        return float(np.average(found, weights=self.weight))


def _together(outcomes: Sequence[Outcome], knots: Doubles, weight: Doubles) -> _Pages:
    score, words, truth = (
        np.concatenate([getattr(page, name) for page in outcomes])
        for name in ("score", "words", "truth")
    )
    lengths = np.array([len(page.score) for page in outcomes])
    return _Pages(np.interp(score, *knots), words, truth, lengths, weight)


def word_scores(
    truth: npt.NDArray[np.int8], words: Ints, chosen: npt.NDArray[np.bool_], lengths: Ints
) -> Doubles:
    """Return word precision, recall and F1 of each page against its labelled content.

    Parameters
    ----------
    truth : ndarray of int8, shape (n_lines,)
        1 content, 0 boilerplate, -1 not judged.
    words : ndarray of intp, shape (n_lines,)
    chosen : ndarray of bool, shape (n_lines,)
        True where a line is called content.
    lengths : ndarray of intp, shape (n_pages,)
        Lines of each page, which stand one after the other.

    Returns
    -------
    ndarray of float64, shape (n_pages, 3)
        Where there is no content or none was found, 1 if both hold and else 0.
    """
    page = np.repeat(np.arange(len(lengths)), lengths)
    picked, true, hits = (
        np.bincount(page, words * which, minlength=len(lengths))
        for which in (chosen & (truth >= 0), truth == 1, chosen & (truth == 1))
    )
    scores = np.stack(
        [2 * hits / np.maximum(total, 1) for total in (2 * picked, 2 * true, picked + true)]
    )
    empty = (picked == 0) | (true == 0)
    return np.where(empty, picked == true, scores).T


def _choose_decoder(pages: _Pages) -> Decoder:
    """Return the decoder with the best sum of the pages' word F1 and line F1; its aim last.

    By word F1 alone, one that swallows every short line within the content is as good. Half of the
    expected F1 is the best threshold where lines err each for itself; those of a page err together.
    """

    def figure(decoder: Decoder) -> float:
        chosen = pages.labels(decoder)
        return sum(pages.mean_f1(chosen, mass) for mass in (pages.words, np.ones_like(pages.words)))

    tried = [Decoder(switch_cost=s, weight_power=p) for p, s in product(_POWER, _SWITCH)]
    best = max(tried, key=figure)
    return max((replace(best, aim=aim) for aim in _AIMS), key=figure)


def _choose_cut(pages: _Pages) -> float:
    """Return the fixed threshold with the best mean word F1."""
    return max(_CUTS, key=lambda cut: pages.mean_f1(pages.chance > cut, pages.words))


def _choose_headline(outcomes: Sequence[Outcome], pages: _Pages, decoder: Decoder) -> float:
    """Return the lowest threshold with an F1 of finding headlines that is close to the best.

    F1 hardly depends on it from 0.05 to 0.25, so that the best one would be left to chance.
    """
    stop = np.cumsum(pages.lengths)[:-1]
    parts = np.split(pages.chance, stop), np.split(pages.labels(decoder), stop)
    known = [page for page in zip(outcomes, *parts, strict=True) if page[0].top is not None]

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
    pages = _together(outcomes, knots, weight)
    decoder = _choose_decoder(pages)
    presets: dict[str, Preset] = {}
    for name, factor in _PRESETS.items():
        aimed = replace(decoder, aim=round(factor * decoder.aim, 3))
        found = word_scores(pages.truth, pages.words, pages.labels(aimed), pages.lengths)
        precision, recall, _ = np.average(found, axis=0, weights=weight).round(4).tolist()
        presets[name] = Preset(aimed.aim, precision, recall)
    cut = _choose_cut(pages)
    return Tuned(knots, decoder, _choose_headline(outcomes, pages, decoder), presets, cut)
