"""What comes again on a page: lines, blocks of lines, and records of the same shape."""

from __future__ import annotations

import numpy as np

from .characters import Char
from .counting import Floats, Rows, log_count
from .hashing import UInts, finalize, powers
from .line_features import LineFacts
from .tokens import Ints, Text, Tokens
from .vocabulary import ordered

__all__ = ["REPETITION_FEATURES", "line_letters", "line_shapes", "repetition_features"]

REPETITION_FEATURES: dict[str, str] = {
    "copies": "log of 1 + lines of the page with the same letters (case, digits, signs ignored)",
    "copy_back": "lines back to the copy before, at most 200; -1 if there is none",
    "copy_on": "lines on to the next copy, at most 200; -1 if there is none",
    "block_copy": "neighbours (of 2 on each side) copied at the same distance as the line",
    "prefix_next": "1 if the line is a prefix of the next one, 2 if they are equal",
    "prefix_previous": "1 if the line before is a prefix of this one, 2 if they are equal",
    "copy_of_first": "1 if the line begins the page's first line, or equals it",
    "shape_lines": "log of 1 + lines of the page of the same shape",
    "shape_back": "lines back to the last one of the same shape, at most 50; -1 if there is none",
    "shape_on": "lines on to the next one of the same shape, at most 50; -1 if there is none",
    "record": "neighbours (of 3 on each side) whose shape recurs at the same distance",
}
"""Name and meaning of each feature of repetition."""

_LINE_BASE = 0xD1342543DE82EF95


def _running(hashes: UInts, line: Ints, start: Ints) -> UInts:
    """Return the running sum of hashes, each multiplied by its place within its line."""
    place = np.arange(len(line)) - start.take(line)
    power = powers(_LINE_BASE, 1 << max(12, int(place.max(initial=0) + 1).bit_length()))
    running = np.zeros(len(line) + 1, dtype=np.uint64)
    np.cumsum(hashes * power.take(place), out=running[1:])
    return running


def line_letters(text: Text, tokens: Tokens) -> UInts:
    """Return a hash of each line's tokens without its numbers.

    Parameters
    ----------
    text : Text
    tokens : Tokens

    Returns
    -------
    ndarray of uint64, shape (n_lines,)
        The same for all lines without letters.
    """
    worded = np.flatnonzero(text.classes.take(tokens.start) > Char.NUMBER)
    line = tokens.line.take(worded)
    start = line.searchsorted(np.arange(text.n_lines + 1))
    return finalize(np.diff(_running(tokens.hash.take(worded), line, start).take(start)))


def _links(keys: UInts, text: Text, cap: int) -> tuple[Ints, Ints, Ints]:
    """Return how many lines of the page share a key, and the lines back and on to the nearest."""
    order, new = ordered(keys, text.page_start)
    group = np.cumsum(new) - 1
    back, on = np.full(len(keys), -1), np.full(len(keys), -1)
    counts = np.zeros(len(keys), dtype=np.intp)
    if len(keys):
        counts[order] = np.bincount(group).take(group)
    again = np.flatnonzero(~new)
    step = np.minimum(order[again] - order[again - 1], cap)
    back[order[again]] = step
    on[order[again - 1]] = step
    return counts, back, on


def _agreement(distance: Ints, text: Text, reach: int) -> Floats:
    """Count the neighbours at up to `reach` lines that have the same distance, if it is known."""
    total = np.zeros(len(distance), dtype=np.float32)
    for step in range(1, reach + 1):
        same = (distance[step:] == distance[:-step]) & (distance[step:] >= 0)
        same &= text.page[step:] == text.page[:-step]
        total[step:] += same
        total[:-step] += same
    return total


def line_shapes(text: Text, facts: LineFacts) -> UInts:
    """Return a signature of each line's look: its size, its edges and kinds of signs.

    Parameters
    ----------
    text : Text
    facts : LineFacts

    Returns
    -------
    ndarray of uint64, shape (n_lines,)
    """
    size = np.minimum(log_count(facts.words) * 2.2, 15).astype(np.uint64)
    first = text.classes.take(text.first).astype(np.uint64)
    last = text.classes.take(text.last).astype(np.uint64)
    shape = (size << np.uint64(16)) | (first << np.uint64(8)) | last
    for bit, name in enumerate(("prices", "dates", "times", "digit_tokens", "separators")):
        shape |= (facts.rows[name] > 0).astype(np.uint64) << np.uint64(24 + bit)
    return finalize(shape)


def _prefix(text: Text, tokens: Tokens, running: UInts, whole: UInts, other: Ints) -> Ints:
    """Return 1 where the line's tokens begin the line `other`, 2 where they are all of it."""
    length = np.diff(tokens.line_start)
    fits = (length > 0) & (length <= length.take(other)) & (text.page == text.page.take(other))
    start = tokens.line_start.take(other)
    head = running.take(start + np.where(fits, length, 0)) - running.take(start)
    same = fits & (head == whole)
    return np.where(same, np.where(length == length.take(other), 2, 1), 0)


def _prefix_rows(text: Text, tokens: Tokens) -> Rows:
    """Return which lines begin, or are begun by, the next line, the one before and the first."""
    line = np.arange(text.n_lines)
    running = _running(tokens.hash, tokens.line, tokens.line_start)
    whole = np.diff(running.take(tokens.line_start))
    following = np.minimum(line + 1, text.n_lines - 1)
    following = np.where(text.page.take(following) == text.page, following, line)
    onward = _prefix(text, tokens, running, whole, following)
    onward[following == line] = 0
    previous = np.zeros(text.n_lines, dtype=np.intp)
    previous[1:] = np.where(text.page[1:] == text.page[:-1], onward[:-1], 0)
    first, _ = text.bounds
    of_first = _prefix(text, tokens, running, whole, first) * (first < line)
    return {"prefix_next": onward, "prefix_previous": previous, "copy_of_first": of_first}


def repetition_features(text: Text, tokens: Tokens, shapes: UInts, letters: UInts) -> Rows:
    """Return the features named in `REPETITION_FEATURES`.

    Parameters
    ----------
    text : Text
    tokens : Tokens
    shapes : ndarray of uint64, shape (n_lines,)
        Signatures by :func:`line_shapes`.
    letters : ndarray of uint64, shape (n_lines,)
        Hashes by :func:`line_letters`.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
    """
    counts, back, on = _links(letters, text, 200)
    shape_counts, shape_back, shape_on = _links(shapes, text, 50)
    return {
        "copies": log_count(counts),
        "copy_back": back,
        "copy_on": on,
        "block_copy": _agreement(np.where(back >= 0, back, on), text, 2),
        "shape_lines": log_count(shape_counts),
        "shape_back": shape_back,
        "shape_on": shape_on,
        "record": np.maximum(_agreement(shape_back, text, 3), _agreement(shape_on, text, 3)),
        **_prefix_rows(text, tokens),
    }
