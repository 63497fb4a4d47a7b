"""What a sample has written of documents for other rows: docs/decisions/2026-11-30-documents-of-a-sample.md.

The jobs here have one block of the row, the field `page`, so that all that is written of a row is of it.
"""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

from .allotted import front_written
from .book import Book
from .prices import price_of

FIRST, LEAST_USES = 200, Fraction(115, 90)
"""Records that are looked at, and rows a document from which a block is written: (1.25 - 0.1) / (1 - 0.1)."""


def spared(book: Book) -> dict[tuple[int, str], Fraction]:
    """Return what rows of a sampled single agent have paid beyond their part, by row and side."""
    manifest = book.meta["manifest"]
    if not manifest["spec"].get("sample"):
        return {}
    lines = Path(manifest["rows"]).read_text("utf-8").splitlines()
    pages = {number: json.loads(line).get("page") for number, line in enumerate(lines, 1)}
    first = [page for number, page in pages.items() if number <= FIRST and page is not None]
    if not first or len(first) < LEAST_USES * len(set(first)):
        return {}
    of_job = Counter(pages[number] for number in book.rows)
    asked = [a for a in book.counting if a.arm == "baseline" and a.asks]
    drawn = Counter(pages[row] for row in {ask.row for a in asked for ask in a.asks})
    beyond: dict[tuple[int, str], Fraction] = Counter()
    for attempt in asked:
        price = price_of(attempt.model, attempt.tokens.prompt)
        if not attempt.usd or price is None or attempt.why == "tools":
            continue
        of_row = attempt.tokens.write_5m - front_written(attempt)
        extra = of_row * (price.write_5m - price.read) // (2 if attempt.channel == "batch" else 1)
        (ask,) = attempt.asks
        page = pages[ask.row]
        others = Fraction(of_job[page] - drawn[page], of_job[page])
        beyond[ask.row, "baseline"] += Fraction(
            round(min(extra, attempt.usd) * len(book.rows) * others), len(book.rows)
        )
    return beyond
