from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier import Model
from classifier.features import FEATURE_NAMES, extract
from classifier.site_memory import SiteMemory, SiteMemoryError
from training.labeled import read_pages

MENU = "Home\nSign in\nAll rights reserved 2024"


def page(number: int) -> str:
    story = "\n".join(f"{word} tells of {word}s." for word in (f"story{'x' * number}", "all"))
    return f"{MENU}\n{story}\n12 / {number}"


def shares(dump: str, memory: SiteMemory, site: str) -> list[float]:
    batch = extract([dump.split("\n")], [memory.site(site)])
    row: list[float] = batch.matrix[FEATURE_NAMES.index("site_share")].tolist()
    return row


def test_counts_are_of_other_pages_with_the_line() -> None:
    memory = SiteMemory().add([page(n) for n in range(4)], site="a")
    memory.add([MENU], site="b")
    assert memory.n_pages == 5
    assert shares(page(2), memory, "a") == [1, 1, 1, 0, 1, -1]
    assert shares(page(9), memory, "a") == [1, 1, 1, 0, 1, -1]
    half = SiteMemory().add([page(0), "Home\nOther."], site="a")
    assert shares(page(9), half, "a") == [1, 0.5, 0.5, 0, 0.5, -1]


def test_without_other_pages_nothing_is_known() -> None:
    plain = extract([page(0).split("\n")]).matrix
    for memory in (SiteMemory(), SiteMemory().add([page(0)], site="a")):
        known = extract([page(0).split("\n")], [memory.site("a")]).matrix
        np.testing.assert_array_equal(known, plain)


def test_order_and_merging_make_no_difference(tmp_path: Path) -> None:
    dumps = [page(n) for n in range(6)]
    whole = SiteMemory().add(dumps, site="a").add(dumps[:2], site="b")
    parts = SiteMemory().add(dumps[3:], site="a")
    parts.merge(SiteMemory().add(dumps[1::-1], site="b").add(dumps[2::-1], site="a"))
    whole.save(tmp_path / "whole")
    parts.save(tmp_path / "parts")
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()
    again = SiteMemory.load(tmp_path / "whole")
    assert (again.n_lines, again.n_pages, again.error) == (whole.n_lines, 8, 0)
    assert shares(page(1), again, "a") == shares(page(1), whole, "a")


def test_beyond_the_limit_the_lightest_lines_go() -> None:
    memory = SiteMemory(max_lines=6)
    for start in range(0, 30, 10):
        memory.add([page(n) for n in range(start, start + 10)], site="a")
        assert memory.n_lines <= 6
    assert shares(page(40), memory, "a")[:3] == [1, 1, 1]
    assert memory.error >= 1


@pytest.mark.parametrize("damage", ["missing", "text", "half", "order", "type"])
def test_what_is_no_memory_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "site.mem"
    memory = SiteMemory().add([page(0)], site="a")
    keys, counts = memory._lines
    if damage == "order":
        memory.n_lines  # noqa: B018 - counts what is pending
        keys, counts = memory._lines
        memory._lines = keys[::-1], counts
    if damage == "type":
        memory.n_lines  # noqa: B018
        memory._lines = memory._lines[0], memory._lines[1].astype(np.float64)
    if damage != "missing":
        memory.save(path)
    if damage == "text":
        path.write_text("no memory", encoding="utf-8")
    if damage == "half":
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SiteMemoryError, match=r"expected a site memory|No such file"):
        SiteMemory.load(path)


def test_a_memory_of_the_site_is_evidence(shipped: Model) -> None:
    chrome, content = [], []
    for folder in sorted((Path(__file__).parent.parent / "labeled").iterdir())[:30]:
        pages = read_pages([folder])
        memory = SiteMemory().add([page.text for page in pages])
        for page in pages if len(pages) > 1 else []:
            informed = shipped.classify(page.text, site=memory).content_probability
            change = informed - shipped.classify(page.text).content_probability
            chrome += [x for x, label in zip(change, page.labels, strict=True) if label == "B"]
            content += [x for x, label in zip(change, page.labels, strict=True) if label == "C"]
    assert np.mean(chrome) < -0.005
    assert np.mean(content) > np.mean(chrome)


def test_a_batch_takes_a_site_for_each_page(shipped: Model) -> None:
    dumps = [page(n) for n in range(20)]
    memory = SiteMemory().add(dumps)
    informed, blind = shipped.classify_many(dumps[3:5], [memory, None])
    alone = shipped.classify(dumps[3], site=memory)
    np.testing.assert_array_equal(informed.content_probability, alone.content_probability)
    alone = shipped.classify(dumps[4])
    np.testing.assert_array_equal(blind.content_probability, alone.content_probability)
    with pytest.raises(ValueError, match="shorter"):
        list(shipped.classify_many(dumps[:3], [memory]))
