"""What rate-limit headers say: the three buckets of a pool of models, as the server saw them.

Names: page "Rate limits" of platform.claude.com, read 2026-11-23. Buckets refill all the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

_PREFIX = "anthropic-ratelimit-"
KINDS = ("requests", "input-tokens", "output-tokens")


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit."""

    limit: int
    """What it holds, and what it gains in a minute."""
    remaining: int


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """The limits that one reply told of."""

    at: float
    """The server's date, in seconds since 1970; headers arrive out of order, and the newest counts."""
    buckets: dict[str, Bucket]
    """By kind, see `KINDS`."""


def rate_headers(headers: Mapping[str, str]) -> RateHeaders | None:
    """Return what a reply's headers say of limits, or None where they say nothing."""
    buckets = {kind: bucket for kind in KINDS if (bucket := _bucket(headers, kind)) is not None}
    if not buckets:
        return None
    try:
        at = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        at = 0.0
    return RateHeaders(at, buckets)


def _bucket(headers: Mapping[str, str], kind: str) -> Bucket | None:
    """Return one limit, or None where the headers do not say it in numbers."""
    limit, remaining = headers.get(f"{_PREFIX}{kind}-limit", ""), headers.get(f"{_PREFIX}{kind}-remaining", "")
    if not limit.isdigit() or not remaining.isdigit() or not int(limit):
        return None
    return Bucket(int(limit), int(remaining))
