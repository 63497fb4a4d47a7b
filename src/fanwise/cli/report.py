"""`fanwise report`: the account of a run."""

from __future__ import annotations

from pathlib import Path

import click

from fanwise.errors import UsageError
from fanwise.ledger.by import DIMENSIONS
from fanwise.rendering.account import show_account
from fanwise.rendering.console import standard_output
from fanwise.rendering.files import check_place, replace_file
from fanwise.rendering.full import show_rest
from fanwise.rendering.groups import show_groups
from fanwise.rendering.rejected import show_rejections
from fanwise.studies import report as study

from .command import Command
from .saying import echo, echo_json


@click.command(cls=Command)
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option(
    "--by", "dimensions", metavar="NAMES", help=f"Print the ledger by {', '.join(DIMENSIONS)}; several with commas."
)
@click.option(
    "--full", is_flag=True, help="Print all: estimates beside what was measured, all failures, the cache, the prompt."
)
@click.option("--html", is_flag=True, help="Write the report as one HTML file, which needs no network.")
@click.option("--out", metavar="FILE", default=None, help="Where --html writes. [default: DIR/report.html]")
def report(directory: str, as_json: bool, dimensions: str | None, full: bool, html: bool, out: str | None) -> None:
    """Print what the run in DIR cost, against one agent, and what failed."""
    if full and (as_json or html or dimensions is not None):
        raise UsageError("--full is for the terminal: --json, --html and --by leave nothing out; leave --full out")
    if dimensions is not None:
        _print_groups(directory, [name.strip() for name in dimensions.split(",")], as_json=as_json)
        return
    if out is not None and not html:
        raise UsageError("--out says where --html writes; add --html, or leave --out out")
    page = Path(out) if out is not None else Path(directory) / "report.html"
    if html and out is not None:
        check_place(page)
    account = study.report(directory)
    if html:
        replace_file(page, [account.html()])
        echo(f"report: {page}", err=True)
    elif as_json:
        echo_json(account.summary, 2)
    else:
        tables, console = account.tables(all_failures=full), standard_output()
        show_account(account.summary, tables, console)
        show_rejections(tables.rejections, console)
        if full:
            show_rest(account.summary, account.details(), console)


def _print_groups(directory: str, dimensions: list[str], *, as_json: bool) -> None:
    groups = study.report_by(directory, *dimensions)
    if as_json:
        for group in groups:
            echo_json(group.data(dimensions))
    else:
        show_groups(dimensions, groups, standard_output())
