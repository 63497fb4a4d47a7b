"""Records by their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanwise.journal.records import AnswerRecord, ArmName, AskRecord, AttemptRecord, RowRecord, Served, TaskRecord

from .contents import ContentsInMemory


class LookupsInMemory(ContentsInMemory):
    """Tasks, their attempts, rows and texts."""

    def task(self, key: str) -> TaskRecord | None:
        """Return the outcome of a task, if it has one."""
        return self._tasks.get(key)

    def said(self, key: str) -> str | None:
        """Return what a model said last in answer to a task, as canonical JSON; None where nothing is kept of it."""
        answers = [self._answers[place] for place in self._of_key.get(key, ()) if place in self._answers]
        return self.text(max(answers).output) if answers else None

    def turns(self, key: str) -> list[tuple[str | None, str | None]]:
        """Return the rounds of tools of a task: message and results, as JSON; None where it is not there."""
        turns = self._turns.get(key, {})
        return [(self.text(turns[number].message), self.text(turns[number].results)) for number in sorted(turns)]

    def attempt(self, number: int) -> Served | None:
        """Return an attempt by its number, with the tasks that it serves."""
        record = self._attempts.get(number)
        return None if record is None else Served(attempt=record, asks=tuple(self._asks[number]))

    def text(self, sha: str) -> str | None:
        """Return a text by its hash; None where it was purged or never added."""
        record = self._texts.get(sha)
        return None if record is None else record.text

    def attempts_of(self, key: str) -> int:
        """Return how many attempts a task has had."""
        return len(self._of_key.get(key, ()))

    def first_attempt(self, key: str) -> AttemptRecord | None:
        """Return the first attempt of a task."""
        return self._attempts[min(self._of_key[key])[0]] if self._of_key.get(key) else None

    def tasks_of(self, attempt: int) -> int:
        """Return how many tasks an attempt serves."""
        return len(self._asks.get(attempt, ()))

    def serves_several(self) -> bool:
        """Return whether any attempt serves several tasks."""
        return any(len(asks) > 1 for asks in self._asks.values())

    def asks_of(self, key: str, row: int | None = None) -> list[AskRecord]:
        """Return what was asked for a task, in the order of the attempts."""
        asks = [self._asks[attempt][place] for attempt, place in sorted(self._of_key.get(key, ()))]
        return [ask for ask in asks if row is None or ask.row == row]

    def answer(self, attempt: int, place: int) -> AnswerRecord | None:
        """Return what a model said to the ask at a place of an attempt."""
        return self._answers.get((attempt, place))

    def works(self) -> Iterator[tuple[str, int]]:
        """Yield what equal tasks have in common of each input that an attempt shows, and the number of the attempt."""
        for attempt, asks in self._asks.items():
            for work in dict.fromkeys(ask.work for ask in asks if ask.work):
                yield work, attempt

    def first_by_label(self, row_id: str, arm: ArmName) -> dict[str, int]:
        """Return the numbers of the first attempts for a row on an arm, by the labels of the tasks."""
        firsts: dict[str, int] = {}
        for ask in self._of_id.get(row_id, ()):
            if self._attempts[ask.attempt].arm == arm:
                firsts[ask.label] = min(ask.attempt, firsts.get(ask.label, ask.attempt))
        return firsts

    def is_elsewhere(self, key: str, row: int) -> bool:
        """Return whether a task that a row needs has an outcome, or was sent, when this row had another number."""
        task = self._tasks.get(key)
        is_sent = any(self._asks[attempt][place].row != row for attempt, place in self._of_key.get(key, ()))
        return is_sent or (task is not None and task.row != row)

    def has_records(self, row: int) -> bool:
        """Return whether anything was sent for a row of this number, or one has ended."""
        return bool(self._of_row.get(row)) or row in self._ended

    def row(self, number: int) -> RowRecord | None:
        """Return the row of a number as it was read last."""
        return self._rows.get(number)

    def known_ids(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the rows with these ids that this session has read: of each id its last row."""
        numbers = {row_id: self._read_with(row_id) for row_id in ids if row_id in self._rows_of_id}
        return {row_id: max(read) for row_id, read in numbers.items() if read}

    def _read_with(self, row_id: str) -> list[int]:
        """Return the numbers of the rows that have an id, as this session has read them."""
        rows = (self._rows.get(number) for number in self._rows_of_id[row_id])
        return [row.number for row in rows if row and row.row_id == row_id and row.session == self.session]
