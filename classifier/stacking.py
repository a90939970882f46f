"""What the first stage's scores say around a line: the rows that only the second stage sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .counting import Floats, Rows, fixed, log_count, share
from .features import Batch
from .hashing import finalize
from .page_features import running_sums, shifted, window
from .tokens import Ints, Text
from .vocabulary import Doubles, groups, topic

__all__ = ["STACKING_FEATURES", "headline_chance", "main_run", "probability", "stacking_rows"]

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
    "run_inside": "1 inside the page's main run",
    "run_from": "log of 1 + lines from the main run's first line, signed",
    "run_to": "log of 1 + lines to the main run's last line, signed",
    "run_words_from": "log of 1 + words from the main run's first line, signed",
    "run_words_to": "log of 1 + words to the main run's last line, signed",
    "run_share": "share of the page's expected content words that the main run carries",
    "run_lines": "share of the page's lines that the main run takes",
    "mass_rank": "expected content words up to the line's end, as a share of the page's",
    "mass_share": "expected content words as a share of the page's words",
    "page_score": "mean score of the page's lines",
    "page_rough": "mean step of the score from line to line",
    "score_rank": "share of the page's lines with a lower score",
    **{f"page_score_q{int(100 * q)}": f"the {q} quantile of the page's scores" for q in _QUANTILES},
}
"""Name and meaning of each feature that the second stage sees beside those of the line itself."""

_THRESHOLD = 0.4
_NEVER = -700.0  # a score below it would overflow
_WORDS_CAP = 400


def probability(score: Doubles) -> Doubles:
    """Return the logistic function of a score."""
    return 1.0 / (1.0 + np.exp(-np.maximum(score, _NEVER)))


def main_run(gain: npt.NDArray[np.int64], text: Text) -> tuple[Ints, Ints]:
    """Return the contiguous run of lines of each page with the largest total gain.

    This is Kadane's maximum subarray, as the largest rise of a running sum.

    Parameters
    ----------
    gain : ndarray of int64, shape (n_lines,)
    text : Text

    Returns
    -------
    start, stop : ndarray of intp, shape (n_pages,)
        Half-open ranges of lines; empty pages give an empty range.
    """
    first, end = text.page_start[:-1], text.page_start[1:]
    running = np.concatenate([[0], np.cumsum(gain)])
    barrier = (np.int64(1) << 40) * text.page
    lowest = np.minimum.accumulate(running[:-1] - barrier) + barrier
    rise = running[1:] - lowest
    some = np.flatnonzero(end > first)
    start, stop = first.copy(), first.copy()
    if not len(some):
        return start, stop
    peak = np.maximum.reduceat(rise, first[some])
    page = text.page
    wanted = np.zeros(text.n_pages, dtype=np.int64)
    wanted[some] = peak
    hits = np.flatnonzero(rise == wanted.take(page))
    stop[page[hits[::-1]]] = hits[::-1] + 1
    bottom = lowest[stop[some] - 1]
    low = np.zeros(text.n_pages, dtype=np.int64)
    low[some] = bottom
    hits = np.flatnonzero((running[:-1] == low.take(page)) & (np.arange(len(page)) < stop[page]))
    start[page[hits]] = hits
    return start, stop


def _signed_log(distance: Ints) -> Doubles:
    return np.sign(distance) * log_count(np.abs(distance))


def _run_rows(text: Text, words: Ints, chance: Doubles) -> Rows:
    at, page = np.arange(text.n_lines), text.page
    weight = np.minimum(words, _WORDS_CAP) + 1
    mass = fixed(weight * chance)
    start, stop = main_run(mass - fixed(weight * _THRESHOLD), text)
    running = np.concatenate([[0], np.cumsum(mass)])
    counted = np.concatenate([[0], np.cumsum(weight)])
    first, end = text.page_start[:-1], text.page_start[1:]
    total = (running[end] - running[first])[page]
    run, until = start[page], stop[page]
    return {
        "run_inside": (at >= run) & (at < until),
        "run_from": _signed_log(at - run),
        "run_to": _signed_log(until - 1 - at),
        "run_words_from": _signed_log(counted[at] - counted[run]),
        "run_words_to": _signed_log(counted[until] - counted[at + 1]),
        "run_share": share((running[stop] - running[start])[page], total),
        "run_lines": share((stop - start)[page], (end - first)[page]),
        "mass_rank": share(running[1:] - running[first][page], total),
        "mass_share": share(total, fixed((counted[end] - counted[first])[page])),
    }


def _page_rows(text: Text, score: Doubles) -> Rows:
    first, lines = text.page_start[:-1], np.diff(text.page_start)
    exact = fixed(score)
    order = np.argsort(exact + (np.int64(1) << 40) * text.page, kind="stable")
    rank = np.empty(text.n_lines, dtype=np.intp)
    rank[order] = np.arange(text.n_lines)
    below = np.maximum(lines - 1, 0)
    values = exact[order] / 4096
    step = np.abs(np.diff(exact, prepend=0))
    step[first[lines > 0]] = 0
    sums = [np.concatenate([[0], np.cumsum(x)]) for x in (exact, step)]
    mean, rough = (np.diff(s.take(text.page_start)) / np.maximum(lines, 1) / 4096 for s in sums)
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


def headline_chance(batch: Batch, score: Doubles) -> Doubles:
    """Return the probability of each line of being the headline.

    A headline often stands twice, in the title line too; the likeliest of the lines with the same
    letters has the probabilities of all.

    Parameters
    ----------
    batch : Batch
    score : ndarray of float64, shape (n_lines,)

    Returns
    -------
    ndarray of float64, shape (n_lines,)
    """
    group, chance = batch.copies, probability(score)
    total = np.bincount(group, weights=chance, minlength=1)
    likeliest = np.zeros(len(total))
    np.maximum.at(likeliest, group, chance)
    joint = np.minimum(total.take(group), 1.0)
    return np.where(chance == likeliest.take(group), joint, chance)


def _group_mean(group: Ints, score: Doubles) -> Doubles:
    exact = fixed(score)
    sums = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(sums, group, exact)
    others = np.bincount(group).take(group) - 1 if len(group) else group
    mean = (sums.take(group) - exact) / np.maximum(others, 1) / 4096
    return np.where(others > 0, mean, -9.0)


def _alike(batch: Batch) -> dict[str, Ints]:
    """Return the groups of lines of the same kind, for each of `_ALIKE`."""
    text, shapes, letters, none = batch.text, batch.shapes, batch.letters, np.uint64(0)
    before, after = (shifted(shapes, step, text, none) for step in (-1, 1))
    return {
        "shape": groups(shapes, text),
        "place": groups(finalize(finalize(shapes + finalize(before)) + after), text),
        "copy": batch.copies,
        "behind": groups(shifted(letters, -1, text, none), text),
        "ahead": groups(shifted(letters, 1, text, none), text),
    }


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
    rows |= _run_rows(text, batch.words, chance) | _page_rows(text, score)
    near = np.stack([score, wording]).astype(np.float32)
    for step in _STEPS:
        moved = shifted(near, step, text, missing=-9.0)
        rows[f"score[{step:+d}]"] = moved[0]
        if step in _NEAR:
            rows[f"wording[{step:+d}]"] = moved[1]
    names = ("score", "wording", "topic")
    sums = running_sums(np.stack([rows[name] for name in names]))
    for width in _WIDTHS:
        for side, low, high in (("before", -width, -1), ("after", 1, width)):
            means = window(sums, text, low, high, missing=-9.0)
            rows |= {f"{n}[{side}{width}]": mean for n, mean in zip(names, means, strict=True)}
    matrix = np.empty((len(STACKING_FEATURES), text.n_lines), dtype=np.float32)
    for place, name in enumerate(STACKING_FEATURES):
        matrix[place] = rows[name]
    return matrix
