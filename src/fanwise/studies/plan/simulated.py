"""A sample carried out on an embedded emulator, and what was seen there or in a run that was paid."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from fanwise.canonical import dumps
from fanwise.context.layout import Schemas
from fanwise.engine.standin import StandInAnswer
from fanwise.errors import UnknownPriceError
from fanwise.graph.nodes import GraphSpec
from fanwise.job.close import close
from fanwise.job.directory import reading
from fanwise.job.opening import Rehearsal, Terms
from fanwise.job.prepare import prepare
from fanwise.job.spec import JobSpec
from fanwise.job.work import work
from fanwise.journal.memory import MemoryJournal
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel
from fanwise.ledger.account import SharedWrite, shared_writes
from fanwise.ledger.tasks import row_agents
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .drawn import Drawn
from .estimate import Observed


@dataclass(frozen=True, slots=True)
class Seen:
    """What some rows did."""

    observed: list[Observed]
    once: list[SharedWrite]
    """What was written for all rows."""


def simulate(
    arms: Mapping[ArmName, GraphSpec],
    drawn: Drawn,
    channel: Channel,
    *,
    graph: str,
    id_field: str | None = None,
    schemas: Schemas = "auto",
    recorded: Mapping[str, StandInAnswer] | None = None,
    folder: Path | None = None,
) -> Seen:
    """Carry out a sample on an embedded emulator, as a part of a job over all rows; nothing is paid.

    Args:
        arms: What runs.
        drawn: The rows.
        channel: How requests travel.
        graph: Reference of the graph, for the record.
        id_field: Field with the row's id.
        schemas: How schemas travel.
        recorded: Answers to give, by the hash of the request; the stand-ins give the rest.
        folder: Where paths in the rows begin.
    """
    with tempfile.TemporaryDirectory(prefix="fanwise-plan-") as made:
        path = Path(made) / "rows.jsonl"
        path.write_text("".join(dumps(row.data) + "\n" for row in drawn.rows), encoding="utf-8")
        spec = JobSpec(
            graph=graph, rows=path, out=Path(made) / "run", channel=channel, id_field=id_field, schemas=schemas
        )
        scale = max(drawn.valid / len(drawn.rows), 1.0)
        rehearsal = Rehearsal(graphs=arms, folder=folder or path.parent, recorded=recorded, scale=scale)

        async def main() -> None:
            async with prepare(spec, Terms(rehearsal=rehearsal, journal=MemoryJournal())) as prepared:
                await work(prepared)
                await close(prepared)

        anyio.run(main)
        with reading(Path(made) / "run") as journal:
            return renumbered(seen(journal.db), {index: row.number for index, row in enumerate(drawn.rows, 1)})


def renumbered(one: Seen, numbers: Mapping[int, int]) -> Seen:
    """Return what was seen under the rows' numbers in their file."""
    return Seen([replace(each, row=numbers[each.row]) for each in one.observed], one.once)


def seen(db: Book) -> Seen:
    """Return what a run has seen: per row and agent, with what all rows share counted as read."""
    once = shared_writes(db)
    found: list[Observed] = []
    for account in row_agents(db):
        row, arm, agent, usage = account.row, account.arm, account.agent, account.usage
        writes = [write for write in once if (write.row, write.arm, write.agent) == (row, arm, agent)]
        five, hour = sum(write.five for write in writes), sum(write.hour for write in writes)
        moved = usage._replace(
            cache_write_5m=usage.cache_write_5m - five,
            cache_write_1h=usage.cache_write_1h - hour,
            cache_read=usage.cache_read + five + hour,
        )
        price = account.cost - sum(write.extra for write in writes)
        answers = priced(Usage(output=usage.output), account.model, account.channel, account.sent)
        found.append(Observed(row, arm, agent, account.model, account.calls, moved, price, answers, account.bound))
    return Seen(found, once)


def priced(usage: Usage, model: str, channel: Channel, sent: float) -> int:
    """Return the price of a usage in picodollars; 0 where none is known."""
    try:
        return cost(usage, model, moment(sent), batch=channel == "batch")
    except UnknownPriceError:
        return 0


def factors(paid: Sequence[Observed], simulated: Sequence[Observed]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return by arm and agent how many times longer real prompts and real answers were than simulated ones."""
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for key in {(one.arm, one.agent) for one in simulated}:
        sums = [
            (sum(one.usage.prompt for one in rows), sum(one.usage.output for one in rows))
            for rows in ([one for one in each if (one.arm, one.agent) == key] for each in (paid, simulated))
        ]
        (real_in, real_out), (made_in, made_out) = sums
        found[key] = (
            real_in / made_in if made_in and real_in else 1.0,
            real_out / made_out if made_out and real_out else 1.0,
        )
    return found
