"""Word lists of chrome and of running prose, looked up by the hashes of tokens.

The lists are the data files in ``classifier/lexicon``, one a category, one line a language. They
are a help, not a need: a language that they do not know is carried by the shape features.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .hashing import UInts
from .tokens import hash_words

__all__ = ["CATEGORIES", "Lexicon", "lexicon"]

CATEGORIES = (
    "stop",
    "icon",
    "nav",
    "account",
    "share",
    "legal",
    "comment",
    "related",
    "date",
    "commerce",
)
"""Names of the word lists."""

_AT_ONCE = 4096  # words hashed together: all of them would take 16 MiB more

_FOLDER = Path(__file__).with_name("lexicon")


def read_words(category: str) -> list[str]:
    """Return the words of a category in all languages, in the order of the file."""
    lines = (_FOLDER / f"{category}.txt").read_text(encoding="utf-8").splitlines()
    words = (line.partition(":")[2].split() for line in lines if line and line[0] != "#")
    return list(dict.fromkeys(word for row in words for word in row))


class Lexicon:
    """The categories of words, in a hash table with open addressing.

    Parameters
    ----------
    words : dict of str to int
        Each word with the bit mask of its categories, bit 0 being ``CATEGORIES[0]``.

    Attributes
    ----------
    mask : ndarray of uint16, shape (n_words + 1,)
        Categories of each word; the first entry stands for "not in the lexicon".
    """

    def __init__(self, words: dict[str, int]) -> None:
        self.mask = np.array([0, *words.values()], dtype=np.uint16)
        names = list(words)
        parts = [hash_words(names[i : i + _AT_ONCE]) for i in range(0, len(names), _AT_ONCE)]
        self._hash = np.concatenate([np.zeros(1, np.uint64), *parts])
        bits = max(10, int(len(words) * 8).bit_length())
        self._shift = np.uint64(64 - bits)
        self._slots = np.zeros(1 << bits, dtype=np.int32)
        waiting, step = np.arange(1, len(self.mask)), 0
        while len(waiting):
            slot = self._slot(self._hash[waiting], step)
            free = self._slots[slot] == 0
            self._slots[slot[free]] = waiting[free]
            waiting, step = waiting[self._slots[slot] != waiting], step + 1

    def _slot(self, hashes: UInts, step: int) -> npt.NDArray[np.intp]:
        return ((hashes >> self._shift).astype(np.intp) + step) & (len(self._slots) - 1)

    def masks(self, hashes: UInts) -> npt.NDArray[np.uint16]:
        """Return the categories of tokens.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n_tokens,)
            Hashes of tokens as :func:`classifier.tokens.tokenize` gives them.

        Returns
        -------
        ndarray of uint16, shape (n_tokens,)
            One bit a category, in the order of `CATEGORIES`.
        """
        found = self._slots.take(self._slot(hashes, 0))
        missed = np.flatnonzero((found > 0) & (self._hash.take(found) != hashes))
        step = 0
        while len(missed):
            step += 1
            found[missed] = self._slots.take(self._slot(hashes[missed], step))
            wrong = (found[missed] > 0) & (self._hash.take(found[missed]) != hashes[missed])
            missed = missed[wrong]
        return self.mask.take(found)


@cache
def lexicon() -> Lexicon:
    """Return the lexicon that comes with the library; it is read once."""
    words: dict[str, int] = {}
    for bit, category in enumerate(CATEGORIES):
        for word in read_words(category):
            words[word] = words.get(word, 0) | 1 << bit
    return Lexicon(words)


def lexicon_hash() -> str:
    """Return the SHA-256 of the word lists, as the model file records it."""
    digest = sha256()
    for category in CATEGORIES:
        digest.update((_FOLDER / f"{category}.txt").read_bytes())
    return digest.hexdigest()
