"""A task plan as a file of Python: it traces to the graph that the plan compiles to, and no text of it is code."""

from __future__ import annotations

import ast
import io
import json
import keyword
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from planning import (
    FULL,
    classify,
    folder,
    frozen,
    mistakes,
    offered,
    plan_of,
    requests_of,
    shapes_of,
    split,
    task,
    template,
)  # fmt: skip

from fanwise import DefinitionError
from fanwise.graph.schema import schema
from fanwise.plans import FrozenSources, Offer, check_plan, compile_plan, freeze_plan
from support import fanwise

ROW = {"id": 1, "subject": "Late", "body": "It is late.", "history": "Long.", "tags": ["a", "b"], "owner": "me"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("frozen"))


@pytest.fixture(scope="module")
def shapes(place: Path) -> Iterator[ModuleType]:
    with shapes_of(place) as module:
        yield module


@pytest.fixture(scope="module")
def offer(place: Path, shapes: ModuleType) -> Offer:
    return offered(place, shapes)


PLANS = {
    "everything": (FULL, "answer", 8),
    "one task": ([classify()], "topic", 1),
    "a part of an answer": ([classify()], "topic.confidence", 1),
    "a union": ([task("end", "research-topic", {"topic": "row.body"})], "end.code", 1),
    "one of two numbers": ([task("end", "research-topic", {"topic": "row.body"})], "end.mood", 1),
    "a list of what may be missing": ([task("end", "research-topic", {"topic": "row.body"})], "end.lines", 1),
    "a type of the file alone": (
        [task("end", "settle", {"facts": "row.tags", "topic": "topic"}), classify()], "end", 2
    ),
    "a list of such": (
        [task("end", "settle", {"facts": "row.tags", "topic": "item"}, over="parts.topics", need=1), split()], "end", 3
    ),
    "an agent twice, under conditions": (
        [
            classify(when={"reference": "row.owner", "compare": "!=", "value": None}),
            classify("again", when={"reference": "row.id", "compare": ">=", "value": -3}),
            task("sure", "research", {"question": "topic.note", "label": "again.label"}),
            task("end", "gather", {"answers": "many", "sure": "sure", "done": "ended.done"}),
            task("many", "research-topic", {"topic": "item"}, over="row.tags", need=1),
            task("ended", "settle", {"facts": "row.tags", "topic": "again"}),
        ],
        "end",
        7,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_the_frozen_file_is_the_compiled_plan_and_sends_the_same_requests(
    place: Path, shapes: ModuleType, offer: Offer, name: str
) -> None:
    tasks, returns, count = PLANS[name]
    checked = check_plan(plan_of(tasks, returns, "so"), offer)
    compiled = compile_plan(checked, "job")
    _, traced = frozen(place, shapes, checked)
    assert template(compiled.template) == template(traced.template)
    assert (compiled.slots, compiled.params, compiled.param_types) == (
        traced.slots, traced.params, traced.param_types
    )  # fmt: skip
    assert schema(compiled.output_type) == schema(traced.output_type)
    sent = requests_of(compiled, ROW)
    assert sent == requests_of(traced, ROW)
    assert len(sent) == count


def test_places_of_nodes_are_those_of_the_plan_and_its_hash_is_in_no_key(offer: Offer) -> None:
    first, second = (compile_plan(check_plan(plan_of(FULL, "answer", reason), offer)) for reason in ("a", "b"))
    assert [node.place for node in first.tasks()][:3] == ["tasks[1]", "tasks[2]", "tasks[0]"]
    assert first.task_plan != second.task_plan
    assert requests_of(first, ROW) == requests_of(second, ROW)


def test_agents_whose_names_are_alike_or_none_in_python_have_variables_of_their_own(tmp_path: Path) -> None:
    names = ["settle-answer", "settle_answer", "reason", "agents", "1st", "検査官", "監査", "task-plan"]
    folder(tmp_path)
    for name in names:
        (tmp_path / "agents" / f"file-{name}.md").write_text(f"---\nname: {name}\nmodel: haiku\n---\nDo {name}.\n")
    chain = [task(f"t{number}", name, {"task": f"t{number - 1}"}) for number, name in enumerate(names)]
    chain[0]["gives"][0]["reference"] = "row.body"
    end = task("end", "settle", {"facts": "row.tags", "topic": "topic"})
    end["when"] = {"reference": f"t{len(names) - 1}", "compare": "!=", "value": "no"}
    with shapes_of(tmp_path) as shapes:
        checked = check_plan(plan_of([*chain, classify(), end], "end"), offered(tmp_path, shapes))
        source, traced = frozen(tmp_path, shapes, checked)
        assert template(traced.template) == template(compile_plan(checked).template)
    variables = ("SETTLE_ANSWER", "SETTLE_ANSWER_2", "REASON_AGENT", "AGENTS_AGENT", "AGENT", "AGENT_2", "AGENT_3")
    for line in (*(f"{variable}: " for variable in variables), "TASK_PLAN_AGENT: ", "    SETTLE_ANSWER_3 = Any"):
        assert f"\n{line}" in source, source


REASONS = [
    "", "#", "# a\nimport os\n", "'", '"', "'''", '"""', '"""\nimport os\n"""', "\\", "\\'", "\\\n", "\n\nimport os\n",
    "\r", "\r\nimport os", "\x0c", "\x1a", "\x1b[2J", "{__import__('os')}", "f'{1}'", "\u2028import os", "\u2029",
    "\u202e", "\u200b", "\ufeff", "coding: utf-7 +AF8", "# -*- coding: utf16 -*-", "%s" * 50, "x" * 5000, "\U0001f6a8",
    "'; __import__('os').system('true'); '", "\\N{BULLET}", "\\x27\\u0027", "$(touch x)`touch x`", "ＲＥＡＳＯＮ = 1",
]  # fmt: skip


@pytest.mark.parametrize("reason", REASONS, ids=range(len(REASONS)))
def test_a_hostile_reason_or_value_is_a_literal(place: Path, shapes: ModuleType, offer: Offer, reason: str) -> None:
    def checked(text: str) -> Any:
        when = {"reference": "row.body", "compare": "==", "value": text}
        return check_plan(plan_of([classify(when=when)], "topic", text), offer)

    source, spec = frozen(place, shapes, checked(reason))
    sources = FrozenSources(folder="agents", module=shapes, module_name="desk_shapes")
    plain = freeze_plan(checked("PLAIN"), "job", sources)
    assert shape(source) == shape(plain)
    names = {node.targets[0].id: node.value.value for node in ast.parse(source).body  # type: ignore[attr-defined]
             if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)}  # fmt: skip
    assert names["REASON"] == reason
    assert not [
        token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type == tokenize.COMMENT
    ]
    assert template(spec.template) == template(compile_plan(checked(reason)).template)


def shape(source: str) -> str:
    """A source without its texts."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


NAMES = [
    "", "_", "_topic", "Topic", "1st", "a-b", "a b", "a.b", "a\n", "a;b", "a=1", "é", "ａ", "a" * 42, "a\x00"[:1] + "(",
    "row", "item", "agent", "each", "given", "when", "graph", "print", "open", "eval", "exec", "__import__", "lambda",
    "import", "match", "type", "none", "None", "job", "desk_shapes", "a#", "a'", "a\u200b", "ﬁ", "len",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_refused_or_a_plain_name(place: Path, shapes: ModuleType, offer: Offer, name: str) -> None:
    limited = Offer(agents=offer.agents, row=offer.row, taken=("job", "desk_shapes"))
    said = mistakes(plan_of([classify(name)], name), limited)
    if name == "none":  # a name that nothing in the file has
        assert not said and frozen(place, shapes, check_plan(plan_of([classify(name)], name), offer))
    else:
        assert any(mistake.startswith("tasks[0].name: ") for mistake in said), said


@pytest.mark.parametrize("graph", ["", "Job", "print", "each", "a b", "job\n", "topic", *keyword.kwlist[:5]])
def test_a_graph_has_a_name_of_its_own(shapes: ModuleType, offer: Offer, graph: str) -> None:
    sources = FrozenSources(folder="agents", module=shapes, module_name="desk_shapes")
    with pytest.raises(DefinitionError, match=r"no name for a graph|is the name of the graph"):
        freeze_plan(check_plan(plan_of([classify()], "topic"), offer), graph, sources)


def test_what_has_no_name_in_the_file_is_a_mistake_with_its_place(shapes: ModuleType, offer: Offer) -> None:
    from fanwise import Block

    other = Offer(agents=offer.agents, row=offer.row, blocks={"odd": Block("odd", "text")})
    tasks = [task("end", "plain", {"task": "row.body", "context": "block:odd"})]
    sources = FrozenSources(folder="agents", module=shapes, module_name="desk_shapes")
    with pytest.raises(DefinitionError) as caught:
        freeze_plan(check_plan(plan_of(tasks, "end"), other), "job", sources)
    assert [mistake.place for mistake in caught.value.mistakes] == ["tasks[0].gives"]
    with pytest.raises(DefinitionError, match="cannot be imported under its name"):
        named = FrozenSources(folder="agents", module=shapes, module_name="types")
        freeze_plan(check_plan(plan_of([classify()], "topic"), offer), "job", named)


def test_the_command_writes_a_graph_that_runs_and_keeps_what_was_edited(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "plan.json").write_text(plan_of(FULL, "answer", "since").to_json())
    words = ("freeze", "plan.json", "--agents", "agents", "--types", "desk_shapes.py", "--row", "Ticket",
             "--write", "triage.py")  # fmt: skip
    result = fanwise(*words, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("triage.py:triage: 7 tasks, task plan ")
    written = (tmp_path / "triage.py").read_text()
    assert "from fanwise import Agent, Agents, each, given, graph, when" in written
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW))
    run = fanwise("run", "triage.py:triage", "--rows", "rows.jsonl", "--out", "out", "--channel", "live", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert fanwise(*words, cwd=tmp_path).returncode == 0
    (tmp_path / "triage.py").write_text(written + "\n# edited\n")
    refused = fanwise(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert "triage.py is there already and may have been edited" in refused.stderr
    assert (tmp_path / "triage.py").read_text().endswith("# edited\n")


def test_model_and_tools_that_were_left_to_the_caller_stand_in_the_file_and_are_said(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "agents" / "plain.md").write_text("---\nname: plain\nmodel: inherit\ntools: Read\n---\nDo it.\n")
    (tmp_path / "plan.json").write_text(plan_of([task("end", "plain", {"task": "row.body"})], "end").to_json())
    words = ("freeze", "plan.json", "--agents", "agents", "--types", "desk_shapes.py", "--row", "Ticket",
             "--write", "triage.py")  # fmt: skip
    assert "plain.md:3: model is inherit, and none is given" in fanwise(*words, cwd=tmp_path).stderr
    result = fanwise(*words, "--inherit", "haiku", cwd=tmp_path)
    said = "fanwise: agent plain runs without Read, which its file names; give it by tools= in triage.py\n"
    assert (result.returncode, result.stderr) == (0, said)
    drawn = fanwise("graph", "triage.py:triage", cwd=tmp_path)
    assert drawn.returncode == 0 and "plain  claude-haiku-5-5" in drawn.stdout and "without: Read" in drawn.stdout


def test_the_command_tells_all_mistakes_and_writes_nothing(tmp_path: Path) -> None:
    folder(tmp_path)
    tasks = [classify("Topic"), task("end", "plane", {"task": "row.bodi"})]
    (tmp_path / "plan.json").write_text(plan_of(tasks, "ends").to_json())
    words = ("freeze", "plan.json", "--agents", "agents", "--types", "desk_shapes.py", "--row", "Ticket",
             "--write", "triage.py", "--most-tasks", "1", "--output", "Answer")  # fmt: skip
    result = fanwise(*words, cwd=tmp_path)
    assert result.returncode == 2
    head, *lines = result.stderr.splitlines()
    assert head == "fanwise: task plan plan.json has 5 mistakes:"
    assert [line.strip().partition(": ")[0] for line in lines] == [
        "tasks", "tasks[0].name", "tasks[1].agent", "tasks[1].gives[0].reference", "returns"
    ]  # fmt: skip
    assert not (tmp_path / "triage.py").exists()
