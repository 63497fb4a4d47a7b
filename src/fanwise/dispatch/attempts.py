"""Attempts as the journal and the budget know them: worst case, intent, and end with its price. Pure."""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple

from fanwise.api.failures import MALFORMED, Failure
from fanwise.api.replies import Reply
from fanwise.context.cacheable import blocks_text
from fanwise.context.repeats import Piece, Repeated
from fanwise.context.request import Input, Request
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import (
    NO_TOKENS,
    AskRecord,
    AttemptRecord,
    EndRecord,
    Served,
    new_ask_record,
    new_end_record,
)
from fanwise.jsonable import as_list
from fanwise.pricing.cost import cost, is_free, reply_cost
from fanwise.pricing.usage import Usage, is_counted, is_possible, read_usage
from fanwise.quick import maker

from .budget import Hold
from .errand import Ask, Errand

OVERHEAD_TOKENS = 400
"""Tokens that a request may have beyond its texts: what the API adds for a schema or a role.

A choice of ours: for schemas no size is stated.
"""
UNSENT = Failure(verdict="retry", kind="stopped", message="the run was stopped before it was sent")
"""How an attempt ends whose intent was written down and that was never sent."""
TOOLS_TOKENS = 804
"""What the API adds for tools: the largest documented addition, of Opus 4.7 ("Pricing", read 2026-11-23)."""


def worst_case(request: Request, asks: tuple[Ask, ...], *, batch: bool, at: datetime, ttl: str | None = "5m") -> Hold:
    """Return an upper bound of what a request takes; its price is None where none is known.

    Every byte counts as a token, at the dearest way in which it may be billed, and the reply is
    as long as `max_tokens` allows.
    """
    frame = request.frame
    size = request.size() + len(frame.schema_text) + OVERHEAD_TOKENS + (TOOLS_TOKENS if frame.tools else 0)
    marked = ttl is not None and (request.keep or bool(request.prefixes()))
    usage = Usage(
        input=0 if marked else size,
        cache_write_5m=size if marked and ttl == "5m" else 0,
        cache_write_1h=size if marked and ttl == "1h" else 0,
        output=frame.max_tokens,
    )
    tokens = size + frame.max_tokens
    try:
        return Hold(cost(usage, frame.model, at, batch=batch), tokens, asks)
    except UnknownPriceError:
        return Hold(None, tokens, asks)


class Outline(NamedTuple):
    """What is kept of a request once it is written: there may be a hundred thousand in a batch."""

    hash: str
    share: float
    """Share of the marked prefix that rows have in common, 0 to 1."""
    prefix: str
    """Its key, shortened; empty where nothing is marked."""
    sizes: str
    """Characters of the values that it shows."""
    common: tuple[Piece, ...]
    """What rows have in common of it."""
    own: tuple[Piece, ...]
    """What is the row's."""
    blocks: str
    """What of it a cache can hold."""
    others: tuple[Input, ...] = ()
    """The inputs of a pack behind the first."""


_new_outline = maker(Outline)


def sizes_text(sizes: tuple[int, ...]) -> str:
    """Return the characters of the values that a request shows of a task, as `AskRecord` has them."""
    return ",".join(map(str, sizes))


def outline(request: Request, *, batch: bool, marked: bool = True) -> Outline:
    """Return what is kept of a request, sent with or without breakpoints."""
    share, shared = 0.0, ""
    common = [prefix for prefix in request.prefixes() if marked and prefix.job]
    if common:  # in batches no block of a row is marked, and no conversation
        longest = common[-1].tokens if batch else max(request.marked_tokens(), common[-1].tokens)
        share, shared = round(common[-1].tokens / max(longest, 1), 6), common[-1].short_key
    return _new_outline(
        hash=request.hash(), share=share, prefix=shared, sizes=sizes_text(request.sizes),
        common=request.common, own=request.own, others=request.others, blocks=blocks_text(request),
    )  # fmt: skip


def intent(
    errand: Errand, sent: Outline, attempt: int, hold: Hold, again: Repeated, at: float, batch: int | None
) -> Served:
    """Return the records of an attempt that is about to be sent: its own, and one for each task that it serves."""
    role, number = errand.role, errand.number
    record = AttemptRecord(
        id=attempt, arm=role.arm, agent=role.agent, model=role.model, channel="live" if batch is None else "batch",
        why=errand.why, request_hash=sent.hash, reserved=hold.cost, sent=at, intent=batch, job_share=sent.share,
        prefix=sent.prefix, chars=again.chars, repeated=again.repeated, blocks=sent.blocks,
        bound=hold.tokens,
    )  # fmt: skip
    asks: list[AskRecord] = []
    sizes = [sent.sizes, *(sizes_text(shown.sizes) for shown in sent.others)]
    for place, ask in enumerate(errand.served):
        shown = sizes[errand.input_of(ask) if sent.others else 0]
        asks.append(
            new_ask_record(
                attempt=attempt, place=place, key=ask.key, row=ask.row, node=ask.node, label=ask.label,
                number=ask.before + number, sizes=shown, row_id=ask.row_id, work=ask.work,
            )
        )  # fmt: skip
    return Served(record, tuple(asks))


def also_served(ask: Ask, attempt: int, *, place: int, number: int, sizes: str) -> AskRecord:
    """Return the record of a task that an attempt serves as well.

    Args:
        ask: The task.
        attempt: Number of the attempt.
        place: Of the task among those that it serves.
        number: Which request of this task it is.
        sizes: Characters of its values, as those of an equal task.
    """
    return new_ask_record(
        attempt=attempt, place=place, key=ask.key, row=ask.row, node=ask.node, label=ask.label, number=number,
        sizes=sizes, row_id=ask.row_id, work=ask.work,
    )  # fmt: skip


def paid(
    attempt: int, model: str, reply: Reply, sent: datetime, *, batch: bool, latency_s: float, kind: str = ""
) -> EndRecord:
    """Return the end of an attempt that was answered, with its price."""
    usage, price = _usage_and_price(reply, model, sent, batch=batch)
    return new_end_record(
        attempt=attempt,
        at=time.time(),
        status="succeeded",
        kind=kind or (MALFORMED if reply.odd else reply.stop_reason),
        message=reply.odd,
        request_id=reply.request_id,
        usage=usage,
        cost=price,
        latency_s=latency_s,
    )


def _usage_and_price(reply: Reply, model: str, sent: datetime, *, batch: bool) -> tuple[Usage, int | None]:
    """Return what a reply took; no tokens and no price where its usage does not say, as behind some gateways."""
    try:
        iterations = as_list(reply.usage.get("iterations"))
        usage = read_usage(reply.usage)
        if not all(map(is_counted, (reply.usage, *iterations))) or not is_possible(usage):
            return NO_TOKENS, None
        try:
            usage, price = reply_cost(reply.usage, model, sent, batch=batch, top=usage)
        except UnknownPriceError:
            return usage, None
    except (ValueError, TypeError, AttributeError, OverflowError):  # counts that are no numbers
        return NO_TOKENS, None
    return usage, 0 if is_free(reply.stop_reason, reply.refusal, usage.output) else price


def unpaid(attempt: int, failure: Failure, latency_s: float) -> EndRecord:
    """Return the end of an attempt that failed: free of charge, or unknown where it was lost."""
    lost = failure.is_unsure
    return EndRecord(
        attempt=attempt,
        at=time.time(),
        status="lost" if lost else "failed",
        kind=failure.kind,
        message=failure.message,
        request_id=failure.request_id,
        cost=None if lost else 0,
        latency_s=latency_s,
    )


def billed(end: EndRecord | None) -> tuple[int | None, int | None]:
    """Return price and tokens of an attempt for the budget: None where they are unknown, 0 where it was not sent."""
    if end is None:
        return 0, 0
    return end.cost, end.tokens
