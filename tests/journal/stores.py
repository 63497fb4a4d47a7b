"""The stores that keep one contract, and records for their tests. Another store is one line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fanwise.journal.memory import MemoryJournal
from fanwise.journal.port import Journal
from fanwise.journal.records import (
    NO_TOKENS,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    Channel,
    EndRecord,
    Record,
    Served,
    TaskRecord,
    Why,
)
from fanwise.journal.sqlite import SqliteJournal
from fanwise.pricing.usage import Usage

Open = Callable[[Path], Journal]
"""Opens the store of a folder, or makes it."""


def memories() -> Open:
    """Journals in memory, each for as long as the test lasts."""
    kept: dict[Path, MemoryJournal] = {}
    return lambda folder: kept.setdefault(folder, MemoryJournal())


STORES: dict[str, Callable[[], Open]] = {
    "memory": memories,
    "sqlite": lambda: lambda folder: SqliteJournal(folder / "journal.db"),
}


@contextmanager
def both() -> Iterator[list[Journal]]:
    """One journal of each kind, all empty."""
    with TemporaryDirectory() as folder:
        journals = [store()(Path(folder)) for store in STORES.values()]
        yield journals
        for journal in journals:
            journal.close()


def sent(
    number: int,
    *tasks: tuple[str, int],
    why: Why = "first",
    arm: str = "fanout",
    agent: str = "a",
    model: str = "m",
    channel: Channel = "live",
    intent: int | None = None,
    at: float = 1.0,
) -> Served:
    """An attempt that serves tasks, each a key with its row."""
    attempt = AttemptRecord(
        id=number, arm=arm, agent=agent, model=model, channel=channel, why=why, request_hash=f"h{number}", reserved=100,
        sent=at, intent=intent, chars=50, bound=1_000,
    )  # fmt: skip
    asks = [
        AskRecord(attempt=number, place=place, key=key, row=row, node="n", label="n", number=1)
        for place, (key, row) in enumerate(tasks)
    ]
    return Served(attempt, tuple(asks))


def ended(attempt: int, cost: int | None = 7, status: Any = "succeeded", usage: Usage = NO_TOKENS) -> EndRecord:
    return EndRecord(attempt=attempt, at=2.0, status=status, usage=usage, cost=cost)


def done(key: str, output: str | None = "o", message: str = "") -> TaskRecord:
    return TaskRecord(
        key=key, row=1, arm="fanout", node="n", label="n", agent="a", status="failed" if message else "done",
        output=output, message=message,
    )  # fmt: skip


def batch(intent: int, state: Any, batch_id: str | None = None, size: int = 2) -> BatchRecord:
    return BatchRecord(intent=intent, size=size, at=1.0, batch_id=batch_id, state=state)


def kept(journal: Journal, kind: type[Record]) -> list[Any]:
    """All records of a kind."""
    return [record for record in journal.records() if isinstance(record, kind)]
