"""The single agent made from a fan-out: what its agents see, told the flow, with the steps around it as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from fanwise.blocks import Block
from fanwise.models import EffortIntent, Intensity, facts, intensity, strongest

from . import types as ty
from .answerable import problems
from .briefing import briefing
from .cut import Cut, asked, cut
from .expr import Get, Make, gets
from .nodes import EachNode, GraphSpec, Node, TaskNode, Template, parts, walk
from .origins import DEFAULTS, Origin, Origins
from .redirect import redirect, redirected
from .rehearse import rehearse
from .schema import schema
from .spec import AgentSpec

LEAST_CAP = 4_096
"""Tokens that a single agent may answer with at least: a cap of ours must not cut it off."""
ITEMS = 8
"""Items that a list is taken to have for the cap, where the graph does not bound it."""


class SingleAgent:
    """The one agent of a baseline."""

    name = "baseline"

    def __init__(self, body: Callable[..., Any], spec: AgentSpec) -> None:
        self.body, self._spec = body, spec

    @property
    def spec(self) -> AgentSpec:
        """The settings."""
        return self._spec


def single_agent(spec: GraphSpec, *, told: Callable[[AgentSpec], str], thinking: bool = False) -> GraphSpec | None:
    """Return a graph of one agent that does the whole row, or None for a graph without agents.

    Steps that need the row alone come before it and last steps behind it, as they are. It is told the flow
    between them, and shown every field of the row and every block of context that the agents are shown. Its model is
    the strongest of theirs (`models.STRONGEST_FIRST`). Its stand-in rehearses the fan-out.

    Args:
        spec: The fan-out.
        told: Gives what an agent is told: its instructions and its examples.
        thinking: Whether it thinks, at the greatest effort of the agents and `high` at least.
    """
    agents = [node.target.spec for node in spec.tasks() if node.target.spec is not None]
    if not agents:
        return None
    graph = cut(spec)
    row = list(_parts_read(spec, graph))
    shown = {passed.name: passed for passed in graph.shown}
    types = {part.name: part.type for part in row} | {name: passed.type for name, passed in shown.items()}
    places = {part.name: part.get for part in row} | {name: passed.get for name, passed in shown.items()}
    labels = {name: ".".join([spec.slots.get(get.slot, name), *(str(key) for _, key in get.path)])
              for name, get in places.items() if name in shown}  # fmt: skip
    agent = _agent(spec, graph, agents, types, _level(agents, thinking=thinking))
    agent = replace(agent, instructions=briefing(spec, graph, {get: name for name, get in places.items()}, told))
    slot = max(spec.slots) + 1
    node = TaskNode(
        slot=slot,
        path="baseline",
        place=spec.place,
        target=SingleAgent(_stand_in(spec, graph, row), agent),
        args=places,
        blocks={name: name for name, tp in types.items() if ty.is_block(tp)},
        labels={name: labels.get(name, name) for name in types},
    )
    return replace(
        spec,
        name=f"{spec.name} by one agent",
        template=_template(spec, graph, node),
        slots={**spec.slots, slot: "baseline"},
    )


def _template(spec: GraphSpec, graph: Cut, node: TaskNode) -> Template:
    """Return the steps before an agent, the agent, and the steps behind it, which read its answer."""
    if not graph.answer:
        return Template((*graph.early, node), Get(node.slot))
    is_single = len(graph.answer) == 1
    answers = {
        part.get: Get(node.slot) if is_single else Get(node.slot, (("field", part.name),)) for part in graph.answer
    }
    late = redirected(graph.late, answers)
    return Template((*graph.early, node, *late), redirect(spec.template.output, answers))


def _stand_in(spec: GraphSpec, graph: Cut, row: Sequence[_RowPart]) -> Callable[..., Any]:
    """Return what answers offline: the fan-out's own stand-ins, on what the single agent is shown."""
    first = max(spec.slots) + 1
    slots = {passed.name: first + number for number, passed in enumerate(graph.shown)}
    early = {passed.get: Get(slots[passed.name]) for passed in graph.shown}
    output = spec.template.output
    if graph.answer:
        gets_ = tuple(passed.get for passed in graph.answer)
        output = gets_[0] if len(gets_) == 1 else Make("dict", gets_, tuple(passed.name for passed in graph.answer))
    template = Template(redirected(graph.middle, early), redirect(output, early))
    rehearsed = replace(spec, template=template, params={**spec.params, **slots})

    def body(**values: Any) -> Any:
        return rehearse(rehearsed, {**_arguments(spec, row, values), **{name: values[name] for name in slots}})

    return body


def _level(agents: Sequence[AgentSpec], *, thinking: bool) -> tuple[str, AgentSpec, Intensity]:
    """Return the model of a single agent, the agent of whose intents it takes, and how hard it works."""
    model = strongest([agent.model for agent in agents])
    hardest = max(agents, key=lambda agent: agent.intensity.allowance)
    intents: list[tuple[bool | None, EffortIntent | None, Origins]] = [
        (hardest.thinking, hardest.effort, hardest.origins),
        (None, None, DEFAULTS),
    ]
    if thinking:
        level = hardest.effort if hardest.effort in ("xhigh", "max") else "high"
        intents.insert(0, (True, level, DEFAULTS.by_call("derived", "auto:thinking", thinking=True, effort=level)))
    for thinks, effort, origins in intents:
        try:
            how_hard = intensity(model, thinks, effort)
            return model, replace(hardest, thinking=thinks, effort=effort, origins=origins), how_hard
        except ValueError:
            continue
    raise AssertionError(f"{model} takes no intensity at all")


def _agent(
    spec: GraphSpec,
    graph: Cut,
    agents: Sequence[AgentSpec],
    params: Mapping[str, Any],
    level: tuple[str, AgentSpec, Intensity],
) -> AgentSpec:
    """Return the settings of one agent that does the work of several, instructions left out."""
    unique = list({agent.name: agent for agent in agents}.values())
    context: dict[str, Block] = {block.sha: block for agent in unique for block in agent.context}
    model, hardest, how_hard = level
    slowest = max(unique, key=lambda agent: agent.time_limit_s)
    return AgentSpec(
        name="baseline",
        tiers=(model,),
        instructions="",
        context=tuple(context.values()),
        max_tokens=min(max(2 * _longest(spec, graph), LEAST_CAP), facts(model).max_output - how_hard.allowance),
        effort=hardest.effort,
        thinking=hardest.thinking,
        intensity=how_hard,
        time_limit_s=slowest.time_limit_s,
        params=params,
        output=graph.answer_type,
        schema=schema(graph.answer_type),
        place=spec.place,
        tools=tuple({tool.name: tool for agent in unique for tool in agent.tools}.values()),
        max_turns=sum(agent.max_turns for agent in unique),
        reuse=None if all(agent.reuse is None for agent in unique) else all(agent.reuses for agent in unique),
        origins=replace(
            hardest.origins,
            max_tokens=Origin("derived", "from the agents'"),
            time_limit_s=slowest.origins.time_limit_s,
            max_turns=Origin("derived", "from the agents'"),
            reuse=Origin("derived", "from the agents'"),
        ),
    )


def _longest(spec: GraphSpec, graph: Cut) -> int:
    """Return the tokens that the fan-out's agents may answer with where their answers are the single agent's."""
    output = [passed.get for passed in graph.answer] or list(gets(spec.template.output))
    answer_slots = {get.slot for get in output}
    nodes = [node for node in graph.middle if node.slot in answer_slots]
    return sum(_most_tokens(node) for node in nodes) or sum(_most_tokens(node) for node in graph.middle)


def _most_tokens(node: Node) -> int:
    if isinstance(node, TaskNode):
        return node.target.spec.max_tokens if node.target.spec is not None else 0
    inside = sum(_most_tokens(inner) for part in parts(node) for inner in part.nodes)
    return inside * (node.most or ITEMS) if isinstance(node, EachNode) else inside


def has_one_agent(spec: GraphSpec) -> bool:
    """Return whether a graph is its own single agent: at most one call of an agent for each row.

    Steps do not count. Under `each` a row has as many calls as its list has items, and where inputs are packed rows
    share a call: one agent that does the whole row is another one then.
    """
    nodes = list(walk(spec.template))
    repeated = [inner for node in nodes if isinstance(node, EachNode) for inner in walk(node.body)]
    calls = [(node, node.target.spec) for node in nodes if isinstance(node, TaskNode)]
    agents = [(node, agent) for node, agent in calls if agent is not None]
    return len(agents) == 1 and agents[0][0] not in repeated and not agents[0][1].packs


def output_problems(spec: GraphSpec) -> list[tuple[str, str]]:
    """Return why the graph's output cannot be asked of one agent: pairs of message and hint."""
    return problems(cut(spec).answer_type)


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


def _parts_read(spec: GraphSpec, graph: Cut) -> Iterator[_RowPart]:
    """Yield the parts of the row that the agent has to be shown, in the row's order."""
    fields_read: dict[int, set[str]] = {slot: set() for slot in spec.params.values()}
    read_as_a_whole: set[int] = set()
    exprs = asked(graph.middle, graph.answer, spec)
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


def _arguments(spec: GraphSpec, parts_shown: Sequence[_RowPart], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as far as the single agent was shown it, for the rehearsal."""
    arguments: dict[str, Any] = dict.fromkeys(spec.params)
    records: dict[str, dict[str, Any]] = {}
    for part in parts_shown:
        if part.field is None:
            arguments[part.param] = values.get(part.param)
        elif part.name in values:
            records.setdefault(part.param, {})[part.field] = values[part.name]
    return arguments | {param: _as_record(spec.param_types[param], fields) for param, fields in records.items()}


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
