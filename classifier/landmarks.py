"""How far a line is from the lines that tell where the parts of a page begin and end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .counting import Rows, log_count
from .line_features import LineFacts
from .tokens import Ints, Text

__all__ = ["LANDMARK_FEATURES", "landmark_features"]

_FAR = 250
_MARKS = {
    "related": "a short line with words for related pages",
    "comment": "a short line with words of comments",
    "share": "a short line with words of sharing",
    "legal": "a line with words of legal notices",
    "account": "a short line with words of accounts and subscriptions",
    "date": "a short line with a date",
    "price": "a short line with a price",
    "title": "a line that begins the page's first line or has most of its words",
}
LANDMARK_FEATURES: dict[str, str] = {
    f"{mark}_{side}": f"log of 1 + lines {where} to {what}, at most {_FAR}"
    for mark, what in _MARKS.items()
    for side, where in (("back", "back"), ("on", "on"))
}
"""Name and meaning of each feature of landmarks."""

_SHORT = 8


def distances(flags: npt.NDArray[np.bool_], text: Text, cap: int) -> tuple[Ints, Ints]:
    """Return the lines back and on to the nearest flagged line of the page, other than itself.

    Parameters
    ----------
    flags : ndarray of bool, shape (..., n_lines)
    text : Text
    cap : int
        Largest distance, and the one where there is none.

    Returns
    -------
    back, on : ndarray of intp, shape (..., n_lines)
    """
    at, n = np.arange(text.n_lines), text.n_lines
    before = np.full((*flags.shape[:-1], n + 1), -1)
    np.maximum.accumulate(np.where(flags, at, -1), axis=-1, out=before[..., 1:])
    after = np.full((*flags.shape[:-1], n + 1), 2 * n)
    reverse = np.where(flags, at, 2 * n)[..., ::-1]
    after[..., :-1] = np.minimum.accumulate(reverse, axis=-1)[..., ::-1]
    before, after = before[..., :-1], after[..., 1:]
    first, end = text.bounds
    back = np.where(before >= first, at - before, cap)
    on = np.where(after < end, after - at, cap)
    return np.minimum(back, cap), np.minimum(on, cap)


def landmark_features(text: Text, facts: LineFacts, known: Rows) -> Rows:
    """Return the features named in `LANDMARK_FEATURES`.

    Parameters
    ----------
    text : Text
    facts : LineFacts
    known : dict of str to ndarray, shape (n_lines,)
        Features made before: those of single lines, vocabulary and repetition.

    Returns
    -------
    dict of str to ndarray, shape (n_lines,)
    """
    short = facts.words <= _SHORT
    first = np.arange(text.n_lines) == text.bounds[0]
    of_title = (known["shared_title"] >= 0.6) & (facts.words >= 2) & (facts.words <= 40)
    flags = {
        "related": short & (known["related_words"] > 0.2),
        "comment": short & (known["comment_words"] > 0.2),
        "share": short & (known["share_words"] > 0.2),
        "legal": known["legal_words"] > 0.1,
        "account": short & (known["account_words"] > 0.2),
        "date": short & (np.asarray(known["dates"]) > 0),
        "price": short & (np.asarray(known["prices"]) > 0),
        "title": ((known["copy_of_first"] > 0) | of_title) & ~first,
    }
    back, on = distances(np.stack([flags[mark] for mark in _MARKS]), text, _FAR)
    rows: Rows = {}
    for place, mark in enumerate(_MARKS):
        rows[f"{mark}_back"] = log_count(back[place])
        rows[f"{mark}_on"] = log_count(on[place])
    return rows
