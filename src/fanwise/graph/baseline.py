"""The single agent made from a fan-out: the union of the slices, the instructions joined, the final schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

from pydantic import BaseModel

from fanwise.blocks import Block
from fanwise.models import facts, intensity

from . import types as ty
from .expr import Expr, Get, gets
from .nodes import GraphSpec, TaskNode, Template, reads, walk
from .rehearse import rehearse
from .schema import problems, schema
from .spec import AgentSpec

_PREFACE = "Do the whole job for this row yourself, in one answer. The job has these parts:"


class SingleAgent:
    """The one agent of a baseline."""

    name = "baseline"

    def __init__(self, body: Callable[..., Any], spec: AgentSpec) -> None:
        self.body, self._spec = body, spec

    @property
    def spec(self) -> AgentSpec:
        """The settings."""
        return self._spec


def single_agent(spec: GraphSpec, model: str) -> GraphSpec | None:
    """Return a graph of one agent that does the whole row, or None for a graph without agents.

    It is shown every field of the row that any task reads, and every block of context; its cap
    is the sum of the agents' caps. Its stand-in rehearses the fan-out.

    Args:
        spec: The fan-out.
        model: The model that carries it out: the dearest of the fan-out's, so that it can do
            all that any of them can.
    """
    agents = [node.target.spec for node in spec.tasks() if node.target.spec is not None]
    if not agents:
        return None
    unique = list({agent.name: agent for agent in agents}.values())
    context: dict[str, Block] = {block.sha: block for agent in unique for block in agent.context}
    parts = [f"## {agent.name}\n{agent.instructions}" for agent in unique]
    limit = min(sum(agent.max_tokens for agent in unique), facts(model).max_output)
    shown = dict(_shown(spec))
    args: dict[str, Expr] = {name: get for name, (get, _) in shown.items()}
    params = {name: tp for name, (_, tp) in shown.items()}
    strongest = max(agents, key=lambda agent: agent.intensity.allowance)
    try:
        level = intensity(model, strongest.thinking, strongest.effort)
    except ValueError:
        level = intensity(model, None, None)
    agent = AgentSpec(
        name="baseline", tiers=(model,), instructions="\n\n".join([_PREFACE, *parts]), context=tuple(context.values()),
        max_tokens=limit, effort=strongest.effort, thinking=strongest.thinking, intensity=level,
        time_limit_s=max(one.time_limit_s for one in unique), params=params, output=spec.output_type,
        schema=schema(spec.output_type), place=spec.place,
        tools=tuple({one.name: one for agent in unique for one in agent.tools}.values()),
        max_turns=sum(one.max_turns for one in unique),
    )  # fmt: skip

    def body(**values: Any) -> Any:
        return rehearse(spec, _arguments(spec, values))

    target = SingleAgent(body, agent)
    blocks = {name: name for name, tp in params.items() if ty.is_block(tp)}
    slot = max(spec.slots) + 1
    node = TaskNode(slot, "baseline", spec.place, target, args, blocks, {name: name for name in args})
    slots = {**spec.slots, slot: "baseline"}
    return replace(spec, name=f"{spec.name} by one agent", template=Template((node,), Get(slot)), slots=slots)


def output_problems(spec: GraphSpec) -> list[tuple[str, str]]:
    """Return why the graph's output cannot be asked of one agent: pairs of message and hint."""
    return problems(spec.output_type)


def _shown(spec: GraphSpec) -> Iterator[tuple[str, tuple[Get, Any]]]:
    """Yield the parts of the row that any node reads: name, expression, type; in the row's order."""
    wanted: dict[str, set[str]] = {name: set() for name in spec.params}
    whole: set[str] = set()
    names = {slot: name for name, slot in spec.params.items()}
    exprs = [expr for node in walk(spec.template) for expr in reads(node)] + [spec.template.output]
    for get in (get for expr in exprs for get in gets(expr) if get.slot in names):
        if get.path and get.path[0][0] == "field":
            wanted[names[get.slot]].add(get.path[0][1])
        else:
            whole.add(names[get.slot])
    for param, tp in spec.param_types.items():
        slot, known = spec.params[param], ty.fields(tp)
        if known is None:
            if param in whole or wanted[param]:
                yield param, (Get(slot), tp)
            continue
        for field, inner in known.items():
            if param in whole or field in wanted[param]:
                name = field if len(spec.params) == 1 else f"{param}_{field}"
                yield name, (Get(slot, (("field", field),)), inner)


def _arguments(spec: GraphSpec, values: dict[str, Any]) -> dict[str, Any]:
    """Return the row as far as the single agent was shown it, for the rehearsal."""
    arguments: dict[str, Any] = {}
    for param, tp in spec.param_types.items():
        known = ty.fields(tp)
        if known is None:
            arguments[param] = values.get(param)
            continue
        fields = {
            field: values[name]
            for field in known
            if (name := field if len(spec.params) == 1 else f"{param}_{field}") in values
        }
        kind = ty.strip(tp)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            arguments[param] = kind.model_construct(**fields)
        else:
            arguments[param] = (
                _Record(fields) if not isinstance(kind, type) or not issubclass(kind, dict) else cast("Any", fields)
            )
    return arguments


class _Record:
    """Fields of a row that is no model."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]
