"""Types that agent files name: `input:` and `output:`, out of what the caller passes or as a JSON schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from fanwise import Agents, DefinitionError, graph
from support import fanwise

HEAD = "---\nname: {name}\ndescription: Works on {name}.\nmodel: haiku\n{more}---\n{body}\n"


class Ticket(BaseModel):
    subject: str
    body: str
    tone: str | None = "kind"


class Topic(BaseModel):
    label: Literal["bug", "other"]


def write(folder: Path, name: str, more: str, body: str = "Do it.") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(HEAD.format(name=name, more=more, body=body))


def labelled(subject: str, body: str, tone: str | None) -> Topic:
    return Topic(label="bug" if tone == "kind" and subject + body else "other")


def test_the_fields_of_an_input_are_parameters_and_the_output_is_a_type(tmp_path: Path) -> None:
    write(tmp_path / "agents", "classify", "input: Ticket\noutput: Topic\n")
    write(tmp_path / "agents", "many", "output: list[Topic]\n")
    agents = Agents.load(tmp_path / "agents", types=[Ticket, Topic], stand_ins={"classify": labelled})
    spec = agents["classify"].spec
    assert (dict(spec.params), spec.output) == ({"subject": str, "body": str, "tone": str | None}, Topic)
    assert (dict(agents["many"].spec.params), agents["many"].spec.output) == ({"task": str}, list[Topic])

    @graph
    def job(ticket: Ticket) -> Topic:
        return agents["classify"](ticket.subject, body=ticket.body)

    assert job.rehearse(Ticket(subject="a", body="b")) == Topic(label="bug")


SCHEMA = """\
input:
  type: object
  properties: {text: {type: string}, most: {type: integer, minimum: 1}}
  required: [text]
output:
  type: object
  description: What was found.
  properties:
    kind: {enum: [bug, other], description: The kind.}
    parts: {type: array, items: {type: object, properties: {line: {type: integer}}, required: [line]}}
    note: {type: [string, "null"], minLength: 1}
  required: [kind, parts, note]
"""


def test_a_schema_in_the_file_is_a_type(tmp_path: Path) -> None:
    write(tmp_path / "agents", "slip-finder", SCHEMA)
    spec = Agents.load(tmp_path / "agents", types=())["slip-finder"].spec
    assert list(spec.params) == ["text", "most"]
    answer = {"kind": "bug", "parts": [{"line": 3}], "note": None}
    assert spec.output(**answer).model_dump() == answer
    assert spec.output.__name__ == "SlipFinderOutput"
    assert "What was found." in json.dumps(spec.schema)
    with pytest.raises(ValueError, match="kind"):
        spec.output(**{**answer, "kind": "odd"})


def test_without_types_such_fields_are_of_somebody_else_and_said(tmp_path: Path) -> None:
    write(tmp_path / "agents", "classify", "input: a ticket\n")
    agents = Agents.load(tmp_path / "agents")
    assert dict(agents["classify"].spec.params) == {"task": str}
    assert "not read here: input (line 5)" in str(agents.notes[0])


SHAPES = """\
from pydantic import BaseModel
class Ticket(BaseModel):
    id: int
    body: str
class Topic(BaseModel):
    label: str
"""
BROKEN = {
    "a": ("output: Topik\n", "a.md:5: output: no type is called 'Topik'; did you mean 'Topic'?"),
    "b": ("input: os.path\n", "b.md:5: input: no type is called 'os.path'; types= has Ticket, Topic"),
    "c": ("output: {type: text}\n", "c.md:5: output has type 'text'; one of string, integer"),
    "d": ("output: {type: object}\n", "d.md:5: output is an object without properties"),
    "e": ("effort: high\noutput: {type: string, format: date}\n", "e.md:6: output has 'format', which is not read"),
    "f": ("output: 7\n", "f.md:5: output is '7'"),
    "g": ("output:\n  type: array\n", "g.md:5: output is an array without items"),
    "h": ("max_tokens: none\n", "h.md:5: max_tokens is 'none'"),
    "i": (
        "output: {type: object, properties: {class: {type: string}}}\n",
        "i.md:5: output.class is no name of a field",
    ),
    "j": ("input: {type: object, properties: {a: {enum: [1.5]}}}\n", "j.md:5: input.a.enum has 1.5"),
}


def test_ten_broken_files_are_ten_findings_in_one_go(tmp_path: Path) -> None:
    for name, (more, _) in BROKEN.items():
        write(tmp_path / "agents", name, more)
    with pytest.raises(DefinitionError) as caught:
        Agents.load(tmp_path / "agents", types=[Ticket, Topic])
    said = [str(mistake).removeprefix(f"{tmp_path / 'agents'}/") for mistake in caught.value.mistakes]
    assert len(said) == len(BROKEN)
    for (_, expected), mistake in zip(BROKEN.values(), said, strict=True):
        assert mistake.startswith(expected), mistake
    (tmp_path / "shapes.py").write_text(SHAPES)
    result = fanwise("agents", tmp_path / "agents", "--types", tmp_path / "shapes.py")
    assert result.returncode == 2
    assert [line for line in result.stderr.splitlines() if ".md:" in line and "  " in line][9].endswith(said[9])


def test_a_file_causes_no_import(tmp_path: Path) -> None:
    module = ModuleType("shapes")
    module.__dict__.update(Ticket=Ticket, json=json, _Hidden=Topic, function=labelled)
    assert "this" not in sys.modules
    for name, text in {
        "a": "this",
        "b": "this.s",
        "c": "json",
        "d": "_Hidden",
        "e": "function",
        "f": "list[this]",
    }.items():
        write(tmp_path / "agents", name, f"output: {text}\n")
    with pytest.raises(DefinitionError) as caught:
        Agents.load(tmp_path / "agents", types=module)
    assert len(caught.value.mistakes) == 6
    assert "this" not in sys.modules


def test_agents_are_listed_with_signature_model_tools_and_the_price_that_a_run_has_paid(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text(SHAPES)
    write(tmp_path / "agents", "classify", "tools: Read\ninput: Ticket\noutput: Topic\n")
    write(tmp_path / "agents", "other", "")
    words = ("agents", "agents", "--types", "shapes.py")
    result = fanwise(*words, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "classify(id: int, body: str) -> Topic",
        "  claude-haiku-5-5, price of a call: not known, no run was given",
        "  without: Read",
        "  Works on classify.",
        "other(task: str) -> str",
        "  claude-haiku-5-5, price of a call: not known, no run was given",
        "  Works on other.",
    ]
    (tmp_path / "job.py").write_text(
        "import shapes\nfrom fanwise import Agents, graph\n"
        "agents = Agents.load('agents', types=shapes, missing_tools='drop')\n"
        "@graph\ndef job(ticket: shapes.Ticket) -> shapes.Topic:\n"
        "    return agents['classify'](ticket.id, ticket.body)\n"
    )
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "body": "a"}\n{"id": 2, "body": "b"}\n')
    run = fanwise("run", "job.py:job", "--rows", "rows.jsonl", "--out", "done", "--channel", "live", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    listed = fanwise(*words, "--run", "done", "--json", cwd=tmp_path)
    classify, other = json.loads(listed.stdout)
    groups = [
        json.loads(line)
        for line in fanwise("report", "done", "--by", "agent", "--json", cwd=tmp_path).stdout.splitlines()
    ]
    (paid,) = [group for group in groups if group["agent"] == "classify"]
    assert classify["calls"] == paid["attempts"] == 2
    assert float(classify["price_of_a_call_usd"]) == pytest.approx(float(paid["cost_usd"]) / 2)
    assert (other["calls"], other["price_of_a_call_usd"]) == (0, None)
    assert classify["parameters"] == {"id": "int", "body": "str"}
    shown: list[Any] = [classify["output"], classify["model"], classify["without"], classify["description"]]
    assert shown == ["Topic", "claude-haiku-5-5", ["Read"], "Works on classify."]
