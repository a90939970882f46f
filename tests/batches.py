"""A small crawl to run batches on, and what they write."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifier.batch import Job
from classifier.sources import find_sources
from training.bench_scale import recombined, write_wet

BROKEN = (13, 200, 201, 555)
"""Lines of the input that are no records."""


def write_crawl(folder: Path, dumps: Sequence[str]) -> None:
    """Write JSON Lines, some of them broken, a WET file that was cut, and a text."""
    texts = list(recombined(dumps, 900))
    lines = [
        json.dumps({"id": f"p{n}", "text": text, "n": n}) for n, text in enumerate(texts[:600])
    ]
    for number in BROKEN:
        lines[number - 1] = lines[number - 1][:-5]
    (folder / "a.jsonl").write_text("\n".join(lines))
    write_wet(folder / "b.wet.gz", texts[600:])
    (folder / "b.wet.gz").write_bytes((folder / "b.wet.gz").read_bytes()[:-30])
    (folder / "c.txt").write_text(texts[0])


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
