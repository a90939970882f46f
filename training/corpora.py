"""Turn public corpora into labelled dumps: ``python -m training.corpora CORPUS PATH --out FILE``.

A page is rendered in several styles, and the lines of each rendering are labelled by the page's
gold text. Beside the file stands ``FILE.report.json``: counts, terms, and what was dropped and why.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier.array_file import replace_file
from classifier.records import MissingExtraError
from training import corpus_readers as readers
from training.align import align
from training.corpus_pages import Dropped, Found, LayoutError, Pages, SourcePage, site_of
from training.labeled import LabeledPage, write_jsonl
from training.metrics import word_scores
from training.progress import Tick, progress_bar
from training.render import STYLES, render

__all__ = ["CORPORA", "Corpus", "Report", "label_pages", "main"]

_LEAST_F1 = 0.7
"""Word F1 of the content lines against the gold text below which the two do not fit."""

_STYLES = ("wet", "wetb", "resili", "insc", "htmltext")
"""Those that the shipped model is trained on."""


_KEPT = ("url", "language", "page_type", "reference")


@dataclass(frozen=True)
class Corpus:
    """A public corpus.

    Attributes
    ----------
    source : str
        As the card of a model names it.
    license : str
        Terms of the gold texts; the pages remain their publishers'.
    read : callable
        Returns the pages of a checkout, or of a part of it.
    headline_in_reference : bool
        Whether the gold texts have the headlines.
    splits : tuple of str
        Parts that can be read alone.
    split : str or None
        The part that is read by default.
    """

    source: str
    license: str
    read: Callable[[Path, str | None], Pages]
    headline_in_reference: bool = False
    splits: tuple[str, ...] = ()
    split: str | None = None


CORPORA = {
    "wcxb": Corpus("WCXB", "CC-BY-4.0", readers.read_wcxb, splits=("dev", "test"), split="dev"),
    "cleaneval": Corpus("CleanEval", "not stated", readers.read_cleaneval, True),
    "dragnet": Corpus("Dragnet", "AGPL-3.0", readers.read_dragnet, True, ("training", "test")),
    "l3s": Corpus("L3S-GN1", "research only", readers.read_l3s, True),
    "readability": Corpus("Readability's test pages", "Apache-2.0", readers.read_readability),
    "scrapinghub": Corpus(
        "Scrapinghub article-extraction-benchmark", "MIT", readers.read_scrapinghub
    ),
}


@dataclass
class Report:
    """What became of a corpus; filled while its pages are labelled.

    Attributes
    ----------
    source, license : str
    pages : int
        Pages with at least one rendering.
    renderings : Counter of str
        By style.
    lines : Counter of str
        By label.
    oracle_f1 : float
        Sum over renderings of the content lines' word F1 against the gold text.
    dropped : list of Dropped
        Pages (``0001``) and renderings (``0001#wet``).
    """

    source: str
    license: str
    pages: int = 0
    renderings: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    oracle_f1: float = 0.0
    dropped: list[Dropped] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the counts, and the dropped names by reason, as JSON can hold them."""
        names: dict[str, list[str]] = {}
        for one in self.dropped:
            names.setdefault(one.why, []).append(one.name)
        count = max(self.renderings.total(), 1)
        return {
            "source": self.source,
            "license": self.license,
            "pages": self.pages,
            "renderings": dict(self.renderings),
            "lines": dict(self.lines),
            "oracle_word_f1": round(self.oracle_f1 / count, 4),
            "dropped": {why: {"count": len(found), "names": found} for why, found in names.items()},
        }


def _silent(_: float) -> None:
    return


def label_pages(
    corpus: Corpus,
    found: Iterable[Found],
    report: Report,
    *,
    prefix: str,
    styles: Sequence[str] = _STYLES,
    tick: Tick = _silent,
) -> Iterator[LabeledPage]:
    """Render the pages of a corpus and label their lines by the gold texts.

    Parameters
    ----------
    corpus : Corpus
    found : iterable of SourcePage and Dropped
    report : Report
        Is filled.
    prefix : str
        What the names of the pages begin with.
    styles : sequence of str
        Names out of :data:`training.render.STYLES`.
    tick : callable
        Is told of each page.

    Yields
    ------
    LabeledPage
    """
    for source in found:
        tick(1)
        if isinstance(source, Dropped):
            report.dropped.append(source)
            continue
        before = report.renderings.total()
        for style in styles:
            page = _label(corpus, source, style, prefix)
            if isinstance(page, Dropped):
                report.dropped.append(page)
                continue
            report.renderings[style] += 1
            report.lines.update(page.labels)
            report.oracle_f1 += _content_f1(page)
            yield page
        report.pages += report.renderings.total() > before


def _label(corpus: Corpus, source: SourcePage, style: str, prefix: str) -> LabeledPage | Dropped:
    name = f"{source.name}#{style}"
    try:
        dump = render(source.html, style, url=source.url)
    except MissingExtraError:
        raise
    except ValueError:
        return Dropped(name, "the renderer cannot read it")
    inside = corpus.headline_in_reference
    found = align(dump, source.reference, title=source.title, headline_in_reference=inside)
    page = LabeledPage(
        id=f"{prefix}/{name}",
        text="\n".join(found.page.lines),
        labels=found.labels,
        site=source.site or site_of(source.url) or f"{prefix}:{source.name}",
        renderer=style,
        source=corpus.source,
        license=corpus.license,
        headline_line=found.headline,
        headline_in_reference=inside,
        **{key: getattr(source, key) for key in _KEPT},
    )
    fits = _content_f1(page) >= _LEAST_F1
    return page if fits else Dropped(name, "the page does not hold the gold text")


def _content_f1(page: LabeledPage) -> float:
    lines = zip(page.text.split("\n"), page.labels, strict=True)
    kept = "\n".join(line for line, label in lines if label == "C")
    return word_scores(kept, page.reference or "")[2]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.corpora", description=__doc__)
    parser.add_argument("corpus", choices=CORPORA)
    parser.add_argument("path", type=Path, metavar="PATH", help="a checkout, as it is published")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE",
                        help="records to write: .jsonl or .jsonl.gz")  # fmt: skip
    styles = f"out of {', '.join(STYLES)} (default: {' '.join(_STYLES)})"
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=_STYLES, metavar="STYLE",
                        help=styles)  # fmt: skip
    parser.add_argument("--split", help="part of the corpus: wcxb dev (default) or test; "
                        "dragnet training or test (default: all)")  # fmt: skip
    return parser


def _import(options: argparse.Namespace) -> Report:
    corpus = CORPORA[options.corpus]
    split = options.split or corpus.split
    prefix = f"{options.corpus}_{split}" if split else options.corpus
    report = Report(corpus.source, corpus.license)
    found = corpus.read(options.path, split)
    with progress_bar(options.corpus, len(found)) as tick:
        write_jsonl(
            options.out,
            label_pages(corpus, found, report, prefix=prefix, styles=options.styles, tick=tick),
        )
    data = json.dumps(report.as_json(), indent=1, ensure_ascii=False).encode("utf-8")
    replace_file(options.out.with_name(f"{options.out.name}.report.json"), data + b"\n")
    return report


def _told(report: Report, out: Path) -> Iterator[str]:
    yield f"{out}: {report.pages} pages, {report.renderings.total()} renderings ({report.license})"
    for why, names in report.as_json()["dropped"].items():
        yield f"  dropped: {names['count']}, {why}"


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
    splits = CORPORA[options.corpus].splits
    if options.split and options.split not in splits:
        expected = f"out of {', '.join(splits)}" if splits else f"none for {options.corpus}"
        parser.error(f"expected --split {expected}; found {options.split!r}")
    if not options.out.name.endswith((".jsonl", ".jsonl.gz")):
        parser.error(f"expected --out to end in .jsonl or .jsonl.gz; found {options.out.name!r}")
    try:
        report = _import(options)
    except (LayoutError, MissingExtraError) as error:
        print(f"training.corpora: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"training.corpora: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    for sentence in _told(report, options.out):
        print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
