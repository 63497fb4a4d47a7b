"""What a run ended with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanwise.ledger.report import ReportDetails, ReportTables, report_details, report_tables
from fanwise.rendering.html import notebook, page

from .directory import peeking


@dataclass(frozen=True, slots=True)
class Account:
    """What a run ended with."""

    directory: Path
    summary: dict[str, Any]

    @property
    def ended(self) -> str:
        """completed, halted, interrupted or detached."""
        return str(self.summary["ended"])

    def _repr_html_(self) -> str:
        """Return it as a notebook shows it: sentences, figures, and a picture where `fanwise[report]` is installed."""
        return notebook(self.summary)

    def html(self) -> str:
        """Return the whole report as one HTML page, without scripts.

        Raises:
            UsageError: The packages that draw it are not there: `pip install 'fanwise[report]'`.
        """
        with peeking(self.directory) as db:
            return page(self.summary, report_tables(db), report_details(db, self.summary))

    def tables(self, *, all_failures: bool = False) -> ReportTables:
        """Return what each agent cost and was sent, and what failed, as the journal has it now.

        Args:
            all_failures: Whether all failed tasks are in them, or the first twenty.
        """
        with peeking(self.directory) as db:
            return report_tables(db, all_failures=all_failures)

    def details(self) -> ReportDetails:
        """Return what a report shows beside these tables, as the journal has it now."""
        with peeking(self.directory) as db:
            return report_details(db, self.summary)

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of `results.jsonl`."""
        with (self.directory / "results.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)
