"""All that a journal in memory holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fanwise.journal.numbers import AttemptNumbers
from fanwise.journal.records import (
    AnswerRecord,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    BlockRecord,
    EditRecord,
    EndRecord,
    MetaRecord,
    ReachedRecord,
    Record,
    RejectRecord,
    RowRecord,
    RowResult,
    SessionRecord,
    TaskRecord,
    TextRecord,
    TurnRecord,
)  # fmt: skip


class ContentsInMemory:
    """The records, and what finds them."""

    def __init__(self) -> None:
        self.session: int = 0
        """Number of the session that was started last, from 1; 0 before the first."""
        self._meta: dict[str, str] = {}
        self._sessions: dict[int, SessionRecord] = {}
        self._rows: dict[int, RowRecord] = {}
        self._rows_of_id = defaultdict[str, set[int]](set)
        """Numbers of the rows that have an id, or had it."""
        self._rejects: dict[int, RejectRecord] = {}
        self._texts: dict[str, TextRecord] = {}
        self._blocks: dict[str, BlockRecord] = {}
        self._tasks: dict[str, TaskRecord] = {}
        self._turns = defaultdict[str, dict[int, TurnRecord]](dict)
        """By task and number."""
        self._attempts: dict[int, AttemptRecord] = {}
        self._asks: dict[int, list[AskRecord]] = {}
        """By attempt, in the order of their places."""
        self._of_row = defaultdict[int, list[AskRecord]](list)
        self._of_id = defaultdict[str, list[AskRecord]](list)
        """By the row's id, with the row's number as it was."""
        self._of_key = defaultdict[str, list[tuple[int, int]]](list)
        """Attempt and place of each ask of a task."""
        self._of_intent = defaultdict[int, list[int]](list)
        """Attempts in each batch."""
        self._ends: dict[int, EndRecord] = {}
        self._answers: dict[tuple[int, int], AnswerRecord] = {}
        self._batches: dict[int, BatchRecord] = {}
        self._results: dict[tuple[int, str], RowResult] = {}
        self._ended = set[int]()
        """Numbers of the rows that have a result."""
        self._edits: dict[str, EditRecord] = {}
        self._reached: dict[str, ReachedRecord] = {}
        self._numbers = AttemptNumbers()
        self._intent = 0

    def close(self) -> None:
        """Forget the numbers that were given out for nothing; what was added stays for as long as the object does."""
        self._numbers = AttemptNumbers(max(self._attempts, default=0))
        self._intent = max(self._batches, default=0)

    def records(self) -> Iterator[Record]:
        """Yield all that is kept, kind by kind."""
        for key, value in self._meta.items():
            yield MetaRecord(key, value)
        yield from self._sessions.values()
        yield from self._rows.values()
        yield from self._rejects.values()
        yield from self._texts.values()
        yield from self._blocks.values()
        yield from self._tasks.values()
        yield from self._attempts.values()
        for asks in self._asks.values():
            yield from asks
        yield from self._answers.values()
        for turns in self._turns.values():
            yield from turns.values()
        yield from self._ends.values()
        yield from self._batches.values()
        yield from self._results.values()
        yield from self._edits.values()
        yield from self._reached.values()
