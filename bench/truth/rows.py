"""The lines of `results.jsonl` and of the export, each figure of them."""

from __future__ import annotations

from typing import Any

from .allotted import RowCost
from .book import Book
from .findings import Findings, usd


def check_rows(
    findings: Findings,
    results: list[dict[str, Any]],
    table: list[dict[str, Any]],
    costs: dict[tuple[int, str], RowCost],
    book: Book,
) -> None:
    """Compare what rows cost in both files."""
    is_own = book.meta["own_baseline"]
    for line in table:
        cost, name = costs.get((line["row"], line["side"]), RowCost()), f"rows {line['row']} {line['side']}"
        is_known = cost.paid or not cost.unknown  # what nobody knows is not zero
        findings.same(f"{name} own_usd", line["own_usd"], usd(cost.own) if is_known else None)
        findings.same(f"{name} shared_usd", line["shared_usd"], usd(cost.shared))
        findings.same(f"{name} tokens", line["tokens"], cost.tokens if cost.tokens or not cost.unknown else None)
        findings.same(f"{name} unknown", line["attempts_of_unknown_cost"], cost.unknown)
    for line in results:
        cost, name = costs.get((line["row"], "fanout"), RowCost()), f"results {line['row']}"
        findings.same(f"{name} cost_usd", line["cost_usd"], usd(cost.paid))
        findings.same(f"{name} cost_with_shared_usd", line["cost_with_shared_usd"], usd(cost.all))
        findings.same(f"{name} tokens", line["tokens"], cost.tokens)
        ends = tuple(book.outcomes.get((line["row"], arm)) for arm in ("fanout", "fanout" if is_own else "baseline"))
        other = costs.get((line["row"], "baseline"), RowCost())
        findings.same(f"{name} unknown", line.get("attempts_of_unknown_cost", 0), cost.unknown + other.unknown)
        findings.same(f"{name} multiplier", line["multiplier"], _multiplier(cost, cost if is_own else other, ends))


def _multiplier(cost: RowCost, other: RowCost, ends: tuple[str | None, ...]) -> dict[str, float] | None:
    """Return what a line says of its row: null where a side has no output, or took what nobody knows."""
    is_known = cost is other or not cost.unknown + other.unknown
    if not {"failed", None}.isdisjoint(ends) or not is_known or not other.tokens or not other.paid:
        return None
    return {"tokens": round(cost.tokens / other.tokens, 6), "usd_as_paid": round(cost.paid / other.paid, 6)}


def check_sums(findings: Findings, costs: dict[tuple[int, str], RowCost], book: Book) -> None:
    """Compare the sum of all rows with the sum of all attempts."""
    for side in ("fanout", "baseline"):
        rows = [cost for (_, arm), cost in costs.items() if arm == side]
        attempts = [attempt for attempt in book.counting if attempt.arm == side]
        findings.same(f"sum of rows, {side}", sum(row.all for row in rows), sum(a.usd or 0 for a in attempts))
        findings.same(
            f"tokens of rows, {side}", sum(row.tokens + row.warm_tokens for row in rows), sum(a.total for a in attempts)
        )
