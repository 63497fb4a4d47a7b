"""Which graph runs on which arm: the fan-out, and the single agent beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from fanwise.engine.instructed import told
from fanwise.engine.load import load_graph
from fanwise.errors import DefinitionError, Mistake, UsageError
from fanwise.graph.baseline import has_one_agent, output_problems, single_agent
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.repacked import unpacked
from fanwise.graph.types import name as type_name
from fanwise.journal.records import ArmName
from fanwise.paths import names_file

THINKING = "auto:thinking"
"""The baseline that `auto` names, with room to think."""


def graph_of(graph: Graph[..., Any] | str) -> Graph[..., Any]:
    """Return a graph, loaded where it is named by a reference.

    Raises:
        UsageError: It does not exist or has mistakes.
    """
    return load_graph(graph) if isinstance(graph, str) else graph


def arms_of(graph: Graph[..., Any] | str, baseline: str) -> dict[ArmName, GraphSpec]:
    """Return the graph of each arm: the fan-out's, and the baseline's where there is one.

    A graph of one agent is its own baseline: `auto` adds none. Where that agent packs inputs, the single agent is the
    same one, shown an input at a time.

    Args:
        graph: The fan-out, or its reference.
        baseline: `none`, `auto`, `auto:thinking`, or the reference of a graph.

    Raises:
        UsageError: A graph does not exist or has mistakes, or the baseline takes other rows.
    """
    fanout = graph_of(graph)
    graphs: dict[ArmName, GraphSpec] = {"fanout": fanout.spec}
    if baseline == "none" or (baseline == "auto" and has_one_agent(fanout.spec)):
        return graphs
    if baseline == "auto" and has_one_agent(alone := unpacked(fanout.spec)):
        return {**graphs, "baseline": alone}
    if baseline in ("auto", THINKING):
        problems = output_problems(fanout.spec)
        if problems:
            mistakes = tuple(Mistake(fanout.place, f"--baseline {baseline}: {text}", hint) for text, hint in problems)
            raise DefinitionError(f"graph {fanout.name!r}", mistakes)
        agent = single_agent(fanout.spec, told=told, thinking=baseline == THINKING)
        if agent is not None:
            graphs["baseline"] = agent
    else:
        alone = load_graph(baseline)
        if _rows(alone.spec) != _rows(fanout.spec):
            wanted = ", ".join(map(type_name, alone.spec.param_types.values()))
            raise UsageError(f"the baseline {alone.name!r} takes {wanted}, not the rows of {fanout.name!r}")
        graphs["baseline"] = alone.spec
    return graphs


def single(spec: GraphSpec) -> GraphSpec | None:
    """Return the single agent that does a row of a graph, or None where none could give its output."""
    alone = unpacked(spec)
    if has_one_agent(alone):
        return alone
    return None if output_problems(spec) else single_agent(spec, told=told)


def is_own_baseline(graphs: Mapping[ArmName, GraphSpec]) -> bool:
    """Return whether the fan-out's attempts are the single agent's too: it has one agent, and is held against none."""
    return "baseline" not in graphs and has_one_agent(graphs["fanout"])


def reference_of(graph: Graph[..., Any] | str) -> str:
    """Return a reference that holds from every folder: files by their absolute path."""
    if not isinstance(graph, str):
        return f"{Path(graph.fn.__code__.co_filename).resolve()}:{graph.fn.__name__}"
    place, _, name = graph.rpartition(":")
    return f"{Path(place).resolve()}:{name}" if names_file(place) else graph


def _rows(spec: GraphSpec) -> list[Any]:
    """Return what the rows of a graph look like; two files may each define the same model."""
    return [TypeAdapter(tp).json_schema() for tp in spec.param_types.values()]
