"""An evaluation as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from training.evaluate import Group, Report

__all__ = ["print_report"]

_COLUMNS = ("word_precision", "word_recall", "word_f1", "content_f1", "auc", "calibration_error")
_WORST_SITES = 10


def print_report(report: Report, console: Console | None = None) -> None:
    """Print all tables of a report.

    Parameters
    ----------
    report : Report
    console : rich.console.Console, optional
    """
    console = console or Console()
    total = report.total
    table = Table(title=f"{total.pages} pages of {total.sites} sites", title_justify="left")
    table.add_column("figure")
    for name in ("value", "95 % interval over sites"):
        table.add_column(name, justify="right")
    for name, figure in total.figures.items():
        interval = f"{figure.low:.4f} to {figure.high:.4f}"
        table.add_row(name.replace("_", " "), f"{figure.value:.4f}", interval)
    console.print(table)
    for key, groups in report.by.items():
        console.print(_breakdown(key, groups))
    worst = Table(title="worst pages", title_justify="left")
    for name in ("page", "word F1", "what went wrong"):
        worst.add_column(name, overflow="fold")
    for failure in report.worst:
        worst.add_row(Text(failure.id), f"{failure.word_f1:.3f}", Text(failure.what))
    console.print(worst)


def _breakdown(key: str, groups: dict[str, Group]) -> Table:
    title = f"by {key.replace('_', ' ')}"
    rows = list(groups.items())
    if key == "site" and len(rows) > _WORST_SITES:
        rows = sorted(rows, key=lambda row: row[1].figures["word_f1"].value)[:_WORST_SITES]
        title += f" (the {_WORST_SITES} worst of {len(groups)})"
    table = Table(title=title, title_justify="left")
    table.add_column(key.replace("_", " "), overflow="fold")
    for name in ("pages", *_COLUMNS):
        table.add_column(name.replace("_", " "), justify="right")
    for name, group in rows:
        values = [f"{group.figures[column].value:.4f}" for column in _COLUMNS]
        table.add_row(Text(name), str(group.pages), *values)
    return table
