"""Variants of labelled pages that imitate other sites; only learned from, never judged by.

A *bare* page is its headline and content alone, as if somebody had saved just the text. A *dressed*
page is an article with the chrome of others: teasers of other pages of its language behind it and
within it, "read also" lines, a line of icon names on top, menu entries run together, no title line
or the site's name in its place, which comes again in a credit and at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from classifier.lexicon import read_words
from classifier.page import read_page
from training.graft import Frames, extended, grafted
from training.records import LabeledPage, headline_of, language_of, page_name
from training.restyle import restyled
from training.rows import Row, Variant, headline_place, rows_of, variant

__all__ = ["bare", "dressed", "variants"]

_TAGS = ("FEATURE", "PREMIUM", "VIDEO", "OPINION", "EXCLUSIVE", "PODCAST", "LIVE", "PLUS", "PHOTOS")
_MARKUP = (
    '<img height="1" width="1" style="display:none" src="https://t.example/p?id={0}&e=v" />',
    '<div style="position:absolute;"><img src="//tags.example/b?P={0:x}" alt=""></div>',
    '<iframe src="//tags.example/ns.html?id=T-{0:X}" height="0" width="0"></iframe>',
)
_CREDITS = ("{1} © {0}", "{1} ({0})", "{1} Foto: {0}", "{1} {0} / AP", "© {0}")
_ENDS = (". ", "! ", "? ", "。", "। ", "؟ ")
_SEPARATORS = (": ", ": ", ": ", " – ", " | ", " ")


@dataclass(frozen=True)
class _Donor:
    """What other pages may show of a page: its headline, and sentences of its content."""

    site: str
    headline: str
    sentences: Sequence[str]


Donors = dict[tuple[str, int], list[_Donor]]


@cache
def _phrases() -> dict[str, list[str]]:
    lines = Path(__file__).with_name("read_also.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.partition(":") for line in lines if not line.startswith("#"))
    return {language: [x.strip() for x in rest.split("|")] for language, _, rest in rows}


def bare(page: LabeledPage) -> Variant | None:
    """Return the headline and the content of a page alone.

    Returns
    -------
    Variant or None
        None where the headline is not known, or less than three lines are content.
    """
    rows = [row for row in rows_of(page) if row.label in "C." or row.headline]
    if page.headline_line is None or sum(row.label == "C" for row in rows) < 3:
        return None
    while rows[0].label == ".":
        rows.pop(0)
    for row in rows:
        row.label = "C" if row.headline else row.label
    return variant(page, rows, "bare")


def _sentence(text: str) -> str:
    ends = [place + len(end) for end in _ENDS if (place := text.find(end, 30)) >= 0]
    return text[: min(ends, default=len(text))].strip()[:300]


def _donors(pages: Sequence[LabeledPage], fold: Sequence[int]) -> Donors:
    found: Donors = defaultdict(list)
    seen = set()
    for page, part in zip(pages, fold, strict=True):
        top = headline_of(page)
        if top is None or page_name(page) in seen:
            continue
        seen.add(page_name(page))
        lines = read_page(page.text).lines
        long = [x for x, label in zip(lines, page.labels, strict=True) if label == "C" and x[60:]]
        donor = _Donor(page.site, lines[top].strip(), [_sentence(x) for x in long[:4]])
        found[language_of(page), part].append(donor)
    return found


def _teasers(donors: Sequence[_Donor], rng: np.random.Generator) -> list[Row]:
    """Return a block of teasers, in one of the styles that sites have."""
    style = rng.choice(["doubled", "headlines", "both", "sentences"])
    texts: list[str] = []
    for place in rng.permutation(len(donors))[: rng.integers(2, 9)].tolist():
        donor = donors[place]
        texts += [] if style == "sentences" else [donor.headline]
        texts += [f"{donor.headline} {rng.choice(_TAGS)}"] if style == "doubled" else []
        if style in ("both", "sentences") and donor.sentences:
            texts.append(donor.sentences[int(rng.integers(len(donor.sentences)))])
    if rng.random() < 0.3:
        texts *= 2
    return [Row(text, "B") for text in texts]


def _add_read_also(
    rows: list[Row], donors: Sequence[_Donor], phrases: Sequence[str], rng: np.random.Generator
) -> None:
    """Put one or two "read also" lines between lines of the content."""
    inner = [i for i in range(1, len(rows)) if rows[i - 1].label == "C" and rows[i].label in "C."]
    for place in sorted(rng.permutation(inner)[: rng.integers(1, 3)].tolist(), reverse=True):
        donor = donors[int(rng.integers(len(donors)))]
        text = f"{rng.choice(phrases)}{rng.choice(_SEPARATORS)}{donor.headline}"
        rows[place:place] = [Row(text, "B", added=True)]


def _glue_menu(rows: list[Row], rng: np.random.Generator) -> None:
    """Run two to four short lines above the headline together."""
    top = headline_place(rows) or 0
    count = int(rng.integers(2, 5))
    starts = [
        i
        for i in range(top - count)
        if all(row.label == "B" and len(row.text.split()) <= 3 for row in rows[i : i + count])
    ]
    if starts:
        place = int(rng.choice(starts))
        text = "".join(row.text.strip() for row in rows[place : place + count])
        rows[place : place + count] = [Row(text, "B", added=True)]


def _icons(rng: np.random.Generator) -> Row:
    """Return a line of icon names, run together as sprites leave them."""
    names = rng.permutation(read_words("icon"))[: rng.integers(6, 45)].tolist()
    joint = str(rng.choice(["", " ", " "]))
    suffixes = ["icon", " icon", "-icon", "icon"]
    return Row(joint.join(f"{name}{rng.choice(suffixes)}" for name in names), "B", added=True)


def _markup(rng: np.random.Generator) -> list[Row]:
    """Return one to three lines of markup, as renderers leave of pages without scripts."""
    numbers = rng.integers(10**9, size=rng.integers(1, 4)).tolist()
    return [Row(_MARKUP[n % len(_MARKUP)].format(n), "B", added=True) for n in numbers]


def _site_name(page: LabeledPage, rows: Sequence[Row]) -> str:
    """Return what follows the headline in the title line, the first one, or the domain's words."""
    for mark in (" | ", " – ", " — ", " - "):
        title, _, name = rows[0].text.rpartition(mark)
        if title and 0 < len(name.split()) <= 5:
            return name.strip()
    words = max(page.site.split(".")[:-1] or [page.site], key=len)
    return words.replace("-", " ").title()


def _take_title(
    page: LabeledPage, rows: list[Row], donors: Sequence[_Donor], rng: np.random.Generator
) -> None:
    """Take the title line away, or put the site's name there, under a picture and at the end."""
    if rng.random() >= 0.35:
        rows.pop(0)
        return
    name = _site_name(page, rows)
    rows[0] = Row(name, "B", added=True)
    if rng.random() < 0.6:
        sentences = donors[int(rng.integers(len(donors)))].sentences
        text = rng.choice(_CREDITS).format(name, sentences[0] if sentences else "").strip()
        top = headline_place(rows) or 0
        rows.insert(top + 1 + int(rng.integers(4)), Row(text, "?"))
    if rng.random() < 0.6:
        rows.append(Row(f"© {rng.integers(1999, 2027)} {name}", "B", added=True))


def dressed(page: LabeledPage, donors: Sequence[_Donor], rng: np.random.Generator) -> Variant:
    """Return an article with the chrome of other sites.

    Parameters
    ----------
    page : LabeledPage
        Its headline must be known.
    donors : sequence of _Donor
        Other pages of its language; at least one.
    rng : numpy.random.Generator

    Returns
    -------
    Variant
    """
    rows = rows_of(page)
    last = max(place for place, row in enumerate(rows) if row.label == "C")
    phrases = _phrases().get(language_of(page), _phrases()["en"])
    if rng.random() < 0.6:
        place = min(last + 1 + int(rng.integers(4)), len(rows))
        rows[place:place] = _teasers(donors, rng)
    if rng.random() < 0.15:
        inner = [i for i in range(1, last) if rows[i - 1].label == rows[i].label == "C"]
        for place in rng.permutation(inner)[:1].tolist():
            rows[place:place] = _teasers(donors, rng)[:4]
    if rng.random() < 0.6:
        _add_read_also(rows, donors, phrases, rng)
    if rng.random() < 0.4:
        _glue_menu(rows, rng)
    if rng.random() < 0.6 and rows[0].label == "B" and not rows[0].headline:
        _take_title(page, rows, donors, rng)
    if rng.random() < 0.15:
        place = int(rng.choice([i for i, row in enumerate(rows) if row.label == "B"] or [0]))
        rows[place:place] = _markup(rng)
    if rng.random() < 0.5:
        rows.insert(int(rng.random() < 0.5), _icons(rng))
    return variant(page, rows, "dressed")


def variants(
    pages: Sequence[LabeledPage], fold: Sequence[int], rng: np.random.Generator
) -> list[tuple[Variant, int]]:
    """Return variants of pages, each with the index of the page that it was made of.

    What a variant shows of other pages comes from pages of the same fold.

    Parameters
    ----------
    pages : sequence of LabeledPage
    fold : sequence of int
    rng : numpy.random.Generator

    Returns
    -------
    list of tuple of (Variant, int)
    """
    donors, frames = _donors(pages, fold), Frames(pages, fold)
    by_name = defaultdict(list)
    for place, page in enumerate(pages):
        by_name[page_name(page)].append(place)
    found = []
    for places in by_name.values():
        place = places[int(rng.integers(len(places)))]
        page = pages[place]
        made = [
            bare(page),
            grafted(page, fold[place], frames, rng),
            restyled(page, rng),
            extended(page, fold[place], frames, rng),
        ]
        others = [d for d in donors[language_of(page), fold[place]] if d.site != page.site]
        known = headline_of(page) is not None and "C" in page.labels
        if known and others and page.page_type in ("article", None):
            made.append(dressed(page, others, rng))
        found += [(one, place) for one in made if one is not None]
    return found
