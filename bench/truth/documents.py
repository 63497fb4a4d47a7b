"""What a sample has written of documents for other rows: docs/decisions/2026-11-30-documents-of-a-sample.md.

The jobs here have one block of the row, the field `page`, so that all that is written of a row is of it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from .allotted import front_written, split
from .attempt import Attempt
from .book import Book
from .prices import price_of

FIRST, LEAST_USES = 200, Fraction(115, 90)
"""Records that are looked at, and rows a document from which a block is written: (1.25 - 0.1) / (1 - 0.1)."""


def spared(book: Book) -> dict[tuple[int, str], Fraction]:
    """Return what rows of a sampled single agent have paid beyond their part, by row and side; of the fan-out too."""
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
        for share in split(attempt):
            row = share.asks[0].row
            page = pages[row]
            others = Fraction(of_job[page] - drawn[page], of_job[page])
            part = round(_paid_for_page(share, attempt.tokens.prompt) * len(book.rows) * others)
            beyond[row, "baseline"] += Fraction(part, len(book.rows))
    _level(beyond, {row for row, _ in beyond} | {ask.row for a in asked for ask in a.asks}, book, pages)
    return beyond


def _paid_for_page(attempt: Attempt, prompt: int) -> int:
    """Return what an attempt, or a task's part of it, has paid for writing its row's page, beyond reading it."""
    price = price_of(attempt.model, prompt)
    if not attempt.usd or price is None or attempt.why == "tools":
        return 0
    of_row = attempt.tokens.write_5m - front_written(attempt)
    return min(of_row * (price.write_5m - price.read) // (2 if attempt.channel == "batch" else 1), attempt.usd)


def _level(
    beyond: dict[tuple[int, str], Fraction], sampled: set[int], book: Book, pages: Mapping[int, str | None]
) -> None:
    """Let the rows of the sample bear, in the fan-out, equal parts of what all rows have written of their pages."""
    written, showing, own = Counter[tuple[str, Any]](), defaultdict[tuple[str, Any], set[int]](set), Counter[int]()
    for attempt in book.counting:
        if attempt.arm == "fanout" and attempt.asks and attempt.blocks.count(" ") > 1 and attempt.why != "tools":
            for share in split(attempt):
                row, paid = share.asks[0].row, _paid_for_page(share, attempt.tokens.prompt)
                showing[attempt.model, pages[row]].add(row)
                written[attempt.model, pages[row]] += paid
                own[row] += paid
    for row in sampled:
        part = sum(Fraction(written[of], len(rows)) for of, rows in showing.items() if row in rows)
        beyond[row, "fanout"] = own[row] - Fraction(round(part * len(book.rows)), len(book.rows))
