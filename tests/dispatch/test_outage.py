"""An outage is no row's fault: the run pauses, one request at a time tries, and no attempt is used up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import anyio
import httpx2
import pytest
from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient
from notes import job

from fanwise import Account, Emulator, HaltedError, Job, resume
from fanwise.api.failures import Failure
from fanwise.dispatch.errand import Ask, Errand, never_composed
from fanwise.dispatch.outage import IN_A_ROW, Outage
from fanwise.dispatch.retry import RetryPolicy
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from support import DESK, emulated, environment, fanwise, post, summary, tickets

AWAY = Failure(verdict="retry", kind="overloaded_error", message="away", status=529)


def test_an_outage_fails_no_row(tmp_path: Path) -> None:
    """Five minutes of refused connections failed all rows that were in work."""
    rows, out = tickets(tmp_path / "rows.jsonl", 6), tmp_path / "run"
    with emulated(graph=f"{DESK}:single") as server:
        post(f"{server.url}/_emulator/faults", {"status": 500, "path": "/v1/messages", "count": 12})
        call = ("--channel", "live", "--base-url", server.url)
        env = environment(ANTHROPIC_API_KEY="k")
        ended = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", out, *call, env=env)
    assert ended.returncode == 0, ended.stderr
    assert "the run pauses" in ended.stderr
    assert "the run goes on" in ended.stderr
    assert summary(out)["rows"]["succeeded"] == 6


class Heard:
    """Who is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.halted = ""

    def note(self, text: str) -> None:
        self.notes.append(text)

    def halt(self, reason: str) -> None:
        self.halted = reason


def errand(number: int) -> Errand:
    ask = Ask(f"key {number}", number, "answer", "answer")
    return Errand(role=None, asks=(ask,), compose=never_composed)  # type: ignore[arg-type] - nothing asks for it


@pytest.mark.parametrize("requests", [2, 3])
def test_it_takes_three_requests_and_uses_up_no_attempt(requests: int) -> None:
    async def fails() -> tuple[list[int], int]:
        outage = Outage(Heard(), RetryPolicy(random=Random(1)), lambda errand: None)  # type: ignore[arg-type]
        errands = [errand(number) for number in range(requests)]
        for turn in range(IN_A_ROW):
            errands[turn % requests].begin(turn + 1)
            outage.failed(errands[turn % requests], AWAY)
        return [errand.tries for errand in errands], len(outage)

    assert anyio.run(fails) == (([5, 5], 0) if requests == 2 else ([0, 0, 0], 1))


def test_an_outage_that_lasts_is_given_up() -> None:
    heard = Heard()

    async def lasts() -> None:
        outage = Outage(heard, RetryPolicy(give_up_s=0, first_s=0), lambda errand: None)  # type: ignore[arg-type]
        errands = [errand(number) for number in range(3)]
        for turn in range(IN_A_ROW):
            outage.failed(errands[turn % 3], AWAY)
        assert outage.holds(errands[1])
        with anyio.move_on_after(0.01):
            await outage.probes.run()
        outage.failed(errands[0], AWAY)

    anyio.run(lasts)
    assert "has not answered for" in heard.halted


# What breaks in this process ---------------------------------------------------------------------------

ROWS = [{"id": number, "text": f"note number {number}."} for number in range(24)]


class Breaking(httpx2.AsyncHTTPTransport):
    """Speaks to a server until something breaks here, in requests that say a word."""

    def __init__(self, word: bytes, error: type[Exception]) -> None:
        super().__init__()
        self.word, self.error = word, error

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.word and request.method == "POST" and self.word in await request.aread():
            raise self.error("of this process")
        return await super().handle_async_request(request)


def work(url: str, transport: Breaking, use: Callable[[AsyncAnthropic], Awaitable[Account]]) -> Account:
    async def work() -> Account:
        http = DefaultAsyncHttpxClient(transport=transport)
        async with AsyncAnthropic(api_key="k", base_url=url, http_client=http) as client:
            with anyio.fail_after(20):
                return await use(client)

    return anyio.run(work)


@pytest.mark.parametrize("error", [RecursionError, MemoryError, KeyError])
def test_what_breaks_in_this_process_fails_its_task_and_is_not_waited_for(tmp_path: Path, error: Any) -> None:
    """Found: a step had set a recursion limit; the run said that the API did not answer, and waited for an hour."""
    with Emulator(answer=answerer(build_arms({"fanout": job.spec}))) as server:
        account = work(
            server.url, Breaking(b"number 7.", error),
            lambda client: Job(job, rows=ROWS, out=tmp_path / "run", client=client, channel="live").run(),
        )  # fmt: skip
    failed = [line for line in account.results() if line["status"] == "failed"]
    assert [line["id"] for line in failed] == ["7"]
    assert "internal_error" in failed[0]["reason"] and f"{error.__name__}: " in failed[0]["reason"]
    assert failed[0]["attempts_of_unknown_cost"] == 1, "nobody knows whether it was billed"
    assert account.summary["rows"]["succeeded"] == len(ROWS) - 1


@pytest.mark.parametrize(("channel", "word"), [("live", b"note"), ("batch", b'"requests"')])
def test_where_all_breaks_in_this_process_the_run_halts(tmp_path: Path, channel: Any, word: bytes) -> None:
    said = "20 requests in a row failed" if channel == "live" else "a batch could not be created: internal_error"
    with Emulator(answer=answerer(build_arms({"fanout": job.spec}))) as server:
        transport, out = Breaking(word, RecursionError), tmp_path / "run"
        with pytest.raises(HaltedError, match=f"{said}.*RecursionError"):
            work(
                server.url, transport,
                lambda client: Job(job, rows=ROWS, out=out, client=client, channel=channel).run(),
            )  # fmt: skip
        assert summary(out)["rows"]["failed"] == 0
        transport = Breaking(b"", RecursionError)
        account = work(server.url, transport, lambda client: resume(out, graph=job, client=client, grace_s=0.0))
    assert account.summary["rows"]["succeeded"] == len(ROWS)
