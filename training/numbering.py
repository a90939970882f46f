"""The tokens of a dump and of a reference as numbers that both share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt

__all__ = ["Doubles", "Ints", "Tokens", "number_tokens", "split_tokens"]

Ints = npt.NDArray[np.intp]
Doubles = npt.NDArray[np.float64]

_SINGLE = 0.4
"""Weight of a character that is a token of its own, in words: about that many make a word."""

# Thai, Lao, Tibetan, Myanmar, Khmer, Kana and Han are written without spaces.
_DENSE = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Vowel signs and points, which are no \w: a word of Hindi or pointed Hebrew would fall to pieces.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"  # fmt: skip  # noqa: E501
_TOKEN = re.compile(rf"[{_DENSE}]|(?:[^\W{_DENSE}]|[{_MARKS}])+")
_SINGLE_TOKEN = re.compile(f"[{_DENSE}]")
_WORD = re.compile(r"\w+")
# "AdaMarch": where a dump runs the texts of two elements together
_GLUED = re.compile("(?<=[a-zß-öø-ÿα-ωа-яё])(?=[A-ZÀ-ÖØ-ÞΑ-ΩА-ЯЁ])")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


def split_tokens(text: str) -> list[str]:
    r"""Return the tokens of a text, lower-cased: words, and characters of spaceless scripts.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        In order, without signs and spaces. Compatibility forms are made plain (NFKC), soft
        hyphens and other unseen characters left out.

    Examples
    --------
    >>> split_tokens("The so\u00adfa, 今日 (ﬁne)")
    ['the', 'sofa', '今', '日', 'fine']
    """
    text = _GLUED.sub(" ", text)
    if text.isascii():
        return _WORD.findall(text.lower())
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).lower()
    return (_WORD if not plain or max(plain) < "\u0300" else _TOKEN).findall(plain)


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of a text as numbers; the same number in two texts is the same token.

    Attributes
    ----------
    ids : ndarray of intp, shape (n_tokens,)
        Negative for a token that the reference does not have.
    starts : ndarray of intp, shape (n_lines + 1,)
        The first token of each line, and `n_tokens`.
    weights : ndarray of float64, shape (n_tokens,)
        1 for a word, less for a single character of a script without spaces.
    numeric : ndarray of bool, shape (n_tokens,)
        Whether a token is made of digits.
    """

    ids: Ints
    starts: Ints
    weights: Doubles
    numeric: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids)

    @cached_property
    def mass(self) -> Doubles:
        """Weight of all tokens before each one, and of all."""
        return np.concatenate([[0.0], np.cumsum(self.weights)])

    @cached_property
    def line_of(self) -> Ints:
        """The line that each token stands in."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def begins(self) -> npt.NDArray[np.bool_]:
        """Whether a line begins at each token, or behind the last one."""
        edges = np.zeros(len(self) + 1, dtype=bool)
        edges[self.starts] = True
        return edges


def number_tokens(lines: Sequence[str], reference: Sequence[str]) -> tuple[Tokens, Tokens]:
    """Return the tokens of the lines of a dump and of a reference.

    Parameters
    ----------
    lines, reference : sequence of str

    Returns
    -------
    tuple of Tokens
        Of the dump, and of the reference.
    """
    theirs = [split_tokens(line) for line in reference]
    ours = [split_tokens(line) for line in lines]
    numbers: dict[str, int] = {}
    for token in chain.from_iterable(theirs):
        numbers.setdefault(token, len(numbers))
    unknown = -1
    for token in chain.from_iterable(ours):
        if token not in numbers:
            numbers[token] = unknown
            unknown -= 1
    # in the order of the numbers, the negative ones as Python counts them from the end
    known = len(numbers) + unknown + 1
    names = list(numbers)
    names = names[:known] + names[known:][::-1]
    single = _SINGLE_TOKEN.fullmatch
    weight_of = np.array([_SINGLE if single(name) else 1.0 for name in names])
    numeric_of = np.array([name.isdigit() for name in names], dtype=bool)

    def tokens(split: list[list[str]]) -> Tokens:
        ids = np.array([numbers[token] for token in chain.from_iterable(split)], dtype=np.intp)
        starts = np.cumsum([0, *map(len, split)])
        return Tokens(ids, starts, weight_of[ids], numeric_of[ids])

    return tokens(ours), tokens(theirs)
