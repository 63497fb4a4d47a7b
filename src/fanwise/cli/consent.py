"""Asking before money is spent: the total first, and a question above a threshold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import anyio
import click

from fanwise.dispatch.channel import ChannelChoice
from fanwise.errors import UsageError
from fanwise.job.arms import is_simulated
from fanwise.job.options import Options
from fanwise.journal.records import Channel
from fanwise.ledger.forecast import CHANNELS, Forecast, Price
from fanwise.studies.plan.plan import Asked, make, sample
from fanwise.units import pico_from_usd, usd

F = TypeVar("F", bound=Callable[..., Any])
ASK_ABOVE_USD = "5"
ROWS = 20
"""Rows that are carried out by stand-ins to foresee a price."""


def threshold(command: F) -> F:
    """Add the options that say when to ask."""
    command = click.option("--yes", is_flag=True, help="Do not ask before spending.")(command)
    return click.option(
        "--ask-above-usd",
        metavar="X",
        default=ASK_ABOVE_USD,
        show_default=True,
        help="Ask before spending more than so much, in dollars.",
    )(command)


def asking(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of these options out of a command's."""
    return {name: options.pop(name) for name in ("yes", "ask_above_usd")}


def consent(
    price: Price | None, what: str, options: Options, *, yes: bool, ask_above_usd: str, unpriced: tuple[str, ...] = ()
) -> None:
    """Say what something will cost, and ask where that may be more than the threshold.

    Simulated runs never ask. A budget bounds what is asked for.

    Args:
        price: What it will cost; None where that is not known.
        what: What costs it, for the question.
        options: How it is run.
        yes: Not to ask.
        ask_above_usd: The threshold.
        unpriced: Models of which no price is known.

    Raises:
        UsageError: It may cost more than the threshold and there is no terminal to ask at, or the
            answer was no.
    """
    simulated = anyio.run(is_simulated, options)
    click.echo(f"fanwise: {_told(price, what, options, unpriced)}{' (simulated)' if simulated else ''}", err=True)
    if yes or simulated:
        return
    most = None if price is None or unpriced else price.high
    if options.budget_usd is not None:
        budget = pico_from_usd(options.budget_usd)
        most = budget if most is None else min(most, budget)
    limit = _limit(ask_above_usd)
    if most is not None and most <= limit:
        return
    why = "what it costs is not known" if most is None else f"it may cost ${_dollars(most)}"
    if not sys.stdin.isatty():
        raise UsageError(f"{why}, more than ${_dollars(limit)} needs a yes: add --yes, or --budget-usd with less")
    if not click.confirm(f"{why}; go on?", err=True):
        raise UsageError("not started; nothing was spent")


def foreseen(of: Asked, channel: ChannelChoice) -> Forecast:
    """Return what a job will cost in its channel, from so few rows that nobody waits for it."""
    channels: tuple[Channel, ...] = CHANNELS if channel == "auto" else (channel,)
    return make(of, sample(of, ROWS), channels=channels, alternatives=False)


def _limit(text: str) -> int:
    try:
        return pico_from_usd(text)
    except ValueError as error:
        raise UsageError(f"--ask-above-usd: {error}") from None


def _told(price: Price | None, what: str, options: Options, unpriced: tuple[str, ...]) -> str:
    budget = "" if options.budget_usd is None else f"; the budget is ${Decimal(options.budget_usd):,f}"
    if price is None or unpriced:
        why = f", no price is known of {', '.join(unpriced)}" if unpriced else ""
        return f"what {what} will cost is not known{why}{budget}"
    span = f"${_dollars(price.low)} to ${_dollars(price.high)}, at worst ${_dollars(price.worst)}"
    return f"{what} will cost about ${_dollars(price.expected)} ({span}){budget}"


def _dollars(pico: int) -> str:
    return f"{usd(pico):,.4f}"
