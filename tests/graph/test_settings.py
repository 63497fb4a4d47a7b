"""Settings are told with where each comes from: a default, an agent file, `@agent`, `.options`; that is in no key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import fanwise, summary

FILE = "---\nname: reads\ndescription: Reads.\nmodel: haiku\nmax_tokens: 70\neffort: medium\n---\nRead it.\n"
GRAPH = '''from fanwise import agent, graph, tool


@tool
def look(text: str) -> str:
    """Look it up."""
    return text


@agent("reads.md", effort="high")
def reads(text: str) -> str:
    return text


@agent(model="claude-opus-5-5", effort="default", thinking=True)
def thinks(text: str) -> str:
    """Think of it."""
    return text


@agent(model="claude-haiku-4-5", tools=[look], max_turns=4)
def looks(text: str) -> str:
    """Look at it."""
    return text


quick = thinks.options(
    name="quick", time_limit_s=20
)


@graph
def job(text: str) -> list[str]:
    return [reads(text), thinks(text), looks(text), quick(text)]
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reads.md").write_text(FILE)
    (tmp_path / "job.py").write_text(GRAPH)
    (tmp_path / "rows.jsonl").write_text('{"id": "a", "text": "hello"}\n')
    return tmp_path


def test_the_drawing_of_a_graph_names_settings_and_where_each_comes_from(folder: Path) -> None:
    drawn = fanwise("graph", "job.py:job", cwd=folder).stdout
    assert sorted(line.partition("settings: ")[2] for line in drawn.splitlines() if "settings: " in line) == [
        "4 requests a task (job.py:21); effort none, thinking none, max_tokens 1,024, 600 s an attempt (default)",
        "effort default (medium), thinking adaptive (job.py:15); 20 s an attempt (job.py:27 .options); "
        "max_tokens 1,024 + 4,096 to think (default)",
        "effort default (medium), thinking adaptive (job.py:15); "
        "max_tokens 1,024 + 4,096 to think, 600 s an attempt (default)",
        "effort high (job.py:10); max_tokens 70 (reads.md:5); thinking disabled, 600 s an attempt (default)",
    ]


def table(printed: str) -> list[list[str]]:
    """The cells of a plan's table of settings; what is wrapped belongs to the last cell of the line before."""
    cells: list[list[str]] = []
    start = printed.rindex("\n", 0, printed.index("max_tokens")) + 1
    for line in printed[start : printed.index("auto sends")].splitlines():
        parts = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if line.startswith(" "):
            cells[-1][-1] += f" {parts[0]}"
        else:
            cells.append(parts)
    return cells


def test_a_plan_names_them_in_a_line_an_agent(folder: Path) -> None:
    printed = fanwise("plan", "job.py:job", "--rows", "rows.jsonl", cwd=folder).stdout
    assert table(printed) == [
        ["agent", "effort", "thinking", "max_tokens + thinking", "time limit", "requests", "set by (else default)"],
        ["reads", "high", "disabled", "70", "600 s", "effort job.py:10; max_tokens reads.md:5"],
        ["thinks", "default (medium)", "adaptive", "1,024 + 4,096", "600 s", "effort, thinking job.py:15"],
        ["looks", "none", "none", "1,024", "600 s", "4", "max_turns job.py:21"],
        ["quick", "default (medium)", "adaptive", "1,024 + 4,096", "20 s",
         "effort, thinking job.py:15; time_limit_s job.py:27 .options"],
        ["baseline", "default (medium)", "adaptive", "6,284 + 4,096", "600 s", "34",
         "effort, thinking job.py:15; max_tokens, max_turns from the agents'"],
    ]  # fmt: skip


def test_both_have_them_as_json(folder: Path) -> None:
    drawn = json.loads(fanwise("graph", "job.py:job", "--json", cwd=folder).stdout)
    by_task = {task["task"]: task for task in drawn["tasks"]}
    assert by_task["reads"]["settings"] == {
        "effort": {"value": "high", "source": "decorator", "place": f"{folder}/job.py:10"},
        "thinking": {"value": "disabled", "source": "default"},
        "max_tokens": {
            "value": 70, "for_thinking": 0, "sent": 70, "source": "file", "place": f"{folder}/reads.md:5",
        },
        "time_limit_s": {"value": 600.0, "source": "default"},
    }  # fmt: skip
    planned = json.loads(fanwise("plan", "job.py:job", "--rows", "rows.jsonl", "--json", cwd=folder).stdout)
    by_agent: dict[str, Any] = {agent["agent"]: agent for agent in planned["settings"]}
    assert by_agent["reads"] == {"side": "fanout", "agent": "reads", "tasks": ["reads"]} | by_task["reads"]["settings"]
    effort = by_agent["quick"]["effort"]
    assert (effort["value"], effort["sent"], effort["means"], effort["source"]) == (
        "default", None, "medium", "decorator",
    )  # fmt: skip
    assert by_agent["quick"]["time_limit_s"]["source"] == "options"
    assert by_agent["quick"]["max_tokens"]["sent"] == 1_024 + 4_096
    assert by_agent["baseline"]["max_tokens"]["source"] == "derived"


def test_one_agent_with_other_settings_at_another_task_has_a_line_for_each(folder: Path) -> None:
    again = GRAPH.replace("quick(text)]", 'thinks.options(effort="low")(text)]')
    (folder / "job.py").write_text(again)
    printed = fanwise("plan", "job.py:job", "--rows", "rows.jsonl", cwd=folder).stdout
    cells = [line[:2] for line in table(printed) if line[0].startswith("thinks")]
    assert cells == [["thinks as thinks", "default (medium)"], ["thinks as thinks#2", "low"]]


def test_where_a_setting_is_given_changes_no_request(folder: Path) -> None:
    call = ("job.py:job", "--rows", "rows.jsonl", "--channel", "live", "--yes")
    assert fanwise("run", *call, "--out", "run", cwd=folder).returncode == 0
    elsewhere = "# A line more.\n" + GRAPH.replace("thinks(text)", 'thinks.options(effort="default")(text)')
    (folder / "job.py").write_text(elsewhere)
    (folder / "reads.md").write_text(
        FILE.replace("max_tokens: 70\neffort: medium\n", "effort: medium\nmax_tokens: 70\n")
    )
    before = summary(folder / "run")["attempts"]
    assert fanwise("resume", "run", "--yes", cwd=folder).returncode == 0
    assert summary(folder / "run")["attempts"] == before


def test_other_tools_leave_the_bound_of_requests_as_it_was(folder: Path) -> None:
    """Found: `.options(tools=)` put it back to 10, whatever `@agent` had said."""
    more = '@tool\ndef twice(text: str) -> str:\n    """Look twice."""\n    return text\n\n\n@agent("reads'
    other = GRAPH.replace('@agent("reads', more).replace("looks(text)", "looks.options(tools=[look, twice])(text)")
    (folder / "job.py").write_text(other)
    assert "4 requests a task (job.py:27)" in fanwise("graph", "job.py:job", cwd=folder).stdout


def test_agents_that_are_their_files_say_where_they_were_loaded(folder: Path) -> None:
    (folder / "team").mkdir()
    (folder / "team" / "one.md").write_text("---\nname: one\nmodel: haiku\nmaxTurns: 3\n---\nDo it.\n")
    (folder / "job.py").write_text(
        "from fanwise import Agent, Agents, graph\n\n"
        "team = Agents.load('team', max_tokens=90)\n"
        "reads = Agent.load('reads.md', effort='low')\n\n\n"
        "@graph\ndef job(text: str) -> list[str]:\n    return [team['one'](text), reads(text)]\n"
    )
    drawn = fanwise("graph", "job.py:job", "--json", cwd=folder)
    settings = {task["agent"]: task["settings"] for task in json.loads(drawn.stdout)["tasks"]}
    assert settings["one"]["max_tokens"]["place"] == f"{folder}/job.py:3"
    assert settings["reads"]["effort"] == {"value": "low", "source": "load", "place": f"{folder}/job.py:4"}
    assert settings["reads"]["max_tokens"]["place"] == f"{folder}/reads.md:5"
