"""A request before any run is the request that the run then sends; nothing is sent or written for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanwise import UsageError, preview
from support import DESK, fanwise

GRAPH = f"{DESK}:triage"
ROWS = (
    '{"id": "bad"}\n'
    '{"id": "a", "subject": "Locked out", "body": "My password? Who helps?"}\n'
    '{"id": "b", "subject": "Hours", "body": "When \\"open\\"?"}\n'
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text(ROWS)
    return tmp_path / "rows.jsonl"


def test_every_request_is_the_one_that_a_run_sends(rows: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fanwise("run", GRAPH, "--rows", rows, "--out", run, "--channel", "live", "--baseline", "auto")
    for task, side in (
        ("classify", "fanout"),
        ("research[1]", "fanout"),
        ("draft", "fanout"),
        ("baseline", "baseline"),
    ):
        shown = fanwise("show", run, "a", task, "--side", side, "--graph", GRAPH)
        assert "the same request" in shown.stderr
        sent = json.loads(shown.stdout)
        del sent["metadata"]
        before = fanwise("show", GRAPH, "a", task, "--rows", rows, "--side", side, "--json")
        assert json.loads(before.stdout) == sent, task


def test_several_requests_are_a_line_of_json_each(rows: Path) -> None:
    """They were several documents over many lines, which nothing reads as JSON."""
    shown = fanwise("show", GRAPH, "a", "--rows", rows, "--json")
    bodies = [json.loads(line) for line in shown.stdout.splitlines()]
    assert bodies == [request.body for request in preview(GRAPH, rows, "a")] and len(bodies) == 3
    assert [line.split()[0] for line in shown.stderr.splitlines()] == ["classify", "research[0]", "research[1]"]


def test_options_of_a_graph_are_refused_for_a_run_by_their_own_names(rows: Path) -> None:
    refused = fanwise("show", rows.parent, "a", "draft", "--id", "subject", "--schemas", "strict")
    assert refused.returncode == 2
    assert "--id, --schemas: only for a graph before a run" in refused.stderr and "id_field" not in refused.stderr


def test_without_a_task_those_are_shown_that_need_no_agent_of_the_first_row(rows: Path) -> None:
    first = preview(GRAPH, rows)
    assert [(request.row, request.task, request.after) for request in first] == [
        ("a", "classify", ()), ("a", "research[0]", ()), ("a", "research[1]", ()),
    ]  # fmt: skip
    assert [request.task for request in preview(GRAPH, rows, "b")] == ["classify", "research[0]"]
    assert [request.task for request in preview(GRAPH, rows, "a", "research")] == ["research[0]", "research[1]"]


def test_what_stand_ins_answer_before_a_later_task_is_said_and_nothing_is_written(rows: Path) -> None:
    shown = fanwise("show", GRAPH, "b", "draft", "--rows", rows, cwd=rows.parent)
    assert shown.returncode == 0
    assert shown.stderr == "draft of row b, as it would be sent, with what stand-ins answer for classify, research\n"
    assert "About When" in shown.stdout
    assert shown.stdout.startswith("draft: claude-haiku-5-5, max_tokens 400, effort low, thinking disabled\n\n=== ")
    assert [path.name for path in rows.parent.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("c",), "no valid row is called 'c' in"),
        (
            ("a", "nothing"),
            "row 'a' has no task 'nothing'; it has classify, questions, research[0], research[1], draft",
        ),
        (("a", "questions"), "task 'questions' is a step"),
        (("a", "draft", "--graph", "x.py:y"), "--graph is for a run directory"),
    ],
)
def test_a_wrong_call_is_one_line(words: tuple[str, ...], says: str, rows: Path) -> None:
    shown = fanwise("show", GRAPH, *words, "--rows", rows)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith("fanwise: ") and shown.stderr.count("\n") == 1
    assert says in shown.stderr


def test_without_rows_a_run_needs_its_row_and_task(tmp_path: Path) -> None:
    shown = fanwise("show", GRAPH)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "with --rows FILE" in shown.stderr
    assert "schemas: only for a graph" in fanwise("show", tmp_path, "a", "b", "--schemas", "strict").stderr


def test_a_file_without_a_valid_row_says_why(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": "bad"}\n')
    with pytest.raises(UsageError, match=r"no row is valid .* 1 were set aside, the first for this: record 1"):
        preview(GRAPH, tmp_path / "rows.jsonl")
