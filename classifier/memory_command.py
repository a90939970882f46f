"""The command ``linesift memory``: count the lines of sites, and put such counts together."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .first_pass import load_memory, remember
from .records import SourceError
from .site_memory import SiteMemory

__all__ = ["add_options", "run"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to its parser."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    build = actions.add_parser("build", help="count the lines of each site in text, WET, JSON "
                               "Lines or Parquet files")  # fmt: skip
    build.add_argument("sources", nargs="+", metavar="IN", help="files, folders of them, or '-'")
    build.add_argument("--input-format", metavar="KIND", help="txt, jsonl, warc or parquet")
    build.add_argument("--text-field", default="text", metavar="NAME",
                       help="the field or column that holds the text (default: text)")  # fmt: skip
    merge = actions.add_parser("merge", help="add memories of other pages up")
    merge.add_argument("memories", nargs="+", metavar="MEMORY")
    for action in (build, merge):
        action.add_argument("--out", type=Path, required=True, metavar="FILE")
        action.add_argument("--max-lines", type=int, default=50_000_000, metavar="N",
                            help="keep at most so many lines, 12 bytes each (default 50000000); "
                            "those on the fewest pages go first")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Run the command.

    Parameters
    ----------
    options : Namespace
        With those of :func:`add_options`.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    SourceError
        For a mistake in the call.
    """
    from .sources import read_records

    if options.max_lines < 1:
        raise SourceError(f"expected at least one line to keep, found {options.max_lines}")
    memory = SiteMemory(max_lines=options.max_lines)
    if options.action == "merge":
        for name in options.memories:
            memory.merge(load_memory(name))
    else:
        records = read_records(
            options.sources, text_field=options.text_field, kind=options.input_format
        )
        for _ in remember(records, memory):
            pass
    if not memory.n_pages:
        raise SourceError("expected pages whose site is known, by their URL or a field 'site'")
    memory.save(options.out)
    note = f", counts up to {memory.error} too low" if memory.error else ""
    print(f"linesift: {memory.n_pages:,} pages of {memory.n_sites:,} sites, "
          f"{memory.n_lines:,} lines{note}", file=sys.stderr)  # fmt: skip
    return 0
