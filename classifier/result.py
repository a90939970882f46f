"""What a model says of a page: labels, probabilities, spans and the text that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .decoder import find_headline
from .page import Page
from .span import BOILERPLATE, CONTENT, Label, Span, spans_of
from .tokens import Text

if TYPE_CHECKING:
    from .explain import Contribution
    from .model import Model

__all__ = ["PageResult", "line_labels", "take_headlines"]

_LABELS = np.array([BOILERPLATE, CONTENT], dtype=object)


@dataclass(frozen=True, eq=False)
class PageResult:
    """A page with its labels.

    Attributes
    ----------
    page : Page
    labels : tuple of str
        One ``"content"`` or ``"boilerplate"`` a physical line, blank ones too.
    content_probability : ndarray of float64, shape (n_lines,)
        Calibrated probability that a line is content; NaN on blank lines.
    headline : int or None
        The line that is the page's headline.
    """

    page: Page
    labels: tuple[Label, ...]
    content_probability: npt.NDArray[np.float64]
    headline: int | None
    _model: Model | None = field(default=None, repr=False)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every physical line, without its line end."""
        return self.page.lines

    @cached_property
    def spans(self) -> list[Span]:
        """Spans that partition the lines."""
        return spans_of(self.labels)

    @property
    def content(self) -> str:
        """The content lines; a paragraph break stays a blank line."""
        return self._text(skip=None)

    @property
    def body(self) -> str:
        """The content without the headline."""
        return self._text(skip=self.headline)

    def explain(self, line_index: int) -> list[Contribution]:
        """Return the features that pushed a line, largest push first.

        Parameters
        ----------
        line_index : int
            A physical line, from 0; negative ones count from the end.

        Returns
        -------
        list of Contribution
            Empty for a blank line.

        Raises
        ------
        IndexError
            If the page has no such line.
        """
        count = len(self.lines)
        if not -count <= line_index < count:
            raise IndexError(f"line {line_index} of a page of {count} lines")
        assert self._model is not None
        return self._model.explain(self.page, line_index % count)

    def _text(self, skip: int | None) -> str:
        blank = np.isnan(self.content_probability)
        chosen = np.array([label == CONTENT for label in self.labels], dtype=bool) & ~blank
        if skip is not None:
            chosen[skip] = False
        numbers = np.flatnonzero(chosen)
        paragraph = np.diff(np.cumsum(blank)[numbers], append=0) > 0
        kept = [
            f"{self.lines[number]}\n" if last else self.lines[number]
            for number, last in zip(numbers.tolist(), paragraph.tolist(), strict=True)
        ]
        return "\n".join(kept)


def take_headlines(
    text: Text,
    headline: npt.NDArray[np.float64],
    content: npt.NDArray[np.float64],
    labels: npt.NDArray[np.bool_],
    threshold: float,
) -> list[int | None]:
    """Return each page's headline, a physical line of the page, and make it content.

    Parameters
    ----------
    text : Text
    headline, content, labels, threshold
        Of the lines of all pages, see :func:`classifier.decoder.find_headline`.
    """
    found: list[int | None] = []
    for place, (first, end) in enumerate(pairwise(text.page_start.tolist())):
        own = slice(first, end)
        top = find_headline(headline[own], content[own], labels[own], threshold)
        if top is not None:
            labels[first + top] = True
            top = int(text.physical[first + top] - text.physical_start[place])
        found.append(top)
    return found


def line_labels(
    content: npt.NDArray[np.bool_],
    solid: npt.NDArray[np.intp],
    starts: Sequence[int] | npt.NDArray[np.intp],
) -> list[Label]:
    """Spread the labels of the non-blank lines over all lines of pages.

    A blank line carries the label of the span that it stands in; between two spans, and at the
    page's ends, it is boilerplate.

    Parameters
    ----------
    content : ndarray of bool, shape (n_solid,)
    solid : ndarray of intp, shape (n_solid,)
        Places of the non-blank lines, in order.
    starts : sequence of int, of length n_pages + 1
        Place of the first line of each page, and the number of all lines.

    Returns
    -------
    list of str
    """
    page = np.searchsorted(starts, solid, side="right")
    # whether the lines behind a non-blank one stand in its span; those ahead of all stand in none
    inside = np.append(content[1:] & content[:-1] & (page[1:] == page[:-1]), False)
    last = np.zeros(starts[-1], dtype=np.intp)
    last[solid] = 1
    chosen = inside.take(np.cumsum(last) - 1)
    chosen[solid] = content
    labels: list[Label] = _LABELS.take(chosen.view(np.uint8)).tolist()
    return labels
