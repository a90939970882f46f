"""Judge a model on labelled dumps: ``python -m training.evaluate MODEL PATH...``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from classifier.array_file import replace_file
from classifier.model_file import ModelError, load_model
from classifier.page import read_page
from training.labeled import LabeledDataError, LabeledPage, labeled_files, read_pages
from training.metrics import Prediction, Sums, figures, keeps_headline, page_sums, predicted_lines
from training.progress import progress_bar
from training.tables import print_report

__all__ = ["Report", "data_hash", "evaluate_pages", "main", "predict", "total_figures"]

_REPLICATES = 1000
_BY = ("page_type", "renderer", "language", "site")


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval over resampled sites."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """Figures of some of the pages."""

    pages: int
    sites: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Failure:
    """A page that came out badly, and what went wrong."""

    id: str
    word_f1: float
    what: str


@dataclass(frozen=True)
class Report:
    """All figures of an evaluation.

    Attributes
    ----------
    total : Group
    by : dict of str to dict of str to Group
        The same by page type, renderer, language and site.
    worst : list of Failure
        The ten pages with the lowest word F1.
    """

    total: Group
    by: dict[str, dict[str, Group]]
    worst: list[Failure]
    info: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)


def _group(sums: Sums, sites: Sequence[str], members: Sequence[int], seed: int) -> Group:
    names, place = np.unique([sites[i] for i in members], return_inverse=True)
    by_site = {}
    for key, values in sums.items():
        by_site[key] = np.zeros((len(names), values.shape[1]))
        np.add.at(by_site[key], place, values[members])
    value = figures({key: values.sum(axis=0) for key, values in by_site.items()})
    drawn = _drawn(by_site, len(names), seed) if len(names) > 1 else {}
    found = {}
    for name, figure in value.items():
        if np.isnan(figure).any():
            continue  # there is nothing to judge it by
        low, high = np.nanquantile(drawn[name], [0.025, 0.975]) if drawn else (figure, figure)
        found[name] = Figure(*(round(float(np.ravel(x)[0]), 5) for x in (figure, low, high)))
    return Group(len(members), len(names), found)


def _drawn(by_site: Sums, n_sites: int, seed: int) -> Sums:
    """Return the figures of samples of the sites, drawn with replacement."""
    even = np.full(n_sites, 1 / n_sites)
    weights = np.random.default_rng(seed).multinomial(n_sites, even, size=_REPLICATES) * 1.0
    return figures({key: weights @ values for key, values in by_site.items()})


def _sums(
    pages: Sequence[LabeledPage], predictions: Sequence[Prediction], keep: bool | None
) -> Sums:
    rows = [page_sums(page, said, keep) for page, said in zip(pages, predictions, strict=True)]
    return {key: np.stack([row[key] for row in rows]) for key in rows[0]}


def total_figures(
    pages: Sequence[LabeledPage], predictions: Sequence[Prediction]
) -> dict[str, float]:
    """Return the figures of all pages together, as in a report's `total`, without intervals."""
    whole = _group(_sums(pages, predictions, None), [""] * len(pages), range(len(pages)), 0)
    return {name: figure.value for name, figure in whole.figures.items()}


def evaluate_pages(
    pages: Sequence[LabeledPage],
    predictions: Sequence[Prediction],
    *,
    headline: str = "auto",
    seed: int = 0,
) -> Report:
    """Compare predictions with labelled pages.

    Parameters
    ----------
    pages : sequence of LabeledPage
    predictions : sequence of Prediction
        One a page, in order.
    headline : {"auto", "keep", "drop"}
        Whether the predicted headline is compared with the gold text; "auto" goes by the record
        or its corpus.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Report
    """
    sums = _sums(pages, predictions, {"keep": True, "drop": False}.get(headline))
    sites = [page.site for page in pages]
    by: dict[str, dict[str, Group]] = {}
    for key in _BY:
        members = defaultdict(list)
        for index, page in enumerate(pages):
            members[str(getattr(page, key))].append(index)
        by[key] = {name: _group(sums, sites, members[name], seed) for name in sorted(members)}
    worst = np.argsort(sums["words"][:, 2], kind="stable")[:10].tolist()
    failures = [
        Failure(
            pages[i].id,
            round(float(sums["words"][i, 2]), 4),
            what_went_wrong(pages[i], predictions[i]),
        )
        for i in worst
    ]
    return Report(_group(sums, sites, range(len(pages)), seed), by, failures)


def what_went_wrong(page: LabeledPage, prediction: Prediction) -> str:
    """Return a sentence on where a prediction lost or kept words wrongly."""
    lines = read_page(page.text).lines
    chosen = set(predicted_lines(page, prediction, keeps_headline(page)))
    true = [i for i, label in enumerate(page.labels) if label == "C"]
    wrong = [i for i, label in enumerate(page.labels) if label == "B" and i in chosen]
    lost = [i for i in true if i not in chosen and i != prediction.headline]
    if not true:
        return f"no line is labelled content; {len(chosen)} lines kept"
    first, last = true[0], true[-1]
    parts = {
        "kept before the content": [i for i in wrong if i < first],
        "kept within it": [i for i in wrong if first <= i <= last],
        "kept after it": [i for i in wrong if i > last],
        "content lost": lost,
    }
    told = []
    for what, found in parts.items():
        if found:
            longest = max((lines[i] for i in found), key=len)
            words = sum(len(lines[i].split()) for i in found)
            told.append(f"{words} words {what} ({longest[:60]!r})")
    return "; ".join(told) or "the labels are right; the gold text differs from them"


def predict(model_path: str | Path | None, pages: Sequence[LabeledPage]) -> list[Prediction]:
    """Return a saved model's predictions, with a progress bar."""
    model = load_model(model_path)
    found = []
    with progress_bar("scoring", len(pages)) as tick:
        for result in model.classify_many(page.text for page in pages):
            found.append(Prediction.of(result))
            tick(1)
    return found


def data_hash(paths: Sequence[str | Path]) -> str:
    """Return the SHA-256 of the bytes of all labelled files, in the order they are read."""
    digest = sha256()
    for file in labeled_files(paths):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate",
        description="Judge a model on labelled dumps.",
        epilog="With --cv no model is given: the recipe is cross-validated, grouped by site.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="the model, then labelled dumps")
    parser.add_argument("--cv", action="store_true", help="cross-validate; all PATHs are dumps")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures as JSON")
    parser.add_argument("--headline", choices=["auto", "keep", "drop"], default="auto",
                        help="whether the headline is compared with the gold text")  # fmt: skip
    parser.add_argument("--only", metavar="PREFIX", help="report only pages whose id begins so")
    parser.add_argument("--unseen-by", nargs="+", default=[], metavar="DATA", type=Path,
                        help="leave out pages of sites that these labelled dumps have")  # fmt: skip
    parser.add_argument("--weight", action="append", default=[], metavar="CORPUS=FACTOR",
                        help="with --cv: weight of a corpus, as for training.fit")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (LabeledDataError, ModelError, ValueError, OSError) as error:
        print(f"training.evaluate: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    paths = options.paths if options.cv else options.paths[1:]
    if not paths:
        raise ValueError("expected a model and labelled dumps; found no dumps")
    pages = read_pages(paths)
    predictions = (
        _cross_validated(options, pages) if options.cv else predict(options.paths[0], pages)
    )
    seen = {page.site for page in read_pages(options.unseen_by)}
    kept = [
        i
        for i, page in enumerate(pages)
        if page.id.startswith(options.only or "") and page.site not in seen
    ]
    if not kept:
        raise ValueError("expected pages that --only and --unseen-by leave; found none")
    report = evaluate_pages(
        [pages[i] for i in kept], [predictions[i] for i in kept], headline=options.headline
    )
    report.info["data_sha256"] = data_hash(paths)
    report.info["model"] = "cross-validation" if options.cv else str(options.paths[0])
    print_report(report)
    if options.json:
        replace_file(options.json, report.to_json().encode("utf-8"))
    return 0


def _cross_validated(options: argparse.Namespace, pages: Sequence[LabeledPage]) -> list[Prediction]:
    from training.fit import cross_validate, total_work
    from training.stages import Recipe, parse_factors

    recipe = Recipe(factors=parse_factors(options.weight), seed=options.seed)
    with progress_bar("cross-validation", total_work(pages, recipe, final=False)) as tick:
        return cross_validate(pages, recipe, tick)


if __name__ == "__main__":
    sys.exit(main())
