"""`fanwise emulate`: the local Messages API on its own."""

from __future__ import annotations

import gc
import signal
from typing import Any

import anyio
import click

from fanwise.addresses import address_problem
from fanwise.emulator.answers import Answerer
from fanwise.emulator.server import LOOPBACK, EmulatorSettings, serve
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.engine.toolbox import list_tools
from fanwise.errors import UsageError
from fanwise.job.arms import arms_of

from .command import Command, Dollars, FiniteNumber, Folder
from .saying import echo
from .signals import heard

LONGEST_S = 366 * 24 * 3600
"""Of a delay, in seconds: no batch and no run is longer."""
FASTEST = 1e6
"""Simulated seconds a second: a year in half a minute."""


@click.command(cls=Command)
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Beyond loopback --token is needed.")
@click.option("--token", default="", help="Callers must send it as their key, and to the control routes.")
@click.option("--graph", default=None, help="Answer with the stand-ins of this graph, and of its baseline.")
@click.option(
    "--baseline",
    metavar="auto|auto:thinking|GRAPH|none",
    default="auto",
    show_default=True,
    help="Whose stand-ins answer too.",
)
@click.option("--dir", "directory", type=Folder(), default=None, help="Keep its state here. [default: forget it]")
@click.option(
    "--latency-s", type=FiniteNumber(0, LONGEST_S), default=0.0, show_default=True, help="Seconds for a reply."
)
@click.option(
    "--batch-delay-s",
    type=FiniteNumber(0, LONGEST_S),
    default=0.0,
    show_default=True,
    help="Seconds for a batch.",
)
@click.option(
    "--clock-speed",
    type=FiniteNumber(0, FASTEST, min_open=True),
    default=1.0,
    show_default=True,
    help="Simulated seconds a second.",
)
@click.option(
    "--level",
    type=click.Choice(["start", "build", "scale"]),
    default=None,
    help="Whose rate limits to keep. [default: none]",
)
@click.option(
    "--burst-s",
    type=FiniteNumber(0, LONGEST_S, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds of refill that a limit holds.",
)
@click.option("--ramp-limit", is_flag=True, help="Refuse a sharp rise of requests.")
@click.option(
    "--spend-limit-usd",
    type=Dollars(),
    metavar="X",
    default=None,
    help="Refuse everything beyond this until the month ends.",
)
@click.option("--shared-cache", is_flag=True, help="Let live calls and batches read each other's cache.")
@click.option(
    "--batch-self-reads",
    type=FiniteNumber(0, 1),
    default=0.0,
    show_default=True,
    help="Share of a batch that reads what it wrote.",
)
@click.option(
    "--record", type=Folder(), default=None, help="Send requests on to --upstream and write the exchanges here."
)
@click.option(
    "--upstream", metavar="URL", default="https://api.anthropic.com", show_default=True, help="Whom --record asks."
)
@click.option("--replay", type=Folder(exists=True), default=None, help="Answer from recorded exchanges first.")
def emulate(graph: str | None, baseline: str, spend_limit_usd: int | None, **options: Any) -> None:
    """Serve a simulated Messages API; point a client at it by --base-url or ANTHROPIC_BASE_URL.

    Control: GET /_emulator/bill, requests, rules; POST /_emulator/faults, answers, clock, reset.
    """
    if problem := address_problem(options["upstream"]):
        raise UsageError(f"--upstream: {problem}")
    settings = EmulatorSettings(**options, spend_limit_pico=spend_limit_usd)
    if settings.host not in LOOPBACK and not settings.token:
        raise UsageError(f"--host {settings.host!r} is no loopback address; add --token, which callers send as key")
    answer = None
    if graph is not None:
        arms = arms_of(graph, baseline)
        answer = answerer(build_arms(arms, toolbox=list_tools(arms.values())))
    try:
        anyio.run(_serve, settings, answer)
    except OSError as error:
        place = f"port {settings.port} of {settings.host}" if error.filename is None else error.filename
        raise UsageError(f"{place} cannot be used: {error.strerror or error}; choose another") from None
    except UnicodeError:
        raise UsageError(f"--host {settings.host[:80]!r} is no name of a host; write one, or an address") from None


async def _serve(settings: EmulatorSettings, answer: Answerer | None) -> None:
    gc.collect()
    gc.freeze()  # what was imported stays, and a message leaves few cycles behind: looking through all of
    gc.set_threshold(20_000, 20, 20)  # it after every other message would cost a tenth of its time
    with heard(signal.SIGINT, signal.SIGTERM) as signals:
        async with serve(settings, answer) as url:
            echo(url)
            kind = f"records exchanges with {settings.upstream}" if settings.record else "simulated Messages API"
            echo(f"fanwise: {kind} at {url}; bill at {url}/_emulator/bill; Ctrl-C ends it", err=True)
            async for _ in signals:
                return
