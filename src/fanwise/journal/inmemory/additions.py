"""What a worker adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio.lowlevel

from fanwise.canonical import digest
from fanwise.journal.numbers import check_place
from fanwise.journal.records import (
    AnswerRecord,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    BlockRecord,
    EndRecord,
    ReachedRecord,
    RejectRecord,
    RowRecord,
    RowResult,
    TaskRecord,
    TextRecord,
    TurnRecord,
    checked,
)  # fmt: skip

from .contents import ContentsInMemory


class AdditionsInMemory(ContentsInMemory):
    """Records as they come, and the numbers that are given out for them."""

    def next_attempt(self) -> int:
        """Return a new attempt number, never used before in this run."""
        return self._numbers.next()

    def next_intent(self) -> int:
        """Return a new number for a batch intent."""
        self._intent += 1
        return self._intent

    def add_row(self, record: RowRecord) -> None:
        """Add a row that was read, in the place of an earlier record of its number, and of its id."""
        self._rows[record.number] = record
        numbers = self._rows_of_id[record.row_id]
        for before in [row for number in numbers if (row := self._rows.get(number)) and number != record.number]:
            if record.session > 1 and before.row_id == record.row_id and before.session < record.session:
                del self._rows[before.number]
        numbers.add(record.number)

    def add_reject(self, record: RejectRecord) -> None:
        """Add a record of the rows file that was set aside, in the place of an earlier one of its number."""
        self._rejects[record.number] = record

    def add_text(self, text: str) -> str:
        """Add a text once, by content; return its hash."""
        sha = digest(text)
        self._texts.setdefault(sha, TextRecord(sha, text))
        return sha

    def add_block(self, record: BlockRecord) -> None:
        """Add a block of context once, by its hash."""
        self._blocks.setdefault(record.sha, record)

    def add_task(self, record: TaskRecord) -> None:
        """Add the outcome of a task, in the place of an earlier one of its key."""
        self._tasks[record.key] = record

    def add_turn(self, record: TurnRecord) -> None:
        """Add a round of tools, in the place of an earlier record of its task and number."""
        self._turns[record.key][record.number] = record

    def add_attempt(self, record: AttemptRecord, asks: Sequence[AskRecord] = ()) -> None:
        """Add the intent of a request, with the tasks that it serves."""
        record = checked(record, asks)
        self._numbers.use(record.id)
        self._attempts[record.id] = record
        self._asks[record.id] = []
        for ask in asks:
            self._keep_ask(ask)
        if record.intent is not None:
            self._of_intent[record.intent].append(record.id)

    def add_ask(self, record: AskRecord) -> None:
        """Add a task that an attempt serves as well, in the next place: shares of its price change."""
        check_place(record.attempt, record.place, len(self._asks.get(record.attempt, ())))
        self._keep_ask(record)

    def _keep_ask(self, ask: AskRecord) -> None:
        self._asks[ask.attempt].append(ask)
        self._of_row[ask.row].append(ask)
        self._of_id[ask.row_id].append(ask)
        self._of_key[ask.key].append((ask.attempt, ask.place))

    def add_end(self, record: EndRecord) -> None:
        """Add the end of an attempt; the first one stays."""
        self._ends.setdefault(record.attempt, record)

    def add_answer(self, record: AnswerRecord) -> None:
        """Add what a model said in answer to an ask, in the place of an earlier one."""
        self._answers[record.attempt, record.place] = record

    def add_batch(self, record: BatchRecord) -> None:
        """Add what is known of a batch, in the place of an earlier record of its intent."""
        self._batches[record.intent] = record
        self._intent = max(self._intent, record.intent)

    def add_result(self, record: RowResult) -> None:
        """Add the end of a row on one arm, in the place of an earlier one."""
        self._results[record.row, record.arm] = record
        self._ended.add(record.row)

    def add_reached(self, record: ReachedRecord) -> None:
        """Add a task that a row needs as it is now, whose asks and outcome become this row's."""
        self._reached[record.key] = record
        for attempt, place in self._of_key.get(record.key, ()):
            ask = self._asks[attempt][place]
            moved = self._asks[attempt][place] = replace(ask, row=record.row)
            self._of_row[ask.row].remove(ask)
            self._of_row[record.row].append(moved)
        task = self._tasks.get(record.key)
        if task is not None:
            self._tasks[record.key] = replace(task, row=record.row)

    def recount(self, attempt: int, repeated: int) -> None:
        """Correct how many characters of an attempt its row had sent before."""
        self._attempts[attempt] = replace(self._attempts[attempt], repeated=repeated)

    async def commit(self) -> None:
        """Let others run: what was added is as durable as it gets."""
        await anyio.lowlevel.checkpoint()
