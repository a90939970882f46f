"""How a model is trained: the recipe, and the linear learners of a line's and a page's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression, SGDClassifier

from classifier.counting import Floats
from classifier.features import Batch
from classifier.kinds import KINDS, Kinds
from classifier.wording import line_terms

__all__ = [
    "FEATURES",
    "LINES",
    "Recipe",
    "first_forest",
    "fit_kinds",
    "fit_wording",
    "lone_forest",
    "parse_factors",
    "second_forest",
    "term_rows",
]

Doubles = npt.NDArray[np.float64]

LINES = 24
"""Lines of a page that are learned from, where nothing else is asked for; more are better."""

FEATURES = 0.3
"""Share of the features that a later tree is grown on, likewise; more are better."""


def _forest(rounds: int, leaves: int, rate: float, **others: Any) -> dict[str, Any]:
    return {
        "bags": 1,
        "emphasis": 1.0,
        "misses": 1.0,
        "max_iter": rounds,
        "max_leaf_nodes": leaves,
        "learning_rate": rate,
        "min_samples_leaf": 40,
        "l2_regularization": 1.0,
        "max_features": 1.0,
        "tree_features": 0.3,
        "later": {},
        **others,
    }


def _later(rounds: int, leaves: int, rate: float, bound: float, share: float) -> dict[str, float]:
    if not 0 < share <= 1:
        raise ValueError(f"expected a share of the features above 0, at most 1; found {share}")
    trees = {"max_iter": rounds, "max_leaf_nodes": leaves, "learning_rate": rate}
    return {**trees, "bound": bound, "tree_features": share}


def first_forest(share: float = FEATURES) -> dict[str, Any]:
    """Return the settings of the first stage's forest of content, later trees on a share."""
    return _forest(24, 31, 0.4, bags=2, later=_later(60, 63, 0.2, 2.0, share))


def second_forest(share: float = FEATURES) -> dict[str, Any]:
    """Return the settings of the second stage's forest of content, later trees on a share."""
    return _forest(30, 31, 0.35, bags=2, later=_later(40, 63, 0.17, 2.5, share))


def lone_forest(share: float = FEATURES) -> dict[str, Any]:
    """Return the same where no network is at its side: it takes as long to score."""
    return _forest(30, 31, 0.35, bags=2, later=_later(80, 127, 0.14, 2.5, share))


def _headline_forest(rounds: int, leaves: int) -> dict[str, Any]:
    others = {"emphasis": 4.0, "misses": 0.3, "max_features": 0.5, "tree_features": 1.0}
    return _forest(rounds, leaves, 0.3, **others)


def _network() -> dict[str, Any]:
    return {"units": (64, 32), "epochs": 6, "steps": 800, "rate": 1e-3, "hidden": 0.1}


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes
    ----------
    folds : int
        Folds of the grouped cross-validation, also those that the second stage learns from.
    lines : int
        Lines drawn from a page at most; from a variant, half as many.
    bins : int
        Bins of each feature's values.
    word_bits : int
        The word score has ``2**word_bits`` weights.
    word_alpha : float
        Strength of its regularisation.
    kind_bits : int
        Each kind of page has ``2**kind_bits`` weights.
    kind_strength : float
        Inverse strength of their regularisation.
    first, first_headline, second, headline : dict
        Settings of the forests, those of content and of the headline in both stages, as
        scikit-learn names them; `bags` of them are fitted, each on lines of its own, and their mean
        is taken. A tree is grown on a share of `tree_features`. What is looked for weighs
        `emphasis` times as much as the rest, so that few trees find what is rare; the log odds are
        put right for it. Of the rest, a share of `misses` is drawn, and stands for all of it.
        `later` trees are asked only of the lines whose log odds lie within its `bound` then, and
        learned from such lines; they have leaves, a rate and `tree_features` of their own.
    first_network, second_network : dict
        Settings of the networks of content, see :func:`training.networks.fit_network`.
    enough : int
        Of fewer drawn lines, no networks are fitted: forests alone are as good there.
    second_alone : dict
        Takes the place of `second` then.
    factors : dict of str to float
        Weight of the pages of a corpus.
    seed : int
    """

    folds: int = 5
    lines: int = LINES
    bins: int = 40
    word_bits: int = 17
    word_alpha: float = 1e-5
    kind_bits: int = 15
    kind_strength: float = 30.0
    first: dict[str, Any] = field(default_factory=first_forest)
    first_headline: dict[str, Any] = field(default_factory=lambda: _headline_forest(40, 16))
    second: dict[str, Any] = field(default_factory=second_forest)
    headline: dict[str, Any] = field(default_factory=lambda: _headline_forest(50, 31))
    first_network: dict[str, Any] = field(default_factory=_network)
    second_network: dict[str, Any] = field(default_factory=_network)
    enough: int = 300_000
    second_alone: dict[str, Any] = field(default_factory=lone_forest)
    factors: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.lines < 1:
            raise ValueError(
                f"expected at least one line of a page to learn from; found {self.lines}"
            )


def parse_factors(texts: Sequence[str]) -> dict[str, float]:
    """Read weights given as ``CORPUS=FACTOR``.

    Raises
    ------
    ValueError
        If a text is of another form, or its factor no number from 0 on.
    """
    factors = {}
    for text in texts:
        corpus, _, number = text.partition("=")
        try:
            factors[corpus] = float(number)
        except ValueError:
            raise ValueError(f"expected CORPUS=FACTOR, found {text!r}") from None
        if not 0 <= factors[corpus] < float("inf"):
            raise ValueError(f"expected a factor from 0 on, found {text!r}")
    return factors


_PASSES, _UNSETTLED = 5, 2
"""Passes over the lines that the word score learns in, and how many of them its mean leaves out."""


def term_rows(batch: Batch, columns: npt.NDArray[np.intp], bits: int) -> csr_matrix:
    """Return the hashed terms of chosen lines, each line of length one."""
    line, term = line_terms(batch.text, batch.tokens, bits)
    count = np.bincount(line, minlength=batch.text.n_lines)
    values = (1.0 / np.sqrt(count[line])).astype(np.float32)
    shape = (batch.text.n_lines, 1 << bits)
    return csr_matrix((values, (line, term)), shape=shape)[columns]


def fit_wording(
    terms: Sequence[csr_matrix] | csr_matrix,
    target: npt.NDArray[np.int8],
    weight: npt.NDArray[np.float64],
    recipe: Recipe,
) -> Floats:
    """Fit the word score: logistic regression by averaged stochastic gradient descent.

    The weights are the mean over all steps but the first passes: those of the last step hang on
    which lines come last, since a line of a short page weighs up to forty times the mean.

    Returns
    -------
    ndarray of float32, shape (2**bits,)
        Rounded to float16, as the model file keeps them.
    """
    rows = terms if isinstance(terms, csr_matrix) else vstack(terms, format="csr")
    known = np.flatnonzero((target >= 0) & (weight > 0))
    learner = SGDClassifier(
        loss="log_loss",
        alpha=recipe.word_alpha,
        max_iter=_PASSES,
        tol=None,
        random_state=recipe.seed,
        average=_UNSETTLED * len(known),
    )
    scaled = weight[known] / weight[known].mean()
    learner.fit(rows[known], target[known] == 1, sample_weight=scaled)
    weights: Floats = learner.coef_[0].astype(np.float16).astype(np.float32)
    return weights


def fit_kinds(
    terms: csr_matrix,
    kinds: Sequence[str | None],
    weight: npt.NDArray[np.float64],
    recipe: Recipe,
) -> Kinds:
    """Fit the kind of page: multinomial logistic regression on its hashed words.

    Parameters
    ----------
    terms : csr_matrix, shape (n_pages, 2**kind_bits)
    kinds : sequence of str or None
        Kind of each page; pages of other kinds, or of none, are left out.
    weight : ndarray of float64, shape (n_pages,)
    recipe : Recipe

    Returns
    -------
    Kinds
        A kind that no page has is given no chance; without two kinds, all are as probable.
    """
    place = np.array([KINDS.index(kind) if kind in KINDS else -1 for kind in kinds])
    known = np.flatnonzero((place >= 0) & (weight > 0))
    weights = np.zeros((len(KINDS), terms.shape[1]), dtype=np.float32)
    bias = np.zeros(len(KINDS))
    present = np.unique(place[known])
    if len(present) < 2:
        return Kinds(weights, bias)
    learner = LogisticRegression(C=recipe.kind_strength, tol=1e-3)
    learner.fit(terms[known], place[known], sample_weight=weight[known] / weight[known].mean())
    coef, level = learner.coef_, learner.intercept_
    if len(present) == 2:  # scikit-learn keeps one row for two classes
        coef, level = np.vstack([-coef, coef]) / 2, np.concatenate([-level, level]) / 2
    bias[:] = -50.0
    weights[present], bias[present] = coef.astype(np.float16), level
    return Kinds(weights, bias)
