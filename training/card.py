"""The card of a model: ``python -m training.card MODEL FIGURES... --check NAME=FIGURES``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifier.array_file import replace_file

__all__ = ["card", "main"]

_HEADLINES = {
    "word_f1": "page word F1",
    "word_precision": "page word precision",
    "word_recall": "page word recall",
    "content_f1": "line F1, content",
    "boilerplate_f1": "line F1, boilerplate",
    "auc": "line AUC, all pages' lines together",
    "page_auc": "line AUC, mean over pages",
    "headline": "known headlines that were found",
    "calibration_error": "expected calibration error",
    "brier": "Brier score",
    "span_exact_f1": "span F1, exact",
    "span_overlap_f1": "span F1, half overlapping",
    "spans_found": "spans of content a page, found",
    "spans_true": "spans of content a page, true",
    "boundary_error": "boundary error, lines",
}

_LEAST = 4
"""Groups of fewer pages have no row of their own."""


def _figure(found: dict[str, float]) -> str:
    return f"{found['value']:.4f} ({found['low']:.4f} to {found['high']:.4f})"


def _table(report: dict[str, Any]) -> list[str]:
    figures = report["total"]["figures"]
    known = [(title, figures[name]) for name, title in _HEADLINES.items() if name in figures]
    rows = [f"| {title} | {_figure(figure)} |" for title, figure in known]
    return ["| figure | value (95 % interval over sites) |", "|---|---|", *rows]


def _breakdown(report: dict[str, Any], key: str) -> list[str]:
    rows = [f"| {key.replace('_', ' ')} | pages | word P | word R | word F1 | AUC | ECE |"]
    rows.append("|---|--:|--:|--:|--:|--:|--:|")
    names = ("word_precision", "word_recall", "word_f1", "auc", "calibration_error")
    for name, group in report["by"][key].items():
        if group["pages"] >= _LEAST:
            values = " | ".join(f"{group['figures'][figure]['value']:.4f}" for figure in names)
            rows.append(f"| {name} | {group['pages']} | {values} |")
    return rows


def _decoder(report: dict[str, Any]) -> list[str]:
    figures, plain = report["total"]["figures"], report["info"]["threshold"]
    names = ("word_f1", "content_f1", "boilerplate_f1", "span_exact_f1", "span_overlap_f1")
    rows = ["| figure | best fixed threshold | decoder | gain |", "|---|--:|--:|--:|"]
    for name in (*names, "spans_found"):
        found, cut = figures[name]["value"], plain[name]
        rows.append(f"| {_HEADLINES[name]} | {cut:.4f} | {found:.4f} | {found - cut:+.4f} |")
    return rows


def _memory(report: dict[str, Any]) -> list[str]:
    found = report["info"].get("memory")
    if found is None:
        return []
    rows = ["| figure | without | with a memory | gain |", "|---|--:|--:|--:|"]
    for name in ("word_precision", "word_recall", "word_f1", "content_f1", "auc"):
        blind, informed = found["without"][name], found["with"][name]
        gain = informed - blind
        rows.append(f"| {_HEADLINES[name]} | {blind:.4f} | {informed:.4f} | {gain:+.4f} |")
    about = (
        f"What a memory of the site's other pages gains, on the {found['renderings']} renderings"
    )
    return [f"{about} of pages whose site has several in the data:", "\n".join(rows)]


def _cross_validation(report: dict[str, Any]) -> list[str]:
    total = report["total"]
    about = f"{total['pages']} renderings of {total['sites']} sites, five folds by site."
    keys = [key for key in ("page_type", "renderer", "language") if len(report["by"][key]) > 1]
    return [
        f"## Cross-validation: {report['info']['corpus']}",
        about,
        "\n".join(_table(report)),
        *("\n".join(_breakdown(report, key)) for key in keys),
        "What the decoder gains over the same probabilities cut at one threshold, the best one, "
        "chosen out of fold:",
        "\n".join(_decoder(report)),
        *_memory(report),
    ]


def _check(name: str, report: dict[str, Any]) -> list[str]:
    total = report["total"]
    about = (
        f"{total['pages']} renderings of {total['sites']} sites that the model never saw; "
        f"data SHA-256 `{report['info']['data_sha256']}`."
    )
    return [f"## Check: {name}", about, "\n".join(_table(report))]


def _data(training: dict[str, Any]) -> list[str]:
    rows = [
        f"| {row['prefix']} | {row['renderings']} | {row['license'] or 'own pages, MIT'} |"
        for row in training["corpora"]
    ]
    return [
        "## Training data",
        f"{training['pages']} pages of {training['sites']} sites in {training['renderings']} "
        f"renderings; SHA-256 of the files `{training['data_sha256']}`.",
        "\n".join(["| corpus | renderings | terms |", "|---|--:|---|", *rows]),
        "Recipe: `" + json.dumps(training["recipe"]) + "`",
    ]


def card(
    header: dict[str, Any],
    reports: Sequence[dict[str, Any]],
    checks: dict[str, dict[str, Any]],
    notes: str,
) -> str:
    """Return a model card as Markdown.

    Parameters
    ----------
    header : dict
        The model's ``model.json``.
    reports : sequence of dict
        Cross-validated figures, one a corpus.
    checks : dict of str to dict
        Evaluations of the saved model on pages that it was not trained on.
    notes : str
        What figures do not say; Markdown.

    Returns
    -------
    str
    """
    presets = [
        f"| {name} | {row['precision']:.4f} | {row['recall']:.4f} |"
        for name, row in header["presets"].items()
    ]
    parts = [notes.strip(), *_data(header["training"])]
    for report in reports:
        parts += _cross_validation(report)
    for name, check in checks.items():
        parts += _check(name, check)
    parts += [
        "## Presets",
        "Mean word precision and recall of pages against their labels, out of fold.",
        "\n".join(["| preset | precision | recall |", "|---|--:|--:|", *presets]),
    ]
    return "\n\n".join(parts) + "\n"


def _report(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write ``card.md`` into a model directory."""
    parser = argparse.ArgumentParser(prog="python -m training.card", description=__doc__)
    parser.add_argument("model", type=Path, help="the model directory; notes.md there is put first")
    parser.add_argument(
        "figures", nargs="+", help="JSON of the cross-validation, written by training.fit --figures"
    )
    parser.add_argument("--check", action="append", default=[], metavar="NAME=JSON",
                        help="JSON of training.evaluate on other pages")  # fmt: skip
    options = parser.parse_args(arguments)
    header = _report(options.model / "model.json")
    notes = (options.model / "notes.md").read_text(encoding="utf-8")
    checks = {name: _report(path) for name, _, path in (x.partition("=") for x in options.check)}
    text = card(header, [_report(path) for path in options.figures], checks, notes)
    replace_file(options.model / "card.md", text.encode("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
