"""`fanwise check`: do the stand-ins answer what the examples say?"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import click

from fanwise.canonical import in_order
from fanwise.graph.origins import from_here
from fanwise.studies import check as study

from .command import Command
from .ending import OK
from .saying import echo, echo_json

FAILED = 1
MOST_CHARS = 200
"""Of a value that is printed."""


@click.command(cls=Command)
@click.argument("graph")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, values in full.")
def check(graph: str, as_json: bool) -> None:
    """Ask the stand-ins of GRAPH's agents what their examples ask, and say where they answer otherwise.

    Nothing is sent. Examples that do not fit the signature of their agent are mistakes of the graph, which every
    command lists.

    Exit status: 0 every stand-in answers as its examples do, 1 some do not, 2 something is wrong with the call or the
    graph.
    """
    with redirect_stdout(sys.stderr):  # what stand-ins print is no part of what is answered here
        checks = study.check(graph)
    if as_json:
        echo_json([agent.data() for agent in checks], 2)
    else:
        for agent in checks:
            _show(agent)
        if not checks:
            echo("no agent of the graph has examples")
    sys.exit(FAILED if any(agent.failures for agent in checks) else OK)


def _show(agent: study.AgentCheck) -> None:
    """Print how many examples of an agent pass, and each that does not."""
    if not agent.has_stand_in:
        echo(f"{agent.agent}: no stand-in to check {agent.examples} example{'s' if agent.examples != 1 else ''} by")
        return
    echo(f"{agent.agent}: {agent.examples - len(agent.failures)} of {agent.examples} examples pass")
    for answer in agent.failures:
        echo(f"  example {answer.number} ({from_here(answer.place)})")
        echo(f"    inputs:   {_short(dict(answer.inputs))}")
        echo(f"    expected: {_short(answer.expected)}")
        echo(f"    got:      {answer.problem or _short(answer.got)}")


def _short(data: Any) -> str:
    text = in_order(data)
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 3]}..."
