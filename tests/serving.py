"""Servers of the tests' own, each on a thread, over real HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiohttp import web
from anyio.from_thread import start_blocking_portal

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Let a function answer all that is asked at an address of its own, which is yielded."""
    app = web.Application(client_max_size=2**28)
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    with start_blocking_portal() as portal:
        url = portal.call(start)
        try:
            yield url
        finally:
            portal.call(runner.cleanup)
