"""What each lever took off, in both orders, by docs/decisions/2026-11-29-levers.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Any

from .attempt import Attempt
from .book import Book
from .findings import Findings, usd
from .prices import DEAREST_FIRST, LIST, Price, price_of
from .slices import AGAIN


@dataclass(frozen=True, kw_only=True)
class Call:
    """A billed request, and what more it would be shown where everything is shown to everyone."""

    attempt: Attempt
    more: int
    own: Price
    dearest: Price

    def price(self, *, dearest: bool, all_shown: bool, cached: bool, batch: bool, once: bool) -> Fraction:
        """Return picodollars with some of the levers."""
        rate = self.dearest if dearest else self.own
        tokens = self.attempt.tokens
        if cached:
            amount = sum(count * each for count, each in zip(tokens[:4], rate[:4], strict=True))
        else:
            amount = tokens.prompt * rate.input
        amount += (self.more if all_shown else 0) * rate.input + tokens.output * rate.output
        amount = Fraction(amount, 2 if batch and self.attempt.channel == "batch" else 1)
        return amount if once else amount * max(len(self.attempt.asks), 1) / self.attempt.inputs


def check_levers(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    """Compare the bills between everything to everyone and what was paid."""
    said = summary["levers"]
    calls = _calls(book)
    if said is None or not calls:
        findings.same("levers", said, None)
        return
    levers = {"models": "dearest", "slices": "all_shown", "cache": "cached", "batch": "batch", "equal": "once"}
    without = {"dearest": True, "all_shown": True, "cached": False, "batch": False, "once": False}
    sums = {"saved_usd": list(levers), "saved_in_reverse_usd": list(reversed(levers))}
    for order, names in sums.items():
        state, before = dict(without), _sum(calls, without)
        for name in names:
            state[levers[name]] = not state[levers[name]]
            after = _sum(calls, state)
            findings.same(f"levers.{order}.{name}", said[order][name], usd(floor(before) - floor(after)))
            before = after
    findings.same("levers.naive_usd", said["naive_usd"], usd(floor(_sum(calls, without))))
    findings.same("levers.paid_usd", said["paid_usd"], usd(sum(call.attempt.usd or 0 for call in calls)))
    findings.same("levers.attempts", said["attempts"], len(calls))
    findings.same("levers.alone_usd", said["alone_usd"], _alone(summary, book, sum(c.attempt.usd or 0 for c in calls)))
    models = {call.attempt.model for call in calls}
    findings.same("levers.dearest_model", said["dearest_model"], next(m for m in DEAREST_FIRST if m in models))


def _alone(summary: dict[str, Any], book: Book, paid: int) -> str | None:
    """Return the single agent's bill: as it was where it has ended all rows, by the multiplier if the run has ended."""
    measured, modelled = summary["multiplier"], summary.get("modelled")
    if measured and not summary["own_baseline"] and not any(measured["left_out"].values()):
        return usd(sum(a.usd or 0 for a in book.counting if a.arm == "baseline"))
    if not summary["own_baseline"] and (summary["halted"] or summary["rows"]["unfinished"]):
        return None
    ratio = (measured or modelled or {}).get("usd")
    return usd(round(paid / Fraction(str(ratio["ratio"])))) if ratio else None


def _sum(calls: list[Call], state: dict[str, bool]) -> Fraction:
    return sum((call.price(**state) for call in calls), Fraction(0))


def _calls(book: Book) -> list[Call]:
    attempts = [a for a in book.counting if a.arm == "fanout" and a.usd]
    if not attempts:
        return []
    dearest = LIST[next(model for model in DEAREST_FIRST if model in {a.model for a in attempts})]
    by_row: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        if attempt.asks:
            by_row[attempt.asks[0].row].append(attempt)
    calls: list[Call] = []
    for attempt in attempts:
        own = price_of(attempt.model, attempt.tokens.prompt)
        assert own is not None
        more = _more(attempt, by_row[attempt.asks[0].row], book) if attempt.asks else 0
        calls.append(Call(attempt=attempt, more=more, own=own, dearest=dearest))
    return calls


def _more(attempt: Attempt, row: list[Attempt], book: Book) -> int:
    """Return the tokens of all that the row was shown and this request was not."""
    everything = sum(a.chars - _repeated(a, book) for a in row)
    prompt, chars = sum(a.tokens.prompt for a in row), sum(a.chars for a in row)
    return max((everything - attempt.chars) * prompt // chars, 0) if chars else 0


def _repeated(attempt: Attempt, book: Book) -> int:
    """Return the characters that the row had been shown before; a try that nobody was paid for has shown nothing."""
    ask = attempt.asks[0]
    before = [a for a in book.of_task(ask.row, ask.key) if a.id < attempt.id]
    if attempt.why not in AGAIN or any(a.usd for a in before):
        return attempt.repeated
    return min(a.repeated for a in [*before, attempt])
