"""`report --full`: what stands behind the short account, estimates beside what was measured."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from desk import triage
from hostile import letters

from fanwise import Job
from support import fanwise


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("full") / "run"
    rows = [{"id": f"r{number}", "subject": "s", "body": "One? Two?"} for number in range(3)]
    Job(triage, rows=rows, out=out, channel="live", baseline="auto", reuse=False).run_sync()
    return out


def said(*args: object) -> list[str]:
    ended = fanwise("report", *args)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_an_estimate_stands_beside_what_was_measured_under_full_alone(measured: Path) -> None:
    short, full = said(measured), said(measured, "--full")
    assert full[: len(short)] == short, "it adds, and changes nothing"
    assert any(line.startswith("multiplier ") for line in short)
    assert not any(line.startswith("modelled ") for line in short)
    (modelled,) = (place for place, line in enumerate(full) if line.startswith("modelled "))
    words = " ".join(" ".join(full[modelled : modelled + 3]).split())
    assert "an estimate" in words and "against one agent on claude-" in words
    rest = "\n".join(full[len(short) :])
    for title in ("multiplied most", "input tokens and the cache", "the most expensive rows", "the single agent"):
        assert title in rest
    assert "Do the whole job for this row" in rest, "its prompt, whole"


def without_usage(run: Path, out: Path, condition: str) -> Path:
    """A copy of a run as it is behind a gateway whose replies have no usage."""
    shutil.copytree(run, out)
    with closing(sqlite3.connect(out / "journal.db")) as db, db:
        unknown = "cost=NULL, input=0, cache_write_5m=0, cache_write_1h=0, cache_read=0, output=0"
        db.execute(f"UPDATE ends SET {unknown} WHERE attempt IN (SELECT id FROM attempts WHERE {condition})")
    return out


@pytest.mark.parametrize(
    ("condition", "used", "draft", "baseline"),
    [
        ("1", "unknown writes, unknown reads", "unknown unknown unknown", "unknown unknown unknown"),
        ("agent='draft' AND id>(SELECT MIN(id) FROM attempts WHERE agent='draft')", "writes", "(2 unknown)", ""),
    ],
    ids=["none has", "some have"],
)
def test_what_the_cache_did_is_unknown_where_replies_have_no_usage(
    measured: Path, tmp_path: Path, condition: str, used: str, draft: str, baseline: str
) -> None:
    """Their agents were sent 0 tokens, of which 0 were read, by 0 writes."""
    full = said(without_usage(measured, tmp_path / "run", condition), "--full")
    assert used in next(line for line in full if line.startswith("cache ") and "prefixes" in line)
    (title,) = (place for place, line in enumerate(full) if line.startswith("input tokens and the cache"))
    for agent, words in (("draft", draft), ("baseline", baseline)):
        line = " ".join(next(line for line in full[title:] if line.startswith(agent)).split())
        assert words in line and ("unknown" in line) == bool(words)


def test_all_failures_are_under_full(tmp_path: Path) -> None:
    """Now and then a row succeeds: twenty refusals in a row in the same words would halt the run."""
    rows = [{"id": f"r{number}", "body": "fine" if number % 9 == 8 else "fail"} for number in range(25)]
    Job(letters, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    short, full = ("\n".join(said(tmp_path / "run", *more)) for more in ((), ("--full",)))
    failed = [number for number in range(25) if number % 9 != 8]
    shown = [[f"r{number} (line {number + 1})" in text for number in failed] for text in (short, full)]
    assert [sum(rows) for rows in shown] == [20, 23]


def test_full_is_refused_where_nothing_is_left_out(measured: Path) -> None:
    for other in (("--json",), ("--html",), ("--by", "agent")):
        ended = fanwise("report", measured, "--full", *other)
        assert ended.returncode == 2 and "leave --full out" in ended.stderr
