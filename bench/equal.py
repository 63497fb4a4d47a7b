"""Equal tasks are one call: 2,000 rows of which some hold what others do, live, in batches and by `--channel auto`.

For each share of duplicates: requests that were sent, which have to be the tasks that are different; what rows cost,
summed, beside the ledger and the emulator's bill; what the lever has taken off. Then the table of a million different
tasks: bytes and time for each. Fails where a count or a sum is not exact, or an entry takes more than 22 bytes.

Usage: python bench/equal.py [ROWS]
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise import Job, agent, graph
from fanwise.canonical import digest
from fanwise.engine.worktable import WorkTable

SHARES = (10, 25, 40)
"""Percent of the rows that hold what others do."""
WAYS: tuple[dict[str, Any], ...] = ({"channel": "live", "slots": 64}, {"channel": "batch"}, {"channel": "auto"})
ENTRIES, MOST_BYTES = 1_000_000, 22


class Ticket(BaseModel):
    id: str
    body: str


@agent(model="claude-haiku-5-5", max_tokens=100)
def classify(body: str) -> str:
    """Say what it is about."""
    return f"about {body[-24:]}"


@agent(model="claude-sonnet-5-5", max_tokens=200)
def draft(body: str, about: str) -> str:
    """Draft an answer."""
    return f"{about}: {body}"


@graph
def desk(ticket: Ticket) -> str:
    return draft(ticket.body, classify(ticket.body))


def rows(count: int, different: int) -> list[Ticket]:
    """So many rows, of which so many are different; equal ones stand all over the file."""
    bodies = [number if number * 100 // count < 100 * different // count else number * 7_919 for number in range(count)]
    return [Ticket(id=str(number), body=f"Ticket {body % different} asks.") for number, body in enumerate(bodies)]


def carried_out(tickets: Sequence[Ticket], different: int, way: dict[str, Any]) -> str:
    """Run a job; returns what was wrong, empty where nothing was."""
    with tempfile.TemporaryDirectory() as folder:
        out, started = Path(folder) / "run", time.monotonic()
        account = Job(desk, rows=tickets, out=out, baseline="auto", **way).run_sync().summary
        took = time.monotonic() - started
        with closing(sqlite3.connect(out / "journal.db")) as db:
            sent = dict(db.execute("SELECT agent, COUNT(*) FROM attempts GROUP BY agent").fetchall())
        lines = [json.loads(line) for line in (out / "results.jsonl").read_text("utf-8").splitlines()]
    of_rows = sum(Decimal(line["cost_with_shared_usd"]) for line in lines)
    levers = account["levers"]
    print(
        f"{100 - 100 * different // len(tickets):>10} %  {way['channel']:<7} {sent['classify']:>9,} {sent['draft']:>6,}"
        f" {sent['baseline']:>9,}  ${Decimal(account['fanout_usd']):.6f}  ${Decimal(levers['saved_usd']['equal']):.6f}"
        f"  {took:>7.1f}",
        flush=True,
    )
    wrong = [
        f"{name} was sent {count} times for {different} different tasks"
        for name, count in sent.items()
        if count != different
    ]
    if of_rows != Decimal(account["fanout_usd"]):
        wrong.append(f"rows cost {of_rows}, the fan-out {account['fanout_usd']}")
    if Decimal(account["cost_usd"]) != Decimal(account["bill_usd"]):
        wrong.append(f"the ledger says {account['cost_usd']}, the bill {account['bill_usd']}")
    if account["rows"]["succeeded"] != len(tickets):
        wrong.append(f"{account['rows']['succeeded']} rows have succeeded")
    return "; ".join(wrong)


def table() -> str:
    """Fill the table of what was answered; returns what was wrong."""
    works = [digest(str(number))[:32] for number in range(ENTRIES)]
    entries, started = WorkTable(), time.process_time()
    for attempt, work in enumerate(works, 1):
        entries.find(work)
        entries.add(work, attempt)
    took = time.process_time() - started
    each = entries.size / ENTRIES
    print(f"\n{ENTRIES:,} different tasks: {each:.1f} bytes and {took * 1e6 / ENTRIES:.2f} µs each to look up and add")
    return f"an entry takes {each:.1f} bytes" if each > MOST_BYTES else ""


def main() -> int:
    """Run all; returns the exit status."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    print("duplicates  channel  classify  draft  baseline  fan-out    paid once  seconds")
    wrong: list[str] = []
    for share in SHARES:
        different = count - count * share // 100
        tickets = rows(count, different)
        assert len({ticket.body for ticket in tickets}) == different
        wrong += [carried_out(tickets, different, way) for way in WAYS]
    wrong = [text for text in [*wrong, table()] if text]
    print("\n".join(["", *wrong]) if wrong else "\nall calls are different tasks, and all sums are the bill")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
