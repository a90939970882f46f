"""Look labelled pages over: ``python -m training.labeled check PATH...``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.report import visible
from training.labeled import LabeledDataError, first_line, labeled_files, read_pages
from training.near_duplicates import near_duplicates
from training.records import LabeledPage, page_name

if TYPE_CHECKING:
    from training.stages import Recipe

__all__ = [
    "Finding",
    "Placed",
    "contradictions",
    "cross_validated",
    "main",
    "problems",
    "read_all",
]


@dataclass(frozen=True)
class Placed:
    """A page and where it stands.

    Attributes
    ----------
    page : LabeledPage
    file : Path
    number : int or None
        The line of its record, from 1, in a file of JSON Lines; None in a file of its own.
    """

    page: LabeledPage
    file: Path
    number: int | None

    def where(self, line: int | None = None) -> str:
        """Return ``file:line`` of a physical line of the page, or of the page itself."""
        if self.number is not None:
            inside = "" if line is None else f": line {line + 1} of its text"
            return f"{self.file}:{self.number}{inside}"
        return f"{self.file}:{1 if line is None else first_line(self.file) + line}"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or worth a second look.

    Attributes
    ----------
    where : str
        ``file:line``.
    what : str
        One sentence.
    """

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def read_all(paths: Sequence[str | Path]) -> tuple[list[Placed], list[str]]:
    """Read labelled pages, as many as can be read.

    Parameters
    ----------
    paths : sequence of str or Path

    Returns
    -------
    tuple of (list of Placed, list of str)
        The pages, and what is wrong with files that cannot be read, ``file:line: ...``.
    """
    placed: list[Placed] = []
    wrong: list[str] = []
    for path in map(Path, paths):
        for file in labeled_files([path]) or [path]:
            try:
                pages = read_pages([file])
            except LabeledDataError as error:
                wrong += error.problems
                continue
            alone = file.suffix == ".txt"
            placed += [Placed(p, file, None if alone else n) for n, p in enumerate(pages, start=1)]
    return placed, wrong


def problems(placed: Sequence[Placed]) -> list[Finding]:
    """Find what is wrong with pages that can be read.

    Parameters
    ----------
    placed : sequence of Placed

    Returns
    -------
    list of Finding
        Pages without a line of content, headlines that are labelled boilerplate, two pages of one
        name, and content that appears on two sites.
    """
    found: list[Finding] = []
    first: dict[str, Placed] = {}
    for each in placed:
        page, top = each.page, each.page.headline_line
        if "C" not in page.labels:
            found.append(Finding(each.where(), "expected a line of content, found none"))
        if top is not None and page.labels[top] not in "C?":
            what = "expected the headline to be labelled '+' or '?'"
            found.append(Finding(each.where(top), what))
        other = first.setdefault(page.id, each)
        if other is not each:
            what = f"expected a name of its own, found that of {other.where()}"
            found.append(Finding(each.where(), what))
    return found + _leaks(placed)


def _leaks(placed: Sequence[Placed]) -> list[Finding]:
    texts = [
        [line for line, label in zip(_lines(x.page), x.page.labels, strict=True) if label != "B"]
        for x in placed
    ]
    found: list[Finding] = []
    told: set[tuple[str, str]] = set()
    for a, b, share in near_duplicates(texts, [x.page.site for x in placed]):
        names = page_name(placed[a].page), page_name(placed[b].page)
        if names not in told:
            told.add(names)
            what = f"nearly the content of {placed[a].where()}, of another site ({share:.0%} alike)"
            found.append(Finding(placed[b].where(), what))
    return found


def _lines(page: LabeledPage) -> list[str]:
    return page.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def contradictions(
    placed: Sequence[Placed], chances: Sequence[Sequence[float]], sure: float
) -> list[Finding]:
    """Find labels that a model contradicts strongly; the strongest first.

    Parameters
    ----------
    placed : sequence of Placed
    chances : sequence of sequences of float
        Probability of content of each physical line of each page, NaN on blank ones, from a model
        that has not seen the page's site.
    sure : float
        A probability of more than this contradicts ``-``, one of less than its complement ``+``.

    Returns
    -------
    list of Finding
    """
    found = []
    for each, page in zip(placed, chances, strict=True):
        rows = zip(_lines(each.page), each.page.labels, page, strict=True)
        for line, (text, label, chance) in enumerate(rows):
            against = {"C": 1 - chance, "B": chance}.get(label, 0.0)
            if against > sure:
                sign = "+" if label == "C" else "-"
                what = f"labelled '{sign}', content with {chance:.3f}: {visible(text)[:80]}"
                found.append((-against, Finding(each.where(line), what)))
    return [finding for _, finding in sorted(found, key=lambda pair: pair[0])]


def cross_validated(placed: Sequence[Placed], recipe: Recipe | None = None) -> list[list[float]]:
    """Return the probabilities that :func:`contradictions` takes, from a cross-validation.

    Raises
    ------
    ValueError
        If the pages are of one site only, or lack content or boilerplate.
    """
    from training.fit import cross_validate, total_work
    from training.progress import progress_bar
    from training.stages import Recipe

    pages, recipe = [each.page for each in placed], recipe or Recipe()
    with progress_bar("cross-validation", total_work(pages, recipe, final=False)) as tick:
        said = cross_validate(pages, recipe, tick)
    return [prediction.content_probability.tolist() for prediction in said]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.labeled",
        description="Look labelled pages over. The exit code is 1 if something is wrong.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="malformed files, leaks, pages without content")
    check.add_argument("paths", nargs="+", metavar="PATH", type=Path,
                       help="labelled dumps: folders, .txt, .jsonl, .jsonl.gz")  # fmt: skip
    check.add_argument("--model-check", action="store_true",
                       help="also list labels that a cross-validated model contradicts, for a "
                       "second look; they leave the exit code as it is")  # fmt: skip
    check.add_argument("--sure", type=float, default=0.97, metavar="P",
                       help="how sure the model must be (default 0.97)")  # fmt: skip
    return parser


def _check(options: argparse.Namespace) -> int:
    placed, wrong = read_all(options.paths)
    wrong += map(str, problems(placed))
    for problem in wrong:
        print(problem)
    print(f"{len(placed)} pages, {len(wrong)} {'problem' if len(wrong) == 1 else 'problems'}")
    if options.model_check:
        doubts = contradictions(placed, cross_validated(placed), options.sure)
        for doubt in doubts:
            print(doubt)
        print(f"{len(doubts)} {'label' if len(doubts) == 1 else 'labels'} to look at again")
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 if something is wrong, 2 for a mistake."""
    options = _parser().parse_args(arguments)
    try:
        if not 0.5 <= options.sure <= 1:
            raise ValueError(f"expected --sure from 0.5 to 1, found {options.sure}")
        return _check(options)
    except (ValueError, OSError) as error:
        print(f"training.labeled: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
