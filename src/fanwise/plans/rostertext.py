"""What a coordinator is shown, as one block that all of its requests share: never the content of a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from fanwise.blocks import Block
from fanwise.graph import types as ty
from fanwise.graph.agent import Agent
from fanwise.units import usd_text

from .limits import PlanLimits
from .offer import ROW, Offer

MOST_DESCRIPTION = 200
"""Characters of what an agent is for, in its line."""


def roster_block(goal: str, offer: Offer, prices: Mapping[str, str], sizes: Mapping[str, str]) -> Block:
    """Return the block: the goal, agents as signatures, types, fields of a row, blocks, limits.

    Args:
        goal: What is to be done with each row.
        offer: What a plan may name.
        prices: By agent what a call of it costs, in words.
        sizes: By field of a row how long its values are, in words.
    """
    agents = offer.by_name()
    lines = {
        "Goal": [goal.strip()],
        "Agents": [*_agents(agents, offer, prices)],
        "Types": [*_types(_records(offer, agents))],
        "The row": [*_row(offer, sizes)],
        "Blocks": [*_blocks(offer)],
        "Limits": [*_limits(offer.limits)],
        "The output": [] if offer.output is ty.Unknown else [f"`returns` must be {ty.name(offer.output)}."],
    }
    parts = [f"# {title}\n\n" + "\n".join(texts) for title, texts in lines.items() if texts]
    return Block("roster", "\n\n".join(parts))


def _agents(agents: Mapping[str, Agent[..., Any]], offer: Offer, prices: Mapping[str, str]) -> Iterator[str]:
    """Yield a signature for each agent, and in a line what it is for and costs."""
    for name, agent in agents.items():
        needs = offer.needs(agent)
        params = ", ".join(
            f"{param}: {ty.name(tp)}{'' if param in needs else ' (may be left out)'}"
            for param, tp in agent.spec.params.items()
        )
        yield f"- {name}({params}) -> {ty.name(agent.spec.output)}"
        yield f"  {in_one_line(agent.spec.description or agent.spec.instructions)}"
        price = prices.get(name, "its price is not known")
        yield f"  {agent.spec.model}, {price}, at most {agent.spec.max_tokens:,} tokens an answer"


def in_one_line(description: str) -> str:
    """Return what an agent is for, cut off where it is long."""
    line = " ".join(description.split())
    return line if len(line) <= MOST_DESCRIPTION else f"{line[: MOST_DESCRIPTION - 3]}..."


def _records(offer: Offer, agents: Mapping[str, Agent[..., Any]]) -> dict[str, Any]:
    """Return the records that are named, and those inside of them, by name."""
    waiting = [tp for agent in agents.values() for tp in (*agent.spec.params.values(), agent.spec.output)]
    waiting += [offer.row, offer.output]
    records: dict[str, Any] = {}
    while waiting:
        tp = ty.strip(waiting.pop(0))
        fields = None if tp is ty.Unknown else ty.fields(tp)
        if fields is None:
            waiting += [inner for inner in get_args(tp) if not isinstance(inner, (str, int, float, bool, bytes))]
        elif ty.name(tp) not in records:
            records[ty.name(tp)] = tp
            waiting += fields.values()
    return records


def _types(records: Mapping[str, Any]) -> Iterator[str]:
    for title, tp in records.items():
        fields = ty.fields(tp) or {}
        yield f"- {title}: {', '.join(f'{field}: {ty.name(inner)}' for field, inner in fields.items())}"


def _row(offer: Offer, sizes: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each field of a row."""
    yield f"{ROW} is {ty.name(offer.row)}."
    for field, tp in (ty.fields(offer.row) or {}).items():
        yield f"- {ROW}.{field}: {ty.name(tp)}{f', {sizes[field]}' if field in sizes else ''}"


def _blocks(offer: Offer) -> Iterator[str]:
    for name, block in offer.blocks.items():
        yield f"- block:{name}, {len(block.text):,} characters"


def _limits(limits: PlanLimits) -> Iterator[str]:
    """Yield what a plan may come to."""
    words = {
        "tasks": limits.tasks, "items that a task with `over` may run for (`most` must be given)": limits.width,
        "tasks that wait for each other in a chain": limits.depth, "requests a row at worst": limits.calls,
    }  # fmt: skip
    yield from (f"- at most {count:,} {what}" for what, count in words.items() if count is not None)
    if limits.pico is not None:
        yield f"- at most ${usd_text(limits.pico)} a row at worst"
