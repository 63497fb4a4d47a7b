"""The page: the account of a run as one HTML file, without scripts and without a network."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fanwise.rendering.html.charts as charts  # by its whole name: `from . import` would be a circle
from fanwise.errors import UsageError
from fanwise.ledger.account import AgentAccount
from fanwise.ledger.composition import KINDS
from fanwise.ledger.reads import Reads
from fanwise.ledger.report import ReportDetails, ReportTables
from fanwise.ledger.spread import Bin
from fanwise.rendering.harmless import lines
from fanwise.rendering.rejected import PURGED, others
from fanwise.rendering.words import (
    NONE_LEFT_OUT,
    PARTS,
    agent_name,
    choice_lines,
    left_out_of,
    token_cells,
    with_unknown,
)

from .colours import DARK, LIGHT, PRINT, variables
from .figures import compact, dollars, pico_dollars, share, short
from .graph import draw
from .sentences import figures, sentences
from .vega import vega

TEMPLATES = Path(__file__).parent / "templates"
MOST_TEXT = 600
"""Characters of an output or a message that are shown."""


def page(summary: Mapping[str, Any], tables: ReportTables, details: ReportDetails) -> str:
    """Return the report of a run as HTML.

    Everything that a model, a row or a user said is escaped; the page holds no script, and its policy
    allows none.

    Args:
        summary: What `ledger.summary` made of the journal.
        tables: What it shows on one screen too.
        details: What it shows beside them.

    Raises:
        UsageError: The packages that draw and write it are not there.
    """
    vega()
    html: str = _environment().get_template("report.html.j2").render(
        summary=summary,
        sentences=list(sentences(summary)),
        figures=list(figures(summary)),
        pictures=list(_pictures(summary, tables, details)),
        graphs=[("The fan-out" if graph.arm == "fanout" else "The baseline", draw(graph)) for graph in details.graphs],
        choices=list(choice_lines(summary["choices"], summary["cash"]["replaced"]["attempts"])),
        tables=tables,
        details=details,
        light=variables(LIGHT), dark=variables(DARK), printed=variables(PRINT),
        kinds=KINDS,
        PARTS=PARTS,
        PURGED=PURGED,
    )  # fmt: skip
    return lines(html)


def _environment() -> Any:
    try:
        jinja: Any = importlib.import_module("jinja2")
    except ImportError:
        raise UsageError("the HTML report needs vl-convert and Jinja: pip install 'fanwise[report]'") from None
    environment = jinja.Environment(
        loader=jinja.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "compact": compact, "pico_dollars": pico_dollars, "dollars": dollars, "share": share, "agent_name": agent_name,
        "with_unknown": _with_unknown, "token_cells": token_cells, "whole": "{:,}".format, "short": _shortened,
        "others": others,
    }  # fmt: skip
    return environment


def _with_unknown(cost: int, unknown: int) -> str:
    return with_unknown(pico_dollars(cost), cost, unknown)


def _shortened(text: object) -> str:
    return short(str(text), MOST_TEXT)


Picture = tuple[str, str, str]
"""Title, remark and drawing."""


def _pictures(summary: Mapping[str, Any], tables: ReportTables, details: ReportDetails) -> Iterator[Picture]:
    """Yield every chart for which there is anything to draw."""
    yield from _multipliers(summary, details)
    levers = summary["levers"]
    if levers is not None:
        remark = f"With everything to everyone on {levers['dearest_model']}, uncached and live, to the bill."
        unpriced = left_out_of(levers.get("leaves_out", NONE_LEFT_OUT), "it")
        remark += f" {unpriced}." if unpriced else ""
        yield "What took how much off the bill", remark, charts.waterfall(levers)
    if any(tokens for parts in summary["made_of"].values() for tokens in parts.values()):
        drawing = charts.composition(summary["made_of"], details.rows_by_arm)
        yield "What the tokens of a row are made of", "On average.", drawing
    yield from _costs(tables.agents)
    if any(agent.read or agent.readable for agent in details.cache_reads):
        yield _cache(details.cache_reads)
    if details.timeline.steps:
        yield "Over time", _sessions(details.timeline.sessions), charts.time_line(details.timeline)


def _cache(agents: list[Reads]) -> Picture:
    """Return what was read and what could have been by agents of which that is known; the others have no bar."""
    unknown = dict.fromkeys(agent_name(agent.arm, agent.agent) for agent in agents if agent.uncounted)
    remark = "What the run had sent to the same model before could have been read by a perfect cache."
    remark += f" Not all is known of {', '.join(unknown)}." if unknown else ""
    drawing = charts.cache([agent for agent in agents if agent.is_known])
    return "Cache reads against what could have been read", remark, drawing


def _costs(agents: list[AgentAccount]) -> Iterator[Picture]:
    """Yield what each agent cost of which that is known; the others are named, and have no bar."""
    known = [agent for agent in agents if agent.cost or not agent.unknown]
    unknown = dict.fromkeys(agent_name(agent.arm, agent.agent) for agent in agents if agent.unknown)
    if known:
        remark = f"As paid; not all is known of {', '.join(unknown)}." if unknown else "As paid."
        yield "Cost by agent and tier", remark, charts.agents(known)


def _multipliers(summary: Mapping[str, Any], details: ReportDetails) -> Iterator[Picture]:
    """Yield how the multipliers lie over rows, those that were measured and the one that was modelled."""
    measured, modelled = details.multiplier, summary["modelled"]
    if measured is not None and not summary["own_baseline"]:
        yield (
            "Multiplier in tokens, row by row", f"Fan-out over one agent, measured on {measured.rows:,} rows.",
            charts.spread(measured.tokens_bins, measured.tokens.ratio, "times the tokens of one agent", "tokens"),
        )  # fmt: skip
        yield (
            "Multiplier in dollars, row by row", "The writing of shared prefixes is spread over all rows.",
            charts.spread(measured.usd_bins, measured.usd.ratio, "times the dollars of one agent", "dollars"),
        )  # fmt: skip
    if modelled is not None and measured is None:
        ratio = modelled["tokens"].get("ratio", modelled["tokens"]["mean"])  # an earlier version has kept no ratio
        bins = [Bin(*bounds_and_rows) for bounds_and_rows in modelled["bins"]]
        yield (
            "Multiplier in tokens, modelled", f"One agent's call composed and counted on {modelled['rows']:,} rows.",
            charts.spread(bins, ratio, "times the tokens of one agent", "tokens"),
        )  # fmt: skip


def _sessions(sessions: list[tuple[float, float | None, str]]) -> str:
    if len(sessions) < 2:
        return "From the start of the run."
    return f"{len(sessions)} sessions: {', '.join(f'{how} at {begin:,.0f} s' for begin, _, how in sessions[:6])}."
