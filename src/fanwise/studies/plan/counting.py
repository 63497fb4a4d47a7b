"""Counts the equal tasks of a job, before it is begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fanwise.engine.arms import Arm
from fanwise.engine.records import Record
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.sampling import Sampler, sampler
from fanwise.job.manifest import Manifest
from fanwise.journal.records import ArmName

from .alike import AgentTasks, AlikeTasks, OfAgent
from .drawn import Drawn, DrawnRow
from .stepping import Stepping


def count_alike(manifest: Manifest, arms: Mapping[ArmName, Arm], drawn: Drawn) -> dict[OfAgent, AgentTasks]:
    """Return the tasks of a job by agent, and how many are equal to others; none where each is asked by itself.

    The rows file is read once more: only now is known which rows were drawn, whose tasks are counted one by one.

    Args:
        manifest: What the run would be.
        arms: Its arms.
        drawn: The rows that were drawn.
    """
    if not AlikeTasks(arms):
        return {}
    stepping = Stepping()
    counted = _counted(manifest, arms, drawn, stepping)
    if stepping.is_too_long:  # of some rows it is known what they make, of others not: equal tasks would look different
        counted = _counted(manifest, arms, drawn, None)
    return counted


def _counted(
    manifest: Manifest, arms: Mapping[ArmName, Arm], drawn: Drawn, stepping: Stepping | None
) -> dict[OfAgent, AgentTasks]:
    """Return the tasks of a job by agent, as far as steps have not taken too long.

    Args:
        manifest: What the run would be.
        arms: Its arms.
        drawn: The rows that were drawn.
        stepping: Carries out steps; None: none is.
    """
    alike, spec, types = AlikeTasks(arms), manifest.spec, manifest.row_types(arms["fanout"].graph)
    answer = None if stepping is None else stepping.outcome
    for row in _rows(types, map(_record, (*drawn.rows, *drawn.more))):
        alike.watch(row, answer)
    if drawn.is_all:
        rows, arms_of = map(_record, drawn.rows), Sampler(arms=tuple(arms), word="", chosen=None)
    else:
        rows = manifest.taken()
        arms_of = sampler(manifest.rows_file, types, spec.sample, spec.limit, arms=tuple(arms), seed=spec.seed)
    for row in _rows(types, rows):
        alike.take(row, arms_of(row), answer)
        if stepping is not None and stepping.is_too_long:
            break
    return alike.by_agent()


def _record(row: DrawnRow) -> Record:
    return Record(number=row.number, locator=0, data=row.data, raw="")


def _rows(types: RowTypes, records: Iterable[Record]) -> Iterator[Row]:
    """Yield the rows of records that are valid."""
    for record in records:
        row = types.check(record)
        if isinstance(row, Row):
            yield row
