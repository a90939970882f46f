"""A page that is being labelled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from training.label_app.dumps import OPEN, Dump
from training.records import LabeledPage

__all__ = ["OpenPage"]


@dataclass
class OpenPage:
    """A page with its labels as they are now.

    Attributes
    ----------
    dump : Dump
    page : LabeledPage
        Its labels have ``_`` for lines that nobody judged.
    done : bool
        Whether somebody accepted the page as a whole.
    wanted : tuple of int
        The lines that were chosen to be labelled next.
    revision : int
        How often it was saved in this session.
    """

    dump: Dump
    page: LabeledPage
    done: bool = False
    wanted: tuple[int, ...] = ()
    revision: int = 0

    @cached_property
    def lines(self) -> list[str]:
        """The physical lines."""
        return self.page.text.split("\n")

    def summary(self) -> dict[str, Any]:
        """Return what the browser shows of a page that is not open."""
        labels = self.page.labels
        return {
            "name": self.dump.name,
            "lines": len(labels) - labels.count("."),
            "open": labels.count(OPEN),
            "done": self.done,
            "wanted": sum(labels[line] == OPEN for line in self.wanted),
        }
