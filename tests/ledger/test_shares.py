"""An attempt may serve several tasks: their shares are whole, and sum to it to the last digit, whoever comes later."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowRecord, RowResult
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import agents, totals
from fanwise.ledger.allotment import allotted
from fanwise.ledger.by import DIMENSIONS, by
from fanwise.ledger.levers import levers
from fanwise.ledger.measuring import multiplier
from fanwise.ledger.tasks import node_accounts
from fanwise.pricing.usage import Usage
from fanwise.rendering.files import results

COUNTS = ("cost", "reserved", "bound", "prompt", "tokens", *Usage._fields)
AT = 1_795_000_000.0
keys = st.tuples(st.sampled_from(["k0", "k1", "k2", "k3"]), st.integers(1, 4), st.sampled_from(["n", "m"]))
usages = st.builds(Usage, *[st.integers(0, 3_000)] * 7)
attempts = st.tuples(
    st.lists(keys, max_size=5), st.lists(keys, max_size=3), st.sampled_from(["fanout", "baseline"]),
    st.sampled_from(["claude-haiku-5-5", "claude-unheard-of-9"]), usages, st.none() | st.integers(0, 10**9),
    st.floats(0, 1), st.sampled_from(["succeeded", "failed", "lost", "open"]), st.sampled_from("pq"),
)  # fmt: skip


def fill(journal: SqliteJournal, entries: list[Any]) -> None:
    for number, (first, later, arm, model, usage, cost, share, status, prefix) in enumerate(entries, 1):
        asks = [
            AskRecord(attempt=number, place=place, key=key, row=row, node=node, label=node, number=1)
            for place, (key, row, node) in enumerate([*first, *(later if first else [])])
        ]
        record = AttemptRecord(
            id=number, arm=arm, agent="a", model=model, channel="live", why="first" if first else "warm",
            request_hash="h", reserved=17, sent=AT, job_share=share, prefix=prefix, chars=40, repeated=8, bound=23,
        )  # fmt: skip
        journal.add_attempt(record, asks[: len(first)])
        if status != "open":
            price = None if status == "lost" else cost
            journal.add_end(EndRecord(attempt=number, at=AT, status=status, usage=usage, cost=price))
        anyio.run(journal.commit)
        for ask in asks[len(first) :]:
            journal.add_ask(ask)
    anyio.run(journal.commit)


@given(st.lists(attempts, max_size=10))
@settings(max_examples=40, deadline=None)
def test_shares_sum_to_the_attempt_and_every_account_to_the_ledger(entries: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        fill(journal, entries)
        db = journal.db
        sums = ", ".join(f"SUM({count}), MIN({count}), MAX({count})" for count in COUNTS)
        parts = {row[0]: row[1:] for row in db.execute(f"SELECT attempt, {sums} FROM served GROUP BY attempt")}
        for attempt, *wholes in db.execute(f"SELECT attempt, {', '.join(COUNTS)} FROM paid WHERE serves"):
            for place, whole in enumerate(wholes):
                total, least, most = parts[attempt][3 * place : 3 * place + 3]
                assert total == whole, COUNTS[place]
                if whole is not None and COUNTS[place] not in ("prompt", "tokens"):  # sums of several kinds
                    assert 0 <= most - least <= 1, "equal parts, the rest one by one"
        whole = totals(db)
        for arm in ("fanout", "baseline"):
            costs = [cost for cost in allotted(db) if cost.arm == arm]
            assert sum(cost.cost for cost in costs) == totals(db, arm).cost
            unserved = sum(account.cost for account in by(db, ["side", "row"]) if account.names == (arm, 0))
            assert sum(account.cost for account in node_accounts(db, arm).values()) + unserved == totals(db, arm).cost
            pulled = levers(db, arm)
            if pulled is not None:
                assert pulled.naive - sum(pulled.saved.values()) == pulled.paid == totals(db, arm).cost
        for dimension in DIMENSIONS:
            groups = list(by(db, [dimension]))
            assert sum(group.cost for group in groups) == whole.cost, dimension
            assert sum(group.usage.total for group in groups) == whole.usage.total, dimension
        assert sum(account.cost for account in agents(db)) == whole.cost


def test_what_keeps_a_prefix_warm_is_borne_by_the_rows_behind_it() -> None:
    """It was spread over all rows of the agent, those behind other prefixes among them."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        for number, (row, prefix) in enumerate([(1, "p"), (2, "p"), (3, "q"), (0, "p")], 1):
            record = AttemptRecord(
                id=number, arm="fanout", agent="a", model="claude-haiku-5-5", channel="live",
                why="first" if row else "warm", request_hash="h", reserved=17, sent=AT, prefix=prefix,
            )  # fmt: skip
            ask = AskRecord(attempt=number, key=f"k{row}", row=row, node="n", label="n", number=1)
            journal.add_attempt(record, [ask] if row else [])
            journal.add_end(EndRecord(attempt=number, at=AT, status="succeeded", usage=Usage(cache_read=5), cost=5))
        anyio.run(journal.commit)
        assert [(cost.row, cost.shared, cost.shared_tokens) for cost in allotted(journal.db)] == [
            (1, 3, 3), (2, 2, 2), (3, 0, 0),
        ]  # fmt: skip


def test_rows_behind_a_prefix_that_was_kept_warm_at_an_unknown_cost_have_an_unknown_cost(tmp_path: Path) -> None:
    """No row said so, and the multiplier was made of costs without it."""
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        sent = [(arm, row, "p" if row < 3 else "q") for arm in ("fanout", "baseline") for row in (1, 2, 3)]
        for number, (arm, row, prefix) in enumerate([*sent, ("fanout", 0, "p")], 1):
            record = AttemptRecord(
                id=number, arm=arm, agent="a", model="claude-haiku-5-5", channel="live",
                why="first" if row else "warm", request_hash="h", reserved=17, sent=AT, prefix=prefix,
            )  # fmt: skip
            ask = AskRecord(attempt=number, key=f"{arm}{row}", row=row, node="n", label="n", number=1)
            journal.add_attempt(record, [ask] if row else [])
            usage, cost = (Usage(input=5), 5) if row else (Usage(), None)
            journal.add_end(
                EndRecord(attempt=number, at=AT, status="succeeded" if row else "lost", usage=usage, cost=cost)
            )
            if row:
                journal.add_result(RowResult(row, arm, "succeeded", None))
        for row in (1, 2, 3):
            journal.add_row(RowRecord(row, f"r{row}", 0, "h", 1))
        anyio.run(journal.commit)
        unknown = {(cost.row, cost.arm): cost.unknown for cost in allotted(journal.db)}
        assert unknown == {(row, arm): int(arm == "fanout" and row < 3) for arm, row, _ in sent}
        account = multiplier(journal.db)
        assert account is not None
        assert (account.rows, account.left_out.unknown_cost) == (1, 2)
        said = [json.loads(line) for line in results(journal.db)]
        assert [line.get("attempts_of_unknown_cost", 0) for line in said] == [1, 1, 0]
        assert [line["multiplier"] is None for line in said] == [True, True, False]
