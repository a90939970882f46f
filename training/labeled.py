"""Labelled dumps: pages whose lines somebody has judged, as text files and as JSON Lines.

A text file holds one page: header lines ``# key: value``, then the lines of the dump, each behind
its label, ``+`` content, ``-`` boilerplate or ``?`` not judged, and two spaces. A blank line stands
as it is. JSON Lines (``.jsonl``, ``.jsonl.gz``) hold one page a line, with the text in one field
and the labels in another. ``python -m training.labeled check PATH...`` looks such files over.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from training.records import LabeledPage, parse_record

__all__ = [
    "LabeledDataError",
    "LabeledPage",
    "first_line",
    "labeled_files",
    "read_pages",
    "write_jsonl",
    "write_page",
]

SUFFIXES = (".txt", ".jsonl", ".jsonl.gz")

_LABEL_OF = {"+": "C", "-": "B", "?": "?"}
_SIGN_OF = {label: sign for sign, label in _LABEL_OF.items()}
_HEADER = re.compile(r"# *([a-z_]+) *:(.*)")
_KEYS = ("url", "site", "language", "page_type", "renderer", "source", "license", "headline_line")
_SHOWN = 5
"""Problems of one file that are told in full."""


class LabeledDataError(ValueError):
    """Labelled data that doesn't hold together, with every problem that was found.

    Attributes
    ----------
    problems : tuple of str
        One sentence each: ``file:line: expected ..., found ...; what to do``.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """List the problems, one a line."""
        return "\n".join(self.problems)


def labeled_files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files of labelled dumps that paths stand for; those of a folder by name."""
    files: list[Path] = []
    for path in map(Path, paths):
        inside = path.rglob("*") if path.is_dir() else []
        files += sorted(f for f in inside if f.name.endswith(SUFFIXES) and f.is_file())
        files += [] if path.is_dir() else [path]
    return files


def read_pages(paths: Iterable[str | Path]) -> list[LabeledPage]:
    """Read labelled dumps from files and folders.

    Parameters
    ----------
    paths : iterable of str or Path
        Files (``.txt``, ``.jsonl``, ``.jsonl.gz``), and folders that are searched for them.

    Returns
    -------
    list of LabeledPage
        In the order of the paths; files of a folder by name.

    Raises
    ------
    LabeledDataError
        If anything is wrong in any of them; all of it is listed.
    """
    pages: list[LabeledPage] = []
    problems: list[str] = []
    for path in map(Path, paths):
        found = labeled_files([path])
        if not found:
            problems.append(f"{path}: expected labelled dumps ({', '.join(SUFFIXES)}), found none")
        for file in found:
            _read_file(file, pages, problems)
    if problems:
        raise LabeledDataError(problems)
    return pages


def first_line(path: Path) -> int:
    """Return the line of a labelled dump, from 1, that its page begins at, behind the header."""
    lines = path.read_bytes().removeprefix(BOM_UTF8).decode("utf-8").replace("\r", "").split("\n")
    return _header_end(lines) + 1


def _header_end(lines: list[str]) -> int:
    return next((n for n, line in enumerate(lines) if not _HEADER.fullmatch(line)), len(lines))


def _read_file(path: Path, pages: list[LabeledPage], problems: list[str]) -> None:
    wrong: list[str] = []
    try:
        if path.suffix == ".txt":
            page = _parse_dump(path, path.read_bytes(), wrong)
            pages.extend([page] if page else [])
        else:
            for number, line in enumerate(_raw_lines(path), start=1):
                record = parse_record(path, number, line, wrong)
                pages.extend([record] if record else [])
    except FileNotFoundError:
        wrong.append(f"{path}: expected a file or a folder, found nothing; check the path")
    except (OSError, EOFError, zlib.error) as error:
        wrong.append(f"{path}: expected a readable file, found: {error}; copy it again")
    problems.extend(wrong[:_SHOWN])
    if len(wrong) > _SHOWN:
        problems.append(f"{path}: {len(wrong) - _SHOWN} more problems")


def _raw_lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from file


def _parse_dump(path: Path, data: bytes, wrong: list[str]) -> LabeledPage | None:
    try:
        lines = data.removeprefix(BOM_UTF8).decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        wrong.append(
            f"{path}: expected UTF-8, found byte {error.object[error.start]:#04x}; save it as UTF-8"
        )
        return None
    start = _header_end(lines)
    header = _parse_header(path, lines[:start], wrong)
    texts, labels = _parse_lines(path, lines, start, wrong)
    if wrong:
        return None
    if not any(label != "." for label in labels):
        wrong.append(f"{path}: expected labelled lines, found none")
        return None
    return _dump_page(path, header, texts, labels, wrong)


def _parse_header(path: Path, lines: list[str], wrong: list[str]) -> dict[str, Any]:
    header: dict[str, Any] = {}
    for number, line in enumerate(lines, start=1):
        key, value = _HEADER.findall(line)[0]
        if key not in _KEYS:
            expected = ", ".join(_KEYS)
            wrong.append(f"{path}:{number}: expected a header out of {expected}; found {key!r}")
        header[key] = value.strip() or None
    return header


def _parse_lines(
    path: Path, lines: list[str], start: int, wrong: list[str]
) -> tuple[list[str], list[str]]:
    texts, labels = [], []
    for number, line in enumerate(lines[start:], start=start + 1):
        if line and not (line[0] in _LABEL_OF and line[1:3] == "  "):
            wrong.append(
                f"{path}:{number}: expected '+', '-' or '?' and two spaces, or an empty line; "
                f"found {line[:20]!r}"
            )
            continue
        texts.append(line[3:])
        labels.append(_LABEL_OF[line[0]] if line[3:].strip() else ".")
    if texts and not texts[-1] and len(texts) > 1:
        texts.pop(), labels.pop()
    return texts, labels


def _dump_page(
    path: Path, header: dict[str, Any], texts: list[str], labels: list[str], wrong: list[str]
) -> LabeledPage | None:
    site = header.pop("site", None) or path.absolute().parent.name
    top = header.pop("headline_line", None)
    if top is not None and not (top.isdecimal() and int(top) < len(texts)):
        wrong.append(f"{path}: expected headline_line from 0 to {len(texts) - 1}; found {top!r}")
        return None
    return LabeledPage(
        id=f"{site}/{path.stem}",
        text="\n".join(texts),
        labels="".join(labels),
        site=site,
        headline_line=None if top is None else int(top),
        **header,
    )


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its place when all was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_page(path: str | Path, page: LabeledPage) -> None:
    """Write a page as a labelled dump; a file that exists is replaced whole.

    Parameters
    ----------
    path : str or Path
    page : LabeledPage
        Its `reference` has no place in the format and is left out; so is its site where it is the
        folder's name.

    Raises
    ------
    ValueError
        If a line holds a line break other than a line feed.
    """
    if "\r" in page.text:
        raise ValueError("expected lines that end in line feeds; found a carriage return")
    said = {key: getattr(page, key) for key in _KEYS}
    if page.site == Path(path).absolute().parent.name:
        del said["site"]
    header = [f"# {key}: {value}" for key, value in said.items() if value is not None]
    lines = [
        f"{_SIGN_OF.get(label, '-')}  {line}" if line else ""
        for line, label in zip(page.text.split("\n"), page.labels, strict=True)
    ]
    with _replacing(Path(path)) as file:
        file.write("\n".join([*header, *lines, ""]).encode("utf-8"))


def write_jsonl(path: str | Path, pages: Iterable[LabeledPage]) -> None:
    """Write pages as JSON Lines, gzipped if the name ends in ``.gz``; the same pages, same bytes.

    Parameters
    ----------
    path : str or Path
    pages : iterable of LabeledPage
    """
    path = Path(path)
    with _replacing(path) as file:
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else file
        for page in pages:
            known = {key: value for key, value in asdict(page).items() if value is not None}
            packed.write(json.dumps(known, ensure_ascii=False).encode("utf-8") + b"\n")
        if packed is not file:
            packed.close()


if __name__ == "__main__":
    from training.check import main

    sys.exit(main())
