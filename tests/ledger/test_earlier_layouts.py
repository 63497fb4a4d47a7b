"""Answers that stay though they were asked in another layout are counted, and every surface says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import fanwise, summary

GRAPH = '''
from pydantic import BaseModel
from fanwise import Block, agent, graph

GUIDE = Block("guide", "Keep to every rule of this guide. " * 300)


class Note(BaseModel):
    id: str
    body: str


class Draft(BaseModel):
    text: str


@agent(model="claude-haiku-5-5", context=[GUIDE])
def sort(body: str) -> bool:
    """Is it a question?"""
    return len(body) % 2 == 0


@agent(model="claude-haiku-5-5", context=[GUIDE])
def draft(body: str, question: bool) -> Draft:
    """Draft an answer."""
    return Draft(text=body)


@graph
def answer(note: Note) -> Draft:
    return draft(note.body, sort(note.body))
'''
TEXT = (GRAPH.replace("-> Draft", "-> str").replace("Draft(text=body)", "body"), GRAPH)
ROWS, COMPARED = 12, ("--channel", "live", "--baseline", "auto")


def carried_out(folder: Path, *versions: tuple[str, int], options: tuple[str, ...] = COMPARED) -> dict[str, Any]:
    """The summary of a run that went on after each change of its graph and of the number of its rows."""
    folder.mkdir()
    graph, rows, out = folder / "notes.py", folder / "rows.jsonl", folder / "run"
    for session, (text, count) in enumerate(versions):
        graph.write_text(text, encoding="utf-8")
        rows.write_text(
            "".join(json.dumps({"id": f"n{n}", "body": f"note {n}" + "!" * (n % 3)}) + "\n" for n in range(count))
        )
        call = ("resume", out) if session else ("run", f"{graph}:answer", "--rows", rows, "--out", out, *options)
        assert fanwise(*call, cwd=folder).returncode == 0
    return summary(out)


@pytest.mark.parametrize("edit", [TEXT, TEXT[::-1]])
def test_what_an_edit_leaves_in_another_layout_is_counted_and_said(tmp_path: Path, edit: tuple[str, str]) -> None:
    """Found by a text that became a record: the other agent's answers stayed, in an envelope of before, and the
    fan-out cost 1.2 times what it does in a fresh run. Nobody said a word."""
    edited = carried_out(tmp_path / "edited", *((text, ROWS) for text in edit))
    fresh = carried_out(tmp_path / "fresh", (edit[1], ROWS))
    assert edited["fanout_usd"] != fresh["fanout_usd"]
    assert edited["answers_of_earlier_layouts"] == {"fanout": ROWS, "baseline": 0}
    assert fresh["answers_of_earlier_layouts"] == {"fanout": 0, "baseline": 0}
    said = f"{ROWS} answers of the fan-out are of an earlier layout"
    folder = tmp_path / "edited"
    assert fanwise("report", folder / "run", "--html").returncode == 0
    compared = ("compare", f"{folder / 'notes.py'}:answer", "--rows", folder / "rows.jsonl", "--out", folder / "run")
    surfaces = (
        fanwise("report", folder / "run").stdout,
        (folder / "run" / "report.html").read_text(encoding="utf-8"),
        fanwise(*compared, cwd=folder).stdout,
    )
    for surface in surfaces:
        assert said in " ".join(surface.split())
    assert "earlier layout" not in fanwise("report", tmp_path / "fresh" / "run").stdout


@pytest.mark.parametrize(("first", "counted"), [(2, 2), (8, 0)])
def test_what_few_rows_were_not_worth_in_a_batch_is_counted(tmp_path: Path, first: int, counted: int) -> None:
    """Two rows in a batch write no prefix; of twenty all read it."""
    grown = carried_out(
        tmp_path / "grown", (GRAPH, first), (GRAPH, 20), options=("--channel", "batch", "--baseline", "auto")
    )
    assert grown["answers_of_earlier_layouts"] == {"fanout": 0, "baseline": counted}


def test_an_edit_that_leaves_the_layout_as_it_was_leaves_no_such_answer(tmp_path: Path) -> None:
    edited = carried_out(tmp_path / "edited", (GRAPH, ROWS), (GRAPH.replace("a question?", "a real question?"), ROWS))
    assert edited["answers_of_earlier_layouts"] == {"fanout": 0, "baseline": 0}
