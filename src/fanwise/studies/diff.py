"""What was changed between two runs, and what that did to the price of a successful row."""

from __future__ import annotations

from pathlib import Path

from fanwise.job.directory import reading
from fanwise.journal.meta import check_begun
from fanwise.ledger.changes import changes
from fanwise.ledger.diff import Diff, run_figures
from fanwise.ledger.summary import summary


def diff(before: str | Path, after: str | Path) -> Diff:
    """Return what is different between two runs, agent by agent; nothing of either is changed.

    Args:
        before: Directory of the run that is held against.
        after: Directory of the other run.

    Raises:
        RunDirectoryError: One of them is no run directory, or its run never began.
    """
    with reading(before) as old, reading(after) as new:
        for journal in (old, new):
            check_begun(journal)
        return Diff(
            before=run_figures(old.db, summary(old.db)),
            after=run_figures(new.db, summary(new.db)),
            agents=tuple(changes(old.db, new.db)),
        )
