"""How a line is worded: a linear score of its hashed words and pairs of neighbouring words.

The weights are learned (logistic regression on hashed terms, see ``training.stages``); only
numbers are kept, no words. Numbers count as one word, whatever their digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .characters import Char
from .hashing import UInts, finalize
from .tokens import Ints, Text, Tokens

__all__ = ["line_terms", "wording_score"]

_NUMBER = np.uint64(0x632BE59BD9B4E019)
_EDGE = np.uint64(0xA0761D6478BD642F)
_PAIR = np.uint64(0xE7037ED1A0B428DB)


def line_terms(text: Text, tokens: Tokens, bits: int) -> tuple[Ints, Ints]:
    """Return the hashed terms of each line: its tokens, and the pairs with the line's edges.

    Parameters
    ----------
    text : Text
    tokens : Tokens
    bits : int
        Terms are numbers below ``2**bits``.

    Returns
    -------
    line, term : ndarray of intp, shape (n_terms,)
        The terms in an order that does not depend on other lines.
    """
    some, (one, two, last) = _terms(text, tokens, bits)
    return np.concatenate([tokens.line, tokens.line, some]), np.concatenate([one, two, last])


def _terms(text: Text, tokens: Tokens, bits: int) -> tuple[Ints, list[Ints]]:
    """Return the lines with tokens, and the terms: tokens, pairs that end at them, last edges."""
    number = text.classes.take(tokens.start) <= Char.NUMBER
    word = np.where(number, _NUMBER, tokens.hash)
    before = np.append(_EDGE, word[:-1])
    some = np.flatnonzero(np.diff(tokens.line_start))
    before[tokens.line_start[some]] = _EDGE
    last = word[tokens.line_start[some + 1] - 1]
    hashes = finalize(word), _pair(before, word), _pair(last, _EDGE)
    return some, [(x >> np.uint64(64 - bits)).astype(np.intp) for x in hashes]


def _pair(first: UInts, second: UInts | np.uint64) -> UInts:
    return finalize(first * _PAIR + second)


def wording_score(
    text: Text, tokens: Tokens, weights: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Return the score of each line's wording; above 0 speaks for content.

    Parameters
    ----------
    text : Text
    tokens : Tokens
    weights : ndarray of float32, shape (2**bits,)

    Returns
    -------
    ndarray of float64, shape (n_lines,)
        Sum of the weights of the line's terms, divided by the square root of their number.
    """
    some, (one, two, last) = _terms(text, tokens, len(weights).bit_length() - 1)
    worth = weights.take(one) + weights.take(two)
    total = np.bincount(tokens.line, weights=worth, minlength=text.n_lines)
    total[some] = total[some] + weights.take(last)
    size = np.diff(tokens.line_start)
    score: npt.NDArray[np.float64] = total / np.sqrt(np.maximum(2 * size + (size > 0), 1))
    return score
