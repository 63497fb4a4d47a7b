"""The engine of a session, with its carriers, from what a run is and how the session goes about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import anyio.to_thread

from fanwise.api.client import Api
from fanwise.dispatch.batches import Batches
from fanwise.dispatch.budget import Budget, Limits
from fanwise.dispatch.channel import Chooser, Lengths
from fanwise.dispatch.deadline import seconds
from fanwise.dispatch.live import Live
from fanwise.dispatch.retry import RetryPolicy
from fanwise.dispatch.rounds import Rounds
from fanwise.engine.arms import Arm
from fanwise.engine.run import Engine
from fanwise.engine.sampling import sampler
from fanwise.engine.settings import Settings
from fanwise.graph.dag import rounds
from fanwise.journal.meta import DEADLINE, Deadline
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName
from fanwise.units import now

from .opening import OpenRun, Terms
from .spec import JobSpec

BATCH_WINDOW_ROWS = 25_000
"""Rows in memory at a time where calls may travel in batches: about what one batch of 256 MB takes."""


async def engine_of(
    run: OpenRun, terms: Terms, arms: Mapping[ArmName, Arm], api: Api, *, only: frozenset[int] | None
) -> Engine:
    """Return an engine for some rows of a run.

    Args:
        run: The run.
        terms: How the session goes about it.
        arms: Every arm with the requests that it makes.
        api: Who is asked.
        only: Numbers of the rows to take; None: all.
    """
    spec, manifest, journal = run.spec, run.manifest, run.directory.journal
    types = replace(manifest, spec=spec).row_types(run.graphs["fanout"])
    settings = Settings(
        window_rows=spec.slots * 2 if spec.channel == "live" else BATCH_WINDOW_ROWS,
        window_calls=spec.slots if spec.channel == "live" else None,
        limit=spec.limit,
        only=only,
        deadline=_deadline(spec, journal),
        pay_twice=spec.pay_twice_for_deadline,
        started=now().timestamp(),
        retry=terms.retry,
        detach=terms.detach,
        resumed=terms.resumed,
    )
    sampled = partial(sampler, arms=tuple(run.graphs), seed=spec.seed)
    arms_of = await anyio.to_thread.run_sync(sampled, manifest.rows, manifest.format, types, spec.sample, spec.limit)
    engine = Engine(arms, journal, types, settings, arms_of)
    policy = RetryPolicy()
    limits = Limits(spec.budget_pico, spec.budget_tokens, spec.row_budget_pico, spec.row_budget_tokens)
    budget = Budget(limits, journal.spent(), journal.spent if terms.resumed else None)
    engine.live = Live(
        api, journal, budget, engine, engine.repeats,
        run_id=manifest.run_id, slots=spec.slots, policy=policy, gated=spec.gate,
    )  # fmt: skip
    engine.batches = Batches(
        api,
        journal,
        budget,
        engine,
        engine.repeats,
        run_id=manifest.run_id,
        roles=engine.roles,
        policy=policy,
        # An embedded emulator died with its client: nothing is on its way to it.
        grace_s=0.0 if manifest.mode == "embedded" else spec.grace_s,
        scale=terms.rehearsal.scale if terms.rehearsal is not None else 1.0,
        rounds=max(rounds(arm.graph) for arm in arms.values()),
        folder=run.directory.path,
    )
    timed = None
    if engine.timekeeper is not None:
        timed = Rounds(run.graphs, engine.timekeeper.spare_s)
        engine.batches.follower.took = timed.seen.append
    lengths = {
        engine.roles.named(arm, agent, model): Lengths(answers, tokens)
        for arm, agent, model, answers, tokens in journal.outputs()
    }
    engine.chooser = Chooser(spec.channel, engine.batches.primer, lengths, timed, patient=not terms.detach)
    return engine


def _deadline(spec: JobSpec, journal: Journal) -> float | None:
    """Return when the run should have ended: from its first session on, unless it is given anew."""
    if spec.deadline is None:
        return None
    deadline = DEADLINE.of(journal)
    if deadline is None or deadline["after"] != spec.deadline:
        deadline = Deadline(after=spec.deadline, at=now().timestamp() + seconds(spec.deadline))
        DEADLINE.keep(journal, deadline)
    return deadline["at"]
