"""A job: a graph over rows, run in a directory. It puts the parts together and decides nothing else."""

from __future__ import annotations

import heapq
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.to_thread

from fanwise.api.client import Api, has_credentials
from fanwise.api.failures import RequestError
from fanwise.canonical import canonical, digest
from fanwise.dispatch.batches import Batches
from fanwise.dispatch.budget import Budget
from fanwise.dispatch.call import Call
from fanwise.dispatch.channel import cheaper
from fanwise.dispatch.live import Live
from fanwise.dispatch.retry import RetryPolicy
from fanwise.emulator.server import Settings as EmulatorSettings
from fanwise.emulator.server import in_thread
from fanwise.engine.directory import RunDirectory
from fanwise.engine.load import load_graph
from fanwise.engine.plan import NodePlan, SidePlan, make_plans
from fanwise.engine.rows import Format, Row, RowTypes, format_of, read
from fanwise.engine.run import Engine, Settings
from fanwise.engine.standin import answerer
from fanwise.errors import DefinitionError, HaltedError, Mistake, RunDirectoryError, UnknownPriceError, UsageError
from fanwise.graph.baseline import output_problems, single_agent
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.records import Channel, EndRecord, Side
from fanwise.journal.sqlite import SqliteJournal
from fanwise.ledger.account import spent
from fanwise.ledger.summary import summary
from fanwise.pricing.rates import rates
from fanwise.report.files import write_files
from fanwise.units import new_run_id, now, pico_from_usd

ChannelChoice = Literal["live", "batch", "auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a job is run."""

    channel: ChannelChoice = "auto"
    baseline: str = "none"
    """`none`, `auto` (one agent made from the fan-out), or the reference of a graph."""
    sample: int | None = None
    """Rows on which the baseline runs, drawn by a hash of their id; None: all."""
    budget_usd: str | None = None
    base_url: str | None = None
    limit: int | None = None
    id_field: str | None = None
    slots: int = 32
    """Live requests in flight."""
    grace_s: float = 120.0
    """Seconds after which a batch that the API does not list was never taken."""
    batch_delay_s: float = 0.0
    """Seconds that the embedded emulator takes for a batch."""
    latency_s: float = 0.0
    """Seconds that the embedded emulator takes for a reply."""


KEPT = ("channel", "baseline", "sample", "base_url", "limit", "id_field", "slots")
"""Options that a resumed run takes over, unless it is given others."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a run ended with."""

    directory: Path
    summary: dict[str, Any]

    @property
    def ended(self) -> str:
        """completed, halted, interrupted or detached."""
        return str(self.summary["ended"])

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of `results.jsonl`."""
        with (self.directory / "results.jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


@dataclass(slots=True)
class Watcher:
    """What a display may read while a job runs; `engine` is None before it starts."""

    engine: Engine | None = None
    journal: SqliteJournal | None = None
    budget: Budget | None = None
    offline: bool | None = None
    rows: int | None = None
    """Rows in the file, where counting them is cheap."""
    calls: int = 0
    cost: int = 0
    """Picodollars of this session."""
    read_tokens: int = 0
    notes: list[str] = field(default_factory=list[str])

    def ended(self, record: EndRecord) -> None:
        """Count the end of an attempt."""
        self.calls += 1
        self.cost += record.cost or 0
        self.read_tokens += record.usage.cache_read


class Job:
    """A graph over rows.

    Example:
        `account = Job(triage, rows="tickets.jsonl", out="runs/tickets").run_sync()`
    """

    def __init__(
        self,
        graph: Graph[..., Any] | str,
        *,
        rows: str | Path | Iterable[Any],
        out: str | Path,
        format: Format | None = None,
        **options: Any,
    ) -> None:
        """Describe a job; nothing is read or sent yet.

        Args:
            graph: A graph, or its reference `path/file.py:name`.
            rows: A JSONL, CSV or Parquet file, `-` for standard input, or rows as models or dicts.
            out: The run directory; must not hold another run.
            format: Format of the rows where the name does not say it.
            **options: Fields of `Options`.
        """
        self.graph, self.rows, self.out = graph, rows, Path(out)
        self.format: Format | None = format
        self.options = Options(**options)

    def run_sync(self) -> Account:
        """Run the job from code that is not async.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: The run was stopped before its end; what was done is kept.
        """
        return anyio.run(self.run)

    async def run(self, watcher: Watcher | None = None, *, detach: bool = False) -> Account:
        """Run the job to its end.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: The run was stopped before its end; what was done is kept.
        """
        graph = load_graph(self.graph) if isinstance(self.graph, str) else self.graph
        sides = _sides(graph, self.options.baseline)
        form: Format | None = None
        if isinstance(self.rows, str | Path) and str(self.rows) != "-":
            form = format_of(Path(self.rows), self.format)
            next(read(Path(self.rows), form), None)  # a missing or empty file is told before anything is made
        mode = _check_mode(self.options)
        with RunDirectory(self.out, create=True) as directory:
            try:
                rows, form = self._spool(directory.path, form)
                kept = {name: getattr(self.options, name) for name in KEPT}
                meta = {
                    "run_id": new_run_id(),
                    "graph": self.graph if isinstance(self.graph, str) else _reference(graph),
                    "rows": str(rows.resolve()),
                    "format": form,
                    "created": now().isoformat(),
                    "mode": mode,
                    "options": json.dumps(kept),
                }
                session = _Session(directory, sides, self.options, watcher or Watcher(), detach=detach)
                return await session.run(meta)
            except UsageError:
                if directory.journal.meta("run_id") is None or directory.journal.session == 0:
                    directory.close()
                    _remove_unused(directory.path)
                raise

    def _spool(self, directory: Path, form: Format | None) -> tuple[Path, Format]:
        """Return the rows as a file that can be read again on resume."""
        if form is not None:
            return Path(str(self.rows)), form
        if isinstance(self.rows, str | Path):
            spooled: Format = self.format or "jsonl"
            path = directory / f"input.{spooled}"
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            path.chmod(0o600)
            next(read(path, spooled), None)
            return path, spooled
        path = directory / "input.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(canonical(row) + "\n" for row in self.rows)
        path.chmod(0o600)
        next(read(path, "jsonl"), None)
        return path, "jsonl"


async def resume(
    out: str | Path,
    watcher: Watcher | None = None,
    *,
    graph: Graph[..., Any] | None = None,
    retry: Iterable[str] = (),
    detach: bool = False,
    **options: Any,
) -> Account:
    """Go on with a run: ask again only for what is missing.

    Args:
        out: The run directory.
        watcher: What a display reads.
        graph: The graph, where it is not the one that the run was started with by reference.
        retry: Final failures to ask again: `failed` (all), `refused`, `truncated`, or an error class.
        detach: Return when all that can be submitted is in batches.
        **options: Fields of `Options` that differ from the run's.

    Raises:
        UsageError: The directory is no run, is locked, or was run in the other mode.
        HaltedError: The run was stopped before its end; what was done is kept.
    """
    with RunDirectory(Path(out), create=False) as directory:
        journal = directory.journal
        reference, kept = journal.meta("graph"), json.loads(journal.meta("options") or "{}")
        if reference is None:
            raise RunDirectoryError(f"{out} holds a run that never began; remove it and run again")
        chosen = Options(**{**kept, **{name: value for name, value in options.items() if value is not None}})
        sides = _sides(graph or load_graph(reference), chosen.baseline)
        _check_mode(chosen, known=journal.meta("mode"))
        session = _Session(
            directory, sides, chosen, watcher or Watcher(), retry=frozenset(retry), detach=detach, resumed=True
        )
        return await session.run({})


def _remove_unused(path: Path) -> None:
    """Remove a run directory in which nothing has begun."""
    for name in ("journal.db", "journal.db-wal", "journal.db-shm", "lock", "input.jsonl", "input.csv", "input.parquet"):
        (path / name).unlink(missing_ok=True)
    try:
        path.rmdir()
    except OSError:
        pass


def _reference(graph: Graph[..., Any]) -> str:
    return f"{Path(graph.fn.__code__.co_filename).resolve()}:{graph.fn.__name__}"


def _sides(graph: Graph[..., Any], baseline: str) -> dict[Side, GraphSpec]:
    sides: dict[Side, GraphSpec] = {"fanout": graph.spec}
    if baseline == "auto":
        problems = output_problems(graph.spec)
        if problems:
            mistakes = tuple(Mistake(graph.place, f"--baseline auto: {text}", hint) for text, hint in problems)
            raise DefinitionError(f"graph {graph.name!r}", mistakes)
        single = single_agent(graph.spec, _dearest(graph.spec))
        if single is not None:
            sides["baseline"] = single
    elif baseline != "none":
        other = load_graph(baseline)
        if dict(other.spec.param_types) != dict(graph.spec.param_types) and list(other.spec.params) != list(
            graph.spec.params
        ):
            raise UsageError(
                f"the baseline {other.name!r} does not take the rows of {graph.name!r}: {', '.join(other.spec.params)}"
            )
        sides["baseline"] = other.spec
    return sides


def graph_sides(reference: str, baseline: str) -> dict[Side, GraphSpec]:
    """Return the fan-out and its baseline by reference.

    Raises:
        UsageError: A graph does not exist or has mistakes.
    """
    return _sides(load_graph(reference), baseline)


async def cancel_batches(out: str, base_url: str | None = None) -> list[str]:
    """Ask to cancel the batches of a run that are still running; returns their ids.

    Raises:
        UsageError: The directory is no run, or the API cannot be asked.
    """
    with RunDirectory(Path(out), create=False) as directory:
        ids = [record.batch_id for record in directory.journal.open_batches() if record.batch_id is not None]
        if not ids or directory.journal.meta("mode") == "embedded":
            return []  # an embedded emulator works on its batches only while a run does
        api = Api(base_url=base_url)
        try:
            for batch_id in ids:
                await api.cancel_batch(batch_id)
        except RequestError as error:
            raise UsageError(f"a batch could not be cancelled: {error}") from None
        finally:
            await api.close()
        return ids


def _dearest(spec: GraphSpec) -> str:
    models = [agent.model for node in spec.tasks() if (agent := node.target.spec) is not None]

    def price(model: str) -> int:
        try:
            return rates(model, now()).output
        except UnknownPriceError:
            return 0

    return max(models, key=price, default="")


def _check_mode(options: Options, known: str | None = None) -> str:
    """Return `embedded` or `api`: whether the embedded emulator answers.

    Raises:
        RunDirectoryError: The run was started in the other mode.
    """
    base_url = options.base_url or os.environ.get("ANTHROPIC_BASE_URL")
    mode = "api" if base_url or has_credentials() else "embedded"
    if known == "embedded" and mode == "api":
        text = "this run is simulated (embedded emulator), and now a key or a base URL is set"
        raise RunDirectoryError(
            f"{text}; simulated and real answers are never mixed: unset it, or start a new run with another --out"
        )
    if known == "api" and mode == "embedded":
        raise RunDirectoryError("this run was started with a key or a base URL, and now neither is set; set it again")
    return mode


@dataclass
class _Session:
    """One process's work on a run directory."""

    directory: RunDirectory
    graphs: Mapping[Side, GraphSpec]
    options: Options
    watcher: Watcher
    retry: frozenset[str] = frozenset()
    detach: bool = False
    resumed: bool = False

    async def run(self, meta: dict[str, str]) -> Account:
        journal, options = self.directory.journal, self.options
        plans = make_plans(self.graphs)
        mode = meta.get("mode") or journal.meta("mode") or "api"
        with ExitStack() as stack:
            base_url, key = options.base_url, None
            if mode == "embedded":
                address = self.directory.path / "emulator.url"
                stack.callback(address.unlink, missing_ok=True)
                settings = EmulatorSettings(
                    directory=self.directory.path, batch_delay_s=options.batch_delay_s, latency_s=options.latency_s
                )
                base_url, key = stack.enter_context(in_thread(settings, answerer(plans))), "embedded-emulator"
                address.write_text(base_url + "\n", encoding="utf-8")  # so that its bill can be read from outside
            api = Api(base_url=base_url, api_key=key, connections=options.slots)
            try:
                await self._preflight(api, plans, journal)
                for name, value in meta.items():
                    journal.set_meta(name, value)
                journal.set_meta("offline", "true" if api.offline else "false")
                self.watcher.offline = api.offline
                return await self._work(api, plans, journal, embedded=mode == "embedded")
            finally:
                with anyio.CancelScope(shield=True):
                    await api.close()

    async def _preflight(self, api: Api, plans: Mapping[Side, SidePlan], journal: SqliteJournal) -> None:
        """Ask the free models endpoint whether key and models will do, and who answers.

        Raises:
            UsageError: The key is refused, a model does not exist, or nobody answers.
        """
        models = dict.fromkeys(
            node.spec.model for plan in plans.values() for node in plan.nodes.values() if node.spec is not None
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
                    f"nobody answers at {api.sdk.base_url}: {failure.message}; check --base-url and the network"
                )
        if missing:
            raise UsageError(f"the API knows no model {', '.join(map(repr, missing))}; correct the agent's model")
        known = journal.meta("offline")
        if known is not None and api.offline is not None and known != str(api.offline).lower():
            raise RunDirectoryError(
                "simulated and real answers are never mixed: this run was answered by the other kind; start a new one"
            )

    async def _work(
        self, api: Api, plans: Mapping[Side, SidePlan], journal: SqliteJournal, *, embedded: bool
    ) -> Account:
        options, run_id = self.options, journal.meta("run_id") or ""
        changed = self._changes(plans, journal)
        journal.start_session(now().timestamp(), options.channel, changed)
        if self.resumed:
            lost = journal.lose_open(now().timestamp())
            if lost:
                self.watcher.notes.append(
                    f"{lost} live requests were in flight when the last process ended: marked lost, asked again"
                )
            if changed:
                self.watcher.notes.append(changed)
        rows, form = Path(journal.meta("rows") or ""), format_of(Path(), journal.meta("format"))
        limit = None if options.budget_usd is None else pico_from_usd(options.budget_usd)
        budget = Budget(limit, spent(journal.db))
        params = self.graphs["fanout"].param_types
        types = RowTypes(params, options.id_field)
        settings = Settings(
            window_rows=options.slots * 2 if options.channel == "live" else 4_096,
            limit=options.limit,
            retry=self.retry,
            detach=self.detach,
            resumed=self.resumed,
        )
        sides = await anyio.to_thread.run_sync(self._sampler, rows, form, types)
        engine = Engine(plans, journal, types, settings, partial(_choose, options.channel), sides)
        policy = RetryPolicy()
        engine.live = Live(api, journal, budget, engine, run_id=run_id, slots=options.slots, policy=policy)
        grace_s = (
            0.0 if embedded else options.grace_s
        )  # an embedded emulator died with its client: nothing is on its way
        engine.batches = Batches(api, journal, budget, engine, run_id=run_id, policy=policy, grace_s=grace_s)
        for node in (node for plan in plans.values() for node in plan.nodes.values() if node.need is not None):
            for block in node.need.context if node.need is not None else ():
                journal.add_block(block.sha, block.name, block.text)
        journal.watch = self.watcher.ended
        if form == "jsonl":
            self.watcher.rows = await anyio.to_thread.run_sync(_lines, rows)
            if options.limit is not None:
                self.watcher.rows = min(self.watcher.rows, options.limit)
        self.watcher.engine, self.watcher.journal, self.watcher.budget = engine, journal, budget
        journal.set_meta("halted", "")
        started = time.time()
        try:
            await engine.run(read(rows, form))
        finally:
            with anyio.CancelScope(shield=True):
                await journal.commit()
            journal.set_meta("halted", engine.halted)
            cancelled = engine.ended == "completed" and (engine.open_rows or not engine.read_all)
            journal.end_session(max(now().timestamp(), started), "interrupted" if cancelled else engine.ended)
            if engine.read_all and self.options.limit is None and engine.ended == "completed":
                journal.drop_stale_rows()
            account = await self._account(api, journal)
        if engine.ended == "halted":
            raise HaltedError(engine.halted)
        return account

    async def _account(self, api: Api, journal: SqliteJournal) -> Account:
        bill: int | None = None
        if api.offline:
            with anyio.CancelScope(shield=True), anyio.move_on_after(30):
                try:
                    bill = int((await api.bill(journal.meta("run_id") or ""))["totals"]["pico"])
                except RequestError:
                    bill = None
        data = summary(journal.db, bill=bill)
        write_files(self.directory.path, journal.db, data)
        return Account(self.directory.path, data)

    def _changes(self, plans: Mapping[Side, SidePlan], journal: SqliteJournal) -> str:
        """Return what is different from the session before: nodes whose answers do not hold any more."""
        present = {f"{side} {path}": node.static for side, plan in plans.items() for path, node in plan.nodes.items()}
        before: dict[str, str] = json.loads(journal.meta("nodes") or "{}")
        journal.set_meta("nodes", json.dumps(present))
        if not before:
            return ""
        words = [f"{name} is new" for name in present if name not in before]
        words += [f"{name} has changed" for name in present if name in before and before[name] != present[name]]
        words += [f"{name} is gone" for name in before if name not in present]
        return f"changed since the last session: {', '.join(words)}" if words else ""

    def _sampler(self, rows: Path, form: Format, types: RowTypes) -> Callable[[Row], tuple[Side, ...]]:
        """Return which sides a row runs on; the sample is the rows with the least hash of their id."""
        both: tuple[Side, ...] = ("fanout", "baseline") if "baseline" in self.graphs else ("fanout",)
        sample = self.options.sample
        if sample is None or len(both) == 1:
            return lambda row: both

        def hashes() -> Iterator[str]:
            for count, record in enumerate(read(rows, form)):
                if self.options.limit is not None and count >= self.options.limit:
                    return
                row = types.check(record)
                if isinstance(row, Row):
                    yield digest(f"sample {row.row_id}")

        chosen = set(heapq.nsmallest(sample, hashes()))
        return lambda row: both if digest(f"sample {row.row_id}") in chosen else ("fanout",)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _choose(channel: ChannelChoice, call: Call, plan: NodePlan) -> Channel:
    return cheaper(call.compose(""), now()) if channel == "auto" else channel
