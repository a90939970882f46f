"""How a line is worded: a linear score of its hashed words and pairs of neighbouring words.

The weights are learned (logistic regression on hashed terms, see ``training.wording``); only
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
    shift = np.uint64(64 - bits)
    number = text.classes.take(tokens.start) <= Char.NUMBER
    word = np.where(number, _NUMBER, tokens.hash)
    before = np.append(_EDGE, word[:-1])
    some = np.flatnonzero(np.diff(tokens.line_start))
    before[tokens.line_start[some]] = _EDGE
    last = word[tokens.line_start[some + 1] - 1]
    line = np.concatenate([tokens.line, tokens.line, some])
    hashes = [_one(word), _two(before, word), _two(last, np.broadcast_to(_EDGE, last.shape))]
    return line, (np.concatenate(hashes) >> shift).astype(np.intp)


def _one(word: UInts) -> UInts:
    return finalize(word)


def _two(first: UInts, second: UInts) -> UInts:
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
    line, term = line_terms(text, tokens, len(weights).bit_length() - 1)
    total = np.bincount(line, weights=weights.take(term), minlength=text.n_lines)
    return total / np.sqrt(np.maximum(np.bincount(line, minlength=text.n_lines), 1))
