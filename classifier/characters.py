"""Classes of characters: what kind of sign each code point of a text is, in one vectorised pass.

Every code point belongs to exactly one :class:`Char`. The table is made from the Unicode
character database by ``python -m training.character_table`` and kept as run lengths beside this
file, so that a text has the same classes on every Python version.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = [
    "CHARS",
    "CLASS",
    "LOWER",
    "SCRIPT",
    "SCRIPTS",
    "Char",
    "code_points",
    "members",
]


class Char:
    """The class of a character; the order matters: from ``DIGIT`` on they make up words.

    These are plain integers, since NumPy takes the members of an enumeration for int64, and would
    widen every array of classes that it compares with one.
    """

    NEWLINE = 0
    SPACE = 1
    DOT = 2
    QUESTION = 3
    TERMINATOR = 4
    ELLIPSIS = 5
    COMMA = 6
    COLON = 7
    QUOTE = 8
    OPEN = 9
    CLOSE = 10
    SEPARATOR = 11
    BULLET = 12
    HYPHEN = 13
    CURRENCY = 14
    COPYRIGHT = 15
    AT = 16
    HASH = 17
    PERCENT = 18
    UNDERSCORE = 19
    STAR = 20
    SYMBOL = 21
    PUNCTUATION = 22
    CONTROL = 23
    DIGIT = 24
    NUMBER = 25
    MARK = 26
    LATIN_LOWER = 27
    LATIN_UPPER = 28
    LATIN_OTHER = 29
    GREEK_LOWER = 30
    GREEK_UPPER = 31
    CYRILLIC_LOWER = 32
    CYRILLIC_UPPER = 33
    CASED_LOWER = 34
    CASED_UPPER = 35
    ARABIC = 36
    HEBREW = 37
    INDIC = 38
    HANGUL = 39
    UNCASED = 40
    KATAKANA = 41
    HIRAGANA = 42
    HAN = 43
    SOUTHEAST = 44


CHARS = range(Char.SOUTHEAST + 1)
"""All classes in use."""

SCRIPTS: dict[str, tuple[int, ...]] = {
    "latin": (Char.LATIN_LOWER, Char.LATIN_UPPER, Char.LATIN_OTHER),
    "greek": (Char.GREEK_LOWER, Char.GREEK_UPPER),
    "cyrillic": (Char.CYRILLIC_LOWER, Char.CYRILLIC_UPPER),
    "cased": (Char.CASED_LOWER, Char.CASED_UPPER),
    "arabic": (Char.ARABIC,),
    "hebrew": (Char.HEBREW,),
    "indic": (Char.INDIC,),
    "hangul": (Char.HANGUL,),
    "uncased": (Char.UNCASED,),
    "kana": (Char.KATAKANA, Char.HIRAGANA),
    "han": (Char.HAN,),
    "southeast": (Char.SOUTHEAST,),
}
"""Groups of scripts that a line is told apart by."""


def members(*classes: int) -> npt.NDArray[np.bool_]:
    """Return a look-up table that is true at the given classes.

    Parameters
    ----------
    *classes : int
        The classes wanted.

    Returns
    -------
    ndarray of bool, shape (len(CHARS),)
    """
    table = np.zeros(len(CHARS), dtype=bool)
    table[list(classes)] = True
    return table


def _script_of_class() -> npt.NDArray[np.uint8]:
    table = np.zeros(len(CHARS), dtype=np.uint8)
    for number, classes in enumerate(SCRIPTS.values(), start=1):
        table[list(classes)] = number
    return table


SCRIPT = _script_of_class()
"""Number of the script of each class, from 1 in the order of `SCRIPTS`; 0 where there is none."""


def _load() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    with np.load(Path(__file__).with_name("characters.npz"), allow_pickle=False) as table:
        classes = np.repeat(table["run_class"], table["run_length"])
        lower = np.arange(len(classes), dtype=np.uint32)
        lower[table["upper"]] = table["lower"]
    return classes, lower


CLASS, LOWER = _load()
"""Class, and lower-case code point, of every code point (uint8 and uint32, 0x110000 entries)."""


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Return the code points of a text; lone surrogates are kept as they are.

    Parameters
    ----------
    text : str

    Returns
    -------
    ndarray of uint32, shape (len(text),)

    Examples
    --------
    >>> code_points("aé").tolist()
    [97, 233]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
