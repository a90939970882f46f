"""How much labelled pages of a site teach: ``python -m training.teach_curve MODEL PATH...``.

The model must not have been trained on the sites of the labelled pages. Of each site, some pages
are kept for the judgement and never taught; from the others 1, 3 and 5 are drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from classifier.array_file import replace_file
from classifier.model import Model
from classifier.model_file import ModelError, load_model
from classifier.tokens import Ints
from classifier.vocabulary import Doubles
from training.labeled import LabeledDataError, LabeledPage, read_pages
from training.metrics import Prediction, page_sums
from training.progress import Tick, progress_bar
from training.teach import Lesson, learn, lessons

__all__ = ["curve", "main", "plot", "table"]

Curve = dict[str, list[float]]

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 340, 56, 20
_CAPTION = "labelled pages of the site; page word F1 of its other pages (thick: mean)"


def _word_f1(model: Model, page: LabeledPage) -> float:
    return float(page_sums(page, Prediction.of(model.classify(page.text)))["words"][2])


def _ceiling(page: LabeledPage) -> float:
    """Return the word F1 of the page's own labels."""
    labels = ["content" if label == "C" else "boilerplate" for label in page.labels]
    chance = np.zeros(len(labels))
    return float(page_sums(page, Prediction(labels, chance, None))["words"][2])  # type: ignore[arg-type]


def curve(
    model: Model, pages: Sequence[LabeledPage], counts: Sequence[int], draws: int, tick: Tick
) -> tuple[Curve, list[float]]:
    """Measure what so many pages teach.

    Parameters
    ----------
    model : Model
    pages : sequence of LabeledPage
        Of at least one site with more pages than the largest count; other sites are not taught.
    counts : sequence of int
        Numbers of taught pages, rising.
    draws : int
        Random choices of pages of each site.
    tick : callable
        Is told how many sites were done.

    Returns
    -------
    sites : dict of str to list of float
        Word F1 of each taught site's pages that were kept back: untaught, after each count, and
        that of their labels themselves.
    strange : list of float
        After each count, the largest change of the mean word F1 of all pages of other sites.
    """
    known = lessons(model, pages)
    before = np.array([_word_f1(model, page) for page in pages])
    top = np.array([_ceiling(page) for page in pages])
    names = np.array([page.site for page in pages])
    sites: Curve = {}
    strange = np.zeros(len(counts))
    for site in sorted(set(names.tolist())):
        rows, own, others = [], np.flatnonzero(names == site), names != site
        for order in _orders(own, draws) if len(own) > counts[-1] else ():
            kept = order[counts[-1] :]
            found = [_taught(model, known, order[:count], before) for count in counts]
            rows.append([x[kept].mean() for x in (before, *found, top)])
            changes = [abs((x - before)[others].sum()) / max(others.sum(), 1) for x in found]
            strange = np.maximum(strange, changes)
        if rows:
            sites[site] = np.mean(rows, axis=0).tolist()
        tick(1)
    return sites, strange.tolist()


def _orders(own: Ints, draws: int) -> Iterator[Ints]:
    rng = np.random.default_rng(0)
    for _ in range(draws):
        yield rng.permutation(own)


def _taught(model: Model, known: Sequence[Lesson], chosen: Ints, before: Doubles) -> Doubles:
    """Return the word F1 of all pages after a lesson from some; few pages change at all."""
    correction = learn([known[i] for i in chosen.tolist()])
    better = replace(model, correction=correction)
    return np.array(
        [
            _word_f1(better, lesson.page) if correction.found(lesson.batch)[1].any() else f1
            for lesson, f1 in zip(known, before.tolist(), strict=True)
        ]
    )


def table(sites: Curve, strange: Sequence[float], counts: Sequence[int]) -> str:
    """Return a Markdown table of a curve."""
    heads = ["site", "untaught", *(f"{n} page{'s' * (n > 1)}" for n in counts), "labels"]
    rows = [heads, ["---", *["--:"] * (len(heads) - 1)]]
    rows += [[name, *(f"{x:.3f}" for x in values)] for name, values in sites.items()]
    mean = np.mean(list(sites.values()), axis=0).tolist()
    rows.append([f"mean of {len(sites)} sites", *(f"{x:.3f}" for x in mean)])
    rows.append(["pages of other sites, at most", "", *(f"{x:.4f}" for x in strange), ""])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def plot(sites: Curve, counts: Sequence[int]) -> str:
    """Return an SVG with a thin line for each site and a thick one for their mean."""
    steps = [0, *counts]
    places = [_LEFT + n * (_WIDTH - _LEFT - 30) / steps[-1] for n in steps]

    def line(values: Sequence[float], style: str) -> str:
        points = " ".join(f"{x:.1f},{_y(v):.1f}" for x, v in zip(places, values, strict=False))
        return f'<polyline points="{points}" fill="none" {style}/>'

    mean = np.mean(list(sites.values()), axis=0).tolist()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *_grid(),
        *(_text(x - 3, _HEIGHT - 28, str(n)) for x, n in zip(places, steps, strict=True)),
        *(line(values, 'stroke="#9ab" stroke-width="1"') for values in sites.values()),
        line(mean, 'stroke="#047" stroke-width="3"'),
        _text(_LEFT, _HEIGHT - 8, _CAPTION),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _grid() -> Iterator[str]:
    for tenth in range(0, 11, 2):
        at = _y(tenth / 10)
        yield f'<path d="M{_LEFT} {at:.1f}H{_WIDTH - 30}" stroke="#ddd"/>'
        yield _text(_LEFT - 28, at + 4, f"{tenth / 10:.1f}")


def _y(value: float) -> float:
    return _TOP + (1 - value) * (_HEIGHT - _TOP - 46)


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{text}</text>'


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.teach_curve",
        description="Measure how much labelled pages of a site teach a model about it.",
    )
    parser.add_argument("model", type=Path, help="a model that was not trained on the sites")
    parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help="labelled dumps")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 3, 5], metavar="N")
    parser.add_argument("--draws", type=int, default=8, help="random choices of each site's pages")
    parser.add_argument("--renderer", help="only pages in this rendering")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the curve there")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        pages = [p for p in read_pages(options.paths) if options.renderer in (None, p.renderer)]
        counts = sorted(set(options.counts))
        with progress_bar("teaching", len({page.site for page in pages})) as tick:
            found, strange = curve(load_model(options.model), pages, counts, options.draws, tick)
        if not found:
            raise ValueError(f"expected a site with more than {counts[-1]} pages, found none")
        print(table(found, strange, counts))
        if options.svg:
            replace_file(options.svg, plot(found, counts).encode("utf-8"))
    except (LabeledDataError, ModelError, ValueError, OSError) as error:
        print(f"training.teach_curve: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
