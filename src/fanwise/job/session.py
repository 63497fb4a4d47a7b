"""One process's work on a run directory: check, set up, run, account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import anyio
import anyio.to_thread

from fanwise.api.capable import SdkClient
from fanwise.api.client import Api
from fanwise.dispatch.batches import Batches
from fanwise.dispatch.budget import Budget, Limits
from fanwise.dispatch.channel import Chooser, Lengths
from fanwise.dispatch.deadline import seconds
from fanwise.dispatch.live import Live
from fanwise.dispatch.retry import RetryPolicy
from fanwise.dispatch.rounds import Rounds
from fanwise.engine.arms import Arm, statics
from fanwise.engine.collecting import seldom
from fanwise.engine.described import describe
from fanwise.engine.rows import Record, lines
from fanwise.engine.run import Engine
from fanwise.engine.sampling import sampler
from fanwise.engine.settings import Settings
from fanwise.engine.standin import Said, answerer
from fanwise.engine.toolbox import NO_SERVERS, Toolbox, open_toolbox
from fanwise.errors import HaltedError, RunDirectoryError, UsageError
from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.meta import CHOICES, DEADLINE, HALTED, MODELLED, NOTES, OFFLINE, STATICS, Deadline
from fanwise.journal.records import ArmName
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.summary import summary
from fanwise.log import bound
from fanwise.rendering.files import write_files
from fanwise.telemetry import telemetry
from fanwise.units import now

from .account import Account
from .directory import RunDirectory
from .manifest import Manifest
from .modelled import modelled
from .sizes import TokenCache, common_texts, count, learn
from .spec import JobSpec
from .watcher import Watcher

BATCH_WINDOW_ROWS = 25_000
"""Rows in memory at a time where calls may travel in batches: about what one batch of 256 MB takes."""


@dataclass
class Session:
    """One process's work on a run directory."""

    directory: RunDirectory
    manifest: Manifest
    """What the run is; sizes and tools are added to it once they are known."""
    graphs: Mapping[ArmName, GraphSpec]
    spec: JobSpec
    """How it is run by this session."""
    watcher: Watcher
    retry: frozenset[str] = frozenset()
    detach: bool = False
    resumed: bool = False
    only: frozenset[int] | None = None
    """Numbers of the rows to take; None: all."""
    recorded: Mapping[str, Said] | None = None
    """Answers of the embedded emulator, by the hash of the request, before any stand-in."""
    scale: float = 1.0
    """How many rows of the job each row stands for, where they are a sample of it."""
    client: SdkClient | None = None
    """Of the SDK, instead of one made here."""
    rehearsal: bool = False
    """Whether it is only there to be counted, for a plan."""
    _toolbox: Toolbox = NO_SERVERS

    async def run(self) -> Account:
        """Work to the end, or as far as it goes."""
        async with open_toolbox(self.graphs.values()) as self._toolbox:
            if self._toolbox.servers:
                self.manifest = replace(self.manifest, tools=self._toolbox)
            return await self._run()

    async def _run(self) -> Account:
        journal, spec, mode = self.directory.journal, self.spec, self.manifest.mode
        with ExitStack() as stack, seldom():
            base_url, key = spec.base_url, None
            if mode == "embedded":
                # Only here: a server is nothing that a run against the API should carry.
                from fanwise.emulator.server import EmulatorSettings, in_thread

                address = self.directory.path / "emulator.url"
                stack.callback(address.unlink, missing_ok=True)
                settings = EmulatorSettings(
                    directory=self.directory.path, batch_delay_s=spec.batch_delay_s, latency_s=spec.latency_s
                )
                base_url, key = (
                    stack.enter_context(in_thread(settings, answerer(self._arms(), self.recorded))),
                    "embedded-emulator",
                )
                address.write_text(base_url + "\n", encoding="utf-8")  # so that its bill can be read from outside
            api = Api(base_url=base_url, api_key=key, connections=spec.slots, client=self.client)
            api.offline = True if mode == "embedded" else None
            try:
                await self._preflight(api, journal)
                self.manifest.save(journal)
                OFFLINE.keep(journal, bool(api.offline))
                self.watcher.offline = api.offline
                if not api.offline:  # an emulator counts by characters, as we do
                    await self._count(api, journal)
                return await self._work(api, self._arms(), journal, embedded=mode == "embedded")
            finally:
                with anyio.CancelScope(shield=True):
                    await api.close()

    def _arms(self) -> dict[ArmName, Arm]:
        return self._as_now().arms(self.graphs, self._toolbox)

    def _as_now(self) -> Manifest:
        """Return the manifest with what this session was asked for, which is not kept."""
        return replace(self.manifest, spec=self.spec)

    async def _count(self, api: Api, journal: SqliteJournal) -> None:
        """Count what rows have in common, once for a run: its layout must not change."""
        if self.manifest.sizes is None:
            with TokenCache() as cache:
                sizes = await count(api, common_texts(self.graphs.values()), cache)
            self.manifest = replace(self.manifest, sizes=sizes)
            self.manifest.save(journal)

    def _budget(self, journal: SqliteJournal) -> Budget:
        spec = self.spec
        limits = Limits(spec.budget_pico, spec.budget_tokens, spec.row_budget_pico, spec.row_budget_tokens)
        return Budget(limits, journal.spent(), journal.spent if self.resumed else None)

    def _deadline(self, journal: SqliteJournal) -> float | None:
        """Return when the run should have ended: from its first session on, unless it is given anew."""
        if self.spec.deadline is None:
            return None
        deadline = DEADLINE.of(journal)
        if deadline is None or deadline["after"] != self.spec.deadline:
            at = now().timestamp() + seconds(self.spec.deadline)
            deadline = Deadline(after=self.spec.deadline, at=at)
            DEADLINE.keep(journal, deadline)
        return deadline["at"]

    def _learn(self, api: Api, journal: SqliteJournal) -> None:
        """Keep what replies have shown of a model's tokens; those of an emulator are none of a model's."""
        if not api.offline:
            with TokenCache() as cache:
                learn(cache, journal.sent_and_billed(journal.session_start()))

    async def _preflight(self, api: Api, journal: SqliteJournal) -> None:
        """Ask the free models endpoint whether key and models will do, and who answers.

        Raises:
            UsageError: The key is refused, a model does not exist, or nobody answers.
        """
        models = dict.fromkeys(
            node.target.spec.model
            for graph in self.graphs.values()
            for node in graph.tasks()
            if node.target.spec is not None
        )
        missing: list[str] = []
        for model in models:
            failure = await api.check_model(model)
            if failure is None:
                continue
            if failure.status in (401, 403):
                raise UsageError(
                    f"the API refuses the key: {failure.message}; "
                    "set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN to a valid one"
                )
            if failure.kind == "not_found_error":
                missing.append(model)
            elif failure.status is None:
                raise UsageError(
                    f"nobody answers at {api.base_url}: {failure.message}; check --base-url and the network"
                )
        if self.spec.channel != "live":
            await self._check_batches(api)
        if missing:
            raise UsageError(f"the API knows no model {', '.join(map(repr, missing))}; correct the agent's model")
        if api.offline is not None and OFFLINE.of(journal) not in (None, api.offline):
            raise RunDirectoryError(
                "simulated and real answers are never mixed: this run was answered by the other kind; start a new one"
            )

    async def _check_batches(self, api: Api) -> None:
        """Let everything go live where there are no batches.

        Raises:
            UsageError: Batches were asked for.
        """
        await api.check_batches()
        if api.can.batches:
            return
        if self.spec.channel == "batch":
            raise UsageError(f"{api.can.where} has no Message Batches; add --channel live")
        self.spec = replace(self.spec, channel="live")
        self.watcher.notes.append(f"{api.can.where} has no Message Batches: everything goes live, at the full price")

    async def _work(self, api: Api, arms: Mapping[ArmName, Arm], journal: SqliteJournal, *, embedded: bool) -> Account:
        spec, run_id = self.spec, self.manifest.run_id
        changed = self._changes(arms, journal)
        journal.start_session(now().timestamp(), spec.channel, changed)
        if self.resumed:
            lost = journal.lose_open(now().timestamp())
            if lost:
                self.watcher.notes.append(
                    f"{lost} live requests were in flight when the last process ended: marked lost, asked again"
                )
            if changed:
                self.watcher.notes.append(changed)
        rows, form = self.manifest.rows, self.manifest.format
        budget = self._budget(journal)
        types = self._as_now().row_types(self.graphs["fanout"])
        settings = Settings(
            window_rows=spec.slots * 2 if spec.channel == "live" else BATCH_WINDOW_ROWS,
            window_calls=spec.slots if spec.channel == "live" else None,
            limit=spec.limit,
            only=self.only,
            deadline=self._deadline(journal),
            pay_twice=spec.pay_twice_for_deadline,
            started=now().timestamp(),
            retry=self.retry,
            detach=self.detach,
            resumed=self.resumed,
        )
        sampled = partial(sampler, arms=tuple(self.graphs), seed=spec.seed)
        arms_of = await anyio.to_thread.run_sync(sampled, rows, form, types, spec.sample, spec.limit)
        engine = Engine(arms, journal, types, settings, arms_of)
        policy = RetryPolicy()
        engine.live = Live(
            api, journal, budget, engine, engine.repeats,
            run_id=run_id, slots=spec.slots, policy=policy, gated=spec.gate,
        )  # fmt: skip
        # An embedded emulator died with its client: nothing is on its way to it.
        grace_s = 0.0 if embedded else spec.grace_s
        engine.batches = Batches(
            api,
            journal,
            budget,
            engine,
            engine.repeats,
            run_id=run_id,
            roles=engine.roles,
            policy=policy,
            grace_s=grace_s,
            scale=self.scale,
            rounds=max(rounds(arm.graph) for arm in arms.values()),
            folder=self.directory.path,
        )
        timed = None
        if engine.timekeeper is not None:
            timed = Rounds(self.graphs, engine.timekeeper.spare_s)
            engine.batches.follower.took = timed.seen.append
        lengths = {
            engine.roles.named(arm, agent, model): Lengths(answers, tokens)
            for arm, agent, model, answers, tokens in journal.outputs()
        }
        engine.chooser = Chooser(spec.channel, engine.batches.primer, lengths, timed, patient=not self.detach)
        describe(journal, arms)
        journal.watch = self.watcher.ended
        if form == "jsonl":
            self.watcher.rows = await anyio.to_thread.run_sync(lines, rows)
            if spec.limit is not None:
                self.watcher.rows = min(self.watcher.rows, spec.limit)
        self.watcher.engine = engine
        HALTED.keep(journal, "")
        try:
            with bound(run=run_id):
                await self._traced(engine, journal, self.manifest.records())
        finally:
            with anyio.CancelScope(shield=True):
                await journal.commit()
            HALTED.keep(journal, engine.halted)
            if engine.notes:
                NOTES.keep(journal, [*NOTES.of(journal), *engine.notes])
            OFFLINE.keep(journal, bool(api.offline))
            CHOICES.keep(journal, engine.chooser.reasons(CHOICES.of(journal)))
            cancelled = engine.ended == "completed" and (engine.rows_in_work() or not engine.read_all)
            self._learn(api, journal)
            journal.end_session(now().timestamp(), "interrupted" if cancelled else engine.ended)
            if engine.read_all and self.spec.limit is None and self.only is None and engine.ended == "completed":
                journal.drop_stale_rows()
            account = await self._account(api, journal)
        if self.resumed and engine.ended == "completed" and not self.watcher.calls:
            self.watcher.notes.append("nothing was missing: no request was sent")
        if engine.ended == "halted":
            raise HaltedError(engine.halted)
        return account

    async def _traced(self, engine: Engine, journal: SqliteJournal, records: Iterator[Record]) -> None:
        """Run the engine, and tell an OTLP endpoint of it where one is configured."""
        if self.rehearsal:
            await engine.run(records)
            return
        run = {"run_id": self.manifest.run_id, "graph": self.manifest.graph}
        async with telemetry(run, journal.session, journal.attempt, engine.note) as spans:
            journal.observer, begun = spans, now().timestamp()
            try:
                await engine.run(records)
            finally:
                journal.observer = None
                if spans is not None:
                    spans.session(begun, now().timestamp(), engine.ended)

    async def _account(self, api: Api, journal: SqliteJournal) -> Account:
        bill: int | None = None
        if api.offline:
            with anyio.CancelScope(shield=True), anyio.move_on_after(30):
                bill = await api.bill(self.manifest.run_id)
        with anyio.CancelScope(shield=True):  # whoever interrupts a run wants its account all the more
            await anyio.to_thread.run_sync(self._model, journal)
        data = summary(journal.db, bill=bill)
        write_files(self.directory.path, journal.db, data)
        return Account(self.directory.path, data)

    def _model(self, journal: SqliteJournal) -> None:
        """Hold the fan-out against one agent that was not asked."""
        if self.rehearsal:
            return
        multiplier = modelled(journal.db, self._as_now(), self.graphs["fanout"])
        MODELLED.keep(journal, None if multiplier is None else multiplier.data())

    def _changes(self, arms: Mapping[ArmName, Arm], journal: SqliteJournal) -> str:
        """Return what is different from the session before: nodes whose answers do not hold any more."""
        present = statics(arms)
        before = STATICS.of(journal)
        STATICS.keep(journal, present)
        if not before:
            return ""
        words = [f"{name} is new" for name in present if name not in before]
        words += [f"{name} has changed" for name in present if name in before and before[name] != present[name]]
        words += [f"{name} is gone" for name in before if name not in present]
        return f"changed since the last session: {', '.join(words)}" if words else ""
