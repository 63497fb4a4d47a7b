"""What a report shows beside the summary of a run: tables on one screen, and on its page the details too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName

from .account import AgentAccount, agents
from .composition import Composition, Flow, composition, tasks
from .dearest import DearRow, dearest
from .failing import FailedTask, Failing, failing, failures
from .measuring import multiplier
from .multiplier import Multiplier
from .reads import Reads, reads
from .rejections import Rejections, rejections
from .slices import SliceAccount, slices
from .standing import agents_of
from .tasks import NodeAccount, node_accounts, rows_served
from .timeline import Timeline, timeline

ALL = -1
"""How many lines SQLite is asked for where it shall give all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTables:
    """The tables of a report."""

    agents: list[AgentAccount]
    """What each agent cost."""
    slices: list[SliceAccount]
    """What was sent to whom."""
    failures: list[FailedTask]
    """The first of the tasks that failed."""
    rejections: Rejections
    """Why rows were set aside."""


def report_tables(db: Book, *, all_failures: bool = False) -> ReportTables:
    """Return the tables of the report of a run.

    Args:
        db: The journal.
        all_failures: Whether all failed tasks are in them, or the first of them.
    """
    failed = failures(db, ALL) if all_failures else failures(db)
    return ReportTables(agents=agents(db), slices=slices(db), failures=failed, rejections=rejections(db))


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphAccount:
    """The graph of an arm as it was noted by the run, with what its tasks took and what travelled between them."""

    arm: ArmName
    nodes: Mapping[str, Mapping[str, Any]]
    """By path: kind (`row`, `step`, `agent`), model, and how it is repeated or chosen (`inside`)."""
    edges: tuple[tuple[str, str, list[str]], ...]
    """Source, target and the fields that travel."""
    accounts: Mapping[str, NodeAccount]
    """By path, of those for which anything was sent."""
    flows: Mapping[tuple[str, str], Flow]
    """By source and target, where it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDetails:
    """What the page of a report shows beside its tables."""

    graphs: list[GraphAccount]
    multiplier: Multiplier | None
    """With the distribution over rows; None where no row has both arms."""
    rows_by_arm: dict[ArmName, int]
    """Rows for which anything was sent."""
    cache_reads: list[Reads]
    timeline: Timeline
    failing: list[Failing]
    """What came to nothing."""
    dearest: list[DearRow]
    single_agent: str
    """What the single agent was told; empty where none was asked."""


def report_details(db: Book, summary: Mapping[str, Any]) -> ReportDetails:
    """Return what the page of a report shows beside its tables.

    Args:
        db: The journal.
        summary: What `summary` made of it.
    """
    return ReportDetails(
        graphs=list(_graphs(db, summary)),
        multiplier=multiplier(db),
        rows_by_arm={arm: rows_served(db, arm) for arm in summary["made_of"]},
        cache_reads=reads(db),
        timeline=timeline(db),
        failing=failing(db),
        dearest=dearest(db),
        single_agent=_briefing(db) if summary["attempts"]["baseline"]["sent"] else "",
    )


def _briefing(db: Book) -> str:
    """Return the instructions of the agents of the baseline."""
    hashes = dict.fromkeys(agent["instructions"] for agent in agents_of(db, "baseline").values())
    texts = (db.execute("SELECT text FROM blocks WHERE sha=?", (sha,)).fetchone() for sha in hashes)
    return "\n\n".join(row[0] for row in texts if row is not None and row[0])


def _graphs(db: Book, summary: Mapping[str, Any]) -> Iterator[GraphAccount]:
    """Yield the graphs of the arms that were asked, as far as the journal has them."""
    parts, by_arm = composition(db), tasks(db)
    arms: tuple[ArmName, ...] = ("fanout", "baseline")
    for arm in arms:
        if by_arm.get(arm) and (arm == "fanout" or summary["attempts"][arm]["sent"]):
            yield _graph(db, arm, by_arm[arm], parts)


def _graph(db: Book, arm: ArmName, noted: Mapping[str, Any], parts: Composition) -> GraphAccount:
    nodes = noted["nodes"]
    return GraphAccount(
        arm=arm,
        nodes=nodes,
        edges=tuple((source, target, fields) for source, target, fields in noted["edges"] if source in nodes),
        accounts=node_accounts(db, arm),
        flows={(source, target): flow for (of, source, target), flow in parts.edges.items() if of == arm},
    )
