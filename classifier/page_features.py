"""Facts of a line within its page: position, the page as a whole, and the lines around."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, product
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .counting import UNIT, Floats, Rows, Sums, accumulated, fixed, log_count, share
from .landmarks import distances
from .line_features import LineFacts
from .tokens import Ints, Text

__all__ = [
    "CONTEXT_FEATURES",
    "PAGE_FEATURES",
    "context_rows",
    "page_rows",
    "prose_lines",
    "totals",
    "window",
]

_Scalar = TypeVar("_Scalar", bound=np.generic)

PAGE_FEATURES: dict[str, str] = {
    "line_rank": "lines before, as a share of the page's",
    "char_rank": "characters up to the line's end, as a share of the page's",
    "lines_before": "log of 1 + lines before",
    "lines_after": "log of 1 + lines after",
    "blank_before": "blank lines just before, at most 5",
    "blank_after": "blank lines just after, at most 5",
    "prose_back": "lines back to the last prose line, at most 50",
    "prose_on": "lines on to the next prose line, at most 50",
    "prose_before": "log of 1 + characters of prose before the line",
    "prose_after": "log of 1 + characters of prose after the line",
    "prose_rank": "characters of prose up to the line's end, as a share of the page's",
    "main_script": "share of the line's letters that are of the page's main script",
    "page_lines": "log of 1 + lines of the page",
    "page_chars": "log of 1 + characters of the page",
    "page_mean": "mean characters a line",
    "page_prose_lines": "share of the page's lines that are prose",
    "page_prose": "share of the page's characters that are in prose",
    "page_stop": "mean share of stop words in the page's lines",
    "page_sentences": "share of the page's lines that end a sentence",
    "page_blank": "blank lines a line",
    "page_copies": "mean of `copies` over the page",
    "page_prices": "share of the page's lines with a price",
    "page_dates": "share of the page's lines with a date",
    "page_unspaced": "share of the page's letters of scripts without spaces",
}
"""Name and meaning of each feature of position and of the page."""

STEPS = (-1, 1)
NEIGHBOUR_KEYS = (
    *("chars", "stop_words", "chrome", "upper", "title_case", "digits", "ends_sentence"),
    *("copies", "rarity", "shared_prose", "blank_before", "commas"),
)
WIDTHS = (4, 15, 60)
WINDOW_KEYS = (
    *("chars", "stop_words", "chrome", "ends_sentence", "digits", "commas", "copies"),
    *("shared_prose", "dates", "title_case", "legal_words"),
)
CONTEXT_FEATURES: dict[str, str] = {
    **{
        f"{key}[{step:+d}]": f"`{key}` of the line {abs(step)} {'on' if step > 0 else 'back'}"
        for step, key in product(STEPS, NEIGHBOUR_KEYS)
    },
    **{
        f"{key}[{side}{width}]": f"mean of `{key}` over the {width} lines {side}"
        for width, side, key in product(WIDTHS, ("before", "after"), WINDOW_KEYS)
    },
}
"""Name and meaning of each feature of the neighbouring lines; -1 where there is none."""


def prose_lines(facts: LineFacts) -> npt.NDArray[np.bool_]:
    """Return which lines are prose: a sentence of eight words or more, or a long line."""
    return (facts.ends_sentence & (facts.words >= 8)) | (facts.words >= 25)


def _segment_sum(values: npt.NDArray[Any], text: Text) -> npt.NDArray[Any]:
    """Sum integers over the lines of each page, and give every line its page's sum."""
    return np.diff(accumulated(values).take(text.page_start)).take(text.page)


def _blank_lines(text: Text) -> tuple[Ints, Ints]:
    gap = np.diff(text.physical, prepend=-1) - 1
    first = text.page_start[:-1]
    some = np.flatnonzero(np.diff(text.page_start))
    gap[first[some]] = text.physical[first[some]] - text.physical_start[some]
    behind = np.append(gap[1:], 0)
    last = text.page_start[some + 1] - 1
    behind[last] = text.physical_start[some + 1] - text.physical[last] - 1
    return gap, behind


def _position(text: Text, facts: LineFacts, prose: npt.NDArray[np.bool_]) -> Rows:
    at = np.arange(text.n_lines)
    first, end = text.bounds
    rows: Rows = {
        "line_rank": share(at - first, end - 1 - first),
        "lines_before": log_count(at - first),
        "lines_after": log_count(end - 1 - at),
    }
    for name, chars in (("char_rank", facts.chars), ("prose_rank", facts.chars * prose)):
        running = accumulated(chars)
        start = running.take(first)
        rows[name] = share(running[1:] - start, running.take(end) - start)
        if name == "prose_rank":
            rows["prose_before"] = log_count(running[:-1] - start)
            rows["prose_after"] = log_count(running.take(end) - running[1:])
    rows["prose_back"], rows["prose_on"] = distances(prose, text, 50)
    before, after = _blank_lines(text)
    rows["blank_before"], rows["blank_after"] = np.minimum(before, 5), np.minimum(after, 5)
    return rows


def page_rows(text: Text, facts: LineFacts, prose: npt.NDArray[np.bool_], known: Rows) -> Rows:
    """Return the features named in `PAGE_FEATURES`.

    Parameters
    ----------
    text : Text
    facts : LineFacts
    prose : ndarray of bool, shape (n_lines,)
    known : dict of str to ndarray, shape (n_lines,)
        Features made before: those of single lines and of repetition.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
    """
    rows = _position(text, facts, prose)
    lines = np.diff(text.page_start).take(text.page)
    chars = _segment_sum(facts.chars, text)
    rows["page_lines"], rows["page_chars"] = log_count(lines), log_count(chars)
    rows["page_mean"] = chars / lines
    rows["page_prose"] = share(_segment_sum(facts.chars * prose, text), chars)
    rows["page_blank"] = _segment_sum(_blank_lines(text)[0], text) / lines
    means = {
        "page_prose_lines": prose,
        "page_stop": known["stop_words"],
        "page_sentences": facts.ends_sentence,
        "page_copies": known["copies"],
        "page_prices": np.asarray(known["prices"]) > 0,
        "page_dates": np.asarray(known["dates"]) > 0,
        "page_unspaced": known["unspaced"],
    }
    for name, values in means.items():
        rows[name] = _segment_sum(fixed(values), text) / (lines * UNIT)
    scripts = np.stack([_segment_sum(s.astype(np.intp), text) for s in facts.scripts])
    own = facts.scripts[scripts.argmax(axis=0), np.arange(text.n_lines)]
    rows["main_script"] = share(own, facts.scripts.sum(axis=0))
    return rows


def shifted(
    values: npt.NDArray[_Scalar], step: int, text: Text, missing: Any = -1.0
) -> npt.NDArray[_Scalar]:
    """Return each line's value `step` lines on, or `missing` beyond the page's ends.

    Parameters
    ----------
    values : ndarray, shape (..., n_lines)
    step : int
        Negative for the lines before.
    text : Text
    missing : scalar
        Of the values' type.

    Returns
    -------
    ndarray, shape (..., n_lines)
    """
    at = np.arange(text.n_lines) + step
    outside = (at < text.bounds[0]) | (at >= text.bounds[1])
    moved = np.empty_like(values)
    whole = max(text.n_lines - abs(step), 0)
    to, of = (0, step) if step > 0 else (-step, 0)
    moved[..., to : to + whole] = values[..., of : of + whole]
    moved[..., np.flatnonzero(outside)] = missing
    return moved


def window(running: Sums, text: Text, before: int, after: int, missing: float = -1.0) -> Floats:
    """Return means over windows of lines, cut at the page's ends.

    Parameters
    ----------
    running : ndarray of int64, shape (n_rows, n_lines + 1)
        As :func:`running_sums` gives them.
    text : Text
    before, after : int
        The window's first and last line, relative to the line itself.
    missing : float
        What an empty window gives.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_lines)
    """
    total, size = totals(running, text, before, after)
    mean = total.astype(np.float32)
    mean *= (1.0 / (np.maximum(size, 1) * UNIT)).astype(np.float32)
    mean[:, np.flatnonzero(size == 0)] = missing
    return mean


def totals(running: Sums, text: Text, before: int, after: int) -> tuple[Sums, Ints]:
    """Return the sums over the windows that :func:`window` describes, and their lines."""
    (total, stop), (start_sum, start) = (
        _ahead(running, step, text) for step in (after + 1, before)
    )
    return total - start_sum, stop - start


def _ahead(running: Sums, step: int, text: Text) -> tuple[Sums, Ints]:
    """Return the sums up to `step` lines on, not beyond the page's ends, and where that is."""
    wanted = np.arange(text.n_lines) + step
    if step in (0, 1):  # never beyond
        return running[:, step : step + text.n_lines], wanted
    place = np.minimum(np.maximum(wanted, text.bounds[0]), text.bounds[1])
    found = np.empty((len(running), text.n_lines), dtype=np.int64)
    first = min(max(0, -step), text.n_lines)
    last = max(min(text.n_lines, text.n_lines + 1 - step), first)
    found[:, first:last] = running[:, first + step : last + step]
    cut = np.flatnonzero(place != wanted)
    found[:, cut] = running.take(place[cut], axis=1)
    return found, place


def running_sums(values: npt.ArrayLike) -> Sums:
    """Return running sums along the last axis of `values`, in fixed point, from 0."""
    exact = fixed(values)
    sums = np.zeros((exact.shape[0], exact.shape[1] + 1), dtype=np.int64)
    np.cumsum(exact, axis=1, out=sums[:, 1:])
    return sums


def context_rows(text: Text, known: Rows, out: Floats) -> None:
    """Write the features named in `CONTEXT_FEATURES`, in their order.

    Parameters
    ----------
    text : Text
    known : dict of str to ndarray, shape (n_lines,)
    out : ndarray of float32, shape (n_features, n_lines)
    """
    near = np.stack([known[key] for key in NEIGHBOUR_KEYS]).astype(np.float32)
    sums = running_sums(np.stack([known[key] for key in WINDOW_KEYS]))
    sides = [side for width in WIDTHS for side in ((-width, -1), (1, width))]
    blocks: Iterator[npt.NDArray[Any]] = chain(
        (shifted(near, step, text) for step in STEPS),
        (window(sums, text, before, after) for before, after in sides),
    )
    place = 0
    for block in blocks:
        out[place : place + len(block)] = block
        place += len(block)
