"""Phrases that a user knows: evidence on a page's lines, weighed in before the decoder.

A line with a phrase of content has its log odds of content moved up, one with a phrase of
boilerplate down. The decoder then labels the page, so that the line's neighbours follow where
they were in doubt, and a line the model is very sure of may keep its label.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .explain import Contribution
from .page import read_page
from .tokens import joined

__all__ = ["PHRASES", "PUSH", "Phrases", "moved", "read_phrases"]

PUSH = 4.0
"""By how much a phrase moves the log odds: 0.5 becomes 0.98, and 0.98 becomes 0.5."""

PHRASES: dict[str, str] = {
    "content_phrase": "whether the line has a phrase that the user gave as content",
    "boilerplate_phrase": "whether the line has a phrase that the user gave as boilerplate",
}
"""Name and meaning of what phrases add to an explanation."""

_SURE = 1e-9
_ENTRY = re.compile(r"([+-])\s+(.*\S)\s*")

Doubles = npt.NDArray[np.float64]


def fold(text: str) -> str:
    """Return a text without case, width of letters and length of spaces.

    Case is folded after compatibility forms were unified (Unicode's NFKC, full case folding).

    Examples
    --------
    >>> fold("ＲＥＡＤ  more") == fold("read More")
    True
    """
    # once more: folding takes some composed characters apart
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


@dataclass(frozen=True)
class Phrases:
    """Phrases with which a line speaks for content or for boilerplate.

    A phrase is found wherever its letters stand as whole tokens: "share" is found in
    "Share: print" but not in "shareholders". In scripts written without spaces, Han, Hiragana
    and Thai among them, it is found anywhere. Case, width and the number of spaces don't matter.

    Attributes
    ----------
    content, boilerplate : sequence of str
        Kept as tuples.
    push : float
        By how much the log odds of content move; a line with phrases of both kinds stays put,
        and one with several phrases of a kind is moved once.

    Raises
    ------
    ValueError
        ``expected a phrase, found ''`` where one is empty, ``expected a list of phrases`` where
        there is one text in its place, and if `push` is not above 0 and up to 100.

    Examples
    --------
    >>> Phrases(boilerplate=("read more",)).shifts(["Read more: rain", "I read more."]).tolist()
    [-4.0, -4.0]
    >>> Phrases(content=("天気",)).shifts(["今日の天気予報", "天 気"]).tolist()
    [4.0, 0.0]
    """

    content: Sequence[str] = ()
    boilerplate: Sequence[str] = ()
    push: float = PUSH

    def __post_init__(self) -> None:
        for name in ("content", "boilerplate"):
            phrases = getattr(self, name)
            if isinstance(phrases, str):
                raise ValueError(f"expected a list of phrases, found one text: {phrases!r}")
            object.__setattr__(self, name, tuple(phrases))
        for phrase in (*self.content, *self.boilerplate):
            if not fold(phrase):
                raise ValueError(f"expected a phrase, found {phrase!r}")
        if not 0 < self.push <= 100:
            raise ValueError(f"expected a push above 0 and up to 100, found {self.push!r}")

    def found(self, lines: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return which lines have a phrase of content, and which one of boilerplate.

        Parameters
        ----------
        lines : sequence of str

        Returns
        -------
        ndarray of bool, shape (2, n_lines)
        """
        folded = [fold(line) for line in lines]
        starts = list(accumulate((len(line) + 1 for line in folded), initial=0))
        text = "\n".join(folded)
        found = np.zeros((2, len(folded)), dtype=bool)
        for side, phrases in enumerate((self.content, self.boilerplate)):
            for phrase in {fold(phrase) for phrase in phrases}:
                for at in _places(phrase, text):
                    found[side, bisect_right(starts, at) - 1] = True
        return found

    def shifts(self, lines: Sequence[str]) -> Doubles:
        """Return by how much the log odds of each line move.

        Parameters
        ----------
        lines : sequence of str

        Returns
        -------
        ndarray of float64, shape (n_lines,)
        """
        content, boilerplate = self.found(lines).astype(np.float64)
        shift: Doubles = self.push * (content - boilerplate)
        return shift

    def contributions(self, line: str) -> list[Contribution]:
        """Return what phrases add to the explanation of a line."""
        signed = zip(PHRASES, self.found([line])[:, 0], (self.push, -self.push), strict=True)
        return [Contribution(name, 1.0, push, "phrases") for name, there, push in signed if there]


def _places(phrase: str, text: str) -> Iterator[int]:
    """Yield where a phrase stands as whole tokens; both are folded."""
    at = text.find(phrase)
    while at >= 0:
        stop = at + len(phrase)
        cut = (at > 0 and joined(text[at - 1], phrase[0])) or (
            stop < len(text) and joined(phrase[-1], text[stop])
        )
        if not cut:
            yield at
        at = text.find(phrase, at + 1)


def moved(probability: Doubles, shift: Doubles) -> Doubles:
    """Move the log odds of probabilities; those with no shift stay as they are, bit for bit.

    Parameters
    ----------
    probability, shift : ndarray of float64, shape (n_lines,)

    Returns
    -------
    ndarray of float64, shape (n_lines,)

    Examples
    --------
    >>> moved(np.array([0.5, 0.3]), np.array([4.0, 0.0])).round(3).tolist()
    [0.982, 0.3]
    """
    p = np.clip(probability, _SURE, 1 - _SURE)
    return np.where(shift == 0, probability, 1 / (1 + (1 / p - 1) * np.exp(-shift)))


def read_phrases(path: str | Path) -> Phrases:
    """Read a file of phrases.

    A line holds one phrase behind its sign, as in labelled dumps: ``+`` for content, ``-`` for
    boilerplate, and a space. Empty lines and lines that begin with ``#`` are passed over::

        # what this site says on every page
        -  Get the Ledger in your inbox
        +  The harbour board

    Parameters
    ----------
    path : str or Path
        Text in UTF-8, or with the mark of another encoding at its head.

    Returns
    -------
    Phrases

    Raises
    ------
    ValueError
        ``FILE:LINE: expected '+' or '-', a space and a phrase; found ...``.
    OSError
        If the file cannot be read.
    """
    sides: dict[str, list[str]] = {"+": [], "-": []}
    for number, line in enumerate(read_page(Path(path).read_bytes()).lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _ENTRY.fullmatch(line)
        if not entry:
            raise ValueError(
                f"{path}:{number}: expected '+' or '-', a space and a phrase; found {line[:40]!r}"
            )
        sides[entry[1]].append(entry[2])
    return Phrases(tuple(sides["+"]), tuple(sides["-"]))
