"""The journal: durable in groups, whole, and the account is the sum of its entries."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanwise.errors import NotKeptError
from fanwise.job.directory import RunDirectory
from fanwise.journal.records import AskRecord, AttemptRecord, BatchRecord, EndRecord, RowResult, Served, TaskRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import agents, totals
from fanwise.ledger.allotment import allotted
from fanwise.ledger.spread import percentile
from fanwise.ledger.summary import summary
from fanwise.pricing.usage import Usage
from support import no_file_grows_beyond

NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
ends = st.tuples(
    st.integers(1, 4), st.sampled_from(["fanout", "baseline"]), st.sampled_from(["a", "b"]),
    st.sampled_from(["succeeded", "failed", "lost", "open", "unpriced"]), st.integers(0, 10**9), st.integers(0, 10**6),
)  # fmt: skip


def attempt(number: int, row: int = 1, arm: str = "fanout", agent: str = "a", intent: int | None = None) -> Served:
    channel = "live" if intent is None else "batch"
    record = AttemptRecord(
        id=number, arm=arm, agent=agent, model="claude-haiku-5-5", channel=channel, why="first", request_hash="h",
        reserved=7, sent=NOW, intent=intent,
    )  # fmt: skip
    ask = AskRecord(attempt=number, key=f"k{number}", row=row, node=agent, label=agent, number=1)
    return Served(record, (ask,))


def _done(output: str) -> TaskRecord:
    return TaskRecord(key="k", row=1, arm="fanout", node="n", label="n", agent="a", status="done", output=output)


@pytest.mark.anyio
async def test_what_was_committed_is_seen_by_everybody(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")

    async def write() -> None:
        number = journal.next_attempt()
        journal.add_attempt(*attempt(number))
        await journal.commit()
        with sqlite3.connect(tmp_path / "journal.db") as other:
            assert other.execute("SELECT COUNT(*) FROM attempts WHERE id=?", (number,)).fetchone()[0] == 1
        other.close()

    async with anyio.create_task_group() as group:
        for _ in range(59):
            group.start_soon(write)
    journal.close()


@pytest.mark.anyio
async def test_what_could_not_be_written_is_durable_for_nobody_and_is_written_later(tmp_path: Path) -> None:
    """Whoever waited beside the one that wrote was told that its intent was durable, and it was gone."""
    journal, outcomes = SqliteJournal(tmp_path / "journal.db"), list[str]()

    async def write() -> None:
        journal.add_attempt(*attempt(journal.next_attempt()))
        try:
            await journal.commit()
        except NotKeptError:
            outcomes.append("refused")
        else:
            outcomes.append("durable")

    await write()
    with no_file_grows_beyond((tmp_path / "journal.db-wal").stat().st_size):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(write)
    assert outcomes == ["durable", "refused", "refused", "refused"]
    await write()
    assert outcomes[-1] == "durable"
    assert [journal.attempt(number) for number in range(1, 6)] == [attempt(number) for number in range(1, 6)]
    journal.close()


def test_a_directory_is_let_go_though_its_journal_cannot_be_written(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run", create=True)
    directory.journal.add_attempt(*attempt(1))
    with no_file_grows_beyond(0), pytest.raises(NotKeptError):
        directory.close()
    with RunDirectory(tmp_path / "run", create=False) as again:
        assert again.journal.attempt(1) is None


@pytest.mark.anyio
async def test_attempts_of_a_killed_session_are_lost_live_and_open_in_batches(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.add_batch(BatchRecord(intent=1, size=1, at=NOW, batch_id="b", state="created"))
    for served in (attempt(1), attempt(2), attempt(3, intent=1)):
        journal.add_attempt(*served)
    journal.add_end(EndRecord(attempt=1, at=NOW, status="succeeded"))
    await journal.commit()
    assert journal.lose_open(NOW) == 1
    assert [served.attempt.id for served in journal.open_attempts(1)] == [3]
    assert journal.owns(1, 3)
    assert not journal.owns(1, 2)
    assert (totals(journal.db).lost, totals(journal.db).lost_bound) == (1, 7)
    journal.close()


@pytest.mark.anyio
async def test_an_end_is_recorded_once_and_a_task_keeps_its_last_outcome(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    journal.add_attempt(*attempt(1))
    for cost in (5, 9):
        journal.add_end(EndRecord(attempt=1, at=NOW, status="succeeded", cost=cost))
        journal.add_task(_done(journal.add_text(str(cost))))
    await journal.commit()
    assert totals(journal.db).cost == 5
    record = journal.task("k")
    assert record is not None
    assert journal.text(record.output or "") == "9"
    journal.close()


@given(st.lists(ends, max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_rows_sides_and_agents_sum_to_the_ledger(
    tmp_path: Path, entries: list[tuple[int, str, str, str, int, int]]
) -> None:
    path = tmp_path / "journal.db"
    path.unlink(missing_ok=True)
    journal = SqliteJournal(path)
    for number, (row, arm, agent, status, cost, tokens) in enumerate(entries, 1):
        journal.add_attempt(*attempt(number, row, arm, agent))
        journal.add_result(RowResult(row, arm, "succeeded", None))  # type: ignore[arg-type]
        if status != "open":
            price = None if status in ("lost", "unpriced") else cost
            kind = "succeeded" if status == "unpriced" else status
            journal.add_end(EndRecord(attempt=number, at=NOW, status=kind, usage=Usage(input=tokens), cost=price))  # type: ignore[arg-type]
    anyio.run(journal.commit)
    both, parts = totals(journal.db), [totals(journal.db, arm) for arm in ("fanout", "baseline")]
    costs = list(allotted(journal.db))
    assert sum(cost.paid for cost in costs) == both.cost
    assert sum(cost.tokens for cost in costs) == both.usage.total
    assert sum(agent.cost for agent in agents(journal.db)) == both.cost
    for name in ("sent", "succeeded", "failed", "lost", "unpriced", "cost", "lost_bound"):
        assert getattr(both, name) == sum(getattr(part, name) for part in parts)
    assert both.unpriced == sum(status == "unpriced" for _, _, _, status, _, _ in entries), "unknown is not zero"
    assert journal.spent().cost == both.cost + 7 * (both.lost + both.unpriced)
    assert summary(journal.db)["unpriced_attempts"] == both.unpriced
    journal.close()


def test_percentiles_are_linear_between_neighbours() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2.5
    assert percentile([5], 0.95) == 5


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    from fanwise import RunDirectoryError

    SqliteJournal(tmp_path / "journal.db").close()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(RunDirectoryError, match="a newer fanwise"):
        SqliteJournal(tmp_path / "journal.db")
