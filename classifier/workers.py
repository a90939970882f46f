"""Workers: processes that label and encode a few records at a time."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .formats import Format
from .model import Model
from .outputs import Fields
from .records import BadRecord, Record
from .site_memory import SiteMemory

__all__ = ["BatchError", "Item", "Labelled", "Labeller", "Task", "results"]

Item = Record | BadRecord

_AHEAD = 2
"""Tasks on their way for each worker: one at work, one waiting."""


_MAX_DEATHS = 8
"""Records of one task that may each end a worker before the run is given up."""

_DEADLY = "cannot be labelled: it ends the process, most likely for want of memory"
_DEAD = (
    "workers end again and again, most likely for want of memory; the same command goes on from "
    "the last whole shard, with fewer workers if that is the reason"
)


class BatchError(RuntimeError):
    """A run that stopped before its end; the message says why, and that it can go on."""


@dataclass(frozen=True)
class Task:
    """Some records, in order, all of one shard.

    Attributes
    ----------
    items : tuple of Record or BadRecord
    source, record : int
        Where the records after them begin, as in ``classifier.shards.Checkpoint``.
    last : bool
        Whether the shard ends here.
    """

    items: tuple[Item, ...]
    source: int
    record: int
    last: bool


@dataclass(frozen=True)
class Labelled:
    """What a worker made of a task: encoded pages, their number, and the records that failed."""

    payload: Any
    pages: int
    errors: tuple[BadRecord, ...]


@dataclass(frozen=True)
class Labeller:
    """Labels and encodes the records of a task; each worker has one.

    Attributes
    ----------
    model : Model
    form : Format
    fields : Fields
    memory : SiteMemory, optional
        What is known of the records' sites.
    """

    model: Model
    form: Format
    fields: Fields
    memory: SiteMemory | None = None

    def __call__(self, items: Sequence[Item]) -> Labelled:
        """Return the encoded pages and the records that failed."""
        good = [item for item in items if isinstance(item, Record)]
        bad = [item for item in items if isinstance(item, BadRecord)]
        try:
            return Labelled(self._encoded(good), len(good), tuple(bad))
        except Exception:
            good, bad = self._apart(items)
            return Labelled(self._encoded(good), len(good), tuple(bad))

    def _encoded(self, records: Sequence[Record]) -> Any:
        memory, sites = self.memory, None
        if memory is not None:
            sites = [memory.site(record.site) if record.site else None for record in records]
        pages = self.model.classify_many([record.text for record in records], sites)
        rows = [self.fields.row(*both) for both in zip(records, pages, strict=True)]
        return self.form.encode(rows, self.fields)

    def _apart(self, items: Sequence[Item]) -> tuple[list[Record], list[BadRecord]]:
        """Try each record alone, so that one that breaks something does not end the run."""
        good: list[Record] = []
        bad: list[BadRecord] = []
        for item in items:
            if isinstance(item, BadRecord):
                bad.append(item)
                continue
            try:
                self._encoded([item])
                good.append(item)
            except Exception as error:
                reason = f"cannot be labelled: {type(error).__name__}: {error}"
                bad.append(BadRecord(item.id, "", 0, reason))
        return good, bad


@contextmanager
def results(
    labeller: Labeller, tasks: Iterable[Task], workers: int
) -> Iterator[Iterator[tuple[Task, Labelled]]]:
    """Do tasks in processes of their own, a few at a time, so that memory does not grow.

    Parameters
    ----------
    labeller : Labeller
    tasks : iterable of Task
        Taken as they are needed.
    workers : int
        Number of processes; 1 stands for this one.

    Yields
    ------
    iterator of (Task, Labelled)
        In the order of the tasks.

    Raises
    ------
    BatchError
        If workers die again and again. A record that ends one, alone as well, is a record that
        failed; with one worker it ends the run.
    """
    if workers == 1:
        yield ((task, labeller(task.items)) for task in tasks)
        return
    pool = _Pool(labeller, workers)
    try:
        yield _in_order(pool, tasks, _AHEAD * workers)
    finally:
        pool.stop()


class _Pool:
    """Workers, and new ones in their place where one dies."""

    def __init__(self, labeller: Labeller, workers: int) -> None:
        self._labeller = labeller
        self._workers = workers
        self._start()

    def _start(self) -> None:
        from joblib.externals.loky import ProcessPoolExecutor

        begun = (self._labeller, os.getpid())
        self._pool = ProcessPoolExecutor(self._workers, initializer=_begin, initargs=begun)
        with _no_interrupt():  # workers inherit this; an interrupt is the reading process's alone
            self._pool.submit(_work, ())  # starts them all

    def stop(self) -> None:
        """End all workers."""
        self._pool.shutdown(wait=True, kill_workers=True)

    def submit(self, items: Sequence[Item]) -> Future[Labelled]:
        """Give items to a worker; where one has died, the future says so."""
        try:
            future: Future[Labelled] = self._pool.submit(_work, items)
        except BrokenExecutor as error:
            future = Future()
            future.set_exception(error)
        return future

    def again(self, items: Sequence[Item]) -> Labelled:
        """Do items that were at work when a worker died, without those records that end it."""
        self._restart()
        try:
            return self.submit(items).result()
        except BrokenExecutor:
            self._restart()
        try:
            return self.submit(self._harmless(items)).result()
        except BrokenExecutor:
            raise BatchError(_DEAD) from None

    def _restart(self) -> None:
        self.stop()
        self._start()

    def _harmless(self, items: Sequence[Item]) -> list[Item]:
        """Try each record alone; one that ends its worker becomes a record that failed."""
        kept: list[Item] = []
        deaths = 0
        for item in items:
            try:
                self.submit((item,)).result()
                kept.append(item)
            except BrokenExecutor:
                self._restart()
                kept.append(BadRecord(item.id, "", 0, _DEADLY))
                deaths += 1
            if deaths > _MAX_DEATHS:
                raise BatchError(_DEAD)
        return kept


def _in_order(pool: _Pool, tasks: Iterable[Task], ahead: int) -> Iterator[tuple[Task, Labelled]]:
    waiting: deque[tuple[Task, Future[Labelled]]] = deque()
    for task in tasks:
        waiting.append((task, pool.submit(task.items)))
        if len(waiting) > ahead:
            yield _first(pool, waiting)
    while waiting:
        yield _first(pool, waiting)


def _first(pool: _Pool, waiting: deque[tuple[Task, Future[Labelled]]]) -> tuple[Task, Labelled]:
    """Take the first task; if a worker has died, do it anew, and those behind it that were lost."""
    task, future = waiting.popleft()
    try:
        return task, future.result()
    except BrokenExecutor:
        made = pool.again(task.items)
    for index, (later, lost) in enumerate(waiting):
        if not lost.done() or lost.cancelled() or lost.exception():
            waiting[index] = (later, pool.submit(later.items))
    return task, made


_labeller: Labeller | None = None


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ignore an interrupt for some milliseconds; only the main thread can say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(labeller: Labeller, parent: int) -> None:
    """Begin a worker, which keeps the model."""
    global _labeller
    _labeller = labeller
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone; nobody else would tell it after a kill."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _work(items: Sequence[Item]) -> Labelled:
    assert _labeller is not None
    return _labeller(items)
