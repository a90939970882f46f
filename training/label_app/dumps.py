"""The dumps that are to be labelled, and where the labelled ones go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from classifier.page import read_page
from training.labeled import LabeledDataError, read_pages
from training.records import LabeledPage

__all__ = ["OPEN", "Dump", "find_dumps", "open_labels", "read_dump"]

OPEN = "_"
"""Label of a line that nobody has judged; a file has ``?`` for it."""


@dataclass(frozen=True)
class Dump:
    """A dump and its labelled file.

    Attributes
    ----------
    name : str
        Its path below the folder that was given, without the suffix.
    source, target : Path
        The dump, and the labelled dump that is made of it.
    """

    name: str
    source: Path
    target: Path


def find_dumps(paths: Iterable[str | Path], out: str | Path) -> list[Dump]:
    """Find the dumps in files and folders; the folders below are kept in `out`.

    Parameters
    ----------
    paths : iterable of str or Path
        Text files, and folders that are searched for ``.txt`` files. One that is a labelled dump
        already is taken with its labels.
    out : str or Path
        The folder for the labelled dumps.

    Returns
    -------
    list of Dump
        In the order of the paths; those of a folder by name.

    Raises
    ------
    ValueError
        If there are none, one is JSON Lines or packed, two would be saved in one place, or one
        would leave the folder or replace a dump that has no labels.
    FileNotFoundError
        If a path is missing.
    """
    out = Path(out)
    dumps: dict[Path, Dump] = {}
    for path in map(Path, paths):
        for source, inside in _below(path, out):
            target = (out / inside).with_suffix(".txt")
            dump = Dump(inside.with_suffix("").as_posix(), source, target)
            _check(dump, out, dumps.setdefault(target, dump))
    if not dumps:
        raise ValueError("expected dumps (.txt files, or folders with some), found none")
    return list(dumps.values())


def _below(path: Path, out: Path) -> Iterator[tuple[Path, Path]]:
    if not path.is_dir():
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a file or a folder, found none")
        if path.suffix in (".jsonl", ".gz"):
            raise ValueError(f"{path}: expected a text dump, found {path.suffix}; unpack it first")
        yield path, Path(path.name)
        return
    same = path.resolve() == out.resolve()
    for file in sorted(path.rglob("*.txt")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        ours = not same and file.resolve().is_relative_to(out.resolve())
        if file.is_file() and not hidden and not ours:
            yield file, file.relative_to(path)


def _check(dump: Dump, out: Path, first: Dump) -> None:
    if first.source.resolve() != dump.source.resolve():
        raise ValueError(
            f"{first.source} and {dump.source} would both be saved as {dump.target}; "
            "label one of them into another folder"
        )
    if not dump.target.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"{dump.target}: expected a file inside {out}, found a link out of it")
    if dump.target.resolve() == dump.source.resolve() and not _labelled(dump.source):
        raise ValueError(f"{dump.source}: expected --out to be another folder than the dump's")


def _labelled(path: Path) -> LabeledPage | None:
    try:
        return read_pages([path])[0]
    except LabeledDataError:
        return None


def read_dump(dump: Dump) -> LabeledPage | None:
    """Read a dump with the labels that it has by now.

    Parameters
    ----------
    dump : Dump

    Returns
    -------
    LabeledPage or None
        Lines that nobody judged are :data:`OPEN`; None if there is no text in the dump.

    Raises
    ------
    ValueError
        If the labelled file holds other lines than the dump, or is malformed.
    """
    given = _labelled(dump.source)
    if given is None:
        lines = read_page(dump.source.read_bytes()).lines
        if not any(line.strip() for line in lines):
            return None
        labels = "".join(OPEN if line.strip() else "." for line in lines)
        given = LabeledPage(dump.name, "\n".join(lines), labels, dump.target.absolute().parent.name)
    if not dump.target.exists():
        return given
    saved = read_pages([dump.target])[0]
    if saved.text.rstrip("\n") != given.text.rstrip("\n"):
        raise ValueError(
            f"{dump.target}: expected the lines of {dump.source}, found others; "
            "move one of the two away"
        )
    return saved


def open_labels(labels: str, runs: Iterable[tuple[int, int]]) -> str:
    """Return labels with the ``?`` of half-open runs of lines marked as not judged yet.

    Examples
    --------
    >>> open_labels("C??.?", [(0, 2), (4, 9)])
    'C_?._'
    """
    marked = list(labels)
    for start, stop in runs:
        for line in range(start, min(stop, len(marked))):
            marked[line] = OPEN if marked[line] == "?" else marked[line]
    return "".join(marked)
