"""The same refusal for many requests in a row is about none of them: the run halts, and no row has failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from notes import job

from fanwise import Emulator, HaltedError, Job, resume
from fanwise.dispatch import submitting
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer

ROWS = [{"id": number, "text": f"note number {number}."} for number in range(40)]
NEW_WORDS = "Your plan has run dry."


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setattr(submitting, "LINGER_S", 0.02)


def emulator() -> Emulator:
    return Emulator(answer=answerer(build_arms({"fanout": job.spec})))


@pytest.mark.parametrize(
    ("channel", "slots", "fault"),
    [
        ("live", 1, {"status": 400, "path": "/v1/messages"}),
        ("live", 32, {"status": 400, "path": "/v1/messages"}),
        ("batch", 1, {"status": 400, "match": "note"}),
    ],
)
def test_what_is_refused_in_the_same_words_halts(tmp_path: Path, channel: str, slots: int, fault: Any) -> None:
    """All rows failed for good, in words that nobody had seen before."""
    with emulator() as server:
        server.fault(**fault, message=NEW_WORDS)
        fields: dict[str, Any] = {"channel": channel, "slots": slots, "base_url": server.url}
        with pytest.raises(HaltedError, match=f"20 requests in a row were refused .*{NEW_WORDS}"):
            Job(job, rows=ROWS, out=tmp_path / "run", **fields).run_sync()
        rows = json.loads((tmp_path / "run" / "summary.json").read_text())["rows"]
        assert (rows["failed"], rows["succeeded"], rows["unfinished"]) == (0, 0, 40)
        server.clear_faults()
        account = anyio.run(lambda: resume(tmp_path / "run", graph=job, base_url=server.url))
    assert account.summary["rows"]["succeeded"] == 40


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_rows_that_are_refused_beside_others_fail(tmp_path: Path, channel: str) -> None:
    """Also where they are the last, or the only ones."""
    with emulator() as server:
        for number in (3, 19, 38, 39):
            server.fault(status=400, match=f"number {number}.", message="this note is not read")
        fields: dict[str, Any] = {"channel": channel, "base_url": server.url}
        account = Job(job, rows=ROWS, out=tmp_path / "many", **fields).run_sync()
        assert [int(line["id"]) for line in account.results() if line["status"] == "failed"] == [3, 19, 38, 39]
        alone = Job(job, rows=ROWS[38:], out=tmp_path / "alone", **fields).run_sync()
        assert [line["status"] for line in alone.results()] == ["failed"] * 2
