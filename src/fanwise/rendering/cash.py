"""What was paid in all, in words, where it is more than the account has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from .harmless import one_line
from .words import at_least

WORDS = {
    "replaced": "for answers that were replaced or are needed no more",
    "left": "for rows that left the file or were changed",
    "left.removed": "for rows that left the file",
    "left.changed": "for rows as they were before they were changed",
    "unsampled": "for one agent on rows that are in its sample no more",
    "pilots": "for calls that went ahead to learn the channel, beyond what others cost",
}
"""What was paid and is no part of the account, by its place in the summary's cash."""


def paid_in_all(summary: Mapping[str, Any]) -> str | None:
    """Return what was paid in all, where it is not the account: what counts no more, and what other runs have paid."""
    cash = summary.get("cash")  # an earlier version has kept none
    parts = [] if cash is None else [_part(part, WORDS[name]) for name, part in _not_counted(cash) if part["attempts"]]
    taken = "" if cash is None else _taken(cash)
    if cash is None or not (parts or taken):
        return None
    paid = f"paid in all {at_least(cash['paid_usd'], cash['lost'] + cash['unpriced_attempts'])}"
    return "; ".join(filter(None, (f"{paid}, of it {_listed(parts)}" if parts else paid, taken)))


def _taken(cash: Mapping[str, Any]) -> str:
    """Return what other runs have paid for the answers that were taken of them; empty where none were."""
    taken: Mapping[str, Any] = cash.get("taken") or {"attempts": 0}
    if not taken["attempts"]:
        return ""
    runs = [one_line(run["directory"]) for run in taken["from"] if run["attempts"]]
    price = at_least(taken["usd"], taken["attempts_of_unknown_cost"])
    shared = sum((Decimal(run.get("shared_usd", "0")) for run in taken["from"]), Decimal(0))
    part = f", of it {at_least(str(shared), 0)} as their part of what was cached there for all rows" if shared else ""
    read = sum(run.get("row_cache_read_tokens", 0) for run in taken["from"])
    unseen = f"; they read {read:,} tokens of rows from the cache there, and who wrote them may be in no price here"
    return f"{price} of the cost was paid in {_listed(runs)}, whose answers were taken{part}{unseen if read else ''}"


def _not_counted(cash: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what of the cash counts no more, with its place; an earlier version has kept some in one figure."""
    for name in ("replaced", "left", "unsampled", "pilots"):
        part: Mapping[str, Any] = cash.get(name) or {"attempts": 0}
        if "removed" in part:
            yield from ((f"{name}.{inner}", part[inner]) for inner in ("removed", "changed"))
        else:
            yield name, part


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _part(part: Mapping[str, Any], words: str) -> str:
    return f"{at_least(part['usd'], part['attempts_of_unknown_cost'])} {words}"
