"""What the tokens are made of: instructions, context, data of the row, outputs of other tasks, answers.

Input tokens of an attempt are allotted to what it was sent by its characters, which were noted when
it was composed. So the parts of an attempt sum to its tokens, and what travels along an edge of the
graph is the part of the parameters that the edge fills; one that several tasks fill is split evenly.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fanwise.journal.meta import TASKS
from fanwise.journal.records import ArmName, Channel
from fanwise.pricing.cost import tokens_cost
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

KINDS = ("instructions", "context", "row", "upstream", "conversation", "outputs")
"""`instructions` with schemas and tools, shared `context`, data of the `row`, `upstream` outputs of other
tasks, `conversation` with tools and refusals of answers, and what was answered."""
_ASKS = """SELECT arm, node, model, channel, sizes, chars/asks, SUM(prompt), SUM(output), MAX(sent)
  FROM served WHERE status='succeeded' {more} GROUP BY arm, node, model, channel, sizes, chars/asks"""

Parts = dict[str, float]
"""Tokens by kind."""


@dataclass(slots=True)
class Flow:
    """What travelled along one edge of the graph."""

    tokens: float = 0.0
    cost: float = 0.0
    """Picodollars, as input that is neither written to the cache nor read from it."""
    priced: bool = True
    """Whether the price of all of it is known."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What the tokens of all answered requests of rows are made of."""

    arms: dict[ArmName, Parts] = field(default_factory=dict["ArmName", Parts])
    nodes: dict[tuple[ArmName, str], Parts] = field(default_factory=dict[tuple["ArmName", str], Parts])
    """By arm and task."""
    edges: dict[tuple[ArmName, str, str], Flow] = field(default_factory=dict[tuple["ArmName", str, str], Flow])
    """By arm, source and target."""


def tasks(db: sqlite3.Connection) -> dict[ArmName, dict[str, Any]]:
    """Return the tasks of both sides and what travels between them, as they were noted by the run."""
    return TASKS.of(db)


def composition(db: sqlite3.Connection, row: int | None = None) -> Composition:
    """Return what the tokens of a run are made of.

    Args:
        db: The journal.
        row: Number of a row; None: all rows.
    """
    known, found = tasks(db), Composition()
    query, args = (_ASKS.format(more=""), ()) if row is None else (_ASKS.format(more="AND row=?"), (row,))
    for arm, node, model, channel, sizes, chars, prompt, output, sent in db.execute(query, args):
        told = known.get(arm, {}).get("nodes", {}).get(node)
        if told is None or "params" not in told or (told["params"] and not sizes):
            continue  # of a graph that was changed since, or noted by an earlier version
        parts, flows = _attempt(told, sizes, max(chars, 1), prompt)
        parts["outputs"] = output
        for sums in (found.arms.setdefault(arm, _none()), found.nodes.setdefault((arm, node), _none())):
            for kind, tokens in parts.items():
                sums[kind] += tokens
        price = _input_price(model, channel, int(sent // 86_400))
        for source, tokens in flows.items():
            flow = found.edges.setdefault((arm, source, node), Flow())
            flow.tokens += tokens
            flow.cost += tokens * (price or 0)
            flow.priced = flow.priced and price is not None
    return found


def _none() -> Parts:
    return dict.fromkeys(KINDS, 0.0)


def _attempt(told: Mapping[str, Any], sizes: str, chars: int, prompt: int) -> tuple[Parts, dict[str, float]]:
    """Return the input tokens of an attempt by kind, and by where they came from."""
    parts, flows = dict[str, float](), defaultdict[str, float](float)
    own = min(told["instructions"] + told["context"], chars)
    parts["instructions"] = min(told["instructions"], own)
    parts["context"] = own - parts["instructions"]
    parts["row"] = parts["upstream"] = 0.0
    for sources, size in zip(told["params"].values(), _sizes(sizes), strict=False):
        for source in sources or ("",):
            share = size / max(len(sources), 1)
            parts["row" if not source or source.startswith("row ") else "upstream"] += share
            if source:
                flows[source] += share
    left = chars - own - parts["row"] - parts["upstream"]
    parts["conversation"] = max(left, 0.0)
    whole = sum(parts.values())
    return (
        {kind: prompt * one / whole for kind, one in parts.items()},
        {source: prompt * one / whole for source, one in flows.items()},
    )


def _sizes(text: str) -> Iterator[int]:
    return map(int, text.split(",")) if text else iter(())


@lru_cache(maxsize=1024)
def _input_price(model: str, channel: Channel, day: int) -> int | None:
    """Return picodollars of a plain input token; None where no price is known."""
    rate = known_rates(model, moment(day * 86_400))
    return None if rate is None else tokens_cost(Usage(input=1), rate, batch=channel == "batch")


def data(found: Composition) -> dict[str, dict[str, int]]:
    """Return whole tokens by arm and kind, as JSON-ready data."""
    return {
        arm: {kind: round(found.arms[arm][kind]) for kind in KINDS}
        for arm in ("fanout", "baseline")
        if arm in found.arms
    }
