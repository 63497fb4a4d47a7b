"""The account as tables: complete, exact, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import importlib
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Job, agent, graph
from fanwise.rendering.export import TABLES
from fanwise.rendering.harmless import defused
from support import fanwise, lines

HOSTILE = '=HYPERLINK("http://evil.example","<script>alert(1)</script>")'


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=100)
def first(text: str) -> str:
    """Read."""
    return HOSTILE


@agent(model="claude-haiku-5-5", max_tokens=100)
def second(first: str) -> str:
    """Read again."""
    return f"+{first}"


@graph
def job(row: Row) -> str:
    return second(first(row.text))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = [Row(id=f"-{number}", text="@sum(A1)") for number in range(5)]
    Job(job, rows=rows, out=tmp_path / "run", channel="live", baseline="auto", reuse=False).run_sync()
    return tmp_path / "run"


def records(run: Path, table: str, form: str) -> list[dict[str, Any]]:
    path = run / "export" / f"{table}.{form}"
    if form == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    if form == "jsonl":
        return lines(path)
    return importlib.import_module("pyarrow.parquet").read_table(str(path)).to_pylist()


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_every_table_has_all_and_sums_to_the_ledger(run: Path, form: str) -> None:
    finished = fanwise("export", run, "--to", form)
    assert finished.returncode == 0, finished.stderr
    summary = json.loads((run / "summary.json").read_text())
    attempts = records(run, "attempts", form)
    assert len(attempts) == 15
    assert sum(Decimal(attempt["cost_usd"]) for attempt in attempts) == Decimal(summary["cost_usd"])
    assert sum(Decimal(record["cost_usd"]) for record in records(run, "rows", form)) == Decimal(summary["cost_usd"])
    assert sum(Decimal(record["cost_usd"]) for record in records(run, "tasks", form)) == Decimal(summary["cost_usd"])
    totals = {record["name"]: record["value"] for record in records(run, "totals", form)}
    assert totals["cost_usd"] == summary["cost_usd"]
    assert int(totals["attempts.sent"]) == 15
    for table in TABLES:
        assert list(records(run, table.name, form)[0]) == [column.name for column in table.columns]


def test_no_cell_of_a_csv_is_a_formula(run: Path) -> None:
    assert fanwise("export", run).returncode == 0
    for table in TABLES:
        for record in records(run, table.name, "csv"):
            assert not any(value.startswith(("=", "+", "-", "@")) for value in record.values()), record
    outputs = {record["output"] for record in records(run, "tasks", "csv")}
    assert json.dumps(HOSTILE) in outputs, "as JSON it begins with a quote"
    assert {record["row_id"] for record in records(run, "rows", "csv")} == {f"'-{number}" for number in range(5)}


@given(st.text())
def test_what_is_defused_is_no_formula_and_still_there(text: str) -> None:
    cell = defused(text)
    assert cell.endswith(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_the_columns_say_what_they_mean() -> None:
    finished = fanwise("export", "--columns")
    assert "cache_read_tokens          Read from the cache." in finished.stdout
    assert fanwise("export").returncode == 2


def test_purging_takes_the_export_and_the_page_with_it(run: Path) -> None:
    assert fanwise("export", run).returncode == 0
    assert fanwise("report", run, "--html").returncode == 0
    assert fanwise("purge", run, "--content").returncode == 0
    assert list((run / "export").iterdir()) == []
    assert not (run / "report.html").exists(), "it shows what the dearest rows were answered"


def test_purging_leaves_what_no_run_has_written(run: Path, tmp_path: Path) -> None:
    """It emptied the folder behind a link, took a note out of export/, and ended at a folder in a traceback."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "attempts.csv").write_text("mine")
    assert fanwise("export", run).returncode == 0
    (run / "export" / "notes.md").write_text("mine")
    (run / "export" / "totals.csv").unlink()
    (run / "export" / "totals.csv").symlink_to(mine / "attempts.csv")
    (run / "export" / "sub").mkdir()
    (run / "export" / ".rows.ab12cd_8").write_text("left by a killed process")
    (run / ".results.jsonl.ab12cd_8").write_text("the same")
    (run / "report.html").mkdir()
    (tmp_path / "named").symlink_to(run)
    purged = fanwise("purge", tmp_path / "named", "--content")  # half of it was purged, and then a traceback
    assert purged.returncode == 0, purged.stderr
    assert not (run / "results.jsonl").exists()
    left = sorted(path.name for path in (run / "export").iterdir())
    assert left == ["notes.md", "sub", "totals.csv"]
    assert not (run / ".results.jsonl.ab12cd_8").exists()
    for name in (*(f"export/{name}" for name in left), "report.html"):
        assert f"left as it is, since no run has written it: {run / name}\n" in purged.stderr
    shutil.rmtree(run / "export")
    (run / "export").symlink_to(mine)
    assert str(run / "export") in fanwise("purge", run, "--content").stderr
    assert (mine / "attempts.csv").read_text() == "mine"
    refused = fanwise("export", run)
    assert refused.returncode == 2 and "is a link" in refused.stderr
    assert (mine / "attempts.csv").read_text() == "mine"
