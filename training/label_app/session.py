"""The pages that are being labelled: what the model says of them, what somebody said, saving."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifier.kinds import KINDS
from classifier.model import Model
from classifier.span import CONTENT
from training.label_app.dumps import OPEN, find_dumps, open_labels, read_dump
from training.label_app.order import most_useful_first, with_budget
from training.label_app.page import OpenPage
from training.label_app.progress_file import (
    PageProgress,
    Progress,
    read_progress,
    runs_of,
    write_progress,
)
from training.labeled import write_page
from training.records import LabeledPage

__all__ = ["Conflict", "Refused", "Session", "open_session"]

_SHOWN = 4000
"""Characters of a line that the browser gets; the file keeps them all."""

_HEADER = ("url", "language", "page_type")


class Refused(ValueError):
    """What the browser sent does not fit the page."""


class Conflict(Refused):
    """The page was changed elsewhere since the browser read it."""


class Session:
    """The pages in their order.

    Parameters
    ----------
    pages : sequence of OpenPage
    model : Model
        Labels the lines that nobody has judged.
    out : Path
    progress : Progress
    """

    def __init__(
        self, pages: Sequence[OpenPage], model: Model, out: Path, progress: Progress
    ) -> None:
        self.pages = pages
        self.model = model
        self.out = out
        self.progress = progress

    def overview(self) -> dict[str, Any]:
        """Return all pages in short, and which was open last."""
        names = [page.dump.name for page in self.pages]
        at = names.index(self.progress.at) if self.progress.at in names else 0
        budget = sum(len(page.wanted) for page in self.pages)
        summaries = [page.summary() for page in self.pages]
        return {"pages": summaries, "at": at, "budget": budget, "kinds": list(KINDS)}

    def read(self, number: int) -> dict[str, Any]:
        """Return a page with what the model says of its lines."""
        page = self._page(number)
        result = self.model.classify(page.page.text)
        pairs = zip(result.labels, page.page.labels, strict=True)
        suggested = "".join(
            "." if label == "." else "C" if said == CONTENT else "B" for said, label in pairs
        )
        chances = result.content_probability.tolist()
        return {
            **page.summary(),
            "text": [line[:_SHOWN] for line in page.lines],
            "cut": {i: len(line) for i, line in enumerate(page.lines) if len(line) > _SHOWN},
            "probability": [None if math.isnan(p) else round(p, 3) for p in chances],
            "suggested": suggested,
            "suggested_headline": result.headline,
            "labels": page.page.labels,
            "headline": page.page.headline_line,
            "wanted": list(page.wanted),
            "header": {key: getattr(page.page, key) or "" for key in _HEADER},
            "revision": page.revision,
        }

    def visit(self, number: int) -> None:
        """Remember that a page is the one that is open."""
        self.progress = replace(self.progress, at=self._page(number).dump.name)
        self._save_progress()

    def save(self, number: int, said: Mapping[str, Any]) -> dict[str, Any]:
        """Save what somebody said of a page.

        Parameters
        ----------
        number : int
            The page's place in the order.
        said : mapping
            ``revision``, ``labels``, ``headline``, ``done`` and ``header``, as :meth:`read` gives
            them.

        Returns
        -------
        dict
            The page in short, and its new revision.

        Raises
        ------
        Refused
            If it doesn't fit the page; nothing is saved then.
        """
        page = self._page(number)
        changed = _changed(page, said)
        write_page(page.dump.target, replace(changed, labels=changed.labels.replace(OPEN, "?")))
        page.page, page.done = changed, said["done"]
        page.revision += 1
        entry = PageProgress(page.done, runs_of(changed.labels, OPEN))
        pages = {**self.progress.pages, page.dump.name: entry}
        self.progress = replace(self.progress, at=page.dump.name, pages=pages)
        self._save_progress()
        return {**page.summary(), "revision": page.revision}

    def _page(self, number: int) -> OpenPage:
        if not 0 <= number < len(self.pages):
            raise Refused(f"expected a page from 0 to {len(self.pages) - 1}, found {number}")
        return self.pages[number]

    def _save_progress(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)
        write_progress(self.out, self.progress)


def _changed(page: OpenPage, said: Mapping[str, Any]) -> LabeledPage:
    labels, top = said.get("labels"), said.get("headline")
    old = page.page.labels
    if said.get("revision") != page.revision:
        raise Conflict("the page was changed in another tab; load it again")
    if not isinstance(labels, str) or len(labels) != len(old) or set(labels) - set("CB?._"):
        raise Refused(f"expected {len(old)} labels out of 'C', 'B', '?', '.' and '_'")
    if any((new == ".") != (was == ".") for new, was in zip(labels, old, strict=True)):
        raise Refused("expected the label '.' on blank lines and on no others")
    if not isinstance(said.get("done"), bool) or (said["done"] and OPEN in labels):
        raise Refused("expected 'done' to be true or false, and a page that is done to be judged")
    if top is not None and (type(top) is not int or not 0 <= top < len(old)):
        raise Refused(f"expected a headline from 0 to {len(old) - 1}, found {top!r:.40}")
    if top is not None and labels[top] not in "C?":
        raise Refused("expected a headline that is labelled content")
    return _with_header(replace(page.page, labels=labels, headline_line=top), said.get("header"))


def _with_header(page: LabeledPage, header: Any) -> LabeledPage:
    if not isinstance(header, dict) or set(header) - set(_HEADER):
        raise Refused(f"expected a header of {', '.join(_HEADER)}")
    for key, value in header.items():
        if not isinstance(value, str) or len(value) > _SHOWN or not value.isprintable():
            raise Refused(f"expected {key!r} to be one line of text")
    url, language, page_type = (header.get(key, "").strip() or None for key in _HEADER)
    return replace(page, url=url, language=language, page_type=page_type)


def open_session(
    paths: Iterable[str | Path],
    out: str | Path,
    model: Model,
    *,
    useful_first: bool = False,
    budget: int | None = None,
) -> Session:
    """Open dumps for labelling, with what was labelled before.

    Parameters
    ----------
    paths : iterable of str or Path
        See :func:`training.label_app.dumps.find_dumps`.
    out : str or Path
    model : Model
    useful_first : bool
        Whether the pages that the model would learn most from come first.
    budget : int, optional
        Ask for so many lines only, those that the model would learn most from.

    Returns
    -------
    Session

    Raises
    ------
    ValueError, FileNotFoundError
        Those of `find_dumps` and `read_dump`; if all dumps are empty, or the budget is.
    """
    out, progress = Path(out), read_progress(out)
    if budget is not None and budget < 1:
        raise ValueError(f"expected a budget of at least one line, found {budget}")
    pages = []
    for dump in find_dumps(paths, out):
        page = read_dump(dump)
        if page is not None:
            known = progress.pages.get(dump.name, PageProgress())
            page = replace(page, labels=open_labels(page.labels, known.open))
            pages.append(OpenPage(dump, page, known.done and OPEN not in page.labels))
    if not pages:
        raise ValueError("expected a dump with text, found empty ones only")
    if budget is not None:
        pages, progress = with_budget(pages, model, out, budget, progress)
    elif useful_first:
        pages = most_useful_first(pages, model, out)
    return Session(pages, model, out, progress)
