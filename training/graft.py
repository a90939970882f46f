"""Variants that put a page's content into the frame of another page, or others' behind it.

A *frame* is what stands before and after the content of a page. Behind an article, a frame may also
hold what is content elsewhere: the cards of a listing, as teasers; the posts of a forum, as
comments. Where an article stands above them, they are not what the page is for. An *extended* page
is one of many pieces: the posts of a blog, a longer thread, a longer list, all of them content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.records import LabeledPage, language_of
from training.rows import Row, Variant, rows_of, variant

__all__ = ["Frames", "extended", "grafted"]

_ARTICLES = ("article", None)
_TAILS = ("listing", "collection", "forum", "product")
_TAIL_LINES = (4, 60)
_TAIL_CHANCE = 0.5
_LONG = (*_ARTICLES, "forum", "listing", "collection")
_LONG_CHANCE = 0.25
_LONG_PIECES = (3, 13)
_LONG_LINES = 1000
_EXCERPT_LINES = (1, 9)


@dataclass(frozen=True)
class _Parts:
    before: list[Row]
    core: list[Row]
    after: list[Row]


def _split(page: LabeledPage) -> _Parts | None:
    rows = rows_of(page)
    places = [place for place, row in enumerate(rows) if row.label == "C" or row.headline]
    if len(places) < 2:
        return None
    start, stop = places[0], places[-1] + 1
    return _Parts(rows[:start], rows[start:stop], rows[stop:])


def _key(page: LabeledPage, fold: int, kind: str | None) -> tuple[str, str | None, int, str | None]:
    return language_of(page), page.renderer, fold, kind


class Frames:
    """Pages to take frames from, by language, renderer, fold and kind of page.

    Parameters
    ----------
    pages : sequence of LabeledPage
    fold : sequence of int
    """

    def __init__(self, pages: Sequence[LabeledPage], fold: Sequence[int]) -> None:
        self._pages: dict[tuple[str, str | None, int, str | None], list[LabeledPage]] = defaultdict(
            list
        )
        for page, part in zip(pages, fold, strict=True):
            self._pages[_key(page, part, page.page_type)].append(page)

    def choose(
        self, page: LabeledPage, fold: int, kinds: Sequence[str | None], rng: np.random.Generator
    ) -> _Parts | None:
        """Return a page of another site and of one of these kinds, in the page's looks and fold."""
        found = [
            other
            for kind in kinds
            for other in self._pages.get(_key(page, fold, kind), [])
            if other.site != page.site
        ]
        return _split(found[int(rng.integers(len(found)))]) if found else None


def _tail(part: _Parts, rng: np.random.Generator) -> list[Row]:
    """Return a stretch of another page's content, which is none here."""
    count = int(rng.integers(*_TAIL_LINES))
    start = int(rng.integers(max(len(part.core) - count, 0) + 1))
    rows = part.core[start : start + count]
    return [Row(row.text, "." if row.label == "." else "B") for row in rows]


def grafted(
    page: LabeledPage, fold: int, frames: Frames, rng: np.random.Generator
) -> Variant | None:
    """Return a page's content in the frame of another page.

    Parameters
    ----------
    page : LabeledPage
    fold : int
        The frame comes from a page of this fold.
    frames : Frames
    rng : numpy.random.Generator

    Returns
    -------
    Variant or None
        None where there is no content, or no other page.
    """
    own = _split(page)
    article = page.page_type in _ARTICLES
    kinds = (*_ARTICLES, "service", "listing") if article else (page.page_type,)
    frame = frames.choose(page, fold, kinds, rng)
    if own is None or frame is None:
        return None
    # The title line names the page, not the frame.
    before = [*own.before[: int(rng.random() < 0.7)], *frame.before[1:]]
    after = list(frame.after)
    other = frames.choose(page, fold, _TAILS, rng) if article else None
    if other is not None and rng.random() < _TAIL_CHANCE:
        place = int(rng.integers(min(len(after), 5) + 1))
        after[place:place] = _tail(other, rng)
    return variant(page, [*before, *own.core, *after], "grafted")


def extended(
    page: LabeledPage, fold: int, frames: Frames, rng: np.random.Generator
) -> Variant | None:
    """Return a page with the contents of others of its kind behind its own.

    Of articles, all are whole or all are excerpts, with none to two of the lines before and behind.
    They have no headline in common; the title line, which names one of them, is left out.

    Parameters
    ----------
    page : LabeledPage
    fold : int
        The others come from pages of this fold.
    frames : Frames
    rng : numpy.random.Generator

    Returns
    -------
    Variant or None
        None for three pages in four, for those of other kinds, and where there is no other page.
    """
    own = _split(page)
    if own is None or page.page_type not in _LONG or rng.random() > _LONG_CHANCE:
        return None
    article = page.page_type in _ARTICLES
    kinds = _ARTICLES if article else (page.page_type,)
    pieces = int(rng.integers(*_LONG_PIECES))
    others = [frames.choose(page, fold, kinds, rng) for _ in range(pieces)]
    parts = [own, *filter(None, others)]
    excerpt = article and rng.random() < 0.5
    most = int(rng.integers(*_EXCERPT_LINES)) if excerpt else _LONG_LINES
    around = rng.integers(3, size=2).tolist() if article else [0, 0]
    if len(parts) == 1:
        return None
    rows = [row for part in parts for row in _piece(part, most, around)]
    before = own.before[int(article) : len(own.before) - around[0]]
    return variant(page, [*before, *rows[:_LONG_LINES], *own.after[around[1] :]], "extended")


def _piece(part: _Parts, most: int, around: Sequence[int]) -> list[Row]:
    """Return a page's first lines of content, with as many of the lines around as are asked for."""
    core = part.core
    solid = [place for place, row in enumerate(core) if row.label == "C" or row.headline]
    if len(solid) > most:
        core = core[: solid[most]]
    core = [Row(row.text, "C" if row.headline else row.label) for row in core]
    return [*part.before[len(part.before) - around[0] :], *core, *part.after[: around[1]]]
