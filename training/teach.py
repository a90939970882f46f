"""Teach a model a site: learn a correction from a few labelled pages of it.

``python -m training.fit PAGES --base MODEL --out DIR`` does it from the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit

from classifier.correction import Correction, line_pairs, site_lines, site_terms
from classifier.counting import Floats
from classifier.features import Batch
from classifier.hashing import UInts
from classifier.model import Model
from classifier.page import read_page
from classifier.tokens import Ints
from classifier.vocabulary import Doubles
from training.dataset import targets
from training.metrics import Prediction
from training.progress import Tick
from training.records import LabeledPage, page_name

__all__ = ["Checked", "Lesson", "check", "learn", "lessons"]

MASS = 30.0
"""The lines of a page weigh so much together, however many they are, as so many samples."""

STIFFNESS = 1.0
"""Strength of the quadratic penalty on the weights."""

_CLIP = 0.003
_SMALLEST, _BITS = 12, 18
"""The table has 2**12 to 2**18 weights, more than there are terms where that will do."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A labelled page and what the model said of it before.

    Attributes
    ----------
    page : LabeledPage
    batch : Batch
        Of this page alone.
    score : ndarray of float64, shape (n_lines,)
        The model's log odds of the non-blank lines.
    truth : ndarray of int8, shape (n_lines,)
        1 content, 0 boilerplate, -1 not judged.
    """

    page: LabeledPage
    batch: Batch
    score: Doubles
    truth: npt.NDArray[np.int8]

    @property
    def weight(self) -> Doubles:
        """Sample weight of each line: 0 if not judged, else by its words."""
        mass = np.where(self.truth >= 0, 1.0 + self.batch.words, 0.0)
        weight: Doubles = mass * (MASS / max(float(mass.sum()), 1.0))
        return weight


@dataclass(frozen=True, eq=False)
class Checked:
    """What is said of a page before and after a lesson from the other pages of its site.

    Attributes
    ----------
    page : LabeledPage
    before, after : Prediction
    trust : float
        How surely the page was taken for one of the site, from 0 to 1.
    """

    page: LabeledPage
    before: Prediction
    after: Prediction
    trust: float


def lessons(
    model: Model, pages: Sequence[LabeledPage], tick: Tick = lambda _: None
) -> list[Lesson]:
    """Return what there is to learn from pages.

    Parameters
    ----------
    model : Model
        Not taught.
    pages : sequence of LabeledPage
    tick : callable, optional
        Is told how many pages were done.

    Returns
    -------
    list of Lesson
        One a page, in order.
    """
    made = []
    for page in pages:
        scores = model.scores([read_page(page.text).lines])
        chance = np.clip(scores.content, _CLIP, 1 - _CLIP)
        truth = targets(page, scores.batch.text.physical)
        made.append(Lesson(page, scores.batch, np.log(chance / (1 - chance)), truth))
        tick(1)
    return made


def learn(taught: Sequence[Lesson]) -> Correction:
    """Learn a correction.

    It is a logistic regression on what recurs on a site, with the model's log odds as a fixed
    offset and a quadratic penalty on the weights: where the pages say nothing, nothing moves.

    Parameters
    ----------
    taught : sequence of Lesson
        Of one or more sites.

    Returns
    -------
    Correction
        Its weights are rounded to float16, as the model file keeps them.

    Raises
    ------
    ValueError
        ``expected lines of content or boilerplate; found none``, or if the pages are of more
        than 65,535 sites.
    """
    if not any(lesson.weight.any() for lesson in taught):
        raise ValueError("expected lines of content or boilerplate; found none")
    names = sorted({lesson.page.site for lesson in taught})
    if len(names) >= 1 << 16:
        raise ValueError(f"expected at most 65535 sites, found {len(names)}")
    sites = [np.full(x.batch.text.n_lines, names.index(x.page.site)) for x in taught]
    hashes = [site_lines(x.batch, site) for x, site in zip(taught, sites, strict=True)]
    lines = _recurring(taught, hashes)
    known = [np.isin(own, lines) for own in hashes]
    parts = zip((x.batch for x in taught), sites, known, strict=True)
    weights = _weights(taught, [site_terms(*part, _BITS) for part in parts])
    return Correction(weights, lines, *_pairs(taught))


def _recurring(taught: Sequence[Lesson], hashes: Sequence[UInts]) -> UInts:
    """Return the hashes on two of a site's pages, or on its page where there is but one."""
    names = {page_name(x.page): x.page.site for x in taught}
    n_pages = Counter(names.values())
    once = {
        (page_name(x.page), value)
        for x, values in zip(taught, hashes, strict=True)
        for value in values.tolist()
    }
    count = Counter((names[name], value) for name, value in once)
    kept = {value for (site, value), n in count.items() if value and n >= min(2, n_pages[site])}
    return np.array(sorted(kept), dtype=np.uint64)


def _pairs(taught: Sequence[Lesson]) -> tuple[UInts, npt.NDArray[np.uint16]]:
    """Return the pairs of lines that only one site has, in rising order, and its number."""
    found: dict[int, list[int]] = {}
    for number, name in enumerate(sorted({x.page.site for x in taught})):
        own = [x for x in taught if x.page.site == name]
        for value in _recurring(own, [line_pairs(x.batch) for x in own]).tolist():
            found.setdefault(value, []).append(number)
    telling = sorted((value, sites[0]) for value, sites in found.items() if len(sites) == 1)
    values, numbers = ([pair[side] for pair in telling] for side in (0, 1))
    return np.array(values, dtype=np.uint64), np.array(numbers, dtype=np.uint16)


def _weights(taught: Sequence[Lesson], terms: Sequence[tuple[Ints, Ints, Doubles]]) -> Floats:
    """Fit the weights of what :func:`classifier.correction.site_terms` returns for each page."""
    truth, weight, offset = (
        np.concatenate([getattr(x, name) for x in taught]) for name in ("truth", "weight", "score")
    )
    start = np.cumsum([0, *(len(x.truth) for x in taught)])
    row = np.concatenate([line + first for (line, _, _), first in zip(terms, start, strict=False)])
    place, factor = (np.concatenate([x[part] for x in terms]) for part in (1, 2))
    bits = min(max(len(row).bit_length(), _SMALLEST), _BITS)
    used, column = np.unique(place >> (_BITS - bits), return_inverse=True)
    rows = csr_matrix((factor, (row, column)), shape=(len(truth), len(used)))
    target = np.maximum(truth, 0)

    def loss(coef: Doubles) -> tuple[float, Doubles]:
        score = offset + rows @ coef
        missed = np.logaddexp(0, score) - target * score
        slope = rows.T @ (weight * (expit(score) - target))
        return float(weight @ missed + STIFFNESS / 2 * coef @ coef), slope + STIFFNESS * coef

    fitted = minimize(loss, np.zeros(len(used)), jac=True, method="L-BFGS-B").x
    weights: Floats = np.zeros(1 << bits, dtype=np.float32)
    weights[used] = fitted.astype(np.float16)
    return weights


def check(model: Model, taught: Sequence[Lesson], tick: Tick = lambda _: None) -> Iterator[Checked]:
    """Judge on each page what its site's other pages teach.

    Parameters
    ----------
    model : Model
        Not taught.
    taught : sequence of Lesson
    tick : callable, optional
        Is told how many pages were done.

    Yields
    ------
    Checked
        One for each page whose site has others.
    """
    for lesson in taught:
        name, site = page_name(lesson.page), lesson.page.site
        others = [x for x in taught if x.page.site == site and page_name(x.page) != name]
        if any(x.weight.any() for x in others):
            correction = learn(others)
            before, after = (
                Prediction.of(replace(model, correction=x).classify(lesson.page.text))
                for x in (None, correction)
            )
            trust = float(correction.found(lesson.batch)[1][0])
            yield Checked(lesson.page, before, after, trust)
        tick(1)
