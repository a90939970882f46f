from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier import Model
from classifier.__main__ import main
from classifier.batch import Job, Progress, run_batch
from classifier.model_file import save_model
from classifier.outputs import Fields
from classifier.records import Record, SourceError
from classifier.shards import Output
from classifier.sources import find_sources
from classifier.workers import BatchError, Labeller
from training.bench_scale import recombined, write_wet
from training.records import LabeledPage

BROKEN = (13, 200, 201, 555)
"""Lines of the input that are no records."""


@pytest.fixture(scope="session")
def crawl(tmp_path_factory: pytest.TempPathFactory, pages: Sequence[LabeledPage]) -> Path:
    """A folder with JSON Lines, some of them broken, a WET file that was cut, and a text."""
    folder = tmp_path_factory.mktemp("crawl")
    texts = list(recombined([page.text for page in pages], 900))
    lines = [
        json.dumps({"id": f"p{n}", "text": text, "n": n}) for n, text in enumerate(texts[:600])
    ]
    for number in BROKEN:
        lines[number - 1] = lines[number - 1][:-5]
    (folder / "a.jsonl").write_text("\n".join(lines))
    write_wet(folder / "b.wet.gz", texts[600:])
    (folder / "b.wet.gz").write_bytes((folder / "b.wet.gz").read_bytes()[:-30])
    (folder / "c.txt").write_text(texts[0])
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, small_model: Model) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_model(small_model, folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, but the checkpoint."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.name != "checkpoint.json"
    }


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return the records of the shards, in order."""
    shards = sorted(folder.glob("part-*.jsonl.gz"))
    return [
        json.loads(line)
        for path in shards
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]


def job(crawl: Path, out: Path, **changes: Any) -> Job:
    return replace(Job(find_sources([crawl]), out, shard_size=100), **changes)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, crawl: Path, small_model: Model) -> Path:
    """The output of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    run_batch(small_model, job(crawl, out))
    return out


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


@pytest.mark.parametrize(("workers", "kills"), [(1, 6), (2, 4)])
def test_kills_lose_nothing_and_double_nothing(
    whole: Path, crawl: Path, model_folder: Path, tmp_path: Path, workers: int, kills: int
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "classifier", "batch", str(crawl), "--out", str(out)]
    command += ["--model", str(model_folder), "--shard-size", "100", "--workers", str(workers)]
    rng = random.Random(workers)
    shards = []
    for _ in range(kills):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while running.poll() is None and not list(out.glob(".part-*.draft")):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.06))
        running.kill()
        assert running.wait() == -signal.SIGKILL
        shards.append(json.loads((out / "checkpoint.json").read_text())["shards"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("linesift: 896 pages in 10 shards; 5 records could not be read")
    assert shards == sorted(shards)
    assert files(out) == files(whole)


def test_no_worker_outlives_a_kill(crawl: Path, model_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "classifier", "batch", str(crawl), "--out", str(out)]
    command += ["--model", str(model_folder), "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as running:
        while running.poll() is None and not list(out.glob(".part-*.draft")):
            time.sleep(0.01)
        running.kill()
        assert running.stderr is not None
        running.stderr.read()  # ends when the last process that holds it ends


def test_an_interrupt_ends_cleanly_and_the_run_goes_on(
    whole: Path, crawl: Path, model_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "classifier", "batch", str(crawl), "--out", str(out)]
    command += ["--model", str(model_folder), "--shard-size", "100", "--workers", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as running:
        while running.poll() is None and not list(out.glob("part-*")):
            time.sleep(0.001)
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate()
    assert (running.returncode, err.count(b"\n")) == (130, 1)
    assert err.startswith(b"linesift: stopped; the same command goes on")
    assert not list(out.glob(".part*"))
    subprocess.run(command, check=False, capture_output=True)
    assert files(out) == files(whole)


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


def test_a_worker_that_dies_stops_the_run_with_a_sentence(
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


def call(model: Path, *arguments: object) -> int:
    return main(["batch", "--model", str(model), *map(str, arguments)])


def test_the_command(
    crawl: Path,
    whole: Path,
    model_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.jsonl"
    assert call(model_folder, crawl / "c.txt", "--out", out, "--spans") == 0
    assert capsys.readouterr().err.startswith("linesift: 1 page in 1 shard; ")
    (record,) = map(json.loads, (out / "part-00000.jsonl").read_text().splitlines())
    assert list(record) == ["id", "text", "spans"]
    assert not (out / "errors.jsonl").exists()
    assert call(model_folder, crawl, "--out", tmp_path / "o", "--shard-size", 100) == 1
    assert "5 records could not be read, see" in capsys.readouterr().err
    assert files(tmp_path / "o") == files(whole)


def test_standard_input_can_be_gone_on_with(
    crawl: Path, model_folder: Path, tmp_path: Path
) -> None:
    data = (crawl / "a.jsonl").read_bytes()
    command = [sys.executable, "-m", "classifier", "batch", "-", "--shard-size", "50"]
    command += ["--model", str(model_folder), "--out"]
    subprocess.run([*command, str(tmp_path / "a")], input=data, check=False, capture_output=True)
    with subprocess.Popen([*command, str(tmp_path / "b")], stdin=subprocess.PIPE) as running:
        assert running.stdin is not None
        running.stdin.write(data[: len(data) // 2])
        running.stdin.flush()
        while not list((tmp_path / "b").glob("part-00001*")):
            time.sleep(0.01)
        running.kill()
    done = subprocess.run([*command, str(tmp_path / "b")], input=data, check=False)
    assert done.returncode == 1
    assert files(tmp_path / "b") == files(tmp_path / "a")
    assert len(lines(tmp_path / "b")) == 596


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.txt", "--out", "o"], "gone.txt: expected a file or a folder, found nothing"),
        (["c.txt", "--out", "o", "--format", "csv"], "expected a format out of jsonl, "),
        (["c.txt", "--out", "o", "--input-format", "csv"], "expected a kind out of txt, "),
        (["c.txt", "--out", "o", "--format", "txt", "--spans"], "no place for labels"),
        (["c.txt", "--out", "o.parquet", "--dolma"], "written as JSON Lines"),
        (["c.txt", "--out", "o", "--workers", "0"], "one worker"),
        (["c.txt", "--out", "o", "--text-field", "id"], "cannot stand in the field 'id'"),
        (["c.txt", "--out", "o", "--min-probability", "2"], "from 0 to 1"),
        ([".", "--out", "o"], "o: expected a folder outside of the input ."),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    crawl: Path,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(crawl)
    assert call(model_folder, *arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("linesift: ")
    assert message in err
    assert not (crawl / "o").exists()


def test_a_full_disk_stops_the_run_and_loses_nothing(
    whole: Path, crawl: Path, model_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "classifier", "batch", str(crawl), "--out", str(out)]
    command += ["--model", str(model_folder), "--shard-size", "100"]
    limited = f"trap '' XFSZ; ulimit -f 3; exec {' '.join(command)}"  # blocks of 1 KiB
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("linesift: stopped: ")
    assert done.stderr.count("\n") == 1
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    assert files(out) == files(whole)


def test_two_passes_label_as_with_a_memory_made_before(
    tmp_path: Path, model_folder: Path, pages: Sequence[LabeledPage]
) -> None:
    source = tmp_path / "pages.jsonl"
    rows = [{"text": page.text, "url": f"https://www.s{n % 3}.example/{n}"}
            for n, page in enumerate(pages)]  # fmt: skip
    source.write_text("\n".join(json.dumps(row) for row in rows))
    call = ["batch", str(source), "--model", str(model_folder), "--probabilities"]
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
