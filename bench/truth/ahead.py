"""What calls count for that went ahead, by docs/decisions/2026-11-29-pilots-are-cash.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from .attempt import Attempt
from .prices import Tokens, cost

AHEAD = ("pilot", "retry", "repair", "longer")
"""Reasons of the tries of a task that went ahead."""
_Agent = tuple[str, str]


def as_usual(counting: Sequence[Attempt]) -> dict[int, Attempt]:
    """Return the calls that went ahead as they would have been in the usual channel of their agent, by number.

    Those of an agent are left as they were where they have cost no more than that in all.
    """
    first: dict[_Agent, list[Attempt]] = defaultdict(list)
    ahead: dict[_Agent, list[Attempt]] = defaultdict(list)
    sent_ahead = {(a.asks[0].row, a.asks[0].key, a.channel) for a in counting if a.why == "pilot"}
    for attempt in counting:
        who = (attempt.arm, attempt.agent)
        if attempt.why == "first":
            first[who].append(attempt)
        elif attempt.why in AHEAD and any((ask.row, ask.key, attempt.channel) in sent_ahead for ask in attempt.asks):
            ahead[who].append(attempt)
    moved: dict[int, Attempt] = {}
    for who, tries in ahead.items():
        channel, is_marked = _usual(first[who])
        others = [a for a in tries if a.usd and a.channel != channel] if first[who] else []
        counted = [_in(attempt, channel, is_marked=is_marked) for attempt in others]
        if sum(a.usd or 0 for a in others) > sum(a.usd or 0 for a in counted):
            moved |= {attempt.id: attempt for attempt in counted}
    return moved


def usual_channels(counting: Sequence[Attempt]) -> dict[tuple[str, str], str]:
    """Return by side and agent the channel that most of its calls took which began a task and did not go ahead."""
    first: dict[_Agent, list[Attempt]] = defaultdict(list)
    for attempt in counting:
        if attempt.why == "first":
            first[attempt.arm, attempt.agent].append(attempt)
    return {who: _usual(calls)[0] for who, calls in first.items()}


def _usual(first: list[Attempt]) -> tuple[str, bool]:
    """Return the channel that most of these took, and whether most of them mark a prefix there."""
    counts = Counter(attempt.channel for attempt in first)
    channel = "live" if counts["live"] > counts["batch"] else "batch"
    return channel, 2 * sum(a.prefix != "" for a in first if a.channel == channel) > counts[channel]


def _in(attempt: Attempt, channel: str, *, is_marked: bool) -> Attempt:
    tokens = attempt.tokens
    read = round(attempt.job_share * (tokens.prompt - tokens.input)) if is_marked else 0
    moved = Tokens(input=tokens.prompt - read, read=read, output=tokens.output)
    return replace(attempt, channel=channel, tokens=moved, usd=cost(moved, attempt.model, batch=channel == "batch"))
