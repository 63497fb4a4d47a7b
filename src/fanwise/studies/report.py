"""What a run cost, against one agent, and what failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from fanwise.job.account import Account
from fanwise.job.directory import peeking
from fanwise.journal.meta import check_begun
from fanwise.jsonable import as_object
from fanwise.ledger.by import Group, by
from fanwise.ledger.rejections import rejections
from fanwise.ledger.summary import summary


def report(directory: str | Path) -> Account:
    """Return the account of a run as it stands, whether somebody works on it or not; nothing of it is changed.

    Args:
        directory: The run directory.

    Raises:
        RunDirectoryError: It is no run directory, or its run never began.
    """
    with peeking(directory) as db:
        check_begun(db)
        # Reasons are words about rows, which a purge removes: so they are in no `summary.json`.
        more = {"bill_usd": _bill(Path(directory)), "rejects": rejections(db).data()}
        return Account(Path(directory), summary(db) | more)


def report_by(directory: str | Path, *dimensions: str) -> Iterator[Group]:
    """Yield the attempts of a run in groups, the dearest first; over all groups they are the whole ledger.

    Args:
        directory: The run directory.
        *dimensions: Keys of `ledger.by.DIMENSIONS`, such as `agent` and `hour`; at least one.

    Raises:
        RunDirectoryError: It is no run directory, or its run never began.
        UsageError: There is no such dimension.
    """
    with peeking(directory) as db:
        check_begun(db)
        yield from by(db, dimensions)


def _bill(directory: Path) -> str | None:
    """Return the bill that the last session fetched, in dollars: it needs the emulator, which is not running."""
    try:
        data: object = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    bill = as_object(data).get("bill_usd")
    return bill if isinstance(bill, str) else None
