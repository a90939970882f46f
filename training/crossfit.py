"""Stages fitted fold by fold, so that every score a later step learns from is out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from classifier.counting import Floats
from classifier.decoder import find_headline
from classifier.model import SECOND_NAMES, Model, second_matrix
from classifier.stacking import probability
from classifier.trees import BitForest, Trees
from classifier.wording import wording_score
from training.binning import Binned, bin_rows
from training.dataset import Dataset, Sample, draw, headline_of, targets, walk
from training.progress import Tick
from training.stages import Recipe, fit_forest, fit_wording, term_rows
from training.tuning import Outcome, Tuned

__all__ = ["CrossFit", "Rows", "cross_fit", "decode", "draw_rows", "final_model", "work"]

_FOREST_COST = 3e-4  # a boosted tree's time on one line, in those of extracting a page's features


@dataclass(frozen=True, eq=False)
class Rows:
    """Drawn lines: what they are, their features, and their hashed terms."""

    sample: Sample
    first: Binned
    terms: csr_matrix


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Out-of-fold scores of all pages, and the rows that the second stage learns from."""

    outcomes: list[Outcome]
    second: Binned


def draw_rows(data: Dataset, recipe: Recipe, tick: Tick) -> Rows:
    """Draw training lines from all pages and extract their features."""
    rng = np.random.default_rng(recipe.seed)
    samples, first, terms = [], [], []
    for batch, members in walk(data, tick):
        sample, columns = draw(data, batch, members, recipe.lines, rng)
        samples.append(sample)
        first.append(np.ascontiguousarray(batch.matrix[:, columns].T))
        terms.append(term_rows(batch, columns, recipe.word_bits))
    joined = [
        np.concatenate([getattr(s, name) for s in samples])
        for name in ("page", "column", "content", "headline", "weight")
    ]
    binned = bin_rows(np.concatenate(first), recipe.bins)
    return Rows(Sample(*joined), binned, vstack(terms, format="csr"))


def _fit_first(rows: Rows, keep: npt.NDArray[np.bool_], recipe: Recipe) -> tuple[Trees, Floats]:
    weight = rows.sample.weight * keep
    content = rows.sample.content
    forest = fit_forest(rows.first, content, weight, recipe.first, recipe.seed)
    return forest, fit_wording(rows.terms, content, weight, recipe)


def _fit_second(
    rows: Rows, second: Binned, keep: npt.NDArray[np.bool_], recipe: Recipe
) -> tuple[Trees, Trees]:
    weight, sample = rows.sample.weight * keep, rows.sample
    content = fit_forest(second, sample.content, weight, recipe.second, recipe.seed)
    headline = fit_forest(second, sample.headline, weight, recipe.headline, recipe.seed)
    return content, headline


def cross_fit(data: Dataset, rows: Rows, recipe: Recipe, tick: Tick) -> CrossFit:
    """Fit both stages on every choice of all folds but one, and score the one left out.

    The second stage learns from the first one's out-of-fold scores, so that it sees scores of the
    kind that it will see on new pages. No page is scored by a stage that was fitted on its site;
    but the scores that the second stage learns from were given by first stages that had seen the
    fold it is judged on. Fully nested folds would take three times as long.

    Parameters
    ----------
    data : Dataset
    rows : Rows
    recipe : Recipe
    tick : callable
        Is told how much work was done, in pages.

    Returns
    -------
    CrossFit
    """
    fold_of_row = data.fold[rows.sample.page]
    second = np.zeros((len(fold_of_row), len(SECOND_NAMES)), dtype=np.float32)
    matrices: dict[int, tuple[BitForest, Floats]] = {}
    for fold in range(recipe.folds):
        forest, wording = _fit_first(rows, fold_of_row != fold, recipe)
        tick(work(len(second), recipe.first))
        matrices[fold] = (BitForest(forest), wording)
        _second_rows(data, rows, second, fold, matrices[fold], tick)
    outcomes: list[Outcome | None] = [None] * len(data.pages)
    binned = bin_rows(second, recipe.bins)
    for fold in range(recipe.folds):
        content, headline = _fit_second(rows, binned, fold_of_row != fold, recipe)
        tick(work(len(second), recipe.second) + work(len(second), recipe.headline))
        _outcomes(
            data, outcomes, fold, (*matrices[fold], BitForest(content), BitForest(headline)), tick
        )
    return CrossFit([page for page in outcomes if page is not None], binned)


def work(lines: int, settings: dict[str, Any]) -> float:
    """Return what a fit on so many lines costs, in pages of feature extraction."""
    return _FOREST_COST * float(settings["max_iter"]) * lines


def _second_rows(
    data: Dataset,
    rows: Rows,
    second: Floats,
    fold: int,
    stage: tuple[BitForest, Floats],
    tick: Tick,
) -> None:
    start = rows.sample.page.searchsorted(np.arange(len(data.pages) + 1))
    for batch, members in walk(data, tick, np.flatnonzero(data.fold == fold)):
        score = stage[0].scores(batch.matrix)
        wording = wording_score(batch.text, batch.tokens, stage[1])
        matrix = second_matrix(batch, score, wording)
        for place, index in enumerate(members):
            own = slice(start[index], start[index + 1])
            columns = batch.text.page_start[place] + rows.sample.column[own]
            second[own] = matrix[:, columns].T


def _outcomes(
    data: Dataset,
    outcomes: list[Outcome | None],
    fold: int,
    stages: tuple[BitForest, Floats, BitForest, BitForest],
    tick: Tick,
) -> None:
    first, weights, content, headline = stages
    for batch, members in walk(data, tick, np.flatnonzero(data.fold == fold)):
        wording = wording_score(batch.text, batch.tokens, weights)
        matrix = second_matrix(batch, first.scores(batch.matrix), wording)
        score, top = content.scores(matrix), probability(headline.scores(matrix))
        for place, index in enumerate(members):
            own = slice(*batch.text.page_start[place : place + 2].tolist())
            physical = batch.text.physical[own] - batch.text.physical_start[place]
            known = headline_of(data.pages[index])
            line = int(physical.searchsorted(known)) if known is not None and known >= 0 else known
            truth = targets(data.pages[index], physical)
            outcomes[index] = Outcome(score[own], top[own], batch.words[own], truth, physical, line)


def decode(
    page: Outcome, tuned: Tuned
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int | None]:
    """Return the probabilities, labels and headline of a page's non-blank lines."""
    chance = np.interp(page.score, *tuned.knots)
    content = tuned.decoder.labels(chance, page.words)
    top = find_headline(page.headline, content, tuned.headline_threshold)
    if top is not None:
        content[top] = True
    return chance, content, top


def final_model(rows: Rows, crossed: CrossFit, tuned: Tuned, recipe: Recipe, tick: Tick) -> Model:
    """Fit all stages on all rows, with the settings tuned out of fold."""
    everything = np.ones(len(rows.sample.page), dtype=bool)
    first, wording = _fit_first(rows, everything, recipe)
    tick(work(len(everything), recipe.first))
    second, headline = _fit_second(rows, crossed.second, everything, recipe)
    tick(work(len(everything), recipe.second) + work(len(everything), recipe.headline))
    return Model(
        first=first,
        second=second,
        headline=headline,
        wording=wording,
        knots=tuned.knots,
        decoder=tuned.decoder,
        headline_threshold=tuned.headline_threshold,
        presets=tuned.presets,
    )
