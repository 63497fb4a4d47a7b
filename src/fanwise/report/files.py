"""`results.jsonl`, `rejects.jsonl`, `summary.json`: derived from the journal, replaced as a whole."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fanwise.ledger.account import TOKENS
from fanwise.ledger.allotment import allotted
from fanwise.units import usd_text

_RESULTS = f"""SELECT w.number, w.row_id, r.status, r.reason, t.text,
  COALESCE(SUM(CASE WHEN a.side='fanout' THEN e.cost END), 0),
  COALESCE(SUM(CASE WHEN a.side='baseline' THEN e.cost END), 0),
  COALESCE(SUM(CASE WHEN a.side='fanout' THEN {TOKENS} END), 0),
  COALESCE(SUM(CASE WHEN a.side='baseline' THEN {TOKENS} END), 0),
  b.status, COALESCE(SUM(a.id IS NOT NULL AND e.cost IS NULL), 0)
  FROM results r JOIN rows w ON w.number=r.row LEFT JOIN texts t ON t.sha=r.output
  LEFT JOIN results b ON b.row=r.row AND b.side='baseline'
  LEFT JOIN attempts a ON a.row=r.row LEFT JOIN ends e ON e.attempt=a.id
  WHERE r.side='fanout' GROUP BY r.row ORDER BY r.row"""


def results(db: sqlite3.Connection) -> Iterator[str]:
    """Yield one JSON line per finished row, in input order."""
    meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
    offline = meta.get("offline")
    costs = _Allotted(db)
    for number, row_id, status, reason, text, cost, base, tokens, base_tokens, base_status, unknown in db.execute(
        _RESULTS
    ):
        both = base_status in ("succeeded", "partial") and status != "failed" and base_tokens and base
        line: dict[str, Any] = {
            "id": row_id,
            "row": number,
            "status": status,
            "output": None,
            "cost_usd": usd_text(cost),
            "cost_with_shared_usd": usd_text(costs.of(number)),
            "tokens": tokens,
            "multiplier": {"tokens": round(tokens / base_tokens, 6), "usd_as_paid": round(cost / base, 6)}
            if both
            else None,
            "offline": None if offline is None else offline == "true",
        }
        if reason:
            line["reason"] = reason
        if unknown:
            line["attempts_of_unknown_cost"] = unknown
        told = _encode(line)
        # The journal keeps an output as canonical JSON: it is put in as it is.
        yield (told if text is None else told.replace(_NO_OUTPUT, f'"output": {text}', 1)) + "\n"


_encode = json.JSONEncoder(ensure_ascii=False).encode
_NO_OUTPUT = '"output": null'


class _Allotted:
    """What rows cost with their part of what they share, asked for in their order."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._costs = (one for one in allotted(db) if one.side == "fanout")
        self._next = next(self._costs, None)

    def of(self, row: int) -> int:
        while self._next is not None and self._next.row and self._next.row < row:
            self._next = next(self._costs, None)
        return self._next.cost if self._next is not None and self._next.row == row else 0


def rejects(db: sqlite3.Connection) -> Iterator[str]:
    """Yield one JSON line per record that was set aside."""
    for number, reason, raw in db.execute("SELECT number, reason, raw FROM rejects ORDER BY number"):
        yield json.dumps({"line": number, "reason": reason, "raw": raw}, ensure_ascii=False) + "\n"


def write_files(directory: Path, db: sqlite3.Connection, summary: dict[str, Any]) -> None:
    """Replace the derived files of a run directory."""
    replace_file(directory / "results.jsonl", results(db))
    replace_file(directory / "rejects.jsonl", rejects(db))
    replace_file(directory / "summary.json", [json.dumps(summary, indent=2, ensure_ascii=False) + "\n"])


def replace_file(path: Path, lines: Iterable[str]) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
