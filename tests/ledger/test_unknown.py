"""What is not known of an attempt is zero nowhere: found by computing the account again from outside."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio

from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowRecord, RowResult
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.exports import attempt_lines
from fanwise.pricing.usage import Usage
from fanwise.rendering.files import results


def journal_of(path: Path, *ends: dict[str, Any]) -> SqliteJournal:
    """One row that both sides have ended; an attempt of the fan-out for each end, and one of the baseline."""
    journal = SqliteJournal(path / "journal.db")
    journal.add_row(RowRecord(1, "r", 0, "h", 1))
    priced = {"status": "succeeded", "usage": Usage(input=10, output=5), "cost": 100}
    for number, (arm, end) in enumerate([*[("fanout", end) for end in ends], ("baseline", priced)], 1):
        journal.add_attempt(
            AttemptRecord(
                id=number, arm=arm, agent="a", model="m", channel="live", why="first", request_hash="h", reserved=7,
                sent=1.0,
            ),
            [AskRecord(attempt=number, key=f"k{number}", row=1, node="a", label="a", number=1)],
        )  # fmt: skip
        journal.add_end(EndRecord(attempt=number, at=2.0, **end))
    for arm in ("fanout", "baseline"):
        journal.add_result(RowResult(1, arm, "succeeded", None))
    anyio.run(journal.commit)
    return journal


def test_what_a_lost_attempt_took_is_empty_and_its_row_has_no_multiplier(tmp_path: Path) -> None:
    answered = {"status": "succeeded", "usage": Usage(input=20, output=5), "cost": 300}
    with closing(journal_of(tmp_path, {"status": "lost", "cost": None}, answered)) as journal:
        lost, *others = attempt_lines(journal.db)
        assert (lost.input_tokens, lost.output_tokens, lost.cost) == (None, None, None)
        assert [line.input_tokens for line in others] == [20, 10]
        (line,) = map(json.loads, results(journal.db))
        assert (line["multiplier"], line["attempts_of_unknown_cost"]) == (None, 1)
