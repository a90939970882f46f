"""Label the lines of a dump by a reference text: ``python -m training.align DUMP REFERENCE``.

The reference is the text that somebody kept of the page: an article that was copied by hand, the
gold text of a corpus, the output of an extractor. Each of its tokens is used once, so that a
teaser which repeats the first paragraph is not taken for it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.page import Page, read_page
from training.judging import Judge
from training.labeled import SUFFIXES, LabeledPage, read_pages, write_jsonl, write_page
from training.numbering import number_tokens
from training.placing import place_tokens

__all__ = ["Alignment", "align", "main"]

Doubles = npt.NDArray[np.float64]

_KEYS = ("url", "site", "language", "page_type", "renderer", "source", "license")
_NAMES = {"C": "content", "B": "boilerplate", "?": "not judged"}
_LEAST = 0.6
"""Confidence below which a line is not judged."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """The lines of a page, labelled by a reference text.

    Attributes
    ----------
    page : Page
    labels : str
        One character a physical line: ``C`` content, ``B`` boilerplate, ``?`` not known, ``.``
        blank.
    confidence : ndarray of float64, shape (n_lines,)
        How sure the label is, from 0.5 to 1; of a ``?`` that of the likelier label. NaN on blank
        lines.
    headline : int or None
        The line that is the headline, if the reference leaves it out.
    """

    page: Page
    labels: str
    confidence: Doubles
    headline: int | None


def align(
    text: str | bytes,
    reference: str,
    *,
    title: str | None = None,
    headline_in_reference: bool = False,
) -> Alignment:
    r"""Label the lines of a dump by a reference text.

    Parameters
    ----------
    text : str or bytes
        The dump.
    reference : str
        The text that is content, in any order and broken into lines in any way.
    title : str, optional
        The page's title, by which a headline is known that the reference leaves out. By default
        the first line of the dump.
    headline_in_reference : bool
        Whether the reference has the headline, if it is content: none is looked for.

    Returns
    -------
    Alignment

    Notes
    -----
    A line is ``?`` if about half of it stands in the reference, if it repeats a content line
    between content lines, or if it is the headline next to the content and the reference leaves
    it out: whether that is content, the reference does not say.

    Examples
    --------
    >>> dump = "Home\nSearch\n\nThe bridge will close\nfor nine weeks from Monday.\nRead on"
    >>> align(dump, "The bridge will close for nine weeks from Monday.").labels
    'BB.CCB'
    """
    page = read_page(text)
    placing = place_tokens(*number_tokens(page.lines, read_page(reference).lines))
    judge = Judge(placing)
    judge.place_moved_lines()
    judge.settle_copies()
    judge.keep_copies()
    labels = np.array(["B" if line.strip() else "." for line in page.lines])
    confidence = np.where(labels == ".", np.nan, 1.0)
    labels[judge.lines] = np.where(judge.content, "C", "B")
    confidence[judge.lines] = judge.confidence
    _label_signs(labels, judge, confidence)
    labels[confidence < _LEAST] = "?"
    headline = None if headline_in_reference else judge.headline(page.lines, title)
    if headline is not None:
        labels[headline], confidence[headline] = "?", 0.5
    return Alignment(page, "".join(labels.tolist()), confidence, headline)


def _label_signs(labels: npt.NDArray[np.str_], judge: Judge, confidence: Doubles) -> None:
    """Give lines without a token the label that the lines around them share."""
    signs = np.setdiff1d(np.flatnonzero(labels == "B"), judge.lines)
    before = np.searchsorted(judge.lines, signs)
    around = np.concatenate([[False], judge.content, [False]])
    labels[signs[around[before] & around[before + 1]]] = "C"
    confidence[signs[around[before] != around[before + 1]]] = 0.7


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.align", description=__doc__)
    parser.add_argument("dump", nargs="?", type=Path, metavar="DUMP", help="text of a web page")
    parser.add_argument("reference", nargs="?", type=Path, metavar="REFERENCE",
                        help="text that is content")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="labelled dump to write: .txt, "
                        "or with the reference .jsonl, .jsonl.gz")  # fmt: skip
    parser.add_argument("--title", help="title of the page (default: its first line)")
    parser.add_argument("--headline-in-reference", action="store_true",
                        help="REFERENCE has the headline: look for no other")  # fmt: skip
    for key in _KEYS:
        parser.add_argument(f"--{key.replace('_', '-')}", help="for the header of the file")
    parser.add_argument("--check", type=Path, nargs="+", metavar="FILE",
                        help="compare with the labels of pages that have a reference")  # fmt: skip
    return parser


def _write(options: argparse.Namespace) -> None:
    reference = read_page(options.reference.read_bytes()).text
    found = align(
        options.dump.read_bytes(),
        reference,
        title=options.title,
        headline_in_reference=options.headline_in_reference,
    )
    if not found.labels.strip("."):
        raise ValueError(f"{options.dump}: expected a page with text, found none")
    page = _record(options, found, reference)
    if options.out.name.endswith(".txt"):
        write_page(options.out, page)
    else:
        write_jsonl(options.out, [page])
    counts = ", ".join(f"{found.labels.count(x)} {name}" for x, name in _NAMES.items())
    print(f"{options.out}: {counts}")


def _record(options: argparse.Namespace, found: Alignment, reference: str) -> LabeledPage:
    site = options.site or options.out.resolve().parent.name
    return LabeledPage(
        id=f"{site}/{options.out.name.partition('.')[0]}",
        text="\n".join(found.page.lines),
        labels=found.labels,
        reference=reference,
        headline_line=found.headline,
        headline_in_reference=options.headline_in_reference,
        **{key: getattr(options, key) for key in _KEYS} | {"site": site},
    )


def _check(paths: Sequence[Path]) -> None:
    from training.agreement import compare, print_agreement

    for path in paths:
        print_agreement(compare(read_pages([path])), path.name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit code: 0, or 2 for a mistake in the call.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.check and not (options.reference and options.out):
        parser.error("expected DUMP REFERENCE --out FILE, or --check FILE")
    if options.out and not options.out.name.endswith(SUFFIXES):
        parser.error(f"expected --out to end in {', '.join(SUFFIXES)}; found {options.out.name!r}")
    try:
        _check(options.check) if options.check else _write(options)
    except OSError as error:
        print(f"training.align: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"training.align: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
