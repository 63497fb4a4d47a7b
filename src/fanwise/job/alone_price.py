"""What a call of the single agent would cost that nobody paid for, in the channel that its run would take. Pure.

On average over a job, with its part of writing what rows share; `dispatch.prices` has the next call, which finds that
written.
"""

from __future__ import annotations

from collections.abc import Mapping

from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Channel
from fanwise.pricing.cost import tokens_cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import now

APART = 1.1
"""From so many times on the prices of two channels are said both."""


def call_prices(
    usage: Usage, model: str, rows: int, hit_rate: float, *, of_row: int = 0, shown_by: int = 1
) -> dict[Channel, float]:
    """Return what a call costs in each channel, in picodollars, as `--channel auto` expects it; empty if unknown.

    Args:
        usage: What it takes, where what all rows share is read.
        model: Who is asked.
        rows: Rows of the job: each bears its part of writing what they share.
        hit_rate: Share of reads in batches behind a request that has written it.
        of_row: Tokens of its input that are marked of the row: live they are written once and read, in batches sent.
        shown_by: Rows of the job that show these.
    """
    try:
        rate = rates(model, now(), usage.prompt)
    except UnknownPriceError:
        return {}
    shared, first = usage.cache_read, 1 / max(rows, 1)
    live = tokens_cost(usage, rate) + shared * (rate.write_5m - rate.read) * first
    live += of_row * ((rate.write_5m - rate.read) / max(shown_by, 1) + rate.read - rate.input)
    again = hit_rate * rate.read + (1 - hit_rate) * rate.write_5m
    led = shared * (rate.write_1h * first + again * (1 - first))
    rest = usage.input * rate.input + usage.output * rate.output
    return {"live": live, "batch": (rest + min(led, shared * rate.input)) / 2}


def channel_of(chosen: str | None, prices: Mapping[Channel, float]) -> Channel:
    """Return how calls travel of which this is the price: as the run was told to, or in the cheaper way.

    Args:
        chosen: What the run was told: live, batch or auto; None where it has had no session.
        prices: By channel.
    """
    if chosen == "batch":
        return "batch"
    return "live" if chosen != "auto" or prices["live"] < prices["batch"] else "batch"
