"""The tree of prefixes that rows share: tokens, who shares them, writes, reads and what that comes to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fanwise.blocks import Block
from fanwise.canonical import digest, dumps
from fanwise.context.tail import fence
from fanwise.engine.plan import NodePlan, SidePlan
from fanwise.errors import UnknownPriceError
from fanwise.journal.records import Side
from fanwise.models import facts
from fanwise.pricing.rates import rates
from fanwise.units import now


@dataclass(slots=True)
class PrefixNode:
    """Blocks behind those of the node above, with a breakpoint behind them."""

    blocks: tuple[str, ...]
    key: str
    """Hash of what they hold."""
    tokens: int
    """Of these blocks."""
    model: str
    agents: list[str] = field(default_factory=list[str])
    calls: int = 0
    """Requests of all rows that begin with it."""
    inner: list[PrefixNode] = field(default_factory=list["PrefixNode"])

    def dollars(self) -> tuple[int, int] | None:
        """Return what its tokens cost written once and read after, and what they would cost plain.

        Picodollars at the live price; None where no price is known.
        """
        try:
            rate = rates(self.model, now())
        except UnknownPriceError:
            return None
        reads = max(self.calls - 1, 0)
        return self.tokens * (rate.write_5m + rate.read * reads), self.tokens * rate.input * self.calls


def prefix_tree(plan: SidePlan, calls: Mapping[tuple[Side, str], int]) -> list[PrefixNode]:
    """Return the prefixes of a side, those that stand first at the top.

    Args:
        plan: The side.
        calls: Requests by side and agent.
    """
    roots: list[PrefixNode] = []
    told: set[tuple[int, str]] = set()
    for node in plan.nodes.values():
        if node.spec is None or node.shape is None or node.need is None:
            continue
        count = calls.get((plan.side, node.spec.name), 0)
        here = roots
        for names, texts in _levels(node):
            key = digest(dumps([node.spec.model, *texts]))
            found = next((one for one in here if one.key == key), None)
            if found is None:
                found = PrefixNode(
                    names, key, sum(node.need.sizes.tokens(text, node.spec.model) for text in texts), node.spec.model
                )
                here.append(found)
            if (id(found), node.spec.name) not in told:  # a repeated call of an agent is counted with it
                told.add((id(found), node.spec.name))
                found.agents.append(node.spec.name)
                found.calls += count
            here = found.inner
    return [one for one in roots if one.calls]


def _levels(node: NodePlan) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return names and texts of the marked levels of a node's `system`; a schema stands in front of the first."""
    assert node.spec is not None and node.shape is not None and node.need is not None
    shape, spec = node.shape, node.spec
    found = [(_names(bundle), _texts(bundle)) for bundle in shape.bundles]
    if shape.own_marked:
        names = (*_names(shape.own), f"instructions of {spec.name}")
        found.append((names, (*_texts(shape.own), spec.instructions)))
    if found and shape.format is not None:
        names, texts = found[0]
        word = "envelope of schemas" if shape.way == "envelope" else "schema"
        found[0] = ((word, *names), (dumps(dict(shape.format)), *texts))
    tokens = sum(node.need.sizes.tokens(text, spec.model) for _, texts in found for text in texts)
    return found if tokens >= facts(spec.model).cache_minimum else []


def _names(blocks: Sequence[Block]) -> tuple[str, ...]:
    return tuple(block.name for block in blocks)


def _texts(blocks: Sequence[Block]) -> tuple[str, ...]:
    return tuple(fence(block.name, block.text) for block in blocks)
