"""The step for datatrove, and the examples for the engines, run as they stand."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classifier import Model
from classifier.site_memory import SiteMemory
from training.bench_scale import recombined, write_wet
from training.labeled import read_pages

data = pytest.importorskip("datatrove.data")

ROOT = Path(__file__).parent.parent
TEXTS = list(recombined([page.text for page in read_pages([ROOT / "labeled"])][:20], 40))


def example(name: str, *arguments: object) -> None:
    """Run an example in a process of its own."""
    command = [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def records(folder: Path) -> list[dict[str, Any]]:
    """Return the records of all files of JSON Lines of a folder, by name."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        found += [json.loads(line) for line in text.splitlines()]
    return found


@pytest.fixture
def wet(tmp_path: Path) -> Path:
    """A folder with two WET files."""
    folder = tmp_path / "wet"
    folder.mkdir()
    write_wet(folder / "a.warc.wet.gz", TEXTS[:25])
    write_wet(folder / "b.warc.wet.gz", TEXTS[25:])
    return folder


def test_the_step_rewrites_text_and_counts(shipped: Model) -> None:
    from classifier.datatrove import LineBoilerplateFilter

    step = LineBoilerplateFilter(batch_size=7)
    documents = [data.Document(text=text, id=str(n)) for n, text in enumerate(TEXTS)]
    documents.insert(3, data.Document(text="\n \n", id="blank"))
    found = list(step(documents))
    pages = [shipped.classify(text) for text in TEXTS]
    assert [(x.id, x.text) for x in found] == [
        (str(n), page.content) for n, page in enumerate(pages) if page.content
    ]
    kept = [sum(label == "content" and bool(line.strip()) for line, label in zip(
        page.lines, page.labels, strict=True)) for page in pages]  # fmt: skip
    assert [x.metadata["linesift_content_lines"] for x in found] == [n for n in kept if n]
    stats = step.stats
    assert stats["total"].total == 41
    assert stats["dropped"].total == 41 - len(found)
    assert stats["content_lines"].total == sum(kept)
    empty = list(LineBoilerplateFilter(keep_empty=True)([data.Document(text="", id="x")]))
    assert empty[0].metadata == {
        "linesift_lines": 0,
        "linesift_content_lines": 0,
        "linesift_content_share": 0.0,
    }


def test_presets_are_those_of_the_model(shipped: Model) -> None:
    from classifier.datatrove import LineBoilerplateFilter

    step = LineBoilerplateFilter(preset="recall", body=True, keep_empty=True)
    (found,) = step([data.Document(text=TEXTS[0], id="a")])
    assert found.text == shipped.with_preset("recall").classify(TEXTS[0]).body
    step = LineBoilerplateFilter(min_probability=0.0, keep_empty=True)
    (found,) = step([data.Document(text=TEXTS[0], id="a")])
    assert found.metadata["linesift_content_share"] == 1.0


def test_the_pipeline_runs_in_two_tasks(wet: Path, tmp_path: Path, shipped: Model) -> None:
    pytest.importorskip("magic", exc_type=ImportError)  # needs libmagic
    example("datatrove_pipeline.py", wet, tmp_path / "out")
    clean = records(tmp_path / "out" / "clean")
    pages = [shipped.classify(text) for text in TEXTS]
    assert [record["text"] for record in clean] == [page.content for page in pages if page.content]
    assert len(list((tmp_path / "out" / "clean").iterdir())) == 2
    assert len(list((tmp_path / "out" / "logs" / "completions").iterdir())) == 2
    removed = records(tmp_path / "out" / "removed")
    for record, page in zip(removed[:5], pages, strict=False):
        gone = [
            line
            for line, label in zip(page.lines, page.labels, strict=True)
            if label == "boilerplate" and line.strip()
        ]
        assert record["text"].split("\n") == gone


@pytest.mark.ray
def test_the_pipeline_runs_on_ray(wet: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    example("datatrove_pipeline.py", wet, tmp_path / "local")
    example("datatrove_ray.py", wet, tmp_path / "ray")
    assert records(tmp_path / "ray" / "clean") == records(tmp_path / "local" / "clean")


@pytest.mark.ray
def test_ray_data(tmp_path: Path, shipped: Model) -> None:
    pytest.importorskip("ray.data", exc_type=ImportError)
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"text": TEXTS, "n": range(40)}), tmp_path / "in" / "a.parquet")
    example("ray_data.py", tmp_path / "in", tmp_path / "out")
    found = sorted(pq.read_table(tmp_path / "out").to_pylist(), key=lambda row: row["n"])
    assert [row["text"] for row in found] == [shipped.classify(text).content for text in TEXTS]


def test_dask_bag(tmp_path: Path, shipped: Model) -> None:
    pytest.importorskip("dask.bag")
    lines = [json.dumps({"text": text, "n": n}) + "\n" for n, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("".join(lines[:30]))
    (tmp_path / "b.jsonl").write_text("".join(lines[30:]))
    example("dask_bag.py", tmp_path / "*.jsonl", tmp_path / "out")
    assert records(tmp_path / "out") == [
        {"text": shipped.classify(text).content, "n": n} for n, text in enumerate(TEXTS)
    ]


def test_tasks_make_a_memory_that_the_step_reads(tmp_path: Path, shipped: Model) -> None:
    from classifier.datatrove import LineBoilerplateFilter
    from classifier.datatrove_memory import SiteMemoryMerge, SiteMemorySignature

    documents = [
        data.Document(text=text, id=str(n), metadata={"url": f"https://www.s{n % 2}.example/{n}"})
        for n, text in enumerate(TEXTS)
    ]
    documents.append(data.Document(text=TEXTS[0], id="without"))
    for rank in range(2):
        step = SiteMemorySignature(str(tmp_path / "parts"), batch_size=7)
        assert list(step(iter(documents[rank::2]), rank, 2)) == documents[rank::2]
    SiteMemoryMerge(str(tmp_path / "parts"), str(tmp_path / "all.mem")).run()
    memory = SiteMemory()
    for site in (0, 1):
        memory.add(TEXTS[site::2], site=f"s{site}.example")
    assert (tmp_path / "all.mem").read_bytes() == memory.to_bytes()
    found = list(LineBoilerplateFilter(memory=str(tmp_path / "all.mem"))(documents[:4]))
    informed = [shipped.classify(TEXTS[n], site=memory.site(f"s{n % 2}.example")) for n in range(4)]
    assert [x.text for x in found] == [page.content for page in informed]
    with pytest.raises(ValueError, match="expected one task"):
        SiteMemoryMerge(str(tmp_path / "parts"), "x").run(rank=0, world_size=2)
