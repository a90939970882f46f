"""Facts of one line alone: its length, words, signs, scripts, and its words in the lexicons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .characters import CHARS, SCRIPT, SCRIPTS, Char, members
from .counting import Floats, Rows, log_count, share
from .lexicon import CATEGORIES, lexicon
from .tokens import LOWER, UPPER, Ints, Text, Tokens, hash_words
from .word_features import lead_upper, lexicon_rows, number_rows, tag_counts

__all__ = ["LINE_FEATURES", "LineFacts", "line_features"]

LINE_FEATURES: dict[str, str] = {
    "chars": "log of 1 + characters, without spaces at both ends",
    "words": "log of 1 + words: runs of letters and digits, or two signs of an unspaced script",
    "word_length": "mean characters of a word",
    "longest_word": "log of 1 + characters of the longest token",
    "upper": "share of letters that are upper case",
    "title_case": "share of tokens that begin with an upper-case letter",
    "digits": "share of characters that are digits",
    "digit_tokens": "share of tokens that are numbers",
    "punctuation": "share of characters that are neither letters, digits nor spaces",
    "commas": "commas, in all scripts",
    "quotes": "quotation marks",
    "brackets": "opening brackets",
    "hyphens": "hyphens and dashes",
    "separators": "bars, arrows, slashes and angles a word",
    "bullets": "bullets, check marks and triangles",
    "symbols": "emoji and other symbols",
    "stars": "rating stars",
    "sentences": "sentence ends inside the line and at its end",
    "ends_sentence": "1 if the line ends like a sentence, closing quotes and brackets set aside",
    "ends_question": "1 if it ends with a question mark",
    "ends_colon": "1 if it ends with a colon",
    "ends_ellipsis": "1 if it ends with an ellipsis or three dots",
    "starts_upper": "1 if the first character is an upper-case letter",
    "starts_lower": "1 if it is a lower-case letter",
    "starts_digit": "1 if it is a digit",
    "starts_sign": "1 if it is a bullet, separator, hyphen or symbol",
    "indent": "spaces before the first character, at most 20",
    "wide_gaps": "places with two or more spaces inside the line",
    "colons": "colons",
    "early_colon": "1 if a colon follows within the first 30 characters and text follows it",
    "times": "digits, a colon, digits (times, lengths, scores)",
    "dates": "years, dotted or slashed dates, words for dates",
    "prices": "currency signs beside a digit",
    "percents": "percent signs",
    "ats": "at signs (addresses and handles)",
    "hashes": "hash signs",
    "dotted": "dots between two letters (addresses, abbreviations)",
    "urls": "'://' or 'www.'",
    "tags": "tags of markup that a renderer left",
    "counters": "numbers alone in brackets",
    "copyright": "copyright and trade signs",
    "underscores": "underscores",
    "joins": "places where words run together: lower case meets upper case, script meets script",
    "icon_joins": "tokens that end in '…icon' run together with another word",
    "scripts": "number of scripts of the line's letters",
    "unspaced": "share of letters that are of a script without spaces",
    "uncased": "share of letters that are of a script without case",
    "lead_related": "tokens in the lexicon 'related' among the first three",
    "lead_upper": "tokens in upper case among the first three",
    "chrome": "share of tokens in any lexicon but stop words and dates, or that end in '…icon'",
    **{f"{name}_words": f"share of tokens in the lexicon '{name}'" for name in CATEGORIES},
}
"""Name and meaning of each feature of a line alone."""

_LETTERS = tuple(c for c in CHARS if c >= Char.LATIN_LOWER)
_UPPER_CASE = (Char.LATIN_UPPER, Char.GREEK_UPPER, Char.CYRILLIC_UPPER, Char.CASED_UPPER)
_SIGNS = tuple(c for c in CHARS if Char.SPACE < c < Char.CONTROL)
_GROUPS: dict[str, tuple[int, ...]] = {
    "letters": _LETTERS,
    "solid": tuple(c for c in CHARS if c > Char.SPACE),
    "word": tuple(c for c in CHARS if c >= Char.DIGIT),
    "upper": _UPPER_CASE,
    "digits": (Char.DIGIT, Char.NUMBER),
    "punctuation": _SIGNS,
    "commas": (Char.COMMA,),
    "quotes": (Char.QUOTE,),
    "brackets": (Char.OPEN,),
    "hyphens": (Char.HYPHEN,),
    "separators": (Char.SEPARATOR,),
    "bullets": (Char.BULLET,),
    "symbols": (Char.SYMBOL,),
    "stars": (Char.STAR,),
    "colons": (Char.COLON,),
    "percents": (Char.PERCENT,),
    "ats": (Char.AT,),
    "hashes": (Char.HASH,),
    "copyright": (Char.COPYRIGHT,),
    "underscores": (Char.UNDERSCORE,),
    "unspaced": (Char.HIRAGANA, Char.HAN, Char.SOUTHEAST),
    "uncased": tuple(c for c in _LETTERS if c >= Char.ARABIC),
}
_END = members(Char.DOT, Char.QUESTION, Char.TERMINATOR, Char.ELLIPSIS)
_CLOSER = members(Char.QUOTE, Char.CLOSE)
_DIGITS = members(Char.DIGIT)
_LETTER = members(*_LETTERS)
_SPACED = members(*(c for c in CHARS if Char.DIGIT <= c < Char.HIRAGANA))
_LEADING_SIGN = members(Char.BULLET, Char.SEPARATOR, Char.HYPHEN, Char.SYMBOL, Char.STAR)
_AFTER_SENTENCE = members(Char.SPACE, Char.NEWLINE, Char.QUOTE, Char.CLOSE)
_JOINED_SCRIPT = np.where(SCRIPT == 11, 10, SCRIPT)  # kana and Han mix in every Japanese word
_WWW = hash_words(["www"])[0]


@dataclass(frozen=True, eq=False)
class LineFacts:
    """Counts that other features build on.

    Attributes
    ----------
    chars, words : ndarray of intp, shape (n_lines,)
        Characters between the spaces at both ends, and words.
    scripts : ndarray of float32, shape (n_scripts, n_lines)
        Letters of each script.
    ends_sentence : ndarray of bool, shape (n_lines,)
        Whether the line ends like a sentence.
    mask : ndarray of uint16, shape (n_tokens,)
        Categories of each token in the lexicon.
    """

    chars: Ints
    words: Ints
    scripts: Floats
    ends_sentence: npt.NDArray[np.bool_]
    mask: npt.NDArray[np.uint16]
    rows: Rows


def _per_line(text: Text, positions: Ints) -> Ints:
    lines = text.line_of.take(positions)
    return np.bincount(lines, minlength=text.n_lines + 1)[: text.n_lines]


def _histogram(text: Text) -> Floats:
    """Count the characters of each class in each line, shape (n_classes, n_lines)."""
    columns = text.n_lines + 1
    other = np.flatnonzero(text.classes != Char.LATIN_LOWER)
    place = text.classes.take(other) * np.intp(columns)
    place += text.line_of.take(other)
    table = np.bincount(place, minlength=len(CHARS) * columns).reshape(len(CHARS), columns)[:, :-1]
    table[Char.LATIN_LOWER] = text.stop + 1 - text.start - table.sum(axis=0)  # most of them
    return table.astype(np.float32)


def _total(histogram: Floats, classes: tuple[int, ...]) -> Floats:
    """Sum some rows of the histogram; whole numbers, so that their order does not matter."""
    whole = len(classes) == classes[-1] - classes[0] + 1
    rows = histogram[classes[0] : classes[-1] + 1] if whole else histogram[list(classes)]
    total: Floats = rows[0] if len(rows) == 1 else rows.sum(axis=0)
    return total


def _sign_rows(counts: dict[str, Floats], words: Ints) -> Rows:
    solid, letters = counts["solid"], counts["letters"]
    plain = "commas quotes brackets hyphens bullets symbols stars colons percents ats hashes"
    rows: Rows = {name: counts[name] for name in [*plain.split(), "copyright", "underscores"]}
    rows["separators"] = share(counts["separators"], words)
    for name in ("digits", "punctuation"):
        rows[name] = share(counts[name], solid)
    for name in ("upper", "unspaced", "uncased"):
        rows[name] = share(counts[name], letters)
    return rows


def _size_rows(tokens: Tokens, counts: dict[str, Floats], chars: Ints, words: Ints) -> Rows:
    longest = np.zeros(len(chars), dtype=np.intp)
    some = np.flatnonzero(np.diff(tokens.line_start))
    if len(some):
        lengths = tokens.stop - tokens.start
        longest[some] = np.maximum.reduceat(lengths, tokens.line_start[some])
    return {
        "chars": log_count(chars),
        "words": log_count(words),
        "word_length": share(counts["word"], words),
        "longest_word": log_count(longest),
    }


def _sentence_end(text: Text) -> npt.NDArray[np.bool_]:
    at = text.last.copy()
    closing = _CLOSER.take(text.classes.take(at)) & (at > text.first)
    while closing.any():
        at -= closing
        closing &= _CLOSER.take(text.classes.take(at)) & (at > text.first)
    return _END.take(text.classes.take(at))


def _edge_rows(text: Text) -> Rows:
    first, last = text.classes.take(text.first), text.classes.take(text.last)
    dots = last == Char.DOT
    for back in (1, 2):
        dots &= text.classes.take(text.last - back, mode="clip") == Char.DOT
    return {
        "ends_question": last == Char.QUESTION,
        "ends_colon": last == Char.COLON,
        "ends_ellipsis": dots | (last == Char.ELLIPSIS),
        "starts_upper": UPPER.take(first),
        "starts_lower": LOWER.take(first),
        "starts_digit": _DIGITS.take(first),
        "starts_sign": _LEADING_SIGN.take(first),
        "indent": np.minimum(text.first - text.start, 20),
    }


def _beside_digits(kind: npt.NDArray[np.uint8], at: Ints) -> npt.NDArray[np.bool_]:
    """Return whether there is a digit on either side, a space apart at most."""
    near = np.zeros(len(at), dtype=bool)
    for step in (-1, 1):
        beside, beyond = kind[at + step], kind.take(at + 2 * step, mode="clip")
        near |= _DIGITS[beside] | ((beside == Char.SPACE) & _DIGITS[beyond])
    return near


def _sign_pattern_rows(text: Text) -> Rows:
    kind, codes = text.classes, text.codes
    signs = np.flatnonzero(kind - np.uint8(Char.DOT) < Char.DIGIT - Char.DOT)
    sign = kind.take(signs)
    dots, colons, money = (signs.compress(sign == x) for x in (Char.DOT, Char.COLON, Char.CURRENCY))
    ends = signs.compress(sign <= Char.ELLIPSIS)
    after = kind[ends + 1]
    ends = ends[_AFTER_SENTENCE[after] | ((kind[ends] == Char.TERMINATOR) & (after > Char.HANGUL))]
    dots = dots[_LETTER.take(kind[dots - 1]) & _LETTER.take(kind[dots + 1])]
    slashes = colons[(codes[colons + 1] == ord("/")) & (codes.take(colons + 2, mode="clip") == 47)]
    wide = np.flatnonzero((kind[:-2] == Char.SPACE) & (kind[1:-1] == Char.SPACE))
    wide = wide[kind[wide + 2] > Char.SPACE]
    line = text.line_of.take(colons)
    early = np.zeros(text.n_lines + 1, dtype=bool)
    inside = np.append(text.last, -1)[line] > colons
    early[line[inside & (colons - np.append(text.first, 0)[line] < 30)]] = True
    return {
        "sentences": _per_line(text, ends),
        "dotted": _per_line(text, dots),
        "urls": _per_line(text, slashes),
        "wide_gaps": _per_line(text, wide),
        "prices": _per_line(text, money[_beside_digits(kind, money)]),
        "early_colon": early[:-1],
    }


def _joins(text: Text) -> Ints:
    place = text.mixed
    before, after = (text.classes.take(place + step) for step in (-1, 0))
    camel = UPPER.take(after) & LOWER.take(before)
    left, right = _JOINED_SCRIPT.take(before), _JOINED_SCRIPT.take(after)
    mixed = (left != right) & (left > 0) & (right > 0)
    return _per_line(text, place[camel | mixed])


def _words(text: Text, tokens: Tokens, first: npt.NDArray[np.uint8], unspaced: Floats) -> Ints:
    before = text.classes.take(tokens.start - 1)
    start = tokens.line[_SPACED.take(first) & ~_SPACED.take(before)]
    return np.bincount(start, minlength=text.n_lines) + (unspaced.astype(np.intp) + 1) // 2


def line_features(text: Text, tokens: Tokens) -> LineFacts:
    """Return the features of each line alone, and the counts behind them.

    Parameters
    ----------
    text : Text
    tokens : Tokens
        Those of `text`.

    Returns
    -------
    LineFacts
        Its `rows` hold one array of shape (n_lines,) for each name of `LINE_FEATURES`.
    """
    n = text.n_lines
    histogram = _histogram(text)
    counts = {name: _total(histogram, classes) for name, classes in _GROUPS.items()}
    scripts = np.stack([_total(histogram, classes) for classes in SCRIPTS.values()])
    chars = text.last + 1 - text.first
    first = text.classes.take(tokens.start)
    words = _words(text, tokens, first, counts["unspaced"])
    mask = lexicon().masks(tokens.hash)
    total = np.diff(tokens.line_start)
    rows = {
        **_sign_rows(counts, words),
        **_size_rows(tokens, counts, chars, words),
        **_edge_rows(text),
        **_sign_pattern_rows(text),
        **number_rows(text, tokens, mask),
        **lexicon_rows(tokens, mask),
    }
    rows["title_case"] = share(np.bincount(tokens.line[UPPER.take(first)], minlength=n), total)
    rows["ends_sentence"] = ends = _sentence_end(text)
    rows["joins"] = _joins(text)
    rows["lead_upper"] = lead_upper(text, tokens)
    rows["tags"] = tag_counts(text, tokens)
    rows["urls"] = rows["urls"] + np.bincount(tokens.line[tokens.hash == _WWW], minlength=n)
    rows["scripts"] = (scripts > 0).sum(axis=0)
    return LineFacts(chars, words, scripts, ends, mask, rows)
