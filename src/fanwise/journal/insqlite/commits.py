"""Group commit: records are buffered and written by whoever waits first, for everyone who waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.to_thread

from fanwise.errors import NotKeptError
from fanwise.journal.records import AskRecord, Record

from .writer import Buffer, Recount, Writer


class _Flush:
    """One write of the buffer, by one task, for all who wait for it."""

    def __init__(self, reached: int) -> None:
        self.reached = reached
        """How many of the records that were added are durable when it has succeeded."""
        self.over = anyio.Event()
        self.error: NotKeptError | None = None
        """Why it failed."""

    def fail(self, error: NotKeptError) -> None:
        """Take note that it failed, before it is over."""
        self.error = error


class Commits:
    """What of a journal is not written yet, and who waits for it."""

    def __init__(self, writer: Writer) -> None:
        """Begin with nothing to write.

        Args:
            writer: What it is written by.
        """
        self._writer = writer
        self._buffer = defaultdict[type[Any], list[Any]](list)
        self._served: dict[int, int] = {}
        """How many tasks each attempt serves of which something is in the buffer."""
        self._being_written: dict[int, int] = {}
        """The same of what is being written, and may not be seen yet by who reads."""
        self._added = self._durable = 0
        self._flushing: _Flush | None = None

    def add(self, kind: type[Record], record: Record) -> None:
        """Keep a record until the next write."""
        self._buffer[kind].append(record)
        self._added += 1

    def add_asks(self, attempt: int, asks: Sequence[AskRecord], total: int) -> None:
        """Keep asks of an attempt until the next write.

        Args:
            attempt: Its number.
            asks: What is added.
            total: How many tasks the attempt serves with them.
        """
        self._buffer[AskRecord].extend(asks)
        self._added += len(asks)
        self._served[attempt] = total

    def recount(self, correction: Recount) -> None:
        """Keep a correction until the next write."""
        self._buffer[Recount].append(correction)
        self._added += 1

    def served(self, attempt: int) -> int | None:
        """Return how many tasks an attempt serves; None where nothing of it waits to be written or seen."""
        return self._served.get(attempt, self._being_written.get(attempt))

    def write(self) -> None:
        """Write what is buffered, at once; nobody who waits is told.

        Raises:
            NotKeptError: It cannot be written.
        """
        self._writer.write(*self._take())

    async def commit(self) -> None:
        """Return when all that was added before this call is durable.

        Raises:
            NotKeptError: It could not be written, for nobody who waits; it is tried again with what comes after.
        """
        goal = self._added
        while self._durable < goal:
            flush = self._flushing
            if flush is None:
                flush = self._flushing = _Flush(self._added)
                await self._flush(flush)
            else:
                await flush.over.wait()
            if flush.error is not None and flush.reached >= goal:
                raise NotKeptError(flush.error.reason) from flush.error

    async def _flush(self, flush: _Flush) -> None:
        """Write what is in the buffer, for all who wait."""
        work = self._take()
        try:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._writer.write, *work)
            self._durable = flush.reached
        except BaseException as error:
            self._put_back(*work)  # for whoever waits beside this one: it is written with what they have added
            if not isinstance(error, NotKeptError):
                raise
            flush.fail(error)
        finally:
            self._flushing = None
            flush.over.set()

    def _take(self) -> tuple[Buffer, dict[int, int]]:
        """Empty the buffer; return what was in it."""
        work = self._buffer, self._served
        self._being_written = self._served
        self._buffer, self._served = defaultdict[type[Any], list[Any]](list), {}
        return work

    def _put_back(self, buffer: Buffer, served: dict[int, int]) -> None:
        """Put what could not be written before what has come into the buffer since."""
        for kind, records in self._buffer.items():
            buffer[kind] = [*buffer.get(kind, ()), *records]
        self._buffer = defaultdict[type[Any], list[Any]](list, buffer)
        self._served = served | self._served
