"""The journal in memory: for plans and tests, and the reference for every other store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import anyio.lowlevel

from fanwise.canonical import digest

from .numbers import AttemptNumbers, check_place
from .records import (
    AnswerLengths,
    AnswerRecord,
    ArmName,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    Billed,
    BlockRecord,
    EditRecord,
    EndRecord,
    MetaRecord,
    ReachedRecord,
    Record,
    RejectRecord,
    RowRecord,
    RowResult,
    Served,
    SessionRecord,
    Spent,
    TaskRecord,
    TextRecord,
    TurnRecord,
    checked,
)


def share(amount: int, asks: int, place: int) -> int:
    """Return an ask's share of an amount: equal parts, what cannot be divided one by one to the first asks.

    Args:
        amount: Of the whole attempt.
        asks: How many tasks it serves.
        place: Of the ask among them, from 0.
    """
    part, rest = divmod(amount, asks)
    return part + (place < rest)


class MemoryJournal:
    """A journal in memory; durable for as long as the object lives."""

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

    # The run and its sessions ------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """Return a setting of the run."""
        return self._meta.get(key)

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the run."""
        self._meta[key] = value

    def set_edit(self, record: EditRecord) -> None:
        """Keep when the graph of an arm was changed."""
        self._edits[record.arm] = record

    def start_session(self, at: float, channel: str, changed: str) -> int:
        """Record that a worker begins; return the session's number."""
        self.session += 1
        self._sessions[self.session] = SessionRecord(id=self.session, started=at, channel=channel, changed=changed)
        return self.session

    def session_start(self) -> float:
        """Return when the present session began, in seconds since 1970; 0 before the first."""
        return self._sessions[self.session].started if self._sessions else 0.0

    def end_session(self, at: float, how: str) -> None:
        """Record when and how the present session ended, if there is one."""
        if self.session:
            self._sessions[self.session] = replace(self._sessions[self.session], ended=at, how=how)

    def lose_open(self, at: float) -> int:
        """End the live attempts that a killed session left open as lost; return how many."""
        pending = [
            number
            for number, attempt in self._attempts.items()
            if attempt.channel == "live" and number not in self._ends
        ]
        for number in pending:
            message = "the process ended before the reply came"
            self._ends[number] = EndRecord(
                attempt=number, at=at, status="lost", kind="killed", message=message, cost=None
            )
        return len(pending)

    def drop_stale_rows(self) -> None:
        """Forget rows and rejects that the present session, having read all, did not see."""
        session = self.session
        self._rows = {number: row for number, row in self._rows.items() if row.session >= session}
        self._rejects = {number: reject for number, reject in self._rejects.items() if reject.session >= session}

    def purge(self) -> int:
        """Forget all content; the account stays. Return how many records had some."""
        removed = len(self._texts) + len(self._blocks) + len(self._rejects)
        self._texts.clear()
        self._blocks.clear()
        for number, reject in self._rejects.items():
            self._rejects[number] = reject._replace(reason="", raw="")
        for key, task in self._tasks.items():
            removed += bool(task.message)
            self._tasks[key] = replace(task, message="")
        for number, end in self._ends.items():
            removed += bool(end.message)
            self._ends[number] = replace(end, message="")
        for place, result in self._results.items():
            removed += bool(result.reason)
            self._results[place] = result._replace(reason="")
        return removed

    # Records -----------------------------------------------------------------------------------

    def add_row(self, record: RowRecord) -> None:
        """Add a row that was read, in the place of an earlier record of its number, and of its id."""
        self._rows[record.number] = record
        numbers = self._rows_of_id[record.row_id]
        for before in [row for number in numbers if (row := self._rows.get(number)) and number != record.number]:
            if self.session > 1 and before.row_id == record.row_id and before.session < record.session:
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

    # Look-ups ----------------------------------------------------------------------------------

    def next_attempt(self) -> int:
        """Return a new attempt number, never used before in this run."""
        return self._numbers.next()

    def next_intent(self) -> int:
        """Return a new number for a batch intent."""
        self._intent += 1
        return self._intent

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

    def has_records(self, row: int) -> bool:
        """Return whether anything was sent for a row of this number, or one has ended."""
        return bool(self._of_row.get(row)) or row in self._ended

    def is_elsewhere(self, key: str, row: int) -> bool:
        """Return whether a task that a row needs has an outcome, or was sent, when this row had another number."""
        task = self._tasks.get(key)
        is_sent = any(self._asks[attempt][place].row != row for attempt, place in self._of_key.get(key, ()))
        return is_sent or (task is not None and task.row != row)

    def first_attempt(self, key: str) -> AttemptRecord | None:
        """Return the first attempt of a task."""
        return self._attempts[min(self._of_key[key])[0]] if self._of_key.get(key) else None

    def first_by_label(self, row_id: str, arm: ArmName) -> dict[str, int]:
        """Return the numbers of the first attempts for a row on an arm, by the labels of the tasks."""
        firsts: dict[str, int] = {}
        for ask in self._of_id.get(row_id, ()):
            if self._attempts[ask.attempt].arm == arm:
                firsts[ask.label] = min(ask.attempt, firsts.get(ask.label, ask.attempt))
        return firsts

    def row(self, number: int) -> RowRecord | None:
        """Return the row of a number as it was read last."""
        return self._rows.get(number)

    def edits(self) -> dict[str, int]:
        """Return by arm the session since which its graph is as it is; without those that were never changed."""
        return {arm: edit.session for arm, edit in self._edits.items()}

    def known_ids(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the rows with these ids that this session has read: of each id its last row."""
        numbers = {row_id: self._read_with(row_id) for row_id in ids if row_id in self._rows_of_id}
        return {row_id: max(read) for row_id, read in numbers.items() if read}

    def _read_with(self, row_id: str) -> list[int]:
        """Return the numbers of the rows that have an id, as this session has read them."""
        rows = (self._rows.get(number) for number in self._rows_of_id[row_id])
        return [row.number for row in rows if row and row.row_id == row_id and row.session == self.session]

    def open_batches(self) -> list[BatchRecord]:
        """Return the batches that have not ended, oldest first."""
        pending = [batch for batch in self._batches.values() if batch.state in ("intent", "adopted", "created")]
        return sorted(pending, key=lambda batch: batch.intent)

    def batch_ids(self) -> set[str]:
        """Return the ids of all batches of the run that are certainly its own."""
        batches = self._batches.values()
        return {batch.batch_id for batch in batches if batch.batch_id is not None and batch.state != "adopted"}

    def owns(self, intent: int, attempt: int) -> bool:
        """Return whether an attempt belongs to a batch intent, ended or not."""
        record = self._attempts.get(attempt)
        return record is not None and record.intent == intent

    def open_attempts(self, intent: int) -> Iterator[Served]:
        """Yield the attempts of a batch that have no end, in the order of their numbers."""
        for number in sorted(self._of_intent.get(intent, ())):
            if number not in self._ends:
                yield Served(attempt=self._attempts[number], asks=tuple(self._asks[number]))

    # What earlier sessions have shown ----------------------------------------------------------

    def spent(self, row: int | None = None) -> Spent:
        """Return what counts against a budget, of the run or a row: what is paid, and bounds of what is unknown."""
        cost = tokens = 0
        for asks, place, attempt in self._parts(row):
            end = self._ends.get(attempt)
            if end is not None:
                record = self._attempts[attempt]
                cost_is_known = end.status != "lost" and end.cost is not None
                cost += share((end.cost if cost_is_known else record.reserved) or 0, asks, place)
                # Thinking and searches are no tokens of their own.
                counts = (record.bound,) if end.tokens is None else end.usage[:5]
                tokens += sum(share(count, asks, place) for count in counts)
        return Spent(cost, tokens)

    def _parts(self, row: int | None) -> Iterator[tuple[int, int, int]]:
        """Yield what a row, or the run, has of attempts: how many asks share one, the place of the ask, the attempt."""
        if row is None:
            yield from ((1, 0, number) for number in self._attempts)
        else:
            yield from ((len(self._asks[ask.attempt]), ask.place, ask.attempt) for ask in self._of_row.get(row, ()))

    def _answered(self) -> Iterator[tuple[AttemptRecord, EndRecord]]:
        """Yield the attempts that serve tasks, have succeeded and took tokens that are known, with their ends."""
        for number, end in self._ends.items():
            if end.status == "succeeded" and end.tokens is not None and self._asks.get(number):
                yield self._attempts[number], end

    def outputs(self) -> list[AnswerLengths]:
        """Return how long the answers of each agent on each model were."""
        answers, tokens = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
        for attempt, end in self._answered():
            role = (attempt.arm, attempt.agent, attempt.model)
            answers[role] += 1
            tokens[role] += end.usage.output
        return [AnswerLengths(*role, answers=answers[role], tokens=tokens[role]) for role in sorted(answers)]

    def sent_and_billed(self, since: float) -> dict[str, Billed]:
        """Return by model the characters sent since a moment and the input tokens that were billed for them."""
        sums: dict[str, Billed] = {}
        for attempt, end in self._answered():
            if attempt.sent >= since:
                chars, tokens = sums.get(attempt.model, (0, 0))
                sums[attempt.model] = Billed(chars + attempt.chars, tokens + end.usage.prompt)
        return sums
