"""The folder of a batch run: shards, checkpoint and errors, whole after a kill at any moment.

A shard is written under a hidden name and moved into place when it is on the disk; then the errors
found in it are appended; and only then the checkpoint, which counts both, takes the place of the
one before. Whatever the checkpoint does not count is taken away when the run goes on, and made
again, byte for byte.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .formats import Format, Shard
from .records import BadRecord, SourceError

__all__ = ["CHECKPOINT", "ERRORS", "Checkpoint", "Output"]

CHECKPOINT, ERRORS = "checkpoint.json", "errors.jsonl"
"""Names of the files beside the shards."""


@dataclass(frozen=True)
class Checkpoint:
    """How far a run has come.

    Attributes
    ----------
    shards, pages, failed : int
        Whole shards, pages written in them, and records that could not be read or labelled.
    source, record : int
        Where the next shard begins: index of the source, and how many of its records are done.
    errors_bytes : int
        Size of the file of errors.
    finished : bool
        Whether there is nothing left to do.
    """

    shards: int = 0
    pages: int = 0
    failed: int = 0
    source: int = 0
    record: int = 0
    errors_bytes: int = 0
    finished: bool = False


class Output:
    """The folder that a run writes to; a context manager that one process holds at a time.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    form : Format
    settings : mapping
        All that the output depends on, as JSON can hold it.

    Attributes
    ----------
    done : Checkpoint

    Raises
    ------
    SourceError
        On entering: if the folder holds other files, was written with other settings, or another
        process is writing to it.
    """

    def __init__(self, folder: Path, form: Format, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self._form = form
        self._settings = dict(settings)
        self._shard: Shard | None = None
        self._errors: list[BadRecord] = []
        self._pages = 0
        self._held = contextlib.ExitStack()
        self.done = Checkpoint()

    def __enter__(self) -> Output:
        """Take the folder, and take away what is not whole."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise SourceError(f"{self._folder}: expected a folder, found a file") from None
        self._held.enter_context(_held(self._folder))
        try:
            self.done = self._load()
            self._clear()
            if not (self._folder / CHECKPOINT).exists():
                self._save(self.done)
        except BaseException:
            self._held.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Take away the shard that is not whole, and let the folder go."""
        try:
            self._drop()
        finally:
            self._held.close()

    def add(self, payload: Any, pages: int, errors: Iterable[BadRecord]) -> None:
        """Write pages to the shard that is open, or to a new one.

        Parameters
        ----------
        payload
            What the format made of them.
        pages : int
            Their number.
        errors : iterable of BadRecord
            Found between them.
        """
        if self._shard is None:
            self._shard = self._form.shard(self._draft())
        self._shard.write(payload)
        self._pages += pages
        self._errors += errors

    @property
    def pages(self) -> int:
        """Pages that have been written."""
        return self.done.pages + self._pages

    @property
    def failed(self) -> int:
        """Records that could not be read or labelled."""
        return self.done.failed + len(self._errors)

    def commit(self, source: int, record: int, *, finished: bool = False) -> None:
        """Put the open shard into its place, if there is one, and save the checkpoint.

        Parameters
        ----------
        source, record : int
            As in :class:`Checkpoint`.
        finished : bool
        """
        made = self._shard is not None
        if self._shard is not None:
            self._shard.close()
            self._draft().rename(self._folder / self._name())
            _sync_folder(self._folder)
            self._shard = None
        size = self._append_errors()
        self.done = Checkpoint(
            shards=self.done.shards + made,
            pages=self.pages,
            failed=self.failed,
            source=source,
            record=record,
            errors_bytes=size,
            finished=finished,
        )
        self._save(self.done)
        self._pages, self._errors = 0, []

    def _name(self) -> str:
        return f"part-{self.done.shards:05d}{self._form.ending}"

    def _draft(self) -> Path:
        return self._folder / f".{self._name()}.draft"

    def _append_errors(self) -> int:
        if not self._errors:
            return self.done.errors_bytes
        lines = [json.dumps(asdict(error)) + "\n" for error in self._errors]
        with (self._folder / ERRORS).open("ab") as file:
            file.write("".join(lines).encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def _load(self) -> Checkpoint:
        path = self._folder / CHECKPOINT
        if not path.exists():
            if any(not found.name.startswith(".") for found in self._folder.iterdir()):
                raise SourceError(
                    f"{self._folder}: expected an empty folder, or one that this command began; "
                    "found other files"
                )
            return Checkpoint()
        try:
            found = json.loads(path.read_bytes())
            settings = found.pop("settings")
            done = Checkpoint(**found)
        except (ValueError, TypeError, KeyError) as error:
            raise SourceError(f"{path}: expected a checkpoint; {error}") from None
        self._compare(settings)
        return done

    def _compare(self, settings: Mapping[str, Any]) -> None:
        for key in {**settings, **self._settings}:
            before, now = settings.get(key), self._settings.get(key)
            if before != now:
                raise SourceError(
                    f"{self._folder} was begun with {key} {before!r}, and this is {now!r}; "
                    "run it with what it was begun with, or choose another folder"
                )

    def _clear(self) -> None:
        """Take away what the checkpoint does not count."""
        for path in self._folder.glob(".part-*.draft"):
            _remove(path)
        for path in self._folder.glob("part-*"):
            number = path.name.removeprefix("part-").partition(".")[0]
            if number.isdecimal() and int(number) >= self.done.shards:
                _remove(path)
        errors, size = self._folder / ERRORS, self.done.errors_bytes
        if errors.exists() and errors.stat().st_size > size:
            os.truncate(errors, size)
            if not size:
                errors.unlink()

    def _drop(self) -> None:
        if self._shard is not None:
            with contextlib.suppress(OSError, ValueError):  # a full disk; closed already
                self._shard.close()
            _remove(self._draft())
            self._shard = None

    def _save(self, done: Checkpoint) -> None:
        path = self._folder / CHECKPOINT
        draft = path.with_name(f".{CHECKPOINT}")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({**asdict(done), "settings": self._settings}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(self._folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make renames in a folder last, where the system lets a folder be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep other processes out; the system lets go when this one ends, however it ends."""
    if os.name != "posix":
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SourceError(f"{folder}: another process is writing to it") from None
    finally:
        os.close(handle)
