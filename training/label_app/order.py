"""The order in which pages come up for labelling, and the lines that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifier.model import Model
from training.choose import PageLines, choose_lines, look, order_pages
from training.label_app.dumps import OPEN
from training.label_app.page import OpenPage
from training.label_app.progress_file import Progress
from training.labeled import LabeledDataError, labeled_files, read_pages

__all__ = ["most_useful_first", "with_budget"]


def most_useful_first(pages: Sequence[OpenPage], model: Model, out: Path) -> list[OpenPage]:
    """Return the pages, first those that the model would learn most from.

    Parameters
    ----------
    pages : sequence of OpenPage
    model : Model
    out : Path
        Folder of labelled dumps; what is like their lines tells less.

    Returns
    -------
    list of OpenPage
    """
    order = order_pages(_look(pages, model, out))
    return [pages[place] for place in order if place < len(pages)]


def with_budget(
    pages: Sequence[OpenPage], model: Model, out: Path, budget: int, progress: Progress
) -> tuple[list[OpenPage], Progress]:
    """Mark the lines that the model would learn most from, and put their pages first.

    Lines that were chosen before are asked for again until all of them are judged.

    Parameters
    ----------
    pages, model, out
        See :func:`most_useful_first`.
    budget : int
        How many lines.
    progress : Progress

    Returns
    -------
    pages : list of OpenPage
    progress : Progress
        With the lines that were chosen.
    """
    named = {page.dump.name: page for page in pages}
    wanted = {name: lines for name, lines in progress.wanted.items() if name in named}
    asked = sum(map(len, wanted.values()))
    if asked != budget or not any(_open(named[name], lines) for name, lines in wanted.items()):
        chosen: dict[str, list[int]] = {}
        for place, line, _ in choose_lines(_look(pages, model, out), budget):
            chosen.setdefault(pages[place].dump.name, []).append(line)
        wanted = {name: tuple(sorted(lines)) for name, lines in chosen.items()}
    for name, lines in wanted.items():
        named[name].wanted = tuple(x for x in lines if x < len(named[name].page.labels))
    others = [page for page in pages if page.dump.name not in wanted]
    return [*(named[name] for name in wanted), *others], replace(progress, wanted=wanted)


def _open(page: OpenPage, lines: Sequence[int]) -> bool:
    labels = page.page.labels
    return any(line < len(labels) and labels[line] == OPEN for line in lines)


def _look(pages: Sequence[OpenPage], model: Model, out: Path) -> list[PageLines]:
    """Look at the pages, and behind them at what else was labelled into the folder."""
    texts = [page.lines for page in pages]
    judged = [[i for i, x in enumerate(page.page.labels) if x not in (OPEN, ".")] for page in pages]
    targets = {page.dump.target.resolve() for page in pages}
    for file in labeled_files([out]) if out.is_dir() else []:
        if file.resolve() not in targets:
            try:
                others = read_pages([file])
            except LabeledDataError:
                continue
            texts += [page.text.split("\n") for page in others]
            judged += [list(range(len(page.labels))) for page in others]
    return list(look(model, texts, judged))
