"""What is decided before the first row: the arms of a run, their roles and nodes, the fixed part of every key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

from fanwise.canonical import canonical, digest
from fanwise.context.compose import Composer
from fanwise.context.layout import Schemas, Texts, layout
from fanwise.context.shape import CachePrices, Need
from fanwise.context.sizes import DOCUMENTED, Sizes
from fanwise.context.tags import clashing
from fanwise.definitions import settled
from fanwise.dispatch.errand import Errand
from fanwise.dispatch.role import Role
from fanwise.errors import UnknownPriceError
from fanwise.graph.expr import Expr, Get
from fanwise.graph.nodes import EachNode, GraphSpec, TaskNode, Template, parts
from fanwise.graph.packs import pack_schema
from fanwise.graph.schema import as_object_schema
from fanwise.graph.spec import AgentSpec
from fanwise.graph.state import RowState
from fanwise.graph.types import is_record, is_text
from fanwise.graph.waiting import tasks_awaited
from fanwise.journal.records import ArmName
from fanwise.pricing.rates import rates

from .instructed import told_in_envelope, told_in_request
from .nodes import AgentNode, StepNode
from .rows import Row
from .toolbox import NO_SERVERS, Kit, Toolbox

PRICES_OF = datetime(2026, 11, 23, tzinfo=UTC)
"""The day whose prices layouts are made by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One of the graphs that carry out the same rows: the fan-out, the baseline, or another."""

    name: ArmName
    graph: GraphSpec
    nodes: Mapping[str, AgentNode | StepNode]
    """By path."""
    awaited: Mapping[str, frozenset[str]]
    """By path of a task what it waits for, by path."""

    def agents(self) -> tuple[AgentNode, ...]:
        """Return the nodes at which agents are asked, in the order of the graph."""
        return tuple(node for node in self.nodes.values() if isinstance(node, AgentNode))

    def roles(self) -> tuple[Role, ...]:
        """Return the roles of its agents, in the order of the graph."""
        return tuple(dict.fromkeys(node.role for node in self.agents()))


def build_arms(
    graphs: Mapping[ArmName, GraphSpec],
    schemas: Schemas = "auto",
    sizes: Sizes = DOCUMENTED,
    toolbox: Toolbox = NO_SERVERS,
    repeated: Collection[str] = (),
    texts: Texts = "auto",
    *,
    reuse: bool = True,
) -> dict[ArmName, Arm]:
    """Return the arms of a run; none reads what another has written to the cache.

    Args:
        graphs: The graph of each arm.
        schemas: How schemas travel.
        sizes: How many tokens texts have.
        toolbox: What is known of the tools of MCP servers.
        repeated: Blocks of the row that many rows show, see `repeated_blocks`.
        texts: Whether texts are answered in plain text.
        reuse: Whether equal tasks are served by one request, where their agent allows that.

    Raises:
        UsageError: The tools of an agent are not known here, or two have one name.
    """
    ways = _Making(
        schemas=schemas,
        texts=texts,
        sizes=sizes,
        toolbox=toolbox,
        ambiguous=_ambiguous(graphs.values()),
        repeated=frozenset(repeated),
        places=_places(graphs),
        reuse=reuse,
    )
    return {name: _arm(name, graph, ways) for name, graph in graphs.items()}


def _places(arms: Iterable[ArmName]) -> dict[ArmName, int]:
    """Return the places of arms in their run: the fan-out's is 0, whether it is among them or not."""
    return {"fanout": 0} | {name: place for place, name in enumerate((arm for arm in arms if arm != "fanout"), 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """What decides how the requests of all arms are made, beside their graphs."""

    schemas: Schemas
    texts: Texts
    sizes: Sizes
    toolbox: Toolbox
    ambiguous: frozenset[Signature]
    repeated: frozenset[str]
    places: Mapping[ArmName, int]
    """Of the arms of the run."""
    reuse: bool
    """Whether equal tasks are served together."""


class Signature(NamedTuple):
    """What tells in a request which agent is asked: no other agent is sent the same."""

    model: str
    instructions: str
    """With the examples."""
    params: frozenset[str]
    """Names of its parameters."""

    @classmethod
    def of(cls, agent: AgentSpec, instructions: str) -> Signature:
        """Return the signature of an agent that is told these instructions."""
        return cls(agent.model, instructions, frozenset(agent.params))


def _ambiguous(graphs: Iterable[GraphSpec]) -> frozenset[Signature]:
    """Return the signatures that agents of different names have: their requests have to say the name."""
    names: dict[Signature, set[str]] = {}
    for agent in (node.target.spec for graph in graphs for node in graph.tasks()):
        if agent is not None:
            names.setdefault(Signature.of(agent, told_in_request(agent)), set()).add(agent.name)
    return frozenset(signature for signature, same in names.items() if len(same) > 1)


def statics(arms: Mapping[ArmName, Arm]) -> dict[str, str]:
    """Return the hash of what shapes the answers of every node, by arm and path: a run keeps it to see edits."""
    return {f"{name} {path}": node.static for name, arm in arms.items() for path, node in arm.nodes.items()}


def _arm(name: ArmName, graph: GraphSpec, ways: _Making) -> Arm:
    tasks = graph.tasks()
    kits = {agent.name: ways.toolbox.kit(agent) for node in tasks if (agent := node.target.spec) is not None}
    inside_each = _inside_each(graph.template, False)
    needs = {
        node.path: _need(
            name,
            node,
            agent,
            kits[agent.name],
            ways,
            repeated=inside_each[node.path],
            again=_again(graph, node, ways.repeated),
        )
        for node in tasks
        if (agent := node.target.spec) is not None
    }
    shapes = layout(needs, _cache_prices, ways.schemas, ways.texts)
    clashes = clashing((node.args, node.blocks) for node in tasks)
    roles: dict[str, Role] = {}
    nodes: dict[str, AgentNode | StepNode] = {}
    for node in tasks:
        agent = node.target.spec
        if agent is None:
            nodes[node.path] = _step(node)
            continue
        need, shape = needs[node.path], shapes[node.path]
        if agent.name not in roles:
            roles[agent.name] = _role(name, agent, need, kits[agent.name])
        nodes[node.path] = AgentNode(
            node=node,
            spec=agent,
            role=roles[agent.name],
            need=need,
            shape=shape,
            composer=Composer(need, shape, node.blocks, clashes),
            static=digest(canonical(["agent", node.path, *_shaping(agent, need)])),
            shared=digest(canonical(["work", *_shaping(agent, need)])) if ways.reuse and agent.reuses else "",
        )
    return Arm(name=name, graph=graph, nodes=nodes, awaited=tasks_awaited(graph))


def _need(
    name: ArmName,
    node: TaskNode,
    agent: AgentSpec,
    kit: Kit,
    ways: _Making,
    *,
    repeated: bool,
    again: frozenset[str],
) -> Need:
    instructions = told_in_request(agent)
    return Need(
        agent=agent.name,
        model=agent.model,
        intensity=agent.intensity,
        instructions=instructions,
        enclosed_instructions=told_in_envelope(agent) if agent.examples else "",
        context=agent.context,
        **_answer_schemas(agent),
        row_blocks=tuple(dict.fromkeys(node.blocks.values())),
        repeated=repeated,
        tools=kit.text,
        sizes=ways.sizes,
        chars_per_token=ways.sizes.per_token(agent.model),
        arm_index=ways.places[name],
        again=again,
        named=Signature.of(agent, instructions) in ways.ambiguous,
    )


class _AnswerSchemas(TypedDict):
    """Of what an agent answers, as `Need` has them."""

    schema: Mapping[str, Any] | None
    value_schema: Mapping[str, Any] | None
    defined_schema: Mapping[str, Any]


def _answer_schemas(agent: AgentSpec) -> _AnswerSchemas:
    if agent.packs:
        whole = pack_schema(agent.schema, agent.most_inputs)
        return _AnswerSchemas(schema=settled(whole), value_schema=None, defined_schema=whole)
    return _AnswerSchemas(
        schema=None if is_text(agent.output) else as_object_schema(agent.output, agent.schema),
        value_schema=None if is_record(agent.output) else settled(agent.schema),
        defined_schema=agent.schema,
    )


def _again(graph: GraphSpec, node: TaskNode, repeated: Collection[str]) -> frozenset[str]:
    """Return the names of the blocks of a node that are fields of the row which many rows show."""
    params = {slot: param for param, slot in graph.params.items()}

    def place(expr: Expr) -> str:
        if not isinstance(expr, Get) or expr.slot not in params:
            return ""
        return ".".join([params[expr.slot], *(str(key) for _, key in expr.path)])

    return frozenset(name for param, name in node.blocks.items() if place(node.args[param]) in repeated)


def _role(name: ArmName, agent: AgentSpec, need: Need, kit: Kit) -> Role:
    return Role(
        arm=name,
        agent=agent.name,
        model=agent.model,
        hash=digest(canonical(_shaping(agent, need))),
        time_limit_s=agent.time_limit_s,
        tools=kit.tools,
        tool_limits_s=kit.limits_s,
    )


def _step(node: TaskNode) -> StepNode:
    source = str(getattr(node.target, "source", ""))
    return StepNode(node, digest(canonical(["step", node.path, source])), getattr(node.target, "output", None))


@lru_cache(maxsize=256)
def _cache_prices(model: str) -> CachePrices:
    """Return the prices of a model's cache by the day on which the project read them.

    Not today's: a price that changes must not change the bytes of a run that goes on.
    """
    try:
        rate = rates(model, PRICES_OF)
    except UnknownPriceError:
        return CachePrices()
    return CachePrices(rate.write_5m / rate.input, rate.read / rate.input)


def _inside_each(template: Template, inside: bool) -> dict[str, bool]:
    """Return by path whether a row may have several tasks of a node."""
    repeated: dict[str, bool] = {}
    for node in template.nodes:
        if isinstance(node, TaskNode):
            repeated[node.path] = inside
        for part in parts(node):
            repeated |= _inside_each(part, inside or isinstance(node, EachNode))
    return repeated


def _shaping(agent: AgentSpec, need: Need) -> list[Any]:
    """Return what an agent's answers depend on; not layout, channel or `max_tokens`, which may change.

    Nor whether a text is answered as it is: what is asked is the same, and what was paid for it stays. Whether
    inputs are packed is among it, how many is not.
    """
    return [
        agent.name, agent.model, agent.instructions, [block.sha for block in need.context],
        as_object_schema(agent.output, agent.schema),
        agent.intensity.thinking, agent.intensity.effort, *([need.tools] if need.tools else []),
        *([[example.content for example in agent.examples]] if agent.examples else []),
        *(["packs"] if agent.packs else []),
    ]  # fmt: skip


def all_roles(arms: Iterable[Arm]) -> list[Role]:
    """Return the roles of all arms."""
    return [role for arm in arms for role in arm.roles()]


def node_of(arms: Mapping[ArmName, Arm], errand: Errand) -> AgentNode | None:
    """Return the node of an errand; None where it is gone since an earlier session."""
    arm = arms.get(errand.role.arm)
    nodes = () if arm is None else (arm.nodes.get(ask.node) for ask in errand.served)
    return next((node for node in nodes if isinstance(node, AgentNode)), None)


def row_state(arm: Arm, row: Row) -> RowState:
    """Return the state of a row on one arm, before its first task."""
    arguments = zip(arm.graph.params.values(), row.arguments.values(), strict=True)
    return RowState(arm.graph.template, dict(arguments))
