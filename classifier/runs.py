"""Where a line stands to the page's likely content and headline: rows of the second stage.

The *main run* weighs lines by their words, so that it takes in every long text. The *core run*
gives each line one vote: short lines of chrome between the summaries of other pages' texts end it.
The *anchor* is the line where likely content is densest; a *valley* between it and a line tells
that the line belongs to something else. The *likely headline* is above the content, nearly always.
"""

from __future__ import annotations

import numpy as np

from .counting import UNIT, Floats, Rows, Sums, accumulated, fixed, log_count, share
from .page_features import running_sums, totals
from .tokens import Ints, Text
from .vocabulary import Doubles

__all__ = ["HEADLINE_FEATURES", "RUN_FEATURES", "headline_rows", "largest_run", "run_rows"]

_VALLEYS = (2, 6)
_RUNS = {"run": "main run", "core": "core run"}

RUN_FEATURES: dict[str, str] = {
    name: meaning
    for run, called in _RUNS.items()
    for name, meaning in {
        f"{run}_inside": f"1 inside the page's {called}",
        f"{run}_from": f"log of 1 + lines from the {called}'s first line, signed",
        f"{run}_to": f"log of 1 + lines to the {called}'s last line, signed",
        f"{run}_share": f"share of the page's expected content words that the {called} carries",
        f"{run}_lines": f"share of the page's lines that the {called} takes",
    }.items()
} | {
    "run_words_from": "log of 1 + words from the main run's first line, signed",
    "run_words_to": "log of 1 + words to the main run's last line, signed",
    "core_words": "log of 1 + words in the core run",
    "core_mean": "mean score in the core run",
    "core_gap": "score less `core_mean`",
    "core_low": "log of 1 + lines of a low chance between the core run and the line",
    "core_past": "log of 1 + expected content words between the core run and the line",
    "anchor_from": "log of 1 + lines from the page's anchor, signed",
    "anchor_words": "log of 1 + words from the page's anchor, signed",
    "anchor_low": "log of 1 + lines of a low chance between the anchor and the line",
    **{
        f"valley{wide}": f"lowest mean chance of {2 * wide + 1} lines from the anchor to the line"
        for wide in _VALLEYS
    },
    "mass_rank": "expected content words up to the line's end, as a share of the page's",
    "mass_share": "expected content words as a share of the page's words",
}
"""Name and meaning of each feature of the page's runs."""

HEADLINE_FEATURES: dict[str, str] = {
    "headline": "first stage's score of the line as the headline (log odds), between -8 and 8",
    "headline_best": "`headline` of the page's likely headline, the line where it is highest",
    "headline_gap": "`headline` less `headline_best`",
    "headline_from": "log of 1 + lines from the likely headline, signed",
    "headline_words": "log of 1 + words from the likely headline, signed",
}
"""Name and meaning of each feature of the page's likely headline."""

_MAIN_THRESHOLD = 0.4
_CORE_THRESHOLD = 0.5
_LOW = 0.2
_WORDS_CAP = 400
_DENSE = 4
_FAR = np.int64(1) << 40


def largest_run(gain: Sums, text: Text) -> tuple[Ints, Ints]:
    """Return the contiguous run of lines of each page with the largest total gain.

    This is Kadane's maximum subarray, as the largest rise of a running sum.

    Parameters
    ----------
    gain : ndarray of int64, shape (n_lines,)
    text : Text

    Returns
    -------
    start, stop : ndarray of intp, shape (n_pages,)
        Half-open ranges of lines; empty pages give an empty range.
    """
    first, page = text.page_start[:-1], text.page
    running, barrier = accumulated(gain), _FAR * page
    lowest = np.minimum.accumulate(running[:-1] - barrier) + barrier
    stop = _peak(running[1:] - lowest, text) + (np.diff(text.page_start) > 0)
    start, last = first.copy(), np.maximum(stop - 1, 0)
    before = np.arange(text.n_lines) < stop[page]
    hits = np.flatnonzero(before & (running[:-1] == lowest[last[page]]))
    start[page[hits]] = hits
    return start, stop


def _peak(value: Sums, text: Text) -> Ints:
    """Return the first line of the largest value of each page, its first line where it is empty."""
    first, page = text.page_start[:-1], text.page
    some = np.flatnonzero(np.diff(text.page_start))
    top = np.zeros(text.n_pages, dtype=np.int64)
    if len(some):
        top[some] = np.maximum.reduceat(value, first[some])
    hits = np.flatnonzero(value == top[page])[::-1]
    peak = first.copy()
    peak[page[hits]] = hits
    return peak


def _signed_log(distance: Ints | Sums) -> Doubles:
    return np.copysign(log_count(np.abs(distance)), distance)


def _within(running: Sums, start: Ints, stop: Ints) -> Sums:
    total: Sums = running.take(stop) - running.take(start)
    return total


def _place_rows(name: str, start: Ints, stop: Ints, text: Text, mass: Sums) -> Rows:
    """Return where the lines stand to a run, and how much of the page it is."""
    at, page = np.arange(text.n_lines), text.page
    first, end = text.page_start[:-1], text.page_start[1:]
    total = _within(mass, first, end)
    return {
        f"{name}_inside": (at >= start.take(page)) & (at < stop.take(page)),
        f"{name}_from": _signed_log(at - start.take(page)),
        f"{name}_to": _signed_log(stop.take(page) - 1 - at),
        f"{name}_share": share(_within(mass, start, stop), total).take(page),
        f"{name}_lines": share(stop - start, end - first).take(page),
    }


def _main_rows(text: Text, gain: Sums, counted: Sums, mass: Sums) -> Rows:
    start, stop = largest_run(gain, text)
    return _place_rows("run", start, stop, text, mass) | {
        "run_words_from": _signed_log(counted[:-1] - counted.take(start).take(text.page)),
        "run_words_to": _signed_log(counted.take(stop).take(text.page) - counted[1:]),
    }


def _core_rows(text: Text, score: Doubles, chance: Doubles, counted: Sums, mass: Sums) -> Rows:
    at, page = np.arange(text.n_lines), text.page
    start, stop = largest_run(fixed(chance - _CORE_THRESHOLD), text)
    mean = _within(accumulated(fixed(score)), start, stop) / np.maximum(stop - start, 1) / UNIT
    first, end = start.take(page), stop.take(page)
    low, past = (
        _within(sums, np.minimum(at + 1, first), first) + _within(sums, end, np.maximum(at, end))
        for sums in (accumulated(chance < _LOW), mass)
    )
    return _place_rows("core", start, stop, text, mass) | {
        "core_words": log_count(_within(counted, start, stop)).take(page),
        "core_mean": mean.take(page),
        "core_gap": score - mean.take(page),
        "core_low": log_count(low),
        "core_past": log_count(past // int(UNIT)),
    }


def _lowest_from(there: Ints, value: Sums, text: Text) -> Sums:
    """Return the lowest of the values, none of them negative, from `there` to each line."""
    at, barrier = np.arange(text.n_lines), _FAR * text.page
    down = np.where(at >= there, value, _FAR // 2) - barrier
    up = np.where(at <= there, value, _FAR // 2) + barrier
    lowest: Sums = np.where(
        at >= there,
        np.minimum.accumulate(down) + barrier,
        np.minimum.accumulate(up[::-1])[::-1] - barrier,
    )
    return lowest


def _anchor_rows(text: Text, chance: Doubles, counted: Sums, mass: Sums) -> Rows:
    at = np.arange(text.n_lines)
    dense, _ = totals(mass[None], text, -_DENSE, _DENSE)
    there = _peak(dense[0], text).take(text.page)
    low, chances = accumulated(chance < _LOW), running_sums(chance[None])
    rows: Rows = {
        "anchor_from": _signed_log(at - there),
        "anchor_words": _signed_log(counted[:-1] - counted.take(there)),
        "anchor_low": log_count(np.abs(low[:-1] - low.take(there))),
    }
    for wide in _VALLEYS:
        total, size = totals(chances, text, -wide, wide)
        rows[f"valley{wide}"] = _lowest_from(there, total[0] // size, text) / UNIT
    return rows


def run_rows(text: Text, words: Ints, score: Doubles, chance: Doubles) -> Rows:
    """Return the features named in `RUN_FEATURES`.

    Parameters
    ----------
    text : Text
    words : ndarray of intp, shape (n_lines,)
    score, chance : ndarray of float64, shape (n_lines,)
        The first stage's log odds, and the probability that they stand for.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
    """
    weight = np.minimum(words, _WORDS_CAP) + 1
    expected = fixed(weight * chance)
    mass, counted = accumulated(expected), accumulated(weight)
    first, end = text.page_start[:-1], text.page_start[1:]
    total = _within(mass, first, end)
    rows = _main_rows(text, expected - fixed(weight * _MAIN_THRESHOLD), counted, mass)
    rows |= _core_rows(text, score, chance, counted, mass)
    rows |= _anchor_rows(text, chance, counted, mass)
    return rows | {
        "mass_rank": share(mass[1:] - mass.take(first).take(text.page), total.take(text.page)),
        "mass_share": share(total, fixed(_within(counted, first, end)))[text.page],
    }


def headline_rows(text: Text, words: Ints, score: Doubles) -> Floats:
    """Return the features named in `HEADLINE_FEATURES`, in their order.

    Parameters
    ----------
    text : Text
    words : ndarray of intp, shape (n_lines,)
    score : ndarray of float64, shape (n_lines,)
        The first stage's log odds of each line being the headline.

    Returns
    -------
    ndarray of float32, shape (n_features, n_lines)
    """
    score, counted = np.clip(score, -8.0, 8.0), accumulated(words)
    there = _peak(fixed(score), text).take(text.page)
    best = score.take(there)
    lines = _signed_log(np.arange(text.n_lines) - there)
    passed = _signed_log(counted[:-1] - counted.take(there))
    return np.stack([score, best, score - best, lines, passed]).astype(np.float32)
