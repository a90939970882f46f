"""Stages fitted fold by fold, so that every score a later step learns from is out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.bit_forest import BitForest
from classifier.counting import Floats
from classifier.decoder import find_headline
from classifier.features import Batch
from classifier.kinds import Kinds
from classifier.model import Model
from classifier.scoring import SECOND_NAMES, second_blocks
from classifier.stacking import headline_chance, probability
from classifier.trees import Trees
from training.binning import Binned, bin_rows
from training.dataset import Dataset, corpus_of, targets, walk
from training.drawing import Rows
from training.progress import Tick
from training.records import headline_of
from training.stages import Recipe, fit_forest, fit_kinds, fit_wording
from training.tuning import Outcome, Tuned

__all__ = ["CrossFit", "cross_fit", "decode", "final_model", "trusted", "work"]

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_FOREST_COST = 3e-4  # a boosted tree's time on one line, in those of extracting a page's features


@dataclass(frozen=True, eq=False)
class FirstStage:
    """What the second stage's features are made with."""

    forest: Trees
    wording: Floats
    kinds: Kinds

    @cached_property
    def _fast(self) -> BitForest:
        return BitForest(self.forest)

    def matrix(self, batch: Batch) -> Floats:
        """Return the features of the second stage."""
        return np.concatenate(second_blocks(batch, self._fast, self.wording, self.kinds))


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Out-of-fold scores of all pages, and the rows that the second stage learns from.

    Attributes
    ----------
    outcomes : list of Outcome
        Of each given page, its site not known.
    informed : dict of int to Outcome
        Of each given page whose site is known, with that knowledge.
    second : Binned
    """

    outcomes: list[Outcome]
    informed: dict[int, Outcome]
    second: Binned


def _fit_first(data: Dataset, rows: Rows, keep: Mask, trust: Doubles, recipe: Recipe) -> FirstStage:
    weight = trust * rows.sample.weight * keep[rows.sample.page]
    content = rows.sample.content
    forest = fit_forest(rows.first, content, weight, recipe.first, recipe.seed)
    wording = fit_wording(rows.terms, content, weight, recipe)
    types = [page.page_type for page in data.pages]
    return FirstStage(
        forest, wording, fit_kinds(rows.page_terms, types, data.weight * keep, recipe)
    )


def _fit_second(rows: Rows, second: Binned, keep: Mask, trust: Doubles, recipe: Recipe) -> Trees:
    weight = trust * rows.sample.weight * keep[rows.sample.page]
    return fit_forest(second, rows.sample.content, weight, recipe.second, recipe.seed)


def _fit_headline(rows: Rows, second: Binned, keep: Mask, recipe: Recipe) -> Trees:
    weight = rows.sample.weight * keep[rows.sample.page]
    return fit_forest(second, rows.sample.headline, weight, recipe.headline, recipe.seed)


def _cross_first(
    data: Dataset, rows: Rows, folds: Sequence[int], recipe: Recipe, tick: Tick
) -> tuple[list[FirstStage], Floats]:
    """Fit a first stage without each of the folds, on the others of them.

    Returns
    -------
    stages : list of FirstStage
    second : ndarray of float32, shape (n_rows, n_features)
        The second stage's features of each line, by the stage that was fitted without its fold;
        0 for lines of no such fold.
    """
    second = np.zeros((len(rows.sample.page), len(SECOND_NAMES)), dtype=np.float32)
    stages = []
    for fold in folds:
        learned = np.isin(data.fold, [other for other in folds if other != fold])
        stages.append(_fit_first(data, rows, learned, rows.trust[fold], recipe))
        tick(work(len(second), recipe.first) * (len(folds) - 1) / (recipe.folds - 1))
        _second_rows(data, rows, second, np.flatnonzero(data.fold == fold), stages[-1], tick)
    return stages, second


def _chance_of_label(
    data: Dataset, rows: Rows, left_out: int, recipe: Recipe, tick: Tick
) -> Doubles:
    """Return the probability of each line's label by stages that know neither its fold nor another.

    Lines of the fold that is left out, and those that are not judged, have 1.
    """
    folds = [fold for fold in range(recipe.folds) if fold != left_out]
    _, second = _cross_first(data, rows, folds, recipe, tick)
    place, content = data.fold[rows.sample.page], rows.sample.content
    own, chance = np.flatnonzero(place != left_out), np.ones(len(content))
    binned = bin_rows(second[own], recipe.bins)
    for fold in folds:
        weight = rows.sample.weight[own] * (place[own] != fold)
        forest = fit_forest(binned, content[own], weight, recipe.second, recipe.seed)
        tick(work(len(own), recipe.second))
        judged = np.flatnonzero((place == fold) & (content >= 0))
        score = BitForest(forest).scores(np.ascontiguousarray(second[judged].T))
        chance[judged] = probability(np.where(content[judged] == 1, score, -score))
    return chance


def trusted(data: Dataset, rows: Rows, recipe: Recipe, tick: Tick) -> Rows:
    """Give each drawn line the weight that its label earns.

    Labels that were aligned with a text are wrong here and there, and gold texts differ in what
    they hold. Such a label weighs by the probability that stages give it which were fitted without
    its site, so that the next ones do not learn what contradicts everything else (after Zhang and
    Sabuncu 2018, "Generalized cross entropy loss for training deep neural networks with noisy
    labels"). Where a fold is left out to be judged, it has no say in these weights either.

    Parameters
    ----------
    data : Dataset
    rows : Rows
    recipe : Recipe
    tick : callable
        Is told how much work was done, in pages.

    Returns
    -------
    Rows
        The same ones where there are less than three folds, or all labels were made by hand.
    """
    aligned = np.array([corpus_of(page) != "own" for page in data.pages])[rows.sample.page]
    if recipe.folds < 3 or not aligned.any():
        return rows
    fold = data.fold[rows.sample.page]
    chance = np.stack(
        [_chance_of_label(data, rows, left_out, recipe, tick) for left_out in range(recipe.folds)]
    )
    known = fold != np.arange(recipe.folds)[:, np.newaxis]
    chance = np.vstack([chance, np.mean(chance, axis=0, where=known)])
    trust = np.where(aligned, 1 - recipe.doubt * (1 - chance), 1.0)
    return replace(rows, trust=trust)


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
    stages, second = _cross_first(data, rows, range(recipe.folds), recipe, tick)
    binned = bin_rows(second, recipe.bins)
    known = np.array([site is not None for site in data.sites])
    blind: dict[int, Outcome] = {}
    informed: dict[int, Outcome] = {}
    for fold in range(recipe.folds):
        others = data.fold != fold
        content = _fit_second(rows, binned, others, rows.trust[fold], recipe)
        headline = _fit_headline(rows, binned, others, recipe)
        tick(work(len(second), recipe.second) + work(len(second), recipe.headline))
        forests = BitForest(content), BitForest(headline)
        own = np.flatnonzero(data.fold[: data.n_given] == fold)
        blind |= _outcomes(data, own, np.zeros_like(known), stages[fold], forests, tick)
        informed |= _outcomes(data, own[known[own]], known, stages[fold], forests, tick)
    return CrossFit([blind[index] for index in range(data.n_given)], informed, binned)


def work(lines: int, settings: dict[str, Any]) -> float:
    """Return what a fit on so many lines costs, in pages of feature extraction."""
    return _FOREST_COST * float(settings.get("bags", 1) * settings["max_iter"]) * lines


def _second_rows(
    data: Dataset, rows: Rows, second: Floats, chosen: Ints, stage: FirstStage, tick: Tick
) -> None:
    start = rows.sample.page.searchsorted(np.arange(len(data.pages) + 1))
    for batch, members in walk(data, tick, data.lent, chosen):
        matrix = stage.matrix(batch)
        for place, index in enumerate(members):
            own = slice(start[index], start[index + 1])
            columns = batch.text.page_start[place] + rows.sample.column[own]
            second[own] = matrix[:, columns].T


def _outcomes(
    data: Dataset,
    chosen: npt.NDArray[np.intp],
    known: npt.NDArray[np.bool_],
    stage: FirstStage,
    forests: tuple[BitForest, BitForest],
    tick: Tick,
) -> dict[int, Outcome]:
    content, headline = forests
    outcomes = {}
    for batch, members in walk(data, tick, known, chosen):
        matrix = stage.matrix(batch)
        score, top = content.scores(matrix), headline_chance(batch, headline.scores(matrix))
        for place, index in enumerate(members):
            own = slice(*batch.text.page_start[place : place + 2].tolist())
            physical = batch.text.physical[own] - batch.text.physical_start[place]
            first = headline_of(data.pages[index])
            line = None if first is None else int(physical.searchsorted(first))
            truth = targets(data.pages[index], physical)
            outcomes[index] = Outcome(score[own], top[own], batch.words[own], truth, physical, line)
    return outcomes


def decode(
    page: Outcome, tuned: Tuned, plain: bool = False
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], int | None]:
    """Return the probabilities, labels and headline of a page's non-blank lines.

    With `plain`, the labels are those of the best fixed threshold instead of the decoder's.
    """
    chance = np.interp(page.score, *tuned.knots)
    content = chance > tuned.cut if plain else tuned.decoder.labels(chance, page.words)
    top = find_headline(page.headline, content, tuned.headline_threshold)
    if top is not None:
        content[top] = True
    return chance, content, top


def final_model(
    data: Dataset, rows: Rows, crossed: CrossFit, tuned: Tuned, recipe: Recipe, tick: Tick
) -> Model:
    """Fit all stages on all rows, with the settings tuned out of fold."""
    everything, count = np.ones(len(data.pages), dtype=bool), len(rows.sample.page)
    first = _fit_first(data, rows, everything, rows.trust[-1], recipe)
    tick(work(count, recipe.first))
    second = _fit_second(rows, crossed.second, everything, rows.trust[-1], recipe)
    headline = _fit_headline(rows, crossed.second, everything, recipe)
    tick(work(count, recipe.second) + work(count, recipe.headline))
    return Model(
        first=first.forest,
        second=second,
        headline=headline,
        wording=first.wording,
        kinds=first.kinds,
        knots=tuned.knots,
        decoder=tuned.decoder,
        headline_threshold=tuned.headline_threshold,
        presets=tuned.presets,
    )
