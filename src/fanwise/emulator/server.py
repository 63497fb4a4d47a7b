"""Starting and stopping: in this event loop, or on a thread of its own beside any program."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from aiohttp import web
from anyio.from_thread import start_blocking_portal

from .answers import Answerer, Answers
from .app import ApiRoutes
from .batches import BatchRegistry
from .cache import Cache
from .clock import Clock
from .control import ControlRoutes
from .faults import Faults
from .guard import LOOPBACK, Guard
from .limits import Level, Limiter
from .messages import Messages
from .processing import Processor
from .recording import RecordingProxy, Replay
from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """How an emulator behaves. The defaults are those of a quick, quiet API without limits."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: any free port."""
    token: str = ""
    """Asked of every caller, as its key; needed where `host` is no loopback address."""
    directory: Path | None = None
    """Where its state is kept; None: it is forgotten at the end."""
    latency_s: float = 0.0
    """Seconds between a request and its reply."""
    batch_delay_s: float = 0.0
    """Simulated seconds between the creation of a batch and its processing."""
    clock_speed: float = 1.0
    """Simulated seconds per real second."""
    level: Level | None = None
    """Usage tier of the API whose rate limits are kept; None: none are."""
    burst_s: float = 60.0
    """Seconds of refill that a rate limit's bucket holds."""
    ramp_limit: bool = False
    """Whether a sharp rise of requests is refused."""
    spend_limit_pico: int | None = None
    """Picodollars after which everything is refused until the month ends."""
    shared_cache: bool = False
    """Whether live calls and batches read each other's cache entries."""
    batch_self_reads: float = 0.0
    """Share of a batch's items that read what the same batch has written, 0 to 1."""
    batch_cancel_share: float = 0.0
    """Share of a batch's items that still succeed after it was cancelled, 0 to 1."""
    batch_cancel_s: float = 0.0
    """Simulated seconds in which a cancelled batch finishes what is in work."""
    keep_requests: int = 200
    """Requests that `GET /_emulator/requests` remembers."""
    record: Path | None = None
    """Folder to which exchanges with `upstream` are written; nothing is emulated then."""
    upstream: str = "https://api.anthropic.com"
    replay: Path | None = None
    """Folder of recorded exchanges that are answered from before anything is emulated."""


@asynccontextmanager
async def serve(settings: EmulatorSettings, answer: Answerer | None = None) -> AsyncGenerator[str]:
    """Run an emulator in this event loop (asyncio) and yield its base URL.

    Args:
        settings: How it behaves.
        answer: Gives the answer to a Messages body; None, or its result None: a valid value made
            from the request's schema.

    Raises:
        ValueError: It would listen beyond loopback without a token.
        OSError: The port is taken, or its state cannot be kept in its folder.
    """
    if settings.host not in LOOPBACK and not settings.token:
        raise ValueError(f"host {settings.host!r} is no loopback address: set a token that callers must send as key")
    path = None
    if settings.directory is not None:
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = settings.directory / "emulator.db"
    store = Store(path)
    recorder = RecordingProxy(settings.record, settings.upstream) if settings.record is not None else None
    api, processor = _assemble(settings, store, answer, recorder)
    # Whoever stops it wants no reply any more: a stalled stream must not hold it for a minute.
    runner = web.AppRunner(api.app(), access_log=None, shutdown_timeout=0.5)
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
        await site.start()
        port = runner.addresses[0][1]
        async with anyio.create_task_group() as group:
            group.start_soon(processor.run, name="emulator batches")
            try:
                yield f"http://{_in_url(settings.host)}:{port}"
            finally:
                group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()
            if recorder is not None:
                await recorder.close()
        try:
            store.close()
        except sqlite3.Error:  # the process is ending; the database is whole either way
            pass


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _assemble(
    settings: EmulatorSettings, store: Store, answer: Answerer | None, recorder: RecordingProxy | None
) -> tuple[ApiRoutes, Processor]:
    clock = Clock(float(store.get("clock_offset_s") or 0), settings.clock_speed)
    store.drop_expired(clock.now(), at_once=True)
    cache, faults, answers = Cache(store), Faults(clock.now), Answers(answer)
    messages = Messages(store, clock, cache, answers, shares=settings.shared_cache)
    batches = BatchRegistry(store, clock, settings.batch_delay_s, settings.batch_cancel_s)
    limiter = Limiter(
        level=settings.level,
        burst_s=settings.burst_s,
        ramp=settings.ramp_limit,
        spend_pico=settings.spend_limit_pico,
    )
    control = ControlRoutes(
        store=store, clock=clock, batches=batches, faults=faults, answers=answers, cache=cache,
        fingerprints=messages.fingerprints, token=settings.token, keep=settings.keep_requests,
    )  # fmt: skip
    replay = Replay(settings.replay) if settings.replay is not None else None
    api = ApiRoutes(
        messages, batches, faults, limiter, control,
        latency_s=settings.latency_s, token=settings.token, guard=Guard(settings.host), replay=replay,
        recorder=recorder,
    )  # fmt: skip
    processor = Processor(
        batches, messages, faults, self_reads=settings.batch_self_reads, cancel_share=settings.batch_cancel_share
    )
    return api, processor


@contextmanager
def in_thread(settings: EmulatorSettings, answer: Answerer | None = None) -> Generator[str]:
    """Run an emulator on a thread of its own and yield its base URL.

    Raises:
        ValueError: It would listen beyond loopback without a token.
        OSError: The port is taken.
    """
    with start_blocking_portal("asyncio", name="fanwise emulator") as portal:
        manager = portal.wrap_async_context_manager(serve(settings, answer))
        try:
            yield manager.__enter__()
        finally:
            # Not through `with`: the caller's own error would come back wrapped in a group.
            manager.__exit__(None, None, None)
