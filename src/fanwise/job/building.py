"""The engine of a session, with its carriers, from what a run is and how the session goes about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import anyio.to_thread

from fanwise.api.client import Api
from fanwise.context.repeats import Repeats
from fanwise.dispatch.books import Books
from fanwise.dispatch.budget import Budget, Limits
from fanwise.dispatch.build import Ways
from fanwise.dispatch.deadline import seconds
from fanwise.dispatch.jobpart import JobPart
from fanwise.dispatch.observer import Observer
from fanwise.dispatch.polling import Polling
from fanwise.dispatch.retry import RetryPolicy
from fanwise.dispatch.timekeeper import TimeLimit
from fanwise.engine.arms import Arm
from fanwise.engine.build import build_engine
from fanwise.engine.elsewhere import AnswersElsewhere
from fanwise.engine.records import Record
from fanwise.engine.repeated import ShownBy
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.run import Engine
from fanwise.engine.sampling import Sampler, sampler
from fanwise.engine.settings import Settings
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.meta import DEADLINE, DRAWN, SAMPLED, Deadline
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName, EditRecord

from .manifest import Manifest
from .opening import OpenRun, Terms
from .prepared import Shard
from .spec import JobSpec
from .standing import keep_shown

BATCH_WINDOW_ROWS = 25_000
"""Rows in memory at a time where calls may travel in batches: about what one batch of 256 MB takes."""


async def engine_of(
    run: OpenRun,
    terms: Terms,
    arms: Mapping[ArmName, Arm],
    api: Api,
    *,
    shard: Shard,
    observers: tuple[Observer, ...] = (),
    elsewhere: AnswersElsewhere | None = None,
) -> Engine:
    """Return an engine for some rows of a run.

    Args:
        run: The run.
        terms: How the session goes about it.
        arms: Every arm with the requests that it makes.
        api: Who is asked.
        shard: The rows to take.
        observers: Told of what is sent and of all that ends.
        elsewhere: Answers of other runs; None: none are taken.
    """
    spec, manifest, journal = run.spec, run.manifest, run.directory.journal
    as_run, graph = replace(manifest, spec=spec), run.graphs["fanout"]
    types = as_run.row_types(graph)
    settings = Settings(
        window_rows=spec.slots * 2 * _most_inputs(arms) if spec.channel == "live" else BATCH_WINDOW_ROWS,
        window_calls=spec.slots if spec.channel == "live" else None,
        limit=spec.limit,
        only=shard.numbers,
        retry=terms.retry,
        detach=terms.detach,
        resumed=terms.resumed,
        counted=manifest.repeated if spec.channel == "auto" else (),
    )
    sampled = partial(sampler, arms=tuple(run.graphs), seed=spec.seed)
    arms_of = await anyio.to_thread.run_sync(sampled, manifest.rows_file, types, spec.sample, spec.limit)
    if terms.resumed:
        _see_sample(journal, arms_of.key)
    SAMPLED.keep(journal, arms_of.key)
    DRAWN.keep(journal, arms_of.drawn)
    shown = await anyio.to_thread.run_sync(_shown, as_run, types, graph, arms_of, shard.numbers)
    keep_shown(journal, shown)
    limits = Limits(
        cost=spec.budget_pico, tokens=spec.budget_tokens, row_cost=spec.row_budget_pico,
        row_tokens=spec.row_budget_tokens,
    )  # fmt: skip
    budget = Budget(limits, journal.spent(), journal.spent if terms.resumed else None)
    books = Books(
        run_id=manifest.run_id, journal=journal, budget=budget, repeats=Repeats(), observers=observers
    )  # fmt: skip
    part = terms.rehearsal.part if terms.rehearsal is not None else _part(shard, arms_of, shown)
    ways = _ways(run, terms, api.clock.now(), part)
    return build_engine(
        arms, api, books, types, arms_of=arms_of, settings=settings, ways=ways, elsewhere=elsewhere
    )  # fmt: skip


def _most_inputs(arms: Mapping[ArmName, Arm]) -> int:
    """Return how many inputs one request may show: so many rows are to be at hand for each slot."""
    return max((node.spec.most_inputs for arm in arms.values() for node in arm.agents()), default=1)


def _shown(
    manifest: Manifest, types: RowTypes, graph: GraphSpec, arms_of: Sampler, only: frozenset[int] | None
) -> dict[ArmName, dict[int, ShownBy]]:
    """Return how many rows of the job show the blocks of the rows that are taken, by arm that takes not all of them.

    Args:
        manifest: Of the run, as this session runs it.
        types: Make rows of its records.
        graph: The fan-out.
        arms_of: Gives the arms on which a row runs.
        only: Numbers of the rows that are a sample on all arms; None: the first arm takes all.
    """
    arms = arms_of.sampled if only is None else arms_of.arms

    def is_drawn(record: Record) -> bool:
        if only is not None:
            return record.number in only
        row = types.check(record)
        return isinstance(row, Row) and arms_of(row) == arms_of.arms

    if not arms:
        return {}
    drawn = ((record.number, record) for record in manifest.taken() if is_drawn(record))
    return dict.fromkeys(arms, manifest.shown_alike(graph, drawn))


def _see_sample(journal: Journal, sampled: str) -> None:
    """Take note where the baseline runs on other rows than before: of its answers those count that these rows come to.

    Args:
        journal: Of the run.
        sampled: Key of the rows of this session.
    """
    if SAMPLED.of(journal) != sampled:
        journal.set_edit(EditRecord("baseline", journal.session))


def _part(shard: Shard, arms_of: Sampler, shown: Mapping[ArmName, Mapping[int, ShownBy]]) -> JobPart:
    """Return what part of its job a session carries out.

    Args:
        shard: The rows that it takes.
        arms_of: Gives the arms on which a row runs.
        shown: How many rows of the job show the blocks of those that are taken, by arm that takes not all of them.
    """
    taken: dict[ArmName, int] = {}
    scale, scales = 1.0, dict[ArmName, float]()
    if shard.numbers and shard.job_rows:
        scale = max(shard.job_rows / len(shard.numbers), 1.0)
        taken = dict.fromkeys(arms_of.arms, len(shard.numbers))
    if arms_of.chosen:
        sampled = len(arms_of.chosen)
        scales = dict.fromkeys(arms_of.sampled, scale * arms_of.rows / sampled)
        taken |= dict.fromkeys(arms_of.sampled, sampled)
    shown_by = {arm: {row: by.rows for row, by in of_arm.items()} for arm, of_arm in shown.items()}
    return JobPart(scale=scale, scales=scales, taken=taken, shown_by=shown_by)


def _ways(run: OpenRun, terms: Terms, started: float, part: JobPart) -> Ways:
    """Return how a session may send that begins at a moment of the server's time."""
    spec, limit = run.spec, None
    deadline = _deadline(spec, run.directory.journal, started, anew=terms.rows is not None)
    if deadline is not None:
        limit = TimeLimit(at=deadline, started=started, pay_twice=spec.pay_twice_for_deadline)
    return Ways(
        channel=spec.channel,
        slots=spec.slots,
        gated=spec.gate,
        # An embedded emulator died with its client: nothing is on its way to it.
        policy=RetryPolicy(deadline=None if limit is None else limit.at, give_up_s=seconds(spec.give_up_after)),
        polling=Polling(grace_s=0.0 if run.manifest.mode == "embedded" else spec.grace_s, pay_twice=terms.pay_twice),
        limit=limit,
        part=part,
        folder=run.directory.path,
        patient=not terms.detach,
    )


def _deadline(spec: JobSpec, journal: Journal, started: float, *, anew: bool) -> float | None:
    """Return when the run should have ended: from its first session on, unless it is given anew.

    Args:
        spec: How the session runs it.
        journal: Of the run.
        started: When the session began.
        anew: Whether it is counted from this session on in any case: a job that lives for weeks is not late ever after.
    """
    if spec.deadline is None:
        return None
    deadline = DEADLINE.of(journal)
    if anew or deadline is None or deadline["after"] != spec.deadline:
        deadline = Deadline(after=spec.deadline, at=started + seconds(spec.deadline))
        DEADLINE.keep(journal, deadline)
    return deadline["at"]
