"""The command ``linesift``: clean, label, show and explain dumps of web pages, one or many."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__, batch_command, memory_command
from .records import SourceError

if TYPE_CHECKING:
    from .model import Model
    from .result import PageResult

__all__ = ["main"]

_DESCRIPTION = "Say of each line of a web page's text dump whether it is content or boilerplate."


class _UserError(Exception):
    """A mistake to be told in one sentence."""


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--model", metavar="DIR", help="a model directory (default: the shipped one)"
    )
    shared.add_argument("--preset", choices=("precision", "balanced", "recall"),
                        help="the operating point")  # fmt: skip
    shared.add_argument("--min-probability", type=float, metavar="P",
                        help="a fixed threshold, in place of one for each page")  # fmt: skip
    for kind in ("content", "boilerplate"):
        shared.add_argument(f"--{kind}-phrase", action="append", default=[], metavar="TEXT",
                            help=f"a line with it is likely {kind}; repeatable")  # fmt: skip
    shared.add_argument("--phrases", type=Path, metavar="FILE",
                        help="such phrases, one a line behind '+ ' (content) or '- '")  # fmt: skip
    return shared


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="linesift", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"linesift {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = _shared_options()
    _add_page_commands(commands, shared)
    batch_command.add_options(
        commands.add_parser("batch", parents=[shared], help="clean many pages to shards")
    )
    memory_command.add_options(
        commands.add_parser("memory", help="count what sites repeat, as evidence for batch")
    )
    return parser


def _add_page_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser
) -> None:
    files = argparse.ArgumentParser(add_help=False)
    files.add_argument("files", nargs="*", metavar="FILE", default=["-"],
                       help="a text dump; '-' or nothing: standard input")  # fmt: skip
    html = argparse.ArgumentParser(add_help=False)
    html.add_argument("--html", action="store_true",
                      help="the files are HTML; they are first made a text dump")  # fmt: skip
    both = [files, shared, html]
    clean = commands.add_parser("clean", parents=both, help="print the content only")
    clean.add_argument("--body", action="store_true", help="leave the headline out")
    label = commands.add_parser("label", parents=both, help="print every line with its label")
    label.add_argument("--format", choices=("dump", "tsv", "json"), default="dump",
                       help="labelled dump; label, probability, line; or JSON")  # fmt: skip
    show = commands.add_parser("show", parents=both, help="show the page, boilerplate dimmed")
    show.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    explain = commands.add_parser("explain", parents=[shared, html],
                                  help="tell why a line got its label")  # fmt: skip
    explain.add_argument("place", metavar="FILE:LINE",
                         help="a line, from 1; '-:LINE' for standard input")  # fmt: skip
    explain.add_argument("--top", type=int, default=15, help="how many features (default 15)")


def _model(options: argparse.Namespace) -> Model:
    from .model_file import ModelError, load_model

    try:
        model = load_model(options.model)
        if options.preset:
            model = model.with_preset(options.preset)
        if options.min_probability is not None:
            model = model.with_min_probability(options.min_probability)
        model = _with_phrases(model, options)
    except OSError as error:
        raise _UserError(f"{options.phrases}: {error.strerror}") from None
    except (ModelError, ValueError) as error:
        raise _UserError(str(error)) from None
    return model


def _with_phrases(model: Model, options: argparse.Namespace) -> Model:
    if not (options.content_phrase or options.boilerplate_phrase or options.phrases):
        return model
    from .phrases import Phrases, read_phrases

    listed = read_phrases(options.phrases) if options.phrases else Phrases()
    return model.with_phrases(
        [*listed.content, *options.content_phrase],
        [*listed.boilerplate, *options.boilerplate_phrase],
    )


def _read(name: str, options: argparse.Namespace) -> str | bytes:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    if not options.html:
        return data
    from .markup import decode_html, wet_text

    return wet_text(decode_html(data))


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace") + b"\n")


def _cleaned(page: PageResult, options: argparse.Namespace, name: str) -> Iterator[str]:
    text = page.body if options.body else page.content
    if text:
        yield text


def _labelled(page: PageResult, options: argparse.Namespace, name: str) -> Iterator[str]:
    from . import report

    if options.format == "json":
        yield report.as_json(page, name)
    else:
        yield from report.as_dump(page) if options.format == "dump" else report.as_table(page)


def _shown(page: PageResult, options: argparse.Namespace, name: str) -> Iterator[str]:
    from .report import shown

    auto = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    yield from shown(page, {"always": True, "never": False}.get(options.color, auto))


_PER_FILE: dict[str, Callable[[PageResult, argparse.Namespace, str], Iterator[str]]] = {
    "clean": _cleaned,
    "label": _labelled,
    "show": _shown,
}


def _explain(options: argparse.Namespace) -> int:
    from .report import explanation

    name, _, number = options.place.rpartition(":")
    if not name or not number.isdecimal() or int(number) < 1:
        raise _UserError(f"expected FILE:LINE with a line from 1, found {options.place!r}")
    model = _model(options)
    try:
        page = model.classify(_read(name, options))
    except OSError as error:
        raise _UserError(f"{name}: {error.strerror}") from None
    line = int(number) - 1
    if line >= len(page.lines):
        raise _UserError(f"{name}: expected a line from 1 to {len(page.lines)}, found {number}")
    _write([explanation(page, line, page.explain(line), options.top)])
    return 0


def _each_file(options: argparse.Namespace) -> int:
    model = _model(options)
    failed = 0
    first = True
    for name in options.files:
        try:
            dump = _read(name, options)
        except OSError as error:
            print(f"linesift: {name}: {error.strerror}", file=sys.stderr)
            failed = 1
            continue
        separate = not first and not (options.command == "label" and options.format == "json")
        _write([""] if separate else [])
        _write(_PER_FILE[options.command](model.classify(dump), options, name))
        first = False
    return failed


def _batch(options: argparse.Namespace) -> int:
    return batch_command.run(options, _model(options))


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "explain": _explain,
    "batch": _batch,
    "memory": memory_command.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        The exit code: 0, 1 if a file could not be read, 2 for a mistake in the call; for those of
        ``batch`` see its help.
    """
    options = _parser().parse_args(arguments)
    try:
        code = _COMMANDS.get(options.command, _each_file)(options)
        sys.stdout.flush()
        return code
    except (_UserError, SourceError) as error:
        print(f"linesift: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # whoever read has enough; keep the interpreter from complaining when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
