"""Prices, cache minimums and tokenizers, typed from the documentation apart from the client's.

Source: platform.claude.com, pages "Pricing", "Prompt caching", "Models overview" and "Token
counting", read 2026-11-23. Where a page gives no figure, the line says "open".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

OLD, NEW = Fraction(34, 10), Fraction(25, 10)
"""Characters per token before and since the tokenizer of 2026."""

DAY_SONNET_READ = datetime(2026, 10, 7, tzinfo=UTC)
"""Sonnet 5.5 cache reads fell from $0.20 to $0.10 on this day."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model: dollars per million tokens, least cached length, characters per token."""

    usd_in: Fraction
    usd_out: Fraction
    usd_read: Fraction
    minimum: int
    chars: Fraction
    line: str
    max_output: int = 128_000
    max_input: int = 1_000_000


def _model(
    usd_in: str,
    usd_out: str,
    usd_read: str,
    minimum: int,
    chars: Fraction,
    line: str,
    out: int = 128_000,
    window: int = 1_000_000,
) -> Model:
    return Model(Fraction(usd_in), Fraction(usd_out), Fraction(usd_read), minimum, chars, line, out, window)


MODELS: dict[str, Model] = {
    "claude-fable-5-2": _model("8", "40", "0.20", 512, NEW, "fable"),  # minimum: open, taken as 5.1's
    "claude-mythos-5-2": _model("8", "40", "0.20", 512, NEW, "mythos"),  # minimum: open
    "claude-fable-5-1": _model("10", "50", "0.25", 512, NEW, "fable"),
    "claude-mythos-5-1": _model("10", "50", "0.25", 512, NEW, "mythos"),
    "claude-fable-5": _model("10", "50", "1", 512, NEW, "fable"),
    "claude-mythos-5": _model("10", "50", "1", 512, NEW, "mythos"),
    "claude-opus-5-5": _model("4", "20", "0.20", 512, NEW, "opus"),
    "claude-opus-5": _model("5", "25", "0.50", 512, NEW, "opus"),
    "claude-opus-4-8": _model("5", "25", "0.50", 1024, NEW, "opus"),
    "claude-opus-4-7": _model("5", "25", "0.50", 2048, NEW, "opus"),
    "claude-opus-4-6": _model("5", "25", "0.50", 4096, OLD, "opus"),
    "claude-opus-4-5": _model("5", "25", "0.50", 4096, OLD, "opus"),
    "claude-sonnet-5-5": _model("2", "10", "0.10", 512, NEW, "sonnet"),
    "claude-sonnet-5": _model("2", "10", "0.20", 1024, NEW, "sonnet"),
    "claude-sonnet-4-6": _model("3", "15", "0.30", 1024, OLD, "sonnet"),
    "claude-sonnet-4-5": _model("3", "15", "0.30", 1024, OLD, "sonnet"),
    "claude-haiku-5-5": _model("0.10", "0.50", "0.01", 512, NEW, "haiku"),
    "claude-haiku-4-5": _model("1", "5", "0.10", 4096, OLD, "haiku", 64_000, 200_000),
}


def find(model: str) -> Model | None:
    """Return a model by id, with or without its date."""
    head, _, date = model.rpartition("-")
    return MODELS.get(model) or (MODELS.get(head) if len(date) == 8 and date.isdigit() else None)


def price(model: str, at: datetime, usage: dict[str, int], *, batch: bool, geo: str | None) -> int:
    """Return the price of a reply in picodollars.

    Writes cost 5/4 (5 minutes) and 2 (1 hour) of the input price; batches half of everything;
    `inference_geo: "us"` 11/10; Haiku 5.5 five times as much for prompts over 100,000 tokens.
    """
    known = find(model)
    assert known is not None, model
    read = known.usd_read
    if model == "claude-sonnet-5-5" and at < DAY_SONNET_READ:
        read = Fraction(2, 10)
    prompt = usage["input"] + usage["write_5m"] + usage["write_1h"] + usage["read"]
    factor = Fraction(5) if model == "claude-haiku-5-5" and prompt > 100_000 else Fraction(1)
    dollars = factor * (
        known.usd_in * (usage["input"] + Fraction(5, 4) * usage["write_5m"] + 2 * usage["write_1h"])
        + read * usage["read"]
        + known.usd_out * usage["output"]
    )
    dollars *= Fraction(1, 2) if batch else 1
    dollars *= Fraction(11, 10) if geo == "us" else 1
    pico = dollars * 1_000_000  # per million tokens -> picodollars
    assert pico.denominator == 1, f"{pico} picodollars is not whole"
    return pico.numerator
