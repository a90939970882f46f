"""A labelled page as text: for the terminal, as a labelled dump, as a table, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence

from .correction import CORRECTION
from .explain import Contribution
from .features import FEATURE_NAMES, FEATURES
from .kinds import KIND_FEATURES
from .phrases import PHRASES
from .result import PageResult
from .runs import HEADLINE_FEATURES
from .scoring import SECOND_NAMES
from .span import CONTENT
from .stacking import STACKING_FEATURES

__all__ = ["MEANINGS", "as_dump", "as_json", "as_table", "explanation", "feature_table", "shown"]

MEANINGS: dict[str, str] = FEATURES | STACKING_FEATURES | KIND_FEATURES | HEADLINE_FEATURES
"""Name and meaning of every feature of both stages."""

_DIM, _BOLD, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 9}


def visible(text: str) -> str:
    r"""Return a line with its control characters spelled out, so that a terminal is safe.

    Examples
    --------
    >>> visible("a\x1bb")
    'a\\x1bb'
    """
    return text.translate(_CONTROL)


def as_dump(page: PageResult) -> Iterator[str]:
    """Yield the lines of the page in the format of labelled dumps."""
    for line, label in zip(page.lines, page.labels, strict=True):
        yield f"{'+' if label == CONTENT else '-'}  {line}" if line else ""


def as_table(page: PageResult) -> Iterator[str]:
    """Yield label, probability and line, set apart by tabs; no probability on blank lines."""
    chances = page.content_probability.tolist()
    for line, label, chance in zip(page.lines, page.labels, chances, strict=True):
        yield f"{label}\t{'' if math.isnan(chance) else f'{chance:.4f}'}\t{line}"


def as_json(page: PageResult, name: str) -> str:
    """Return the page as one line of JSON."""
    chances = page.content_probability.tolist()
    record = {
        "file": name,
        "headline": page.headline,
        "spans": [[span.label, span.start, span.stop] for span in page.spans],
        "labels": list(page.labels),
        "content_probability": [None if math.isnan(x) else round(x, 6) for x in chances],
        "lines": list(page.lines),
    }
    return json.dumps(record, ensure_ascii=False)


def shown(page: PageResult, color: bool) -> Iterator[str]:
    """Yield the page for the terminal: spans in the margin, boilerplate dimmed.

    Parameters
    ----------
    page : PageResult
    color : bool
        Whether to use the terminal's control sequences.

    Yields
    ------
    str
        One line a line of the page.
    """
    width = len(str(len(page.lines)))
    for number, (line, label) in enumerate(zip(page.lines, page.labels, strict=True)):
        content = label == CONTENT
        mark = "#" if number == page.headline else "|" if content else " "
        row = f"{number + 1:>{width}} {mark} {visible(line)}"
        style = _BOLD if number == page.headline else "" if content else _DIM
        yield f"{style}{row}{_PLAIN}" if color and style else row


def explanation(page: PageResult, line: int, found: Sequence[Contribution], top: int) -> str:
    """Return the features that pushed a line as a table, largest push first.

    Parameters
    ----------
    page : PageResult
    line : int
        Index of the line.
    found : sequence of Contribution
    top : int
        How many features are told.

    Returns
    -------
    str
    """
    chance = page.content_probability[line]
    if math.isnan(chance):
        return f"line {line + 1} is blank; it goes with its span: {page.labels[line]}"
    what = "the headline, " if line == page.headline else ""
    rows = [f"line {line + 1}: {what}{page.labels[line]}, probability of content {chance:.3f}"]
    rows += [f"  {visible(page.lines[line])[:100]}", "   push     value  feature"]
    for item in found[:top]:
        where = " (first stage)" if item.stage == "first" else ""
        meaning = (MEANINGS | PHRASES | CORRECTION)[item.feature]
        rows.append(f"{item.push:+7.3f} {item.value:>9.3f}  {item.feature}{where}: {meaning}")
    return "\n".join(rows)


def feature_table() -> str:
    """Return a Markdown table of all features: which stage sees them, and what they mean."""
    rows = ["| feature | first stage | second stage | meaning |", "|---|:-:|:-:|---|"]
    for name, meaning in MEANINGS.items():
        seen = ("x" if name in names else "" for names in (FEATURE_NAMES, SECOND_NAMES))
        rows.append(f"| `{name}` | {' | '.join(seen)} | {meaning} |")
    return "\n".join(rows)
