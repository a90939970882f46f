"""A labelled page as rows that can be edited, and the variant that comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from classifier.page import read_page
from training.records import LabeledPage, headline_of

__all__ = ["Row", "Variant", "headline_place", "rows_of", "variant"]


@dataclass
class Row:
    """A line that is being edited.

    Attributes
    ----------
    text : str
    label : str
    headline : bool
    added : bool
        Whether the variant is made for this line's sake.
    """

    text: str
    label: str
    headline: bool = False
    added: bool = False


@dataclass(frozen=True)
class Variant:
    """A page that imitates another site.

    Attributes
    ----------
    page : LabeledPage
    kind : str
    added : sequence of int
        The lines that it was made for; training draws them all.
    """

    page: LabeledPage
    kind: str
    added: Sequence[int]


def rows_of(page: LabeledPage) -> list[Row]:
    """Return the lines of a page."""
    top = headline_of(page)
    lines = zip(read_page(page.text).lines, page.labels, strict=True)
    return [Row(line, label, place == top) for place, (line, label) in enumerate(lines)]


def headline_place(rows: Sequence[Row]) -> int | None:
    """Return which of the rows is the headline."""
    return next((place for place, row in enumerate(rows) if row.headline), None)


def variant(page: LabeledPage, rows: Sequence[Row], kind: str) -> Variant:
    """Return the page that edited rows make."""
    made = replace(
        page,
        id=f"{page.id}~{kind}",
        text="\n".join(row.text for row in rows),
        labels="".join(row.label for row in rows),
        headline_line=headline_place(rows),
        reference=None,
    )
    return Variant(made, kind, [place for place, row in enumerate(rows) if row.added])
