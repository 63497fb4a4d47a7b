"""What is decided before the first row: per node its need, its shape and the fixed part of its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fanwise.api.tools import SdkTool
from fanwise.blocks import Block
from fanwise.canonical import canonical, digest, dumps
from fanwise.context.compose import Composer
from fanwise.context.envelope import unseal
from fanwise.context.layout import Schemas, layout
from fanwise.context.request import Request
from fanwise.context.shape import CachePrices, Need, Shape
from fanwise.context.sizes import DOCUMENTED, Sizes
from fanwise.context.tail import record, shown
from fanwise.errors import UnknownPriceError
from fanwise.graph.nodes import EachNode, GraphSpec, TaskNode, Template, parts
from fanwise.graph.spec import AgentSpec
from fanwise.graph.state import RowState, Task
from fanwise.graph.wire import decode
from fanwise.journal.records import ArmName
from fanwise.models import facts
from fanwise.pricing.rates import rates

from .rows import Row
from .toolbox import NO_SERVERS, Toolbox

PRICES_OF = datetime(2026, 11, 23, tzinfo=UTC)
"""The day whose prices layouts are made by."""
NO_TOOLS: Mapping[str, SdkTool | None] = {}
BASELINE_BLOCK = Block("baseline", "One agent carries out the whole job for this row alone.")
"""First in every prefix of the baseline, so that neither arm reads the other's cache."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One task node of one arm."""

    node: TaskNode
    spec: AgentSpec | None
    """None for a step."""
    need: Need | None
    shape: Shape | None
    composer: Composer | None
    """Makes its requests."""
    static: str
    """Hash of all that shapes an answer, apart from row, item and values."""
    output: Any
    tools: Mapping[str, SdkTool | None]
    """The tools of its agent by name; None for one of a server that is not connected."""

    def request(
        self, task: Task, repair: str = "", factor: int = 1, turns: tuple[str, ...] = (), *, keep: bool = False
    ) -> Request:
        """Return the request of a task of this node; only for agents.

        Args:
            task: The task.
            repair: Why the answer before was refused.
            factor: How many times the agent's cap the answer may be long.
            turns: What followed the first message, as JSON.
            keep: Whether the conversation is expected to go on.
        """
        assert self.composer is not None
        return self.composer.request(task.values, self.cap(factor), repair, turns, keep=keep)

    def cap(self, factor: int) -> int:
        """Return the `max_tokens` of a request, as far as the model writes."""
        assert self.spec is not None
        first = self.spec.request_max_tokens
        if factor == 1:
            return first
        allowed = self.spec.max_tokens * factor + self.spec.intensity.allowance
        return max(min(allowed, facts(self.spec.model).max_output), first)

    def answer(self, text: str) -> Any:
        """Return the value that a reply's text means; only for agents.

        Raises:
            OutputError: It means none of the output type.
        """
        assert self.spec is not None and self.shape is not None
        return decode(self.output, unseal(self.spec.name, text) if self.shape.way == "envelope" else text)


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a comparison: the fan-out or the baseline."""

    arm: ArmName
    graph: GraphSpec
    nodes: Mapping[str, NodePlan]


def make_plans(
    arms: Mapping[ArmName, GraphSpec],
    schemas: Schemas = "auto",
    sizes: Sizes = DOCUMENTED,
    toolbox: Toolbox = NO_SERVERS,
) -> dict[ArmName, Arm]:
    """Return the plans of the arms; prefixes are never shared between arms.

    Args:
        arms: The graphs.
        schemas: How schemas travel.
        sizes: How many tokens texts have.
        toolbox: What is known of the tools of MCP servers.

    Raises:
        UsageError: The tools of an agent are not known here, or two have one name.
    """
    return {arm: _plan(arm, spec, schemas, sizes, toolbox) for arm, spec in arms.items()}


def statics(plans: Mapping[ArmName, Arm]) -> dict[str, str]:
    """Return the hash of what shapes the answers of every node, by arm and path: a run keeps it to see edits."""
    return {f"{arm} {path}": node.static for arm, plan in plans.items() for path, node in plan.nodes.items()}


def _plan(arm: ArmName, spec: GraphSpec, schemas: Schemas, sizes: Sizes, toolbox: Toolbox) -> Arm:
    repeated = _repeated(spec.template, False)
    kits = {agent.name: toolbox.kit(agent) for node in spec.tasks() if (agent := node.target.spec) is not None}
    needs = {
        node.path: Need(
            agent=agent.name,
            model=agent.model,
            intensity=agent.intensity,
            instructions=agent.instructions,
            context=(BASELINE_BLOCK, *agent.context) if arm == "baseline" else agent.context,
            schema=agent.schema,
            row_blocks=tuple(node.blocks.values()),
            repeated=repeated[node.path],
            tools=kits[agent.name].text,
            sizes=sizes,
            chars_per_token=sizes.per_token(agent.model),
            apart="baseline" if arm == "baseline" else "",
        )
        for node in spec.tasks()
        if (agent := node.target.spec) is not None
    }
    shapes = layout(needs, _cache_prices, schemas)
    nodes: dict[str, NodePlan] = {}
    for node in spec.tasks():
        agent = node.target.spec
        output = agent.output if agent is not None else getattr(node.target, "output", None)
        need, shape = needs.get(node.path), shapes.get(node.path)
        tools = kits[agent.name].tools if agent is not None else NO_TOOLS
        composer = Composer(need, shape, node.blocks) if need is not None and shape is not None else None
        nodes[node.path] = NodePlan(node, agent, need, shape, composer, _static(node, agent, need), output, tools)
    return Arm(arm, spec, nodes)


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


def _repeated(template: Template, inside: bool) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for node in template.nodes:
        if isinstance(node, TaskNode):
            found[node.path] = inside
        for part in parts(node):
            found |= _repeated(part, inside or isinstance(node, EachNode))
    return found


def _static(node: TaskNode, agent: AgentSpec | None, need: Need | None) -> str:
    """Hash what an answer depends on; not layout, channel or `max_tokens` (DESIGN, section 12)."""
    if agent is None or need is None:
        source = str(getattr(node.target, "source", ""))
        return digest(canonical(["step", node.path, source]))
    parts_ = [
        "agent", node.path, agent.name, agent.model, agent.instructions, [block.sha for block in need.context],
        dict(agent.schema), agent.intensity.thinking, agent.intensity.effort, *([need.tools] if need.tools else []),
    ]  # fmt: skip
    return digest(canonical(parts_))


def row_state(plan: Arm, row: Row) -> RowState:
    """Return the state of a row on one arm, before its first task."""
    arguments = zip(plan.graph.params.values(), row.arguments.values(), strict=True)
    return RowState(plan.graph.template, dict(arguments))


def task_key(row_id: str, arm: ArmName, plan: NodePlan, task: Task) -> str:
    """Return the content key of a task: equal keys have equal answers."""
    items = dumps([item.key for item in task.items]) if task.items else "[]"
    values = record(shown(task.values, {}))
    return digest(f'[{dumps(row_id)},"{arm}","{plan.static}",{items},{values}]')
