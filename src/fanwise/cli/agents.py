"""`fanwise agents`: the agents of a folder."""

from __future__ import annotations

import click

from fanwise.rendering.words import money
from fanwise.studies import roster as study
from fanwise.units import usd_text

from .command import Command
from .saying import echo, echo_json

types_option = click.option(
    "--types", metavar="FILE.py", default=None, help="Where the types stand that agent files name: a file or a module."
)
inherit_option = click.option("--inherit", metavar="MODEL", default=None, help="Model of files that say `inherit`.")


@click.command(cls=Command)
@click.argument("folder", metavar="DIR")
@types_option
@inherit_option
@click.option("--run", metavar="RUN", default=None, help="A run directory, by which calls are priced.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def agents(folder: str, types: str | None, inherit: str | None, run: str | None, as_json: bool) -> None:
    """List the agents in DIR: what each takes and answers, its model, price and tools, and what it is for.

    All mistakes of all files are told at once, each with its line. Nothing is sent. The file of --types is the only
    one that is imported; what is not read of an agent file is said on standard error.
    """
    loaded = study.load_agents(folder, study.load_types(types), inherit)
    entries = study.roster(loaded, run)
    if as_json:
        echo_json([entry.data() for entry in entries], 2)
    else:
        for entry in entries:
            _show(entry)
    for note in loaded.notes:
        echo(f"fanwise: {note}", err=True)


def _show(entry: study.RosterEntry) -> None:
    """Print one agent."""
    spec = entry.agent.spec
    echo(entry.signature)
    echo(f"  {spec.model}, price of a call: {_price(entry.calls)}")
    if spec.tools:
        echo(f"  tools: {', '.join(source.name for source in spec.tools)}")
    if spec.without:
        echo(f"  without: {', '.join(spec.without)}")
    if entry.description:
        echo(f"  {entry.description}")


def _price(calls: study.PaidCalls | None) -> str:
    """Return the price of a call in words."""
    if calls is None:
        return "not known, no run was given"
    if calls.pico_each is None:
        return "not known, the run has none of this agent on this model"
    return f"{money(usd_text(calls.pico_each))} on average of {calls.count:,}"
