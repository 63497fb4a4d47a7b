"""What a worker asks of a store: the Protocol that every store keeps.

A worker is an engine with its dispatch, and the session around them. Nothing here names a kind of store.
The account is no part of it: it is read from SQLite alone, into which any other store is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

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
    ReachedRecord,
    Record,
    RejectRecord,
    RowRecord,
    RowResult,
    Served,
    Spent,
    TaskRecord,
    TurnRecord,
)  # fmt: skip


class Journal(Protocol):
    """The store of one run, held by one worker; used by one event loop.

    `add_*` never waits; `commit` returns when all that was added before it is durable. A look-up sees what
    is durable, and perhaps what was added since.
    """

    session: int
    """Number of the session that was started last, from 1; 0 before the first."""

    # The run and its sessions --------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """Return a setting of the run."""
        ...

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the run, at once."""
        ...

    def edits(self) -> dict[str, int]:
        """Return by arm the session since which its graph is as it is; without those that were never changed."""
        ...

    def set_edit(self, record: EditRecord) -> None:
        """Keep when the graph of an arm was changed, at once, in the place of an earlier record of the arm."""
        ...

    def start_session(self, at: float, channel: str, changed: str) -> int:
        """Record that a worker begins; return the session's number.

        Args:
            at: The moment, in seconds since 1970.
            channel: What was chosen: live, batch or auto.
            changed: What differs from the session before, in words.
        """
        ...

    def session_start(self) -> float:
        """Return when the present session began, in seconds since 1970; 0 before the first."""
        ...

    def end_session(self, at: float, how: str) -> None:
        """Record when and how the present session ended, if there is one."""
        ...

    def lose_open(self, at: float) -> int:
        """End the live attempts that a killed session left open as lost; return how many."""
        ...

    def drop_stale_rows(self) -> None:
        """Forget rows and rejects that the present session, having read all, did not see."""
        ...

    def purge(self) -> int:
        """Forget all content; the account stays. Return how many records had some."""
        ...

    # Additions -----------------------------------------------------------------------------------

    def next_attempt(self) -> int:
        """Return a new attempt number, never used before in this run."""
        ...

    def next_intent(self) -> int:
        """Return a new number for a batch intent."""
        ...

    def add_row(self, record: RowRecord) -> None:
        """Add a row that was read, in the place of an earlier record of its number.

        What earlier sessions have read of its id under other numbers goes: a row stands at one line.
        """
        ...

    def add_reject(self, record: RejectRecord) -> None:
        """Add a record of the rows file that was set aside, in the place of an earlier one of its number."""
        ...

    def add_text(self, text: str) -> str:
        """Add a text once, by content; return its hash."""
        ...

    def add_block(self, record: BlockRecord) -> None:
        """Add a block of context once, by its hash."""
        ...

    def add_task(self, record: TaskRecord) -> None:
        """Add the outcome of a task, in the place of an earlier one of its key."""
        ...

    def add_turn(self, record: TurnRecord) -> None:
        """Add a round of tools, in the place of an earlier record of its task and number."""
        ...

    def add_attempt(self, record: AttemptRecord, asks: Sequence[AskRecord] = ()) -> None:
        """Add the intent of a request, with the tasks that it serves.

        Its number is one that `next_attempt` gave and that was not added yet, or higher than all of the run.

        Raises:
            ValueError: Its `why` is no word of `REASONS`, or does not go with its asks; or its number is another's.
        """
        ...

    def add_ask(self, record: AskRecord) -> None:
        """Add a task that an attempt serves as well, in the next place: shares of its price change.

        Raises:
            ValueError: There is no attempt of that number which serves tasks, or the place is not the next.
        """
        ...

    def add_end(self, record: EndRecord) -> None:
        """Add the end of an attempt; the first one stays."""
        ...

    def add_answer(self, record: AnswerRecord) -> None:
        """Add what a model said in answer to an ask, in the place of an earlier one."""
        ...

    def add_batch(self, record: BatchRecord) -> None:
        """Add what is known of a batch, in the place of an earlier record of its intent."""
        ...

    def add_result(self, record: RowResult) -> None:
        """Add the end of a row on one arm, in the place of an earlier one."""
        ...

    def add_reached(self, record: ReachedRecord) -> None:
        """Add a task that a row needs as it is now, in the place of an earlier record of its key.

        Its asks and its outcome that were added before become this row's.
        """
        ...

    def recount(self, attempt: int, repeated: int) -> None:
        """Correct how many characters of an attempt, which is durable, its row had sent before."""
        ...

    async def commit(self) -> None:
        """Return when all that was added before this call is durable.

        Raises:
            NotKeptError: It cannot be made durable; nobody who waits for it is told otherwise, and what was durable
                before is. It is tried again with what is added after.
        """
        ...

    # Look-ups ------------------------------------------------------------------------------------

    def task(self, key: str) -> TaskRecord | None:
        """Return the outcome of a task, if it has one."""
        ...

    def said(self, key: str) -> str | None:
        """Return what a model said last in answer to a task, as canonical JSON; None where nothing is kept of it."""
        ...

    def turns(self, key: str) -> list[tuple[str | None, str | None]]:
        """Return the rounds of tools of a task: message and results, as JSON; None where it is not there."""
        ...

    def attempt(self, number: int) -> Served | None:
        """Return an attempt by its number, with the tasks that it serves, once it is durable."""
        ...

    def text(self, sha: str) -> str | None:
        """Return a text by its hash; None where it was purged or never added."""
        ...

    def attempts_of(self, key: str) -> int:
        """Return how many attempts a task has had."""
        ...

    def first_attempt(self, key: str) -> AttemptRecord | None:
        """Return the first attempt of a task, once it is durable."""
        ...

    def tasks_of(self, attempt: int) -> int:
        """Return how many tasks an attempt serves, those that are not durable yet among them."""
        ...

    def serves_several(self) -> bool:
        """Return whether any attempt serves several tasks, as far as that is durable."""
        ...

    def asks_of(self, key: str, row: int | None = None) -> list[AskRecord]:
        """Return what was asked for a task, in the order of the attempts, once that is durable.

        Args:
            key: The task's.
            row: Its row, by which it is found in a session that was not resumed; None: by its key.
        """
        ...

    def answer(self, attempt: int, place: int) -> AnswerRecord | None:
        """Return what a model said to the ask at a place of an attempt, once that is durable."""
        ...

    def works(self) -> Iterator[tuple[str, int]]:
        """Yield what equal tasks have in common of each input that an attempt shows, and the number of the attempt."""
        ...

    def first_by_label(self, row_id: str, arm: ArmName) -> dict[str, int]:
        """Return the numbers of the first attempts for a row on an arm, by the labels of the tasks.

        Those that do not count any more are among them. By its id: whoever had the row's number before it is another.
        """
        ...

    def is_elsewhere(self, key: str, row: int) -> bool:
        """Return whether a task that a row needs has an outcome, or was sent, when this row had another number."""
        ...

    def has_records(self, row: int) -> bool:
        """Return whether anything was sent for a row of this number, or one has ended."""
        ...

    def row(self, number: int) -> RowRecord | None:
        """Return the row of a number as it was read last, once that is durable."""
        ...

    def known_ids(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the rows with these ids that this session has read: of each id its last row."""
        ...

    # Batches -------------------------------------------------------------------------------------

    def open_batches(self) -> list[BatchRecord]:
        """Return the batches that have not ended, oldest first."""
        ...

    def batch_ids(self) -> set[str]:
        """Return the ids of all batches of the run that are certainly its own."""
        ...

    def owns(self, intent: int, attempt: int) -> bool:
        """Return whether an attempt belongs to a batch intent, ended or not."""
        ...

    def open_attempts(self, intent: int) -> Iterator[Served]:
        """Yield the attempts of a batch that have no end, in the order of their numbers."""
        ...

    # Figures: what earlier sessions have shown ---------------------------------------------------

    def spent(self, row: int | None = None) -> Spent:
        """Return what counts against a budget, of the run or a row: what is paid, and bounds of what is unknown."""
        ...

    def outputs(self, since: Mapping[str, float]) -> list[AnswerLengths]:
        """Return how long the answers of each agent on each model were, as far as that is known.

        Args:
            since: By arm and agent, with a space between them, the moment from which on its answers are looked at.
        """
        ...

    def sent_and_billed(self, since: float) -> dict[str, Billed]:
        """Return by model the characters sent since a moment and the input tokens that were billed for them."""
        ...

    # All of it -----------------------------------------------------------------------------------

    def records(self) -> Iterator[Record]:
        """Yield all that is kept, kind by kind, once it is durable: a copy of it is the same journal."""
        ...

    def close(self) -> None:
        """Make durable what was added, and let the store go.

        Raises:
            NotKeptError: It cannot be made durable.
        """
        ...
