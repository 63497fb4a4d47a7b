"""A task on its way to the API, and what the dispatch hands back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply
from fanwise.context.repeats import Repeated
from fanwise.context.request import Request
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import AskRecord, AttemptRecord, Channel, EndRecord, Served, Why
from fanwise.pricing.cost import cost, is_free, reply_cost
from fanwise.pricing.usage import Usage, read_usage

from .budget import Hold
from .role import Role

OVERHEAD_TOKENS = 400
"""Tokens that a request may have beyond its texts: what the API adds for a schema or a role.

A choice of ours: for schemas no size is stated.
"""
TOOLS_TOKENS = 804
"""What the API adds for tools: the largest documented addition, of Opus 4.7 ("Pricing", read 2026-11-23)."""


@dataclass(slots=True, eq=False)
class Call:
    """One task that needs the API; it may take several attempts."""

    role: Role
    key: str
    row: int
    node: str
    label: str
    compose: Callable[[str, int], Request]
    """Makes the request: of why the answer before was refused, or nothing, and a factor of its cap."""
    number: int = 0
    """Attempts so far, those of earlier sessions included."""
    tries: int = 0
    """Attempts in this session: what the retry policy bounds."""
    repair: str = ""
    factor: int = 1
    """How many times its agent's cap the answer may be long: more after it was cut off."""
    why: Why = "first"
    """Why its next attempt is sent."""
    attempt: int = 0
    """Number of the attempt that was answered last."""
    channel: Channel = "live"
    prefix: str = ""
    """Key of what it shares with others in batches, once it is queued for one."""

    def request(self) -> Request:
        """Return the next request."""
        return self.compose(self.repair, self.factor)


def warming(call: Call, prefix: str) -> Call:
    """Return a call that only keeps a prefix warm; it stands on no row's account."""

    def compose(*_: object) -> Request:
        raise AssertionError("it is sent as it is")

    label = f"keep warm {prefix[:12]}"
    return Call(call.role, f"warm {prefix}", 0, call.node, label, compose, number=1, why="warm")


class Sink(Protocol):
    """Who is told how calls end: the engine."""

    def replied(self, call: Call, reply: Reply) -> str | None:
        """Take a reply; returns what to say when it is asked once more, perhaps nothing, or None when it is done."""
        ...

    def failed(self, call: Call, failure: Failure) -> None:
        """Take the final failure of a call."""
        ...

    def note(self, text: str) -> None:
        """Take something that the user should hear of now and find in the report."""
        ...

    def halt(self, reason: str) -> None:
        """Stop the run: no request will do."""
        ...

    def works_here(self) -> bool:
        """Return whether steps or tools are at work, whose tasks will be sent when they are done."""
        ...

    def rows_in_work(self) -> int:
        """Return how many rows are in work."""
        ...

    def expects_more(self) -> bool:
        """Return whether rows are still to come or to be finished."""
        ...


def worst_case(request: Request, row: int, *, batch: bool, at: datetime, ttl: str | None = "5m") -> Hold:
    """Return an upper bound of what a request takes; its price is None where none is known.

    Every byte counts as a token, at the dearest way in which it may be billed, and the reply is
    as long as `max_tokens` allows.
    """
    frame = request.frame
    size = request.size() + len(frame.schema_text) + OVERHEAD_TOKENS + (TOOLS_TOKENS if frame.tools else 0)
    marked = ttl is not None and (request.keep or bool(request.prefixes()))
    five, hour = size if marked and ttl == "5m" else 0, size if marked and ttl == "1h" else 0
    usage, tokens = Usage(0 if marked else size, five, hour, 0, frame.max_tokens), size + frame.max_tokens
    try:
        return Hold(cost(usage, frame.model, at, batch=batch), tokens, row)
    except UnknownPriceError:
        return Hold(None, tokens, row)


class Outline(NamedTuple):
    """What the journal keeps of a request."""

    hash: str
    share: float
    """Share of the marked prefix that rows have in common, 0 to 1."""
    prefix: str
    """Its key, shortened."""
    sizes: str
    """Characters of the values that it shows."""


def outline(request: Request, *, batch: bool, marked: bool = True) -> Outline:
    """Return what the journal keeps of a request, sent with or without breakpoints."""
    share, shared = 0.0, ""
    prefixes = request.prefixes()
    for prefix in prefixes:
        if marked and prefix.job:
            longest = prefix if batch else prefixes[-1]  # in batches no block of a row is marked
            share, shared = round(prefix.tokens / max(longest.tokens, 1), 6), prefix.key[:16]
    return Outline(request.hash(), share, shared, ",".join(map(str, request.sizes)))


def intent(
    call: Call, sent: Outline, attempt: int, hold: Hold, again: Repeated, at: float, batch: int | None = None
) -> Served:
    """Return the records of an attempt that is about to be sent."""
    role = call.role
    record = AttemptRecord(
        id=attempt, arm=role.arm, agent=role.agent, model=role.model, channel="live" if batch is None else "batch",
        why=call.why, request_hash=sent.hash, reserved=hold.cost, sent=at, intent=batch, job_share=sent.share,
        prefix=sent.prefix, chars=again.chars, repeated=again.repeated, readable=again.readable,
        reusable=again.reusable, bound=hold.tokens,
    )  # fmt: skip
    if not call.row:
        return Served(record, ())
    ask = AskRecord(
        attempt=attempt, key=call.key, row=call.row, node=call.node, label=call.label, number=call.number,
        sizes=sent.sizes,
    )  # fmt: skip
    return Served(record, (ask,))


def paid(
    attempt: int, model: str, reply: Reply, sent: datetime, *, batch: bool, latency_s: float, kind: str = ""
) -> EndRecord:
    """Return the end of an attempt that was answered, with its price."""
    try:
        usage, price = reply_cost(reply.usage, model, sent, batch=batch)
        if is_free(reply.stop_reason, reply.refusal, usage.output):
            price = 0
    except UnknownPriceError:
        usage, price = read_usage(reply.usage), None
    return EndRecord(
        attempt=attempt,
        at=time.time(),
        status="succeeded",
        kind=kind or reply.stop_reason,
        request_id=reply.request_id,
        usage=usage,
        cost=price,
        latency_s=latency_s,
    )


def unpaid(attempt: int, failure: Failure, latency_s: float) -> EndRecord:
    """Return the end of an attempt that failed: free of charge, or unknown where it was lost."""
    lost = failure.verdict == "lost"
    status = "lost" if lost else "failed"
    price = None if lost else 0
    return EndRecord(
        attempt=attempt,
        at=time.time(),
        status=status,
        kind=failure.kind,
        message=failure.message,
        request_id=failure.request_id,
        cost=price,
        latency_s=latency_s,
    )


def taken(end: EndRecord | None) -> tuple[int | None, int | None]:
    """Return price and tokens of an attempt for the budget: None where they are unknown, 0 where it was not sent."""
    if end is None:
        return 0, 0
    return end.cost, None if end.status == "lost" else end.usage.total
