"""Refusals, retries and lost replies in the account: nothing below zero, nothing multiplied that was tried again."""

from __future__ import annotations

import re
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from desk import triage
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import letters

from fanwise import Emulator, Job
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.arms import arms_of
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import totals
from fanwise.ledger.allotment import allotted
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.units import now
from support import fanwise, read_only

tokens = st.integers(0, 9_000)
reply = st.tuples(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.builds(Usage, tokens, tokens, tokens, st.just(0) | tokens, tokens, st.just(0), st.just(0)),
    st.floats(0, 1), st.booleans(),
    st.sampled_from(["live", "batch"]),
)  # fmt: skip
"""Rows that it serves, usage, share of the prefix that all rows share, whether it was refused for nothing, channel."""


@given(st.lists(reply, max_size=12))
@settings(deadline=None)
def test_no_row_costs_less_than_nothing(replies: list[tuple[list[int], Usage, float, bool, Any]]) -> None:
    """A refusal is free and has a usage: its write was taken off its row all the same, which then cost -$0.000123."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder) / "journal.db")) as journal:
        for number, (rows, usage, share, is_refused, channel) in enumerate(replies, 1):
            at = now()
            journal.add_attempt(
                AttemptRecord(
                    id=number, arm="fanout", agent="a", model="claude-haiku-5-5", channel=channel, why="first",
                    request_hash="h", reserved=1, sent=at.timestamp(), job_share=share, prefix="p", chars=10,
                ),
                [
                    AskRecord(attempt=number, place=place, key=f"k{number}", row=row, node="a", label="a", number=1)
                    for place, row in enumerate(rows)
                ],
            )  # fmt: skip
            price = 0 if is_refused else cost(usage, "claude-haiku-5-5", at, batch=channel == "batch")
            journal.add_end(EndRecord(attempt=number, at=1.0, status="succeeded", usage=usage, cost=price))
        anyio.run(journal.commit)
        costs = list(allotted(journal.db))
        assert sum(row.cost for row in costs) == totals(journal.db).cost
    assert all(row.own >= 0 and row.shared >= 0 for row in costs)


def test_a_first_row_that_is_refused_has_paid_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    rows = [{"id": f"r{number}", "body": f"Letter {number}"} for number in range(4)]
    with Emulator(answer=answerer(build_arms(arms_of(letters, "none")))) as emulator:
        emulator.say("Letter 0", refusal="cyber")
        account = Job(
            letters, rows=rows, out=tmp_path / "run", channel="live", slots=1, base_url=emulator.url
        ).run_sync()
    assert account.summary["failed_tasks"] == {"refused": 1}
    assert account.summary["cost_usd"] == account.summary["bill_usd"] or account.summary["bill_usd"] is None
    for line in account.results():
        assert Decimal(line["cost_with_shared_usd"]) >= 0, line["id"]


def duplicated(folder: Path, **fault: Any) -> tuple[dict[str, int], int]:
    """Tokens that rows had sent before, by agent, of a run in which something goes wrong; and its retries."""
    rows = [{"id": f"r{number}", "subject": "s", "body": "Where? And when?"} for number in range(12)]
    with Emulator(answer=answerer(build_arms(arms_of(triage, "none")))) as emulator:
        if fault:
            emulator.fault(**fault)
        job = Job(triage, rows=rows, out=folder, channel="live", slots=1, base_url=emulator.url, reuse=False)
        account = job.run_sync()
    assert account.summary["rows"]["succeeded"] == 12
    sent = {agent["agent"]: agent["duplicated_tokens"] for agent in account.summary["slices"]}
    return sent, account.summary["attempts"]["retried"]


@pytest.mark.parametrize("fault", [{"status": 529}, {"malformed": True}])
def test_what_is_tried_again_was_not_sent_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """A retry was said to have sent all of its input before, as if another task of the row had been shown it."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    once, none = duplicated(tmp_path / "once")
    again, retried = duplicated(tmp_path / "again", path="/v1/messages", probability=0.3, **fault)
    assert (none, retried > 3) == (0, True)
    assert again == once


def test_a_bill_that_differs_says_by_how_much_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    rows = [{"id": f"r{number}", "body": f"Letter {number}"} for number in range(4)]
    with Emulator(answer=answerer(build_arms(arms_of(letters, "none")))) as emulator:
        emulator.fault(lost=True, count=2, path="/v1/messages")
        account = Job(letters, rows=rows, out=tmp_path / "run", channel="live", base_url=emulator.url).run_sync()
    lost = account.summary["attempts"]["lost"]
    assert lost == 2
    more = Decimal(account.summary["bill_usd"]) - Decimal(account.summary["cost_usd"])
    assert 0 < more <= Decimal(account.summary["lost_upper_bound_usd"])
    shown = " ".join(fanwise("report", tmp_path / "run").stdout.split())
    said = re.search(r"own bill, \$(\S+) more than the ledger: the replies of 2 attempts were lost", shown)
    assert said is not None, shown
    assert Decimal(said[1]) == more
    with read_only(tmp_path / "run" / "journal.db") as db:
        assert db.execute("SELECT COUNT(*) FROM ends WHERE status='lost'").fetchone()[0] == 2
