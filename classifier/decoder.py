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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Decoder", "Preset", "cheapest_labels", "expected_f1", "find_headline"]

Doubles = npt.NDArray[np.float64]

_BINS = 512


def expected_f1(probability: Doubles, weight: Doubles) -> float:
    """Return the largest expected F1 that a selection of lines reaches.

    The lines are taken in order of falling probability, grouped in 512 bins, so that the time is
    linear; F1 is the ratio of expected weights.

    Parameters
    ----------
    probability, weight : ndarray of float64, shape (n_lines,)

    Returns
    -------
    float
        Between 0 and 1; 0 without weight.

    Examples
    --------
    >>> expected_f1(np.array([1.0, 0.0]), np.array([5.0, 3.0]))
    1.0
    """
    level = np.minimum((probability * _BINS).astype(np.intp), _BINS - 1)
    chosen = np.bincount(level, weights=weight, minlength=_BINS)[::-1].cumsum()
    hits = np.bincount(level, weights=weight * probability, minlength=_BINS)[::-1].cumsum()
    total = chosen + hits[-1]
    return float(np.max(2 * hits / np.maximum(total, 1e-12)))


def cheapest_labels(gain: Doubles, switch_cost: float) -> npt.NDArray[np.bool_]:
    """Return the labelling with the largest gain less its switches.

    This is the Viterbi algorithm for two labels. The advantage of ending in the first label over
    ending in the second is clipped to the switch cost from line to line, so one number is all
    the state there is; a tie goes to boilerplate.

    Parameters
    ----------
    gain : ndarray of float64, shape (n_lines,)
        What calling the line content gains over calling it boilerplate.
    switch_cost : float
        What a change of the label costs; not negative.

    Returns
    -------
    ndarray of bool, shape (n_lines,)
        True for content.
    """
    if not len(gain):
        return np.zeros(0, dtype=bool)
    start = np.append(0, np.flatnonzero(np.diff(gain > 0)) + 1)
    labels = _cheapest(np.add.reduceat(gain, start).tolist(), switch_cost)
    return np.repeat(np.array(labels, dtype=bool), np.diff(start, append=len(gain)))


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

    def threshold(self, probability: Doubles, words: npt.NDArray[np.intp]) -> float:
        """Return the page's threshold on the content probability."""
        best = expected_f1(probability, words + np.float64(1e-3))
        return min(max(self.aim * best / 2, 0.02), 0.98)

    def labels(
        self, probability: Doubles, words: npt.NDArray[np.intp], threshold: float | None = None
    ) -> npt.NDArray[np.bool_]:
        """Return the labels of the non-blank lines of one page.

        Parameters
        ----------
        probability : ndarray of float64, shape (n_lines,)
            Probability of content.
        words : ndarray of intp, shape (n_lines,)
            Words of each line.
        threshold : float, optional
            A fixed threshold in place of the page's own.

        Returns
        -------
        ndarray of bool, shape (n_lines,)
            True for content.
        """
        if threshold is None:
            threshold = self.threshold(probability, words)
        weight = (1.0 + words) ** self.weight_power
        return cheapest_labels(weight * (probability - threshold), self.switch_cost)


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


def find_headline(chance: Doubles, content: npt.NDArray[np.bool_], threshold: float) -> int | None:
    """Return the line of a page that is its headline.

    Parameters
    ----------
    chance : ndarray of float64, shape (n_lines,)
        Probability of each line of being the headline.
    content : ndarray of bool, shape (n_lines,)
        The decoder's labels; a page without content has no headline.
    threshold : float

    Returns
    -------
    int or None
    """
    if not content.any():
        return None
    last = int(np.flatnonzero(content)[-1])
    top = int(chance[: last + 1].argmax())
    return top if chance[top] > threshold else None
