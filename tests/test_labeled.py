from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.labeled import LabeledDataError, read_pages, write_jsonl, write_page
from training.records import LabeledPage

ROOT = Path(__file__).parent.parent
DUMP = """# url: https://a.example/x
# language: en
# headline_line: 2
-  Menu

+  A title
?  # site: not a header
+    indented
"""


def problems(*paths: Path) -> str:
    with pytest.raises(LabeledDataError) as caught:
        read_pages(paths)
    return str(caught.value)


def test_a_labelled_dump(tmp_path: Path) -> None:
    path = tmp_path / "a.example" / "x.txt"
    path.parent.mkdir()
    path.write_text(DUMP, encoding="utf-8")
    (page,) = read_pages([tmp_path])
    assert page.id == "a.example/x"
    assert page.site == "a.example"
    assert page.text == "Menu\n\nA title\n# site: not a header\n  indented"
    assert page.labels == "B.C?C"
    assert (page.language, page.headline_line) == ("en", 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-  a\nb\n", ":2: expected '+', '-' or '?' and two spaces, or an empty line; found 'b'"),
        ("- a\n", ":1: expected '+'"),
        ("# colour: red\n-  a\n", ":1: expected a header out of"),
        ("# headline_line: 9\n-  a\n", "expected headline_line from 0 to 0; found '9'"),
        ("", "expected labelled lines, found none"),
        ("# site: a\n\n\n", "expected labelled lines, found none"),
    ],
)
def test_malformed_dumps(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text, encoding="utf-8")
    assert message in problems(path)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x\n" * 9)
    (tmp_path / "b.txt").write_bytes(b"-  \xff\n")
    (tmp_path / "c.jsonl").write_text("{\n")
    told = problems(tmp_path, tmp_path / "none")
    for part in (
        "a.txt:1:",
        "a.txt: 4 more problems",
        "b.txt: expected UTF-8",
        "c.jsonl:1:",
        "none",
    ):
        assert part in told


RECORD: dict[str, Any] = {"id": "a/1", "site": "a", "text": "x\n\ny", "labels": "B.C"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labels": "BC"}, "expected 3 labels, one a physical line; found 2"),
        ({"labels": "BxC"}, "expected labels out of"),
        ({"text": None}, "expected 'text' to be str, found None"),
        ({"language": 3}, "expected 'language' to be str, found 3"),
        ({"headline_line": True}, "expected 'headline_line' to be int"),
        ({"headline_line": 7}, "expected headline_line from 0 to 2; found 7"),
    ],
)
def test_malformed_records(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({**RECORD, **fields}) + "\n")
    assert message in problems(path)


def test_unknown_fields_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({**RECORD, "oracle": 1}) + "\n")
    assert read_pages([path]) == [LabeledPage(**RECORD)]


def test_a_truncated_gzip(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    packed = gzip.compress((json.dumps(RECORD) + "\n").encode() * 500)
    path.write_bytes(packed[: len(packed) // 2])
    assert "expected a readable file" in problems(path)
    path.write_bytes(b"no gzip")
    assert "expected a readable file" in problems(path)


LINE = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=12)


@given(lines=st.lists(LINE, min_size=1, max_size=6), data=st.data())
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], data: st.DataObject
) -> None:
    lines = [*lines, "last"]
    labels = "".join(data.draw(st.sampled_from("CB?")) if x.strip() else "." for x in lines)
    page = LabeledPage(id="s/p", text="\n".join(lines), labels=labels, site="s", url="u")
    folder = tmp_path_factory.mktemp("w")
    write_page(folder / "s" / "p.txt", page)
    write_jsonl(folder / "p.jsonl.gz", [page])
    assert read_pages([folder / "s", folder / "p.jsonl.gz"]) == [page, page]


def test_the_same_pages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_jsonl(tmp_path / name, [LabeledPage(**RECORD)])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_the_pages_of_the_project_are_sound() -> None:
    pages = read_pages([ROOT / "labeled", ROOT / "tests" / "unseen"])
    assert len({page.id for page in pages}) == len(pages)
    plain = {"number11fennerlane.example/letter", "pilgarlic.example/tidesheet-readme"}
    for page in pages:
        assert page.language, page.id
        assert page.page_type, page.id
        assert "C" in page.labels, page.id
        assert ("B" in page.labels) == (page.id not in plain), page.id
        if page.headline_line is not None:
            assert page.labels[page.headline_line] == "C", page.id
