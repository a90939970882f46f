"""Train a model on labelled dumps: ``python -m training.fit PATH... --out models/NAME``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from classifier import __version__
from classifier.array_file import replace_file
from classifier.model import Model
from classifier.model_file import save_model
from classifier.result import line_labels
from training.crossfit import CrossFit, cross_fit, decode, draw_rows, final_model
from training.dataset import Dataset, build, corpus_of
from training.evaluate import data_hash, evaluate_pages, total_figures
from training.fits import stages_work
from training.labeled import LabeledDataError, LabeledPage, read_pages
from training.metrics import Prediction
from training.progress import Tick, progress_bar
from training.records import page_name
from training.stages import (
    FEATURES,
    LINES,
    Recipe,
    first_forest,
    lone_forest,
    parse_factors,
    second_forest,
)
from training.tables import print_report
from training.teach_command import teach
from training.tuning import Outcome, Tuned, tune

__all__ = ["cross_validate", "fit", "main"]

_MADE = 3.0
"""About how many variants are made of a page."""


@dataclass(frozen=True)
class CrossValidation:
    """Predictions by stages and settings that were learned without a page's site.

    Attributes
    ----------
    predictions : list of Prediction
        One a page.
    cut : list of Prediction
        The same with the best fixed threshold in the decoder's place.
    informed : dict of int to Prediction
        Of each page whose site has others, with a memory of these.
    """

    predictions: list[Prediction]
    cut: list[Prediction]
    informed: dict[int, Prediction]


def _silent(_: float) -> None:
    return


def _tune_by_fold(data: Dataset, outcomes: Sequence[Outcome], folds: int) -> list[Tuned]:
    """Tune for each fold on the others, so that no page has a say in its own settings."""
    tuned = []
    for fold in range(folds):
        others = np.flatnonzero(data.fold[: data.n_given] != fold).tolist()
        tuned.append(tune([outcomes[i] for i in others], data.weight[others]))
    return tuned


def _prediction(page: LabeledPage, outcome: Outcome, tuned: Tuned, plain: bool) -> Prediction:
    chance, content, top = decode(outcome, tuned, plain)
    count = len(page.labels)
    probability = np.full(count, np.nan)
    probability[outcome.physical] = chance
    labels = line_labels(content, outcome.physical, [0, count])
    headline = None if top is None else int(outcome.physical[top])
    return Prediction(labels, probability, headline)


def fit(
    pages: Sequence[LabeledPage],
    recipe: Recipe | None = None,
    tick: Tick = _silent,
    report: Callable[[CrossValidation], None] | None = None,
) -> Model:
    """Train a model.

    Parameters
    ----------
    pages : sequence of LabeledPage
        From at least two sites.
    recipe : Recipe, optional
    tick : callable, optional
        Is told how much work was done, in pages of feature extraction.
    report : callable, optional
        Is given the predictions of the grouped cross-validation, before the stages are fitted on
        everything.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If the pages are of one site only, or lack content or boilerplate.
    """
    recipe, data = _prepare(pages, recipe or Recipe())
    rows = draw_rows(data, recipe, tick)
    crossed = cross_fit(data, rows, recipe, tick)
    if report is not None:
        tuned = _tune_by_fold(data, crossed.outcomes, recipe.folds)
        report(_cross_validation(data, crossed, tuned))
    return final_model(
        data, rows, crossed, tune(crossed.outcomes, data.weight[: data.n_given]), recipe, tick
    )


def cross_validate(
    pages: Sequence[LabeledPage], recipe: Recipe | None = None, tick: Tick = _silent
) -> list[Prediction]:
    """Predict every page by stages and settings that were learned without its site's fold.

    Parameters and errors are those of :func:`fit`.

    Returns
    -------
    list of Prediction
        One a page, in order.
    """
    recipe, data = _prepare(pages, recipe or Recipe())
    crossed = cross_fit(data, draw_rows(data, recipe, tick), recipe, tick)
    return _predictions(data, crossed.outcomes, _tune_by_fold(data, crossed.outcomes, recipe.folds))


def _cross_validation(data: Dataset, crossed: CrossFit, tuned: Sequence[Tuned]) -> CrossValidation:
    informed = [crossed.informed.get(index, x) for index, x in enumerate(crossed.outcomes)]
    said = _predictions(data, informed, tuned)
    return CrossValidation(
        _predictions(data, crossed.outcomes, tuned),
        _predictions(data, crossed.outcomes, tuned, plain=True),
        {index: said[index] for index in crossed.informed},
    )


def _predictions(
    data: Dataset, outcomes: Sequence[Outcome], tuned: Sequence[Tuned], plain: bool = False
) -> list[Prediction]:
    joined = zip(data.pages[: data.n_given], outcomes, data.fold.tolist(), strict=False)
    return [_prediction(page, outcome, tuned[fold], plain) for page, outcome, fold in joined]


def _prepare(pages: Sequence[LabeledPage], recipe: Recipe) -> tuple[Recipe, Dataset]:
    sites = len({page.site for page in pages})
    if sites < 2:
        raise ValueError(f"expected pages of at least two sites, to hold sites out; found {sites}")
    seen = set().union(*(page.labels for page in pages))
    if not {"C", "B"} <= seen:
        raise ValueError("expected lines of content and of boilerplate; found only one of them")
    recipe = replace(recipe, folds=min(recipe.folds, sites))
    return recipe, build(pages, folds=recipe.folds, seed=recipe.seed, factors=recipe.factors)


def total_work(pages: Sequence[LabeledPage], recipe: Recipe, final: bool) -> float:
    """Return about how much work training is, in pages of feature extraction."""
    made = _MADE * len({page_name(page) for page in pages})
    drawn = sum(min(recipe.lines, len(page.labels) - page.labels.count(".")) for page in pages)
    lines = drawn + made * (recipe.lines // 2)
    return 4 * len(pages) + 2 * made + stages_work(lines, recipe) * (recipe.folds + final)


def describe(pages: Sequence[LabeledPage], paths: Sequence[Path], recipe: Recipe) -> dict[str, Any]:
    """Return what ``model.json`` says of the training: data, terms, recipe, versions."""
    corpora = Counter((corpus_of(page), page.license or "") for page in pages)
    return {
        "training": {
            "data_sha256": data_hash(paths),
            "pages": len({page_name(page) for page in pages}),
            "renderings": len(pages),
            "sites": len({page.site for page in pages}),
            "corpora": [
                {"prefix": name, "license": terms, "renderings": count}
                for (name, terms), count in sorted(corpora.items())
            ],
            "recipe": asdict(recipe),
        },
        "versions": {
            "linesift": __version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.fit",
        description="Train a model on labelled dumps, after a cross-validation grouped by site.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", type=Path,
                        help="labelled dumps: folders, .txt, .jsonl, .jsonl.gz")  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, metavar="DIR",
                        help="the model directory")  # fmt: skip
    parser.add_argument("--weight", action="append", default=[], metavar="CORPUS=FACTOR",
                        help="weight of a corpus's pages: 'own' are those of folders, others go by "
                        "what their ids begin with, up to '_' or '/' (default 1)")  # fmt: skip
    parser.add_argument("--figures", type=Path, metavar="DIR",
                        help="write the cross-validated figures of each corpus there")  # fmt: skip
    parser.add_argument("--base", type=Path, metavar="MODEL",
                        help="teach this model the sites of the pages, instead")  # fmt: skip
    parser.add_argument("--lines", type=int, default=LINES, metavar="N",
                        help="learn from N lines a page at most (default %(default)s)")  # fmt: skip
    parser.add_argument("--features", type=float, default=FEATURES, metavar="SHARE",
                        help="grow later trees on this share of the features: more are better, "
                        "and take longer (default %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    return parser


def _report(
    pages: Sequence[LabeledPage], said: CrossValidation, info: dict[str, Any], folder: Path | None
) -> None:
    """Print the cross-validated figures of each corpus, and write them to a folder."""
    corpora = [corpus_of(page) for page in pages]
    for corpus in sorted(set(corpora)):
        kept = [index for index, name in enumerate(corpora) if name == corpus]
        known = [index for index in kept if index in said.informed]

        def judge(chosen: Sequence[int], found: Any) -> dict[str, float]:
            return total_figures([pages[i] for i in chosen], [found[i] for i in chosen])

        report = evaluate_pages([pages[i] for i in kept], [said.predictions[i] for i in kept])
        report.info.update(corpus=corpus, data_sha256=info["training"]["data_sha256"])
        report.info["threshold"] = judge(kept, said.cut)
        if known:
            report.info["memory"] = {
                "renderings": len(known),
                "without": judge(known, said.predictions),
                "with": judge(known, said.informed),
            }
        print_report(report)
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            replace_file(folder / f"{corpus}.json", report.to_json().encode("utf-8"))


def _train(options: argparse.Namespace) -> int:
    if options.base:
        usual = _parser().get_default
        for name in ("weight", "figures", "lines", "features", "seed"):
            if getattr(options, name) != usual(name):
                raise ValueError(f"expected no --{name} with --base, which learns from all lines")
        teach(options.paths, options.base, options.out)
        return 0
    pages = read_pages(options.paths)
    factors = parse_factors(options.weight)
    recipe = Recipe(
        lines=options.lines,
        first=first_forest(options.features),
        second=second_forest(options.features),
        second_alone=lone_forest(options.features),
        factors=factors,
        seed=options.seed,
    )
    info = describe(pages, options.paths, recipe)

    with progress_bar("training", total_work(pages, recipe, final=True)) as tick:
        model = fit(pages, recipe, tick, lambda found: _report(pages, found, info, options.figures))
    save_model(replace(model, info=info), options.out)
    print(f"wrote {options.out}/model.npz and model.json")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _train(options)
    except (LabeledDataError, ValueError, OSError) as error:
        print(f"training.fit: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("training.fit: stopped; no model was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
