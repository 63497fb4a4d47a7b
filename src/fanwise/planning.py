"""What a job will cost, before a cent is spent: some rows carried out by stand-ins, and scaled.

The rows are drawn from the whole file and run on an embedded emulator, once for each channel, with
the single agent beside them. Calls, prompts and caches are then those of the job; the outputs are
those of the stand-ins, so the expected dollars are as good as they are. The worst case is an upper
bound: every byte a token, at the dearest way it may be billed, and every answer as long as allowed.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from fanwise.canonical import dumps
from fanwise.engine.directory import RunDirectory, reading
from fanwise.engine.load import load_graph
from fanwise.engine.rows import Row, RowTypes, format_of, read
from fanwise.errors import DefinitionError, UsageError
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.records import Channel, Side
from fanwise.ledger.account import AgentAccount, SharedWrites, agents, reserved, shared_writes
from fanwise.options import Options, Watcher
from fanwise.pricing.usage import Usage
from fanwise.session import Session
from fanwise.sides import sides_of
from fanwise.units import new_run_id

CHANNELS: tuple[Channel, ...] = ("live", "batch")


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """What one agent will do in a job, in one channel."""

    channel: Channel
    side: Side
    agent: str
    model: str
    calls: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class SidePrice:
    """What one side of a job will cost, in one channel; picodollars."""

    channel: Channel
    side: Side
    expected: int
    worst: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job will cost."""

    rows: int
    """Valid rows of the file."""
    rejected: int
    sampled: int
    """Rows that were carried out by stand-ins."""
    agents: tuple[AgentPlan, ...]
    prices: tuple[SidePrice, ...]


@dataclass(frozen=True, slots=True)
class _Drawn:
    rows: list[dict[str, Any]]
    valid: int
    rejected: int


def plan(graph: str, rows: str, *, form: str | None = None, sample: int = 20, id_field: str | None = None) -> Plan:
    """Return what a job will cost; nothing is sent anywhere.

    Args:
        graph: Reference of the graph.
        rows: The rows file.
        form: Its format, where the name does not say it.
        sample: Rows to carry out, drawn at random with a fixed seed.
        id_field: Field with the row's id.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    sides = _sides(load_graph(graph))
    drawn = _draw(Path(rows), form, sides["fanout"], sample, id_field)
    if not drawn.rows:
        raise UsageError(f"no row of {rows} is valid: {drawn.rejected} were set aside")
    found: list[AgentPlan] = []
    prices: list[SidePrice] = []
    scale = drawn.valid / len(drawn.rows)
    for channel in CHANNELS:
        with tempfile.TemporaryDirectory(prefix="fanwise-plan-") as folder:
            path = Path(folder) / "rows.jsonl"
            path.write_text("".join(dumps(row) + "\n" for row in drawn.rows), encoding="utf-8")
            options = Options(channel=channel, id_field=id_field)
            anyio.run(_simulate, sides, options, path, Path(folder) / "run", graph)
            with reading(Path(folder) / "run") as journal:
                some, shared = agents(journal.db), shared_writes(journal.db)
                found += [_agent(one, shared, channel, scale) for one in some]
                prices += _prices(some, shared, reserved(journal.db), channel, scale)
    return Plan(drawn.valid, drawn.rejected, len(drawn.rows), tuple(found), tuple(prices))


def _sides(graph: Graph[..., Any]) -> dict[Side, GraphSpec]:
    try:
        return sides_of(graph, "auto")
    except DefinitionError:  # its output is none that one agent could give
        return sides_of(graph, "none")


def _draw(path: Path, form: str | None, spec: GraphSpec, count: int, id_field: str | None) -> _Drawn:
    """Draw valid rows from the whole file; memory does not grow with their number."""
    types, chance = RowTypes(spec.param_types, id_field), random.Random(0)
    drawn, valid, rejected = list[dict[str, Any]](), 0, 0
    for record in read(path, format_of(path, form)):
        if not isinstance(types.check(record), Row) or record.data is None:
            rejected += 1
            continue
        valid += 1
        data = json.loads(json.dumps(dict(record.data), default=str))
        if len(drawn) < count:
            drawn.append(data)
        elif (place := chance.randrange(valid)) < count:
            drawn[place] = data
    return _Drawn(drawn, valid, rejected)


async def _simulate(sides: dict[Side, GraphSpec], options: Options, rows: Path, out: Path, graph: str) -> None:
    meta = {"run_id": new_run_id(), "graph": graph, "rows": str(rows), "format": "jsonl", "mode": "embedded"}
    with RunDirectory(out, create=True) as directory:
        await Session(directory, sides, options, Watcher()).run(meta)


def _agent(one: AgentAccount, shared: SharedWrites, channel: Channel, scale: float) -> AgentPlan:
    """Scale calls and tokens; what rows write together is written once, however many there are."""
    once = shared.tokens.get((one.side, one.agent), 0)
    scaled = Usage(*(round(getattr(one.usage, name) * scale) for name in Usage.__dataclass_fields__))
    usage = replace(
        scaled,
        cache_write_5m=round((one.usage.cache_write_5m - once) * scale) + once,
        cache_read=round((one.usage.cache_read + once) * scale) - once,
    )
    return AgentPlan(channel, one.side, one.agent, one.model, round(one.attempts * scale), usage)


def _prices(
    some: Sequence[AgentAccount], shared: SharedWrites, bounds: Mapping[Side, int], channel: Channel, scale: float
) -> list[SidePrice]:
    costs: dict[Side, int] = {}
    for one in some:
        costs[one.side] = costs.get(one.side, 0) + one.cost
    found: list[SidePrice] = []
    for side, cost in costs.items():
        once = shared.total.get(side, 0)
        expected = round((cost - once) * scale) + once
        found.append(SidePrice(channel, side, expected, round(bounds.get(side, 0) * scale)))
    return found
