"""Nobody answers what is asked about batches: no row fails by it, nothing is paid twice, and the run ends in time."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import anyio
import pytest
from notes import job

from fanwise import Emulator, HaltedError, Job, resume
from fanwise.api.failures import Failure
from fanwise.dispatch import polling, retry, submitting
from fanwise.dispatch.retry import RetryPolicy
from fanwise.dispatch.silence import SAID_AT, Silence
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from gateway import Gateway, gateway
from support import DESK, emulated, environment, journal_value, post, started, tickets, wait_for

ROWS = [{"id": number, "text": f"note number {number}"} for number in range(4)]
CREATE, LIST, POLL, RESULTS = "POST /v1/messages/batches", "GET /v1/messages/batches", "msgbatch_", "/results"
KINDS = {413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}


class Away:
    """Answers calls with a status, so many times; a create whose reply is lost is taken all the same."""

    def __init__(self, call: str, status: int, times: int) -> None:
        self.call, self.status, self.times = call, status, times
        self.loses_create = call == LIST

    def refuse(self, path: str, _: bytes) -> tuple[int, bytes, dict[str, str]] | None:
        is_meant = path == self.call if self.call in (CREATE, LIST) else self.call in path
        if self.call == POLL:
            is_meant = is_meant and not path.endswith(RESULTS)
        if not is_meant or self.times <= 0:
            return None
        self.times -= 1
        return self.status, error(self.status), {}

    def tamper(self, path: str, asked: bytes, _: bytes) -> tuple[int, bytes] | None:
        if not (self.loses_create and path.endswith("/batches") and asked):
            return None
        self.loses_create = False
        return 500, error(500)


def error(status: int) -> bytes:
    return json.dumps({"type": "error", "error": {"type": KINDS[status], "message": "away"}}).encode()


class Servers(NamedTuple):
    front: Gateway
    emulator: Emulator


@contextmanager
def served(away: Away) -> Iterator[Servers]:
    with (
        Emulator(answer=answerer(build_arms({"fanout": job.spec}))) as emulator,
        gateway(emulator.url, refuse=away.refuse, tamper=away.tamper) as front,
    ):
        yield Servers(front, emulator)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setattr(submitting, "LINGER_S", 0.01)
    monkeypatch.setattr(retry, "FIRST_S", 0.005)
    monkeypatch.setattr(retry, "LONGEST_S", 0.01)
    monkeypatch.setattr(polling, "OFFLINE_S", (0.02, 0.02))  # longer than the grace: dates are whole seconds


def fields(servers: Servers, out: Path, **more: Any) -> dict[str, Any]:
    return {"out": out, "base_url": servers.front.url, "grace_s": 0.01, **more}


@pytest.mark.parametrize(
    ("call", "status", "times", "what"),
    [
        (CREATE, 529, 12, "no batch could be created"),
        (CREATE, 500, 7, "no batch could be created"),
        (CREATE, 429, 42, "no batch could be created"),
        (LIST, 500, 8, "batches could not be looked at"),
        (POLL, 500, 12, "batches could not be looked at"),
        (POLL, 429, 12, "batches could not be looked at"),
        (RESULTS, 529, 12, "batches could not be looked at"),
    ],
)
def test_an_outage_fails_no_row_and_is_said_once(tmp_path: Path, call: str, status: int, times: int, what: str) -> None:
    """Creates that were answered 500 six times, or 429 forty times, failed all rows; of none was a word said."""
    away = Away(call, status, times)
    with served(away) as servers:
        account = Job(job, rows=ROWS, channel="batch", **fields(servers, tmp_path / "run")).run_sync()
        paid = len(servers.emulator.bill()["entries"])
    assert (away.times, paid, account.summary["rows"]["succeeded"]) == (0, 4, 4)
    assert account.summary["cost_usd"] == account.summary["bill_usd"]
    notes = [note for note in account.summary["notes"] if what in note or "again after" in note]
    assert len(notes) == 2, account.summary["notes"]
    assert f"{what} ({KINDS[status]}: away)" in notes[0] and "no row fails by it" in notes[0]


@pytest.mark.parametrize(
    ("call", "status"), [(CREATE, 529), (CREATE, 500), (CREATE, 429), (LIST, 500), (POLL, 500), (RESULTS, 500)]
)
def test_it_is_given_up_in_time_and_gone_on_with(tmp_path: Path, call: str, status: int) -> None:
    """Polls, and the list that a lost create is looked for in, were asked for without end and without a word."""
    away, out = Away(call, status, 10**6), tmp_path / "run"
    with served(away) as servers:
        work = Job(job, rows=ROWS, channel="batch", give_up_after="0.2s", **fields(servers, out))
        with pytest.raises(HaltedError, match=rf"for 0 minutes \({KINDS[status]}: away\); no row has failed by it"):
            work.run_sync()
        away.times = 0
        account = anyio.run(lambda: resume(out, graph=job, base_url=servers.front.url, grace_s=0.01))
        paid = len(servers.emulator.bill()["entries"])
    assert (paid, account.summary["rows"]["succeeded"]) == (4, 4)
    assert account.summary["cost_usd"] == account.summary["bill_usd"]


def test_a_short_reading_after_an_outage_is_read_again(tmp_path: Path) -> None:
    """Readings that nobody answered counted as such: the first that came was believed, however short."""
    away = Away(RESULTS, 500, 6)

    def shorten(path: str, asked: bytes, body: bytes) -> tuple[int, bytes] | None:
        if not path.endswith(RESULTS) or away.loses_create:
            return None
        away.loses_create = True
        return 200, body[: body.index(b"\n") + 1]

    with served(away) as servers:
        servers.front.tamper = shorten
        account = Job(job, rows=ROWS, channel="batch", **fields(servers, tmp_path / "run")).run_sync()
    assert account.summary["rows"]["succeeded"] == 4


def test_a_queue_that_our_own_batches_fill_is_waited_for(tmp_path: Path) -> None:
    """It has room again when they end, which may take a day: two batches of two rows, the second one refused."""
    polls, answers = 0, [413, 200]

    def refuse(path: str, _: bytes) -> tuple[int, bytes, dict[str, str]] | None:
        if path != CREATE:
            return None
        status = answers.pop(0) if answers else 429 if polls < 25 else 200
        return None if status == 200 else (status, error(status), {})

    def slow(path: str, _: bytes, body: bytes) -> tuple[int, bytes] | None:
        nonlocal polls
        polls += POLL in path
        is_open = POLL in path and not path.endswith(RESULTS) and polls < 25
        return (200, body.replace(b'"ended"', b'"in_progress"')) if is_open else None

    with served(Away(CREATE, 429, 0)) as servers:
        servers.front.refuse, servers.front.tamper = refuse, slow
        work = Job(job, rows=ROWS, channel="batch", give_up_after="0.1s", **fields(servers, tmp_path / "run"))
        account = work.run_sync()
    assert (answers, account.summary["rows"]["succeeded"]) == ([], 4)


def test_ctrl_c_ends_a_run_that_waits_for_an_outage(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 3), tmp_path / "run"
    with emulated(graph=f"{DESK}:single") as server:
        post(f"{server.url}/_emulator/faults", {"status": 529, "path": "/v1/messages/batches"})
        call = ("--channel", "batch", "--base-url", server.url)
        env = environment(ANTHROPIC_API_KEY="k")
        run = started("run", f"{DESK}:single", "--rows", rows, "--out", out, *call, env=env)
        wait_for(lambda: (journal_value(out, "SELECT COUNT(*) FROM ends") or 0) >= 6, "two creates that have failed")
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=30) == 130


def test_a_second_ctrl_c_ends_a_run_at_once_whose_create_hangs(tmp_path: Path) -> None:
    """A create is not cut off, so that no intent is left open: a server that never answers must not hold who leaves."""
    rows, out = tickets(tmp_path / "rows.jsonl", 3), tmp_path / "run"
    with emulated(graph=f"{DESK}:single") as server:
        post(f"{server.url}/_emulator/faults", {"latency_s": 600, "path": "/v1/messages/batches", "count": 1})
        call = ("--channel", "batch", "--base-url", server.url)
        env = environment(ANTHROPIC_API_KEY="k")
        command = ("run", f"{DESK}:single", "--rows", rows, "--out", out, *call)
        with started(*command, env=env, stderr=subprocess.PIPE) as run:
            assert run.stderr is not None
            wait_for(lambda: journal_value(out, "SELECT COUNT(*) FROM batches WHERE state='intent'"), "an intent")
            run.send_signal(signal.SIGINT)
            assert any("press again" in line for line in run.stderr)
            run.send_signal(signal.SIGINT)
            assert run.wait(10) == 130
            assert f"go on with: fanwise resume {out}" in run.stderr.read()


class Heard:
    """Who is told."""

    def __init__(self) -> None:
        self.notes = list[str]()
        self.halted = ""

    def note(self, text: str) -> None:
        self.notes.append(text)

    def halt(self, reason: str) -> None:
        self.halted = reason


def test_failures_that_pass_are_not_said() -> None:
    heard, away = Heard(), Failure(verdict="retry", kind="api_error", message="away", status=500)

    async def passes() -> None:
        silence = Silence(heard, RetryPolicy(random=Random(1)), what="nothing", ends="something")  # type: ignore[arg-type]
        for _ in range(5):
            for _ in range(SAID_AT - 1):
                silence.failed(away)
            silence.answered()

    anyio.run(passes)
    assert (heard.notes, heard.halted) == ([], "")
