"""Does choosing pay? ``python -m training.choose_trial labeled/``.

Labelled pages play those that nobody has labelled: a model that was trained on a few sites chooses
lines of others, their labels are looked up, and a model trained with them is judged on sites that
neither has seen. The same is done with lines drawn at random, and with the least sure ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from classifier.model import Model
from classifier.page import read_page
from training.choose import PageLines, choose_lines, look
from training.evaluate import evaluate_pages
from training.fit import fit
from training.labeled import LabeledDataError, read_pages
from training.metrics import Prediction
from training.records import LabeledPage
from training.stages import Recipe

__all__ = ["Trial", "main", "trial"]

Lines = Iterable[tuple[int, int]]


@dataclass(frozen=True)
class Trial:
    """What one way of choosing reached.

    Attributes
    ----------
    way : {"start", "random", "unsure", "chosen"}
        "start" adds no line.
    lines : int
        How many lines were labelled.
    figures : dict of str to float
        On the sites that were left out, as :mod:`training.evaluate` names them.
    """

    way: str
    lines: int
    figures: dict[str, float]


def small_recipe() -> Recipe:
    """Return a recipe that trains in seconds, and draws every line of a page."""
    forest = {"bags": 1, "emphasis": 1.0, "misses": 1.0, "max_iter": 30, "max_leaf_nodes": 12,
              "learning_rate": 0.2, "min_samples_leaf": 10}  # fmt: skip
    headline = {**forest, "max_iter": 10}
    return Recipe(
        folds=3,
        lines=1000,
        word_bits=14,
        first=forest,
        first_headline=headline,
        second=forest,
        headline=headline,
    )


def _divided(pages: Sequence[LabeledPage], seed: int, start: int) -> list[list[LabeledPage]]:
    """Divide pages by site: a third is judged on, `start` sites are labelled, others are not."""
    sites = sorted({page.site for page in pages})
    np.random.default_rng(seed).shuffle(sites)
    third = len(sites) // 3
    parts = sites[:third], sites[third : third + start], sites[third + start :]
    return [[page for page in pages if page.site in part] for part in parts]


def _only(pages: Sequence[LabeledPage], lines: Lines) -> list[LabeledPage]:
    """Return the pages with the labels of these lines only; pages without any are left out."""
    known: dict[int, set[int]] = {}
    for page, line in lines:
        known.setdefault(page, set()).add(line)
    kept = []
    for index, chosen in sorted(known.items()):
        labels = [x if x == "." or i in chosen else "?" for i, x in enumerate(pages[index].labels)]
        kept.append(replace(pages[index], labels="".join(labels), headline_line=None))
    return kept


def _ways(seen: Sequence[PageLines], budget: int, seed: int) -> dict[str, list[tuple[int, int]]]:
    every = [
        (at, int(line))
        for at, page in enumerate(seen)
        for line in page.physical[~page.judged].tolist()
    ]
    doubt = np.concatenate([np.abs(page.second - 0.5)[~page.judged] for page in seen])
    drawn = np.random.default_rng(seed).choice(len(every), budget, replace=False)
    return {
        "random": [every[place] for place in drawn],
        "unsure": [every[place] for place in np.argsort(doubt, kind="stable")[:budget]],
        "chosen": [pair[:2] for pair in choose_lines(seen, budget, seed)],
    }


def _figures(model: Model, pages: Sequence[LabeledPage]) -> dict[str, float]:
    said = [Prediction.of(result) for result in model.classify_many(page.text for page in pages)]
    return {name: x.value for name, x in evaluate_pages(pages, said).total.figures.items()}


def trial(
    pages: Sequence[LabeledPage],
    budgets: Sequence[int],
    seed: int,
    start: int = 8,
    recipe: Recipe | None = None,
) -> Iterator[Trial]:
    """Try the ways of choosing once.

    Parameters
    ----------
    pages : sequence of LabeledPage
    budgets : sequence of int
        Numbers of lines to label.
    seed : int
        Divides the sites, and draws.
    start : int
        Sites that are labelled from the start.
    recipe : Recipe, optional

    Yields
    ------
    Trial
    """
    recipe = recipe or small_recipe()
    judged, labelled, others = _divided(pages, seed, start)
    model = fit(labelled, recipe)
    # lines that are marked '?' have no label to look up
    texts = [read_page(page.text).lines for page in (*others, *labelled)]
    known = [[i for i, x in enumerate(page.labels) if x == "?"] for page in others]
    seen = list(look(model, texts, known + [range(len(page.labels)) for page in labelled]))
    yield Trial("start", 0, _figures(model, judged))
    for budget in budgets:
        for way, lines in _ways(seen, budget, seed).items():
            grown = fit([*labelled, *_only(others, lines)], recipe)
            yield Trial(way, budget, _figures(grown, judged))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.choose_trial", description=__doc__)
    parser.add_argument("paths", nargs="+", metavar="PATH", type=Path)
    parser.add_argument("--budget", type=int, action="append", metavar="N")
    parser.add_argument("--repeat", type=int, default=4, metavar="N", help="divisions (default 4)")
    parser.add_argument("--figure", action="append", metavar="NAME", help="figures to show")
    options = parser.parse_args(arguments)
    try:
        pages = read_pages(options.paths)
        for seed in range(options.repeat):
            for each in trial(pages, options.budget or [200], seed):
                figures = each.figures
                names = options.figure or sorted(figures)
                row = "  ".join(f"{name} {figures[name]:.4f}" for name in names)
                print(f"{seed}  {each.way:7} {each.lines:6}  {row}", flush=True)
    except (LabeledDataError, ValueError, KeyError, OSError) as error:
        print(f"training.choose_trial: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
