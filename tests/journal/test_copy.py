"""A run in any store is copied into SQLite before its account is made, and the account is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from desk import triage

from fanwise import FanwiseError, Job, RunDirectoryError
from fanwise.job.close import close
from fanwise.job.directory import reading
from fanwise.job.opening import Terms
from fanwise.job.prepare import prepare
from fanwise.job.work import work
from fanwise.journal.copy import copied
from fanwise.journal.counting import show_as_counted
from fanwise.journal.memory import MemoryJournal
from fanwise.journal.records import (
    AnswerRecord,
    AskRecord,
    AttemptRecord,
    BatchRecord,
    BlockRecord,
    EndRecord,
    MetaRecord,
    Record,
    RejectRecord,
    RowRecord,
    RowResult,
    SessionRecord,
    TaskRecord,
    TextRecord,
    TurnRecord,
)
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.summary import summary
from fanwise.rendering.files import rejects, results
from support import tickets


class Replayed(MemoryJournal):
    """A journal in memory that was told what another one has kept."""

    def __init__(self, records: Iterator[Record]) -> None:
        super().__init__()
        every = list(records)
        asks = [record for record in every if isinstance(record, AskRecord)]
        for record in every:
            self._take(record, asks)

    def _take(self, record: Record, asks: list[AskRecord]) -> None:
        add: dict[type[Record], Callable[[Any], object]] = {
            RowRecord: self.add_row, RejectRecord: self.add_reject, BlockRecord: self.add_block,
            TaskRecord: self.add_task, EndRecord: self.add_end, AnswerRecord: self.add_answer,
            TurnRecord: self.add_turn, BatchRecord: self.add_batch, RowResult: self.add_result,
            TextRecord: lambda text: self.add_text(text.text),
            MetaRecord: lambda setting: self.set_meta(setting.key, setting.value),
            AttemptRecord: lambda attempt: self.add_attempt(
                attempt, [ask for ask in asks if ask.attempt == attempt.id]
            ),
            AskRecord: lambda ask: None,  # it came with its attempt
            SessionRecord: self._spend,
        }  # fmt: skip
        add[type(record)](record)

    def _spend(self, session: SessionRecord) -> None:
        self.start_session(session.started, session.channel, session.changed)
        assert session.ended is not None
        self.end_session(session.ended, session.how)


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_the_account_of_a_copy_is_that_of_the_run(tmp_path: Path, channel: str) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 6)
    with rows.open("a", encoding="utf-8") as file:
        file.write("this is no row\n")
    Job(triage, rows=rows, out=tmp_path / "run", baseline="auto", channel=channel).run_sync()
    with reading(tmp_path / "run") as journal:
        elsewhere = Replayed(journal.records())
        with closing(copied(elsewhere, tmp_path / "copy.db")) as copy:
            assert Counter(map(repr, copy.records())) == Counter(map(repr, journal.records()))
            show_as_counted(copy.db)
            assert summary(copy.db) == summary(journal.db)
            assert summary(copy.db)["attempts"]["sent"] > 0
            assert list(results(copy.db)) == list(results(journal.db))
            assert list(rejects(copy.db)) == list(rejects(journal.db)) != []
            assert (copy.session, copy.next_attempt()) == (1, summary(copy.db)["attempts"]["sent"] + 1)


def test_a_copy_knows_what_is_served_by_several(tmp_path: Path) -> None:
    source = MemoryJournal()
    record = AttemptRecord(
        id=1, arm="fanout", agent="a", model="m", channel="live", why="first", request_hash="h", reserved=1, sent=1.0
    )
    tasks: dict[str, Any] = {"node": "n", "label": "n", "number": 1}
    asks = [AskRecord(attempt=1, place=place, key=f"k{place}", row=place, **tasks) for place in range(3)]
    source.add_attempt(record, asks)
    source.add_end(EndRecord(attempt=1, at=1.0, status="succeeded", cost=10))
    with closing(copied(source, tmp_path / "copy.db")) as copy:
        assert [copy.spent(row).cost for row in range(3)] == [source.spent(row).cost for row in range(3)] == [4, 3, 3]


def test_a_copy_that_is_not_whole_is_no_account(tmp_path: Path) -> None:
    class Stuttering(MemoryJournal):
        """Says one of its records twice, as a store does that pages through a table that grows."""

        def records(self) -> Iterator[Record]:
            for record in super().records():
                yield record
                if isinstance(record, EndRecord):
                    yield record

    source = Stuttering()
    source.add_end(EndRecord(attempt=1, at=1.0, status="succeeded"))
    with pytest.raises(FanwiseError, match="1 of 2 EndRecord"):
        copied(source, tmp_path / "copy.db")


def test_a_copy_goes_to_a_new_file(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        journal.set_meta("notes", "[]")
        anyio.run(journal.commit)
    with pytest.raises(RunDirectoryError, match="there is something"):
        copied(MemoryJournal(), tmp_path / "journal.db")


def test_a_journal_that_holds_a_run_is_not_taken_for_another(tmp_path: Path) -> None:
    """The second run had the rows, the answers and the bill of the first in its account."""
    journal, rows = MemoryJournal(), tickets(tmp_path / "rows.jsonl", 2)

    async def run(out: str) -> None:
        spec = Job(triage, rows=rows, out=tmp_path / out).spec
        async with prepare(spec, Terms(journal=journal)) as prepared:
            await work(prepared)
            await close(prepared)

    anyio.run(run, "first")
    before = list(journal.records())
    with pytest.raises(RunDirectoryError, match="holds a run already"):
        anyio.run(run, "second")
    assert not (tmp_path / "second").exists()
    assert list(journal.records()) == before
