"""The emulator's own bill beside the ledger: equal, or by how much it differs, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from .words import may_have_cost, money


def bill_words(summary: Mapping[str, Any]) -> str:
    """Return the bill of a run in words; the summary has one."""
    bill = Decimal(summary["bill_usd"])
    more = bill - Decimal(summary["cash"]["paid_usd"] or 0)
    own = f"{money(summary['bill_usd'])} by the emulator's own bill"
    if not more:
        return f"{own}, equal to the ledger"
    by = f"{own}, {_exact(more)} {'more' if more > 0 else 'less'} than the ledger"
    reasons = list(_reasons(summary)) if more > 0 else []
    most = _most(summary)
    if most is not None and more > most:
        reasons.append(f"{_exact(more - most)} of it is of no attempt that the ledger knows to be open")
    return f"{by}: {'; '.join(reasons) or 'the ledger has attempts that were not billed, or were at another price'}"


def _reasons(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the emulator has billed and the ledger has no price of."""
    cash, unread = summary["cash"], summary["open"]
    if cash["lost"]:
        most = may_have_cost(cash["lost_upper_bound_usd"]).removesuffix(" more")
        yield f"the replies of {cash['lost']:,} attempts were lost, which {most}"
    if unread["attempts"]:
        yield f"{unread['attempts']:,} attempts are open, which may cost {_up_to(unread)}"
    if cash["unpriced_attempts"]:
        yield f"{cash['unpriced_attempts']:,} attempts have no price that the ledger knows"


def _up_to(unread: Mapping[str, Any]) -> str:
    return "any amount" if unread["upper_bound_usd"] is None else f"up to {money(unread['upper_bound_usd'])}"


def _exact(amount: Decimal) -> str:
    """Return dollars with all their decimals: a difference may be small."""
    return f"${abs(amount).normalize():,f}"


def _most(summary: Mapping[str, Any]) -> Decimal | None:
    """Return how many dollars the bill may have more than the ledger; None where that is not known."""
    cash = summary["cash"]
    bounds = (cash["lost_upper_bound_usd"], cash["unpriced_upper_bound_usd"], summary["open"]["upper_bound_usd"])
    return None if None in bounds else sum(map(Decimal, bounds), Decimal(0))
