"""The first of a session's three steps: open the run, check what can be checked, connect, and begin the session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from fanwise.api.client import Api
from fanwise.engine.arms import Arm
from fanwise.engine.collecting import seldom
from fanwise.engine.described import describe
from fanwise.engine.standin import answerer
from fanwise.engine.toolbox import Toolbox, open_toolbox
from fanwise.engine.ways import keep_asked
from fanwise.graph.graphs import Graph
from fanwise.journal.records import ArmName, EditRecord
from fanwise.paths import fixed
from fanwise.units import now

from .answering import connected
from .arms import is_own_baseline
from .close import settle
from .descriptors import within_descriptors
from .edits import edits_of, keep_edited
from .opening import OpenRun, Terms, begun, found
from .otherruns import answers_elsewhere, not_named
from .preflight import check_models, check_same_kind, usable_channel
from .prepared import Prepared
from .recorded import other_address
from .sizes import TokenCache, common_texts, count
from .spec import JobSpec
from .standing import keep_begin, keep_offline, was_offline
from .watcher import Watcher

_OTHER_FORM = (
    "the form of requests has changed since this run began: its answers stay, and only what is missing is asked, in "
    "the form of today"
)


@asynccontextmanager
async def prepare(
    spec: JobSpec, terms: Terms | None = None, watcher: Watcher | None = None
) -> AsyncGenerator[Prepared]:
    """Begin a run: check what can be checked before anything is paid, connect, and begin its first session.

    A start that is refused leaves nothing behind. A session that was not closed is closed on the way out.

    Args:
        spec: The job.
        terms: How the session goes about it.
        watcher: What a display reads.

    Raises:
        UsageError: Something is wrong with the graph, the rows, the directory or the key.
    """
    terms = terms or Terms()
    with begun(spec, terms) as run:
        async with _prepared(run, terms, watcher or Watcher()) as prepared:
            yield prepared


@asynccontextmanager
async def prepare_again(
    out: str | Path,
    terms: Terms | None = None,
    watcher: Watcher | None = None,
    *,
    fields: Mapping[str, Any] | None = None,
    graph: Graph[..., Any] | str | None = None,
) -> AsyncGenerator[Prepared]:
    """Begin another session of a run.

    Args:
        out: The run directory.
        terms: How the session goes about it.
        watcher: What a display reads.
        fields: Fields of the spec that are to be different in this session, some of them in those after it too.
        graph: The run's graph, or its reference, where it is not to be loaded as it was recorded.

    Raises:
        NotNamedError: The directory records a graph or an address that nobody has named here.
        UsageError: The directory is no run, is locked, or was run in the other mode; or fields are wrong.
    """
    terms = replace(terms or Terms(), resumed=True)
    watcher = watcher or Watcher()
    with found(fixed(out), fields or {}, graph, terms) as run:
        if terms.client is None and (note := other_address(run.manifest, run.spec)):
            watcher.notes.append(note)
        if run.manifest.has_another_form:
            watcher.notes.append(_OTHER_FORM)
        async with _prepared(run, terms, watcher) as prepared:
            yield prepared


@asynccontextmanager
async def _prepared(run: OpenRun, terms: Terms, watcher: Watcher) -> AsyncGenerator[Prepared]:
    """Yield an open run that can be worked on, and close its session behind it."""
    async with open_toolbox(run.graphs.values(), watcher.note) as toolbox:
        if toolbox.servers:
            run = replace(run, manifest=replace(run.manifest, tools=toolbox))
        ends = 1 if run.manifest.mode != "embedded" else 2
        run = replace(run, spec=within_descriptors(run.spec, watcher.notes, ends=ends))
        with seldom():
            async with connected(run.spec, run.directory.path, terms.client, _stand_ins(run, terms, toolbox)) as api:
                run = await _checked(run, api, watcher)
                with answers_elsewhere(run, offline=bool(api.offline)) as elsewhere:
                    prepared = Prepared(
                        run=run, terms=terms, arms=_arms(run, terms, toolbox), api=api, watcher=watcher,
                        elsewhere=elsewhere,
                    )  # fmt: skip
                    _begin_session(prepared)
                    try:
                        yield prepared
                    finally:
                        if prepared.account is None:  # whoever interrupts a run wants its account all the more
                            with anyio.CancelScope(shield=True):
                                await settle(prepared)


def _stand_ins(run: OpenRun, terms: Terms, toolbox: Toolbox) -> Any:
    """Return what answers for the models, or None where the API is asked."""
    if run.manifest.mode != "embedded":
        return None
    return answerer(_arms(run, terms, toolbox), terms.rehearsal.recorded if terms.rehearsal is not None else None)


def _arms(run: OpenRun, terms: Terms, toolbox: Toolbox) -> dict[ArmName, Arm]:
    """Return the arms as this session makes them: by its spec, which need not be the run's."""
    texts = "auto" if terms.rehearsal is None else terms.rehearsal.texts
    return replace(run.manifest, spec=run.spec).arms(run.graphs, toolbox, texts)


async def _checked(run: OpenRun, api: Api, watcher: Watcher) -> OpenRun:
    """Check key, models and channel, and count what rows share; returns the run as this session works on it."""
    journal = run.directory.journal
    await check_models(api, run.graphs.values())
    run = replace(run, spec=await usable_channel(api, run.spec, watcher.notes))
    check_same_kind(api.offline, was_offline(journal))
    run.manifest.save(journal)
    keep_offline(journal, offline=bool(api.offline))
    is_counted = run.manifest.sizes is not None and not run.manifest.has_another_form
    if not api.offline and not is_counted:  # an emulator counts by characters, as we do
        # Once for a run: its layout must not change.
        with TokenCache() as cache:
            sizes = await count(api, common_texts(run.graphs.values()), cache)
        run = replace(run, manifest=replace(run.manifest, sizes=sizes))
        run.manifest.save(journal)
    return run


def _begin_session(prepared: Prepared) -> None:
    """Record that this process works on the run, and what is different from the session before."""
    journal, notes, at = prepared.journal, prepared.watcher.notes, now().timestamp()
    edits = edits_of(journal, prepared.arms)
    session = journal.start_session(at, prepared.run.spec.channel, edits.words)
    for arm in edits.arms:
        journal.set_edit(EditRecord(arm, session))
    keep_edited(journal, prepared.arms, at)
    keep_asked(journal, prepared.arms)
    if prepared.terms.resumed:
        lost = journal.lose_open(at)
        if lost:
            notes.append(f"{lost} live requests were in flight when the last process ended: marked lost, asked again")
        notes += filter(None, (edits.words, not_named(prepared.run)))
    describe(journal, prepared.arms)
    keep_begin(journal, own_baseline=is_own_baseline(prepared.run.graphs))
