"""The rows of a comparison: drawn for a new run, or beside those that a directory holds."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fanwise.engine.rows import Row
from fanwise.engine.toolbox import list_tools
from fanwise.errors import Mistake, SpecError
from fanwise.graph.nodes import GraphSpec
from fanwise.job.directory import peeking, reading
from fanwise.job.edits import is_edited
from fanwise.job.manifest import Manifest, rows_of
from fanwise.job.recorded import going_on
from fanwise.job.spec import JobSpec, spec_fields
from fanwise.journal.records import ArmName
from fanwise.ledger.outcomes import ended_rows, rows_numbered
from fanwise.ledger.paired import SIDES
from fanwise.paths import typed

from .plan.drawn import draw_sample
from .plan.plan import SampleRun

SAMPLE = 40
"""Rows that are carried out where nobody says how many."""


def first_rows(spec: JobSpec, count: int, seed: int, labels: Collection[str] | None = None) -> SampleRun:
    """Return the run of so many rows of a job, in a directory of its own.

    Args:
        spec: The job.
        count: Rows to draw.
        seed: Of those that are drawn.
        labels: Ids of the rows that have one, which alone can be compared; None: nothing is held against labels.
    """
    drawn = draw_sample(spec, count, seed, lambda row: labels is None or row.row_id in labels)
    return SampleRun(spec=spec, drawn=drawn, subject=f"both sides on {len(drawn.rows):,} rows")


def more_rows(
    directory: Path,
    spec: JobSpec,
    count: int,
    seed: int,
    changes: Mapping[str, Any],
    *,
    labels: Collection[str] | None = None,
) -> SampleRun | None:
    """Return how a run goes on with rows beside those that it has, up to a number; None where it has so many.

    Args:
        directory: It holds a run of the job.
        spec: The job.
        count: Rows in all.
        seed: Of those that are drawn.
        changes: Fields of `JobSpec` that were given with the call.
        labels: Ids of the rows that have one, which alone are drawn and count; None: nothing is held against labels.

    Raises:
        SpecError: Its single agent is asked on a sample of its own.
    """
    with peeking(directory) as db:
        manifest = Manifest.of(db)
        fanout, baseline = (frozenset(ended_rows(db, arm, failed_too=True)) for arm in SIDES)
        ids = {number: row.row_id for number, row in rows_numbered(db, fanout & baseline).items()}
    if labels is None and len(ids) >= count:
        return None
    for_session = {part.name for part in spec_fields() if part.rule.scope in ("session", "once")}
    fields = {name: value for name, value in changes.items() if name in for_session}
    spec = replace(
        going_on(manifest, directory, {**fields, "baseline": spec.baseline}, spec.graph),
        rows=spec.rows,
        format=spec.format,
        encoding=spec.encoding,
        out=directory,
    )
    unlabelled = set[str]()
    drawn = draw_sample(spec, count, seed, lambda row: _has_label(row, labels, unlabelled))
    done = {number for number, row_id in ids.items() if row_id not in unlabelled}
    if len(done) >= count:
        return None
    _check_asks_all(manifest, directory, count)
    new = [row for row in drawn.rows if row.number not in done]
    new = sorted(random.Random(seed).sample(new, min(count - len(done), len(new))), key=lambda row: row.number)
    if not new:
        return None
    return SampleRun(
        spec=spec,
        drawn=replace(drawn, rows=tuple(new), sampled_units=len(new)),
        subject=f"both sides on {len(new):,} more rows",
        begun=fanout | baseline,
        changes={**fields, "baseline": spec.baseline},
    )


def _check_asks_all(manifest: Manifest, directory: Path, count: int) -> None:
    """Check that a run asks its single agent on all rows."""
    if manifest.spec.sample is not None:
        asked = f"asks one agent on a sample of {manifest.spec.sample} rows"
        message = f"{typed(directory)} {asked}, and {count} are to be compared"
        raise SpecError((Mistake("out", message, "choose another directory"),))


def _has_label(row: Row, labels: Collection[str] | None, unlabelled: set[str]) -> bool:
    """Return whether a row may be compared; where it has no label its id is added to those that have none."""
    if labels is None or row.row_id in labels:
        return True
    unlabelled.add(row.row_id)
    return False


def check_same_job(directory: Path, spec: JobSpec, graphs: Mapping[ArmName, GraphSpec]) -> None:
    """Check that what a directory holds is a run of a job.

    Raises:
        SpecError: It is another job's, or of the same before its agents were edited.
    """
    with reading(directory) as journal:
        manifest = Manifest.of(journal)
        edited = is_edited(journal, manifest.arms(graphs, list_tools(graphs.values())))
    wanted = Manifest.begun(spec, rows_of(spec))
    differences = [
        f"its {what} is {has}, not {asked}"
        for what, has, asked in (
            ("graph", manifest.graph, wanted.graph),
            ("rows file", manifest.rows, wanted.rows),
            ("baseline", manifest.spec.baseline, wanted.spec.baseline),
        )
        if has != asked
    ]
    if manifest.spec.baseline == "none" and len(differences) == 1:
        message = f"{typed(directory)} holds a run without a single agent to compare with"
        line = f"`fanwise resume {typed(directory)} --baseline {wanted.spec.baseline}`"
        raise SpecError((Mistake("out", message, f"{line} asks it what is missing (with --sample N on so many rows)"),))
    if differences:
        message = f"{typed(directory)} holds another run: {', '.join(differences)}"
        raise SpecError((Mistake("out", message, "choose another directory"),))
    if edited:
        message = f"{typed(directory)} holds answers from before the agents were edited"
        raise SpecError(
            (Mistake("out", message, f"choose another directory, or `fanwise resume {typed(directory)}` first"),)
        )
