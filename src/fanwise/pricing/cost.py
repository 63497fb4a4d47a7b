"""What a reply cost, in exact picodollars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from .rates import Rates, rates
from .usage import Usage, is_possible, read_usage

WEB_SEARCH_PICO = 10**10
"""One web search: $10 per 1,000, not halved in batches ("Pricing", read 2026-11-23)."""


BILLED_REFUSALS = frozenset({"bio", "frontier_llm", "reasoning_extraction"})
"""Categories that are billed though nothing was written, since 2026-09-24 ("Pricing", read 2026-11-23)."""


def is_free(stop_reason: str, category: str, output_tokens: int) -> bool:
    """Return whether a reply costs nothing: refused before any output, since 2026-06-02 ("Pricing")."""
    return stop_reason == "refusal" and not output_tokens and category not in BILLED_REFUSALS


def cost(
    usage: Usage, model: str, at: datetime, *, batch: bool = False, geo: str | None = None, fast: bool = False
) -> int:
    """Return the price of a usage in picodollars.

    Batches cost half, `inference_geo: "us"` 11/10, fast mode twice, on every kind of token
    ("Pricing", read 2026-11-23). Fast mode does not exist in batches.

    Raises:
        UnknownPriceError: Nothing is known of the model's price.
    """
    rate = rates(model, at, usage.prompt)
    return tokens_cost(usage, rate, batch=batch, geo=geo, fast=fast) + usage.web_searches * WEB_SEARCH_PICO


def tokens_cost(usage: Usage, rate: Rates, *, batch: bool = False, geo: str | None = None, fast: bool = False) -> int:
    """Return the price of the tokens alone at given rates, in picodollars."""
    total = (
        usage.input * rate.input
        + usage.output * rate.output
        + usage.cache_write_5m * rate.write_5m
        + usage.cache_write_1h * rate.write_1h
        + usage.cache_read * rate.read
    )
    times, part = (11, 10) if geo == "us" else (1, 1)
    if batch:
        part *= 2
    elif fast:
        times *= 2
    exact, rest = divmod(total * times, part)
    if rest:
        raise ValueError(f"{total} x {times}/{part} picodollars is not whole")
    return exact


def writing_cost(hour: int, five: int, rate: Rates, *, batch: bool) -> int:
    """Return what it costs more to write tokens than to read them, in picodollars.

    Args:
        hour: Tokens that are written for an hour.
        five: Tokens that are written for five minutes.
        rate: The prices.
        batch: Whether in a batch.
    """
    written = tokens_cost(Usage(cache_write_1h=hour, cache_write_5m=five), rate, batch=batch)
    return written - tokens_cost(Usage(cache_read=hour + five), rate, batch=batch)


def reply_cost(
    data: Mapping[str, Any], model: str, at: datetime, *, batch: bool = False, top: Usage | None = None
) -> tuple[Usage, int]:
    """Return usage and price of a reply's `usage` object.

    Where it has `iterations`, each is priced at its own model and summed, since compaction and
    advisor tokens are not in the top-level counts ("Compaction", read 2026-11-23).

    Args:
        data: The object.
        model: Who was asked.
        at: When.
        batch: Whether in a batch.
        top: What `read_usage` has made of the object, which is possible; None: it is read here.

    Raises:
        UnknownPriceError: Nothing is known of a model's price.
        ValueError: A count is negative, or larger than any request can take.
    """
    geo, fast = data.get("inference_geo"), data.get("speed") == "fast"
    if top is None:
        top = read_usage(data)
        if not is_possible(top):
            raise ValueError(f"no request can take {top}")
    iterations = cast("Sequence[Mapping[str, Any]]", data.get("iterations") or ())
    if not iterations:
        return top, cost(top, model, at, batch=batch, geo=geo, fast=fast)
    total, price = Usage(web_searches=top.web_searches), top.web_searches * WEB_SEARCH_PICO
    for iteration in iterations:
        usage = read_usage(iteration)
        if not is_possible(usage):
            raise ValueError(f"no request can take {usage}")
        total = total.plus(usage)
        price += cost(usage, str(iteration.get("model") or model), at, batch=batch, geo=geo, fast=fast)
    return total, price
