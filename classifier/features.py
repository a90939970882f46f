"""All features of the lines of a batch of pages, in one matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from .counting import Floats
from .hashing import UInts
from .landmarks import LANDMARK_FEATURES, landmark_features
from .line_features import LINE_FEATURES, line_features
from .page_features import CONTEXT_FEATURES, PAGE_FEATURES, context_rows, page_rows, prose_lines
from .repetition import REPETITION_FEATURES, line_letters, line_shapes, repetition_features
from .site_features import SITE_FEATURES, site_rows
from .site_memory import Site
from .tokens import Ints, Text, Tokens, lay_out, tokenize
from .vocabulary import VOCABULARY_FEATURES, Vocabulary, index_words, vocabulary_features

__all__ = ["FEATURES", "FEATURE_NAMES", "Batch", "batches", "extract"]

OWN_FEATURES: dict[str, str] = {
    **LINE_FEATURES,
    **VOCABULARY_FEATURES,
    **REPETITION_FEATURES,
    **LANDMARK_FEATURES,
    **PAGE_FEATURES,
    **SITE_FEATURES,
}
"""The features without those of the neighbouring lines."""

FEATURES: dict[str, str] = {**OWN_FEATURES, **CONTEXT_FEATURES}
"""Name and meaning of every feature, in the order of the matrix's rows."""

FEATURE_NAMES: tuple[str, ...] = tuple(FEATURES)
"""Names of the features, in the order of the matrix's rows."""

N_OWN = len(OWN_FEATURES)
"""Number of the features that do not belong to neighbouring lines; they come first."""

BATCH_CHARS, BATCH_PAGES = 1_000_000, 64
"""Pages are put together until they are so many, or have so many characters.

NumPy's calls then cost little beside their work.
"""


@dataclass(frozen=True, eq=False)
class Batch:
    """Pages laid out together, with the features of their non-blank lines.

    Attributes
    ----------
    text : Text
    tokens : Tokens
    vocabulary : Vocabulary
    words : ndarray of intp, shape (n_lines,)
        Words of each line.
    shapes : ndarray of uint64, shape (n_lines,)
        Signature of each line's look.
    letters : ndarray of uint64, shape (n_lines,)
        Hash of each line's words, the same for lines that differ in digits and signs only.
    matrix : ndarray of float32, shape (n_features, n_lines)
        One row a feature, in the order of `FEATURE_NAMES`.
    """

    text: Text
    tokens: Tokens
    vocabulary: Vocabulary
    words: Ints
    shapes: UInts
    letters: UInts
    matrix: Floats


@cache
def _keep_freed_memory() -> None:
    """Let the C library reuse what a batch has freed; it costs nothing, as nothing is written.

    glibc hands large blocks back to the system, which maps the next batch's page by page, for an
    eighth of the time. Once it has seen a block freed, it keeps others up to that size (mallopt(3),
    M_MMAP_THRESHOLD; 32 MiB at most).
    """
    np.empty((1 << 25) - (1 << 16), dtype=np.uint8)


def extract(pages: Sequence[Sequence[str]], sites: Sequence[Site | None] | None = None) -> Batch:
    """Return the features of the non-blank lines of several pages.

    A page's features do not depend on the pages beside it, bit for bit.

    Parameters
    ----------
    pages : sequence of sequences of str
        The physical lines of each page, without line ends.
    sites : sequence of Site or None, optional
        The site of each page, where there is a memory of it.

    Returns
    -------
    Batch

    Examples
    --------
    >>> batch = extract([["Menu", "", "A sentence of the page."]])
    >>> batch.matrix.shape == (len(FEATURE_NAMES), 2)
    True
    """
    _keep_freed_memory()
    text = lay_out(pages)
    tokens = tokenize(text)
    facts = line_features(text, tokens)
    vocabulary = index_words(text, tokens)
    prose = prose_lines(facts)
    rows = dict(facts.rows)
    rows |= vocabulary_features(text, tokens, vocabulary, prose, facts.rows["copyright"] > 0)
    shapes = line_shapes(text, facts)
    letters = line_letters(text, tokens)
    rows |= repetition_features(text, tokens, shapes, letters)
    rows |= landmark_features(text, facts, rows)
    rows |= page_rows(text, facts, prose, rows) | site_rows(text, letters, sites)
    matrix = np.empty((len(FEATURES), text.n_lines), dtype=np.float32)
    for place, name in enumerate(OWN_FEATURES):
        matrix[place] = rows[name]
    context_rows(text, rows, matrix[N_OWN:])
    return Batch(text, tokens, vocabulary, facts.words, shapes, letters, matrix)


def batches(pages: Sequence[Sequence[str]], chars: int = BATCH_CHARS) -> Iterator[list[int]]:
    """Group pages, in order, into batches of about `chars` characters, 64 pages at most.

    Parameters
    ----------
    pages : sequence of sequences of str
    chars : int

    Yields
    ------
    list of int
        Indices into `pages`.
    """
    group: list[int] = []
    size = 0
    for index, lines in enumerate(pages):
        group.append(index)
        size += sum(map(len, lines)) + len(lines)
        if size >= chars or len(group) == BATCH_PAGES:
            yield group
            group, size = [], 0
    if group:
        yield group
