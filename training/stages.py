"""The learners: forests of boosted trees, and the linear score of a line's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from threadpoolctl import threadpool_limits

from classifier.counting import Floats
from classifier.features import Batch
from classifier.kinds import KINDS, Kinds
from classifier.trees import Trees
from classifier.wording import line_terms
from training.binning import Binned, unbinned
from training.export import constant, mean_of, trees_of

__all__ = ["LINES", "Recipe", "fit_forest", "fit_kinds", "fit_wording", "term_rows"]

Doubles = npt.NDArray[np.float64]

LINES = 48
"""Lines of a page that are learned from, where nothing else is asked for; more are better."""

_THREADS = 1
"""Threads of a fit: several fits at once are faster, and sums do not depend on who adds first."""


def _forest(rounds: int, leaves: int, rate: float, **others: float) -> dict[str, Any]:
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
        **others,
    }


def _headline_forest(rounds: int, leaves: int) -> dict[str, Any]:
    others = {"emphasis": 4.0, "misses": 0.3, "max_features": 0.5, "tree_features": 1.0}
    return _forest(rounds, leaves, 0.3, **others)


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
    first: dict[str, Any] = field(default_factory=lambda: _forest(50, 31, 0.35, bags=2))
    first_headline: dict[str, Any] = field(default_factory=lambda: _headline_forest(40, 16))
    second: dict[str, Any] = field(default_factory=lambda: _forest(50, 31, 0.35, bags=2))
    headline: dict[str, Any] = field(default_factory=lambda: _headline_forest(50, 31))
    factors: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.lines < 1:
            raise ValueError(
                f"expected at least one line of a page to learn from; found {self.lines}"
            )


_PASSES, _UNSETTLED = 5, 2
"""Passes over the lines that the word score learns in, and how many of them its mean leaves out."""


class _Draws:
    """The set of features that may meet in a tree, drawn anew whenever one begins."""

    def __init__(self, n_features: int, share: float, seed: int) -> None:
        self._n_features, self._size = n_features, max(1, round(share * n_features))
        self._rng = np.random.default_rng(seed)
        self._drawn: set[int] = set()

    def __iter__(self) -> Iterator[set[int]]:
        self._drawn = set(self._rng.permutation(self._n_features)[: self._size].tolist())
        return iter([self._drawn])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place: int) -> set[int]:
        return [self._drawn][place]


class _OnCodes(HistGradientBoostingClassifier):  # type: ignore[misc]
    """The learner, which takes the codes of bins as they are and grows a tree on some features.

    Scikit-learn has no public way to say either. By itself it sorts every column of every fit,
    which takes longer than the boosting of a small forest; and where it draws features for each
    split, it has counted all of them first, which is nine tenths of the work.
    """

    tree_features = 1.0

    def _check_interaction_cst(self, n_features: int) -> _Draws | None:
        if self.tree_features == 1.0:
            return None
        return _Draws(n_features, self.tree_features, self.random_state)

    def _bin_data(self, X: Doubles, *_: Any, **__: Any) -> npt.NDArray[np.uint8]:
        codes = np.asfortranarray(X, dtype=np.uint8)
        mapper, highest = self._bin_mapper, codes.max(axis=0)
        mapper.bin_thresholds_ = [np.arange(top) + 0.5 for top in highest.tolist()]
        mapper.n_bins_non_missing_ = highest.astype(np.uint32) + 1
        mapper.is_categorical_ = np.zeros(len(highest), dtype=np.uint8)
        mapper.missing_values_bin_idx_ = mapper.n_bins - 1
        return codes


def fit_forest(
    rows: Binned,
    target: npt.NDArray[np.int8],
    weight: npt.NDArray[np.float64],
    settings: dict[str, Any],
    seed: int,
) -> Trees:
    """Fit boosted trees on rows whose target is known.

    The mean of several short forests, each learned from rows of its own, is better than one long
    one.

    Parameters
    ----------
    rows : Binned
        Of n_rows rows.
    target : ndarray of int8, shape (n_rows,)
        1, 0, or -1 where it is not known.
    weight : ndarray of float64, shape (n_rows,)
    settings : dict
    seed : int

    Returns
    -------
    Trees
    """
    known = np.flatnonzero((target >= 0) & (weight > 0))
    settings = {
        **settings,
        "min_samples_leaf": min(settings["min_samples_leaf"], 1 + len(known) // 200),
        "max_bins": max(2, 1 + max(map(len, rows.edges))),
    }
    bags, emphasis, misses = (settings.pop(name) for name in ("bags", "emphasis", "misses"))
    weight = np.where(target == 1, emphasis * misses * weight, weight)
    rng = np.random.default_rng(seed)
    known = known[(target[known] == 1) | (rng.random(len(known)) < misses)]
    share = rng.integers(bags, size=len(known))
    shares = [known[share == bag] for bag in range(bags)]
    forests = [
        _fit_trees(rows.codes[own], target[own] == 1, weight[own], settings, seed + bag)
        for bag, own in enumerate(shares)
    ]
    trees = unbinned(mean_of(forests), rows.edges)
    return replace(trees, baseline=trees.baseline - float(np.log(emphasis)))


def _fit_trees(
    codes: npt.NDArray[np.uint8],
    truth: npt.NDArray[np.bool_],
    weight: npt.NDArray[np.float64],
    settings: dict[str, Any],
    seed: int,
) -> Trees:
    """Fit one forest; where a class has no rows, it is one leaf, and says no where no row is."""
    hits, misses = int(truth.sum()), int((~truth).sum())
    if not hits or not misses:
        return constant(float(np.log((hits + 0.01) / (misses + 1))))
    public = {name: value for name, value in settings.items() if name != "tree_features"}
    learner = _OnCodes(early_stopping=False, random_state=seed, **public)
    learner.tree_features = settings.get("tree_features", 1.0)
    with threadpool_limits(limits=_THREADS, user_api="openmp"):
        learner.fit(codes, truth, sample_weight=weight / weight.mean())
    return trees_of(learner)


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
