"""What `resume` says that the rest of a run will cost, against what it pays: rows that came, went or were changed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from fanwise.studies.plan.rest import Rest, rest_of_run
from fanwise.units import pico_from_usd
from inprocess import own_modules
from support import DESK, fanwise, summary

BEGUN, LATER = 8, 30
"""Rows of the file when the run began, and when it went on."""


def lines(count: int, body: str = "Where is it?") -> list[str]:
    return [json.dumps({"id": f"t{number}", "subject": f"s{number}", "body": body}) for number in range(count)]


def left(out: Path) -> Rest:
    with peeking(out) as db, own_modules():
        return rest_of_run(db, Manifest.of(db).spec, 20, retried=False)


def begun(folder: Path, *options: object) -> tuple[Path, Path, Path]:
    """A run that has ended: its graph, its rows and its directory."""
    graph, rows, out = folder / "desk.py", folder / "rows.jsonl", folder / "run"
    graph.write_text(Path(DESK).read_text(encoding="utf-8"), encoding="utf-8")
    rows.write_text("\n".join(lines(BEGUN)))
    run = ("run", f"{graph}:triage", "--rows", rows, "--out", out, "--channel", "live", "--baseline", "auto")
    assert fanwise(*run, *options).returncode == 0
    return graph, rows, out


def went_on(out: Path) -> int:
    """What going on has paid, in picodollars."""
    before = pico_from_usd(summary(out)["cash"]["paid_usd"])
    assert fanwise("resume", out, cwd=out.parent).returncode == 0
    return pico_from_usd(summary(out)["cash"]["paid_usd"]) - before


@pytest.mark.parametrize("edit", [("", ""), ("Draft the reply.", "Draft the whole reply, please.")])
def test_rows_that_came_are_counted_on_the_arms_that_they_run_on(tmp_path: Path, edit: tuple[str, str]) -> None:
    """Found by a resume that said $0.0006 and paid $0.0042: new rows of the baseline's sample were not counted."""
    graph, rows, out = begun(tmp_path, "--sample", 5)
    rows.write_text("\n".join(lines(LATER)))
    graph.write_text(graph.read_text(encoding="utf-8").replace(*edit), encoding="utf-8")
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert said is not None
    baseline = rest.forecast.price("live", "baseline")
    assert baseline is not None and baseline.expected > 0
    assert 0.97 < said.expected / paid < 1.03, "what is still in the cache is not written again"
    assert said.low <= paid <= said.high
    assert left(out).forecast.total().expected == 0
    assert summary(out)["multiplier"]["rows"] == 5, "the sample is of the size that was asked for"


def test_rows_that_moved_owe_nothing_and_those_that_were_changed_all(tmp_path: Path) -> None:
    _, rows, out = begun(tmp_path)
    rows.write_text("\n".join(lines(BEGUN)[3:]))
    assert left(out).forecast.total().expected == 0, "the rest of the file moved up by three lines"
    rows.write_text("\n".join([*lines(BEGUN)[3:], *lines(3, "Why is it gone?")]))
    rest = left(out)
    assert (rest.rows, rest.all_rows) == (3, BEGUN)
    assert 0.8 < rest.forecast.total().expected / went_on(out) < 1.2


def test_what_the_cache_has_forgotten_is_written_again(tmp_path: Path) -> None:
    """Found by a resume within minutes that was to cost $0.1607 at least, and cost $0.0698."""
    _, rows, out = begun(tmp_path)
    rows.write_text("\n".join(lines(LATER)))
    warm = left(out).forecast.total()
    with sqlite3.connect(out / "journal.db") as db:
        db.execute("UPDATE attempts SET sent=sent-600")
    db.close()
    cold = left(out).forecast.total()
    assert warm is not None and cold is not None
    assert warm.expected < cold.expected
    assert warm.low < cold.low
    assert warm.high == cold.high, "nobody knows when the yes comes"
    assert warm.worst == cold.worst
