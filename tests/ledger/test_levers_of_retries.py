"""What goes again for a request that nobody was paid for is shown for the first time: found by `bench/truth.py`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import anyio

from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, Why
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.levers import levers
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.units import moment

SENT, MODEL = 1_795_900_000.0, "claude-haiku-5-5"


def first_bill(path: Path, *requests: tuple[str, Why, int, bool]) -> int:
    """Picodollars of everything to everyone: one row, requests by task, reason, characters sent before, and reply."""
    with closing(SqliteJournal(path)) as journal:
        for number, (task, why, repeated, is_answered) in enumerate(requests, 1):
            journal.add_attempt(
                AttemptRecord(
                    id=number, arm="fanout", agent=task, model=MODEL, channel="live", why=why, request_hash="h",
                    reserved=1, sent=SENT, chars=1_000, repeated=repeated,
                ),
                [AskRecord(attempt=number, key=task, row=1, node=task, label=task, number=1)],
            )  # fmt: skip
            usage = Usage(input=400 if is_answered else 0, output=10 if is_answered else 0)
            price = cost(usage, MODEL, moment(SENT), batch=False) if is_answered else None
            status = "succeeded" if is_answered else "lost"
            journal.add_end(EndRecord(attempt=number, at=SENT + 1, status=status, usage=usage, cost=price))
        anyio.run(journal.commit)
        pulled = levers(journal.db)
        assert pulled is not None
        return pulled.naive


def test_a_retry_of_a_lost_request_shows_what_that_would_have_shown(tmp_path: Path) -> None:
    """It counted as seen: 600 of 1,000 characters were missing from what everyone is shown."""
    smooth = first_bill(tmp_path / "a.db", ("one", "first", 0, True), ("two", "first", 400, True))
    lost = first_bill(
        tmp_path / "b.db", ("one", "first", 0, False), ("one", "retry", 1_000, True), ("two", "first", 400, True)
    )
    assert lost == smooth


def test_a_longer_try_shows_nothing_new(tmp_path: Path) -> None:
    twice = first_bill(tmp_path / "a.db", ("one", "first", 0, True), ("one", "longer", 1_000, True))
    assert twice == 2 * cost(Usage(input=400, output=10), MODEL, moment(SENT), batch=False)
