"""When to leave batches for live calls, so that a run ends in time. Pure.

Batches first, and live calls only for what came back cancelled or expired: that costs no more than
live calls alone would, and nothing is paid twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CANCEL_S = 300.0
"""Seconds that a cancelled batch may take to end: what is in work is finished. No page says how long."""
CANCEL_SHARE = 0.15
"""The same as a share of the whole time, where that is less."""
LATENCY_S = 15.0
"""Seconds of a live reply before any was seen."""
SAFETY = 1.5
_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is still to be done."""

    requests: int
    """Requests, those in batches among them."""
    depth: int
    """Requests of one row that go one after another, at most."""
    slots: int
    latency_s: float | None
    """Mean of the live replies; None before the first."""


def need_s(left: Left, whole_s: float) -> float:
    """Return how long before a deadline batches have to be left.

    Args:
        left: What is to be done.
        whole_s: Seconds from the start of the run to its deadline.
    """
    return min(CANCEL_S, whole_s * CANCEL_SHARE) + live_s(left, whole_s)


def live_s(left: Left, whole_s: float) -> float:
    """Return how long live calls need for what is left, with some to spare."""
    latency_s = left.latency_s or min(LATENCY_S, whole_s * CANCEL_SHARE / max(left.depth, 1))
    return SAFETY * max(left.requests / max(left.slots, 1), left.depth) * latency_s


def seconds(text: str) -> float:
    """Return a length of time such as `90s`, `30m`, `6h` or `1d` in seconds.

    Raises:
        ValueError: It is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is no length of time; write it like 90s, 30m, 6h or 1d")
    return float(match[1]) * _UNITS[match[2]]
