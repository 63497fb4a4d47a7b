"""Rate limits: token buckets per pool of models, ramp limits, the spend limit, the batch queue.

Source: page "Rate limits", read 2026-10-17 to 2026-11-23. Buckets refill continuously; the input
limit counts what is neither read from the cache nor output; output counts as produced. Without a
level nothing is limited and no `anthropic-ratelimit-*` header is sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from .clock import iso, moment
from .problems import ApiProblem
from .tables import dateless_name, find_model

Level = Literal["start", "build", "scale"]
"""What the page calls a usage tier; here a tier is a model's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRates:
    """What the models of a pool may do in a minute, all together."""

    requests: int
    input: int
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelLimits:
    """The limits of one level."""

    default: PoolRates
    fable: PoolRates
    batch_requests: int
    """Calls of the batch endpoints in a minute, all models together."""
    queued: int
    """Requests in batches that have not ended."""
    counts: int
    """Token counts in a minute."""


LEVELS: dict[Level, LevelLimits] = {
    "start": LevelLimits(
        default=PoolRates(requests=1_000, input=2_000_000, output=400_000),
        fable=PoolRates(requests=1_000, input=500_000, output=100_000),
        batch_requests=1_000, queued=200_000, counts=2_000,
    ),
    "build": LevelLimits(
        default=PoolRates(requests=5_000, input=5_000_000, output=1_000_000),
        fable=PoolRates(requests=2_000, input=1_500_000, output=300_000),
        batch_requests=2_000, queued=300_000, counts=4_000,
    ),
    "scale": LevelLimits(
        default=PoolRates(requests=10_000, input=10_000_000, output=2_000_000),
        fable=PoolRates(requests=4_000, input=4_000_000, output=800_000),
        batch_requests=4_000, queued=500_000, counts=8_000,
    ),
}  # fmt: skip
RAMP_FLOOR, RAMP_WINDOW_S = 50, 10.0
"""A pool may do twice what it did in the window before, and this much always; sizes are open."""


def pool_of(name: str, *, fast: bool) -> str:
    """Return the pool that a model draws from."""
    model, dateless = find_model(name), dateless_name(name)
    line = model.line if model is not None else "fable"
    if line in ("fable", "mythos"):
        pool = "fable"
    elif dateless.startswith((f"claude-{line}-4-",)) and line != "haiku":
        pool = f"{line}-4"
    else:
        pool = dateless.removeprefix("claude-")
    return f"{pool}-fast" if fast else pool


@dataclass(slots=True, kw_only=True)
class RateBucket:
    """A bucket that refills continuously; it starts full."""

    per_minute: float
    capacity: float
    left: float
    """What it holds; below zero where a reply was longer than what was left."""
    at: float
    """Moment of the last refill."""

    def refill(self, now: float) -> None:
        """Let flow in what has come since the last look."""
        self.left = min(self.capacity, self.left + max(now - self.at, 0.0) * self.per_minute / 60)
        self.at = now

    def wait_s(self, amount: float) -> float:
        """Return seconds until `amount` fits; 0 where it does now. More than the capacity counts as all of it."""
        return max(min(amount, self.capacity) - self.left, 0.0) * 60 / self.per_minute


@dataclass(slots=True, kw_only=True)
class Pool:
    """The three buckets of a pool, and what it did lately."""

    requests: RateBucket
    input: RateBucket
    output: RateBucket
    window: float
    """Moment at which the present window of the ramp limit began."""
    in_window: int = 0
    """Requests in it."""
    in_last_window: int = 0

    def buckets(self) -> dict[str, RateBucket]:
        """Return the buckets by the name that the headers give them."""
        return {"requests": self.requests, "input-tokens": self.input, "output-tokens": self.output}


@dataclass(kw_only=True)
class Limiter:
    """Lets requests in, or refuses them by the limits of a level, the ramp limit and the spend limit."""

    level: Level | None = None
    burst_s: float = 60.0
    """Seconds of refill that a bucket holds: short bursts may be refused below the minute's rate."""
    ramp: bool = False
    spend_pico: int | None = None
    """Most that a month may cost."""
    pools: dict[str, Pool] = field(default_factory=dict[str, Pool])
    endpoints: dict[str, RateBucket] = field(default_factory=dict[str, RateBucket])
    """The buckets of the batch endpoints and of the token counter."""
    month: tuple[str, int] = ("", 0)
    """The month that is being spent in, and what the bill was when it began."""

    def _bucket(self, per_minute: int, now: float) -> RateBucket:
        capacity = max(per_minute * self.burst_s / 60, 1.0)
        return RateBucket(per_minute=per_minute, capacity=capacity, left=capacity, at=now)

    def _pool(self, name: str, now: float) -> Pool:
        assert self.level is not None
        if name not in self.pools:
            limits = LEVELS[self.level]
            rates = limits.fable if name.startswith("fable") else limits.default
            self.pools[name] = Pool(
                requests=self._bucket(rates.requests, now),
                input=self._bucket(rates.input, now),
                output=self._bucket(rates.output, now),
                window=now,
            )
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
        if self.level is None:
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
        pool.requests.left -= 1
        pool.input.left -= input_tokens
        return self._headers(pool, now)

    def _ramp(self, pool: Pool, now: float) -> None:
        windows_past = int((now - pool.window) // RAMP_WINDOW_S)
        if windows_past:
            pool.in_last_window, pool.in_window = (pool.in_window if windows_past == 1 else 0), 0
            pool.window += windows_past * RAMP_WINDOW_S
        if pool.in_window >= max(2 * pool.in_last_window, RAMP_FLOOR):
            wait_s = math.ceil(pool.window + RAMP_WINDOW_S - now)
            text = "Your usage rises faster than the ramp limit allows; increase it gradually"
            raise ApiProblem(
                429, text, retry_after=wait_s, code="ramp_limit_exceeded", headers=self._headers(pool, now)
            )
        pool.in_window += 1

    def draw_output(self, pool_name: str, output_tokens: int, now: float) -> None:
        """Take what a reply has written from the output bucket; it may fall below zero."""
        if self.level is not None:
            self._pool(pool_name, now).output.left -= output_tokens

    def admit_call(self, kind: Literal["batches", "counts"], now: float) -> None:
        """Let a call of the batch endpoints or of the token counter in.

        Raises:
            ApiProblem: Its own rate limit is reached.
        """
        if self.level is None:
            return
        limits = LEVELS[self.level]
        per_minute = limits.batch_requests if kind == "batches" else limits.counts
        bucket = self.endpoints.setdefault(kind, self._bucket(per_minute, now))
        bucket.refill(now)
        wait_s = bucket.wait_s(1)
        if wait_s > 0:
            text = f"This request would exceed the rate limit of {per_minute} calls per minute for {kind}"
            raise ApiProblem(429, text, retry_after=math.ceil(wait_s))
        bucket.left -= 1

    def admit_batch(self, queued: int, size: int) -> None:
        """Let a batch of `size` requests into the queue, in which `queued` wait already.

        Raises:
            ApiProblem: Too many requests would wait in batches.
        """
        if self.level is not None and queued + size > LEVELS[self.level].queued:
            raise ApiProblem(429, f"{queued} requests are queued in batches; {LEVELS[self.level].queued} are allowed")

    def admit_spending(self, total_pico: int, now: float) -> None:
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
        tightest = min(("input-tokens", "output-tokens"), key=lambda name: buckets[name].left / buckets[name].capacity)
        headers: dict[str, str] = {}
        for name, bucket in {**buckets, "tokens": buckets[tightest]}.items():
            left = max(bucket.left, 0.0)
            shown = int(left) if name == "requests" else round(left / 1000) * 1000
            full = now + bucket.wait_s(bucket.capacity)
            headers[f"anthropic-ratelimit-{name}-limit"] = f"{bucket.per_minute:.0f}"
            headers[f"anthropic-ratelimit-{name}-remaining"] = str(shown)
            headers[f"anthropic-ratelimit-{name}-reset"] = (iso(full) or "")[:19] + "Z"
        return headers


def _next_month(now: float) -> str:
    today = moment(now)
    after = datetime(today.year + today.month // 12, today.month % 12 + 1, 1, tzinfo=UTC)
    return after.strftime("%Y-%m-%d at 00:00 UTC")
