from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier import Model
from classifier.batch import Job, Progress, run_batch
from classifier.outputs import Fields
from classifier.records import Record, SourceError
from classifier.shards import Output
from classifier.sources import find_sources
from classifier.workers import BatchError, Labeller
from tests.batches import BROKEN, files, job, lines


def test_every_record_comes_out_once_and_in_order(
    whole: Path, crawl: Path, small_model: Model
) -> None:
    found = lines(whole)
    ids = [f"p{n}" for n in range(600) if n + 1 not in BROKEN]
    assert [record["id"] for record in found[:596]] == ids
    assert [record["url"].rpartition("/")[2] for record in found[596:-1]] == [
        str(n) for n in range(299)
    ]
    assert found[-1]["id"] == f"{crawl}/c.txt"
    assert found[5]["n"] == 5
    assert found[600]["site"] == "site4.example"
    first = json.loads((crawl / "a.jsonl").read_text().splitlines()[0])
    assert found[0]["text"] == small_model.classify(first["text"]).content
    assert sorted(files(whole)) == ["errors.jsonl", *[f"part-{n:05d}.jsonl.gz" for n in range(10)]]
    errors = [json.loads(line) for line in (whole / "errors.jsonl").read_text().splitlines()]
    assert [error["position"] for error in errors] == [*BROKEN, 299]
    assert errors[0]["source"] == f"{crawl}/a.jsonl"


def test_two_workers_write_the_same_bytes(
    whole: Path, crawl: Path, small_model: Model, tmp_path: Path
) -> None:
    told: list[Progress] = []
    summary = run_batch(small_model, job(crawl, tmp_path / "out", workers=2), report=told.append)
    assert files(tmp_path / "out") == files(whole)
    assert (summary.pages, summary.failed, summary.shards) == (896, 5, 10)
    assert [item.pages for item in told] == sorted(item.pages for item in told)
    assert told[-1] == Progress(896, 5, sum(source.size for source in find_sources([crawl])))


def test_what_is_done_is_not_done_again(whole: Path, crawl: Path, small_model: Model) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in whole.iterdir()}
    summary = run_batch(small_model, job(crawl, whole))
    assert (summary.pages, summary.failed, summary.shards, summary.new_pages) == (896, 5, 10, 0)
    assert {path.name: path.stat().st_mtime_ns for path in whole.iterdir()} == before


def test_a_run_that_differs_is_refused(
    whole: Path, crawl: Path, small_model: Model, tmp_path: Path
) -> None:
    cases: list[tuple[Model, dict[str, Any], str]] = [
        (small_model.with_preset("recall"), {}, "was begun with preset 'balanced', and this is"),
        (small_model.with_min_probability(0.3), {}, "with min_probability None, and this is 0.3"),
        (small_model, {"shard_size": 7}, "with shard_size 100, and this is 7"),
        (small_model, {"format": "jsonl"}, "with format 'jsonl.gz', and this is 'jsonl'"),
        (small_model, {"fields": Fields(labels=True)}, "with fields "),
        (small_model, {"sources": find_sources([crawl / "c.txt"])}, "with sources '3, "),
        (replace(small_model, headline_threshold=0.9), {}, "with model "),
    ]
    for model, changes, message in cases:
        with pytest.raises(SourceError) as caught:
            run_batch(model, job(crawl, whole, **changes))
        assert message in str(caught.value)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(SourceError, match="expected an empty folder, or one that"):
        run_batch(small_model, job(crawl, tmp_path))
    with pytest.raises(SourceError, match="expected a folder, found a file"):
        run_batch(small_model, job(crawl, tmp_path / "letter.txt"))
    (tmp_path / "letter.txt").rename(tmp_path / "checkpoint.json")
    with pytest.raises(SourceError, match="expected a checkpoint"):
        run_batch(small_model, job(crawl, tmp_path))


def test_two_processes_do_not_write_to_one_folder(
    crawl: Path, small_model: Model, tmp_path: Path
) -> None:
    from classifier.formats import output_format

    with (
        Output(tmp_path / "out", output_format("jsonl"), {}),
        pytest.raises(SourceError, match="another process is writing to it"),
    ):
        run_batch(small_model, job(crawl, tmp_path / "out"))


def test_a_record_that_breaks_the_labelling_is_an_error_of_its_own(small_model: Model) -> None:
    from classifier.formats import output_format

    labeller = Labeller(small_model, output_format("jsonl"), Fields())
    odd = Record("odd", 7)  # type: ignore[arg-type]
    made = labeller([Record("a", "Home"), odd, Record("b", "Menu")])
    assert [json.loads(line)["id"] for line in made.payload.splitlines()] == ["a", "b"]
    assert made.pages == 2
    (error,) = made.errors
    assert error.id == "odd"
    assert error.reason.startswith("cannot be labelled: TypeError: expected a dump as str or bytes")


class _Deadly(Fields):
    def row(self, record: Record, page: Any) -> dict[str, Any]:
        os._exit(9)


class _Choking(Fields):
    def row(self, record: Record, page: Any) -> dict[str, Any]:
        if record.id in ("p70", "p71", "p333"):
            os._exit(9)
        return super().row(record, page)


def test_a_page_that_ends_a_worker_is_set_aside(
    crawl: Path, small_model: Model, whole: Path, tmp_path: Path
) -> None:
    summary = run_batch(small_model, job(crawl, tmp_path / "out", fields=_Choking(), workers=2))
    assert (summary.pages, summary.failed) == (893, 8)
    expected = [row for row in lines(whole) if row["id"] not in ("p70", "p71", "p333")]
    assert lines(tmp_path / "out") == expected
    told = (tmp_path / "out" / "errors.jsonl").read_text().splitlines()
    deadly = [error for error in map(json.loads, told) if "it ends the process" in error["reason"]]
    assert [error["id"] for error in deadly] == ["p70", "p71", "p333"]


def test_workers_that_die_again_and_again_stop_the_run_with_a_sentence(
    crawl: Path, small_model: Model, tmp_path: Path
) -> None:
    with pytest.raises(BatchError, match="the same command goes on from the last whole shard"):
        run_batch(small_model, job(crawl, tmp_path / "out", fields=_Deadly(), workers=2))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["checkpoint.json"]


def test_a_huge_page_and_a_huge_line_pass(small_model: Model, tmp_path: Path) -> None:
    many = "\n".join(f"line {number} of a very long page" for number in range(200_000))
    texts = ["Home", many, "x" * 20_000_000, "Menu"]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    began = time.monotonic()
    made = Job(find_sources([path]), tmp_path / "out", "jsonl", Fields(labels=True))
    assert run_batch(small_model, made).pages == 4
    assert time.monotonic() - began < 60
    rows = (tmp_path / "out" / "part-00000.jsonl").read_text().splitlines()
    assert [len(json.loads(row)["labels"]) for row in rows] == [1, 200_000, 1, 1]
