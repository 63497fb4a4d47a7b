"""`fanwise graph`: the tasks of a graph and what each is shown."""

from __future__ import annotations

import click

from fanwise.engine.arms import build_arms
from fanwise.engine.load import load_graph
from fanwise.engine.shown import request_lines
from fanwise.engine.toolbox import list_tools
from fanwise.graph.draw import FORMATS, tree
from fanwise.graph.remarks import file_notes, tools_missing, without_words

from .command import Command
from .saying import echo


@click.command(cls=Command)
@click.argument("graph")
@click.option(
    "--format", "form", type=click.Choice(sorted(FORMATS)), default="tree", show_default=True, help="How to draw it."
)
def graph(graph: str, form: str) -> None:
    """Draw GRAPH: its tasks, their order, and exactly what each is shown.

    The tree also says how many tokens that is, what of it is cached and with whom, and what other
    agents are sent too. What of agent files was not read is said on standard error.
    """
    spec = load_graph(graph).spec
    if form == "tree":
        echo(tree(spec, request_lines(build_arms({"fanout": spec}, toolbox=list_tools([spec]))["fanout"])))
    else:
        echo(FORMATS[form](spec))
    missing = [without_words(agent, tools) for agent, tools in tools_missing(spec).items()]
    for remark in (*missing, *file_notes(spec)):
        echo(f"fanwise: {remark}", err=True)
