from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.conftest import invented_pages
from training.augment import bare, variants
from training.records import LabeledPage


def test_a_bare_page_is_headline_and_content() -> None:
    text = "menu\n\ntop\nby\n\none\ntwo\nfoot"
    page = LabeledPage("x/1", text, "B.?B.CCB", "s", headline_line=2)
    assert bare(page) is None
    more = replace(page, text=text + "\nend", labels=page.labels + "C")
    found = bare(more)
    assert found is not None
    assert (found.text, found.labels) == ("top\n\none\ntwo\nend", "C.CCC")
    assert found.headline_line == 0
    assert bare(replace(more, headline_line=None)) is None


def content(page: LabeledPage) -> list[str]:
    lines = zip(page.text.split("\n"), page.labels, strict=True)
    return [line for line, label in lines if label == "C"]


def made(seed: int) -> Sequence[tuple[LabeledPage, int]]:
    pages = invented_pages(10)
    return variants(pages, [n % 2 for n in range(10)], np.random.default_rng(seed))


def test_variants_keep_the_content_and_the_headline() -> None:
    pages = invented_pages(10)
    for seed in range(5):
        for variant, place in made(seed):
            assert content(variant) == content(pages[place])
            assert variant.headline_line is not None
            top = variant.text.split("\n")[variant.headline_line]
            assert top == pages[place].text.split("\n")[3]


def test_a_dressed_page_shows_other_pages_of_its_fold_only() -> None:
    pages = invented_pages(10)
    titles = [page.text.split("\n")[3] for page in pages]
    shown = set()
    for seed in range(5):
        for variant, place in made(seed):
            lines = zip(variant.text.split("\n"), variant.labels, strict=True)
            chrome = [line for line, label in lines if label == "B"]
            found = {n for n, title in enumerate(titles) if any(title in line for line in chrome)}
            assert {pages[n].site for n in found}.isdisjoint({pages[place].site})
            shown |= {(n % 2, place % 2) for n in found}
    assert shown == {(0, 0), (1, 1)}


def test_the_same_seed_makes_the_same_variants() -> None:
    assert made(3) == made(3)
    assert made(3) != made(4)
