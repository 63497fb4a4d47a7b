"""The page: the account of a run as one HTML file, without scripts and without a network."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fanwise.rendering.html.charts as charts  # by its whole name: `from . import` would be a circle
from fanwise.errors import UsageError
from fanwise.journal.reader import Book
from fanwise.ledger.account import AgentAccount, agents, failures
from fanwise.ledger.composition import KINDS, composition
from fanwise.ledger.dearest import dearest
from fanwise.ledger.failing import failing
from fanwise.ledger.multiplier import Bin, multiplier
from fanwise.ledger.reads import reads
from fanwise.ledger.slices import slices
from fanwise.ledger.tasks import rows_served
from fanwise.ledger.timeline import timeline
from fanwise.rendering.words import PARTS, agent_name, choices, with_unknown

from .colours import DARK, LIGHT, PRINT, variables
from .figures import compact, dollars, share, short, usd
from .graph import graph
from .told import figures, words
from .vega import vega

TEMPLATES = Path(__file__).parent / "templates"
MOST_TEXT = 600
"""Characters of an output or a message that are shown."""


def page(summary: Mapping[str, Any], db: Book) -> str:
    """Return the report of a run as HTML.

    Everything that a model, a row or a user said is escaped; the page holds no script, and its policy
    allows none.

    Args:
        summary: What `ledger.summary` made of the journal.
        db: The journal.

    Raises:
        UsageError: The packages that draw and write it are not there.
    """
    vega()
    made, accounts = composition(db), list(agents(db))
    return _environment().get_template("report.html.j2").render(
        summary=summary,
        words=list(words(summary)),
        figures=list(figures(summary)),
        pictures=list(_pictures(summary, db, accounts)),
        graphs=[drawn for arm in ("fanout", "baseline") if (drawn := _graph(summary, db, arm, made))],
        agents=accounts,
        slices=slices(db),
        choices=list(choices(summary["choices"])),
        failing=failing(db),
        failures=failures(db),
        dearest=dearest(db),
        light=variables(LIGHT), dark=variables(DARK), printed=variables(PRINT),
        kinds=KINDS,
        PARTS=PARTS,
    )  # fmt: skip


def _environment() -> Any:
    try:
        jinja: Any = importlib.import_module("jinja2")
    except ImportError:
        raise UsageError("the HTML report needs vl-convert and Jinja: pip install 'fanwise[report]'") from None
    made = jinja.Environment(
        loader=jinja.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "compact": compact, "usd": usd, "dollars": dollars, "share": share, "agent_name": agent_name,
        "with_unknown": _with_unknown, "whole": "{:,}".format, "short": _shortened,
    }  # fmt: skip
    return made


def _with_unknown(cost: int, unknown: int) -> str:
    return with_unknown(usd(cost), cost, unknown)


def _shortened(text: object) -> str:
    return short(str(text), MOST_TEXT)


def _graph(summary: Mapping[str, Any], db: Book, arm: Any, made: Any) -> tuple[str, str] | None:
    if arm == "baseline" and not summary["attempts"]["baseline"]["sent"]:
        return None
    svg = graph(db, arm, made)
    return None if svg is None else ("The fan-out" if arm == "fanout" else "The baseline", svg)


def _pictures(summary: Mapping[str, Any], db: Book, accounts: list[AgentAccount]) -> Iterator[tuple[str, str, str]]:
    """Yield title, remark and drawing of every chart."""
    rows = summary["rows"]
    found = multiplier(db, max(rows["read"] - rows["rejected"], 1))
    if found is not None:
        yield (
            "Multiplier in tokens, row by row", f"Fan-out over one agent, measured on {found.rows:,} rows.",
            charts.spread(found.tokens_bins, found.tokens.mean, "times the tokens of one agent", "tokens"),
        )  # fmt: skip
        yield (
            "Multiplier in dollars, row by row", "The writing of shared prefixes is spread over all rows.",
            charts.spread(found.usd_bins, found.usd.mean, "times the dollars of one agent", "dollars"),
        )  # fmt: skip
    modelled = summary["modelled"]
    if modelled is not None:
        bins = [Bin(*one) for one in modelled["bins"]]
        yield (
            "Multiplier in tokens, modelled", f"One agent's call composed and counted on {modelled['rows']:,} rows.",
            charts.spread(bins, modelled["tokens"]["mean"], "times the tokens of one agent", "tokens"),
        )  # fmt: skip
    if summary["levers"] is not None:
        remark = f"From everything to everyone on {summary['levers']['dearest_model']}, uncached and live, to the bill."
        yield "What took how much off the bill", remark, charts.waterfall(summary["levers"])
    if summary["made_of"]:
        counts = {arm: rows_served(db, arm) for arm in summary["made_of"]}
        yield "What the tokens of a row are made of", "On average.", charts.made(summary["made_of"], counts)
    if accounts:
        yield "Cost by agent and tier", "As paid.", charts.agents(accounts)
    seen = reads(db)
    if any(one.read or one.readable for one in seen):
        yield (
            "Cache reads against what could have been read",
            "What the run had sent to the same model before could have been read by a perfect cache.",
            charts.cache(seen),
        )
    line = timeline(db)
    if line.steps:
        yield "Over time", _sessions(line.sessions), charts.time_line(line)


def _sessions(sessions: list[tuple[float, float | None, str]]) -> str:
    if len(sessions) < 2:
        return "From the start of the run."
    return f"{len(sessions)} sessions: {', '.join(f'{how} at {begin:,.0f} s' for begin, _, how in sessions[:6])}."
