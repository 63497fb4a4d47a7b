"""What `report --full` prints behind the account: estimates beside what was measured, and all that the page has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from fanwise.ledger.dearest import DearRow
from fanwise.ledger.failing import Failing
from fanwise.ledger.reads import Reads
from fanwise.ledger.report import ReportDetails
from fanwise.units import usd_text

from .harmless import one_line
from .headline import interval, times
from .modelled import modelled_words
from .words import PARTS, agent_name, money, with_unknown


def show_rest(summary: Mapping[str, Any], details: ReportDetails, console: Console) -> None:
    """Print what stands behind the account of a run."""
    figures = Table.grid(padding=(0, 2))
    for name, text in _figures(summary):
        figures.add_row(name, text)
    console.print(figures)
    for part in _tables(summary, details):
        console.print()
        console.print(part)


def _figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the figures that the account has no line for, and estimates of what was measured."""
    measured, modelled = summary["multiplier"], summary["modelled"]
    if modelled is not None and measured is not None:
        yield "modelled", modelled_words(modelled)
    if measured is not None and not summary["own_baseline"]:
        paid = measured["usd_as_paid"]
        yield "as paid", f"{times(paid)} in dollars ({interval(paid)}), who came first having written for all"
        shares = ", ".join(f"{100 * share:.0f} % of the {unit}" for unit, share in measured["largest_row"].items())
        yield "largest row", f"{shares.replace('usd', 'dollars')} of a side"
    cache = summary["cache"]
    used = ", ".join(
        f"{'unknown' if cache[name] is None else f'{cache[name]:,}'} {name}" for name in ("writes", "reads")
    )
    yield "cache", f"{cache['distinct_prefixes']:,} prefixes, {used}"
    sessions = summary["sessions"]
    yield "time", f"{summary['wall_s']:,.1f} s in {sessions:,} session{'s' if sessions != 1 else ''}"


def _tables(summary: Mapping[str, Any], details: ReportDetails) -> Iterator[RenderableType]:
    if summary["worst_rows"]:
        yield _worst_rows(summary["worst_rows"])
    if details.cache_reads:
        yield _cache(details.cache_reads)
    if details.failing:
        yield _failing(details.failing)
    if details.dearest:
        yield _dearest(details.dearest)
    if details.single_agent:
        yield Text("what the single agent was told", style="bold")
        lines = details.single_agent.splitlines()
        yield Text("\n".join(f"  {one_line(line)}".rstrip() for line in lines))


def _table(title: str, names: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _worst_rows(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Return the rows that were multiplied most."""
    names, numbers = ("row", "largest agent", "most of it"), ("multiplier", "calls", "tokens", "of it sent before")
    table = _table("multiplied most, in tokens", names, numbers)
    for row in rows:
        table.add_row(
            Text(one_line(f"{row['row_id']} (line {row['row']})")), Text(row["agent"]),
            PARTS.get(row["slice"], "unknown"), f"{row['multiplier']:.2f}x", f"{row['calls']:,}",
            f"{row['agent_tokens']:,}", f"{row['duplicated_tokens']:,}",
        )  # fmt: skip
    return table


def _cache(agents: Iterable[Reads]) -> Table:
    """Return what was read from the cache beside what could have been."""
    table = _table("input tokens and the cache", ("agent",), ("in all", "read", "could have been read too"))
    for agent in agents:
        counts = [f"{count:,}" if agent.is_known else "unknown" for count in (agent.input, agent.read, agent.missed)]
        if agent.is_known and agent.uncounted:
            counts[0] += f" ({agent.uncounted:,} unknown)"
        table.add_row(Text(agent_name(agent.arm, agent.agent)), *counts)
    return table


def _failing(ways: Iterable[Failing]) -> Table:
    """Return what came to nothing, with its price."""
    names, numbers = ("what", "how it ended", "channel"), ("attempts", "cost", "perhaps more")
    table = _table("attempts that came to nothing", names, numbers)
    for way in ways:
        table.add_row(
            Text(one_line(way.kind)), way.status, way.channel, f"{way.attempts:,}",
            with_unknown(money(usd_text(way.cost)), way.cost, way.unknown),
            "" if way.bound == 0 else money(usd_text(way.bound)),
        )  # fmt: skip
    return table


def _dearest(rows: Iterable[DearRow]) -> Table:
    """Return the rows that cost most, or may have."""
    table = _table("the most expensive rows, by what they may have cost", ("row", "ended"), ("requests", "cost"))
    for row in rows:
        cost = with_unknown(money(usd_text(row.cost)), row.cost, row.unknown)
        table.add_row(
            Text(one_line(f"{row.row_id} (line {row.row})")), row.status, f"{row.attempts:,}", cost
        )  # fmt: skip
    return table
