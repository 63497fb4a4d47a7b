"""What a worker adds."""

from __future__ import annotations

from collections.abc import Sequence

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

from .commits import Recount
from .contents import WritableContents

SHORT, MOST_SHORT = 200, 1_000
"""Characters of a text that is remembered, and how many of them are, so that none is written twice."""


class AdditionsInSqlite(WritableContents):
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
        self._commits.add(RowRecord, record)

    def add_reject(self, record: RejectRecord) -> None:
        """Add a record of the rows file that was set aside."""
        self._commits.add(RejectRecord, record)

    def add_text(self, text: str) -> str:
        """Add a text once, by content; return its hash."""
        sha = self._texts.get(text)
        if sha is not None:
            return sha
        sha = digest(text)
        self._commits.add(TextRecord, TextRecord(sha, text))
        if len(text) <= SHORT:  # answers are often the same few, such as labels
            if len(self._texts) >= MOST_SHORT:
                self._texts.clear()
            self._texts[text] = sha
        return sha

    def add_block(self, record: BlockRecord) -> None:
        """Add a block of context once, by its hash."""
        self._commits.add(BlockRecord, record)

    def add_task(self, record: TaskRecord) -> None:
        """Add the outcome of a task."""
        self._commits.add(TaskRecord, record)

    def add_turn(self, record: TurnRecord) -> None:
        """Add a round of tools."""
        self._commits.add(TurnRecord, record)

    def add_attempt(self, record: AttemptRecord, asks: Sequence[AskRecord] = ()) -> None:
        """Add the intent of a request, with the tasks that it serves."""
        record = checked(record, asks)
        self._numbers.use(record.id)
        self._commits.add(AttemptRecord, record)
        self._commits.add_asks(record.id, asks, len(asks))

    def add_ask(self, record: AskRecord) -> None:
        """Add a task that an attempt serves as well."""
        check_place(record.attempt, record.place, self.tasks_of(record.attempt))
        self._commits.add_asks(record.attempt, (record,), record.place + 1)

    def tasks_of(self, attempt: int) -> int:
        """Return how many tasks an attempt serves, those that are not durable yet among them."""
        served = self._commits.served(attempt)
        return self._value("SELECT COUNT(*) FROM asks WHERE attempt=?", attempt) if served is None else served

    def add_end(self, record: EndRecord) -> None:
        """Add the end of an attempt; the first one stays."""
        self._commits.add(EndRecord, record)

    def add_answer(self, record: AnswerRecord) -> None:
        """Add what a model said in answer to an ask."""
        self._commits.add(AnswerRecord, record)

    def add_batch(self, record: BatchRecord) -> None:
        """Add what is known of a batch."""
        self._intent = max(self._intent, record.intent)
        self._commits.add(BatchRecord, record)

    def add_result(self, record: RowResult) -> None:
        """Add the end of a row on one arm."""
        self._commits.add(RowResult, record)

    def add_reached(self, record: ReachedRecord) -> None:
        """Add a task that a row needs as it is now, whose asks and outcome become this row's."""
        self._commits.add(ReachedRecord, record)

    def recount(self, attempt: int, repeated: int) -> None:
        """Correct how many characters of an attempt, which is durable, its row had sent before."""
        self._commits.recount(Recount(attempt, repeated))

    async def commit(self) -> None:
        """Return when all that was added before this call is durable.

        Raises:
            NotKeptError: It could not be written, for nobody who waits; it is tried again with what comes after.
        """
        await self._commits.commit()
