"""The report as HTML, and the account in a notebook: whole, honest, and harmless whatever a model says."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from desk import single, triage
from hostile import FORMULA, SCRIPT, letters

from fanwise import Job
from support import DESK, fanwise

PATH = re.compile(r"(?<![\w<:/.-])/[\w.-]+(?:/[\w.-]+)*")
"""A path from the root of a machine; what follows `<` or `:` is a tag's end or an address."""
ID = "</td></tr></table><script>alert(1)</script>"


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.pictures = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.pictures += tag == "svg"
        for name, value in attrs:
            assert not name.startswith("on"), f"{name}={value}"
            if name in ("src", "href", "xlink:href", "action", "data", "srcset"):
                self.loads.append((tag, value or ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "run"
    rows = [{"id": f"{ID}{number}", "body": "fail" if number == 2 else "x"} for number in range(5)]
    Job(letters, rows=rows, out=out, channel="live", baseline="auto").run_sync()
    return out


def test_what_a_model_said_is_text_and_nothing_else(hostile: Path) -> None:
    finished = fanwise("report", hostile, "--html")
    assert finished.returncode == 0, finished.stderr
    text = (hostile / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not {"script", "img", "iframe", "object", "embed", "link", "base", "form"} & set(page.tags)
    assert page.loads == [], "it asks for nothing, from nowhere"
    assert "default-src 'none'" in text
    shown = "".join(page.words)
    assert json.dumps(SCRIPT)[1:-1] in shown, "the output is there, as text"
    assert ID in shown
    assert "Simulated" in shown


def test_a_formula_is_harmless_in_csv(hostile: Path, tmp_path: Path) -> None:
    finished = fanwise("export", hostile, "--to", "csv", "--out", tmp_path / "csv")
    assert finished.returncode == 0, finished.stderr
    with (tmp_path / "csv" / "tasks.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any(FORMULA in cell for cell in cells)
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_all_pictures_are_drawn_and_are_svg(tmp_path: Path) -> None:
    rows = [{"id": f"t{number}", "subject": "s", "body": "One? " * (1 + number % 3)} for number in range(9)]
    account = Job(triage, rows=rows, out=tmp_path / "run", channel="live", baseline="auto").run_sync()
    text = account.html()
    page = Page(text)
    assert page.pictures >= 9, "two graphs, three multipliers, levers, parts, agents, cache, time"
    for picture in text.split("<svg")[1:]:
        ET.fromstring("<svg" + picture.split("</svg>")[0] + "</svg>")
    shown = " ".join(page.words)
    for name in ("classify", "research", "draft", "handbook", "in all", "Over time", "What took how much off the bill"):
        assert name in shown, name
    found = account.summary["multiplier"]
    assert f"{found['tokens']['ratio']:.2f} times the tokens" in shown
    assert set(PATH.findall(text)) == {DESK}, "no path of this machine but the graph's own"


def test_a_run_that_sent_nothing_has_a_page_too(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "a"}\n')
    assert fanwise("run", f"{DESK}:single", "--rows", rows, "--out", tmp_path / "run").returncode == 2
    finished = fanwise("report", tmp_path / "run", "--html", "--out", tmp_path / "page.html")
    assert finished.returncode == 0, finished.stderr
    assert "It was not held against one agent" in (tmp_path / "page.html").read_text()


def test_without_the_packages_it_says_what_to_install(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    done = fanwise("report", hostile, "--html", "--out", tmp_path / "page.html")
    assert done.returncode == 2
    assert "pip install 'fanwise[report]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "page.html").exists()


def test_a_notebook_shows_a_table_and_a_picture(tmp_path: Path) -> None:
    rows = [{"id": "a", "subject": "s", "body": "One? Two?"}]
    account = Job(triage, rows=rows, out=tmp_path / "run", channel="live", baseline="auto").run_sync()
    page = Page(account._repr_html_())
    assert {"table", "svg"} <= set(page.tags)
    assert "Simulated" in "".join(page.words)


def test_what_has_no_price_is_unknown_and_never_zero(tmp_path: Path) -> None:
    rows, out = [{"id": "a", "subject": "s", "body": "b"}], tmp_path / "run"
    Job(single, rows=rows, out=out, channel="live").run_sync()
    with sqlite3.connect(out / "journal.db") as db:  # as it is for a model that came out today
        db.execute("UPDATE ends SET cost=NULL")
    db.close()
    finished = fanwise("report", out, "--html")
    assert finished.returncode == 0, finished.stderr
    shown = " ".join(Page((out / "report.html").read_text()).words)
    assert "What the fan-out cost is not known." in shown
    assert "1 attempts have no known price" in shown
    assert "greet" in shown
    assert re.findall(r"\$0(?:\.0*)?(?![\d.])", shown) == [], "nothing of it is zero"
    table = fanwise("report", out).stdout
    assert "unknown" in next(line for line in table.splitlines() if line.startswith("greet "))
