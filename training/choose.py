"""What to label next: the lines that a model would learn most from.

A line is useful if the model is unsure of it (uncertainty sampling, Lewis and Gale 1994), if the
model's two stages disagree on it (after query by committee, Seung, Opper and Sompolinsky 1992),
and if it is unlike anything that was labelled or chosen before (a greedy choice of far points,
after Sener and Savarese 2018), so that one doubt that stands on a hundred pages is asked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.counting import Floats
from classifier.features import batches
from classifier.model import Model
from classifier.scoring import SECOND_NAMES
from classifier.stacking import probability

__all__ = ["PageLines", "choose_lines", "look", "order_pages", "usefulness"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

_DIMENSIONS = 24
_CANDIDATES = 20_000
_KNOWN = 2_000
_NEAR = 0.15
_SMOOTH = 10
"""Lines that a short page's mean is taken with, so that three doubtful lines don't come first."""


@dataclass(frozen=True, eq=False)
class PageLines:
    """What a model says of the non-blank lines of a page, and which of them are judged.

    Attributes
    ----------
    physical : ndarray of intp, shape (n_lines,)
        Index of each line among the page's physical lines.
    first, second : ndarray of float64, shape (n_lines,)
        Probability of content by the first stage, and by both.
    features : ndarray of float32, shape (n_lines, n_features)
    judged : ndarray of bool, shape (n_lines,)
        Lines that somebody has labelled.
    """

    physical: Ints
    first: Doubles
    second: Doubles
    features: Floats
    judged: npt.NDArray[np.bool_]


def look(
    model: Model, pages: Sequence[Sequence[str]], judged: Sequence[Iterable[int]]
) -> Iterator[PageLines]:
    """Yield what a model says of the lines of pages.

    Parameters
    ----------
    model : Model
    pages : sequence of sequences of str
        Physical lines of each page.
    judged : sequence of iterables of int
        The physical lines of each page that are labelled.

    Yields
    ------
    PageLines
    """
    place = SECOND_NAMES.index("score")
    for group in batches(pages):
        scores = model.scores([pages[index] for index in group])
        text = scores.batch.text
        first = probability(scores.second[place].astype(np.float64))
        for at, index in enumerate(group):
            own = slice(*text.page_start[at : at + 2].tolist())
            physical = text.physical[own] - text.physical_start[at]
            features = np.ascontiguousarray(scores.second[:, own].T)
            known = np.isin(physical, list(judged[index]))
            yield PageLines(physical, first[own], scores.content[own], features, known)


def usefulness(first: Doubles, second: Doubles) -> Doubles:
    """Return how much a label would tell, of each line alone.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n_lines,)
        Probability of content by the first stage, and by both.

    Returns
    -------
    ndarray of float64, shape (n_lines,)
        Bits of doubt plus the difference of the stages: from 0 to 2.

    Examples
    --------
    >>> usefulness(np.array([0.5, 1.0, 0.5]), np.array([0.5, 1.0, 1.0])).tolist()
    [1.0, 0.0, 0.5]
    """
    sure = np.maximum(second, 1 - second)
    doubt = -sure * np.log2(sure) - (1 - sure) * np.log2(np.maximum(1 - sure, 1e-300))
    total: Doubles = doubt + np.abs(first - second)
    return total


def _embedded(pages: Sequence[PageLines], rng: np.random.Generator) -> Floats:
    """Return all lines as points of few dimensions whose distances are those of the features."""
    features = np.concatenate([page.features for page in pages])
    features = np.nan_to_num(features)
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    shape = (features.shape[1], _DIMENSIONS)
    projection = rng.standard_normal(shape, dtype=np.float32) / np.sqrt(np.float32(_DIMENSIONS))
    points: Floats = np.clip(features, -3, 3, dtype=np.float32) @ projection
    return points


def _scale(points: Floats, rng: np.random.Generator) -> float:
    """Return the distance at which lines count as unlike, a part of that of two lines by chance."""
    one, two = rng.integers(len(points), size=(2, 500))
    usual = float(np.median(np.linalg.norm(points[one] - points[two], axis=1)))
    return _NEAR * usual or 1.0


def _nearest(points: Floats, known: Floats) -> Doubles:
    """Return the distance of each point from the nearest known one; infinite without any."""
    nearest = np.full(len(points), np.inf)
    squares = np.einsum("ij,ij->i", points, points)
    for start in range(0, len(known), 64):
        part = known[start : start + 64]
        away = squares[:, None] + np.einsum("ij,ij->i", part, part) - 2 * points @ part.T
        nearest = np.minimum(nearest, away.min(axis=1))
    distance: Doubles = np.sqrt(np.maximum(nearest, 0.0))
    return distance


def choose_lines(
    pages: Sequence[PageLines], budget: int, seed: int = 0
) -> list[tuple[int, int, float]]:
    """Choose the lines to label next.

    Parameters
    ----------
    pages : sequence of PageLines
    budget : int
        How many lines at most.
    seed : int

    Returns
    -------
    list of (int, int, float)
        Index of the page, physical line, and usefulness when it was chosen; best first. Of
        more than 20,000 candidates, only those that the model alone is least sure of are
        compared.
    """
    if not pages or not sum(len(page.physical) for page in pages):
        return []
    rng = np.random.default_rng(seed)
    points = _embedded(pages, rng)
    scale = _scale(points, rng)
    value = np.concatenate([usefulness(page.first, page.second) for page in pages])
    judged = np.concatenate([page.judged for page in pages])
    place = np.repeat(np.arange(len(pages)), [len(page.physical) for page in pages])
    physical = np.concatenate([page.physical for page in pages])
    free = np.flatnonzero(~judged)
    free = free[np.argsort(-value[free], kind="stable")[:_CANDIDATES]]
    points, known = points[free], _some(points[judged], rng)
    distance = _nearest(points, known)
    chosen: list[tuple[int, float]] = []
    for _ in range(min(budget, len(free))):
        worth = value[free] * (1 - np.exp(-((distance / scale) ** 2)))
        worth[[at for at, _ in chosen]] = -1.0
        best = int(worth.argmax())
        chosen.append((best, float(worth[best])))
        distance = np.minimum(distance, np.linalg.norm(points - points[best], axis=1))
    return [(int(place[free[at]]), int(physical[free[at]]), worth) for at, worth in chosen]


def _some(points: Floats, rng: np.random.Generator) -> Floats:
    if len(points) <= _KNOWN:
        return points
    return points[rng.choice(len(points), _KNOWN, replace=False)]


def order_pages(pages: Sequence[PageLines], seed: int = 0) -> list[int]:
    """Order pages by how much labelling one of them whole would tell for the effort.

    Parameters
    ----------
    pages : sequence of PageLines
    seed : int

    Returns
    -------
    list of int
        Indices of the pages, the most useful first: by the mean usefulness of their lines that
        are not judged, those unlike the judged ones counting more.
    """
    if not pages or not sum(len(page.physical) for page in pages):
        return list(range(len(pages)))
    rng = np.random.default_rng(seed)
    points = _embedded(pages, rng)
    scale = _scale(points, rng)
    judged = np.concatenate([page.judged for page in pages])
    novelty = 1 - np.exp(-((_nearest(points, _some(points[judged], rng)) / scale) ** 2))
    ends = np.cumsum([len(page.physical) for page in pages])
    mean = []
    for page, stop in zip(pages, ends.tolist(), strict=True):
        own = novelty[stop - len(page.physical) : stop]
        worth = usefulness(page.first, page.second) * own * ~page.judged
        mean.append(float(worth.sum()) / (len(worth) + _SMOOTH))
    return [int(at) for at in np.argsort(-np.array(mean), kind="stable")]
