"""The command as a user runs it: killed, interrupted, on a full disk, and with mistakes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from classifier.__main__ import main
from tests.batches import files, lines


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
        time.sleep(rng.uniform(0, 0.04))
        running.kill()
        if running.wait() != -signal.SIGKILL:
            break  # it was faster
        shards.append(json.loads((out / "checkpoint.json").read_text())["shards"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("linesift: 896 pages in 10 shards; 5 records could not be read")
    assert shards
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
    crawl: Path, model_folder: Path, tmp_path: Path
) -> None:
    """The input stays open, so that the run cannot end before the interrupt."""
    data, out = (crawl / "a.jsonl").read_bytes(), tmp_path / "out"
    command = [sys.executable, "-m", "classifier", "batch", "-", "--shard-size", "50"]
    command += ["--model", str(model_folder), "--workers", "2", "--out"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen([*command, str(out)], **pipes) as running:  # type: ignore[call-overload]
        running.stdin.write(data[: 2 * len(data) // 3])
        running.stdin.flush()
        while running.poll() is None and not list(out.glob("part-*")):
            time.sleep(0.001)
        os.killpg(running.pid, signal.SIGINT)
        err = running.stderr.read()
        running.stdin.close()
    assert (running.returncode, err.count(b"\n")) == (130, 1)
    assert err.startswith(b"linesift: stopped; the same command goes on")
    assert not list(out.glob(".part*"))
    for folder in (out, tmp_path / "whole"):
        subprocess.run([*command, str(folder)], input=data, check=False, capture_output=True)
    assert files(out) == files(tmp_path / "whole")


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
    assert "5 records could not be read or labelled, see" in capsys.readouterr().err
    assert files(tmp_path / "o") == files(whole)


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
