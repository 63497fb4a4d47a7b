"""What every store does: one suite for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import STORES, Open, batch, both, done, ended, kept, sent

from fanwise.canonical import digest
from fanwise.journal.port import Journal
from fanwise.journal.records import (
    NO_TOKENS,
    AnswerLengths,
    AnswerRecord,
    AskRecord,
    AttemptRecord,
    Billed,
    BlockRecord,
    Channel,
    EditRecord,
    EndRecord,
    ReachedRecord,
    RejectRecord,
    RowRecord,
    RowResult,
    Served,
    Spent,
    TurnRecord,
    Why,
)
from fanwise.pricing.usage import Usage


@dataclass
class Shelf:
    """One store, which can be let go and opened again as a later session does."""

    open: Open
    folder: Path
    journal: Journal

    def reopen(self) -> Journal:
        """Let it go, and open what it has kept."""
        self.journal.close()
        self.journal = self.open(self.folder)
        return self.journal


@pytest.fixture(params=sorted(STORES))
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    opening = STORES[request.param]()
    opened = Shelf(opening, tmp_path, opening(tmp_path))
    yield opened
    opened.journal.close()


# Sessions ------------------------------------------------------------------------------------------


def test_sessions_are_counted_and_remember_how_they_ended(shelf: Shelf) -> None:
    journal = shelf.journal
    assert (journal.session, journal.session_start()) == (0, 0)
    assert journal.start_session(10.0, "auto", "") == journal.session == 1
    journal.end_session(20.0, "interrupted")
    journal = shelf.reopen()
    assert journal.session == 1
    assert journal.start_session(30.0, "live", "draft has changed") == journal.session == 2
    assert journal.session_start() == 30.0
    first, second = [record for record in journal.records() if hasattr(record, "started")]
    assert attrgetter("id", "started", "ended", "how", "channel", "changed")(first) == (
        1, 10.0, 20.0, "interrupted", "auto", "",
    )  # fmt: skip
    assert attrgetter("id", "ended", "how", "changed")(second) == (2, None, "running", "draft has changed")


def test_a_session_begins_when_it_does_though_the_clock_was_set_back(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.end_session(1.0, "completed")  # there is none: nothing to end
    for at in (50.0, 20.0):
        journal.start_session(at, "live", "")
    assert journal.session_start() == 20.0


def test_a_setting_is_kept_at_once_and_replaced(shelf: Shelf) -> None:
    assert shelf.journal.meta("notes") is None
    for value in ("[]", '["late"]'):
        shelf.journal.set_meta("notes", value)
    assert shelf.reopen().meta("notes") == '["late"]'


@pytest.mark.anyio
async def test_numbers_go_on_in_the_next_session(shelf: Shelf) -> None:
    journal = shelf.journal
    numbers = [journal.next_attempt() for _ in range(3)]
    assert numbers == [1, 2, 3]
    for number in numbers:
        journal.add_attempt(*sent(number, ("k", 1)))
    journal.add_batch(batch(journal.next_intent(), "intent"))
    await journal.commit()
    journal = shelf.reopen()
    assert (journal.next_attempt(), journal.next_intent()) == (4, 2)


# Durability ----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_what_was_committed_is_there_for_everybody_who_waits(shelf: Shelf) -> None:
    journal = shelf.journal

    async def write() -> None:
        number = journal.next_attempt()
        journal.add_attempt(*sent(number, (f"k{number}", number)))
        await journal.commit()
        assert journal.attempt(number) == sent(number, (f"k{number}", number))

    async with anyio.create_task_group() as group:
        for _ in range(39):
            group.start_soon(write)
    assert len(kept(shelf.reopen(), AttemptRecord)) == 39


def test_what_was_added_is_kept_when_the_store_is_let_go(shelf: Shelf) -> None:
    shelf.journal.add_task(done("k"))
    assert shelf.reopen().task("k") == done("k")


@pytest.mark.anyio
async def test_a_commit_with_nothing_to_do_returns(shelf: Shelf) -> None:
    with anyio.fail_after(5):
        await shelf.journal.commit()


# Rows and content ----------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_ids_are_those_that_the_present_session_has_read(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.start_session(1.0, "live", "")
    for number, row_id in ((1, "a"), (2, "b")):
        journal.add_row(RowRecord(number, row_id, number, "h", journal.session))
    await journal.commit()
    assert journal.known_ids(["a", "b", "c"]) == {"a": 1, "b": 2}
    journal = shelf.reopen()
    journal.start_session(2.0, "live", "")
    assert journal.known_ids(["a", "b"]) == {}, "a row may have moved in its file"
    journal.add_row(RowRecord(3, "a", 3, "h", journal.session))
    await journal.commit()
    assert journal.known_ids(["a", "b"]) == {"a": 3}


@pytest.mark.anyio
async def test_an_id_is_of_the_last_row_that_has_it_now(shelf: Shelf) -> None:
    """A row that was read again with another id was still known by the id before."""
    journal = shelf.journal
    journal.start_session(1.0, "live", "")
    for number, row_id in ((2, "a"), (1, "a"), (3, "b"), (3, "c"), (4, "a"), (4, "d")):
        journal.add_row(RowRecord(number, row_id, 0, "h", 1))
    await journal.commit()
    assert journal.known_ids(["a", "b", "c", "d"]) == {"a": 2, "c": 3, "d": 4}


@pytest.mark.anyio
async def test_rows_that_are_gone_from_the_file_are_forgotten(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.start_session(1.0, "live", "")
    for number in (1, 2):
        journal.add_row(RowRecord(number, str(number), 0, "h", 1))
        journal.add_reject(RejectRecord(number + 10, "bad", "{", 1, number + 10))
    await journal.commit()
    journal.start_session(2.0, "live", "")
    journal.add_row(RowRecord(2, "2", 0, "h", 2))
    journal.add_reject(RejectRecord(12, "worse", "[", 2, 20))
    await journal.commit()
    journal.drop_stale_rows()
    assert kept(journal, RowRecord) == [RowRecord(2, "2", 0, "h", 2)]
    assert kept(journal, RejectRecord) == [RejectRecord(12, "worse", "[", 2, 20)]


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["yes", "long " * 100, "a\u2028b \U0001f600"], ids=["short", "long", "odd"])
async def test_a_text_is_kept_once_by_its_content(shelf: Shelf, text: str) -> None:
    journal = shelf.journal
    hashes = {journal.add_text(text) for _ in range(3)} | {digest(text)}
    assert len(hashes) == 1
    await journal.commit()
    assert journal.text(digest(text)) == text
    assert journal.text("unheard of") is None
    assert len(list(journal.records())) == 1


@pytest.mark.anyio
async def test_a_block_is_kept_once_by_its_hash(shelf: Shelf) -> None:
    for name in ("guide", "the same"):
        shelf.journal.add_block(BlockRecord("sha", name, "text"))
    await shelf.journal.commit()
    assert kept(shelf.journal, BlockRecord) == [BlockRecord("sha", "guide", "text")]


@pytest.mark.anyio
async def test_content_is_forgotten_and_the_account_stays(shelf: Shelf) -> None:
    journal = shelf.journal
    sha = journal.add_text("secret")
    journal.add_block(BlockRecord("b", "guide", "secret"))
    journal.add_reject(RejectRecord(9, "secret", "secret", 1, 9))
    journal.add_task(done("k", None, "secret"))
    journal.add_task(done("k2"))
    journal.add_attempt(*sent(1, ("k", 1)))
    journal.add_end(EndRecord(attempt=1, at=1.0, status="failed", message="secret", cost=3))
    journal.add_result(RowResult(1, "fanout", "failed", None, "secret"))
    await journal.commit()
    assert journal.purge() == 6
    assert journal.text(sha) is None
    assert "secret" not in repr(list(journal.records()))
    assert journal.spent().cost == 3
    assert journal.add_text("secret") == sha
    await journal.commit()
    assert journal.text(sha) == "secret", "what is said again is kept again"


# Tasks and rounds of tools -------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_task_keeps_its_last_outcome(shelf: Shelf) -> None:
    journal = shelf.journal
    assert journal.task("k") is None
    for outcome in (done("k", None, "refused"), done("k", "o2")):
        journal.add_task(outcome)
        await journal.commit()
    assert shelf.reopen().task("k") == done("k", "o2")


@pytest.mark.anyio
async def test_rounds_of_tools_are_in_order_and_the_last_may_be_open(shelf: Shelf) -> None:
    journal = shelf.journal
    shas = [journal.add_text(text) for text in ("says 1", "hears 1", "says 2")]
    journal.add_turn(TurnRecord("k", 2, shas[2]))
    journal.add_turn(TurnRecord("k", 1, shas[0]))
    journal.add_turn(TurnRecord("k", 1, shas[0], shas[1]))
    journal.add_turn(TurnRecord("other", 1, shas[2]))
    await journal.commit()
    assert journal.turns("k") == [("says 1", "hears 1"), ("says 2", None)]
    assert journal.turns("unheard of") == []
    journal.purge()
    assert journal.turns("k") == [(None, None), (None, None)]


@pytest.mark.anyio
async def test_a_task_that_is_reached_by_another_row_is_this_row_s(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_attempt(*sent(1, ("k", 3)))
    journal.add_attempt(*sent(2, ("k", 3), ("other", 3)))
    journal.add_task(done("k"))
    journal.add_end(ended(1, 7))
    await journal.commit()
    for row in (1, 2):
        journal.add_reached(ReachedRecord("k", row, 2))
    await journal.commit()
    journal = shelf.reopen()
    assert [(ask.key, ask.row) for ask in kept(journal, AskRecord)] == [("k", 2), ("k", 2), ("other", 3)]
    task = journal.task("k")
    assert task is not None
    assert task.row == 2
    assert [journal.spent(row).cost for row in (1, 2, 3)] == [0, 7, 0]
    assert kept(journal, ReachedRecord) == [ReachedRecord("k", 2, 2)]


@pytest.mark.anyio
async def test_a_row_stands_at_the_number_at_which_it_was_read_last(shelf: Shelf) -> None:
    journal = shelf.journal
    for session, rows in enumerate(({1: "a", 2: "b", 3: "c"}, {1: "c", 2: "a"}), 1):
        journal.start_session(float(session), "live", "")
        for number, row_id in rows.items():
            journal.add_row(RowRecord(number, row_id, 0, "h", session))
        await journal.commit()
    rows = kept(shelf.reopen(), RowRecord)
    assert sorted((row.number, row.row_id) for row in rows) == [(1, "c"), (2, "a")]


@pytest.mark.anyio
async def test_a_task_is_elsewhere_while_an_attempt_or_its_outcome_is_of_another_number(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_attempt(*sent(1, ("sent", 3)))
    journal.add_task(done("ended"))
    journal.add_attempt(*sent(2, ("both", 1)))
    journal.add_attempt(*sent(3, ("both", 2)))
    await journal.commit()
    journal = shelf.reopen()
    places = {"sent": [True, True, False], "ended": [False, True, True], "both": [True] * 3, "new": [False] * 3}
    assert {key: [journal.is_elsewhere(key, row) for row in (1, 2, 3)] for key in places} == places
    for key in places:
        journal.add_reached(ReachedRecord(key, 2, 2))
    await journal.commit()
    assert not any(journal.is_elsewhere(key, 2) for key in places)


@pytest.mark.anyio
async def test_a_row_that_ended_without_a_request_has_records(shelf: Shelf) -> None:
    shelf.journal.add_result(RowResult(2, "fanout", "failed", None, "no such letter", 1))
    await shelf.journal.commit()
    assert [shelf.reopen().has_records(row) for row in (1, 2)] == [False, True]


@pytest.mark.anyio
async def test_rows_are_found_by_number_and_edits_are_kept_at_once(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.start_session(1.0, "live", "")
    journal.add_row(RowRecord(1, "a", 0, "h", 1))
    journal.set_edit(EditRecord("fanout", 2))
    journal.set_edit(EditRecord("fanout", 3))
    await journal.commit()
    journal = shelf.reopen()
    assert (journal.row(1), journal.row(2)) == (RowRecord(1, "a", 0, "h", 1, since=1), None)
    assert journal.edits() == {"fanout": 3}


# Attempts ------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_attempts_are_found_by_number_task_and_row(shelf: Shelf) -> None:
    journal = shelf.journal
    served = [sent(1, ("k", 1)), sent(2, ("k", 1), ("k2", 2), arm="baseline"), sent(3, why="warm")]
    for attempt in served:
        journal.add_attempt(*attempt)
    await journal.commit()
    journal = shelf.reopen()
    journal.start_session(1.0, "live", "")
    assert [journal.attempt(number) for number in (1, 2, 3, 4)] == [*served, None]
    assert [journal.attempts_of(key) for key in ("k", "k2", "k3")] == [2, 1, 0]
    assert [journal.has_records(row) for row in (0, 1, 2, 3)] == [False, True, True, False]


@pytest.mark.anyio
async def test_what_was_sent_before_is_corrected_of_the_first_attempt_of_a_task(shelf: Shelf) -> None:
    journal = shelf.journal
    for attempt in (sent(1, ("old", 1)), sent(2, ("k", 1)), sent(3, ("k", 1)), sent(4, ("k2", 1), arm="baseline")):
        journal.add_attempt(*attempt)
    await journal.commit()
    journal.recount(2, 30)
    await journal.commit()
    journal = shelf.reopen()
    journal.start_session(1.0, "live", "")
    first = journal.first_attempt("k")
    assert first is not None
    assert (first.id, first.repeated) == (2, 30)
    assert journal.first_attempt("k3") is None
    assert [attempt.repeated for attempt in kept(journal, AttemptRecord)] == [0, 30, 0, 0]


@pytest.mark.anyio
async def test_what_was_sent_first_for_a_row_is_found_by_its_id_whatever_its_number_was(shelf: Shelf) -> None:
    """It was found by the number, which had become another row's: an earlier one's requests were taken for its own."""
    journal = shelf.journal
    for number, row_id, row, arm in ((1, "a", 1, "fanout"), (2, "b", 2, "fanout"), (3, "b", 1, "fanout"),
                                     (4, "b", 1, "baseline")):  # fmt: skip
        attempt, (ask,) = sent(number, (f"k{number}", row), arm=arm)
        journal.add_attempt(attempt, (replace(ask, row_id=row_id),))
    await journal.commit()
    journal = shelf.reopen()
    journal.start_session(1.0, "live", "")
    journal.add_reached(ReachedRecord("k2", 1, 2))
    await journal.commit()
    assert [journal.first_by_label(row_id, "fanout") for row_id in ("a", "b", "c")] == [{"n": 1}, {"n": 2}, {}]
    assert journal.first_by_label("b", "baseline") == {"n": 4}


@pytest.mark.parametrize(
    "wrong",
    [
        sent(1, ("k", 1), why=cast("Why", "because")),
        sent(1),
        sent(1, ("k", 1), why="warm"),
        Served(sent(1, ("k", 1)).attempt, (*sent(1, ("k", 1)).asks, *sent(1, ("k2", 1)).asks)),
    ],
    ids=["no reason", "serves nothing", "serves though it keeps warm", "two in one place"],
)
def test_an_attempt_says_why_and_what_it_serves(shelf: Shelf, wrong: Served) -> None:
    with pytest.raises(ValueError):
        shelf.journal.add_attempt(*wrong)
    assert kept(shelf.reopen(), AttemptRecord) == []


@pytest.mark.anyio
async def test_the_first_end_of_an_attempt_stays(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_attempt(*sent(1, ("k", 1)))
    for cost in (5, 9):
        journal.add_end(ended(1, cost, usage=Usage(1, 2, 3, 4, 5, 6, 7)))
        await journal.commit()
    assert kept(journal, EndRecord) == [ended(1, 5, usage=Usage(1, 2, 3, 4, 5, 6, 7))]


@pytest.mark.anyio
async def test_what_a_model_said_is_kept_apart_from_what_was_accepted(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_attempt(*sent(1, ("k", 1)))
    for output in ("first", "second"):
        journal.add_answer(AnswerRecord(1, 0, output))
    journal.add_answer(AnswerRecord(2, 0, "unsure", 0.25))
    await journal.commit()
    assert kept(journal, AnswerRecord) == [AnswerRecord(1, 0, "second"), AnswerRecord(2, 0, "unsure", 0.25)]
    assert journal.task("k") is None


@pytest.mark.anyio
async def test_what_a_model_said_last_is_found_by_the_key_of_its_task(shelf: Shelf) -> None:
    journal = shelf.journal
    for number in (1, 2, 3):
        journal.add_attempt(*sent(number, ("k", 1)))
    for number, text in ((2, '"second"'), (1, '"first"')):
        journal.add_answer(AnswerRecord(number, 0, journal.add_text(text)))
    await journal.commit()
    assert (journal.said("k"), journal.said("other")) == ('"second"', None)


@pytest.mark.anyio
@pytest.mark.parametrize("resumed", [False, True], ids=["by its row", "by its key"])
async def test_what_serves_equal_tasks_is_found_by_what_they_have_in_common(shelf: Shelf, resumed: bool) -> None:
    journal = shelf.journal
    first = [replace(task, work="w") for task in (*sent(1, ("k", 1)).asks, *sent(2, ("k", 1)).asks)]
    for attempt, task in zip((sent(1, ("k", 1)), sent(2, ("k", 1))), first, strict=True):
        journal.add_attempt(attempt.attempt, (task,))
    journal.add_attempt(*sent(3, ("alone", 2)))
    journal.add_attempt(*sent(4, why="warm"))
    journal.add_answer(AnswerRecord(2, 0, "o"))
    second = [replace(ask(number, 1, "k2", 5), work="w", number=number) for number in (1, 2)]
    for task in second:
        journal.add_ask(task)
    assert [journal.tasks_of(number) for number in (1, 2, 3, 4, 5)] == [2, 2, 1, 0, 0]
    await journal.commit()
    if resumed:
        journal = shelf.reopen()
        journal.start_session(1.0, "live", "")
    assert [journal.tasks_of(number) for number in (1, 2, 3, 4, 5)] == [2, 2, 1, 0, 0]
    assert sorted(journal.works()) == [("w", 1), ("w", 2)]
    assert journal.serves_several()
    assert journal.asks_of("k", None if resumed else 1) == first
    assert journal.asks_of("k2", None if resumed else 5) == second
    assert journal.asks_of("k", 5) == journal.asks_of("k3") == []
    assert (journal.answer(2, 0), journal.answer(2, 1), journal.answer(1, 0)) == (AnswerRecord(2, 0, "o"), None, None)


@pytest.mark.anyio
async def test_what_a_killed_session_left_is_lost_live_and_open_in_batches(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_batch(batch(1, "created", "b"))
    for attempt in (sent(1, ("k", 1)), sent(2, ("k2", 1)), sent(3, ("k3", 1), channel="batch", intent=1)):
        journal.add_attempt(*attempt)
    journal.add_end(ended(1))
    await journal.commit()
    journal = shelf.reopen()
    assert journal.lose_open(9.0) == 1
    assert journal.lose_open(9.0) == 0
    (lost,) = [end for end in kept(journal, EndRecord) if end.attempt == 2]
    assert (lost.at, lost.status, lost.kind, lost.cost, lost.usage) == (9.0, "lost", "killed", None, NO_TOKENS)
    assert [served.attempt.id for served in journal.open_attempts(1)] == [3]


def ask(attempt: int, place: int, key: str = "k", row: int = 1) -> AskRecord:
    return AskRecord(attempt=attempt, place=place, key=key, row=row, node="n", label="n", number=1)


@pytest.mark.anyio
@pytest.mark.parametrize("durable", [False, True], ids=["just added", "durable"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (ask(1, 0), "place 0; the next place is 2"),
        (ask(1, 1), "place 1; the next place is 2"),
        (ask(1, 3), "place 3; the next place is 2"),
        (ask(2, 0), "no attempt 2 that serves tasks"),
        (ask(3, 1), "no attempt 3 that serves tasks"),
    ],
    ids=["the first again", "a place that is taken", "a gap", "of one that serves none", "of one that is unknown"],
)
async def test_a_task_that_is_served_later_has_the_next_place(
    shelf: Shelf, wrong: AskRecord, words: str, durable: bool
) -> None:
    """A place that was taken failed a whole group of records in one store; the other kept it, or raised KeyError."""
    journal = shelf.journal
    journal.add_attempt(*sent(1, ("k1", 1), ("k2", 2)))
    journal.add_attempt(*sent(2, why="warm"))
    if durable:
        await journal.commit()
    with pytest.raises(ValueError, match=words):
        journal.add_ask(wrong)
    journal.add_ask(ask(1, 2, "k3"))
    await journal.commit()
    assert [(record.attempt, record.place) for record in kept(journal, AskRecord)] == [(1, 0), (1, 1), (1, 2)]
    assert [journal.attempts_of(key) for key in ("k", "k1", "k3")] == [0, 1, 1]


@pytest.mark.anyio
async def test_a_number_is_of_one_attempt(shelf: Shelf) -> None:
    """One store counted the tasks of both and kept the second; the other lost all that was to be written with it."""
    journal = shelf.journal
    first, second = journal.next_attempt(), journal.next_attempt()
    journal.add_attempt(*sent(second, ("k2", 2), channel="batch", intent=1))
    journal.add_attempt(*sent(first, ("k1", 1), channel="batch", intent=1))
    for _ in range(2):
        for number in (first, second):
            with pytest.raises(ValueError, match=f"attempt {number} was added before"):
                journal.add_attempt(*sent(number, ("other", 3)))
        await journal.commit()
        assert [journal.attempts_of(key) for key in ("k1", "k2", "other")] == [1, 1, 0]
        assert list(journal.open_attempts(1)) == [
            sent(number, (f"k{number}", number), channel="batch", intent=1) for number in (1, 2)
        ], "in the order of their numbers"
        journal = shelf.reopen()
    assert journal.next_attempt() == 3


@pytest.mark.anyio
async def test_numbers_that_were_given_by_hand_are_not_given_out_again(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_attempt(*sent(7, ("k", 1)))
    journal.add_batch(batch(4, "intent"))
    assert (journal.next_attempt(), journal.next_intent()) == (8, 5)


@pytest.mark.anyio
async def test_an_end_of_nothing_is_no_answer(shelf: Shelf) -> None:
    shelf.journal.add_end(ended(9, usage=Usage(output=5)))
    await shelf.journal.commit()
    assert (shelf.journal.outputs({}), shelf.journal.sent_and_billed(0.0)) == ([], {})
    assert shelf.journal.spent() == Spent(0, 0)


# Batches -------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_batch_is_open_from_its_intent_until_it_has_ended(shelf: Shelf) -> None:
    journal = shelf.journal
    for intent, state, batch_id in (
        (4, "absent", None), (3, "created", "b3"), (2, "adopted", "b2"), (1, "intent", None), (5, "ended", "b5"),
    ):  # fmt: skip
        journal.add_batch(batch(intent, state, batch_id))
    await journal.commit()
    journal = shelf.reopen()
    assert [record.intent for record in journal.open_batches()] == [1, 2, 3]
    assert journal.batch_ids() == {"b3", "b5"}, "an adopted one may turn out to be somebody else's"


@pytest.mark.anyio
async def test_a_batch_is_adopted_confirmed_and_ends_once(shelf: Shelf) -> None:
    """The life of an intent whose batch id was lost in a crash."""
    journal = shelf.journal
    journal.add_batch(batch(1, "intent"))
    for number in (7, 8):
        journal.add_attempt(*sent(number, (f"k{number}", number), channel="batch", intent=1))
    await journal.commit()
    journal = shelf.reopen()
    assert journal.open_batches() == [batch(1, "intent")]
    assert list(journal.open_attempts(1)) == [
        sent(number, (f"k{number}", number), channel="batch", intent=1) for number in (7, 8)
    ]
    for state in ("adopted", "created"):
        journal.add_batch(batch(1, state, "b"))
        await journal.commit()
        assert journal.open_batches() == [batch(1, state, "b")]
        assert journal.batch_ids() == ({"b"} if state == "created" else set())
    assert journal.owns(1, 7)
    assert not journal.owns(1, 9)
    assert not journal.owns(2, 7)
    journal.add_end(ended(7))
    await journal.commit()
    assert [served.attempt.id for served in journal.open_attempts(1)] == [8]
    assert journal.owns(1, 7), "a result that was applied is still of its batch"
    journal.add_batch(batch(1, "ended", "b"))
    await journal.commit()
    assert journal.open_batches() == []
    assert list(journal.open_attempts(2)) == []


@pytest.mark.anyio
async def test_open_attempts_come_with_all_that_they_serve(shelf: Shelf) -> None:
    journal = shelf.journal
    served = [
        sent(1, ("k1", 1), ("k2", 2), channel="batch", intent=5), sent(2, ("k3", 3), channel="batch", intent=5),
        sent(3, ("k4", 1), channel="batch", intent=6),
    ]  # fmt: skip
    for attempt in served:
        journal.add_attempt(*attempt)
    await journal.commit()
    assert list(journal.open_attempts(5)) == served[:2]
    assert list(journal.open_attempts(6)) == served[2:]


# What earlier sessions have shown ------------------------------------------------------------------


@pytest.mark.anyio
async def test_what_counts_against_a_budget(shelf: Shelf) -> None:
    journal = shelf.journal
    assert journal.spent() == Spent(0, 0)
    for attempt in (sent(1, ("k", 1)), sent(2, ("k", 1)), sent(3, ("k2", 2)), sent(4, ("k3", 2)), sent(5, why="warm")):
        journal.add_attempt(*attempt)
    journal.add_end(ended(1, 7, usage=Usage(1, 2, 3, 4, 5, thinking=5, web_searches=9)))
    journal.add_end(ended(2, None, "lost"))
    journal.add_end(ended(3, None, usage=Usage(input=2)))
    journal.add_end(ended(5, 11, usage=Usage(cache_read=3)))
    await journal.commit()
    assert journal.spent() == Spent(7 + 100 + 100 + 11, 15 + 1_000 + 2 + 3), "what is not known is at its bound"
    assert journal.spent(1) == Spent(107, 1_015)
    assert journal.spent(2) == Spent(100, 2), "what has not ended is not spent"
    journal.add_end(ended(4, None))
    await journal.commit()
    assert journal.spent(2) == Spent(200, 1_002), "a reply without usage, which took nothing in the account"
    assert journal.spent(3) == Spent(0, 0)


@pytest.mark.anyio
async def test_a_task_that_is_served_later_changes_the_shares(shelf: Shelf) -> None:
    journal = shelf.journal
    journal.add_attempt(*sent(1, ("k1", 1)))
    journal.add_end(ended(1, 10, usage=Usage(input=4, output=1)))
    await journal.commit()
    assert journal.spent(1) == Spent(10, 5)
    for place in (1, 2):
        journal.add_ask(
            AskRecord(attempt=1, place=place, key=f"k{place}", row=place + 1, node="n", label="n", number=1)
        )
        await journal.commit()
    assert [journal.spent(row) for row in (1, 2, 3)] == [Spent(4, 3), Spent(3, 1), Spent(3, 1)]
    assert journal.spent() == Spent(10, 5)


@pytest.mark.anyio
async def test_how_long_answers_were_and_what_was_billed(shelf: Shelf) -> None:
    journal = shelf.journal
    for attempt in (
        sent(1, ("k", 1), at=5.0), sent(2, ("k2", 1), at=6.0), sent(3, ("k3", 1), model="big"),
        sent(4, ("k4", 1), arm="baseline"), sent(5, why="warm"), sent(6, ("k5", 1)),
    ):  # fmt: skip
        journal.add_attempt(*attempt)
    for number in (1, 2, 3, 5):
        journal.add_end(ended(number, usage=Usage(number, 10, 100, 1_000, output=number)))
    journal.add_end(ended(4, status="failed"))
    journal.add_end(ended(6, None))  # a reply without usage: it was once counted as an answer of no tokens
    await journal.commit()
    lengths = [AnswerLengths("fanout", "a", model, answers, 3) for model, answers in (("big", 1), ("m", 2))]
    assert sorted(journal.outputs({})) == lengths
    edited = {length.model: (length.answers, length.tokens) for length in journal.outputs({"fanout a": 6.0})}
    assert edited["m"] == (1, 2), "the first was before the agent was edited"
    assert sorted(journal.outputs({"baseline a": 6.0, "fanout b": 6.0})) == lengths
    assert journal.sent_and_billed(0.0) == {"m": Billed(100, 2_223), "big": Billed(50, 1_113)}
    assert journal.sent_and_billed(6.0) == {"m": Billed(50, 1_112)}


# All stores are one --------------------------------------------------------------------------------

KEYS, ROWS = ["k0", "k1", "k2"], [1, 2, 3]
tasks = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(ROWS)), min_size=1, max_size=4)
usages = st.builds(Usage, *[st.integers(0, 50)] * 7)
outcomes = st.tuples(st.sampled_from(["succeeded", "failed", "lost", "open"]), st.none() | st.integers(0, 99), usages)
attempts = st.tuples(
    tasks, tasks | st.just([]), st.sampled_from(["fanout", "baseline"]), st.sampled_from([None, 1, 2]), outcomes
)


@given(st.lists(attempts, max_size=12))
@settings(deadline=None)
def test_all_stores_say_the_same_of_the_same_records(entries: list[Any]) -> None:
    with both() as journals:
        for journal in journals:
            for number, (first, later, arm, intent, (status, cost, usage)) in enumerate(entries, 1):
                channel: Channel = "batch" if intent else "live"
                journal.add_attempt(*sent(number, *first, arm=arm, intent=intent, channel=channel))
                for place, (key, row) in enumerate(later, len(first)):
                    journal.add_ask(
                        AskRecord(attempt=number, place=place, key=key, row=row, node="n", label="n", number=1)
                    )
                if status != "open":
                    journal.add_end(ended(number, None if status == "lost" else cost, status, usage))
            anyio.run(journal.commit)
        says = [
            (
                Counter(map(repr, journal.records())),
                [journal.attempt(number) for number in range(1, len(entries) + 2)],
                [journal.attempts_of(key) for key in KEYS],
                [journal.has_records(row) for row in ROWS],
                [list(journal.open_attempts(intent)) for intent in (1, 2, 3)],
                [journal.owns(intent, number) for intent in (1, 2) for number in range(1, len(entries) + 1)],
                [journal.spent(row) for row in (None, *ROWS)],
                sorted(journal.outputs({})),
                journal.sent_and_billed(0.5),
            )
            for journal in journals
        ]
        assert all(answer == says[0] for answer in says)
        for journal in journals:
            whole, parts = journal.spent(), [journal.spent(row) for row in ROWS]
            assert whole.cost == sum(part.cost for part in parts)
            assert whole.tokens == sum(part.tokens for part in parts)
