"""What kind of page it is: an article, a forum, a shop's listing, told by the page's words.

On an article the headlines of other pages are boilerplate; on a listing they are the content. The
weights are learned (multinomial logistic regression on hashed words, see ``training.stages``);
only numbers are kept, no words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .characters import Char
from .counting import Floats
from .features import Batch
from .tokens import Ints

__all__ = ["KINDS", "KIND_FEATURES", "Kinds", "kind_rows", "page_terms"]

KINDS = ("article", "collection", "documentation", "forum", "listing", "product", "service")
"""Kinds of pages that are told apart."""

KIND_FEATURES: dict[str, str] = {
    f"kind_{kind}": f"probability, by the page's words, that it is of the kind '{kind}'"
    for kind in KINDS
}
"""Name and meaning of each feature of the kind of page."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """Weights of the hashed words of a page.

    Attributes
    ----------
    weights : ndarray of float32, shape (len(KINDS), 2**bits)
    bias : ndarray of float64, shape (len(KINDS),)
    """

    weights: Floats
    bias: npt.NDArray[np.float64]


def page_terms(batch: Batch, bits: int) -> tuple[Ints, Ints]:
    """Return the distinct hashed words of each page, without its numbers.

    Parameters
    ----------
    batch : Batch
    bits : int
        Terms are numbers below ``2**bits``, at most 24.

    Returns
    -------
    page, term : ndarray of intp, shape (n_terms,)
        In order of page and term.
    """
    text, tokens, token = batch.text, batch.tokens, batch.vocabulary.token
    worded = token.compress(text.classes.take(tokens.start.take(token)) > Char.NUMBER)
    term = (tokens.hash.take(worded) >> np.uint64(64 - bits)).astype(np.intp)
    page = text.page.take(tokens.line.take(worded))
    # a page's words are in order of their hashes
    new = np.diff((page << bits) + term, prepend=-1) > 0
    return page.compress(new), term.compress(new)


def kind_rows(batch: Batch, kinds: Kinds) -> Floats:
    """Return the features named in `KIND_FEATURES`, in their order.

    Parameters
    ----------
    batch : Batch
    kinds : Kinds

    Returns
    -------
    ndarray of float32, shape (len(KINDS), n_lines)
    """
    page, term = page_terms(batch, kinds.weights.shape[1].bit_length() - 1)
    size = np.bincount(page, minlength=batch.text.n_pages)
    some = np.flatnonzero(size)
    total = np.zeros((len(KINDS), len(size)))
    worth = kinds.weights.take(term, axis=1).astype(np.float64)
    if len(some):
        total[:, some] = np.add.reduceat(worth, (np.cumsum(size) - size)[some], axis=1)
    scores = total / np.sqrt(np.maximum(size, 1)) + kinds.bias[:, None]
    chance = np.exp(scores - scores.max(axis=0))
    chance /= chance.sum(axis=0)
    rows: Floats = chance.astype(np.float32).take(batch.text.page, axis=1)
    return rows
