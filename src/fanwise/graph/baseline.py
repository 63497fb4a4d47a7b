"""The single agent made from a fan-out: the union of the slices, the instructions joined, the final schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from fanwise.blocks import Block
from fanwise.models import facts, intensity

from . import types as ty
from .expr import Get, gets
from .nodes import EachNode, GraphSpec, TaskNode, Template, reads, walk
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
    row = {part.name: part for part in _parts_read(spec)}
    agent = _agent(spec, model, agents, {name: part.type for name, part in row.items()})

    def body(**values: Any) -> Any:
        return rehearse(spec, _arguments(spec, values))

    slot = max(spec.slots) + 1
    node = TaskNode(
        slot=slot,
        path="baseline",
        place=spec.place,
        target=SingleAgent(body, agent),
        args={name: part.get for name, part in row.items()},
        blocks={name: name for name, part in row.items() if ty.is_block(part.type)},
        labels={name: name for name in row},
    )
    slots = {**spec.slots, slot: "baseline"}
    return replace(spec, name=f"{spec.name} by one agent", template=Template((node,), Get(slot)), slots=slots)


def _agent(spec: GraphSpec, model: str, agents: list[AgentSpec], params: Mapping[str, Any]) -> AgentSpec:
    """Return the settings of one agent that does the work of several: of each call, with options of its own."""
    unique = list({agent.name: agent for agent in agents}.values())
    context: dict[str, Block] = {block.sha: block for agent in unique for block in agent.context}
    strongest = max(agents, key=lambda agent: agent.intensity.allowance)
    try:
        level = intensity(model, strongest.thinking, strongest.effort)
    except ValueError:
        level = intensity(model, None, None)
    return AgentSpec(
        name="baseline",
        tiers=(model,),
        instructions="\n\n".join([_PREFACE, *(f"## {agent.name}\n{agent.instructions}" for agent in unique)]),
        context=tuple(context.values()),
        max_tokens=min(sum(agent.max_tokens for agent in unique), facts(model).max_output),
        effort=strongest.effort,
        thinking=strongest.thinking,
        intensity=level,
        time_limit_s=max(agent.time_limit_s for agent in unique),
        params=params,
        output=spec.output_type,
        schema=schema(spec.output_type),
        place=spec.place,
        tools=tuple({tool.name: tool for agent in unique for tool in agent.tools}.values()),
        max_turns=sum(agent.max_turns for agent in unique),
    )


def has_one_agent(spec: GraphSpec) -> bool:
    """Return whether a graph is its own single agent: at most one call of an agent for each row.

    Steps do not count. Under `each` a row has as many calls as its list has items: one agent that does the whole row
    is another one then.
    """
    nodes = list(walk(spec.template))
    repeated = [inner for node in nodes if isinstance(node, EachNode) for inner in walk(node.body)]
    agents = [node for node in nodes if isinstance(node, TaskNode) and node.target.spec is not None]
    return len(agents) == 1 and agents[0] not in repeated


def output_problems(spec: GraphSpec) -> list[tuple[str, str]]:
    """Return why the graph's output cannot be asked of one agent: pairs of message and hint."""
    return problems(spec.output_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowPart:
    """A field of a parameter of the graph, or a parameter without fields."""

    name: str
    """What the single agent knows it by."""
    param: str
    field: str | None
    type: Any
    get: Get


def _row_parts(spec: GraphSpec) -> Iterator[_RowPart]:
    """Yield all parts of the row, in its order."""
    for param, tp in spec.param_types.items():
        slot, fields = spec.params[param], ty.fields(tp)
        if fields is None:
            yield _RowPart(name=param, param=param, field=None, type=tp, get=Get(slot))
            continue
        for field, inner in fields.items():
            name = field if len(spec.params) == 1 else f"{param}_{field}"
            yield _RowPart(name=name, param=param, field=field, type=inner, get=Get(slot, (("field", field),)))


def _parts_read(spec: GraphSpec) -> Iterator[_RowPart]:
    """Yield the parts of the row that any node reads, in the row's order."""
    fields_read: dict[int, set[str]] = {slot: set() for slot in spec.params.values()}
    read_as_a_whole: set[int] = set()
    exprs = [expr for node in walk(spec.template) for expr in reads(node)] + [spec.template.output]
    for get in (get for expr in exprs for get in gets(expr) if get.slot in fields_read):
        if get.path and get.path[0][0] == "field":
            fields_read[get.slot].add(get.path[0][1])
        else:
            read_as_a_whole.add(get.slot)
    for part in _row_parts(spec):
        fields = fields_read[part.get.slot]
        is_read = bool(fields) if part.field is None else part.field in fields
        if is_read or part.get.slot in read_as_a_whole:
            yield part


def _arguments(spec: GraphSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as far as the single agent was shown it, for the rehearsal."""
    arguments: dict[str, Any] = {}
    records: dict[str, dict[str, Any]] = {param: {} for param in spec.params}
    for part in _row_parts(spec):
        if part.field is None:
            arguments[part.param] = values.get(part.param)
        elif part.name in values:
            records[part.param][part.field] = values[part.name]
    return {
        param: arguments[param] if param in arguments else _as_record(tp, records[param])
        for param, tp in spec.param_types.items()
    }


def _as_record(tp: Any, fields: dict[str, Any]) -> Any:
    """Return a record of a type with some of its fields, unchecked."""
    tp = ty.strip(tp)
    if isinstance(tp, type) and issubclass(tp, BaseModel):
        return tp.model_construct(**fields)
    if isinstance(tp, type) and issubclass(tp, dict):
        return fields
    return _Record(fields)


class _Record:
    """Fields of a row that is no model."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]
