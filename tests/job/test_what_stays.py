"""What a session is given that stays with its run, and what holds for that session alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from desk import triage

from fanwise import Job, resume
from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from inprocess import own_modules
from support import DESK, fanwise, summary, tickets

ROWS = 6


def begun(folder: Path, *options: object) -> Path:
    """A run that has ended, of the desk's letters."""
    rows, out = tickets(folder / "rows.jsonl", ROWS), folder / "run"
    call = ("run", f"{DESK}:triage", "--rows", rows, "--out", out, "--channel", "live", *options)
    assert fanwise(*call, cwd=folder).returncode == 0
    return out


def went_on(out: Path, *options: object) -> dict[str, Any]:
    """The account after another session."""
    again = fanwise("resume", out, "--graph", f"{DESK}:triage", *options, cwd=out.parent)
    assert again.returncode == 0, again.stderr
    return summary(out)


def test_a_baseline_that_was_added_stays_until_it_is_taken_away(tmp_path: Path) -> None:
    """The next plain resume lost it: no multiplier, and all that it had cost counted as replaced."""
    out = begun(tmp_path)
    added = went_on(out, "--baseline", "auto", "--sample", 4, "--seed", 3)
    assert added["multiplier"]["rows"] == 4
    plain = went_on(out)
    for figure in ("multiplier", "cash", "baseline_usd"):
        assert plain[figure] == added[figure]
    more = went_on(out, "--sample", 5)
    assert more["multiplier"]["rows"] == 5
    assert more["cash"]["replaced"]["attempts"] == 0, "of the same draw, which the seed has stayed with"
    assert went_on(out)["multiplier"] == more["multiplier"]
    without = went_on(out, "--baseline", "none")
    assert without["multiplier"] is None
    assert without["cash"]["replaced"]["attempts"] == 5
    assert went_on(out)["cash"]["replaced"]["attempts"] == 5, "nor does it come back by itself"


def test_a_graph_that_was_named_as_baseline_stays(tmp_path: Path) -> None:
    out = begun(tmp_path)
    named = went_on(out, "--baseline", f"{DESK}:triage")
    lost = fanwise("resume", out, "--graph", f"{DESK}:triage", cwd=tmp_path)
    assert lost.returncode == 2
    assert "--baseline" in lost.stderr, "a directory is data: its baseline is code of another folder, and named again"
    assert went_on(out, "--baseline", f"{DESK}:triage")["multiplier"] == named["multiplier"]


def test_in_python_a_sample_keeps_the_baseline(tmp_path: Path) -> None:
    """`resume(out, baseline="auto", sample=4)` and then `resume(out, sample=6)` dropped the single agent."""
    out = tmp_path / "run"
    with own_modules():
        Job(triage, rows=tickets(tmp_path / "rows.jsonl", ROWS), out=out, channel="live").run_sync()
        anyio.run(lambda: resume(out, graph=triage, baseline="auto", sample=4))
        account = anyio.run(lambda: resume(out, graph=triage, sample=6)).summary
    assert account["multiplier"]["rows"] == 6


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"encoding": "latin-1"}, {"encoding": "latin-1"}),
        ({"id_field": "subject"}, {"id_field": "subject"}),
        (
            {"channel": "batch", "budget_usd": "3", "slots": 2, "limit": 4},
            {"channel": "live", "budget_usd": None, "slots": 32, "limit": None},
        ),
    ],
    ids=["encoding", "id", "for one session"],
)
def test_how_rows_are_read_stays_and_how_a_session_goes_about_it_does_not(
    tmp_path: Path, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    out = tmp_path / "run"
    with own_modules():
        Job(triage, rows=tickets(tmp_path / "rows.jsonl", ROWS), out=out, channel="live").run_sync()
        anyio.run(lambda: resume(out, graph=triage, **given))
    with peeking(out) as db:
        spec = Manifest.of(db).spec
        assert {name: getattr(spec, name) for name in kept} == kept


def test_a_file_that_was_saved_in_another_encoding_is_read_by_the_one_that_resume_is_given(tmp_path: Path) -> None:
    """It was taken in silence, and the file read as before: every row was set aside."""
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    line = {"id": "a", "subject": "Größe", "body": "Where is it?"}
    rows.write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
    with own_modules():
        Job(triage, rows=rows, out=out, channel="live").run_sync()
        rows.write_text(json.dumps(line, ensure_ascii=False), encoding="latin-1")
        account = anyio.run(lambda: resume(out, graph=triage, encoding="latin-1")).summary
    assert account["rows"]["read"] == 1
    assert account["cash"]["replaced"]["attempts"] == account["cash"]["left"]["attempts"] == 0
