"""`fanwise emulate`: the local Messages API on its own."""

from __future__ import annotations

import gc
import signal
from pathlib import Path

import anyio
import click

from fanwise.emulator.answers import Answerer
from fanwise.emulator.server import Settings, serve
from fanwise.engine.plan import make_plans
from fanwise.engine.standin import answerer
from fanwise.errors import UsageError
from fanwise.sides import graph_sides

from .common import told


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free one.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Loopback addresses only: the control routes have no password.",
)
@click.option(
    "--graph", default=None, help="Answer with the stand-ins of this graph, and of the baseline made from it."
)
@click.option(
    "--baseline",
    metavar="auto|GRAPH|none",
    default="auto",
    show_default=True,
    help="The baseline whose stand-ins answer too.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path),
    default=None,
    help="Keep its state here. [default: in memory]",
)
@click.option("--latency-s", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds for a reply.")
@click.option("--batch-delay-s", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds for a batch.")
def emulate(
    port: int,
    host: str,
    graph: str | None,
    baseline: str,
    directory: Path | None,
    latency_s: float,
    batch_delay_s: float,
) -> None:
    """Serve a simulated Messages API; point a client at it by --base-url or ANTHROPIC_BASE_URL."""
    with told():
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise UsageError(f"--host {host!r} is not a loopback address")
        answer = answerer(make_plans(graph_sides(graph, baseline))) if graph is not None else None
        settings = Settings(host=host, port=port, directory=directory, latency_s=latency_s, batch_delay_s=batch_delay_s)
        try:
            anyio.run(_serve, settings, answer)
        except OSError as error:
            raise UsageError(f"port {port} cannot be used: {error.strerror or error}") from None


async def _serve(settings: Settings, answer: Answerer | None) -> None:
    gc.collect()
    gc.freeze()  # what was imported stays; looking through it again costs a tenth of the time of a message
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with serve(settings, answer) as url:
            click.echo(url)
            click.echo(
                f"fanwise: simulated Messages API at {url}; bill at {url}/_emulator/bill; Ctrl-C ends it", err=True
            )
            async for _ in signals:
                return
