"""Why rows were set aside, in lines: at the end of a run, and in its report."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from fanwise.ledger.rejections import Rejection, Rejections

from .harmless import one_line

MOST_CHARS = 160
"""Characters of a reason that are shown."""
PURGED = "the reason was purged"


def show_rejections(rejections: Rejections, console: Console) -> None:
    """Print why rows were set aside; nothing where none were."""
    if rejections.reasons:
        records = sum(of.records for of in rejections.reasons) + rejections.other_records
        console.print(Text(f"rows that were set aside ({records:,})", style="bold red"))
        for line in rejection_lines(rejections):
            console.print(Text(line))


def rejection_lines(rejections: Rejections) -> Iterator[str]:
    """Yield a line for each reason, and one for the others."""
    for of in rejections.reasons:
        reason = one_line(of.reason, MOST_CHARS) or PURGED
        yield f"  {of.records:,} ({_place(of)}{' first' if of.records > 1 else ''}): {reason}"
    if rejections.other_records:
        yield f"  and {others(rejections)}"


def _place(rejection: Rejection) -> str:
    """Return where the first record of a kind stands: its line, and its number where that is another."""
    record = "" if rejection.number == rejection.line else f", record {rejection.number:,}"
    return f"line {rejection.line:,}{record}"


def others(rejections: Rejections) -> str:
    """Return how many rows were set aside for reasons that are not told."""
    reasons = f"{rejections.other_reasons:,} other reason{'s' if rejections.other_reasons > 1 else ''}"
    return f"{rejections.other_records:,} other{'s' if rejections.other_records > 1 else ''}, for {reasons}"
