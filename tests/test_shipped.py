"""What the shipped model must get right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from classifier import Model
from classifier.span import CONTENT
from training.labeled import read_pages
from training.records import LabeledPage

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("LINESIFT_SHARED", ROOT.parent / "shared"))
CASES = ROOT / "tests" / "cases"


def cases(*kinds: str) -> list[LabeledPage]:
    folders = [CASES / kind for kind in kinds]
    return read_pages([folder for folder in folders if any(folder.glob("*.txt"))])


def wrong_lines(model: Model, page: LabeledPage) -> list[str]:
    result = model.classify(page.text)
    return [
        f"{index + 1}: {truth} {line}"
        for index, (line, truth, label) in enumerate(
            zip(result.lines, page.labels, result.labels, strict=True)
        )
        if truth in "CB" and (truth == "C") != (label == CONTENT)
    ]


@pytest.mark.skipif(not (SHARED / "seed").is_dir(), reason="the seed page is not here")
def test_the_seed_page(shipped: Model) -> None:
    (page,) = read_pages([SHARED / "seed" / "labelled.txt"])
    dump = (SHARED / "seed" / "dump.txt").read_bytes()
    assert list(shipped.classify(dump).lines[: len(page.labels)]) == page.text.split("\n")
    assert wrong_lines(shipped, page) == []


@pytest.mark.parametrize("page", cases("wild", "synthetic", "negative"), ids=lambda page: page.id)
def test_cases(shipped: Model, page: LabeledPage) -> None:
    assert wrong_lines(shipped, page) == []


@pytest.mark.parametrize("page", cases("known_failures"), ids=lambda page: page.id)
@pytest.mark.xfail(strict=True, reason="known failure")
def test_known_failures(shipped: Model, page: LabeledPage) -> None:
    assert wrong_lines(shipped, page) == []


def test_the_example_dump(shipped: Model) -> None:
    page = shipped.classify((ROOT / "examples" / "dump.txt").read_bytes())
    assert "Divers found cracks in two of the bronze bearings" in page.content
    assert "Privacy policy" not in page.content
    assert page.headline is not None
    assert page.lines[page.headline] == "Swing bridge closes for nine weeks from Monday"


def test_precision_and_recall_presets_pull_apart(shipped: Model) -> None:
    figures = {name: shipped.presets[name] for name in ("precision", "balanced", "recall")}
    assert figures["precision"].precision > figures["balanced"].precision
    assert figures["recall"].recall > figures["balanced"].recall
