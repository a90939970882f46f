"""Variants of pages as other renderers would print them; the labels stay.

Renderers differ in where they break lines, in blank lines and indentation, and in the marks they
leave. The styles here are rough likenesses of what those do whose dumps the corpora do not have:
text browsers that wrap lines (lynx, w3m), converters to Markdown, and strippers of tags that begin
a line at every link.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np

from training.records import LabeledPage
from training.rows import Row, Variant, rows_of, variant

__all__ = ["restyled"]

_LONG = 90
_BLANK = Row("", ".")
Rows = list[Row]


def _pieces(row: Row, texts: Sequence[str]) -> Rows:
    """Return a line in pieces; the first one stays the headline."""
    first, *others = texts
    return [replace(row, text=first), *(Row(text, row.label) for text in others)]


def _solid(rows: Sequence[Row]) -> Rows:
    return [row for row in rows if row.label != "."]


def _wrap(rows: Rows, rng: np.random.Generator) -> Rows:
    """Wrap lines at a width, indented or not, as text browsers do."""
    width = int(rng.choice([60, 72, 76, 80, 80, 100]))
    indent = " " * int(rng.choice([0, 3]))
    bullet = str(rng.choice(["", "* ", "• "]))
    found: Rows = []
    for row in rows:
        text = row.text.strip()
        if row.label == ".":
            found.append(row)
        elif len(text) < width:
            lead = bullet if len(text) < 25 and not row.headline else ""
            found.append(replace(row, text=f"{indent}{lead}{text}"))
        else:
            lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
            found += [_BLANK, *_pieces(row, lines), _BLANK]
    return found


def _number(rows: Rows, rng: np.random.Generator) -> Rows:
    """Give the links numbers as lynx does, list their addresses at the end, and wrap."""
    found: Rows = []
    addresses = ["References", ""]
    for row in rows:
        words = row.text.split(" ")
        chance = 0.0 if row.headline else 0.7 if len(row.text) < 60 else 0.3
        if row.label != "." and rng.random() < chance:
            place = int(rng.integers(len(words))) if len(words) > 8 else 0
            path = "-".join("".join(filter(str.isalnum, word)) for word in words[:6]).lower()
            number = len(addresses) - 1
            words[place] = f"[{number}]{words[place]}"
            addresses.append(f"{number}. https://www.site.example/{path}")
        found.append(replace(row, text=" ".join(words)))
    links = [Row(text, "B" if text else ".") for text in addresses]
    return [*_wrap(found, rng), _BLANK, *links]


def _shatter(rows: Rows, rng: np.random.Generator) -> Rows:
    """Break long lines around one to three short stretches, as if those were links."""
    found: Rows = []
    for row in rows:
        words = row.text.split(" ")
        if len(row.text) < _LONG or len(words) < 8 or rng.random() < 0.6:
            found.append(row)
            continue
        cuts: set[int] = set()
        for start in rng.integers(1, len(words) - 1, size=rng.integers(1, 4)).tolist():
            cuts |= {start, min(start + int(rng.integers(1, 5)), len(words) - 1)}
        bounds = [0, *sorted(cuts), len(words)]
        parts = [" ".join(words[a:b]) for a, b in pairwise(bounds)]
        found += _pieces(row, parts)
    return found


def _mark(rows: Rows, rng: np.random.Generator) -> Rows:
    """Mark headings and list items as Markdown does."""
    bullet, found = str(rng.choice(["* ", "  * ", "- "])), []
    for row in _solid(rows):
        text = row.text.strip()
        if row.headline:
            text = f"# {text}"
        elif len(text) < 60 and rng.random() < 0.5:
            heading = 0.2 if row.label == "B" else 0.5
            text = (
                f"{'#' * int(rng.integers(2, 5))} {text}"
                if rng.random() < heading
                else bullet + text
            )
        found += [replace(row, text=text)]
        if len(text) > _LONG or text.startswith("#"):
            found.append(_BLANK)
    return found


def _join(rows: Rows, rng: np.random.Generator) -> Rows:
    """Run short lines of the same label together, as renderers of inline elements do."""
    joint, found = str(rng.choice([" ", "  ", "", " | "])), []
    runs = groupby(_solid(rows), lambda row: (row.label, len(row.text) < 30, row.headline))
    for (_, short, _), run in runs:
        members = list(run)
        while members:
            count = int(rng.integers(1, 9)) if short else 1
            texts = [row.text.strip() for row in members[:count]]
            found.append(replace(members[0], text=joint.join(texts)))
            members = members[count:]
    return found


def _space(rows: Rows, rng: np.random.Generator) -> Rows:
    """Leave no blank line, or one after every line."""
    solid = _solid(rows)
    if rng.random() < 0.5:
        return solid
    return [part for row in solid for part in (row, _BLANK)]


_STYLES: tuple[Callable[[Rows, np.random.Generator], Rows], ...] = (
    _wrap,
    _number,
    _shatter,
    _mark,
    _join,
    _space,
)


def restyled(page: LabeledPage, rng: np.random.Generator) -> Variant | None:
    """Return a page in the style of another renderer.

    Parameters
    ----------
    page : LabeledPage
    rng : numpy.random.Generator

    Returns
    -------
    Variant or None
        None for a page without a line.
    """
    rows = _STYLES[int(rng.integers(len(_STYLES)))](rows_of(page), rng)
    return variant(page, rows, "restyled") if rows else None
