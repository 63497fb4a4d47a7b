"""The charts of the page, each from figures of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fanwise.journal.records import ArmName
from fanwise.ledger.account import AgentAccount
from fanwise.ledger.reads import Reads
from fanwise.ledger.spread import Bin
from fanwise.ledger.timeline import BatchSpan, Timeline
from fanwise.rendering.words import LEVERS, PARTS, agent_name
from fanwise.units import PICO_PER_USD

from .figures import dollars
from .vega import BAD, FAINT, GOOD, HUES, INK, PLAIN, chart_svg

ROW_HEIGHT = 26
"""Of a bar, with its gap, in pixels."""


def spread(bins: Sequence[Bin], ratio: float, what: str, unit: str) -> str:
    """Return how the multiplier lies over rows, with one and the ratio of the sums marked."""
    values = [{"low": bin_.low, "high": bin_.high, "rows": bin_.rows} for bin_ in bins]
    if len(values) == 1:  # all rows have the same
        values = [{**values[0], "low": values[0]["low"] - 0.01, "high": values[0]["high"] + 0.01}]
    lines = [{"x": 1.0, "told": "1: as one agent"}, {"x": ratio, "told": f"in all {ratio:.2f}"}]
    x = {"field": "x", "type": "quantitative"}
    marks: list[dict[str, Any]] = [
        {"data": {"values": values}, "mark": {"type": "bar", "color": PLAIN, "binSpacing": 1}, "encoding": {
            "x": {"field": "low", "type": "quantitative", "title": what, "bin": {"binned": True},
                  "scale": {"zero": False}},
            "x2": {"field": "high"},
            "y": {"field": "rows", "type": "quantitative", "title": "rows", "axis": {"tickMinStep": 1},
                  "scale": {"domainMax": 1.35 * max(value["rows"] for value in values)}}}},
        {"data": {"values": lines}, "mark": {"type": "rule", "strokeDash": [4, 3], "color": INK}, "encoding": {"x": x}},
    ]  # fmt: skip
    for place, line in enumerate(lines):
        marks.append({
            "data": {"values": [line]}, "mark": {"type": "text", "align": "left", "dx": 5, "baseline": "top"},
            "encoding": {"x": x, "y": {"value": 15 * place}, "text": {"field": "told"}},
        })  # fmt: skip
    return chart_svg(
        {"height": 170, "layer": marks}, f"How many rows have which multiplier in {unit}; in all {ratio:.2f}"
    )


def waterfall(levers: Mapping[str, Any]) -> str:
    """Return what each lever took off the bill, from one agent's over everything to everyone to what was paid."""
    at, steps = Decimal(levers["naive_usd"]), list[dict[str, Any]]()
    if levers["alone_usd"] is not None:
        alone = Decimal(levers["alone_usd"])
        steps.append(_step("one agent", Decimal(0), alone, "whole", dollars(alone)))
    steps.append(_step("without levers", Decimal(0), at, "whole", dollars(at)))
    for name, saved in levers["saved_usd"].items():
        off = Decimal(saved)
        label = f"{'-' if off > 0 else '+'}{dollars(abs(off))}" if off else "$0"
        steps.append(_step(LEVERS[name], at, at - off, "less" if off >= 0 else "more", label))
        at -= off
    steps.append(_step("paid", Decimal(0), at, "whole", dollars(at)))
    order = [step["step"] for step in steps]
    return chart_svg({
        "height": {"step": ROW_HEIGHT}, "data": {"values": steps}, "encoding": {
            "y": {"field": "step", "type": "nominal", "sort": order, "title": None}},
        "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}, "minBandSize": 2}, "encoding": {
                "x": {"field": "begin", "type": "quantitative", "title": "dollars", "axis": {"tickCount": 5}},
                "x2": {"field": "end"},
                "color": {"field": "kind", "type": "nominal", "legend": None, "scale": {
                    "domain": ["whole", "less", "more"], "range": [PLAIN, GOOD, BAD]}}}},
            {"mark": {"type": "text", "align": "left", "dx": 5}, "encoding": {
                "x": {"field": "right", "type": "quantitative"}, "text": {"field": "told"}}},
        ],
    }, f"The bill without levers, {dollars(levers['naive_usd'])}, and what each lever took off")  # fmt: skip


def _step(name: str, begin: Decimal, end: Decimal, kind: str, label: str) -> dict[str, Any]:
    return {
        "step": name, "begin": float(begin), "end": float(end), "kind": kind, "told": label,
        "right": float(max(begin, end)),
    }  # fmt: skip


def agents(accounts: Iterable[AgentAccount]) -> str:
    """Return what each agent cost, by the model that carried it out."""
    values = [
        {
            "agent": agent_name(account.arm, account.agent),
            "tier": account.model,
            "usd": account.cost / PICO_PER_USD,
        }
        for account in accounts
    ]  # fmt: skip
    order = _by_sum(values, "agent", "usd")
    return chart_svg({
        "height": {"step": ROW_HEIGHT}, "data": {"values": values}, "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "y": {"field": "agent", "type": "nominal", "sort": order, "title": None},
            "x": {"field": "usd", "type": "quantitative", "title": "dollars", "aggregate": "sum"},
            "color": {"field": "tier", "type": "nominal", "title": None},
            "order": {"field": "tier"},
        },
    }, "Dollars of each agent, by model")  # fmt: skip


def composition(parts: Mapping[ArmName, Mapping[str, int]], rows: Mapping[ArmName, int]) -> str:
    """Return what the tokens of a row are made of, on both sides."""
    names = {"fanout": "fan-out", "baseline": "one agent"}
    kinds = list(PARTS.values())
    values = [
        {
            "side": names[arm],
            "part": PARTS[kind],
            "tokens": tokens / max(rows[arm], 1),
            "place": kinds.index(PARTS[kind]),
        }
        for arm, sums in parts.items()
        for kind, tokens in sums.items()
        if tokens
    ]  # fmt: skip
    return chart_svg({
        "height": {"step": 34}, "data": {"values": values}, "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "y": {"field": "side", "type": "nominal", "sort": list(names.values()), "title": None},
            "x": {"field": "tokens", "type": "quantitative", "title": "tokens a row", "axis": {"tickCount": 6}},
            "color": {"field": "part", "type": "nominal", "title": None,
                      "scale": {"domain": kinds, "range": list(HUES[: len(kinds)])}},
            "order": {"field": "place", "type": "quantitative"},
        },
    }, "Tokens of a row by what they are made of, for the fan-out and for one agent")  # fmt: skip


def cache(agents: Iterable[Reads]) -> str:
    """Return what each agent read from the cache, beside what it could have."""
    words = ("read", "could have been read", "new")
    values: list[dict[str, Any]] = []
    for agent in agents:
        parts = (agent.read, agent.missed, max(agent.input - agent.read - agent.missed, 0))
        values += [
            {"agent": agent_name(agent.arm, agent.agent), "part": word, "tokens": part, "place": place}
            for place, (word, part) in enumerate(zip(words, parts, strict=True))
        ]
    return chart_svg({
        "height": {"step": ROW_HEIGHT}, "data": {"values": values}, "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "y": {"field": "agent", "type": "nominal", "sort": _by_sum(values, "agent", "tokens"), "title": None},
            "x": {"field": "tokens", "type": "quantitative", "title": "input tokens",
                  "axis": {"format": "~s", "tickCount": 6}},
            "color": {"field": "part", "type": "nominal", "title": None,
                      "scale": {"domain": list(words), "range": [GOOD, BAD, "var(--line)"]}},
            "order": {"field": "place", "type": "quantitative"},
        },
    }, "Input tokens of each agent: read from the cache, missed, and new")  # fmt: skip


def time_line(timeline: Timeline) -> str:
    """Return when calls were sent and ended, and under them when batches were in work."""
    unit_s, unit = _unit(timeline.width_s * 80)
    values = [
        {"at": (step.begin + timeline.width_s / 2) / unit_s, "calls": count, "what": what}
        for step in timeline.steps
        for what, count in ((f"ended {step.channel}", step.ended), ("failed or lost", step.failed))
        if count or what != "failed or lost"
    ]
    most = max((value["at"] for value in values), default=1.0)
    x = {"type": "quantitative", "title": f"{unit} from the start", "scale": {"domain": [0, most], "nice": False}}
    parts = [_calls(values, x)]
    if timeline.batches:
        parts.append(_batches(timeline.batches, unit_s, x))
    return chart_svg({"vconcat": parts, "spacing": 14}, "Calls that ended over time, and batches in work")


def _calls(values: list[dict[str, Any]], x: dict[str, Any]) -> dict[str, Any]:
    """Return the chart of the calls that ended."""
    return {
        "width": 470, "height": 130, "data": {"values": values},
        "mark": {"type": "bar", "width": max(int(470 / 80) - 1, 2)},
        "encoding": {
            "x": {"field": "at", **x},
            "y": {"field": "calls", "type": "quantitative", "title": "calls", "axis": {"format": "~s"}},
            "color": {"field": "what", "type": "nominal", "title": None, "scale": {
                "domain": ["ended live", "ended batch", "failed or lost"], "range": [HUES[0], HUES[1], BAD]}},
        },
    }  # fmt: skip


def _batches(batches: Sequence[BatchSpan], unit_s: float, x: dict[str, Any]) -> dict[str, Any]:
    """Return the chart of the time that batches took, a bar each."""
    spans = [
        {"batch": place, "begin": batch.begin / unit_s,
         "end": (batch.begin if batch.end is None else batch.end) / unit_s, "told": f"{batch.requests:,}"}
        for place, batch in enumerate(batches)
    ]  # fmt: skip
    y = {"field": "batch", "type": "ordinal", "axis": None}
    return {
        "width": 470, "height": {"step": 16 if len(spans) < 20 else 8}, "data": {"values": spans}, "layer": [
            {"mark": {"type": "bar", "height": {"band": 0.7}, "color": HUES[1], "minBandSize": 3}, "encoding": {
                "y": y, "x": {"field": "begin", **x, "title": "batches, with their requests"},
                "x2": {"field": "end"}}},
            {"mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 10, "color": FAINT}, "encoding": {
                "y": y, "x": {"field": "end", **x, "title": None}, "text": {"field": "told"}}},
        ]}  # fmt: skip


def _unit(seconds: float) -> tuple[float, str]:
    return (1, "seconds") if seconds < 300 else (60, "minutes") if seconds < 18_000 else (3600, "hours")


def _by_sum(values: Iterable[Mapping[str, Any]], name: str, size: str) -> list[str]:
    """Return names, the one with the largest sum first."""
    sums: dict[str, float] = {}
    for value in values:
        sums[value[name]] = sums.get(value[name], 0.0) + value[size]
    return sorted(sums, key=lambda key: -sums[key])
