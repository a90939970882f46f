"""Stages fitted fold by fold, so that every score a later step learns from is out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, vstack

from classifier.bit_forest import BitForest
from classifier.counting import Floats
from classifier.decoder import find_headline
from classifier.features import Batch
from classifier.kinds import Kinds, page_terms
from classifier.model import Model
from classifier.network import Network
from classifier.scoring import HEADLINE_NAMES, SECOND_NAMES, Blend, headline_chance, second_blocks
from classifier.trees import Trees
from training.binning import Binned, bin_rows
from training.dataset import Dataset, Sample, draw, targets, walk
from training.fits import Fit, at_once, forest_fit, network_fit, second_forest_of
from training.progress import Tick
from training.records import headline_of
from training.stages import Recipe, fit_kinds, fit_wording, term_rows
from training.tuning import Outcome, Tuned

__all__ = ["CrossFit", "Rows", "cross_fit", "decode", "draw_rows", "final_model"]

Flags = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]
Aim = tuple[npt.NDArray[np.int8], Doubles]


@dataclass(frozen=True, eq=False)
class Rows:
    """Drawn lines: what they are, their features and hashed terms; and the terms of all pages."""

    sample: Sample
    first: Binned
    terms: csr_matrix
    page_terms: csr_matrix


@dataclass(frozen=True, eq=False)
class FirstStage:
    """What the second stage's features are made with."""

    content: Trees
    network: Network | None
    headline: Trees
    wording: Floats
    kinds: Kinds

    @cached_property
    def _scorers(self) -> tuple[Blend, BitForest]:
        return Blend(self.content, self.network), BitForest(self.headline)

    def blocks(self, batch: Batch) -> tuple[Floats, ...]:
        """Return the features of the second stage, as `second_blocks` does."""
        return second_blocks(batch, self._scorers, self.wording, self.kinds)


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


def draw_rows(data: Dataset, recipe: Recipe, tick: Tick) -> Rows:
    """Draw training lines from all pages and extract their features."""
    rng = np.random.default_rng(recipe.seed)
    samples, first, terms = [], [], []
    words = [csr_matrix((1, 1 << recipe.kind_bits))] * len(data.pages)
    for batch, members in walk(data, tick, data.lent):
        sample, columns = draw(data, batch, members, recipe.lines, rng)
        samples.append(sample)
        first.append(np.ascontiguousarray(batch.matrix[:, columns].T))
        terms.append(term_rows(batch, columns, recipe.word_bits))
        for index, row in zip(members, page_rows(batch, recipe.kind_bits), strict=True):
            words[index] = row
    joined = [
        np.concatenate([getattr(s, name) for s in samples]) for name in Sample.__dataclass_fields__
    ]
    binned = bin_rows(np.concatenate(first), recipe.bins)
    return Rows(Sample(*joined), binned, vstack(terms, format="csr"), vstack(words, format="csr"))


def page_rows(batch: Batch, bits: int) -> csr_matrix:
    """Return the hashed words of each page, each page of length one."""
    page, term = page_terms(batch, bits)
    values = 1.0 / np.sqrt(np.bincount(page, minlength=batch.text.n_pages)[page])
    return csr_matrix((values, (page, term)), shape=(batch.text.n_pages, 1 << bits))


def _first_fits(data: Dataset, rows: Rows, keep: Flags, recipe: Recipe) -> list[Fit]:
    """Return the fits of what a :class:`FirstStage` has, in that order, on a choice of pages."""
    content, headline = _aims(rows.sample, keep)
    types = [page.page_type for page in data.pages]
    return [
        forest_fit(rows.first, *content, recipe.first, recipe.seed),
        network_fit(rows.first, *content, recipe.first_network, recipe),
        forest_fit(rows.first, *headline, recipe.first_headline, recipe.seed),
        (0.0, partial(fit_wording, rows.terms, *content, recipe)),
        (0.0, partial(fit_kinds, rows.page_terms, types, data.weight * keep, recipe)),
    ]


def _second_fits(rows: Rows, second: Binned, keep: Flags, recipe: Recipe) -> list[Fit]:
    """Return the fits of the second stage: forest and network of content, and the headline's."""
    content, headline = _aims(rows.sample, keep)
    forest = second_forest_of(recipe, len(rows.sample.page))
    blind = second.leading(len(HEADLINE_NAMES))
    return [
        forest_fit(second, *content, forest, recipe.seed),
        network_fit(second, *content, recipe.second_network, recipe),
        forest_fit(blind, *headline, recipe.headline, recipe.seed),
    ]


def _aims(sample: Sample, keep: Flags) -> tuple[Aim, Aim]:
    """Return targets and weights of content and of the headline, on a choice of pages."""
    kept = keep[sample.page]
    return (sample.content, sample.weight * kept), (sample.headline, sample.headline_weight * kept)


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
    folds = range(recipe.folds)
    keeps = [data.fold != fold for fold in folds]
    found = at_once([_first_fits(data, rows, keep, recipe) for keep in keeps], tick)
    stages = [FirstStage(*fitted) for fitted in found]
    second = np.zeros((len(rows.sample.page), len(SECOND_NAMES)), dtype=np.float32)
    for fold, stage in zip(folds, stages, strict=True):
        _second_rows(data, rows, second, fold, stage, tick)
    binned = bin_rows(second, recipe.bins)
    found = at_once([_second_fits(rows, binned, keep, recipe) for keep in keeps], tick)
    known = np.array([site is not None for site in data.sites])
    blind: dict[int, Outcome] = {}
    informed: dict[int, Outcome] = {}
    for fold, stage, fitted in zip(folds, stages, found, strict=True):
        scorers = Blend(fitted[0], fitted[1]), BitForest(fitted[2])
        own = np.flatnonzero(data.fold[: data.n_given] == fold)
        blind |= _outcomes(data, own, np.zeros_like(known), stage, scorers, tick)
        informed |= _outcomes(data, own[known[own]], known, stage, scorers, tick)
    return CrossFit([blind[index] for index in range(data.n_given)], informed, binned)


def _second_rows(
    data: Dataset,
    rows: Rows,
    second: Floats,
    fold: int,
    stage: FirstStage,
    tick: Tick,
) -> None:
    start = rows.sample.page.searchsorted(np.arange(len(data.pages) + 1))
    for batch, members in walk(data, tick, data.lent, np.flatnonzero(data.fold == fold)):
        matrix = np.concatenate(stage.blocks(batch))
        for place, index in enumerate(members):
            own = slice(start[index], start[index + 1])
            columns = batch.text.page_start[place] + rows.sample.column[own]
            second[own] = matrix[:, columns].T


def _outcomes(
    data: Dataset,
    chosen: npt.NDArray[np.intp],
    known: npt.NDArray[np.bool_],
    stage: FirstStage,
    scorers: tuple[Blend, BitForest],
    tick: Tick,
) -> dict[int, Outcome]:
    content, headline = scorers
    outcomes = {}
    for batch, members in walk(data, tick, known, chosen):
        blocks = stage.blocks(batch)
        score, top = content.scores(*blocks), headline_chance(blocks, headline)
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
    top = find_headline(page.headline, chance, content, tuned.headline_threshold)
    if top is not None:
        content[top] = True
    return chance, content, top


def final_model(
    data: Dataset, rows: Rows, crossed: CrossFit, tuned: Tuned, recipe: Recipe, tick: Tick
) -> Model:
    """Fit all stages on all rows, with the settings tuned out of fold."""
    everything = np.ones(len(data.pages), dtype=bool)
    fits = (
        _first_fits(data, rows, everything, recipe),
        _second_fits(rows, crossed.second, everything, recipe),
    )
    fitted, (second, network, headline) = at_once(fits, tick)
    first = FirstStage(*fitted)
    return Model(
        first=first.content,
        first_headline=first.headline,
        second=second,
        headline=headline,
        first_network=first.network,
        second_network=network,
        wording=first.wording,
        kinds=first.kinds,
        knots=tuned.knots,
        decoder=tuned.decoder,
        headline_threshold=tuned.headline_threshold,
        presets=tuned.presets,
    )
