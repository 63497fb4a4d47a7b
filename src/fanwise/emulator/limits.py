"""Rate limits: token buckets per pool of models, ramp limits, the spend limit, the batch queue.

Source: page "Rate limits", read 2026-10-17 to 2026-11-23. Buckets refill continuously; the input
limit counts what is neither read from the cache nor output; output counts as produced. Without a
tier nothing is limited and no `anthropic-ratelimit-*` header is sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from .clock import iso, moment
from .problems import ApiProblem
from .tables import find, plain_name

Tier = Literal["start", "build", "scale"]


@dataclass(frozen=True, slots=True)
class Rates:
    """What a pool may do in a minute."""

    requests: int
    input: int
    output: int


@dataclass(frozen=True, slots=True)
class TierLimits:
    """The limits of one usage tier."""

    default: Rates
    fable: Rates
    batch_requests: int
    """Calls of the batch endpoints in a minute, all models together."""
    queued: int
    """Requests in batches that have not ended."""
    counts: int
    """Token counts in a minute."""


TIERS: dict[Tier, TierLimits] = {
    "start": TierLimits(
        Rates(1_000, 2_000_000, 400_000), Rates(1_000, 500_000, 100_000), 1_000, 200_000, 2_000
    ),
    "build": TierLimits(
        Rates(5_000, 5_000_000, 1_000_000), Rates(2_000, 1_500_000, 300_000), 2_000, 300_000, 4_000
    ),
    "scale": TierLimits(
        Rates(10_000, 10_000_000, 2_000_000), Rates(4_000, 4_000_000, 800_000), 4_000, 500_000, 8_000
    ),
}  # fmt: skip
RAMP_FLOOR, RAMP_WINDOW_S = 50, 10.0
"""A pool may do twice what it did in the window before, and this much always; sizes are open."""


def pool_of(name: str, *, fast: bool) -> str:
    """Return the pool that a model draws from."""
    model, plain = find(name), plain_name(name)
    line = model.line if model is not None else "fable"
    if line in ("fable", "mythos"):
        pool = "fable"
    elif plain.startswith((f"claude-{line}-4-",)) and line != "haiku":
        pool = f"{line}-4"
    else:
        pool = plain.removeprefix("claude-")
    return f"{pool}-fast" if fast else pool


@dataclass(slots=True)
class Bucket:
    """A token bucket that starts full."""

    per_minute: float
    capacity: float
    level: float
    at: float

    def refill(self, now: float) -> None:
        """Let flow in what has come since the last look."""
        self.level = min(self.capacity, self.level + max(now - self.at, 0.0) * self.per_minute / 60)
        self.at = now

    def wait_s(self, amount: float) -> float:
        """Return seconds until `amount` fits; 0 where it does now. More than the capacity counts as all of it."""
        return max(min(amount, self.capacity) - self.level, 0.0) * 60 / self.per_minute


@dataclass(slots=True)
class Pool:
    """The three buckets of a pool, and what it did lately."""

    requests: Bucket
    input: Bucket
    output: Bucket
    window: float = 0.0
    done: int = 0
    """Requests in the present window of the ramp limit."""
    before: int = 0

    def buckets(self) -> dict[str, Bucket]:
        """Return the buckets by the name that the headers give them."""
        return {"requests": self.requests, "input-tokens": self.input, "output-tokens": self.output}


@dataclass
class Limits:
    """All limits of the emulator."""

    tier: Tier | None = None
    burst_s: float = 60.0
    """Seconds of refill that a bucket holds: short bursts may be refused below the minute's rate."""
    ramp: bool = False
    spend_pico: int | None = None
    """Most that a month may cost."""
    pools: dict[str, Pool] = field(default_factory=dict[str, Pool])
    single: dict[str, Bucket] = field(default_factory=dict[str, Bucket])
    month: tuple[str, int] = ("", 0)
    """The month that is being spent in, and what the bill was when it began."""

    def _bucket(self, per_minute: int, now: float) -> Bucket:
        capacity = max(per_minute * self.burst_s / 60, 1.0)
        return Bucket(per_minute, capacity, capacity, now)

    def _pool(self, name: str, now: float) -> Pool:
        assert self.tier is not None
        if name not in self.pools:
            limits = TIERS[self.tier]
            rates = limits.fable if name.startswith("fable") else limits.default
            made = (self._bucket(amount, now) for amount in (rates.requests, rates.input, rates.output))
            self.pools[name] = Pool(*made, window=now)
        pool = self.pools[name]
        for bucket in pool.buckets().values():
            bucket.refill(now)
        return pool

    def admit(self, pool_name: str, input_tokens: int, now: float) -> dict[str, str]:
        """Let a request in and return the headers of its reply.

        Args:
            pool_name: From `pool_of`.
            input_tokens: Tokens that are not read from the cache.
            now: The present moment.

        Raises:
            ApiProblem: A limit is reached (429 with `retry-after`).
        """
        if self.tier is None:
            return {}
        pool = self._pool(pool_name, now)
        need = {"requests": 1.0, "input-tokens": float(input_tokens), "output-tokens": 1.0}
        for name, bucket in pool.buckets().items():
            wait_s = bucket.wait_s(need[name])
            if wait_s > 0:
                text = f"This request would exceed the rate limit of {bucket.per_minute:.0f} {name} per minute"
                raise ApiProblem(429, text, retry_after=math.ceil(wait_s), headers=self._headers(pool, now))
        if self.ramp:
            self._ramp(pool, now)
        pool.requests.level -= 1
        pool.input.level -= input_tokens
        return self._headers(pool, now)

    def _ramp(self, pool: Pool, now: float) -> None:
        past = int((now - pool.window) // RAMP_WINDOW_S)
        if past:
            pool.before, pool.done = (pool.done if past == 1 else 0), 0
            pool.window += past * RAMP_WINDOW_S
        if pool.done >= max(2 * pool.before, RAMP_FLOOR):
            wait_s = math.ceil(pool.window + RAMP_WINDOW_S - now)
            text = "Your usage rises faster than the ramp limit allows; increase it gradually"
            raise ApiProblem(
                429, text, retry_after=wait_s, code="ramp_limit_exceeded", headers=self._headers(pool, now)
            )
        pool.done += 1

    def produced(self, pool_name: str, output_tokens: int, now: float) -> None:
        """Take what a reply has written from the output bucket; it may fall below zero."""
        if self.tier is not None:
            self._pool(pool_name, now).output.level -= output_tokens

    def call(self, kind: Literal["batches", "counts"], now: float) -> None:
        """Let a call of the batch endpoints or of the token counter in.

        Raises:
            ApiProblem: Its own rate limit is reached.
        """
        if self.tier is None:
            return
        limits = TIERS[self.tier]
        per_minute = limits.batch_requests if kind == "batches" else limits.counts
        bucket = self.single.setdefault(kind, self._bucket(per_minute, now))
        bucket.refill(now)
        wait_s = bucket.wait_s(1)
        if wait_s > 0:
            text = f"This request would exceed the rate limit of {per_minute} calls per minute for {kind}"
            raise ApiProblem(429, text, retry_after=math.ceil(wait_s))
        bucket.level -= 1

    def queue(self, queued: int, more: int) -> None:
        """Let a batch into the queue.

        Raises:
            ApiProblem: Too many requests would wait in batches.
        """
        if self.tier is not None and queued + more > TIERS[self.tier].queued:
            raise ApiProblem(429, f"{queued} requests are queued in batches; {TIERS[self.tier].queued} are allowed")

    def spend(self, total_pico: int, now: float) -> None:
        """Refuse everything for the rest of the month once the spend limit is reached.

        Raises:
            ApiProblem: It is; without `retry-after`, since waiting a while does not help.
        """
        if self.spend_pico is None:
            return
        month = moment(now).strftime("%Y-%m")
        if self.month[0] != month:
            self.month = (month, 0 if not self.month[0] else total_pico)
        if total_pico - self.month[1] >= self.spend_pico:
            text = f"You have reached your spend limit; access returns on {_next_month(now)}"
            raise ApiProblem(429, text, code="enforced_spend_limit_reached")

    def _headers(self, pool: Pool, now: float) -> dict[str, str]:
        buckets = pool.buckets()
        tightest = min(("input-tokens", "output-tokens"), key=lambda name: buckets[name].level / buckets[name].capacity)
        found: dict[str, str] = {}
        for name, bucket in {**buckets, "tokens": buckets[tightest]}.items():
            left = max(bucket.level, 0.0)
            shown = int(left) if name == "requests" else round(left / 1000) * 1000
            full = now + bucket.wait_s(bucket.capacity)
            found[f"anthropic-ratelimit-{name}-limit"] = f"{bucket.per_minute:.0f}"
            found[f"anthropic-ratelimit-{name}-remaining"] = str(shown)
            found[f"anthropic-ratelimit-{name}-reset"] = (iso(full) or "")[:19] + "Z"
        return found


def _next_month(now: float) -> str:
    today = moment(now)
    after = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
    return after.strftime("%Y-%m-%d at 00:00 UTC")
