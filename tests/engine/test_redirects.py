"""A server that names another address: nothing is sent there, neither the key nor a row, by whichever call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest
from aiohttp import web
from anthropic import AsyncAnthropic

from fanwise import Job, UsageError, agent, graph
from gateway import Gateway, gateway
from serving import serving
from support import DESK, bill, emulator, environment, fanwise, lines, read_only, summary, tickets

GRAPH = f"{DESK}:single"
STATUSES = (301, 302, 303, 307, 308)
ENV = environment(ANTHROPIC_API_KEY="k")
Where = Callable[[str, bytes], int | None]
"""Given the method and the path of a call, and its body, the status of its redirect; None: it is answered."""


class Place(NamedTuple):
    """A server that redirects, and the one that it names."""

    front: Gateway
    url: str
    """Of the other one."""
    came: list[str]
    """What the other one was asked."""


@contextmanager
def redirecting(upstream: str, where: Where, *, here: bool = False) -> Iterator[Place]:
    """Serve both; with `here` the redirects are to another path of the same server."""
    came: list[str] = []

    async def other(request: web.Request) -> web.Response:
        came.append(f"{request.method} {request.path} {dict(request.headers)} {await request.read()!r}")
        return web.json_response({})

    def refuse(path: str, asked: bytes) -> tuple[int, bytes, dict[str, str]] | None:
        status = None if "/elsewhere" in path else where(path, asked)
        to = "/elsewhere" if here else f"{url.replace('//', '//me:open-sesame@')}/elsewhere?key=open-sesame"
        return None if status is None else (status, b"<html>moved</html>", {"location": to})

    with serving(other) as url, gateway(upstream, refuse=refuse) as front:
        yield Place(front, url, came)


def holds_secret(folder: Path) -> bool:
    return any(b"open-sesame" in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def shown(out: Path) -> str:
    with read_only(out / "journal.db") as db:
        return "\n".join(row[0] for row in db.execute("SELECT message FROM tasks WHERE kind='redirected'"))


def run(rows: Path, out: Path, url: str, channel: str) -> tuple[int, str]:
    call = ("--rows", rows, "--out", out, "--channel", channel, "--base-url", url, "--yes", "--slots", 1)
    ended = fanwise("run", GRAPH, *call, env=ENV)
    assert "open-sesame" not in ended.stdout + ended.stderr and "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr + ended.stdout


@pytest.mark.parametrize("here", [False, True])
def test_a_live_call_that_is_redirected_costs_its_row(tmp_path: Path, *, here: bool) -> None:
    """The HTTP client of the SDK followed each: key, row and prompt were sent to whatever host the answer named.

    The first call goes through the SDK, the others follow it.
    """
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    data = [{"id": f"t{status}", "subject": f"<<{status}>>", "body": ""} for status in (200, *STATUSES)]
    rows.write_text("\n".join(map(json.dumps, data)), encoding="utf-8")

    def where(path: str, asked: bytes) -> int | None:
        status = next((status for status in STATUSES if b"<<%d>>" % status in asked), None)
        return status if path == "POST /v1/messages" else None

    with emulator(graph=GRAPH) as upstream, redirecting(upstream, where, here=here) as place:
        status, said = run(rows, out, place.front.url, "live")
        address = place.front.url if here else place.url.replace("//", "//***@")
        assert not any("elsewhere" in path for path in place.front.asked)
    assert (status, place.came) == (1, []), said
    assert summary(out)["failed_tasks"] == {"redirected": len(STATUSES)}
    results = lines(out / "results.jsonl")
    assert [line["id"] for line in results if line["status"] == "succeeded"] == ["t200"]
    assert f"redirects to '{address}/elsewhere" in shown(out), results
    assert not holds_secret(out)


@pytest.mark.parametrize(
    ("call", "said"),
    [("POST /v1/messages/batches", "no redirect is followed"), ("GET /v1/messages/batches/", "batch msgbatch_"),
     ("/results", "results of batch")],
)  # fmt: skip
def test_batches_that_are_redirected_halt_the_run_which_goes_on_without_paying_twice(
    tmp_path: Path, call: str, said: str
) -> None:
    """Results that stand elsewhere were given up after ten minutes, and their rows with them."""
    rows, out = tickets(tmp_path / "rows.jsonl", 4), tmp_path / "run"
    away = True

    def where(path: str, asked: bytes) -> int | None:
        return 307 if away and call in path else None

    with emulator(graph=GRAPH) as upstream, redirecting(upstream, where) as place:
        status, words = run(rows, out, place.front.url, "batch")
        assert (status, place.came) == (3, []), words
        assert said in words and "redirects to" in words and "0 failed" in words, words
        away = False
        ended = fanwise("resume", out, "--base-url", place.front.url, "--yes", env=ENV)
        assert ended.returncode == 0, ended.stderr
        assert bill(upstream)["totals"]["pico"] == Decimal(summary(out)["cost_usd"]) * 10**12
    account = summary(out)
    assert (account["rows"]["succeeded"], account["cost_usd"]) == (4, account["bill_usd"])
    assert not holds_secret(out)


def test_a_server_that_redirects_all_is_refused_before_a_row_is_sent(tmp_path: Path) -> None:
    """As where http is written of a server that takes https."""
    rows, out = tickets(tmp_path / "rows.jsonl", 2), tmp_path / "run"
    with emulator(graph=GRAPH) as upstream, redirecting(upstream, lambda path, asked: 301) as place:
        status, words = run(rows, out, place.front.url, "live")
        assert not any(path.startswith("POST") for path in place.front.asked)
    assert (status, place.came) == (2, [])
    assert "redirects to" in words and "--base-url" in words and not out.exists()


@agent(model="claude-haiku-5-5", max_tokens=50)
def read(text: str) -> str:
    """Read the text."""
    return f"read: {text}"


@graph
def job(text: str) -> str:
    return read(text)


def test_a_client_that_was_passed_in_follows_none_either(tmp_path: Path) -> None:
    with emulator() as upstream, redirecting(upstream, lambda path, asked: 308) as place:

        async def work() -> None:
            async with AsyncAnthropic(api_key="k", base_url=place.front.url) as client:
                await Job(job, rows=[{"text": "x"}], out=tmp_path / "run", client=client, channel="live").run()

        with pytest.raises(UsageError, match="no redirect is followed"):
            anyio.run(work)
        assert place.came == []
