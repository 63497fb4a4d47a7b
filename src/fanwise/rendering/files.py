"""`results.jsonl`, `rejects.jsonl`, `changes.jsonl`, `summary.json`: derived from the journal, replaced as a whole."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fanwise.canonical import quoted
from fanwise.errors import UsageError
from fanwise.journal.changes import Change, told_changes
from fanwise.journal.reader import Book
from fanwise.ledger.allotment import RowCost
from fanwise.ledger.measuring import Measuring
from fanwise.ledger.outcomes import reject_lines, result_lines
from fanwise.ledger.paired import CostsInOrder, new_pair
from fanwise.ledger.standing import standing
from fanwise.ledger.summary import FORMAT, summary
from fanwise.ledger.unpriced import usd_if_known
from fanwise.paths import typed


def results(db: Book, measuring: Measuring | None = None) -> Iterator[str]:
    """Yield one JSON line per finished row, in input order.

    Args:
        db: The journal.
        measuring: It is shown the rows that both sides have ended, so that nobody has to go over them once more.
    """
    offline = json.dumps(standing(db).offline)
    costs = CostsInOrder(db)
    for number, row_id, status, reason, output, baseline_status, stopped in result_lines(db):
        fanout, baseline = costs.of(number)
        ratios = "null"
        if baseline_status is not None:
            statuses = status, baseline_status
            ratios = _ratios(fanout, baseline, statuses)
            if measuring is not None:
                measuring.take(
                    new_pair(row=number, fanout=fanout, baseline=baseline, statuses=statuses, stopped=stopped)
                )
        unknown = fanout.unknown + (baseline.unknown if baseline is not fanout else 0)
        paid = with_shared = _dollars(fanout.paid, fanout)
        if fanout.cost != fanout.paid:
            with_shared = _dollars(fanout.cost, fanout)
        tokens = fanout.tokens if fanout.tokens or not fanout.unknown else "null"
        # Written by hand: there may be a million. The journal keeps an output as canonical JSON.
        yield (
            f'{{"format": {FORMAT}, "id": {quoted(row_id)}, "row": {number}, "status": "{status}", '
            f'"output": {output or "null"}, "cost_usd": {paid}, "cost_with_shared_usd": {with_shared}, '
            f'"tokens": {tokens}, "multiplier": {ratios}, "offline": {offline}'
            + (f', "reason": {quoted(reason)}' if reason else "")
            + (f', "attempts_of_unknown_cost": {unknown}' if unknown else "")
            + "}\n"
        )


def _dollars(pico: int, cost: RowCost) -> str:
    """Return dollars as JSON: `null` where attempts of unknown cost are all there is."""
    usd = usd_if_known(pico, cost.unknown)
    return "null" if usd is None else f'"{usd}"'


def _ratios(fanout: RowCost, baseline: RowCost, statuses: tuple[str, str]) -> str:
    """Return a row's multiplier as JSON.

    `null` where an arm has no output, the baseline no tokens or price, or what an attempt took is not known; that is
    the same on both sides where they are one.
    """
    is_known = fanout is baseline or not fanout.unknown + baseline.unknown
    if "failed" in statuses or not is_known or not baseline.tokens or not baseline.paid:
        return "null"
    tokens, dollars = fanout.tokens / baseline.tokens, fanout.paid / baseline.paid
    return f'{{"tokens": {round(tokens, 6)}, "usd_as_paid": {round(dollars, 6)}}}'


def rejects(db: Book) -> Iterator[str]:
    """Yield one JSON line per record that was set aside."""
    for reject in reject_lines(db):
        yield json.dumps(reject._asdict(), ensure_ascii=False) + "\n"


def _change_line(change: Change) -> str:
    """Return what has become of a row's result as a JSON line."""
    line = {
        "format": FORMAT,
        "session": change.session,
        "change": change.change,
        "id": change.row_id,
        "row": change.row,
        "row_before": change.row_before,
        "status": change.status,
        "status_before": change.status_before,
        "differs": change.differs.split(),
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def write_files(directory: Path, db: Book, *, bill: int | None = None) -> dict[str, Any]:
    """Replace the derived files of a run directory, and return the summary of its account.

    Args:
        directory: Of the run.
        db: Its journal.
        bill: The emulator's bill of the run in picodollars, fetched; None where there is none.

    Raises:
        UsageError: They cannot be written there.
    """
    measuring = Measuring(db)
    replace_file(directory / "results.jsonl", results(db, measuring))
    replace_file(directory / "rejects.jsonl", rejects(db))
    changes = told_changes(db)
    if changes is not None:
        replace_file(directory / "changes.jsonl", map(_change_line, changes))
    data = summary(db, bill=bill, measuring=measuring)
    replace_file(directory / "summary.json", [json.dumps(data, indent=2, ensure_ascii=False) + "\n"])
    return data


def replace_file(path: Path, lines: Iterable[str]) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part.

    Raises:
        UsageError: It cannot be written there.
    """
    check_place(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}"[:100] + ".")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        Path(name).unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Check that a file may be written at a path, before anything is computed for it.

    Raises:
        UsageError: Its folder does not exist, or the path is that of a folder.
    """
    try:
        if not path.parent.is_dir():
            raise UsageError(
                f"{typed(path)} cannot be written: there is no folder {typed(path.parent)}; make it, or choose another"
            )
        if path.is_dir():
            raise UsageError(f"{typed(path)} cannot be written: it is a folder; name a file in it")
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{typed(path)} cannot be written: {error.strerror}")
