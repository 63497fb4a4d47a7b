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

from .answers import Answer
from .app import Api
from .batches import Batches
from .clock import Clock
from .control import Control
from .faults import Faults
from .messages import Messages
from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an emulator behaves."""

    host: str = "127.0.0.1"
    port: int = 0
    """0: any free port."""
    directory: Path | None = None
    """Where its state is kept; None: in memory."""
    latency_s: float = 0.0
    """Seconds between a request and its reply."""
    batch_delay_s: float = 0.0
    """Seconds between the creation of a batch and its processing."""


@asynccontextmanager
async def serve(settings: Settings, answer: Answer | None = None) -> AsyncGenerator[str]:
    """Run an emulator in this event loop (asyncio) and yield its base URL.

    Args:
        settings: How it behaves.
        answer: Gives the text of a reply for a Messages body; None, or its result None: a valid
            value made from the request's schema.

    Raises:
        OSError: The port is taken.
    """
    path = None
    if settings.directory is not None:
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = settings.directory / "emulator.db"
    store = Store(path)
    clock = Clock(float(store.get("clock_offset_s") or 0))
    store.drop_expired(clock.now())
    messages, faults = Messages(store, clock, answer), Faults()
    batches = Batches(store, clock, messages, faults, settings.batch_delay_s)
    control = Control(store, clock, batches, faults)
    runner = web.AppRunner(Api(messages, batches, faults, control, settings.latency_s).app(), access_log=None)
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
        await site.start()
        port = runner.addresses[0][1]
        async with anyio.create_task_group() as group:
            group.start_soon(batches.run, name="emulator batches")
            try:
                yield f"http://{settings.host}:{port}"
            finally:
                group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()
        try:
            store.close()
        except sqlite3.Error:  # the process is ending; the database is whole either way
            pass


@contextmanager
def in_thread(settings: Settings, answer: Answer | None = None) -> Generator[str]:
    """Run an emulator on a thread of its own and yield its base URL.

    Raises:
        OSError: The port is taken.
    """
    with start_blocking_portal("asyncio", name="fanwise emulator") as portal:
        manager = portal.wrap_async_context_manager(serve(settings, answer))
        try:
            yield manager.__enter__()
        finally:
            # Not through `with`: the caller's own error would come back wrapped in a group.
            manager.__exit__(None, None, None)
