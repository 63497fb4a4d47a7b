"""What an answer has cost in the run that it is taken from: its requests, as they are written down in another.

That run is data from somebody else: what is no number of a request is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, get_args

from fanwise.pricing.usage import Usage

from .reader import JournalReader
from .records import REASONS, SERVES_NONE, AskRecord, AttemptRecord, AttemptStatus, Channel, EndRecord, Served
from .tables import select

MOST = 10**15
"""Beyond any tokens or picodollars of a request."""
LATEST = 4e9
"""Seconds since 1970 before which anything was sent: in 2096."""
_SIZES = re.compile(r"[0-9]{0,12}(,[0-9]{1,12})*")
_ENDS = "SELECT * FROM ends WHERE attempt=?"


class TakenRequest(NamedTuple):
    """A request of another run, or the part of it that showed one of its inputs."""

    attempt: AttemptRecord
    end: EndRecord
    ask: AskRecord
    """What it was asked for there."""


class PassedOn(NamedTuple):
    """What the account of another run has otherwise of a request than it was billed, in picodollars."""

    less: int = 0
    """What it was billed for others: what it wrote for all rows, and what it was paid beyond what it counts for."""
    shared: int = 0
    """Its part of what was written and kept warm for all rows."""


_AS_BILLED = PassedOn()


def requests_taken(
    journal: JournalReader, first: AskRecord, sources: Sequence[int], passed: Mapping[int, PassedOn]
) -> list[TakenRequest]:
    """Return the requests by which a task of another run was answered; none where they cannot be taken.

    A pack counts for one of its inputs: shares of all of them sum to it.

    Args:
        journal: The other run.
        first: A request of the task.
        sources: Which of the runs from which this one has answers the other is, and behind it each from which that
            has taken some, in its order.
        passed: By attempt what the other run's account has of it otherwise than it was billed.
    """
    requests: list[TakenRequest] = []
    for ask in journal.asks_of(first.key, first.row):
        served = journal.attempt(ask.attempt)
        end = next(select(journal.db, EndRecord, _ENDS, (ask.attempt,)), None)
        if served is None or end is None or not _is_sound(served.attempt, end, ask):
            return []
        if not 0 <= served.attempt.taken < len(sources):
            return []
        share = passed.get(ask.attempt, _AS_BILLED)
        own = None if end.cost is None else end.cost - share.less
        if not _are_counts(share.shared, 0 if own is None else own):
            return []
        attempt = replace(
            served.attempt, taken=sources[served.attempt.taken], shared=served.attempt.shared + share.shared
        )
        requests.append(_taken(Served(attempt, served.asks), replace(end, cost=own), ask))
    return requests


def _is_sound(attempt: AttemptRecord, end: EndRecord, ask: AskRecord) -> bool:
    """Return whether an attempt of another run is one that this could have made."""
    return (
        attempt.why in REASONS
        and attempt.why not in SERVES_NONE
        and attempt.channel in get_args(Channel)
        and end.status in get_args(AttemptStatus)
        and _are_texts(attempt.agent, attempt.model, attempt.request_hash, attempt.prefix, attempt.blocks)
        and _are_texts(end.kind, end.message, end.request_id)
        and _are_counts(*end.usage, *(price for price in (end.cost, attempt.reserved) if price is not None))
        and _are_counts(attempt.chars, attempt.repeated, attempt.bound, attempt.taken, attempt.shared)
        and _are_moments(attempt.sent, attempt.job_share, end.at, end.latency_s)
        and _SIZES.fullmatch(ask.sizes if _are_texts(ask.sizes) else "-") is not None
        and _are_texts(ask.work, ask.key, ask.node, ask.label)
        and _are_counts(ask.attempt, ask.place)
    )


def _are_texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _are_counts(*values: Any) -> bool:
    return all(type(value) is int and 0 <= value < MOST for value in values)


def _are_moments(*values: Any) -> bool:
    return all(type(value) in (int, float) and 0 <= value < LATEST for value in values)


def _taken(served: Served, end: EndRecord, ask: AskRecord) -> TakenRequest:
    """Return a request, or the part that showed an ask, as this run has it."""
    inputs = list(_inputs(served.asks))
    size, place = len(inputs), inputs.index(_input(ask))
    why = "first" if served.attempt.why == "pilot" else served.attempt.why
    attempt = replace(served.attempt, intent=None, why=why)
    if size == 1:
        return TakenRequest(attempt, end, ask)

    def part(count: int) -> int:
        return count // size + (place < count % size)

    attempt = replace(
        attempt, reserved=None if attempt.reserved is None else part(attempt.reserved), chars=part(attempt.chars),
        repeated=part(attempt.repeated), bound=part(attempt.bound), shared=part(attempt.shared),
        blocks="",
    )  # fmt: skip
    cost = None if end.cost is None else part(end.cost)
    return TakenRequest(attempt, replace(end, usage=Usage(*map(part, end.usage)), cost=cost), ask)


def _inputs(asks: tuple[AskRecord, ...]) -> Iterator[str | int]:
    """Yield the inputs that a request has shown, each once, in their order."""
    yield from dict.fromkeys(map(_input, asks))


def _input(ask: AskRecord) -> str | int:
    return ask.work or ask.place
