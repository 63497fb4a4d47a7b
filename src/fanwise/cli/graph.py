"""`fanwise graph`: the tasks of a graph and what each is shown."""

from __future__ import annotations

import click

from fanwise.engine.arms import build_arms
from fanwise.engine.load import load_graph
from fanwise.engine.shown import request_lines
from fanwise.engine.toolbox import list_tools
from fanwise.graph.draw import FORMATS, listing, tree
from fanwise.graph.remarks import file_notes, tools_missing, without_words

from .command import Command
from .saying import echo, echo_json


@click.command(cls=Command)
@click.argument("graph")
@click.option(
    "--format", "form", type=click.Choice(sorted(FORMATS)), default="tree", show_default=True, help="How to draw it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the tasks and the settings of their agents as JSON.")
def graph(graph: str, form: str, as_json: bool) -> None:
    """Draw GRAPH: its tasks, their order, and exactly what each is shown.

    The tree also says with which settings agents are asked and where each of these comes from, how
    many tokens they are shown, what of it is cached and with whom, and what others are sent too.
    What of agent files was not read is said on standard error.
    """
    spec = load_graph(graph).spec
    if as_json:
        echo_json(listing(spec), 2)
    elif form == "tree":
        echo(tree(spec, request_lines(build_arms({"fanout": spec}, toolbox=list_tools([spec]))["fanout"])))
    else:
        echo(FORMATS[form](spec))
    missing = [without_words(agent, tools) for agent, tools in tools_missing(spec).items()]
    for remark in (*missing, *file_notes(spec)):
        echo(f"fanwise: {remark}", err=True)
