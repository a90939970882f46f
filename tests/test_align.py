from __future__ import annotations

import os
import random
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from training.agreement import compare
from training.align import align, main
from training.labeled import read_pages, write_jsonl
from training.records import LabeledPage

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("LINESIFT_SHARED", ROOT.parent / "shared"))

ONE = "The harbour board said on Friday that the bridge would stay shut for nine weeks."
TWO = "Divers found cracks in two of the bronze bearings during the yearly inspection."
THREE = "New bearings are being cast at a foundry, and each of them weighs 340 kilograms."


def labels(dump: list[str], reference: list[str]) -> str:
    return align("\n".join(dump), "\n".join(reference)).labels


@pytest.mark.parametrize(
    ("dump", "reference", "expected"),
    [
        pytest.param(["Home", ONE, "", TWO, "Share"], [ONE, TWO], "BC.CB", id="as it is"),
        pytest.param(["Home", TWO, ONE, "Share"], [ONE, TWO], "BCCB", id="moved"),
        pytest.param(["Home", *ONE.split(" on "), TWO], [ONE, TWO], "BCCC", id="split"),
        pytest.param(["Home", f"{ONE} {TWO}", THREE], [ONE, TWO, THREE], "BCC", id="joined"),
        pytest.param(
            ["Home", *ONE.replace(" ", "\n").split("\n"), "Share"],
            [ONE],
            "B" + "C" * 15 + "B",
            id="a word a line",
        ),
        pytest.param(
            [ONE, "Home", "Menu", "Search", ONE, TWO, "Share"], [ONE, TWO], "BBBBCCB", id="teaser"
        ),
        pytest.param(
            ["Home", "1. Costs", ONE, "2. Repairs", TWO],
            ["Costs", ONE, "Repairs", TWO],
            "BCCCC",
            id="counted by the page",
        ),
        pytest.param(
            ["Home", "Ada PerrinMarch the 7th", ONE], ["Ada Perrin March the 7th", ONE], "BCC",
            id="glued",
        ),
        pytest.param(
            ["Home", ONE.replace("Friday", "Monday").replace("nine", "ten"), "Share"],
            [ONE], "BCB", id="edited",
        ),
        pytest.param(["Home", ONE, "* * *", TWO, "* * *"], [ONE, TWO], "BCCCB", id="signs"),
        pytest.param(
            ["Home", ONE, "Read on", TWO, "Read on", THREE, "Read on"],
            [ONE, "Read on", TWO, THREE], "BCCCCCB", id="copies told once",
        ),
        pytest.param(
            ["Home", "1 Costs", ONE, "Old costs", TWO], ["Costs", ONE, TWO], "BCCBC",
            id="no copy: another unknown word",
        ),
        pytest.param(["Home", "Home"], ["Nothing of it"], "BB", id="nothing in common"),
        pytest.param(["Home", "", " "], [""], "B..", id="no reference"),
        pytest.param([""], [ONE], ".", id="no dump"),
    ],
)  # fmt: skip
def test_labels(dump: list[str], reference: list[str], expected: str) -> None:
    assert labels(dump, reference) == expected


def test_scripts_without_spaces() -> None:
    first, second = "旧桥将从星期一起关闭九个星期。", "潜水员在检查时发现了两处裂缝。"
    dump = ["首页", "新闻", first[:8], first[8:], second, "分享"]
    assert labels(dump, [first + second]) == "BBCCCB"


def test_a_table_of_contents_yields_to_the_headings() -> None:
    dump = ["Costs", "Menu", "Search", "Sign in", "Press", "Costs", ONE, "Share"]
    assert labels(dump, [TWO, "Costs"]) == "CBBBBBBB"
    assert labels(dump, ["Costs", ONE]) == "BBBBBCCB"


def test_what_cannot_be_placed_is_not_judged() -> None:
    half = " ".join(ONE.split()[:7]) + " and here come words of quite another story"
    found = align(f"Home\n{half}\n{TWO}", f"{ONE}\n{TWO}")
    assert found.labels == "B?C"
    long_copy = labels(["Home", ONE, TWO, ONE, THREE], [ONE, TWO, THREE])
    assert long_copy == "BCC?C"


def test_the_headline_that_the_reference_leaves_out() -> None:
    dump = f"Bridge closes | Ledger\nHome\nBridge closes\nBy Ada\n{ONE}\n{TWO}"
    found = align(dump, f"{ONE}\n{TWO}")
    assert (found.labels, found.headline) == ("BB?BCC", 2)
    found = align(dump, f"Bridge closes\n{ONE}\n{TWO}")
    assert (found.labels, found.headline) == ("BBCBCC", None)
    found = align(dump, f"{ONE}\n{TWO}", headline_in_reference=True)
    assert (found.labels, found.headline) == ("BBBBCC", None)
    without = dump.partition("\n")[2]
    assert align(without, f"{ONE}\n{TWO}").headline is None
    assert align(without, f"{ONE}\n{TWO}", title="Bridge closes").headline == 1


def test_confidence_tells_clear_lines_from_doubtful_ones() -> None:
    edited = ONE.replace("Friday", "Monday").replace("nine", "ten").replace("board", "office")
    found = align(f"Home\n\n{edited}\n{TWO}", f"{ONE}\n{TWO}")
    assert found.labels == "B.CC"
    assert np.isnan(found.confidence).tolist() == [False, True, False, False]
    assert found.confidence[3] == 1
    assert 0.6 <= found.confidence[2] < 1
    assert np.nanmin(found.confidence) >= 0.5


@pytest.mark.parametrize("dump", ["a\r\nb\r\rc\n", "\x00\n\x00a\x00", "a " * 50_000, "á\n" * 9999])
def test_any_text_gets_a_label_for_each_line(dump: str) -> None:
    for reference in ("", dump, "a b c"):
        found = align(dump, reference)
        assert len(found.labels) == len(found.page) == len(found.confidence)
        assert ("." in found.labels) == any(not line.strip() for line in found.page)


def test_pages_of_the_project_are_found_again_from_their_shuffled_content() -> None:
    pages = read_pages([ROOT / "labeled"])
    shuffle = random.Random(1).shuffle
    wrong = judged = 0
    for page in pages:
        kept = [
            line
            for line, label in zip(page.text.split("\n"), page.labels, strict=True)
            if label == "C"
        ]
        blocks = [kept[start : start + 4] for start in range(0, len(kept), 4)]
        shuffle(blocks)
        found = align(page.text, "\n".join(line for block in blocks for line in block),
                      headline_in_reference=True)  # fmt: skip
        pairs = [pair for pair in zip(page.labels, found.labels, strict=True) if pair[0] in "CB"]
        judged += len(pairs)
        wrong += sum(truth != label for truth, label in pairs)
    assert judged > 5000
    assert wrong <= 0.01 * judged


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the corpora are not here")
@pytest.mark.parametrize("name", ["readability", "cleaneval"])
def test_agreement_with_the_labels_of_corpora(name: str) -> None:
    pages = read_pages([SHARED / "data" / f"{name}.jsonl.gz"])
    found = compare(islice(pages, 0, None, 20 if name == "cleaneval" else 4))
    judged = sum(n for (_, truth, _), n in found.lines.items() if truth in "CB")
    same = sum(
        n for (_, truth, label), n in found.lines.items() if truth in "CB" and truth == label
    )
    assert same >= 0.99 * judged


def record(**changes: object) -> LabeledPage:
    page = LabeledPage("a/1", f"Home\n{ONE}\n{TWO}\nShare", "BCCB", "a", reference=f"{ONE}\n{TWO}")
    return replace(page, **changes)  # type: ignore[arg-type]


def test_agreement_counts() -> None:
    pages = [
        record(page_type="article"),
        record(labels="BBCB", page_type="forum"),
        record(labels="B?CB", headline_in_reference=True),
        record(reference=None),
    ]
    found = compare(pages)
    assert found.pages == 3
    assert found.lines["article", "C", "C"] == 2
    assert found.lines["forum", "B", "C"] == 1
    assert found.lines["-", "?", "C"] == 1
    assert found.kinds == {("stands in the reference as it is", "B", "C"): 1}
    assert sum(n for (_, same), n in found.by_confidence.items() if not same) == 1
    assert sum(found.by_confidence.values()) == 4 + 4 + 3
    # the second page's labels lack 15 of the 28 words
    assert found.oracle[1] == 3
    assert found.oracle[0] == pytest.approx(1 + 2 * (2 * 13 / (13 + 28)))


def test_the_command_writes_a_labelled_dump(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dump.txt").write_bytes(f"Home\r\n{ONE}\r\nShare".encode())
    (tmp_path / "gold.txt").write_text(ONE, encoding="utf-8")
    out = tmp_path / "a.example" / "x.txt"
    names = [str(tmp_path / "dump.txt"), str(tmp_path / "gold.txt")]
    assert main([*names, "--out", str(out), "--language", "en"]) == 0
    assert capsys.readouterr().out == f"{out}: 1 content, 2 boilerplate, 0 not judged\n"
    (page,) = read_pages([out])
    assert (page.labels, page.site, page.language) == ("BCB", "a.example", "en")
    assert main([*names, "--out", str(tmp_path / "x.jsonl.gz"), "--site", "b"]) == 0
    (page,) = read_pages([tmp_path / "x.jsonl.gz"])
    assert (page.id, page.labels, page.reference) == ("b/x", "BCB", ONE)


def test_the_command_checks_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_jsonl(tmp_path / "x.jsonl", [record(labels="BBCB")])
    assert main(["--check", str(tmp_path / "x.jsonl")]) == 0
    told = capsys.readouterr().out
    assert "1 pages" in told
    assert "0.75000" in told


def test_mistakes_are_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_bytes(b"\n")
    empty, gone, out = (str(tmp_path / name) for name in ("empty.txt", "gone.txt", "o.txt"))
    assert main([gone, empty, "--out", out]) == 2
    assert "gone.txt: No such file" in capsys.readouterr().err
    assert main([empty, empty, "--out", out]) == 2
    assert "expected a page with text" in capsys.readouterr().err
    assert main(["--check", gone]) == 2
    assert "expected a file or a folder" in capsys.readouterr().err
    for wrong in ([], [empty, empty], [empty, empty, "--out", "x.csv"]):
        with pytest.raises(SystemExit):
            main(wrong)
    assert not Path(out).exists()
