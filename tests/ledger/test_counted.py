"""What counts now of attempts that serve several tasks, and of those that serve none: whole shares that sum up."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
from hypothesis import event, given, settings
from hypothesis import strategies as st
from test_shares import attempts, fill

from fanwise.journal.counting import show_as_counted
from fanwise.journal.records import EditRecord, ReachedRecord, RowRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import totals, totals_by_arm
from fanwise.ledger.allotment import allotted
from fanwise.ledger.cash import cash

COLUMNS = ("cost", "reserved", "bound", "input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
rows = st.dictionaries(st.integers(1, 4), st.integers(1, 3))
"""Rows of the file, each with the session since which it is as it is."""
edits = st.dictionaries(st.sampled_from(["fanout", "baseline"]), st.integers(2, 3))
reached = st.dictionaries(st.sampled_from(["k0", "k1", "k2", "k3"]), st.tuples(st.integers(1, 4), st.integers(2, 3)))


@given(st.lists(attempts, max_size=10), rows, edits, reached)
@settings(max_examples=60, deadline=None)
def test_what_counts_is_what_rows_need_now_in_whole_shares(
    entries: list[Any], since: dict[int, int], edited: dict[str, int], keys: dict[str, tuple[int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        fill(journal, entries)
        for number in range(1, 4):
            journal.start_session(float(number), "live", "")
        for number, session in since.items():
            journal.add_row(RowRecord(number, str(number), 0, "h", 3, session))
        for arm, session in edited.items():
            journal.set_edit(EditRecord(arm, session))
        for key, (row, session) in keys.items():
            journal.add_reached(ReachedRecord(key, row, session))
        anyio.run(journal.commit)
        db = journal.db

        def counts(arm: str, row: int, key: str) -> bool:
            if row not in since:
                return False
            at = max(since[row], edited.get(arm, 1))
            return at == 1 or (key in keys and keys[key][1] >= at)

        columns = ", ".join(COLUMNS)
        show_as_counted(db)
        asks = db.execute("SELECT attempt, place, arm, row, key FROM all_served").fetchall()
        expected = [ask for ask in asks if counts(*ask[2:])]
        served = db.execute(f"SELECT attempt, place, arm, row, key, asks, part, {columns} FROM served").fetchall()
        assert sorted(ask[:5] for ask in served) == sorted(expected)
        paid = db.execute(f"SELECT attempt, asks, {columns} FROM paid WHERE serves").fetchall()
        assert {attempt for attempt, *_ in paid} == {ask[0] for ask in expected}
        for attempt, count, *amounts in paid:
            shares = sorted((ask for ask in served if ask[0] == attempt), key=lambda ask: (ask[3], ask[4], ask[1]))
            assert [(ask[5], ask[6]) for ask in shares] == [(count, part) for part in range(len(shares))]
            whole = db.execute(f"SELECT {columns} FROM all_paid WHERE attempt=?", (attempt,)).fetchone()
            assert tuple(amounts) == whole, "it counts whole as long as one of its tasks is needed"
            for place, amount in enumerate(whole, 7):
                parts = [ask[place] for ask in shares]
                assert parts == (
                    [None] * count
                    if amount is None
                    else [amount // count + (part < amount % count) for part in range(count)]
                ), COLUMNS[place - 7]
        warm = {arm for (arm,) in db.execute("SELECT arm FROM paid WHERE NOT serves")}
        assert warm <= {ask[2] for ask in expected}, "a prefix of nothing that counts is kept warm for nothing"
        account = totals(db)
        assert sum(row.cost for row in allotted(db)) == account.cost
        spent = cash(db, account)
        assert spent.totals.cost == db.execute("SELECT COALESCE(SUM(cost),0) FROM all_paid").fetchone()[0]
        assert account.cost + spent.replaced.cost + spent.left.cost + spent.unsampled.cost == spent.totals.cost
        assert min(spent.replaced.cost, spent.left.cost, spent.unsampled.cost) >= 0
        event(f"{len(totals_by_arm(db))} arms, {spent.replaced.cost > 0} replaced, {spent.left.cost > 0} left")
