"""A plan as people and programs read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.rendering.terminal import agent_name
from fanwise.studies.plan.plan import Plan
from fanwise.studies.plan.prefixes import PrefixNode
from fanwise.units import usd, usd_text

HOW = {"counted": "counted by the API", "learnt": "learnt from usage", "documented": "by characters, as documented"}


def data(made: Plan) -> dict[str, Any]:
    """Return a plan as JSON-ready data, money as decimal strings of dollars."""
    return {
        "simulated": made.simulated,
        "paid_sample": made.paid,
        "rows": made.rows,
        "rejected": made.rejected,
        "sampled": made.sampled,
        "agents": [
            {name: part for name, part in dataclasses.asdict(one).items() if name != "cost"}
            | {"expected_usd": usd_text(one.cost)}
            for one in made.agents
        ],
        "prices": [
            {
                "channel": one.channel, "side": one.arm, "expected_usd": usd_text(one.expected),
                "low_usd": usd_text(one.low), "high_usd": usd_text(one.high), "worst_usd": usd_text(one.worst),
            }
            for one in made.prices
        ],
        "with_strict_schemas_usd": {channel: usd_text(cost) for channel, cost in made.instead.items()},
        "prefixes": {arm: [_node(one) for one in roots] for arm, roots in made.prefixes.items()},
        "batch_rounds": made.rounds,
        "live_minutes_at_least": {level: round(minutes, 2) for level, minutes in made.minutes.items()},
        "models_without_price": list(made.unpriced),
        "sizes": made.sizes,
    }  # fmt: skip


def _node(one: PrefixNode) -> dict[str, Any]:
    cost = one.dollars()
    return {
        "blocks": list(one.blocks), "tokens": one.tokens, "model": one.model, "agents": one.agents,
        "writes": 1, "reads": one.calls - 1, "live_usd": usd_text(None if cost is None else cost[0]),
        "live_usd_uncached": usd_text(None if cost is None else cost[1]), "inner": [_node(each) for each in one.inner],
    }  # fmt: skip


def show(made: Plan, console: Console) -> None:
    """Print a plan."""
    aside = f" ({made.rejected} set aside)" if made.rejected else ""
    how = (
        "were carried out and paid for" if made.paid
        else "were carried out by stand-ins, whose outputs stand for the model's"
    )  # fmt: skip
    head = "PLAN: nothing was sent or paid" if made.simulated else "PLAN: from a sample"
    _say(console, f"{head}; {made.sampled} of {made.rows:,} rows{aside} {how}", style="bold yellow")
    if made.unpriced:
        _say(console, f"no price is known of {', '.join(made.unpriced)}: it is in no figure", style="bold red")
    words = {
        "counted": "counted by the API",
        "learnt": "learnt from usage",
        "documented": "by characters, as documented",
    }
    how = "; ".join(f"{model} {words[one]}" for model, one in made.sizes.items())
    _say(console, f"sizes of texts: {how}")
    names = ("channel", "side", "expected", "range", "worst case")
    table = Table(*names, box=None, pad_edge=False, header_style="dim")
    for one in made.prices:
        span = f"${usd(one.low):,.4f} to ${usd(one.high):,.4f}"
        table.add_row(one.channel, one.arm, f"${usd(one.expected):,.4f}", span, f"${usd(one.worst):,.4f}")
    console.print(table)
    if made.instead:
        costs = ", ".join(f"${usd(cost):,.4f} {channel}" for channel, cost in made.instead.items())
        _say(console, f"with a strict schema per agent, each with a cache of its own: {costs} (--schemas strict)")
    minutes = ", ".join(f"{one:.1f} min ({level})" for level, one in made.minutes.items())
    deep = f"{made.rounds} batch round{'s' if made.rounds != 1 else ''} deep, each most often within an hour"
    _say(console, f"time: {deep}; live at least {minutes} by the documented rate limits")
    console.print(_agents(made))
    for line in _channels(made):
        _say(console, line)
    for arm, roots in made.prefixes.items():
        if roots:
            _say(console, f"prefixes of the {'fan-out' if arm == 'fanout' else arm}, as live calls cache them:")
            for line in _tree(roots, ""):
                _say(console, line)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))


def _channels(made: Plan) -> Iterator[str]:
    """Yield which agents are cheaper in which channel: what `--channel auto` goes by."""
    costs: dict[tuple[str, str], dict[str, int]] = {}
    for one in made.agents:
        costs.setdefault((one.arm, one.agent), {})[one.channel] = one.cost
    cheaper: dict[str, list[str]] = {}
    for (arm, agent), both in costs.items():
        if len(both) == 2:
            best, other = sorted(both, key=lambda channel: both[channel])
            told = f"{agent_name(arm, agent)} ${usd(both[best]):,.4f} against ${usd(both[other]):,.4f}"
            cheaper.setdefault(best, []).append(told)
    for channel, names in cheaper.items():
        yield f"cheaper {'by batch' if channel == 'batch' else channel}: {', '.join(names)}"


def _agents(made: Plan) -> Table:
    names = ("channel", "agent", "model", "calls", "in", "written", "read", "out")
    calls = Table(*names, box=None, pad_edge=False, header_style="dim")
    for column in calls.columns[3:]:
        column.justify = "right"
    for one in made.agents:
        written = one.usage.cache_write_5m + one.usage.cache_write_1h
        counts = (one.calls, one.usage.input, written, one.usage.cache_read, one.usage.output)
        calls.add_row(one.channel, one.agent, one.model, *(f"{count:,}" for count in counts))
    return calls


def _tree(nodes: list[PrefixNode], indent: str) -> Iterator[str]:
    for index, one in enumerate(nodes):
        last = index == len(nodes) - 1
        cost = one.dollars()
        money = "price unknown" if cost is None else f"${usd(cost[0]):,.4f} where uncached ${usd(cost[1]):,.4f}"
        yield f"{indent}{'└─' if last else '├─'} {' + '.join(one.blocks)}: about {one.tokens:,} tokens"
        bar = indent + ("   " if last else "│  ")
        yield f"{bar}   {', '.join(one.agents)}: 1 write, {one.calls - 1:,} reads, {money}"
        yield from _tree(one.inner, bar)
