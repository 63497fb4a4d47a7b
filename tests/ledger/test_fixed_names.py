"""Scripts read the files of a run by names that the page of the decision promises; it says them all, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import anyio
import pytest
from desk import triage

from fanwise import Job, sync
from fanwise.rendering.export import TABLES
from support import ROOT

PAGE = (ROOT / "docs" / "decisions" / "2026-11-28-fixed-names.md").read_text(encoding="utf-8")
ROWS: list[dict[str, Any]] = [
    {"id": "a", "subject": "s", "body": "One?"}, {"id": "b", "subject": "s", "body": "Two? Three?"}, {"id": "c"},
]  # fmt: skip


def promised(section: str) -> list[str]:
    """The names of one section of the page, in order."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"`([a-z_0-9.]+)`", text)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fixed") / "run"
    Job(triage, rows=ROWS, out=out, channel="live", baseline="auto").run_sync()
    return out


def test_a_summary_has_the_names_that_are_promised_and_begins_with_its_format(run: Path) -> None:
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    names = promised("summary.json")
    assert next(iter(summary)) == "format"
    assert summary["format"] == 2
    assert list(summary) == [name for name in names if "." not in name]
    for name in names:
        value: Any = summary
        for part in name.split("."):
            assert part in value, name
            value = value[part]


def test_a_result_has_the_names_that_are_promised_and_begins_with_its_format(run: Path) -> None:
    always, _, sometimes = PAGE.split("\n## results.jsonl\n")[1].split("\n## ")[0].partition("Where there is")
    lines = [json.loads(line) for line in (run / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2, "a row without a body is set aside"
    for line in lines:
        assert line["format"] == 2
        assert list(line) == re.findall(r"`(\w+)`", always)
    assert re.findall(r"`(\w+)`", sometimes) == ["reason", "attempts_of_unknown_cost"]


def test_a_change_has_the_names_that_are_promised(tmp_path: Path) -> None:
    Job(triage, rows=ROWS[:1], out=tmp_path / "run", channel="live").run_sync()
    anyio.run(lambda: sync(tmp_path / "run", rows=ROWS[1:2], graph=triage))
    changes = [json.loads(line) for line in (tmp_path / "run" / "changes.jsonl").read_text().splitlines()]
    assert [list(change) for change in changes] == [promised("changes.jsonl")] * 2


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_export_has_the_columns_that_are_promised(table: Any) -> None:
    assert [column.name for column in table.columns] == promised(f"export: {table.name}")


def test_the_glossary_has_fifteen_words_at_most() -> None:
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    words = [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:]
    assert words
    assert len(words) == len(set(words)) <= 15
