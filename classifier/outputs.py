"""What a batch run writes of each page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .records import Record
from .result import PageResult
from .span import BOILERPLATE, CONTENT

__all__ = ["Fields", "dolma_attributes"]

_LABELS = {CONTENT: "C", BOILERPLATE: "B"}


@dataclass(frozen=True)
class Fields:
    """What is written of each page beside its content.

    Attributes
    ----------
    text : str
        Name of the field that holds the content.
    body : bool
        Whether the content goes without the headline.
    labels : bool
        ``labels``: a character a physical line, ``C`` content, ``B`` boilerplate, ``.`` blank.
    probabilities : bool
        ``content_probability``: a number a physical line, null on blank ones.
    spans : bool
        ``spans``: label, start and stop of each, in physical lines, half-open.
    dolma : str or None
        Name under which :func:`dolma_attributes` go to ``attributes``; None for none.
    """

    text: str = "text"
    body: bool = False
    labels: bool = False
    probabilities: bool = False
    spans: bool = False
    dolma: str | None = None

    def row(self, record: Record, page: PageResult) -> dict[str, Any]:
        """Return the fields of a page, those of its record first."""
        named = (("id", record.id), ("url", record.url), ("site", record.site))
        row: dict[str, Any] = {key: value for key, value in named if value is not None}
        row.update(record.rest)
        row[self.text] = page.body if self.body else page.content
        if self.labels:
            row["labels"] = "".join(
                "." if not line or line.isspace() else _LABELS[label]
                for line, label in zip(page.lines, page.labels, strict=True)
            )
        if self.probabilities:
            chances = page.content_probability.tolist()
            row["content_probability"] = [None if math.isnan(x) else round(x, 6) for x in chances]
        if self.spans:
            row["spans"] = [[span.label, span.start, span.stop] for span in page.spans]
        if self.dolma is not None:
            known = row.get("attributes")
            known = known if isinstance(known, dict) else {}
            row["attributes"] = known | dolma_attributes(page, self.dolma)
        return row


def dolma_attributes(page: PageResult, name: str) -> dict[str, list[list[float]]]:
    r"""Return the spans of a page as attributes of Dolma.

    Parameters
    ----------
    page : PageResult
    name : str

    Returns
    -------
    dict
        ``NAME__content`` and ``NAME__boilerplate``: ``[start, end, score]`` of each span. Start and
        end are code points of the decoded text, half-open, line ends included, so that the spans
        of both partition the text. The score is the mean probability of the span's label over
        its lines, 1 for a span of blank lines.

    References
    ----------
    Soldaini et al. 2024, "Dolma: an Open Corpus of Three Trillion Tokens for Language Model
    Pretraining Research"; the data format of its toolkit.

    Examples
    --------
    >>> from classifier import BOILERPLATE, CONTENT, read_page
    >>> page = read_page("Home\nIt rained.")
    >>> page = PageResult(page, (BOILERPLATE, CONTENT), np.array([0.1, 0.8]), headline=None)
    >>> dolma_attributes(page, "x")
    {'x__content': [[5, 15, 0.8]], 'x__boilerplate': [[0, 5, 0.9]]}
    """
    bounds = [*page.page.offsets.tolist(), len(page.page.text)]
    found: dict[str, list[list[float]]] = {f"{name}__{label}": [] for label in _LABELS}
    for span in page.spans:
        chances = page.content_probability[span.start : span.stop]
        solid = chances[~np.isnan(chances)]
        content = float(solid.mean()) if len(solid) else float(span.label == CONTENT)
        score = content if span.label == CONTENT else 1 - content
        place = [bounds[span.start], bounds[span.stop], round(score, 6)]
        found[f"{name}__{span.label}"].append(place)
    return found
