"""Rows, attempts, tokens and dollars in all, and the bill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from .allotted import RowCost
from .attempt import Attempt
from .book import Book
from .documents import spared
from .findings import Findings, usd

SIDES = ("fanout", "baseline")


def check_totals(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    """Compare what was counted: rows, attempts, tokens, dollars."""
    manifest = book.meta["manifest"]
    for name in ("run_id", "graph", "created"):
        findings.same(name, summary[name], manifest[name])
    findings.same("offline", summary["offline"], True)
    findings.same("format", summary["format"], 2)
    findings.same("sessions", summary["sessions"], book.count("SELECT COUNT(*) FROM sessions"))
    findings.same("ended", summary["ended"], book.count("SELECT how FROM sessions ORDER BY id DESC LIMIT 1"))
    findings.same("halted", summary["halted"], book.meta["halted"] or None)
    findings.same("wall_s", summary["wall_s"], round(book.count("SELECT SUM(ended-started) FROM sessions"), 3))
    _rows(findings, summary["rows"], book)
    for prefix, part, attempts in _parts(summary["attempts"], book):
        for name, number in _counts(attempts).items():
            findings.same(f"attempts.{prefix}{name}", part[name], number)
    for side in ("all", *SIDES):
        keys = {ask.key for a in book.counting if side in ("all", a.arm) for ask in a.followers}
        findings.same(f"served_tasks.{side}", summary["served_tasks"][side], len(keys))
    for prefix, part, attempts in _parts(summary["tokens"], book):
        for column, name in enumerate(("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")):
            findings.same(f"tokens.{prefix}{name}", part[name], tokens_of(attempts, column))
    _dollars(findings, summary, book)


def tokens_of(attempts: list[Attempt], column: int) -> int | None:
    """Return the tokens of one kind, as far as replies have told them; None where those that ended told none at all."""
    is_silent = any(not a.is_counted and a.status != "open" for a in attempts) and not any(a.total for a in attempts)
    return None if is_silent else sum(a.tokens[column] for a in attempts)


def _rows(findings: Findings, said: dict[str, int], book: Book) -> None:
    rows = book.rows
    counts = Counter(book.outcomes.get((row, "fanout"), "unfinished") for row in rows)
    findings.same("rows.read", said["read"], len(rows))
    findings.same("rows.rejected", said["rejected"], book.count("SELECT COUNT(*) FROM rejects"))
    for status in ("succeeded", "partial", "failed", "unfinished"):
        findings.same(f"rows.{status}", said[status], counts[status])


def _parts(said: dict[str, Any], book: Book) -> list[tuple[str, dict[str, Any], list[Attempt]]]:
    parts = [("", said, book.counting)]
    return parts + [(f"{side}.", said[side], [a for a in book.counting if a.arm == side]) for side in SIDES]


def _counts(attempts: list[Attempt]) -> dict[str, int]:
    counts = Counter(attempt.status for attempt in attempts)
    return {
        "sent": len(attempts), "succeeded": counts["succeeded"], "failed": counts["failed"], "lost": counts["lost"],
        "retried": sum(attempt.why in ("retry", "repair", "longer") for attempt in attempts),
        "paid_twice": 0,
    }  # fmt: skip


def _dollars(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    known = {side: sum(a.usd or 0 for a in book.counting if a.arm == side) for side in SIDES}
    findings.same("cost_usd", summary["cost_usd"], usd(sum(known.values())))
    for side in SIDES:
        findings.same(f"{side}_usd", summary[f"{side}_usd"], usd(known[side]))
    lost = [a.reserved for a in book.counting if a.status == "lost"]
    waiting = [a.reserved for a in book.attempts if a.status == "open"]
    findings.same("lost_upper_bound_usd", summary["lost_upper_bound_usd"], usd(sum(x or 0 for x in lost)))
    findings.same("open.attempts", summary["open"]["attempts"], len(waiting))
    findings.same("open.upper_bound_usd", summary["open"]["upper_bound_usd"], usd(sum(x or 0 for x in waiting)))
    unpriced = [a for a in book.counting if a.usd is None and a.status == "succeeded"]
    findings.same("unpriced_attempts", summary["unpriced_attempts"], len(unpriced))
    findings.same("unpriced_upper_bound_usd", summary["unpriced_upper_bound_usd"], bound_of(unpriced))
    ended = [a for a in book.counting if a.status != "open"]
    for side in SIDES:
        unknown = sum(a.usd is None and a.arm == side for a in ended)
        findings.same(f"attempts_of_unknown_cost.{side}", summary["attempts_of_unknown_cost"][side], unknown)
    uncounted = [a for a in ended if not a.is_counted]
    findings.same("attempts_of_unknown_tokens", summary["attempts_of_unknown_tokens"], len(uncounted))
    for side in SIDES:
        without = sum(a.arm == side for a in uncounted)
        findings.same(f"tokens_leave_out.{side}", summary["tokens_leave_out"][side], without)


def check_per_row(
    findings: Findings, summary: dict[str, Any], book: Book, costs: dict[tuple[int, str], RowCost]
) -> None:
    """Compare what a successful row cost on both sides, as in the whole job."""
    for side, name in (("fanout", "cost_per_successful_row_usd"), ("baseline", "baseline_cost_per_successful_row_usd")):
        arm = "fanout" if summary["own_baseline"] else side
        good = sum(status == "succeeded" for (_, other), status in book.outcomes.items() if other == arm)
        of_side = [(row, cost) for (row, other), cost in costs.items() if other == arm]
        share = Fraction(min(len({row for row, _ in of_side if row}), len(book.rows)), max(len(book.rows), 1))
        paid = sum(cost.own + cost.shared * share for _, cost in of_side)
        paid -= sum(amount for (_, of), amount in spared(book).items() if of == arm != "fanout")
        findings.same(name, summary[name], usd(round(paid / good)) if good else None)


def check_cash(findings: Findings, said: dict[str, Any], account: str, book: Book) -> None:
    """Compare what was paid in all, and how much of it is not in the account's dollars."""
    every = book.attempts
    findings.same("cash.paid_usd", said["paid_usd"], _paid(every))
    findings.same("cash.attempts", said["attempts"], len(every))
    lost = [a for a in every if a.status == "lost"]
    findings.same("cash.lost", said["lost"], len(lost))
    findings.same("cash.lost_upper_bound_usd", said["lost_upper_bound_usd"], usd(sum(a.reserved or 0 for a in lost)))
    unpriced = [a for a in every if a.usd is None and a.status == "succeeded"]
    findings.same("cash.unpriced_attempts", said["unpriced_attempts"], len(unpriced))
    findings.same("cash.unpriced_upper_bound_usd", said["unpriced_upper_bound_usd"], bound_of(unpriced))
    left, unsampled = book.of_other_rows, book.unsampled
    counted = {a.id for a in book.needed + left + unsampled}
    ahead = [(was, book.ahead[was.id]) for was in book.needed if was.id in book.ahead]
    findings.same("cash.pilots.attempts", said["pilots"]["attempts"], len(ahead))
    findings.same("cash.pilots.usd", said["pilots"]["usd"], usd(sum((a.usd or 0) - (b.usd or 0) for a, b in ahead)))
    findings.same("cash.pilots.attempts_of_unknown_cost", said["pilots"]["attempts_of_unknown_cost"], 0)
    nothing = {"attempts": 0, "usd": "0", "attempts_of_unknown_cost": 0, "from": []}  # no job names another run
    for name, figure in nothing.items():
        findings.same(f"cash.taken.{name}", said["taken"][name], figure)
    figures = (account, *(said[name]["usd"] for name in ("left", "unsampled", "replaced", "pilots")))
    parts = sum(Decimal(part or 0) for part in figures)
    findings.same("account + cash = all that was paid", parts, Decimal(said["paid_usd"] or 0))
    replaced = [a for a in every if a.id not in counted]
    removed = [a for a in left if not any(ask.row_id in book.row_ids for ask in a.asks)]
    changed = [a for a in left if a not in removed]
    parts_of_left = (
        ("left.removed", said["left"]["removed"], removed),
        ("left.changed", said["left"]["changed"], changed),
    )
    others = ((name, said[name], of) for name, of in (("left", left), ("unsampled", unsampled), ("replaced", replaced)))
    for name, part, attempts in (*others, *parts_of_left):
        unknown = sum(a.usd is None and a.status != "open" for a in attempts)
        findings.same(f"cash.{name}.attempts", part["attempts"], len(attempts))
        findings.same(f"cash.{name}.usd", part["usd"], _paid(attempts, book.taken_over))
        findings.same(f"cash.{name}.attempts_of_unknown_cost", part["attempts_of_unknown_cost"], unknown)


def _paid(attempts: list[Attempt], taken_over: Mapping[int, int] = MappingProxyType({})) -> str | None:
    """Return what attempts have cost as far as it is known, without what others took over; None: nothing of it is."""
    paid = sum((attempt.usd or 0) - taken_over.get(attempt.id, 0) for attempt in attempts)
    is_unknown = any(attempt.usd is None and attempt.status != "open" for attempt in attempts)
    return None if is_unknown and not paid else usd(paid)


def bound_of(attempts: list[Attempt]) -> str | None:
    """Return the most that attempts may have cost; None where it is not known of one."""
    bounds = [attempt.reserved for attempt in attempts]
    return None if None in bounds else usd(sum(bound for bound in bounds if bound is not None))


def check_bill(findings: Findings, summary: dict[str, Any], bill: dict[str, Any], book: Book) -> None:
    """Compare each attempt with its entry in the bill, and the sums."""
    entries = {entry["id"]: entry for entry in bill["entries"]}
    for attempt in book.attempts:
        name = f"attempt {attempt.id}"
        findings.same(f"{name}: price", attempt.journal_usd, attempt.usd)
        if attempt.usd is None:
            continue
        entry = entries.pop(attempt.bill_id, None)
        if entry is None:
            findings.same(f"{name}: not in the bill", (attempt.usd, attempt.total), (0, 0))
            continue
        billed = tuple(entry[kind] for kind in ("input", "write_5m", "write_1h", "read", "output"))
        findings.same(f"{name}: tokens", tuple(attempt.tokens), billed)
        findings.same(f"{name}: bill", attempt.usd, entry["pico"])
    findings.same("bill_usd", summary["bill_usd"], bill["totals"]["usd"])
    unknown = sum(entry["pico"] for entry in entries.values())
    known = sum(attempt.usd or 0 for attempt in book.attempts)
    findings.same("known + the bill's entries for others = bill", known + unknown, bill["totals"]["pico"])
    others = [attempt for attempt in book.attempts if attempt.usd is None]
    if all(attempt.reserved is not None for attempt in others):
        bound = sum(attempt.reserved or 0 for attempt in others)
        findings.same("what is not known is within its bound", unknown <= bound, True)
