"""The documented rate limits by tier: requests, input and output tokens per minute of each pool of models.

Source: page "Rate limits" of platform.claude.com, read 2026-11-23. An organisation may have others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fanwise.models import dateless

Tier = Literal["start", "build", "scale"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one pool of models takes in a minute."""

    requests: int
    input_tokens: int
    """Reads from the cache do not count."""
    output_tokens: int


TIERS: dict[Tier, Limits] = {
    "start": Limits(1_000, 2_000_000, 400_000),
    "build": Limits(5_000, 5_000_000, 1_000_000),
    "scale": Limits(10_000, 10_000_000, 2_000_000),
}
_FABLE: dict[Tier, Limits] = {
    "start": Limits(1_000, 500_000, 100_000),
    "build": Limits(2_000, 1_500_000, 300_000),
    "scale": Limits(4_000, 4_000_000, 800_000),
}


@lru_cache(maxsize=256)
def pool(model: str) -> str:
    """Return the pool whose limits a model shares: the 4.x lines and the Fable line have one each."""
    name = dateless(model)
    line, _, version = name.removeprefix("claude-").partition("-")
    if line in ("fable", "mythos"):
        return "fable"
    return f"{line}-4" if version.startswith("4") and line in ("opus", "sonnet") else name


def limits(model: str, tier: Tier) -> Limits:
    """Return the limits of a model's pool."""
    return (_FABLE if pool(model) == "fable" else TIERS)[tier]
