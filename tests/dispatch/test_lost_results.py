"""Results of batches that are short, odd or gone: each row has an outcome, and nothing is paid twice unasked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from notes import job

from fanwise import Emulator, HaltedError, Job, resume
from fanwise.dispatch import polling, submitting
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from gateway import gateway

ROWS = [{"id": number, "text": f"note number {number}"} for number in range(6)]
Lines = list[bytes]
ADDED = [
    b'{"custom_id": "x", "result": {"type": "succeeded", "mess', b'{"result": {"type": "expired"}}',
    b'{"custom_id": "somebody-else-1", "result": null}', b"[1, 2]", b"<html>", b'{"custom_id": 7}', b"[" * 100_000,
]  # fmt: skip


class Results:
    """Changes the lines of results, or answers something else, so many times."""

    def __init__(self, change: Callable[[Lines], Lines | tuple[int, bytes]], times: int = 10**6) -> None:
        self.change, self.times = change, times

    def __call__(self, path: str, asked: bytes, body: bytes) -> tuple[int, bytes] | None:
        if not path.endswith("/results") or self.times <= 0:
            return None
        self.times -= 1
        changed = self.change(body.splitlines())
        return changed if isinstance(changed, tuple) else (200, b"\n".join(changed) + b"\n")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setattr(submitting, "LINGER_S", 0.02)
    monkeypatch.setattr(polling, "ABSENT_OFFLINE_S", 0.1)


class Ended(NamedTuple):
    """How a run in batches has ended."""

    status: list[str]
    """Of each row."""
    reasons: list[str]
    summary: dict[str, Any]
    paid: int
    """Answers on the bill."""


def ended(out: Path, results: Results, *faults: dict[str, Any], again: bool = False) -> Ended:
    """Carry out the rows in batches; or go on with them after that, with what was lost and nothing wrong any more."""
    with Emulator(answer=answerer(build_arms({"fanout": job.spec}))) as emulator:
        for fault in faults:
            emulator.fault(**fault)
        with gateway(emulator.url, tamper=results) as server:
            account = Job(job, rows=ROWS, out=out, channel="batch", base_url=server.url).run_sync()
            if again:
                results.times = 0
                account = anyio.run(lambda: resume(out, graph=job, base_url=server.url, retry=["results_lost"]))
        lines = list(account.results())
        reasons = [line.get("reason", "") for line in lines]
        return Ended([line["status"] for line in lines], reasons, account.summary, len(emulator.bill()["entries"]))


def test_odd_lines_among_results_cost_nothing(tmp_path: Path) -> None:
    odd = ended(tmp_path / "run", Results(lambda lines: [*ADDED, *lines[:3], *ADDED, *lines]))
    assert (odd.status, odd.paid) == (["succeeded"] * 6, 6)


def test_a_short_first_reading_is_read_again(tmp_path: Path) -> None:
    """Three answers that were paid were asked and paid a second time."""
    short = ended(tmp_path / "run", Results(lambda lines: lines[:3], times=2))
    assert (short.status, short.paid) == (["succeeded"] * 6, 6)
    assert short.summary["attempts"]["lost"] == 0


def lossy(lines: Lines) -> Lines:
    """Three results, one without its id and one that says nothing; the sixth is missing."""
    nameless = json.dumps({**json.loads(lines[3]), "custom_id": None}).encode()
    return [*lines[:3], nameless, json.dumps({**json.loads(lines[4]), "result": {"type": "new"}}).encode()]


def test_what_was_paid_and_never_comes_is_not_asked_again_unasked(tmp_path: Path) -> None:
    out = tmp_path / "run"
    lost = ended(out, Results(lossy))
    assert (sorted(lost.status), lost.paid) == (["failed"] * 3 + ["succeeded"] * 3, 6)
    assert lost.summary["failed_tasks"] == {"results_lost": 3}
    assert lost.summary["attempts"]["lost"] == 3, "what they took is not known"
    assert any("gives no result for 3 of 6 requests" in note for note in lost.summary["notes"])


def test_results_that_are_gone_end_the_run_and_are_asked_again_on_demand(tmp_path: Path) -> None:
    """The run asked for them without end."""
    body = b'{"type":"error","error":{"type":"not_found_error","message":"29 days have passed"}}'
    gone = ended(tmp_path / "gone", Results(lambda _: (410, body)))
    assert (gone.status, gone.paid) == (["failed"] * 6, 6)
    assert all("29 days have passed" in reason for reason in gone.reasons)
    again = ended(tmp_path / "again", Results(lambda _: (404, body)), again=True)
    assert (again.status, again.paid) == (["succeeded"] * 6, 12)


def test_what_has_no_result_and_was_not_paid_is_asked_again(tmp_path: Path) -> None:
    def without_expired(lines: Lines) -> Lines:
        return [line for line in lines if b'"expired"' not in line]

    free = ended(tmp_path / "run", Results(without_expired), {"item": "expired", "count": 2})
    assert (free.status, free.paid) == (["succeeded"] * 6, 6)
    assert free.summary["attempts"]["lost"] == 0
    assert free.summary["cost_usd"] == free.summary["bill_usd"]


def test_an_item_that_says_that_the_credit_is_used_up_halts(tmp_path: Path) -> None:
    """Its rows failed for good."""
    text = "Your credit balance is too low to access the Anthropic API."

    def no_credit(lines: Lines) -> Lines:
        error = {"type": "error", "error": {"type": "invalid_request_error", "message": text}}
        return [
            json.dumps(json.loads(line) | {"result": {"type": "errored", "error": error}}).encode() for line in lines
        ]

    results, answer = Results(no_credit), answerer(build_arms({"fanout": job.spec}))
    with Emulator(answer=answer) as emulator, gateway(emulator.url, tamper=results) as server:
        with pytest.raises(HaltedError, match="credit balance is too low"):
            Job(job, rows=ROWS, out=tmp_path / "run", channel="batch", base_url=server.url).run_sync()
        results.times = 0
        account = anyio.run(lambda: resume(tmp_path / "run", graph=job, base_url=server.url))
    assert [line["status"] for line in account.results()] == ["succeeded"] * 6
