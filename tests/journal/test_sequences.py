"""Whatever a worker asks of a store, in whatever order: every store answers the same, and keeps the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import STORES, Open, batch, done, ended, sent

from fanwise.journal.port import Journal
from fanwise.journal.records import (
    AnswerRecord,
    AskRecord,
    BlockRecord,
    EditRecord,
    ReachedRecord,
    RejectRecord,
    RowRecord,
    RowResult,
    TurnRecord,
)
from fanwise.pricing.usage import Usage


class Call(NamedTuple):
    """A method of a store, and what it is given."""

    method: str
    arguments: tuple[Any, ...] = ()


def calls(method: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    return st.builds(Call, st.just(method), st.tuples(*arguments))


REOPEN, LOOK = Call("reopen"), Call("look")
AFTER_COMMIT = {"lose_open", "drop_stale_rows", "purge", "add_reached", "add_row"}
"""What these change is what is durable."""
BEFORE_COMMIT = {"add_reached", "add_row"}
"""What these change is what was added before, and nothing that comes with it."""
KEYS, ROWS, NUMBERS, IDS, TEXTS = ["k0", "k1", "k2"], range(4), range(1, 6), ["a", "b"], ["yes", "no", "long " * 60]
keys, rows, numbers = st.sampled_from(KEYS), st.sampled_from(ROWS), st.sampled_from(NUMBERS)
ids, texts, moments = st.sampled_from(IDS), st.sampled_from(TEXTS), st.floats(0, 100)
arms, intents = st.sampled_from(["fanout", "baseline"]), st.sampled_from([None, 1, 2, 3])
sessions = st.integers(0, 3)
costs, counts = st.none() | st.integers(0, 99), st.integers(0, 50)
statuses, usages = st.sampled_from(["succeeded", "failed", "lost"]), st.builds(Usage, *[counts] * 7)
attempts = st.builds(
    lambda number, tasks, why, arm, model, intent, at: sent(
        number, *tasks, why=why, arm=arm, model=model, channel="batch" if intent else "live", intent=intent, at=at
    ),
    numbers, st.lists(st.tuples(keys, rows), max_size=3), st.sampled_from(["first", "retry", "warm"]), arms,
    st.sampled_from(["m", "big"]), intents, moments,
)  # fmt: skip
asks = st.builds(
    AskRecord, attempt=numbers, place=st.integers(0, 4), key=keys, row=rows, node=st.just("n"), label=st.just("n"),
    number=st.just(1), work=st.sampled_from(["", "w", "v"]),
)  # fmt: skip
steps = st.one_of(
    st.sampled_from([LOOK, REOPEN, Call("next_attempt"), Call("next_intent"), Call("drop_stale_rows"), Call("purge")]),
    calls("start_session", moments, st.just("live"), texts),
    calls("end_session", moments, st.sampled_from(["completed", "halted"])),
    calls("lose_open", moments),
    calls("set_meta", keys, texts),
    calls("add_row", st.builds(RowRecord, numbers, ids, st.just(0), st.just("h"), sessions, sessions)),
    calls("add_reached", st.builds(ReachedRecord, keys, rows, st.integers(1, 3))),
    calls("set_edit", st.builds(EditRecord, arms, st.integers(2, 3))),
    calls("add_reject", st.builds(RejectRecord, numbers, texts, texts, st.integers(0, 3), numbers)),
    calls("add_text", texts),
    calls("add_block", st.builds(BlockRecord, keys, texts, texts)),
    calls("add_task", st.builds(done, keys, texts, st.sampled_from(["", "refused"]))),
    calls("add_turn", st.builds(TurnRecord, keys, st.integers(1, 3), texts)),
    attempts.map(lambda served: Call("add_attempt", tuple(served))),
    calls("add_ask", asks),
    calls(
        "add_end",
        st.builds(ended, numbers, costs, statuses, usages),
    ),
    calls("add_answer", st.builds(AnswerRecord, numbers, st.integers(0, 2), texts, st.none() | st.floats(0, 1))),
    calls(
        "add_batch",
        st.builds(
            batch, st.integers(1, 4), st.sampled_from(["intent", "adopted", "created", "ended", "absent"]),
            st.none() | st.sampled_from(["b1", "b2"]),
        ),
    ),
    calls("add_result", st.builds(RowResult, rows, arms, st.just("failed"), st.none(), texts, sessions)),
)  # fmt: skip


class Worker:
    """Asks a store of one kind, and lets it go and opens it again as a later session does."""

    def __init__(self, opening: Open, folder: Path) -> None:
        self._open, self._folder = opening, folder
        self.journal: Journal = opening(folder)

    async def answer(self, call: Call) -> Any:
        """What a store says to a call: a refusal is an answer."""
        if call == REOPEN:
            self.journal.close()
            self.journal = self._open(self._folder)
            return self.journal.session
        if call == LOOK:
            return await self._look()
        if call.method in AFTER_COMMIT:
            await self.journal.commit()
        try:
            answer = getattr(self.journal, call.method)(*call.arguments)
            if call.method in BEFORE_COMMIT:
                await self.journal.commit()
            return answer
        except ValueError as error:
            return str(error)

    async def _look(self) -> dict[str, Any]:
        """All that a store says, once it is durable."""
        journal = self.journal
        await journal.commit()
        return {
            "records": Counter(map(repr, journal.records())),
            "session": (journal.session, journal.session_start()),
            "meta": [journal.meta(key) for key in KEYS],
            "known_ids": journal.known_ids(IDS),
            "row": [journal.row(number) for number in NUMBERS],
            "edits": journal.edits(),
            "task": [journal.task(key) for key in KEYS],
            "turns": [journal.turns(key) for key in KEYS],
            "attempt": [journal.attempt(number) for number in NUMBERS],
            "tasks_of": [journal.tasks_of(number) for number in NUMBERS],
            "serves_several": journal.serves_several(),
            "asks_of": [journal.asks_of(key, row) for key in KEYS for row in (None, *ROWS)],
            "answer": [journal.answer(number, place) for number in NUMBERS for place in range(3)],
            "works": sorted(journal.works()),
            "attempts_of": [journal.attempts_of(key) for key in KEYS],
            "is_elsewhere": [journal.is_elsewhere(key, row) for key in KEYS for row in ROWS],
            "has_records": [journal.has_records(row) for row in ROWS],
            "open_batches": journal.open_batches(),
            "batch_ids": journal.batch_ids(),
            "owns": [journal.owns(intent, number) for intent in range(1, 4) for number in NUMBERS],
            "open_attempts": [list(journal.open_attempts(intent)) for intent in range(1, 4)],
            "spent": [journal.spent(row) for row in (None, *ROWS)],
            "outputs": sorted(journal.outputs({})),
            "sent_and_billed": [journal.sent_and_billed(since) for since in (0.0, 50.0)],
        }


@given(st.lists(steps, max_size=30))
@settings(deadline=None)
def test_all_stores_answer_the_same_to_the_same_calls(sequence: list[Call]) -> None:
    async def compare() -> None:
        for call in [*sequence, LOOK, REOPEN, LOOK]:
            answers = {name: await worker.answer(call) for name, worker in workers.items()}
            assert answers == dict.fromkeys(answers, answers["memory"]), call

    with TemporaryDirectory() as folder:
        workers = {name: Worker(store(), Path(folder)) for name, store in STORES.items()}
        try:
            anyio.run(compare)
        finally:
            for worker in workers.values():
                worker.journal.close()
