"""`fanwise graph`: the tasks of a graph and what each is shown."""

from __future__ import annotations

import click

from fanwise.engine.load import load_graph
from fanwise.graph.draw import FORMATS

from .common import told


@click.command()
@click.argument("graph")
@click.option(
    "--format", "form", type=click.Choice(sorted(FORMATS)), default="tree", show_default=True, help="How to draw it."
)
def graph(graph: str, form: str) -> None:
    """Draw GRAPH: its tasks, their order, and exactly what each is shown."""
    with told():
        click.echo(FORMATS[form](load_graph(graph).spec))
