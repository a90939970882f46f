"""The language of a page's chrome must not matter: its words are swapped, its labels hold."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import classifier
from classifier import Model
from training.labeled import read_pages
from training.records import LabeledPage

CASES = Path(__file__).parent / "cases"
LISTS = Path(classifier.__file__).parent / "lexicon"
KINDS = ("nav", "account", "share", "legal", "comment", "related", "date", "commerce")


@cache
def words(kind: str) -> dict[str, list[str]]:
    """Return the lexicon of a kind by language."""
    lines = (LISTS / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {language: rest.split() for language, _, rest in rows}


def swapped(page: LabeledPage, language: str) -> tuple[str, int]:
    """Return the page with the known words of its chrome in another language, and their number."""
    table: dict[str, str] = {}
    for kind in KINDS:
        own, other = words(kind).get(page.language or "", []), words(kind)[language]
        table |= {word: other[n % len(other)] for n, word in enumerate(own)}
    count = 0

    def replaced(found: re.Match[str]) -> str:
        nonlocal count
        word = table.get(found[0].lower())
        count += word is not None
        if word is None:
            return found[0]
        return word.capitalize() if found[0][0].isupper() else word

    lines = zip(page.text.split("\n"), page.labels, strict=True)
    text = [re.sub(r"[^\W\d_]+", replaced, x) if label == "B" else x for x, label in lines]
    return "\n".join(text), count


LANGUAGES = ["de", "fr", "es", "pl", "tr", "hu", "ru", "el", "ar", "hi", "am", "kk", "ml", "zu"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_hold_when_the_chrome_changes_its_language(shipped: Model, language: str) -> None:
    changed, same, lines = 0, 0, 0
    for page in read_pages([CASES]):
        if page.language != language:
            text, count = swapped(page, language)
            before, after = shipped.classify(page.text).labels, shipped.classify(text).labels
            changed += count
            same += sum(a == b for a, b in zip(before, after, strict=True))
            lines += len(before)
    assert changed > 150
    assert same / lines > 0.98
