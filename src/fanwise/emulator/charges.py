"""What a reply costs, in exact picodollars, by the page "Pricing" as read on 2026-11-23."""

from __future__ import annotations

from typing import Any, NamedTuple

from .tables import DAY_SONNET_READ, dateless_name, find_model

CLIFF_TOKENS = 100_000
"""Above so many input tokens a whole request to Haiku 5.5 costs five times as much."""
BILLED_REFUSALS = frozenset({"bio", "frontier_llm", "reasoning_extraction"})
"""Categories of refusals that are billed though nothing was written, since 2026-09-24."""


class Tokens(NamedTuple):
    """What a reply is billed by; the kinds do not overlap."""

    input: int = 0
    write_5m: int = 0
    write_1h: int = 0
    read: int = 0
    output: int = 0

    @property
    def prompt(self) -> int:
        """All input tokens."""
        return self.input + self.write_5m + self.write_1h + self.read

    def usage(self) -> dict[str, Any]:
        """Return the counts in the API's words."""
        return {
            "input_tokens": self.input,
            "output_tokens": self.output,
            "cache_creation_input_tokens": self.write_5m + self.write_1h,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.write_5m,
                "ephemeral_1h_input_tokens": self.write_1h,
            },
        }


def price(name: str, at: float, tokens: Tokens, *, batch: bool, geo: str | None = None, fast: bool = False) -> int:
    """Return the price of a reply in picodollars.

    Writes cost 5/4 (5 minutes) and 2 (1 hour) of the input price; batches half of everything;
    `inference_geo: "us"` 11/10; fast mode twice; Haiku 5.5 five times as much for prompts over
    100,000 tokens.

    Args:
        name: Id of a known model.
        at: Moment of the request, seconds since the epoch: prices change by date.
        tokens: What is billed.
        batch: Whether the request came in a batch.
        geo: The request's `inference_geo`.
        fast: Whether the request had `speed: "fast"`.
    """
    model, dateless = find_model(name), dateless_name(name)
    assert model is not None, name
    read = 200_000 if dateless == "claude-sonnet-5-5" and at < DAY_SONNET_READ else model.rate_read
    quarters = 4 * (model.rate_in * (tokens.input + 2 * tokens.write_1h) + read * tokens.read)
    quarters += 5 * model.rate_in * tokens.write_5m + 4 * model.rate_out * tokens.output
    divisor = 8 if batch else 4
    if dateless == "claude-haiku-5-5" and tokens.prompt > CLIFF_TOKENS:
        quarters *= 5
    if geo == "us":
        quarters, divisor = 11 * quarters, 10 * divisor
    if fast:
        quarters *= 2
    pico, rest = divmod(quarters, divisor)
    assert not rest, f"{quarters}/{divisor} picodollars is not whole"
    return pico
