"""From probabilities to labels: the cheapest labelling of a page under a stated cost.

For lines with content probability ``p``, weight ``w`` and a threshold ``t``, a labelling costs

    sum over lines called content       of  w * t * (1 - p)
  + sum over lines called boilerplate   of  w * (1 - t) * p
  + ``switch_cost`` for every change of the label from one line to the next.

Without a switch cost this is ``p > t``. The threshold is the page's own: half of the largest
F1 that a selection of its lines can be expected to reach, which is where the best selection for
F1 cuts (Ye, Chai, Lee and Chieu 2012, "Optimizing F-measure: a tale of two approaches").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Decoder", "Preset", "cheapest_labels", "expected_f1", "find_headline"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_BINS = 512


def expected_f1(
    probability: Doubles, weight: Doubles, lengths: Sequence[int] | Ints | None = None
) -> Doubles:
    """Return the largest expected F1 that a selection of each page's lines reaches.

    The lines are taken in order of falling probability, grouped in 512 bins, so that the time is
    linear; F1 is the ratio of expected weights.

    Parameters
    ----------
    probability, weight : ndarray of float64, shape (n_lines,)
    lengths : sequence of int, optional
        Lines of each page, which stand one after the other; by default all are of one.

    Returns
    -------
    ndarray of float64, shape (n_pages,)
        Between 0 and 1; 0 without weight.

    Examples
    --------
    >>> expected_f1(np.array([1.0, 0.0, 0.5]), np.array([5.0, 3.0, 0.0]), [2, 1])
    array([1., 0.])
    """
    lengths = _lengths(probability, lengths)
    page = np.arange(len(lengths)).repeat(lengths)
    level = np.minimum((probability * _BINS).astype(np.intp), _BINS - 1) + _BINS * page
    chosen, hits = (
        np.bincount(level, weights=mass, minlength=_BINS * len(lengths))
        .reshape(-1, _BINS)[:, ::-1]
        .cumsum(axis=1)
        for mass in (weight, weight * probability)
    )
    total = np.maximum(chosen + hits[:, -1:], 1e-12)
    best: Doubles = np.max(2 * hits / total, axis=1)
    return best


def cheapest_labels(
    gain: Doubles, switch_cost: float, lengths: Sequence[int] | Ints | None = None
) -> npt.NDArray[np.bool_]:
    """Return the labelling of each page with the largest gain less its switches.

    This is the Viterbi algorithm for two labels. The advantage of ending in the first label over
    ending in the second is clipped to the switch cost from line to line, so one number is all
    the state there is; a tie goes to boilerplate.

    Parameters
    ----------
    gain : ndarray of float64, shape (n_lines,)
        What calling the line content gains over calling it boilerplate.
    switch_cost : float
        What a change of the label costs; not negative.
    lengths : sequence of int, optional
        Lines of each page, which stand one after the other; by default all are of one.

    Returns
    -------
    ndarray of bool, shape (n_lines,)
        True for content.
    """
    if not len(gain):
        return np.zeros(0, dtype=bool)
    bounds = np.concatenate([[0], np.cumsum(_lengths(gain, lengths))])
    first = np.diff(gain > 0, prepend=False)
    first[bounds[bounds < len(gain)]] = True
    start = np.flatnonzero(first)
    runs = np.add.reduceat(gain, start).tolist()
    labels: list[bool] = []
    for begin, end in pairwise(start.searchsorted(bounds).tolist()):
        labels += _cheapest(runs[begin:end], switch_cost)
    return np.repeat(np.array(labels, dtype=bool), np.diff(start, append=len(gain)))


def _lengths(lines: Doubles, lengths: Sequence[int] | Ints | None) -> Ints:
    return np.asarray([len(lines)] if lengths is None else lengths, dtype=np.intp)


def _cheapest(gains: list[float], switch_cost: float) -> list[bool]:
    """Label runs of lines whose gains have one sign; none of them is worth a switch within."""
    advantage = 0.0
    steps = []
    for value in gains:
        if advantage > switch_cost:
            advantage = switch_cost
        elif advantage < -switch_cost:
            advantage = -switch_cost
        advantage += value
        steps.append(advantage)
    labels = []
    bound = 0.0
    for advantage in reversed(steps):
        content = advantage > bound
        labels.append(content)
        bound = -switch_cost if content else switch_cost
    return labels[::-1]


@dataclass(frozen=True)
class Decoder:
    """Settings of the decoder.

    Attributes
    ----------
    switch_cost : float
        Cost of a change of the label, in units of `weight_power`.
    weight_power : float
        A line of n words weighs ``(1 + n) ** weight_power``.
    aim : float
        Factor on the page's threshold: above 1 for precision, below 1 for recall.
    """

    switch_cost: float = 1.0
    weight_power: float = 1.0
    aim: float = 1.0

    def threshold(
        self, probability: Doubles, words: Ints, lengths: Sequence[int] | Ints | None = None
    ) -> Doubles:
        """Return each page's threshold on the content probability, shape (n_pages,)."""
        best = expected_f1(probability, words + np.float64(1e-3), lengths)
        return np.minimum(np.maximum(self.aim * best / 2, 0.02), 0.98)

    def labels(
        self,
        probability: Doubles,
        words: Ints,
        lengths: Sequence[int] | Ints | None = None,
        *,
        threshold: float | None = None,
    ) -> npt.NDArray[np.bool_]:
        """Return the labels of the non-blank lines of pages.

        Parameters
        ----------
        probability : ndarray of float64, shape (n_lines,)
            Probability of content.
        words : ndarray of intp, shape (n_lines,)
            Words of each line.
        lengths : sequence of int, optional
            Lines of each page, which stand one after the other; by default all are of one.
        threshold : float, optional
            A fixed threshold in place of each page's own.

        Returns
        -------
        ndarray of bool, shape (n_lines,)
            True for content.
        """
        lengths = _lengths(probability, lengths)
        cut: float | Doubles = threshold or 0.0
        if threshold is None:
            cut = self.threshold(probability, words, lengths).repeat(lengths)
        weight = (1.0 + words) ** self.weight_power
        return cheapest_labels(weight * (probability - cut), self.switch_cost, lengths)


@dataclass(frozen=True)
class Preset:
    """An operating point, with what it was measured to reach.

    Attributes
    ----------
    aim : float
        Factor on the decoder's threshold.
    precision, recall : float
        Mean word precision and recall of pages, out of fold.
    """

    aim: float
    precision: float
    recall: float


def find_headline(
    headline: Doubles, content: Doubles, labels: npt.NDArray[np.bool_], threshold: float
) -> int | None:
    """Return the line of a page that is its headline.

    Parameters
    ----------
    headline, content : ndarray of float64, shape (n_lines,)
        Probability of each line of being the headline, and of being content: a headline is both.
    labels : ndarray of bool, shape (n_lines,)
        The decoder's labels, True for content. A headline has content below it.
    threshold : float
        The first times the root of the second must lie above it.

    Returns
    -------
    int or None
    """
    last = int(np.flatnonzero(labels)[-1]) if labels.any() else 0
    if not last:
        return None
    chance = headline[:last] * np.sqrt(content[:last])
    top = int(chance.argmax())
    return top if chance[top] > threshold else None
