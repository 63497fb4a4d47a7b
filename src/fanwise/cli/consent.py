"""Asking before money is spent: the total first, and a question above a threshold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TextIO, TypeVar

import anyio
import click

from fanwise.errors import ConsentError
from fanwise.job.mode import is_simulated
from fanwise.job.spec import JobSpec
from fanwise.ledger.forecast import Forecast, Price
from fanwise.studies.plan.drawn import draw_contents
from fanwise.studies.plan.forecast import forecast_job
from fanwise.units import usd

from .command import Dollars
from .saying import echo

F = TypeVar("F", bound=Callable[..., Any])
ASK_ABOVE_USD = "5"
ROWS = 20
"""Rows that are carried out by stand-ins to foresee a price."""


def threshold(command: F) -> F:
    """Add the options that say when to ask."""
    command = click.option("--yes", is_flag=True, help="Do not ask before spending.")(command)
    return click.option(
        "--ask-above-usd",
        type=Dollars(),
        metavar="X",
        default=ASK_ABOVE_USD,
        show_default=True,
        help="Ask before spending more than so much, in dollars.",
    )(command)


@dataclass(frozen=True, slots=True)
class Question:
    """Whether to ask before money is spent."""

    yes: bool
    """Whether the answer was given with the command."""
    threshold_pico: int
    """Picodollars above which to ask."""

    def consent(
        self,
        price: Price | None,
        what: str,
        spec: JobSpec,
        *,
        unpriced: tuple[str, ...] = (),
        beside: tuple[str, Price | None] | None = None,
    ) -> None:
        """Say what something will cost, and ask where that may be more than the threshold.

        Simulated runs never ask. A budget bounds what is asked for.

        Args:
            price: What it will cost; None where that is not known.
            what: What costs it, for the question.
            spec: The job.
            unpriced: Models of which no price is known.
            beside: What could be done in its place, and what that would cost.

        Raises:
            ConsentError: It may cost more than the threshold and there is no terminal to ask at, or the
                answer was no.
        """
        simulated = anyio.run(is_simulated, spec.base_url)
        text = _announcement(price, what, spec, unpriced)
        if beside is not None and beside[1] is not None:
            text = f"{text}; {beside[0]} about ${_dollars(beside[1].expected)}"
        echo(f"fanwise: {text}{' (simulated)' if simulated else ''}", err=True)
        most = _most(price, spec, unpriced)
        if self.yes or simulated or (most is not None and most <= self.threshold_pico):
            return
        why = "what it costs is not known" if most is None else f"it may cost ${_dollars(most)}"
        stdin: TextIO | None = sys.stdin  # none where it is closed
        if stdin is None or not stdin.isatty():
            limit = _dollars(self.threshold_pico)
            raise ConsentError(f"{why}, more than ${limit} needs a yes: add --yes, or --budget-usd with less")
        if not click.confirm(f"{why}; go on?", err=True):
            raise ConsentError("not started; nothing was spent")


def asking(options: dict[str, Any]) -> Question:
    """Take the values of these options out of a command's."""
    return Question(options.pop("yes"), options.pop("ask_above_usd"))


def foreseen(spec: JobSpec) -> Forecast:
    """Return what a job will cost in its channel, from so few rows that nobody waits for it."""
    return forecast_job(spec, draw_contents(spec, ROWS), channels=(spec.channel,), alternatives=False)


def _most(price: Price | None, spec: JobSpec, unpriced: tuple[str, ...]) -> int | None:
    """Return the picodollars that a job may cost at most; None where nothing bounds them."""
    bounds = [spec.budget_pico, None if price is None or unpriced else price.high]
    return min((bound for bound in bounds if bound is not None), default=None)


def _announcement(price: Price | None, what: str, spec: JobSpec, unpriced: tuple[str, ...]) -> str:
    """Return in words what something will cost."""
    budget = "" if spec.budget_usd is None else f"; the budget is ${Decimal(spec.budget_usd):,f}"
    if price is None or unpriced:
        why = f", no price is known of {', '.join(unpriced)}" if unpriced else ""
        return f"what {what} will cost is not known{why}{budget}"
    span = f"${_dollars(price.low)} to ${_dollars(price.high)}, at worst ${_dollars(price.worst)}"
    return f"{what} will cost about ${_dollars(price.expected)} ({span}){budget}"


def _dollars(pico: int) -> str:
    return f"{usd(pico):,.4f}"
