"""`fanwise diff`: two runs, what was changed between them, and what that did to the bill."""

from __future__ import annotations

import json
import math
import sys
from decimal import Decimal

import click

from fanwise.errors import UsageError
from fanwise.rendering.console import standard_output
from fanwise.rendering.diff import show_diff
from fanwise.studies import diff as study

from .ending import OK, exit_on_error

ABOVE = 1


@click.command()
@click.argument("before", metavar="RUN_A")
@click.argument("after", metavar="RUN_B")
@click.option(
    "--fail-above", type=float, metavar="PERCENT", default=None,
    help="End with status 1 where a successful row costs so much more in RUN_B.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(before: str, after: str, fail_above: float | None, as_json: bool) -> None:
    """Tell what changed between two runs, agent by agent, and what it did to the price of a successful row.

    Exit status: 0, or 1 where the price rose by more than --fail-above, 2 something is wrong with the call.
    """
    with exit_on_error():
        if fail_above is not None and not math.isfinite(fail_above):
            raise UsageError(f"--fail-above: {fail_above} is no share of a price; write a number of percent, like 5")
        runs = study.diff(before, after)
        if as_json:
            click.echo(json.dumps(runs.data(), indent=2))
        else:
            show_diff(runs, standard_output())
        rise = runs.rise_percent
        sys.exit(ABOVE if fail_above is not None and (rise is None or rise > Decimal(str(fail_above))) else OK)
