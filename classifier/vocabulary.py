"""Which words the lines of a page share: with its first line, its prose and their neighbourhood.

A word is worth what it is rare on the page: log((lines + 1) / (lines with the word + 1)). No list
of stop words is needed for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .counting import Rows, log_count, share
from .hashing import UInts
from .tokens import Ints, Text, Tokens

__all__ = ["VOCABULARY_FEATURES", "Vocabulary", "index_words", "topic", "vocabulary_features"]

VOCABULARY_FEATURES: dict[str, str] = {
    "repeated": "share of tokens that the line has already had",
    "rarity": "mean worth of the line's words",
    "shared_title": "worth of the words that the page's first line has too, as a share",
    "shared_prose": "worth of the words that a prose line elsewhere on the page has, as a share",
    "shared_before": "worth of the words that one of the ten lines before has, as a share",
    "shared_after": "worth of the words that one of the ten lines after has, as a share",
    "only_here": "share of distinct words that no other line of the page has",
    "first_word_lines": "log of 1 + lines of the page that begin with the same token",
    "last_word_lines": "log of 1 + lines of the page that end with the same token",
    "first_line_named": "log of 1 + lines that have all words of the page's first line, and more",
    "first_line_owned": "whether one of them has a copyright sign",
}
"""Name and meaning of each feature of a line's words within its page."""

_NEAR = 10
_FAR = 1 << 40
_INDEX_BITS = np.uint64(24)
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Distinct words of each line, grouped by word.

    Attributes
    ----------
    word, line : ndarray of intp, shape (n_pairs,)
        The pairs of word and line, ordered by page, word and line; a word has a number of its
        own on each page.
    worth : ndarray of float64, shape (n_pairs,)
        How rare the word is on its page.
    before, after : ndarray of intp, shape (n_pairs,)
        Lines back to the one that had the word last, and on to the next; large where none is.
    token : ndarray of intp, shape (n_words,)
        The first token of each word.
    """

    word: Ints
    line: Ints
    worth: Doubles
    before: Ints
    after: Ints
    token: Ints

    @property
    def n_words(self) -> int:
        """Number of words, those of each page for themselves."""
        return len(self.token)


def ordered(keys: UInts, start: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Sort hashes within segments.

    Each segment is sorted by itself, so that the order does not depend on what else is in the
    batch. The upper 40 bits decide; equal hashes keep their order.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
    start : ndarray of intp, shape (n_segments + 1,)
        Bounds of the segments.

    Returns
    -------
    order : ndarray of intp, shape (n,)
    new : ndarray of bool, shape (n,)
        Whether a hash differs from the one sorted before it, or begins a segment.
    """
    lengths = np.diff(start)
    offset = np.repeat(start[:-1], lengths)
    bits = max(_INDEX_BITS, np.uint64(int(lengths.max(initial=1)).bit_length()))
    low = (np.uint64(1) << bits) - np.uint64(1)
    keys = (keys & ~low) | (np.arange(len(keys)) - offset).astype(np.uint64)
    for begin, end in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
        keys[begin:end].sort()
    top = keys >> bits
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(top[1:], top[:-1], out=new[1:])
    new[start[:-1][lengths > 0]] = True
    return (keys & low).astype(np.intp) + offset, new


def groups(keys: UInts, text: Text) -> Ints:
    """Give the lines of a page with the same key the same number, which no other page has.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_lines,)
    text : Text

    Returns
    -------
    ndarray of intp, shape (n_lines,)
    """
    order, new = ordered(keys, text.page_start)
    group = np.empty(text.n_lines, dtype=np.intp)
    group[order] = np.cumsum(new) - 1
    return group


def index_words(text: Text, tokens: Tokens) -> Vocabulary:
    """Group the tokens of each page by word.

    Parameters
    ----------
    text : Text
    tokens : Tokens

    Returns
    -------
    Vocabulary
    """
    order, new = ordered(tokens.hash, tokens.line_start[text.page_start])
    line = tokens.line.take(order)
    distinct = new.copy()
    distinct[1:] |= line[1:] != line[:-1]
    pairs = np.flatnonzero(distinct)
    word, line = (np.cumsum(new) - 1)[pairs], line[pairs]
    carried = np.bincount(word).take(word) if len(word) else word
    lines = np.diff(text.page_start).take(text.page.take(line))
    before, after = np.full(len(line), _FAR), np.full(len(line), _FAR)
    again = np.flatnonzero(word[1:] == word[:-1])
    before[again + 1] = after[again] = line[again + 1] - line[again]
    worth = log_count(lines) - log_count(carried)
    return Vocabulary(word, line, np.maximum(worth, 0), before, after, order.compress(new))


def _others(words: Vocabulary, values: Doubles) -> Doubles:
    """Sum a value per line over the other lines that have the word, for each pair."""
    own = values.take(words.line)
    return np.bincount(words.word, weights=own, minlength=words.n_words).take(words.word) - own


def vocabulary_features(
    text: Text,
    tokens: Tokens,
    words: Vocabulary,
    prose: npt.NDArray[np.bool_],
    owned: npt.NDArray[np.bool_],
) -> Rows:
    """Return the features named in `VOCABULARY_FEATURES`.

    Parameters
    ----------
    text : Text
    tokens : Tokens
    words : Vocabulary
    prose, owned : ndarray of bool, shape (n_lines,)
        Which lines are prose, and which have a copyright sign.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
    """
    n = text.n_lines
    distinct = np.bincount(words.line, minlength=n)
    total = np.bincount(words.line, weights=words.worth, minlength=n)
    of_title = _of_first_line(text, words)
    shared = {
        "shared_title": of_title,
        "shared_prose": _others(words, prose.astype(np.float64)) > 0,
        "shared_before": words.before <= _NEAR,
        "shared_after": words.after <= _NEAR,
    }
    alone = (words.before == _FAR) & (words.after == _FAR)
    return {
        "repeated": 1 - share(distinct, np.diff(tokens.line_start)),
        "rarity": share(total, distinct),
        **{name: _worth_share(words, where, total) for name, where in shared.items()},
        "only_here": share(np.bincount(words.line, alone, minlength=n), distinct),
        **_edge_words(text, tokens),
        **_naming(text, np.bincount(words.line, of_title, minlength=n), distinct, owned),
    }


def _of_first_line(text: Text, words: Vocabulary) -> npt.NDArray[np.bool_]:
    """Return whether the word of each pair stands in the page's first line, another one."""
    title = np.arange(text.n_lines) == text.bounds[0]
    return _others(words, title.astype(np.float64)) > 0


def _worth_share(
    words: Vocabulary, where: npt.NDArray[np.bool_], total: npt.NDArray[Any]
) -> Doubles:
    """Return the share of each line's worth that some of its words have; -1 without worth."""
    part = np.bincount(words.line, weights=words.worth * where, minlength=len(total))
    return np.where(total > 0, part / np.maximum(total, 1e-9), -1.0)


def _naming(text: Text, shared: Ints, distinct: Ints, owned: npt.NDArray[np.bool_]) -> Rows:
    """Return on how many lines all words of the first line come again, as those of a name do."""
    named = (shared == distinct[text.bounds[0]]) & (shared > 0) & (distinct > shared)
    count, by_owner = (
        np.bincount(text.page[lines], minlength=text.n_pages)[text.page]
        for lines in (named, named & owned)
    )
    return {"first_line_named": log_count(count), "first_line_owned": by_owner > 0}


def _edge_words(text: Text, tokens: Tokens) -> Rows:
    rows: Rows = {}
    some = np.flatnonzero(np.diff(tokens.line_start))
    edges = {"first_word_lines": tokens.line_start[some]}
    edges["last_word_lines"] = tokens.line_start[some + 1] - 1
    bounds = some.searchsorted(text.page_start)
    for name, at in edges.items():
        order, new = ordered(tokens.hash[at], bounds)
        group = np.cumsum(new) - 1
        counts = np.zeros(text.n_lines, dtype=np.intp)
        counts[some[order]] = np.bincount(group).take(group) if len(group) else 0
        rows[name] = log_count(counts)
    return rows


def topic(text: Text, words: Vocabulary, weight: Doubles, value: Doubles) -> Doubles:
    """Return how the other lines with a line's words are valued, on the mean.

    Parameters
    ----------
    text : Text
    words : Vocabulary
    weight : ndarray of float64, shape (n_lines,)
        What each line counts for.
    value : ndarray of float64, shape (n_lines,)
        The value of each line, say its probability of being content.

    Returns
    -------
    ndarray of float64, shape (n_lines,)
        Mean over the line's words that stand elsewhere on the page too, by their worth; -1 where
        there is none.
    """
    mass = _others(words, weight)
    seen = mass > 1e-6
    mean, worth = _others(words, weight * value) / np.where(seen, mass, 1.0), words.worth * seen
    total, summed = (
        np.bincount(words.line, weights=x, minlength=text.n_lines) for x in (worth, worth * mean)
    )
    return np.where(total > 1e-6, summed / np.maximum(total, 1e-6), -1.0)
