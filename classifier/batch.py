"""Many dumps: records in, labelled shards out, in any number of processes, stopped and resumed.

Records are grouped to tasks, workers label and encode them, and what comes back is written in the
order of the input.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from . import __version__
from .first_pass import load_memory, remember
from .formats import FORMATS, output_format
from .model import Model
from .outputs import Fields
from .records import Record, SourceError
from .shards import Checkpoint, Output
from .site_memory import SiteMemory
from .sources import Source, read_source
from .workers import Item, Labeller, Task, results

__all__ = ["MEMORY", "Job", "Progress", "Summary", "run_batch"]

MEMORY = "site.mem"
"""Name of the file of the sites' memory beside the shards."""

_TASK_PAGES, _TASK_CHARS = 64, 1 << 20
"""A task has so many records, or is the first to have so many characters."""


@dataclass(frozen=True)
class Job:
    """What a batch run reads, makes and writes.

    Attributes
    ----------
    sources : sequence of Source
    out : Path
        The folder of the shards.
    format : str
        One of ``classifier.formats.FORMATS``.
    fields : Fields
        `text` names the field of the dump in the input too.
    shard_size : int
        Records of a shard, those that cannot be read among them.
    workers : int
        Processes that label; with 1, the reading process does.
    memory : Path or None
        A saved site memory, as evidence on the records whose site is known.
    two_pass : bool
        Whether such a memory is made of the sources first, and kept in the output folder.
    """

    sources: Sequence[Source]
    out: Path
    format: str = "jsonl.gz"
    fields: Fields = field(default_factory=Fields)
    shard_size: int = 10_000
    workers: int = 1
    memory: Path | None = None
    two_pass: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    pages, failed : int
        Since the run was first begun.
    size : int
        Bytes of the sources that have been read.
    """

    pages: int
    failed: int
    size: int


@dataclass(frozen=True)
class Summary:
    """What a run has done.

    Attributes
    ----------
    pages, failed, shards : int
        In the whole output, earlier runs of the same job among it.
    new_pages : int
        Pages of this run.
    seconds : float
        Time of this run.
    """

    pages: int
    failed: int
    shards: int
    new_pages: int
    seconds: float


def run_batch(
    model: Model, job: Job, *, report: Callable[[Progress], object] = lambda progress: None
) -> Summary:
    """Label all records of some sources and write shards; go on where an earlier run stopped.

    The shards do not depend on the number of workers nor on how often the run was stopped, byte
    for byte.

    Parameters
    ----------
    model : Model
    job : Job
    report : callable
        Is told the progress after each task.

    Returns
    -------
    Summary

    Raises
    ------
    SourceError
        If the job cannot be done: a library is missing, or the output folder holds something else.
    BatchError
        If workers die again and again.
    OSError
        If the output cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from classifier import load_model
    >>> from classifier.sources import find_sources
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "page.txt").write_text("The bridge will stay shut, the board said.")
    >>> job = Job(find_sources([folder]), folder / "clean", "jsonl")
    >>> run_batch(load_model(), job).pages
    1
    """
    _check(job)
    began = time.monotonic()
    form = output_format(job.format)
    with Output(job.out, form, _settings(model, job)) as output:
        before = output.done.pages
        if not output.done.finished:
            memory = _memory(job, report)
            _run(Labeller(model, form, job.fields, memory), job, output, report)
        done = output.done
    seconds = time.monotonic() - began
    return Summary(done.pages, done.failed, done.shards, done.pages - before, seconds)


def _run(
    labeller: Labeller, job: Job, output: Output, report: Callable[[Progress], object]
) -> None:
    reading = _Reading(job.sources)
    tasks = _tasks(reading.items(output.done, job.fields.text), job.shard_size)
    with results(labeller, tasks, job.workers) as found:
        for task, made in found:
            output.add(made.payload, made.pages, made.errors)
            if task.last:
                output.commit(task.source, task.record)
            report(Progress(output.pages, output.failed, reading.size()))
    output.commit(len(job.sources), 0, finished=True)


def _memory(job: Job, report: Callable[[Progress], object]) -> SiteMemory | None:
    """Return the memory that a job names, or that an earlier run or this one makes first."""
    if job.memory is not None:
        return load_memory(job.memory)
    if not job.two_pass:
        return None
    path = job.out / MEMORY
    if path.exists():
        return load_memory(path)
    memory, reading = SiteMemory(), _Reading(job.sources)
    items = (item for _, _, item in reading.items(Checkpoint(), job.fields.text))
    for _ in remember(items, memory):
        report(Progress(0, 0, reading.size()))
    memory.save(path)
    return memory


def _check(job: Job) -> None:
    fields = job.fields
    more = fields.labels or fields.probabilities or fields.spans or fields.dolma is not None
    if job.format not in FORMATS:
        raise SourceError(f"expected a format out of {', '.join(FORMATS)}; found {job.format!r}")
    if job.format == "txt" and more:
        raise SourceError("a folder of texts has no place for labels, probabilities or spans")
    if job.format == "parquet" and fields.dolma is not None:
        raise SourceError("attributes of Dolma are written as JSON Lines; choose another format")
    if fields.text in ("id", "url", "site", "rest"):
        raise SourceError(f"the text cannot stand in the field {fields.text!r}")
    if min(job.shard_size, job.workers) < 1:
        raise SourceError("expected at least one page a shard, and one worker")
    if job.two_pass and job.memory is not None:
        raise SourceError("expected a memory or two passes that make one, found both")
    if job.two_pass and any(source.name == "-" for source in job.sources):
        raise SourceError("standard input cannot be read twice; save it to a file first")


def _settings(model: Model, job: Job) -> dict[str, Any]:
    """Return all that the output depends on; a run that goes on must have the same."""
    import joblib

    names = [name for name, preset in model.presets.items() if preset.aim == model.decoder.aim]
    neutral = replace(model, min_probability=None, info={})
    listed = json.dumps([asdict(source) for source in job.sources])
    return {
        "version": __version__,
        "preset": names[0] if names else None,
        "min_probability": model.min_probability,
        "model": joblib.hash(neutral),
        "format": job.format,
        "shard_size": job.shard_size,
        "two_pass": job.two_pass,
        "memory": _digest(job.memory) if job.memory else None,
        "fields": asdict(job.fields),
        "sources": f"{len(job.sources)}, {sha256(listed.encode()).hexdigest()[:16]}",
    }


def _digest(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SourceError(f"{path}: expected a site memory; {error.strerror}") from None


class _Reading:
    """The sources while they are read, and how far that has come."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._before = 0
        self._file: BinaryIO | None = None

    def items(self, start: Checkpoint, field: str) -> Iterator[tuple[int, int, Item]]:
        """Yield records, each with its source and its number there, after the checkpoint."""
        self._before = sum(source.size for source in self._sources[: start.source])
        for index, source in enumerate(self._sources[start.source :], start.source):
            found = read_source(source, text_field=field, opened=self._opened)
            skip = start.record if index == start.source else 0
            for number, item in enumerate(islice(found, skip, None), skip + 1):
                yield index, number, item
            self._before += source.size
            self._file = None

    def _opened(self, file: BinaryIO) -> None:
        self._file = file

    def size(self) -> int:
        """Return the bytes that have been read."""
        try:
            return self._before + (self._file.tell() if self._file else 0)
        except (OSError, ValueError):  # a pipe, or just closed
            return self._before


def _tasks(items: Iterable[tuple[int, int, Item]], shard_size: int) -> Iterator[Task]:
    group: list[Item] = []
    chars, room = 0, shard_size
    source = record = 0
    for source, record, item in items:
        group.append(item)
        chars += len(item.text) if isinstance(item, Record) else 0
        room -= 1
        if not room or len(group) == _TASK_PAGES or chars >= _TASK_CHARS:
            yield Task(tuple(group), source, record, not room)
            group, chars, room = [], 0, room or shard_size
    if group:
        yield Task(tuple(group), source, record, last=True)
