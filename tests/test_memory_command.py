"""Site memories from the command line, and batch runs with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from classifier.__main__ import main
from tests.batches import lines
from training.records import LabeledPage


def test_two_passes_label_as_with_a_memory_made_before(
    tmp_path: Path, pages: Sequence[LabeledPage]
) -> None:
    source = tmp_path / "pages.jsonl"
    rows = [{"text": page.text, "url": f"https://www.s{n % 3}.example/{n}"}
            for n, page in enumerate(pages)]  # fmt: skip
    source.write_text("\n".join(json.dumps(row) for row in rows))
    call = ["batch", str(source), "--probabilities"]
    assert main(["memory", "build", str(source), "--out", str(tmp_path / "site.mem")]) == 0
    assert main([*call, "--out", str(tmp_path / "plain")]) == 0
    assert (
        main([*call, "--out", str(tmp_path / "one"), "--memory", str(tmp_path / "site.mem")]) == 0
    )
    assert main([*call, "--out", str(tmp_path / "two"), "--two-pass", "--workers", "2"]) == 0
    assert (tmp_path / "two" / "site.mem").read_bytes() == (tmp_path / "site.mem").read_bytes()
    assert lines(tmp_path / "two") == lines(tmp_path / "one")
    assert lines(tmp_path / "two") != lines(tmp_path / "plain")


def test_parts_of_a_memory_are_merged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for part, count in (("a", 2), ("b", 3)):
        path = tmp_path / f"{part}.jsonl"
        rows = [{"text": f"Home\nstory {part * n}", "site": "x.example"} for n in range(count)]
        path.write_text("\n".join(json.dumps(row) for row in rows))
        names.append(str(tmp_path / f"{part}.mem"))
        assert main(["memory", "build", str(path), "--out", names[-1]]) == 0
    assert main(["memory", "merge", *names, "--out", str(tmp_path / "all.mem")]) == 0
    assert "5 pages of 1 sites" in capsys.readouterr().err
    (tmp_path / "c.txt").write_text("no address")
    assert main(["memory", "build", str(tmp_path / "c.txt"), "--out", str(tmp_path / "c")]) == 2
    assert main(["memory", "merge", str(tmp_path / "c.txt"), "--out", str(tmp_path / "c")]) == 2
    assert not (tmp_path / "c").exists()
