"""Which graphs run over the rows, and who answers: the two questions before a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from fanwise.api.client import Api, has_credentials
from fanwise.engine.load import load_graph
from fanwise.errors import DefinitionError, Mistake, RunDirectoryError, UnknownPriceError, UsageError
from fanwise.graph.baseline import output_problems, single_agent
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.types import name as type_name
from fanwise.journal.records import ArmName
from fanwise.pricing.rates import rates
from fanwise.units import now

from .options import Options

Mode = Literal["embedded", "api"]
"""Who answers: the embedded emulator, or whoever is at the base URL."""


def arms_of(graph: Graph[..., Any], baseline: str) -> dict[ArmName, GraphSpec]:
    """Return the fan-out and its baseline: `none`, `auto`, or the reference of a graph.

    Raises:
        UsageError: The baseline does not exist, has mistakes, or takes other rows.
    """
    arms: dict[ArmName, GraphSpec] = {"fanout": graph.spec}
    if baseline == "auto":
        problems = output_problems(graph.spec)
        if problems:
            mistakes = tuple(Mistake(graph.place, f"--baseline auto: {text}", hint) for text, hint in problems)
            raise DefinitionError(f"graph {graph.name!r}", mistakes)
        one = single(graph.spec)
        if one is not None:
            arms["baseline"] = one
    elif baseline != "none":
        other = load_graph(baseline)
        if _rows(other.spec) != _rows(graph.spec):
            wanted = ", ".join(map(type_name, other.spec.param_types.values()))
            raise UsageError(f"the baseline {other.name!r} takes {wanted}, not the rows of {graph.name!r}")
        arms["baseline"] = other.spec
    return arms


def single(spec: GraphSpec) -> GraphSpec | None:
    """Return the single agent that does a row of a graph, or None where none could give its output."""
    return None if output_problems(spec) else single_agent(spec, _dearest(spec))


def _rows(spec: GraphSpec) -> list[Any]:
    """Return what the rows of a graph look like; two files may each define the same model."""
    return [TypeAdapter(tp).json_schema() for tp in spec.param_types.values()]


def graph_arms(reference: str, baseline: str) -> dict[ArmName, GraphSpec]:
    """Return the fan-out and its baseline by reference.

    Raises:
        UsageError: A graph does not exist or has mistakes.
    """
    return arms_of(load_graph(reference), baseline)


def _dearest(spec: GraphSpec) -> str:
    models = [agent.model for node in spec.tasks() if (agent := node.target.spec) is not None]

    def price(model: str) -> int:
        try:
            return rates(model, now()).output
        except UnknownPriceError:
            return 0

    return max(models, key=price, default="")


def reference_of(graph: Graph[..., Any] | str) -> str:
    """Return a reference that holds from every folder: files by their absolute path."""
    if not isinstance(graph, str):
        return f"{Path(graph.fn.__code__.co_filename).resolve()}:{graph.fn.__name__}"
    place, _, name = graph.rpartition(":")
    return f"{Path(place).resolve()}:{name}" if place.endswith(".py") else graph


async def is_simulated(options: Options) -> bool:
    """Return whether an emulator answers here, embedded or at the base URL; False where nobody does."""
    if check_mode(options) == "embedded":
        return True
    api = Api(base_url=options.base_url, connections=1)
    try:
        await api.probe()
        return bool(api.offline)
    finally:
        await api.close()


def check_mode(options: Options, known: Mode | None = None) -> Mode:
    """Return `embedded` or `api`: whether the embedded emulator answers.

    Raises:
        RunDirectoryError: The run was started in the other mode.
    """
    base_url = options.base_url or os.environ.get("ANTHROPIC_BASE_URL")
    mode: Mode = "api" if base_url or has_credentials() else "embedded"
    if known == "embedded" and mode == "api":
        text = "this run is simulated (embedded emulator), and now a key or a base URL is set"
        raise RunDirectoryError(
            f"{text}; simulated and real answers are never mixed: unset it, or start a new run with another --out"
        )
    if known == "api" and mode == "embedded":
        raise RunDirectoryError("this run was started with a key or a base URL, and now neither is set; set it again")
    return mode
