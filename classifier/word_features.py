"""Facts of a line's tokens: numbers, dates and times, and the lexicons' words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .characters import Char, members
from .counting import Rows, share
from .lexicon import CATEGORIES
from .tokens import UPPER, Text, Tokens, tail_hash

__all__ = ["lead_upper", "lexicon_rows", "number_rows", "tag_counts"]

_LEAD = 3
_ICON = tail_hash("icon")
_DIGITS = members(Char.DIGIT)
_CALENDAR = np.array([ord(c) for c in "年月日년월일"])


def number_rows(text: Text, tokens: Tokens, mask: npt.NDArray[np.uint16]) -> Rows:
    """Return the features of a line's numbers, dates and times."""
    number = np.flatnonzero(_DIGITS.take(text.classes.take(tokens.start)))
    start, stop, line = (x.take(number) for x in (tokens.start, tokens.stop, tokens.line))
    n = text.n_lines
    behind = text.classes.take(stop)
    paired = start[1:] == stop[:-1] + 1
    times = line[:-1][paired & (behind[:-1] == Char.COLON)]
    stroke = members(Char.DOT, Char.SEPARATOR, Char.HYPHEN).take(behind[:-1])
    era = text.codes.take(start) * 128 + text.codes.take(start + 1)
    years = line[(stop - start == 4) & np.isin(era, [49 * 128 + 57, 50 * 128 + 48])]
    calendar = line[np.isin(text.codes.take(stop), _CALENDAR)]
    words = tokens.line.compress((mask >> CATEGORIES.index("date")) & 1 > 0)
    counted = (text.classes.take(start - 1) == Char.OPEN) & (behind == Char.CLOSE)
    dated = (line[:-1][paired & stroke], years, calendar, words)
    return {
        "digit_tokens": share(np.bincount(line, minlength=n), np.diff(tokens.line_start)),
        "times": np.bincount(times, minlength=n),
        "dates": np.bincount(np.concatenate(dated), minlength=n),
        "counters": np.bincount(line[counted], minlength=n),
    }


def _among_first(tokens: Tokens, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Count the chosen tokens among the first three of each line."""
    place = np.flatnonzero(chosen)
    line = tokens.line.take(place)
    early = place - tokens.line_start.take(line) < _LEAD
    return np.bincount(line[early], minlength=len(tokens.line_start) - 1)


def lead_upper(text: Text, tokens: Tokens) -> npt.NDArray[np.intp]:
    """Count the tokens in upper case among the first three of each line."""
    first, second = (text.classes.take(tokens.start + step) for step in (0, 1))
    return _among_first(tokens, UPPER.take(first) & UPPER.take(second))


def tag_counts(text: Text, tokens: Tokens) -> npt.NDArray[np.intp]:
    """Count the tags of markup in each line: "<" and a word, or "</" and a word."""
    before, earlier = (text.codes.take(tokens.start - step) for step in (1, 2))
    opened = before == ord("<")
    opened |= (before == ord("/")) & (earlier == ord("<"))
    return np.bincount(tokens.line[opened], minlength=text.n_lines)


def lexicon_rows(tokens: Tokens, mask: npt.NDArray[np.uint16]) -> Rows:
    """Return the share of each line's tokens in each lexicon."""
    n, total = len(tokens.line_start) - 1, np.diff(tokens.line_start)
    stop = np.bincount(tokens.line.compress(mask == 1), minlength=n)
    other = np.flatnonzero(mask > 1)  # three in four of the known words are stop words and no more
    line, kind = tokens.line.take(other), mask.take(other)
    icon = tokens.tail == _ICON
    chrome = line[kind & ~np.uint16(1 | 1 << CATEGORIES.index("date")) > 0]
    icons = tokens.line[icon & (mask == 0)]
    counted = np.bincount(np.concatenate([chrome, icons]), minlength=n)
    rows: Rows = {"chrome": share(counted, total)}
    rows["icon_joins"] = np.bincount(tokens.line[icon], minlength=n)
    related = (mask >> CATEGORIES.index("related")) & 1 > 0
    rows["lead_related"] = _among_first(tokens, related)
    for number, name in enumerate(CATEGORIES):
        counted = np.bincount(line.compress(kind >> number & 1), minlength=n)
        rows[f"{name}_words"] = share(counted if number else counted + stop, total)
    return rows
