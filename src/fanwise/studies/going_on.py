"""The rows of a comparison: drawn for a new run, or beside those that a directory holds."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fanwise.engine.toolbox import list_tools
from fanwise.errors import Mistake, SpecError
from fanwise.graph.nodes import GraphSpec
from fanwise.job.directory import peeking, reading
from fanwise.job.edits import is_edited
from fanwise.job.manifest import Manifest, rows_of
from fanwise.job.recorded import going_on
from fanwise.job.spec import JobSpec, spec_fields
from fanwise.journal.records import ArmName
from fanwise.ledger.outcomes import ended_rows
from fanwise.ledger.paired import SIDES
from fanwise.paths import typed

from .plan.drawn import draw_sample
from .plan.plan import SampleRun

SAMPLE = 40
"""Rows that are carried out where nobody says how many."""


def first_rows(spec: JobSpec, count: int, seed: int) -> SampleRun:
    """Return the run of so many rows of a job, in a directory of its own."""
    drawn = draw_sample(spec, count, seed)
    return SampleRun(spec=spec, drawn=drawn, subject=f"both sides on {len(drawn.rows):,} rows")


def more_rows(directory: Path, spec: JobSpec, count: int, seed: int, changes: Mapping[str, Any]) -> SampleRun | None:
    """Return how a run goes on with rows beside those that it has, up to a number; None where it has so many.

    Args:
        directory: It holds a run of the job.
        spec: The job.
        count: Rows in all.
        seed: Of those that are drawn.
        changes: Fields of `JobSpec` that were given with the call.

    Raises:
        SpecError: Its single agent is asked on a sample of its own.
    """
    with peeking(directory) as db:
        manifest = Manifest.of(db)
        fanout, baseline = (frozenset(ended_rows(db, arm, failed_too=True)) for arm in SIDES)
    done = fanout & baseline
    if len(done) >= count:
        return None
    if manifest.spec.sample is not None:
        asked = f"asks one agent on a sample of {manifest.spec.sample} rows"
        message = f"{typed(directory)} {asked}, and {count} are to be compared"
        raise SpecError((Mistake("out", message, "choose another directory"),))
    for_session = {part.name for part in spec_fields() if part.rule.scope in ("session", "once")}
    fields = {name: value for name, value in changes.items() if name in for_session}
    spec = replace(
        going_on(manifest, directory, {**fields, "baseline": spec.baseline}, spec.graph),
        rows=spec.rows,
        format=spec.format,
        encoding=spec.encoding,
        out=directory,
    )
    drawn = draw_sample(spec, count, seed)
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
    if differences:
        message = f"{typed(directory)} holds another run: {', '.join(differences)}"
        raise SpecError((Mistake("out", message, "choose another directory"),))
    if edited:
        message = f"{typed(directory)} holds answers from before the agents were edited"
        raise SpecError(
            (Mistake("out", message, f"choose another directory, or `fanwise resume {typed(directory)}` first"),)
        )
