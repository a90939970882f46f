"""The command ``linesift batch``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .records import SourceError

if TYPE_CHECKING:
    from .batch import Job, Progress, Summary
    from .model import Model

__all__ = ["add_options", "run"]

_LAYOUT = "{percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt}, {elapsed}, {remaining} left{postfix}"

EXIT_CODES = (
    "Exit code: 0 all is well; 1 some records could not be read or labelled, and OUT/errors.jsonl "
    "says which and why; 2 a mistake in the call; 3 stopped before the end; 130 interrupted."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    add = parser.add_argument
    parser.epilog = EXIT_CODES
    add("sources", nargs="+", metavar="IN", help="text, WET, JSON Lines or Parquet files, plain, "
        "gzip or zstandard; folders of them; '-' for standard input")  # fmt: skip
    add("--out", type=Path, required=True, metavar="OUT",
        help="a folder of shards; a run that is started again goes on")  # fmt: skip
    add("--format", help="jsonl, jsonl.gz, jsonl.zst, parquet, or txt for folders of texts "
        "(default: what OUT's name ends in, else jsonl.gz)")  # fmt: skip
    add("--input-format", metavar="KIND", help="txt, jsonl, warc or parquet (default: by name)")
    add("--text-field", default="text", metavar="NAME",
        help="the field or column that holds the text (default: text)")  # fmt: skip
    add("--body", action="store_true", help="leave the headline out")
    add("--labels", action="store_true", help="a character a line: C content, B boilerplate")
    add("--probabilities", action="store_true", help="the probability of content of each line")
    add("--spans", action="store_true", help="label, start and stop of each span, in lines")
    add("--dolma", nargs="?", const="linesift__lines", metavar="NAME",
        help="spans as attributes of Dolma: [start, end, score], in characters")  # fmt: skip
    add("--workers", type=int, default=1, metavar="N", help="processes (default 1)")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--memory", type=Path, metavar="FILE",
                       help="what the sites repeat, by 'linesift memory build'")  # fmt: skip
    known.add_argument("--two-pass", action="store_true",
                       help="first find what the sites repeat, then label")  # fmt: skip
    add("--shard-size", type=int, default=10_000, metavar="PAGES", help="(default 10000)")


def run(options: argparse.Namespace, model: Model) -> int:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With those of :func:`add_options`.
    model : Model

    Returns
    -------
    int
        The exit code, as `EXIT_CODES` says.

    Raises
    ------
    SourceError
        For a mistake in the call.
    """
    from .batch import run_batch
    from .workers import BatchError

    job = _job(options)
    try:
        with _bar(sum(source.size for source in job.sources)) as report:
            summary = run_batch(model, job, report=report)
    except KeyboardInterrupt:
        _say("stopped; the same command goes on after the last whole shard")
        return 130
    except (BatchError, OSError) as error:
        _say(f"stopped: {error}")
        return 3
    _say(_sentence(summary, job.out))
    return 1 if summary.failed else 0


def _job(options: argparse.Namespace) -> Job:
    from .batch import Job
    from .formats import FORMATS
    from .outputs import Fields
    from .sources import find_sources

    out = options.out
    for name in options.sources:
        if Path(name).is_dir() and out.resolve().is_relative_to(Path(name).resolve()):
            raise SourceError(f"{out}: expected a folder outside of the input {name}")
    names = ("body", "labels", "probabilities", "spans", "dolma")
    fields = Fields(options.text_field, **{name: getattr(options, name) for name in names})
    told = [name for name in FORMATS if out.name.endswith(f".{name}")]
    return Job(
        sources=find_sources(options.sources, kind=options.input_format),
        out=out,
        format=options.format or (told[0] if told else "jsonl.gz"),
        fields=fields,
        shard_size=options.shard_size,
        workers=options.workers,
        memory=options.memory,
        two_pass=options.two_pass,
    )


@contextmanager
def _bar(total: int) -> Iterator[Callable[[Progress], object]]:
    """Show a bar of the bytes read, with pages a second and time left, on a terminal."""
    try:
        from tqdm import tqdm
    except ImportError:  # it comes with the extra for crawls; who only has texts does without
        tqdm = None
    if tqdm is None or not sys.stderr.isatty():
        yield lambda progress: None
        return
    with tqdm(total=total or None, unit="B", unit_scale=True, smoothing=0) as bar:
        bar.bar_format = _LAYOUT
        first: list[Progress] = []
        began = time.monotonic()

        def report(progress: Progress) -> None:
            if not first:  # a run that goes on begins where its first report stands
                first.append(progress)
                bar.initial = progress.size
            rate = (progress.pages - first[0].pages) / max(time.monotonic() - began, 1e-9)
            failed = f", {progress.failed:,} failed" if progress.failed else ""
            bar.set_postfix_str(f"{rate:,.0f} pages/s{failed}", refresh=False)
            bar.update(progress.size - bar.n)

        yield report


def _sentence(summary: Summary, out: Path) -> str:
    told = f"{_count(summary.pages, 'page')} in {_count(summary.shards, 'shard')}"
    if summary.failed:
        told += f"; {_count(summary.failed, 'record')} could not be read or labelled, "
        told += f"see {out}/errors.jsonl"
    if summary.new_pages:
        rate = summary.new_pages / summary.seconds
        told += f"; {summary.seconds:.1f} s, {rate:,.0f} pages/s"
    return told


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _say(sentence: str) -> None:
    print(f"linesift: {sentence}", file=sys.stderr)
