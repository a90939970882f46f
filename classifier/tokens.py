"""Lines and tokens of a batch of pages: boundaries and hashes, vectorised over all characters.

A token is a run of letters or a run of digits; a run of letters is cut where a lower-case letter
meets an upper-case one, because that is where a dump has glued two elements together
("HomeWorld"). Scripts written without spaces (Han, Hiragana, Thai and its neighbours) give
overlapping pairs of characters, the usual stand-in for words there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .characters import CHARS, CLASS, Char, code_points, members
from .characters import LOWER as LOWER_CODE
from .hashing import UInts, finalize, powers

__all__ = [
    "LOWER",
    "UPPER",
    "Text",
    "Tokens",
    "clip",
    "hash_words",
    "joined",
    "lay_out",
    "tail_hash",
    "tokenize",
]

Ints = npt.NDArray[np.intp]

MAX_LINE = 1 << 15
"""A longer line is read by its first and its last half of so many characters."""

_BASE = 0x9E3779B97F4A7C15
_NONE, _DENSE = 0, 4
_FIRST = Char.DIGIT, Char.MARK, Char.KATAKANA, Char.HIRAGANA
"""The first class of each group behind `_NONE`: digits, letters, Katakana, and `_DENSE` scripts."""

_GROUP = np.searchsorted(_FIRST, CHARS, side="right")
UPPER = members(Char.LATIN_UPPER, Char.GREEK_UPPER, Char.CYRILLIC_UPPER, Char.CASED_UPPER)
LOWER = members(Char.LATIN_LOWER, Char.GREEK_LOWER, Char.CYRILLIC_LOWER, Char.CASED_LOWER)


@dataclass(frozen=True, eq=False)
class Text:
    """Characters and non-blank lines of a batch of pages.

    Attributes
    ----------
    codes : ndarray of intp, shape (n_chars,)
        Code points of all pages, with a line feed before, between and behind the lines.
    classes : ndarray of uint8, shape (n_chars,)
        Their :class:`~classifier.characters.Char`.
    line_of : ndarray of intp, shape (n_chars,)
        The non-blank line that a character, or the line feed behind it, stands in; `n_lines` on
        blank lines.
    start, stop : ndarray of intp, shape (n_lines,)
        Where each non-blank line begins and ends in `codes`.
    first, last : ndarray of intp, shape (n_lines,)
        Its first and its last character that is no space.
    physical : ndarray of intp, shape (n_lines,)
        Index of the line among all physical lines of the batch.
    page : ndarray of intp, shape (n_lines,)
        The page of each line.
    page_start : ndarray of intp, shape (n_pages + 1,)
        The first non-blank line of each page, and `n_lines`.
    physical_start : ndarray of intp, shape (n_pages + 1,)
        The first physical line of each page, and the number of all.
    """

    codes: Ints
    classes: npt.NDArray[np.uint8]
    line_of: Ints
    start: Ints
    stop: Ints
    first: Ints
    last: Ints
    physical: Ints
    page: Ints
    page_start: Ints
    physical_start: Ints

    @cached_property
    def bounds(self) -> tuple[Ints, Ints]:
        """First line of each line's page, and the line behind its last."""
        return self.page_start.take(self.page), self.page_start.take(self.page + 1)

    @cached_property
    def mixed(self) -> Ints:
        """Letters right behind a letter of another class."""
        letter = self.classes >= Char.LATIN_LOWER
        mixed = (self.classes[1:] != self.classes[:-1]) & letter[1:] & letter[:-1]
        return np.flatnonzero(mixed) + 1

    @property
    def n_lines(self) -> int:
        """Number of non-blank lines."""
        return len(self.start)

    @property
    def n_pages(self) -> int:
        """Number of pages, empty ones too."""
        return len(self.page_start) - 1


@dataclass(frozen=True, eq=False)
class Tokens:
    """Tokens of a :class:`Text`, in reading order.

    Attributes
    ----------
    line, start, stop : ndarray of intp, shape (n_tokens,)
        Line of each token, and its half-open range in the text's `codes`.
    hash : ndarray of uint64, shape (n_tokens,)
        Hash of the lower-cased token.
    tail : ndarray of uint64, shape (n_tokens,)
        Hash of its last four characters; 0 where it has no more than four.
    line_start : ndarray of intp, shape (n_lines + 1,)
        The first token of each line, and the number of tokens.
    """

    line: Ints
    start: Ints
    stop: Ints
    hash: UInts
    tail: UInts
    line_start: Ints


def joined(before: str, after: str) -> bool:
    """Return whether no token ends between two neighbouring characters, apart from their case."""
    left, right = _GROUP.take(CLASS.take([ord(before), ord(after)])).tolist()
    return left == right and left not in (_NONE, _DENSE)


def clip(line: str) -> str:
    """Shorten a line beyond `MAX_LINE` characters to its first and last half of so many."""
    return line if len(line) <= MAX_LINE else line[: MAX_LINE // 2] + line[-MAX_LINE // 2 :]


def lay_out(pages: Sequence[Sequence[str]]) -> Text:
    """Lay the lines of several pages out as one array of characters.

    Parameters
    ----------
    pages : sequence of sequences of str
        The physical lines of each page, without line ends.

    Returns
    -------
    Text
    """
    counts = np.array([len(lines) for lines in pages], dtype=np.intp)
    text = "\n".join(["", *("\n".join(lines) for lines in pages if lines), ""])
    codes = code_points(text).astype(np.intp)
    classes = CLASS.take(codes)
    breaks = np.flatnonzero(classes == Char.NEWLINE)
    if np.diff(breaks).max(initial=0) > MAX_LINE + 1:
        return lay_out([[clip(line) for line in lines] for lines in pages])
    solid = np.flatnonzero(classes > Char.SPACE)
    bound = solid.searchsorted(breaks)
    inked = bound[1:] > bound[:-1]
    physical = np.flatnonzero(inked)
    number = np.where(inked, np.cumsum(inked) - 1, len(physical))
    physical_start = np.concatenate([[0], np.cumsum(counts)])
    page_start = physical.searchsorted(physical_start)
    return Text(
        codes=codes,
        classes=classes,
        line_of=np.repeat(np.append(len(physical), number), np.append(1, np.diff(breaks))),
        start=breaks[physical] + 1,
        stop=breaks[physical + 1],
        first=solid[bound[physical]],
        last=solid[bound[physical + 1] - 1],
        physical=physical,
        page=np.repeat(np.arange(len(counts)), np.diff(page_start)),
        page_start=page_start,
        physical_start=physical_start,
    )


def _bounds(text: Text) -> tuple[Ints, Ints]:
    classes, mixed = text.classes, text.mixed
    group = np.zeros(len(classes), dtype=np.uint8)
    for first in _FIRST:
        group += (classes >= first).view(np.uint8)
    edge = group[1:] != group[:-1]
    before, after = (classes.take(mixed + step) for step in (-1, 0))
    edge[mixed[LOWER.take(before) & UPPER.take(after)] - 1] = True
    solid = classes - np.uint8(Char.DIGIT) < Char.HIRAGANA - Char.DIGIT
    start, stop = (np.flatnonzero(edge & own) + 1 for own in (solid[1:], solid[:-1]))
    dense = np.flatnonzero(classes >= Char.HIRAGANA)
    if not len(dense):
        return start, stop
    follows = classes[dense + 1] >= Char.HIRAGANA
    kept = follows | (classes[dense - 1] < Char.HIRAGANA)
    start = np.append(start, dense[kept])
    stop = np.append(stop, (dense + 1 + follows)[kept])
    order = np.argsort(start, kind="stable")
    return start[order], stop[order]


def tokenize(text: Text) -> Tokens:
    """Find the tokens of a text and hash them.

    A token's hash is that of Karp and Rabin over its lower-cased code points, taken out of one
    running sum over the whole text, with arithmetic modulo 2**64.

    Parameters
    ----------
    text : Text

    Returns
    -------
    Tokens
    """
    start, stop = _bounds(text)
    size = 1 << max(16, (len(text.codes) + 1).bit_length())
    power, inverse = powers(_BASE, size), powers(pow(_BASE, -1, 1 << 64), size)
    running = np.zeros(len(text.codes) + 1, dtype=np.uint64)
    np.multiply(LOWER_CODE.take(text.codes), power[: len(text.codes)], out=running[1:])
    np.cumsum(running, out=running)
    end = running.take(stop)
    head = end - running.take(start)
    behind = np.maximum(stop - 4, start)
    tail = (end - running.take(behind)) * inverse.take(behind)
    tail *= (stop - start) > 4
    line = text.line_of.take(start)
    return Tokens(
        line=line,
        start=start,
        stop=stop,
        hash=finalize(head * inverse.take(start)),
        tail=tail,
        line_start=line.searchsorted(np.arange(text.n_lines + 1)),
    )


def hash_words(words: Sequence[str]) -> UInts:
    """Return the hash that each word has as a token.

    Parameters
    ----------
    words : sequence of str
        Single tokens.

    Returns
    -------
    ndarray of uint64, shape (len(words),)

    Raises
    ------
    ValueError
        If a word is no token of its own, or more than one.

    Examples
    --------
    >>> bool(hash_words(["Menu"]) == hash_words(["menu"]))
    True
    """
    tokens = tokenize(lay_out([words]))
    counts = np.bincount(tokens.line, minlength=len(words))
    if len(tokens.line) != len(words) or (counts != 1).any():
        wrong = next(word for word, n in zip(words, counts, strict=False) if n != 1)
        raise ValueError(f"expected one token a word, found {wrong!r}")
    return tokens.hash


def tail_hash(word: str) -> np.uint64:
    """Return what `Tokens.tail` holds for longer tokens that end in these four letters."""
    value = sum(ord(char) * pow(_BASE, place, 1 << 64) for place, char in enumerate(word))
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)
