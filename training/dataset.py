"""Labelled pages as training rows: features, targets, groups and sample weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.features import Batch, batches, extract
from classifier.hashing import name_hash
from classifier.page import read_page
from classifier.site_memory import Site, SiteMemory
from training.augment import variants
from training.labeled import LabeledPage
from training.progress import Tick
from training.records import headline_of, page_name

__all__ = [
    "Dataset",
    "Sample",
    "build",
    "corpus_of",
    "fold_of",
    "walk",
]

Ints = npt.NDArray[np.intp]
_TARGET = {"C": 1, "B": 0}
_UNKNOWN = -1

FIRST = 4.0
"""How many lines like it a line that is always drawn stands for where chance did not draw it."""

VARIANTS = {"bare": 0.15, "dressed": 0.6, "grafted": 0.5, "restyled": 0.4, "extended": 0.5}
"""Weight of each kind of variant, as a share of that of all the page's renderings."""

_UNEVEN = 0.1
"""By which share of an even fold's pages the folds may differ."""

LENT = 0.7
"""Share of the pages whose site is known in training, where there is something to know."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled pages with what training needs to know of each.

    Attributes
    ----------
    pages : sequence of LabeledPage
        The given pages, then variants of them that are only learned from.
    n_given : int
        Number of the given pages.
    lines : sequence of sequences of str
        Physical lines of each page.
    fold : ndarray of intp, shape (n_pages,)
        Fold of each page; a site is in one fold.
    weight : ndarray of float64, shape (n_pages,)
        Sample weight of each page: its corpus's factor, shared out over its renderings.
    added : sequence of sequences of int
        Lines of each page that are always drawn.
    sites : sequence of Site or None
        What is known of the site of each given page, where there are others of it.
    lent : ndarray of bool, shape (n_pages,)
        Whether the page's site is known while the stages learn from the page.
    """

    pages: Sequence[LabeledPage]
    n_given: int
    lines: Sequence[Sequence[str]]
    fold: Ints
    weight: npt.NDArray[np.float64]
    added: Sequence[Sequence[int]]
    sites: Sequence[Site | None]
    lent: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """Lines drawn from the pages for training.

    Attributes
    ----------
    page : ndarray of intp, shape (n_rows,)
    column : ndarray of intp, shape (n_rows,)
        The line among the page's non-blank lines.
    content, headline : ndarray of int8, shape (n_rows,)
        1, 0, or -1 where it is not known.
    weight, headline_weight : ndarray of float64, shape (n_rows,)
        Of the line where content is learned, and where the headline is.
    """

    page: Ints
    column: Ints
    content: npt.NDArray[np.int8]
    headline: npt.NDArray[np.int8]
    weight: npt.NDArray[np.float64]
    headline_weight: npt.NDArray[np.float64]


def corpus_of(page: LabeledPage) -> str:
    """Return the corpus of a page, by its id; pages of folders are ``own``."""
    prefix = page.id.partition("/")[0].partition("_")[0]
    return prefix if "#" in page.id else "own"


def fold_of(sites: Sequence[str], folds: int, seed: int) -> Ints:
    """Assign sites to folds of about equal numbers of pages.

    A site's fold is drawn by its name, so that other sites hardly move when some are added, and
    figures of before and after are of the same division. Where folds are too uneven or one is
    empty, a site goes to the lightest one instead.

    Parameters
    ----------
    sites : sequence of str
        Site of each page.
    folds : int
    seed : int

    Returns
    -------
    ndarray of intp, shape (n_pages,)
    """
    counts = Counter(sites)
    draws = {name: name_hash(f"{seed} {name}") for name in counts}
    load = [0] * folds
    chosen = {}
    for name in sorted(counts, key=lambda name: (-counts[name], draws[name])):
        fold = draws[name] % folds
        if min(load) == 0 or load[fold] > min(load) + _UNEVEN * len(sites) / folds:
            fold = load.index(min(load))
        chosen[name] = fold
        load[fold] += counts[name]
    return np.array([chosen[site] for site in sites], dtype=np.intp)


def build(
    pages: Sequence[LabeledPage], *, folds: int, seed: int, factors: dict[str, float]
) -> Dataset:
    """Prepare labelled pages for training.

    Parameters
    ----------
    pages : sequence of LabeledPage
    folds : int
    seed : int
    factors : dict of str to float
        Weight of the pages of a corpus (see :func:`corpus_of`); 1 for all others.

    Returns
    -------
    Dataset
    """
    renderings = Counter(page_name(page) for page in pages)
    weight = [factors.get(corpus_of(page), 1.0) / renderings[page_name(page)] for page in pages]
    fold = fold_of([page.site for page in pages], folds, seed)
    others = variants(pages, fold.tolist(), np.random.default_rng(seed))
    origin = [*range(len(pages)), *(place for _, place in others)]
    everything = [*pages, *(made.page for made, _ in others)]
    lines = [read_page(page.text).lines for page in everything]
    weight += [factors.get(corpus_of(x.page), 1.0) * VARIANTS[x.kind] for x, _ in others]
    added = [*[()] * len(pages), *(made.added for made, _ in others)]
    sites = [*_sites(pages, lines), *[None] * len(others)]
    lent = np.random.default_rng(seed).random(len(everything)) < LENT
    return Dataset(
        everything, len(pages), lines, fold[origin], np.array(weight), added, sites, lent
    )


def _sites(pages: Sequence[LabeledPage], lines: Sequence[Sequence[str]]) -> list[Site | None]:
    """Return what is known of each page's site from its pages in the same rendering."""
    memory = SiteMemory()
    names = [f"{page.site}#{page.renderer}" for page in pages]
    for start in range(0, len(names), 64):
        memory.add_pages(lines[start : start + 64], names[start : start + 64])
    count = Counter(names)
    return [memory.site(name) if count[name] > 1 else None for name in names]


def walk(
    data: Dataset,
    tick: Tick,
    lent: npt.NDArray[np.bool_],
    chosen: Ints | None = None,
) -> Iterator[tuple[Batch, list[int]]]:
    """Extract the features of pages, batch by batch.

    Parameters
    ----------
    data : Dataset
    tick : callable
        Is told how many pages were done.
    lent : ndarray of bool, shape (n_pages,)
        The pages whose sites are known.
    chosen : ndarray of intp, optional
        Only these pages.

    Yields
    ------
    batch : Batch
    members : list of int
        The pages in it.
    """
    indices = range(len(data.pages)) if chosen is None else chosen.tolist()
    for group in batches([data.lines[index] for index in indices]):
        members = [indices[place] for place in group]
        sites = [data.sites[index] if lent[index] else None for index in members]
        yield extract([data.lines[index] for index in members], sites), members
        tick(len(members))


def targets(page: LabeledPage, physical: Ints) -> npt.NDArray[np.int8]:
    """Return 1 for content, 0 for boilerplate, -1 for not judged, of the given lines."""
    return np.array([_TARGET.get(page.labels[i], _UNKNOWN) for i in physical], dtype=np.int8)


def _draw_page(
    data: Dataset, index: int, physical: Ints, words: Ints, limit: int, rng: np.random.Generator
) -> tuple[npt.NDArray[Any], ...]:
    """Return the drawn lines of a page and the last four columns of a `Sample`."""
    mass, top = np.sqrt(1.0 + words), headline_of(data.pages[index])
    truth = targets(data.pages[index], physical)
    # the headline is content, also where the gold text does not judge it
    truth[(physical == top) & (truth == _UNKNOWN)] = _TARGET["C"]
    judged = np.flatnonzero(truth != _UNKNOWN)
    drawn = rng.permutation(judged)[:limit]
    scale = np.full(len(physical), data.weight[index] / mass.sum())
    scale[drawn] *= max(len(judged) / limit, 1.0)
    always = [0, *physical.searchsorted(np.asarray(data.added[index], dtype=np.intp)).tolist()]
    known = np.full(len(physical), _UNKNOWN if top is None else 0, dtype=np.int8)
    if top is not None and top in physical:
        always.append(int(physical.searchsorted(top)))
        known[always[-1]] = 1
    chosen = np.union1d(drawn, always)
    scale[np.setdiff1d(always, drawn)] *= FIRST
    weight = (mass * scale)[chosen]
    return chosen, truth[chosen], known[chosen], weight, weight * np.sqrt(mass.sum())


def draw(
    data: Dataset, batch: Batch, members: Sequence[int], limit: int, rng: np.random.Generator
) -> tuple[Sample, Ints]:
    """Draw `limit` judged lines a page, and its first line, its headline and those in `added`.

    Of a variant, half as many are drawn.

    A line weighs by the square root of its words. For content, all pages weigh alike; for the
    headline, a page weighs by the square root of its lines' weights. A drawn line stands for those
    that were not drawn.

    Returns
    -------
    sample : Sample
    columns : ndarray of intp, shape (n_rows,)
        The lines' columns in the batch's matrix.
    """
    parts = []
    for place, index in enumerate(members):
        start, stop = batch.text.page_start[place : place + 2].tolist()
        if start < stop:
            physical = batch.text.physical[start:stop] - batch.text.physical_start[place]
            words = batch.words[start:stop]
            most = limit if index < data.n_given else limit // 2
            drawn = _draw_page(data, index, physical, words, most, rng)
            parts.append((np.full(len(drawn[0]), index), *drawn, drawn[0] + start))
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    return Sample(*columns[:-1]), columns[-1]
