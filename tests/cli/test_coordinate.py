"""`fanwise coordinate`: a goal and a folder of agents become a reviewed graph; what a bad plan costs is counted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fanwise.emulator import Emulator
from support import environment, fanwise, lines, summary

TYPES = """\
from typing import Literal
from pydantic import BaseModel
from fanwise import Document

HANDBOOK = Document.parse("handbook", "# Refunds\\n\\nWithin 30 days.\\n")


class Ticket(BaseModel):
    id: str
    subject: str
    body: str


class Sorting(BaseModel):
    subject: str
    body: str


class Topic(BaseModel):
    label: Literal["billing", "login", "other"]
    questions: list[str]


class Research(BaseModel):
    question: str


class Drafting(BaseModel):
    body: str
    label: str
    facts: list[str]


class Answer(BaseModel):
    text: str
"""
AGENTS = {
    "classify": ("haiku", "Sorting", "Topic", "Decide what a ticket is about."),
    "research": ("haiku", "Research", "", "Look up the answer to a question."),
    "draft": ("sonnet", "Drafting", "Answer", "Draft the answer to a ticket."),
}
SECRET = "Zanzibar"
"""Stands in every row, and may stand in no request of the coordinator."""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(TYPES)
    (tmp_path / "agents").mkdir()
    for name, (model, given, output, told) in AGENTS.items():
        types = f"input: {given}\n" + (f"output: {output}\n" if output else "")
        text = f"---\nname: {name}\ndescription: {told}\nmodel: {model}\n{types}---\n{told}\n"
        (tmp_path / "agents" / f"{name}.md").write_text(text)
    rows = [{"id": f"t{n}", "subject": f"{SECRET} {n}", "body": f"Where is {SECRET}? {n}"} for n in range(6)]
    (tmp_path / "tickets.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return tmp_path


def coordinate(shop: Path, *more: object, server: Emulator | None = None, goal: str = "Answer the tickets.") -> Any:
    call = ["coordinate", goal, "--agents", "agents", "--types", "shop.py", "--row", "Ticket", "--output", "Answer"]
    call += ["--rows", "tickets.jsonl", "--write", "triage.py"]
    key = {} if server is None else {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": server.url}
    return fanwise(*call, *more, cwd=shop, env=environment(**key))


def gives(**references: str) -> list[dict[str, str]]:
    return [{"parameter": name, "reference": text.replace("__", ".")} for name, text in references.items()]


def task(name: str, agent: str, given: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    return {"name": name, "agent": agent, "gives": given, "over": None, "need": None, "most": None, "when": None} | more


SORT = task("topic", "classify", gives(subject="row.subject", body="row.body"))
FACTS = task("facts", "research", gives(question="item"), over="topic.questions", most=4)
WRITE = task("answer", "draft", gives(body="row.body", label="topic.label", facts="facts"))


def written(*tasks: dict[str, Any], returns: str = "answer", **more: Any) -> str:
    return json.dumps({"tasks": tasks, "returns": returns, "reason": "Facts first."} | more)


GOOD = written(SORT, FACTS, WRITE)
ALONE = written(task("answer", "alone", gives(row="row")))


def scripted(*answers: str) -> tuple[Callable[[dict[str, Any]], str], list[dict[str, Any]]]:
    """Return what answers so, the last one again and again, and the requests that it gets."""
    seen: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> str:
        seen.append(body)
        return answers[min(len(seen), len(answers)) - 1]

    return answer, seen


def price(server: Emulator) -> Decimal:
    return Decimal(server.bill()["totals"]["usd"])


def test_offline_a_goal_and_a_folder_become_a_graph_that_runs(shop: Path) -> None:
    said = coordinate(shop)
    assert said.returncode == 0, said.stderr
    assert "triage.py:triage: 3 tasks" in said.stdout and "(simulated)" in said.stdout
    assert "one agent alone would take $" in said.stderr
    run = fanwise("run", "triage.py:triage", "--rows", "tickets.jsonl", "--out", "run", "--baseline", "auto", cwd=shop)
    assert run.returncode == 0, run.stderr
    assert [line["status"] for line in lines(shop / "run" / "results.jsonl")] == ["succeeded"] * 6


def test_the_same_call_again_asks_nothing_and_another_goal_is_asked(shop: Path) -> None:
    answer, seen = scripted(GOOD)
    with Emulator(answer=answer) as server:
        assert coordinate(shop, server=server).returncode == 0
        source = (shop / "triage.py").read_text()
        assert coordinate(shop, server=server).returncode == 0
        assert len(seen) == 1 and (shop / "triage.py").read_text() == source
        again = coordinate(shop, "--out", "triage.planning", server=server, goal="Answer them in rhymes.")
        assert again.returncode == 0 and len(seen) == 2
        account = summary(shop / "triage.planning")
        assert Decimal(account["cash"]["paid_usd"]) == price(server) > Decimal(account["cost_usd"])


MISTAKES: dict[str, tuple[str, str]] = {
    "not JSON": ("Here is the plan: ...", "JSON"),
    "no object": ("[]", "task plan"),
    "empty": (written(returns="x"), "- tasks: is empty"),
    "a bad name": (written(SORT | {"name": "Topic"}, returns="Topic"), "tasks[0].name"),
    "a name twice": (written(SORT, SORT, FACTS, WRITE), "tasks[1].name"),
    "an agent of nobody": (written(SORT, FACTS, WRITE | {"agent": "nobody"}), "tasks[2].agent"),
    "a field that is not there": (written(SORT | {"gives": gives(subject="row.no", body="row.body")}, FACTS, WRITE),
                                  "tasks[0].gives[0].reference"),
    "a block that is not there": (written(SORT | {"gives": SORT["gives"] + gives(context="block:no")}, FACTS, WRITE),
                                  "tasks[0].gives[2].reference"),
    "a parameter missing": (written(SORT | {"gives": gives(body="row.body")}, FACTS, WRITE), "tasks[0].gives"),
    "a parameter twice": (written(SORT | {"gives": SORT["gives"] + gives(body="row.body")}, FACTS, WRITE),
                          "tasks[0].gives[2]"),
    "a type that does not fit": (written(SORT, FACTS, WRITE | {"gives": gives(body="row", label="topic.label",
                                         facts="facts")}), "tasks[2].gives[0]"),
    "a task that reads itself": (written(SORT, FACTS, WRITE | {"gives": gives(body="answer.text", label="topic.label",
                                         facts="facts")}), "reads itself"),
    "a circle": (written(SORT | {"gives": gives(subject="answer.text", body="row.body")}, FACTS, WRITE), "tasks[0]"),
    "a task of no use": (written(SORT, FACTS, WRITE, task("more", "research", gives(question="row.body"))), "tasks[3]"),
    "over what is no list": (written(SORT, FACTS | {"over": "topic.label"}, WRITE), "tasks[1].over"),
    "need above most": (written(SORT, FACTS | {"need": 9}, WRITE), "tasks[1].need"),
    "another output": (written(SORT, returns="topic"), "returns"),
    "too wide": (written(SORT, FACTS | {"most": 50}, WRITE), "tasks[1].most"),
    "too dear": (written(SORT, FACTS | {"most": 5}, WRITE), "tasks: may take"),
    "more than there is": (written(SORT, FACTS, WRITE, extra=1), "extra"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_goes_back_with_its_place_and_what_it_cost_is_counted(shop: Path, kind: str) -> None:
    plan, place = MISTAKES[kind]
    answer, seen = scripted(plan, GOOD)
    with Emulator(answer=answer) as server:
        said = coordinate(shop, "--most-items", "8", "--most-calls", "6", server=server)
        assert said.returncode == 0, said.stderr
        assert len(seen) == 2 and place in json.dumps(seen[1]["messages"])
        assert Decimal(summary(shop / "triage.planning")["cost_usd"]) == price(server)
    assert "TASK_PLAN" in (shop / "triage.py").read_text()


def test_a_plan_that_stays_wrong_goes_back_twice_and_ends_with_its_price(shop: Path) -> None:
    answer, seen = scripted(MISTAKES["an agent of nobody"][0])
    with Emulator(answer=answer) as server:
        said = coordinate(shop, server=server)
        assert (said.returncode, len(seen)) == (1, 3)
        assert "tasks[2].agent" in said.stderr and "nothing is written" in said.stderr
        assert Decimal(summary(shop / "triage.planning")["cost_usd"]) == price(server)
    assert not (shop / "triage.py").exists()


def test_all_mistakes_of_a_plan_go_back_at_once(shop: Path) -> None:
    answer, seen = scripted(written(SORT | {"gives": gives(subject="row.no")}, WRITE | {"agent": "nobody"}), GOOD)
    with Emulator(answer=answer) as server:
        coordinate(shop, server=server)
    told = json.dumps(seen[1]["messages"])
    places = ("tasks[0].gives[0].reference", "tasks[0].gives:", "tasks[1].agent", "tasks[1].gives[2].reference")
    assert all(place in told for place in places), told


def test_the_coordinator_sees_types_and_sizes_and_no_content_of_a_row(shop: Path) -> None:
    answer, seen = scripted(GOOD)
    with Emulator(answer=answer) as server:
        coordinate(shop, server=server)
    told = json.dumps(seen)
    assert SECRET not in told
    for part in ("row.body: str, about", "classify(subject: str, body: str) -> Topic", "alone(row: Ticket) -> Answer"):
        assert part in told
    enum = json.dumps(seen[0]["output_config"])
    assert '"classify", "draft", "research", "alone"' in enum


def test_alone_is_a_plan_of_one_task_with_the_instructions_of_all(shop: Path) -> None:
    answer, _ = scripted(ALONE)
    with Emulator(answer=answer) as server:
        assert coordinate(shop, server=server).returncode == 0
    answer, seen = scripted(json.dumps({"text": "Yes."}))
    with Emulator(answer=answer) as server:
        env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url)
        call = ["run", "triage.py:triage", "--rows", "tickets.jsonl", "--out", "run", "--baseline", "auto", "--yes"]
        run = fanwise(*call, "--channel", "live", cwd=shop, env=env)
        assert run.returncode == 0, run.stderr
    assert len(seen) == 6
    assert all(told in json.dumps(seen[0]) for *_, told in AGENTS.values())
    assert "triage.py:triage" in json.dumps(summary(shop / "run")) and "alone" in (shop / "triage.py").read_text()


def test_wrong_calls_are_told_and_nothing_is_asked(shop: Path) -> None:
    for goal, more, words in (
        (" ", (), "GOAL: is empty"),
        ("x", ("--row", "Nobody"), "Nobody"),
        ("x", ("--rows", "nowhere.jsonl"), "nowhere.jsonl"),
        ("x", ("--write", "triage.txt"), "FILE.py"),
    ):
        said = coordinate(shop, *more, goal=goal)
        assert said.returncode == 2 and words in said.stderr, said.stderr
        assert "Traceback" not in said.stderr
    assert not (shop / "triage.planning").exists()


def test_a_graph_that_was_edited_stays_as_it_is(shop: Path) -> None:
    assert coordinate(shop).returncode == 0
    edited = (shop / "triage.py").read_text() + "# mine\n"
    (shop / "triage.py").write_text(edited)
    said = coordinate(shop)
    assert said.returncode == 2 and "may have been edited" in said.stderr
    assert (shop / "triage.py").read_text() == edited


def test_the_plan_as_json(shop: Path) -> None:
    said = coordinate(shop, "--json")
    planned = json.loads(said.stdout)
    assert [part["name"] for part in planned["plan"]["tasks"]] == ["classify", "research", "draft"]
    assert planned["simulated"] is True and planned["rows"] == 6
    assert set(planned["alone_usd"]) == {"live", "batch"}
    with sqlite3.connect(f"file:{shop / 'triage.planning' / 'journal.db'}?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM attempts").fetchone() == (1,)


def test_what_can_never_be_written_is_told_before_the_coordinator_is_asked(shop: Path) -> None:
    """Found by a trial: a file that was there, or a graph's name that is none, was told when the plan was paid."""
    answer, seen = scripted(GOOD)
    with Emulator(answer=answer) as server:
        (shop / "other.py").write_text("# mine\n")
        there = coordinate(shop, "--write", "other.py", server=server)
        named = coordinate(shop, "--name", "my-graph", server=server)
        text = "---\nname: alone\nmodel: haiku\ninput: Research\n---\nMine.\n"
        (shop / "agents" / "mine.md").write_text(text)
        alone = coordinate(shop, server=server)
    assert not seen
    assert (there.returncode, named.returncode, alone.returncode) == (2, 2, 2)
    assert "is there already" in there.stderr and "'my-graph' is no name" in named.stderr
    assert "mine.md" in alone.stderr and "the name of the single agent" in alone.stderr
