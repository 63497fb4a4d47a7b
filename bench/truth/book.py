"""What the journal says, read as plain SQLite and priced by the price list."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from .ahead import as_usual, usual_channels
from .attempt import Ask, Attempt
from .inherited import inherit
from .prices import Tokens, cost


class Book:
    """A journal."""

    def __init__(self, journal: sqlite3.Connection) -> None:
        """Read attempts and rows.

        Args:
            journal: A connection whose rows have names.
        """
        self.journal = journal
        self.meta = {row["key"]: json.loads(row["value"]) for row in journal.execute("SELECT key, value FROM meta")}
        self.run_id: str = self.meta["manifest"]["run_id"]
        self._batches = {
            row["intent"]: row["batch_id"] for row in journal.execute("SELECT intent, batch_id FROM batches")
        }
        asks: dict[int, list[Ask]] = {}
        for row in journal.execute("SELECT * FROM asks ORDER BY attempt, place"):
            asks.setdefault(row["attempt"], []).append(_ask(row))
        query = (
            "SELECT a.*, e.status, e.kind, e.message, e.request_id, e.input, e.cache_write_5m, e.cache_write_1h,"
            " e.cache_read, e.output, e.cost FROM attempts a LEFT JOIN ends e ON e.attempt=a.id ORDER BY a.id"
        )
        self.attempts = [self._attempt(row, tuple(asks.get(row["id"], ()))) for row in journal.execute(query)]

    def _attempt(self, row: sqlite3.Row, asks: tuple[Ask, ...]) -> Attempt:
        has_end = row["status"] is not None
        names = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")
        tokens = Tokens(*(row[name] or 0 for name in names))
        is_batch = row["channel"] == "batch"
        is_silent = row["status"] == "succeeded" and row["cost"] is None and not sum(tokens)
        is_counted = row["status"] in ("succeeded", "failed") and not is_silent
        usd = cost(tokens, row["model"], batch=is_batch) if is_counted else None
        is_free = row["kind"] == "refusal" and row["cost"] == 0
        bill_id = f"{self._batches.get(row['intent'])}/{self.run_id}-{row['id']}" if is_batch else row["request_id"]
        return Attempt(
            id=row["id"], arm=row["arm"], agent=row["agent"], model=row["model"], channel=row["channel"],
            why=row["why"], status=row["status"] if has_end else "open", kind=row["kind"] or "",
            is_counted=is_counted, tokens=tokens,
            usd=0 if is_free else usd, journal_usd=row["cost"], reserved=row["reserved"], sent=row["sent"],
            bill_id=bill_id or "", job_share=row["job_share"], prefix=row["prefix"], chars=row["chars"],
            repeated=row["repeated"], blocks=row["blocks"], asks=asks,
        )  # fmt: skip

    def inputs_of(self, attempt: int) -> int:
        """Return how many inputs a request has shown, whoever needs them now."""
        return self._inputs[attempt]

    @cached_property
    def _inputs(self) -> dict[int, int]:
        return {attempt.id: attempt.inputs for attempt in self.attempts}

    @cached_property
    def rows(self) -> dict[int, int]:
        """Rows that the last session has found in the file, each with the session since which it is as it is."""
        found = self.journal.execute("SELECT number, since FROM rows WHERE session=(SELECT MAX(session) FROM rows)")
        return {row["number"]: row["since"] for row in found}

    @cached_property
    def row_ids(self) -> set[str]:
        """Ids of the rows of the file."""
        found = self.journal.execute("SELECT row_id FROM rows WHERE session=(SELECT MAX(session) FROM rows)")
        return {row["row_id"] for row in found}

    @cached_property
    def _edits(self) -> dict[str, int]:
        return {row["arm"]: row["session"] for row in self.journal.execute("SELECT arm, session FROM edits")}

    @cached_property
    def _reached(self) -> dict[str, int]:
        return {row["key"]: row["session"] for row in self.journal.execute("SELECT key, session FROM reached")}

    def needs(self, row: int, arm: str, key: str) -> bool:
        """Return whether a row of the file, as it is, needs a task in the graph as it is."""
        since = max(self.rows.get(row, 0), self._edits.get(arm, 1))
        return row in self.rows and (since < 2 or self._reached.get(key, 0) >= since)

    @cached_property
    def counting(self) -> list[Attempt]:
        """The attempts of the account as they count: those that went ahead, and those that took over a write."""
        usual, (heirs, _) = self.ahead, self._inherited
        return [usual.get(attempt.id, heirs.get(attempt.id, attempt)) for attempt in self.needed]

    @cached_property
    def ahead(self) -> dict[int, Attempt]:
        """Those that went ahead, as they count, by number."""
        return as_usual(self.needed)

    @cached_property
    def _inherited(self) -> tuple[dict[int, Attempt], dict[int, int]]:
        needed = {a.id for a in self.needed}
        return inherit(self.attempts, needed, self.ahead, usual_channels(self.needed), self.meta)

    @property
    def taken_over(self) -> dict[int, int]:
        """Picodollars of the writes of each attempt that others have taken over."""
        return self._inherited[1]

    @cached_property
    def needed(self) -> list[Attempt]:
        """The attempts of the account as they were, by docs/decisions/2026-11-29-what-counts-now.md."""
        needed = {a.id: self._of_needed(a) for a in self.attempts}
        kept = {(a.prefix, a.model, a.arm) for a in needed.values() if a.asks}
        return [
            needed[a.id]
            for a in self.attempts
            if needed[a.id].asks or (not a.asks and (a.prefix, a.model, a.arm) in kept)
        ]

    def _of_needed(self, attempt: Attempt) -> Attempt:
        """Return an attempt with those of its tasks that are needed: they share it, in the order of their rows."""
        asks = [ask for ask in attempt.asks if self.needs(ask.row, attempt.arm, ask.key)]
        return replace(attempt, asks=tuple(sorted(asks, key=lambda ask: (ask.row, ask.key))))

    @cached_property
    def of_other_rows(self) -> list[Attempt]:
        """Attempts for rows that have left the file, or were changed in it."""
        return [a for a in self.attempts if a.asks and not any(self._is_of_file(ask) for ask in a.asks)]

    @cached_property
    def unsampled(self) -> list[Attempt]:
        """The single agent's attempts for rows of the file that are in its sample no more: it has the least hashes."""
        spec = self.meta["manifest"]["spec"]
        found = self.journal.execute("SELECT number, row_id FROM rows WHERE session=(SELECT MAX(session) FROM rows)")
        word = f"sample {spec['seed']}" if spec.get("seed") else "sample"
        hashes = {row["number"]: sha256(f"{word} {row['row_id']}".encode()).hexdigest() for row in found}
        sample = sorted(hashes, key=lambda number: hashes[number])[: spec.get("sample")]
        others = {a.id for a in self.needed + self.of_other_rows}
        asked = [a for a in self.attempts if a.arm == "baseline" and a.asks and a.id not in others]
        return [a for a in asked if not any(ask.row in sample for ask in a.asks)]

    def _is_of_file(self, ask: Ask) -> bool:
        since = self.rows.get(ask.row)
        return since is not None and (since < 2 or self._reached.get(ask.key, 0) >= since)

    @cached_property
    def outcomes(self) -> dict[tuple[int, str], str]:
        """How each row of the file ended on each side, in the graph as it is."""
        return {
            (row["row"], row["arm"]): row["status"]
            for row in self.journal.execute("SELECT row, arm, status, session FROM results")
            if row["row"] in self.rows
            and (since := max(self.rows[row["row"]], self._edits.get(row["arm"], 1))) is not None
            and (since < 2 or row["session"] >= since)
        }

    @cached_property
    def failed(self) -> list[sqlite3.Row]:
        """The failed tasks that rows of the file need."""
        tasks = self.journal.execute("SELECT key, row, arm, kind FROM tasks WHERE status='failed'")
        return [task for task in tasks if self.needs(task["row"], task["arm"], task["key"])]

    def of_task(self, row: int, key: str) -> list[Attempt]:
        """Return all attempts for a task of a row."""
        return [a for a in self.attempts if any((ask.row, ask.key) == (row, key) for ask in a.asks)]

    def count(self, query: str) -> Any:
        """Return the one value of a query."""
        return self.journal.execute(query).fetchone()[0]


def _ask(row: sqlite3.Row) -> Ask:
    sizes = [int(size) for size in row["sizes"].split(",") if size]
    return Ask(
        key=row["key"], row=row["row"], row_id=row["row_id"], node=row["node"], label=row["label"],
        number=row["number"], sizes=sizes, work=row["work"],
    )  # fmt: skip
