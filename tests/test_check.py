from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import invented_pages, small_recipe
from training.check import Placed, contradictions, cross_validated, main, problems, read_all
from training.labeled import write_jsonl, write_page
from training.near_duplicates import near_duplicates, shingles
from training.records import LabeledPage

ROOT = Path(__file__).parent.parent
STORY = " ".join(f"word{number}" for number in range(60))


def story(start: int, stop: int) -> list[str]:
    return [" ".join(f"w{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(start, stop))]


def test_resemblance_is_that_of_the_sets_of_shingles() -> None:
    # 60 words have 56 shingles; the two share those of words 10 to 59: 46 of 56 + 56 - 46
    pages = [story(0, 60), story(10, 70), story(300, 360), story(0, 60)]
    found = near_duplicates(pages, ["a", "b", "c", "d"])
    assert [pair[:2] for pair in found] == [(0, 1), (0, 3), (1, 3)]
    assert [pair[2] for pair in found] == [46 / 66, 1.0, 46 / 66]


def test_pages_of_one_site_and_short_pages_are_not_compared() -> None:
    assert near_duplicates([story(0, 60)] * 2, ["a", "a"]) == []
    assert near_duplicates([story(0, 23)] * 2, ["a", "b"]) == []  # 19 shingles
    assert len(near_duplicates([story(0, 24)] * 2, ["a", "b"])) == 1
    assert near_duplicates([], []) == []
    assert near_duplicates([[], [""]], ["a", "b"]) == []


def test_a_crowd_is_told_by_its_first_page() -> None:
    sites = [str(number) for number in range(60)]
    found = near_duplicates([story(0, 60)] * 60, sites)
    assert [pair[:2] for pair in found] == [(0, other) for other in range(1, 60)]


def test_scripts_without_spaces_have_shingles_too() -> None:
    text = "".join(chr(0x4E00 + 7 * number) for number in range(60))
    assert len(shingles([[text]])[0]) == 55  # 59 pairs of characters
    assert len(near_duplicates([[text], [f"x {text}"]], ["a", "b"])) == 1


def test_minhash_finds_what_comparing_all_pairs_finds() -> None:
    rng = np.random.default_rng(3)
    pages = [story(start, start + 80) for start in rng.integers(0, 400, 60)]
    sites = [str(number) for number in range(60)]
    sets = [set(own.tolist()) for own in shingles(pages)]
    alike = {
        (a, b)
        for a in range(60)
        for b in range(a + 1, 60)
        if len(sets[a] & sets[b]) >= 0.7 * len(sets[a] | sets[b])
    }
    assert alike
    assert {pair[:2] for pair in near_duplicates(pages, sites, 0.7)} >= alike


def pages_folder(folder: Path) -> None:
    body = f"Home\n{STORY}"
    one = LabeledPage("a/x", body, "BC", "a", url="https://a.example/", headline_line=0)
    write_page(folder / "a" / "x.txt", one)
    write_page(folder / "b" / "y.txt", LabeledPage("b/y", f"Menu\n\n{STORY}", "B.C", "b"))
    write_page(folder / "b" / "none.txt", LabeledPage("b/none", "Menu\nx", "B?", "b"))
    (folder / "b" / "bad.txt").write_text("-  a\nb\nc\n")
    write_jsonl(folder / "c.jsonl", [LabeledPage("c/1", "q", "C", "c"), one])


def test_everything_is_told_at_once_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages_folder(tmp_path)
    assert main(["check", str(tmp_path), str(tmp_path / "gone")]) == 1
    told = [line.removeprefix(f"{tmp_path}/") for line in capsys.readouterr().out.splitlines()]
    assert told == [
        "b/bad.txt:2: expected '+', '-' or '?' and two spaces, or an empty line; found 'b'",
        "b/bad.txt:3: expected '+', '-' or '?' and two spaces, or an empty line; found 'c'",
        "gone: expected a file or a folder, found nothing; check the path",
        "a/x.txt:3: expected the headline to be labelled '+' or '?'",
        "b/none.txt:1: expected a line of content, found none",
        "c.jsonl:2: line 1 of its text: expected the headline to be labelled '+' or '?'",
        f"c.jsonl:2: expected a name of its own, found that of {tmp_path}/a/x.txt:1",
        f"b/y.txt:1: nearly the content of {tmp_path}/a/x.txt:1, of another site (100% alike)",
        f"c.jsonl:2: nearly the content of {tmp_path}/b/y.txt:1, of another site (100% alike)",
        "5 pages, 9 problems",
    ]


def test_contradicted_labels_are_listed_where_they_stand(tmp_path: Path) -> None:
    text = "a\n\nb\nc\x1b\nd\ne"
    page = LabeledPage("s/p", text, "C.BC?B", "s", url="u", language="en")
    write_page(tmp_path / "s" / "p.txt", page)
    placed, wrong = read_all([tmp_path])
    assert not wrong
    chances = [[0.01, float("nan"), 0.995, 0.5, 0.999, 0.96]]
    assert [str(found) for found in contradictions(placed, chances, 0.97)] == [
        f"{tmp_path}/s/p.txt:5: labelled '-', content with 0.995: b",
        f"{tmp_path}/s/p.txt:3: labelled '+', content with 0.010: a",
    ]
    assert len(contradictions(placed, chances, 0.95)) == 3
    listed = [Placed(page, Path("x.jsonl"), 4)]
    chances[0][3] = 0.0
    last = contradictions(listed, chances, 0.999)
    assert str(last[0]) == (
        "x.jsonl:4: line 4 of its text: labelled '+', content with 0.000: c\\x1b"
    )


def test_a_wrong_label_is_found_by_the_model(tmp_path: Path) -> None:
    for number, page in enumerate(invented_pages(12)):
        labels = "C" + page.labels[1:] if number == 5 else page.labels
        wrong = LabeledPage(page.id, page.text, labels, page.site, headline_line=3)
        write_page(tmp_path / page.site / f"{number}.txt", wrong)
    placed, _ = read_all([tmp_path])
    doubts = contradictions(placed, cross_validated(placed, small_recipe()), 0.8)
    (found,) = (each for each in doubts if each.where == f"{tmp_path}/s1.example/5.txt:2")
    assert found.what.startswith("labelled '+', content with 0.")


def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path), "--sure", "2"]) == 2
    assert "expected --sure from 0.5 to 1, found 2.0" in capsys.readouterr().err
    write_page(tmp_path / "a" / "x.txt", LabeledPage("a/x", f"Home\n{STORY}", "BC", "a"))
    assert main(["check", str(tmp_path)]) == 0
    assert main(["check", str(tmp_path), "--model-check"]) == 2
    assert "at least two sites" in capsys.readouterr().err


def test_the_pages_of_the_project_have_no_problems() -> None:
    placed, wrong = read_all([ROOT / "labeled", ROOT / "tests" / "unseen"])
    assert not wrong
    assert not [str(found) for found in problems(placed)]
