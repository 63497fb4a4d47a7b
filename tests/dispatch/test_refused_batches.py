"""What a refusal is about: the batch as a whole, the workspace, or how long nobody is to come."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from notes import job

from fanwise import Emulator, HaltedError, Job
from fanwise.dispatch import submitting
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from gateway import gateway
from support import read_only

ROWS = [{"id": number, "text": f"note number {number}"} for number in range(10)]
Refusal = tuple[int, bytes, dict[str, str]]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setattr(submitting, "LINGER_S", 0.02)


def error(kind: str, message: str, code: str = "") -> bytes:
    details = {"details": {"error_code": code}} if code else {}
    return json.dumps({"type": "error", "error": {"type": kind, "message": message, **details}}).encode()


def carried_out(out: Path, refuse: Callable[[str, bytes], Refusal | None], **options: Any) -> Any:
    with (
        Emulator(answer=answerer(build_arms({"fanout": job.spec}))) as emulator,
        gateway(emulator.url, refuse=refuse) as server,
    ):
        fields: dict[str, Any] = {"rows": ROWS, "out": out, "base_url": server.url, **options}
        return Job(job, **fields).run_sync()


def requests(path: str, asked: bytes) -> list[Any]:
    return json.loads(asked)["requests"] if path == "POST /v1/messages/batches" else []


def test_a_batch_that_is_too_large_is_cut_in_halves(tmp_path: Path) -> None:
    """All of its rows failed. What is too large for itself fails alone."""
    sizes = list[int]()
    page, words = b"<html>413 Request Entity Too Large</html>", error("invalid_request_error", "batch is too large")

    def refuse(path: str, asked: bytes) -> Refusal | None:
        batch = requests(path, asked)
        sizes.extend([len(batch)] if batch else [])
        is_too_large = len(batch) > 2 or any("number 3" in json.dumps(request) for request in batch)
        return ((413, page, {}) if len(sizes) % 2 else (400, words, {})) if is_too_large else None

    account = carried_out(tmp_path / "run", refuse, rows=ROWS[:4], channel="batch")
    ended = [line["status"] for line in account.results()]
    assert ended == ["succeeded"] * 3 + ["failed"]
    assert sizes[:2] == [4, 2]
    assert account.summary["cost_usd"] == account.summary["bill_usd"]
    with read_only(tmp_path / "run" / "journal.db") as db:
        assert db.execute("SELECT COUNT(*) FROM ends WHERE status='succeeded'").fetchone()[0] == 3


NO_REVIEW = error("invalid_request_error", "human review is disabled", "workspace_human_review_disabled")


@pytest.mark.parametrize(("channel", "budget"), [("batch", "1"), ("auto", None)])
def test_where_no_batch_is_taken_the_run_halts(tmp_path: Path, channel: str, budget: str | None) -> None:
    def refuse(path: str, asked: bytes) -> Refusal | None:
        return (400, NO_REVIEW, {}) if requests(path, asked) else None

    with pytest.raises(HaltedError, match="human review is disabled; resume with --channel live"):
        carried_out(tmp_path / "run", refuse, channel=channel, budget_usd=budget)


def test_where_a_budget_bounds_it_the_rest_goes_live(tmp_path: Path) -> None:
    def refuse(path: str, asked: bytes) -> Refusal | None:
        return (400, NO_REVIEW, {}) if requests(path, asked) else None

    account = carried_out(tmp_path / "run", refuse, channel="auto", budget_usd="1")
    assert {line["status"] for line in account.results()} == {"succeeded"}
    assert any("what is left goes live" in note for note in account.summary["notes"])


@pytest.mark.parametrize(
    ("channel", "status", "after", "deadline", "words"),
    [
        ("live", 429, "90000", None, "in 25.0 hours, at 2"),
        ("batch", 429, "90000", None, "in 25.0 hours, at 2"),
        ("batch", 529, "90000", None, "in 25.0 hours, at 2"),
        ("batch", 503, "90000", None, "in 25.0 hours, at 2"),
        ("batch", 409, "90000", None, "in 25.0 hours, at 2"),
        ("batch", 408, "90000", None, "in 25.0 hours, at 2"),
        ("live", 409, "90000", None, "in 25.0 hours, at 2"),
        ("live", 429, "Wed, 21 Oct 2099 07:28:00 GMT", None, "at 2"),
        ("live", 429, "1200", "10m", "in 20 minutes, after the deadline"),
    ],
)
def test_nobody_waits_as_long_as_that(
    tmp_path: Path, channel: str, status: int, after: str, deadline: str | None, words: str
) -> None:
    """It waited for a day without a word."""

    def refuse(path: str, _: bytes) -> Refusal | None:
        if not path.startswith("POST /v1/messages"):
            return None
        return status, error("rate_limit_error", "too many"), {"retry-after": after}

    with pytest.raises(HaltedError, match=words):
        carried_out(tmp_path / "run", refuse, channel=channel, deadline=deadline)
