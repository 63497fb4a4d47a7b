"""`fanwise diff`: two runs, what was changed between them, and what that did to the bill."""

from __future__ import annotations

import sys
from decimal import Decimal

import click

from fanwise.rendering.console import standard_output
from fanwise.rendering.diff import show_diff
from fanwise.studies import diff as study

from .command import Command, FiniteNumber
from .ending import OK
from .saying import echo_json

ABOVE = 1


@click.command(cls=Command)
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@click.option(
    "--fail-above", type=FiniteNumber(0), metavar="PERCENT", default=None,
    help="End with status 1 where a successful row costs so much more in RUN_B.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(before: str, after: str, fail_above: float | None, as_json: bool) -> None:
    """Tell what changed between two runs, agent by agent, and what it did to the price of a successful row.

    Exit status: 0, or 1 where the price rose by more than --fail-above, 2 something is wrong with the call.
    """
    runs = study.diff(before, after)
    if as_json:
        echo_json(runs.data(), 2)
    else:
        show_diff(runs, standard_output())
    rise = runs.rise_percent
    sys.exit(ABOVE if fail_above is not None and (rise is None or rise > Decimal(str(fail_above))) else OK)
