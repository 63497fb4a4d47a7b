"""Options that more than one command takes; each may also be given as FANWISE_<NAME>."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def session(command: F) -> F:
    """Add the options of one session of a run."""
    for option in reversed(
        [
            click.option(
                "--channel",
                type=click.Choice(["live", "batch", "auto"]),
                default=None,
                help="How requests travel; auto takes the cheaper one per task. [default: auto]",
            ),
            click.option(
                "--budget-usd",
                metavar="X",
                default=None,
                help="Most that the run may cost in all, in dollars; it halts before that.",
            ),
            click.option(
                "--budget-tokens",
                type=click.IntRange(1),
                default=None,
                help="Most tokens that the run may take in all, cached or not; it halts before that.",
            ),
            click.option(
                "--row-budget-usd",
                metavar="X",
                default=None,
                help="Most that one row may cost; what does not fit any more fails, and the run goes on.",
            ),
            click.option(
                "--row-budget-tokens", type=click.IntRange(1), default=None, help="The same, in tokens of a row."
            ),
            click.option(
                "--deadline",
                metavar="TIME",
                default=None,
                help="When the run should have ended, such as 90m or 6h: batches are left for live calls in time.",
            ),
            click.option(
                "--pay-twice-for-deadline",
                is_flag=True,
                default=None,
                help="Near the deadline send live what cancelled batches have not given back; may be paid twice.",
            ),
            click.option(
                "--base-url",
                metavar="URL",
                default=None,
                help="Another server than api.anthropic.com, such as `fanwise emulate`.",
            ),
            click.option(
                "--slots", type=click.IntRange(1, 4096), default=None, help="Live requests in flight. [default: 32]"
            ),
            click.option(
                "--schemas",
                type=click.Choice(["auto", "strict", "shared"]),
                default=None,
                help="Whether agents with different schemas share a cache; auto by price. [default: auto]",
            ),
            click.option(
                "--grace-s",
                type=click.FloatRange(0),
                default=None,
                help="Seconds after which a batch that is not listed was never taken. [default: 120]",
            ),
            click.option(
                "--batch-delay-s",
                type=click.FloatRange(0),
                default=None,
                help="Seconds that the embedded emulator takes for a batch.",
            ),
            click.option(
                "--latency-s",
                type=click.FloatRange(0),
                default=None,
                help="Seconds that the embedded emulator takes for a reply.",
            ),
            click.option("--detach", is_flag=True, help="Exit when all that can be submitted is in batches."),
            click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON."),
        ]
    ):
        command = option(command)
    return command


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in values.items() if value is not None}
