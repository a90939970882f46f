"""What the first stage's scores say around a line: the rows that only the second stage sees."""

from __future__ import annotations

import numpy as np

from .counting import UNIT, Floats, Rows, accumulated, fixed, share
from .features import Batch
from .hashing import finalize
from .page_features import running_sums, shifted, window
from .runs import RUN_FEATURES, run_rows
from .tokens import Ints, Text
from .vocabulary import Doubles, groups, topic

__all__ = ["STACKING_FEATURES", "probability", "stacking_rows"]

_STEPS = (-3, -2, -1, 1, 2, 3)
_NEAR = (-1, 1)
_WIDTHS = (2, 6, 18, 50)
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_ALIKE = {
    "shape": "of the same shape",
    "place": "of the same shape, between lines of the same shapes",
    "copy": "with the same letters",
    "behind": "behind a line with the same letters as the one before",
    "ahead": "ahead of a line with the same letters as the next one",
}

STACKING_FEATURES: dict[str, str] = {
    "score": "first stage's score of the line (log odds), between -8 and 8",
    "wording": "score of the line's words and pairs of words",
    **{
        f"score[{step:+d}]": f"`score` {abs(step)} lines {'on' if step > 0 else 'back'}"
        for step in _STEPS
    },
    **{
        f"wording[{step:+d}]": f"`wording` {abs(step)} lines {'on' if step > 0 else 'back'}"
        for step in _NEAR
    },
    **{
        f"{name}[{side}{width}]": f"mean of `{name}` over the {width} lines {side}"
        for width in _WIDTHS
        for side in ("before", "after")
        for name in ("score", "wording", "topic")
    },
    "topic": "mean probability of the other lines that share the line's words",
    **{
        f"{name}_score": f"mean score of the other lines {what}; -9 if there is none"
        for name, what in _ALIKE.items()
    },
    **RUN_FEATURES,
    "page_score": "mean score of the page's lines",
    "page_rough": "mean step of the score from line to line",
    "score_rank": "share of the page's lines with a lower score",
    **{f"page_score_q{int(100 * q)}": f"the {q} quantile of the page's scores" for q in _QUANTILES},
}
"""Name and meaning of each feature that the second stage sees beside those of the line itself."""

_NEVER = -700.0  # a score below it would overflow


def probability(score: Doubles) -> Doubles:
    """Return the logistic function of a score."""
    return 1.0 / (1.0 + np.exp(-np.maximum(score, _NEVER)))


def _page_rows(text: Text, score: Doubles) -> Rows:
    first, lines = text.page_start[:-1], np.diff(text.page_start)
    exact = fixed(score)
    order = np.argsort(exact + (np.int64(1) << 40) * text.page, kind="stable")
    rank = np.empty(text.n_lines, dtype=np.intp)
    rank[order] = np.arange(text.n_lines)
    below = np.maximum(lines - 1, 0)
    values = exact[order] / UNIT
    step = np.abs(np.diff(exact, prepend=0))
    step[first[lines > 0]] = 0
    sums = [np.diff(accumulated(x).take(text.page_start)) for x in (exact, step)]
    mean, rough = (total / np.maximum(lines, 1) / UNIT for total in sums)
    rows: Rows = {
        "page_score": mean[text.page],
        "page_rough": rough[text.page],
        "score_rank": share((rank - first[text.page]), below[text.page]),
    }
    for q in _QUANTILES:
        place = np.minimum(first + (below * q).astype(np.intp), max(text.n_lines - 1, 0))
        rows[f"page_score_q{int(100 * q)}"] = (
            values.take(place)[text.page] if text.n_lines else values
        )
    return rows


def _group_mean(group: Ints, score: Doubles) -> Doubles:
    exact = fixed(score)
    sums = np.bincount(group, weights=exact)  # whole numbers below 2**53: exact in any order
    others = np.bincount(group).take(group) - 1 if len(group) else group
    mean = (sums.take(group) - exact) / np.maximum(others, 1) / UNIT
    return np.where(others > 0, mean, -9.0)


def _alike(batch: Batch) -> dict[str, Ints]:
    """Return the groups of lines of the same kind, for each of `_ALIKE`."""
    text, shapes, letters, none = batch.text, batch.shapes, batch.letters, np.uint64(0)
    before, after = (shifted(shapes, step, text, none) for step in (-1, 1))
    return {
        "shape": groups(shapes, text),
        "place": groups(finalize(finalize(shapes + finalize(before)) + after), text),
        "copy": groups(letters, text),
        "behind": groups(shifted(letters, -1, text, none), text),
        "ahead": groups(shifted(letters, 1, text, none), text),
    }


def _around(text: Text, rows: Rows) -> Rows:
    """Return scores of lines near by, and means over the lines before and after."""
    found: Rows = {}
    near = np.stack([rows["score"], rows["wording"]]).astype(np.float32)
    for step in _STEPS:
        moved = shifted(near, step, text, missing=-9.0)
        found[f"score[{step:+d}]"] = moved[0]
        if step in _NEAR:
            found[f"wording[{step:+d}]"] = moved[1]
    names = ("score", "wording", "topic")
    sums = running_sums(np.stack([rows[name] for name in names]))
    for width in _WIDTHS:
        for side, low, high in (("before", -width, -1), ("after", 1, width)):
            means = window(sums, text, low, high, missing=-9.0)
            found |= {f"{n}[{side}{width}]": mean for n, mean in zip(names, means, strict=True)}
    return found


def stacking_rows(batch: Batch, score: Doubles, wording: Doubles) -> Floats:
    """Return the features named in `STACKING_FEATURES`, in their order.

    Parameters
    ----------
    batch : Batch
    score : ndarray of float64, shape (n_lines,)
        The first stage's score (log odds).
    wording : ndarray of float64, shape (n_lines,)

    Returns
    -------
    ndarray of float32, shape (n_features, n_lines)
    """
    text = batch.text
    score = np.clip(score, -8.0, 8.0)
    chance = probability(score)
    weight = np.sqrt(batch.words + 1.0)
    rows: Rows = {"score": score, "wording": wording}
    rows["topic"] = topic(text, batch.vocabulary, weight, chance)
    for name, group in _alike(batch).items():
        rows[f"{name}_score"] = _group_mean(group, score)
    rows |= run_rows(text, batch.words, score, chance) | _page_rows(text, score)
    rows |= _around(text, rows)
    matrix = np.empty((len(STACKING_FEATURES), text.n_lines), dtype=np.float32)
    for place, name in enumerate(STACKING_FEATURES):
        matrix[place] = rows[name]
    return matrix
