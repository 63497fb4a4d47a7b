"""The documented rate limits by level: requests, input and output tokens per minute of each pool of models.

Source: page "Rate limits" of platform.claude.com, read 2026-11-23. An organisation may have others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fanwise.models import dateless

Level = Literal["start", "build", "scale"]
"""What the page calls a usage tier; here a tier is a model's."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What one pool of models takes in a minute."""

    requests: int
    input_tokens: int
    """Reads from the cache do not count."""
    output_tokens: int


LEVELS: dict[Level, PoolLimits] = {
    "start": PoolLimits(1_000, 2_000_000, 400_000),
    "build": PoolLimits(5_000, 5_000_000, 1_000_000),
    "scale": PoolLimits(10_000, 10_000_000, 2_000_000),
}
_FABLE: dict[Level, PoolLimits] = {
    "start": PoolLimits(1_000, 500_000, 100_000),
    "build": PoolLimits(2_000, 1_500_000, 300_000),
    "scale": PoolLimits(4_000, 4_000_000, 800_000),
}


@lru_cache(maxsize=256)
def pool(model: str) -> str:
    """Return the pool whose limits a model shares: the 4.x lines and the Fable line have one each."""
    name = dateless(model)
    line, _, version = name.removeprefix("claude-").partition("-")
    if line in ("fable", "mythos"):
        return "fable"
    return f"{line}-4" if version.startswith("4") and line in ("opus", "sonnet") else name


def pool_limits(model: str, level: Level) -> PoolLimits:
    """Return what the pool of a model takes in a minute."""
    return (_FABLE if pool(model) == "fable" else LEVELS)[level]
