from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.conftest import invented_pages
from training.augment import bare, variants
from training.graft import Frames, extended, grafted
from training.records import LabeledPage


def test_a_bare_page_is_headline_and_content() -> None:
    text = "menu\n\ntop\nby\n\none\ntwo\nfoot"
    page = LabeledPage("x/1", text, "B.?B.CCB", "s", headline_line=2)
    assert bare(page) is None
    more = replace(page, text=text + "\nend", labels=page.labels + "C")
    found = bare(more)
    assert found is not None
    assert (found.page.text, found.page.labels) == ("top\n\none\ntwo\nend", "C.CCC")
    assert found.page.headline_line == 0
    assert bare(replace(more, headline_line=None)) is None


def content(page: LabeledPage) -> list[str]:
    lines = zip(page.text.split("\n"), page.labels, strict=True)
    return [line for line, label in lines if label == "C"]


def made(seed: int, *kinds: str) -> Sequence[tuple[LabeledPage, int]]:
    pages = invented_pages(10)
    found = variants(pages, [n % 2 for n in range(10)], np.random.default_rng(seed))
    return [(one.page, place) for one, place in found if one.kind in kinds]


def test_variants_keep_the_content_and_the_headline() -> None:
    pages = invented_pages(10)
    for seed in range(5):
        for variant, place in made(seed, "bare", "dressed", "grafted"):
            assert content(variant) == content(pages[place])
            assert variant.headline_line is not None
            top = variant.text.split("\n")[variant.headline_line]
            assert top == pages[place].text.split("\n")[3]


def test_a_dressed_page_shows_other_pages_of_its_fold_only() -> None:
    pages = invented_pages(10)
    titles = [page.text.split("\n")[3] for page in pages]
    shown = set()
    for seed in range(5):
        for variant, place in made(seed, "dressed", "grafted"):
            lines = zip(variant.text.split("\n"), variant.labels, strict=True)
            chrome = [line for line, label in lines if label == "B"]
            found = {n for n, title in enumerate(titles) if any(title in line for line in chrome)}
            assert {pages[n].site for n in found}.isdisjoint({pages[place].site})
            shown |= {(n % 2, place % 2) for n in found}
    assert shown == {(0, 0), (1, 1)}


def test_a_dressed_page_may_begin_with_the_name_of_its_site() -> None:
    pages = [
        replace(page, site=f"old-mill-{n}.example") for n, page in enumerate(invented_pages(10))
    ]
    found = set()
    for seed in range(5):
        for one, place in variants(pages, [0] * 10, np.random.default_rng(seed)):
            name, lines = f"Old Mill {place}", one.page.text.split("\n")
            if one.kind == "dressed" and lines[0] == name:
                found |= {one.page.labels[n] for n, line in enumerate(lines) if name in line}
    assert found == {"B", "?"}


def test_the_same_seed_makes_the_same_variants() -> None:
    kinds = ("bare", "dressed", "grafted", "restyled", "extended")
    assert made(3, *kinds) == made(3, *kinds)
    assert made(3, *kinds) != made(4, *kinds)


def test_a_restyled_page_says_the_same_words() -> None:
    pages = invented_pages(10)
    for seed in range(10):
        for variant, place in made(seed, "restyled"):
            said = [re.sub(r"\[\d+\]", "", " ".join(content(p))) for p in (variant, pages[place])]
            assert re.sub(r"\W+", "", said[0]) == re.sub(r"\W+", "", said[1])
            assert variant.headline_line is not None


def test_a_graft_stands_in_the_frame_of_another_page() -> None:
    story, other, board = (
        LabeledPage(f"own/{n}", text, labels, f"s{n}", language="en", page_type=kind)
        for n, (text, labels, kind) in enumerate(
            [
                ("t\nmenu\nOne.\nad\nTwo.\nfoot", "BBCBCB", "article"),
                ("u\nhome\nwho\nA.\nB.\nend", "BBBCCB", "article"),
                ("v\nP.\nann\nQ.\nR.\nS.\nbye", "BCBCCCB", "forum"),
            ]
        )
    )
    frames = Frames([story, other, board], [0, 0, 0])
    seen = set()
    for seed in range(40):
        found = grafted(story, 0, frames, np.random.default_rng(seed))
        assert found is not None
        assert content(found.page) == ["One.", "Two."]
        lines = found.page.text.split("\n")
        assert [x for x in lines if x in ("home", "who", "end")] == ["home", "who", "end"]
        assert {"menu", "foot", "A."}.isdisjoint(lines)
        seen |= {x for x in lines if x in ("P.", "ann", "Q.", "t")}
    assert seen == {"P.", "ann", "Q.", "t"}
    assert grafted(story, 1, frames, np.random.default_rng(0)) is None


def test_an_extended_page_holds_others_of_its_kind_and_fold() -> None:
    kinds = ("article", "article", "forum", "article")
    pages = [
        LabeledPage(f"own/{n}", f"t{n}\nby{n}\nA{n}.\nad{n}\nB{n}.\nf{n}", "BBCBCB", f"s{n}")
        for n in range(4)
    ]
    pages = [replace(x, language="en", page_type=k) for x, k in zip(pages, kinds, strict=True)]
    frames = Frames(pages, [0, 0, 0, 1])
    found = [extended(pages[0], 0, frames, np.random.default_rng(seed)) for seed in range(80)]
    assert 5 < sum(one is not None for one in found) < 40
    seen = set()
    for one in found:
        if one is not None:
            assert content(one.page)[0] == "A0."
            assert {"A1.", "A2.", "A3."} & set(content(one.page)) == {"A1."}
            assert one.page.headline_line is None
            assert one.page.text.split("\n").count("f0") == 1
            seen |= set(one.page.text.split("\n"))
    assert seen == {f"{line}{n}" for line in ("t", "by", "ad", "f") for n in (0, 1)} | {
        "A0.",
        "B0.",
        "A1.",
        "B1.",
    }
    lone = [extended(pages[2], 0, frames, np.random.default_rng(seed)) for seed in range(80)]
    assert lone == [None] * 80
