"""Labels of lines, and the runs of equal labels that they form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

__all__ = ["BOILERPLATE", "CONTENT", "Label", "Span", "labels_of", "spans_of"]

Label = Literal["content", "boilerplate"]

CONTENT: Final = "content"
"""Label of a line that a person came to read."""

BOILERPLATE: Final = "boilerplate"
"""Label of a line that surrounds the content: menus, notices, teasers, footers."""


@dataclass(frozen=True)
class Span:
    """A run of neighbouring lines with the same label.

    Attributes
    ----------
    label : {"content", "boilerplate"}
        Label of every line of the run.
    start, stop : int
        Physical lines, half-open: the run is ``lines[start:stop]``.
    """

    label: Label
    start: int
    stop: int

    def __len__(self) -> int:
        """Return the number of lines."""
        return self.stop - self.start


def spans_of(labels: Sequence[Label]) -> list[Span]:
    """Join neighbouring equal labels to spans.

    Parameters
    ----------
    labels : sequence of {"content", "boilerplate"}
        One label a physical line.

    Returns
    -------
    list of Span
        In order; together they cover every line once, and neighbours differ in their label.

    Raises
    ------
    ValueError
        If a label is neither "content" nor "boilerplate".

    Examples
    --------
    >>> spans_of(["boilerplate", "content", "content"])
    [Span(label='boilerplate', start=0, stop=1), Span(label='content', start=1, stop=3)]
    """
    spans = []
    start = 0
    for label, run in groupby(labels):
        if label not in (CONTENT, BOILERPLATE):
            raise ValueError(
                f"line {start}: expected the label {CONTENT!r} or {BOILERPLATE!r}, found {label!r}"
            )
        stop = start + sum(1 for _ in run)
        spans.append(Span(label, start, stop))
        start = stop
    return spans


def labels_of(spans: Iterable[Span]) -> list[Label]:
    """Give every line the label of its span; the inverse of :func:`spans_of`.

    Parameters
    ----------
    spans : iterable of Span
        In order, without gaps or overlaps, from line 0 on.

    Returns
    -------
    list of {"content", "boilerplate"}
        One label a physical line.

    Raises
    ------
    ValueError
        If a span does not begin where the one before it ends, or ends before it begins.
    """
    labels: list[Label] = []
    for span in spans:
        if span.start != len(labels) or span.stop < span.start:
            raise ValueError(f"expected a span that begins at line {len(labels)}, found {span}")
        labels += [span.label] * len(span)
    return labels
