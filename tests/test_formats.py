from __future__ import annotations

import gzip
import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from classifier import BOILERPLATE, CONTENT, Model, PageResult, read_page
from classifier.batch import Job, run_batch
from classifier.formats import json_line, output_format
from classifier.outputs import Fields, dolma_attributes
from classifier.records import Record
from classifier.sources import find_sources
from classifier.streams import zstandard

PAGE = PageResult(
    read_page("Home\r\n\r\nÜber uns\nIt rained.\n\nIt stopped.\n"),
    (BOILERPLATE, BOILERPLATE, BOILERPLATE, CONTENT, CONTENT, CONTENT, BOILERPLATE),
    np.array([0.1, np.nan, 0.3, 0.9, np.nan, 0.7, np.nan]),
    headline=3,
)
RECORD = Record("a", b"", "http://a.example/", "a.example", {"id": "a", "n": 5})
ALL = Fields(labels=True, probabilities=True, spans=True)


def test_the_fields_of_a_row() -> None:
    assert Fields(dolma="x", labels=True, probabilities=True, spans=True).row(RECORD, PAGE) == {
        "id": "a",
        "url": "http://a.example/",
        "site": "a.example",
        "n": 5,
        "text": "It rained.\n\nIt stopped.",
        "labels": "B.BC.C.",
        "content_probability": [0.1, None, 0.3, 0.9, None, 0.7, None],
        "spans": [["boilerplate", 0, 3], ["content", 3, 6], ["boilerplate", 6, 7]],
        "attributes": {
            "x__content": [[17, 41, 0.8]],
            "x__boilerplate": [[0, 17, 0.8], [41, 41, 1.0]],
        },
    }
    assert Fields("body", body=True).row(Record("b", ""), PAGE) == {
        "id": "b",
        "body": "It stopped.",
    }
    known = Record("b", "", rest={"attributes": {"other": [[0, 1, 1.0]]}})
    assert set(Fields(dolma="x").row(known, PAGE)["attributes"]) == {
        "other", "x__content", "x__boilerplate",
    }  # fmt: skip


def test_dolma_spans_partition_the_text(shipped: Model) -> None:
    text = (Path(__file__).parent.parent / "examples" / "dump.txt").read_text(encoding="utf-8")
    page = shipped.classify(text)
    spans = sorted(span for found in dolma_attributes(page, "x").values() for span in found)
    assert "".join(text[int(start) : int(stop)] for start, stop, _ in spans) == text
    assert all(0 <= score <= 1 for _, _, score in spans)


def test_json_holds_what_records_can_hold() -> None:
    assert json.loads(json_line({"a": "\ud800 ü", "b": 1})) == {"a": "\ud800 ü", "b": 1}
    assert "ü".encode() in json_line({"a": "ü"})
    odd: dict[str, Any] = {"x": [math.nan, {"y": math.inf}], "d": date(2025, 1, 2), "b": b"\xff"}
    assert json.loads(json_line(odd)) == {"x": [None, {"y": None}], "d": "2025-01-02", "b": "/w=="}


def run(model: Model, folder: Path, form: str, fields: Fields = ALL) -> Path:
    """Write seven records, two of a kind that is hard to write, in shards of three."""
    rows = [{"id": n, "text": f"Home\nPage {n} was open again, nobody saw it.", "n": n}
            for n in range(5)]  # fmt: skip
    rows += [{"text": "Half \ud800 a pair", "url": "http://a.example", "spare": None}]
    rows += [{"id": "../../etc/pässwd" + "x" * 300, "text": "", "rest": {"deep": [1]}}]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = folder / f"out.{form}"
    job = Job(find_sources([folder / "in.jsonl"]), out, form, fields, shard_size=3)
    assert run_batch(model, job).pages == 7
    return out


@pytest.mark.parametrize(
    ("form", "unpack"),
    [("jsonl", bytes), ("jsonl.gz", gzip.decompress), ("jsonl.zst", zstandard().decompress)],
)
def test_packed_json_lines(small_model: Model, tmp_path: Path, form: str, unpack: Any) -> None:
    out = run(small_model, tmp_path, form)
    shards = sorted(out.glob("part-*"))
    assert [path.name for path in shards] == [f"part-{n:05d}.{form}" for n in range(3)]
    rows = [json.loads(x) for path in shards for x in unpack(path.read_bytes()).splitlines()]
    assert [row["id"] for row in rows[:5]] == [0, 1, 2, 3, 4]
    assert rows[5]["site"] == "a.example"
    assert rows[6]["rest"] == {"deep": [1]}
    assert [len(row["labels"]) for row in rows] == [2, 2, 2, 2, 2, 1, 1]


def test_parquet_has_the_same_columns_in_every_shard(small_model: Model, tmp_path: Path) -> None:
    out = run(small_model, tmp_path, "parquet")
    tables = [pq.read_table(path) for path in sorted(out.glob("part-*.parquet"))]
    assert len({str(table.schema) for table in tables}) == 1
    rows = pa.concat_tables(tables).to_pylist()
    assert list(rows[0]) == [
        "id", "url", "site", "labels", "text", "content_probability", "spans", "rest",
    ]  # fmt: skip
    assert [row["id"] for row in rows[:5]] == ["0", "1", "2", "3", "4"]
    assert json.loads(rows[3]["rest"]) == {"n": 3}
    assert json.loads(rows[5]["rest"]) == {"spare": None}
    assert json.loads(rows[6]["rest"]) == {"rest": {"deep": [1]}}
    assert rows[0]["spans"][0]["start"] == 0
    assert "\ufffd" in rows[5]["text"] or rows[5]["text"] == ""
    assert rows[6]["content_probability"] == [None]


def test_texts_get_safe_names(small_model: Model, tmp_path: Path) -> None:
    out = run(small_model, tmp_path, "txt", Fields())
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.txt"))
    assert found[:4] == [
        "part-00000/000000-0.txt", "part-00000/000001-1.txt", "part-00000/000002-2.txt",
        "part-00001/000000-3.txt",
    ]  # fmt: skip
    assert found[6] == f"part-00002/000000-{'x' * 80}.txt"
    assert not list(tmp_path.parent.glob("etc"))


def test_a_shard_without_pages_is_a_whole_file() -> None:
    for form in ("jsonl.gz", "jsonl.zst"):
        payload = output_format(form).encode([], Fields())
        unpack = gzip.decompress if form == "jsonl.gz" else zstandard().decompress
        assert unpack(payload) == b""
    assert output_format("parquet").encode([], ALL).num_rows == 0
