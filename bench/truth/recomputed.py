"""All checks of one job."""

from __future__ import annotations

from .allotted import row_costs
from .book import Book
from .findings import Findings
from .floor import check_floor
from .headline import check_multiplier
from .levers import check_levers
from .rest import check_attempts, check_exported_totals, check_rest, check_tasks, leaves
from .rows import check_rows, check_sums
from .running import Evidence
from .slices import check_made_of, check_slices, check_worst
from .success import check_success
from .totals import check_bill, check_cash, check_per_row, check_totals


def recomputed(evidence: Evidence) -> Findings:
    """Compute every figure of a job again and compare."""
    findings = Findings(job=evidence.job.name, reasons=evidence.job.reasons)
    summary, book, tables = evidence.summary, Book(evidence.journal), evidence.tables
    costs = row_costs(book)
    check_totals(findings, summary, book)
    check_per_row(findings, summary, book, costs)
    check_cash(findings, summary["cash"], summary["cost_usd"], book)
    check_bill(findings, summary, evidence.bill, book)
    check_rows(findings, evidence.results, tables["rows"], costs, book)
    check_sums(findings, costs, book)
    compared = check_multiplier(findings, summary, book, costs)
    check_success(findings, summary["per_success"], compared)
    check_floor(findings, summary, book)
    check_levers(findings, summary, book)
    check_slices(findings, summary, book)
    check_made_of(findings, summary, book)
    check_worst(findings, summary, book, {row: (a.tokens, b.tokens) for row, (a, b) in compared.known.items()})
    check_rest(findings, summary, book)
    check_attempts(findings, tables["attempts"], book)
    check_tasks(findings, tables["tasks"], book)
    check_exported_totals(findings, tables["totals"], summary)
    _nothing_forgotten(findings, summary)
    return findings


def _nothing_forgotten(findings: Findings, summary: dict[str, object]) -> None:
    """Call it wrong where a figure of the summary was neither compared nor listed."""
    for name, _ in leaves(summary):
        parts = name.split(".")
        ways = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
        begun = any(seen.startswith(f"{name}.") for seen in findings.seen)
        if not begun and not ways & findings.seen:
            findings.wrong.append(f"{name}: not compared")
