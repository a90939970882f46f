"""Speed and memory of ``linesift batch`` on WET files: ``python -m training.bench_scale``.

The files are made in a temporary folder out of labelled pages, which are cut in two and put
together anew, the same ones every time. Each run is a process of its own; beside it stands the
bare library, which is given the same texts from memory and asked for their content.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from training.labeled import read_pages

__all__ = ["Run", "main", "recombined", "write_wet"]

_BARE = """
import sys, time
from itertools import islice
from classifier import load_model
from classifier.sources import read_records
model = load_model()
records = read_records([sys.argv[1]])
wall = cpu = 0.0
warm = False
while texts := [record.text for record in islice(records, 640)]:
    if not warm:
        warm = bool(list(model.classify_many(texts)))
    began = time.perf_counter(), time.process_time()
    for page in model.classify_many(texts):
        page.content
    wall += time.perf_counter() - began[0]
    cpu += time.process_time() - began[1]
print(wall, cpu)
"""


@dataclass(frozen=True)
class Run:
    """One measured run.

    Attributes
    ----------
    records, workers : int
        Pages of the input; processes, 0 for the bare library.
    text_bytes : int
        Size of the unpacked texts.
    seconds, cpu_seconds : float
        Time by the clock and of all processors, the start of the processes among it.
    peak_bytes : int
        Largest sum of the resident memory of all processes.
    """

    records: int
    workers: int
    text_bytes: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def recombined(texts: Sequence[str], count: int) -> Iterator[str]:
    r"""Yield texts that begin as one page and end as another, the same ones every time.

    Parameters
    ----------
    texts : sequence of str
    count : int

    Yields
    ------
    str

    Examples
    --------
    >>> list(recombined(["a\nb"], 2))
    ['a\nb', 'a\nb']
    """
    rng = np.random.default_rng(0)
    pages = [text.split("\n") for text in texts]
    for _ in range(count):
        first, second = (pages[index] for index in rng.integers(len(pages), size=2))
        share = rng.random()
        cut = first[: int(share * len(first))]
        yield "\n".join([*cut, *second[int(share * len(second)) :]])


def write_wet(path: Path, texts: Iterable[str]) -> int:
    """Write texts as a WET file, as Common Crawl packs it: a member of gzip a record.

    Parameters
    ----------
    path : Path
    texts : iterable of str
        The site of the n-th is ``site<n % 100>.example``.

    Returns
    -------
    int
        Bytes of the texts.
    """
    size = 0
    with path.open("wb") as file:
        file.write(_member("warcinfo", "", 0, b"Software-Info: linesift\r\n"))
        for number, text in enumerate(texts):
            data = text.encode("utf-8")
            size += len(data)
            url = f"https://www.site{number % 100}.example/{number}"
            file.write(_member("conversion", url, number, data))
    return size


def _member(kind: str, url: str, number: int, data: bytes) -> bytes:
    header = [
        "WARC/1.0",
        f"WARC-Type: {kind}",
        *([f"WARC-Target-URI: {url}"] if url else []),
        "WARC-Date: 2025-01-01T00:00:00Z",
        f"WARC-Record-ID: <urn:uuid:{number:08x}-0000-4000-8000-000000000000>",
        "Content-Type: text/plain",
        "WARC-Identified-Payload-Type: text/plain",
        f"Content-Length: {len(data)}",
    ]
    head = "\r\n".join([*header, "", ""]).encode("utf-8")
    return gzip.compress(head + data + b"\r\n\r\n", 6, mtime=0)


def measure(command: Sequence[str]) -> tuple[float, float, int]:
    """Run a command; return its seconds, those of all processors, and its peak of memory.

    Memory and processors are looked at twenty times a second, in all of its processes.
    """
    import psutil

    began = time.perf_counter()
    running = psutil.Popen(command, stderr=subprocess.PIPE)
    peak, cpu = 0, 0.0
    while running.poll() is None:
        memory, seconds = 0, 0.0
        with suppress(psutil.NoSuchProcess):
            for process in [running, *running.children(recursive=True)]:
                memory += process.memory_info().rss
                seconds += sum(process.cpu_times()[:2])
        peak, cpu = max(peak, memory), max(cpu, seconds)
        time.sleep(0.05)
    if running.returncode:
        raise RuntimeError(running.stderr.read().decode())
    return time.perf_counter() - began, cpu, peak


def bench(records: int, texts: Sequence[str], folder: Path) -> list[Run]:
    """Measure the bare library, one worker and two on a file of so many records."""
    path = folder / f"{records}.warc.wet.gz"
    size = write_wet(path, recombined(texts, records))
    bare = [sys.executable, "-c", _BARE, str(path)]
    done = subprocess.run(bare, check=True, capture_output=True, text=True)
    seconds, cpu = map(float, done.stdout.split())
    runs = [Run(records, 0, size, seconds, cpu, 0)]
    for workers in (1, 2):
        out = folder / f"{records}-{workers}"
        command = [sys.executable, "-m", "classifier", "batch", str(path), "--out", str(out)]
        runs.append(Run(records, workers, size, *measure([*command, "--workers", str(workers)])))
    return runs


def runs_table(runs: Sequence[Run]) -> Table:
    """Return the runs as a table; each is compared with the bare library and with one worker."""
    table = Table(title="linesift batch on WET files", title_justify="left")
    names = ("records", "run", "s", "pages/s", "MB/s", "CPU ms/page", "CPU beside bare",
             "beside one worker", "peak MiB")  # fmt: skip
    for name in names:
        table.add_column(name, justify="left" if name == "run" else "right")
    for run in runs:
        bare, one = (
            next((x for x in runs if (x.records, x.workers) == (run.records, workers)), run)
            for workers in (0, 1)
        )
        table.add_row(
            f"{run.records:,}",
            f"{run.workers} worker{'s' * (run.workers > 1)}" if run.workers else "bare library",
            f"{run.seconds:.1f}",
            f"{run.records / run.seconds:.0f}",
            f"{run.text_bytes / run.seconds / 1e6:.2f}",
            f"{1000 * run.cpu_seconds / run.records:.2f}",
            f"{run.cpu_seconds / bare.cpu_seconds:.2f}",
            f"{one.seconds / run.seconds:.2f}" if run.workers else "",
            f"{run.peak_bytes / 2**20:.0f}" if run.workers else "",
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m training.bench_scale", description=__doc__)
    parser.add_argument("--labeled", default="labeled", help="labelled pages (default labeled)")
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    texts = [page.text for page in read_pages([options.labeled])]
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="linesift-") as folder:
        for records in options.records:
            runs += bench(records, texts, Path(folder))
    Console().print(runs_table(runs))
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
