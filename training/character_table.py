"""Make ``classifier/characters.npz`` from the Unicode character database of this Python.

Run ``python -m training.character_table`` after a change of the classes or for a newer Unicode.
"""

from __future__ import annotations

import sys
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.characters import Char

_SIGNS = {
    Char.DOT: ".．",
    Char.QUESTION: "?？؟;՞፧⸮",
    Char.TERMINATOR: "!！。｡।॥۔։።။။៕᙮‼⁇⁈⁉¡",
    Char.ELLIPSIS: "…⋯",
    Char.COMMA: ",，、､،;；؛՝፣፤",
    Char.COLON: ":：፡",
    Char.QUOTE: "\"'`´“”„‟‘’‚‛«»＂＇",
    Char.OPEN: "([{（［｛「『【〔《〈",
    Char.CLOSE: ")]}）］｝」』】〕》〉",
    Char.SEPARATOR: "|/\\›‹—–→←▸▶►»＞>/｜¦⟩⁄",
    Char.BULLET: "•·*●○▪■□◦‣▼▲▾✓✔✕✖×⌄",
    Char.HYPHEN: "-‐‑−",
    Char.COPYRIGHT: "©®™℗",
    Char.AT: "@＠",
    Char.HASH: "#＃",
    Char.PERCENT: "%％‰٪",
    Char.UNDERSCORE: "_＿",
    Char.STAR: "★☆⭐✩✪✭✮✰",
}
_SIGN = {sign: kind for kind, signs in _SIGNS.items() for sign in signs}
_CASED = {
    "LATIN": (Char.LATIN_LOWER, Char.LATIN_UPPER, Char.LATIN_OTHER),
    "GREEK": (Char.GREEK_LOWER, Char.GREEK_UPPER, Char.GREEK_LOWER),
    "CYRILLIC": (Char.CYRILLIC_LOWER, Char.CYRILLIC_UPPER, Char.CYRILLIC_LOWER),
}
_UNCASED = {
    Char.ARABIC: "ARABIC SYRIAC THAANA NKO",
    Char.HEBREW: "HEBREW SAMARITAN",
    Char.INDIC: "DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA",
    Char.HANGUL: "HANGUL",
    Char.KATAKANA: "KATAKANA KATAKANA-HIRAGANA",
    Char.HIRAGANA: "HIRAGANA",
    Char.HAN: "CJK IDEOGRAPHIC BOPOMOFO VERTICAL",
    Char.SOUTHEAST: "THAI LAO KHMER MYANMAR TIBETAN TAI",
}
_SCRIPT_NAME = {name: kind for kind, names in _UNCASED.items() for name in names.split()}


@cache
def char_class(char: str) -> int:
    """Return the class of one character, read off its Unicode category and name."""
    category = unicodedata.category(char)
    if char == "\n":
        return Char.NEWLINE
    if char in _SIGN:
        return _SIGN[char]
    if char.isspace() or category in ("Zs", "Zl", "Zp"):
        return Char.SPACE
    if category[0] in "LMN":
        return _word_class(char, category)
    if category[0] == "C":
        return Char.CONTROL
    return {"Sc": Char.CURRENCY, "Ps": Char.OPEN, "Pe": Char.CLOSE, "Pd": Char.HYPHEN}.get(
        category, Char.SYMBOL if category[0] == "S" else Char.PUNCTUATION
    )


def _word_class(char: str, category: str) -> int:
    if category == "Nd":
        return Char.DIGIT
    script = unicodedata.name(char, "").split(" ")[0].removeprefix("FULLWIDTH")
    if script in ("HALFWIDTH", ""):
        script = (unicodedata.name(char, "") + "  ").split(" ")[1]
    if script in _SCRIPT_NAME:
        return _SCRIPT_NAME[script]
    if category[0] == "N":
        return Char.NUMBER
    if category[0] == "M":
        return Char.MARK
    lower, upper, other = _CASED.get(script, (Char.CASED_LOWER, Char.CASED_UPPER, Char.UNCASED))
    return upper if char.isupper() else lower if char.islower() else other


def build() -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of the table: runs of one class, and pairs of upper and lower case."""
    points = [chr(code) for code in range(sys.maxunicode + 1)]
    classes = np.array([char_class(char) for char in points], dtype=np.uint8)
    starts = np.flatnonzero(np.diff(classes, prepend=255))
    pairs = [(ord(c), ord(c.lower())) for c in points if len(c.lower()) == 1 and c.lower() != c]
    upper, lower = np.array([*pairs, (0x130, ord("i"))], dtype=np.uint32).T
    return {
        "run_length": np.diff(starts, append=len(classes)).astype(np.uint32),
        "run_class": classes[starts],
        "upper": upper,
        "lower": lower,
    }


def main() -> None:
    """Write the table beside ``classifier/characters.py``."""
    path = Path(__file__).parent.parent / "classifier" / "characters.npz"
    np.savez_compressed(path, allow_pickle=False, **build())
    print(f"{path}: {path.stat().st_size} bytes, Unicode {unicodedata.unidata_version}")


if __name__ == "__main__":
    main()
