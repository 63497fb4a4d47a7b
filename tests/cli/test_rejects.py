"""`fanwise report` says why rows were set aside: on the screen, in the page and as JSON."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from support import DESK, ROOT, fanwise

HOSTILE = "</td></tr></table><script>alert(1)</script>\x1b[2J\u202e"
GOOD = {"id": "g1", "subject": "s", "body": "b"}
BROKEN: list[Any] = [
    *(GOOD | {"id": HOSTILE} for _ in range(3)),
    GOOD,
    *({"id": f"x{number}", "subject": "s"} for number in range(3)),
    {"id": "y1", "body": "b"},
    {"id": "y2", "subject": 1, "body": "b"},
    [1, 2],
    "a",
    {"id": "y3", "subject": "s", "body": "\ud800"},
]
LINES = [json.dumps(GOOD), *map(json.dumps, BROKEN), "{no", '{"id" 1}']


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = tmp_path_factory.mktemp("rejects") / "rows.jsonl"
    rows.write_text("\n".join(LINES), encoding="utf-8")
    ended = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", rows.with_name("run"), "--channel", "live")
    assert ended.returncode == 1, ended.stderr
    assert "fanwise: 13 of 15 rows were set aside and not sent:" in ended.stderr
    assert "  3 (line 3 first): its id" in ended.stderr
    assert "  and 4 others, for 4 other reasons" in ended.stderr
    return rows.with_name("run")


def test_reasons_that_differ_in_values_alone_are_one(run: Path) -> None:
    """Found: the report said how many rows were set aside, and not why; no two doubled ids had one reason."""
    rejects = json.loads(fanwise("report", run, "--json").stdout)["rejects"]
    assert [(of["rows"], of["line"]) for of in rejects["reasons"]] == [(3, 3), (3, 6), (1, 9), (1, 10), (1, 11)]
    assert rejects["reasons"][0]["reason"].endswith("is that of line 2")
    assert rejects["reasons"][1]["reason"] == "body: Field required"
    assert (rejects["other_rows"], rejects["other_reasons"]) == (4, 4)
    promised = (ROOT / "docs" / "decisions" / "2026-11-28-fixed-names.md").read_text(encoding="utf-8")
    section = promised.split("\n## report --json\n")[1].split("\n## ")[0]
    assert re.findall(r"`rejects\.(\w+)`", section) == list(rejects)
    assert re.findall(r"`(\w+)`", section) == list(rejects["reasons"][0])


def test_the_screen_says_the_same_in_lines_that_steer_no_terminal(run: Path) -> None:
    report = fanwise("report", run).stdout
    told = report[report.index("rows that were set aside (13)\n") :].splitlines()
    assert told[1].startswith("  3 (line 3 first): its id '</td>")
    assert told[2:] == [
        "  3 (line 6 first): body: Field required",
        "  1 (line 9): subject: Field required",
        "  1 (line 10): subject: Input should be a valid string",
        "  1 (line 11): not a JSON object but list",
        "  and 4 others, for 4 other reasons",
    ]
    assert "\x1b" not in report and "\u202e" not in report


def test_the_page_says_the_same_and_takes_no_markup_of_a_row(run: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert fanwise("report", run, "--html", "--out", page).returncode == 0
    text = page.read_text(encoding="utf-8")
    table = text[text.index("<h2>Rows that were set aside</h2>") : text.index("<h2>The dearest rows")]
    assert "&lt;script&gt;alert(1)" in table
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text
    assert '<td class="n">3</td><td class="n">6</td><td>body: Field required</td>' in table
    assert "And 4 others, for 4 other reasons." in table


def test_a_purge_takes_the_reasons_and_leaves_the_counts(run: Path, tmp_path: Path) -> None:
    """A reason has values of its row: so it may stand in no file that a purge leaves."""
    purged = shutil.copytree(run, tmp_path / "run")
    assert fanwise("purge", "--content", purged).returncode == 0
    assert [path.name for path in purged.iterdir() if b"Field required" in path.read_bytes()] == []
    rejects = json.loads(fanwise("report", purged, "--json").stdout)["rejects"]
    assert rejects == {"reasons": [{"rows": 13, "line": 3, "reason": ""}], "other_rows": 0, "other_reasons": 0}
    assert "  13 (line 3 first): the reason was purged" in fanwise("report", purged).stdout


def test_a_line_is_that_of_the_file_also_where_records_are_elements_of_an_array(tmp_path: Path) -> None:
    """Found: the number of an element was said as its line, and a doubled id was that of a line of this number."""
    rows, doubled = tmp_path / "rows.json", {"id": "x", "subject": "s", "body": "b"}
    rows.write_text(json.dumps([GOOD, doubled, {"id": "y"}, doubled], indent=1).replace('"y"', "y"))
    ended = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", tmp_path / "run", "--channel", "live")
    assert ended.returncode == 1
    assert "  1 (line 12, record 3): not valid JSON: Expecting value in line 13\n" in ended.stderr
    assert "  1 (line 15, record 4): its id 'x' is that of record 2\n" in ended.stderr
    assert fanwise("report", tmp_path / "run", "--html").returncode == 0
    assert '<td class="n">12 (record 3)</td>' in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    rejects = [json.loads(line) for line in (tmp_path / "run" / "rejects.jsonl").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [12, 15]


def test_a_run_without_rejects_has_no_word_of_them(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(LINES[0])
    assert fanwise("run", f"{DESK}:single", "--rows", rows, "--out", tmp_path / "run").returncode == 0
    assert "set aside" not in fanwise("report", tmp_path / "run").stdout
    assert fanwise("report", tmp_path / "run", "--html").returncode == 0
    assert "set aside" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
