"""What the tests of task plans share: a folder of agents, plans, and graphs as they are compared."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from fanwise import Agents, DefinitionError
from fanwise.engine.arms import build_arms, row_state
from fanwise.engine.load import load_graph, load_module
from fanwise.engine.nodes import AgentNode, keyed
from fanwise.engine.records import Record
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.toolbox import list_tools
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.outcomes import Done
from fanwise.plans import CheckedPlan, FrozenSources, Offer, TaskPlan, check_plan, freeze_plan, read_plan

SHAPES = Path(__file__).parent / "desk_shapes.py"
AGENTS = {
    "classify": "input: Classify\noutput: Topic\n",
    "split": "input: Split\noutput: Found\n",
    "research": "input: Research\noutput: str\n",
    "research-topic": "input: {type: object, properties: {topic: {type: string}}, required: [topic]}\noutput: Answer\n",
    "draft": "input: Draft\noutput: Answer\n",
    "settle": "input: Maybe\noutput: {type: object, properties: {done: {type: boolean}}, required: [done]}\n",
    "gather": "input: Gather\noutput: Answer\n",
    "plain": "",
}


def folder(place: Path) -> Path:
    """A folder with the module of types and the agents."""
    (place / "agents").mkdir()
    shutil.copy(SHAPES, place / "desk_shapes.py")
    for name, types in AGENTS.items():
        text = f"---\nname: {name}\nmodel: haiku\ndescription: Does {name}.\n{types}---\nDo {name}.\n"
        (place / "agents" / f"{name}.md").write_text(text)
    return place


@contextmanager
def shapes_of(place: Path) -> Iterator[ModuleType]:
    """The module of types of a folder, as the frozen files beside it import it."""
    before, path = {*sys.modules}, [*sys.path]
    try:
        yield load_module(str(place / "desk_shapes.py"))
    finally:
        for name in {*sys.modules} - before:
            if name.startswith("_fanwise_"):
                del sys.modules[name]
        sys.path[:] = path


def offered(place: Path, shapes: Any, **more: Any) -> Offer:
    agents = Agents.load(place / "agents", types=shapes)
    blocks = {block.name: block for block in (*shapes.HANDBOOK.sections, shapes.NOTE)}
    return Offer(agents=agents, row=shapes.Ticket, blocks=blocks, **more)


def task(name: str, agent: str, gives: dict[str, str], **more: Any) -> dict[str, Any]:
    pairs = [{"parameter": parameter, "reference": text} for parameter, text in gives.items()]
    return {"name": name, "agent": agent, "gives": pairs, **more}


def plan_of(tasks: list[dict[str, Any]], returns: str, reason: str = "") -> TaskPlan:
    return read_plan(json.dumps({"tasks": tasks, "returns": returns, "reason": reason}))


def classify(name: str = "topic", **more: Any) -> dict[str, Any]:
    return task(name, "classify", {"subject": "row.subject", "body": "row.body"}, **more)


def split(**more: Any) -> dict[str, Any]:
    return task("parts", "split", {"body": "row.body", "history": "row.history"}, **more)


FULL = [
    task("facts", "research", {"question": "item", "label": "topic.label", "context": "block:handbook/refunds"},
         over="parts.parts", need=2, most=5, when={"reference": "topic.confidence", "compare": ">", "value": 0.5}),
    classify(),
    split(),
    task("notes", "research-topic", {"topic": "item.note"}, over="parts.topics"),
    task("sure", "research", {"question": "topic.note"}),
    task("ended", "settle", {"facts": "facts", "topic": "topic", "context": "block:note"}),
    task("answer", "gather", {"answers": "notes", "sure": "sure", "done": "ended.done"}),
]  # fmt: skip


def mistakes(plan: TaskPlan, offer: Offer) -> list[str]:
    try:
        check_plan(plan, offer)
    except DefinitionError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []


def frozen(place: Path, shapes: ModuleType, checked: CheckedPlan, name: str = "job") -> tuple[str, GraphSpec]:
    """The source of a plan, and the graph that its file traces to."""
    sources = FrozenSources(folder="agents", module=shapes, module_name="desk_shapes")
    source = freeze_plan(checked, name, sources)
    file = place / f"{name}.py"
    file.write_text(source, encoding="utf-8")
    before, is_kept = {*sys.modules}, sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # of two sources of one length, written in one second, the first would be read again
    try:
        return source, load_graph(f"{file}:{name}").spec
    finally:
        sys.dont_write_bytecode = is_kept
        for module in {*sys.modules} - before:
            if module.startswith("_fanwise_"):
                del sys.modules[module]


def template(value: Any) -> Any:
    """A graph as plain data that can be compared: without places, and with agents as what shapes their requests."""
    if is_dataclass(value):
        named = {field.name: getattr(value, field.name) for field in fields(value) if field.name != "place"}
        return type(value).__name__, {name: template(part) for name, part in named.items() if name != "target"}, (
            asked(named["target"]) if "target" in named else None
        )  # fmt: skip
    if isinstance(value, dict):
        return [(name, template(part)) for name, part in value.items()]
    return [template(part) for part in value] if isinstance(value, list | tuple) else value


def asked(target: Any) -> list[Any]:
    spec = target.spec
    params = [(name, str(tp)) for name, tp in spec.params.items()]
    return [spec.name, spec.tiers, spec.instructions, spec.context, spec.schema, params, str(spec.intensity)]


TOPIC = {"label": "bug", "confidence": 0.9, "note": "loud"}
ANSWERS: dict[str, Any] = {
    "classify": TOPIC, "split": {"parts": ["a", "b"], "topics": [TOPIC, {**TOPIC, "note": None}]}, "research": "found",
    "research-topic": {"text": "t"}, "draft": {"text": "d"}, "settle": {"done": True}, "gather": {"text": "g"},
    "plain": "p",
}  # fmt: skip


def requests_of(spec: GraphSpec, record: dict[str, Any]) -> list[tuple[str, ...]]:
    """Label, content key, key of its work and bytes of every request of a row, with fixed answers in between."""
    arm = build_arms({"fanout": spec}, toolbox=list_tools([spec]))["fanout"]
    row = RowTypes(spec.param_types, None).check(Record(1, 0, record, json.dumps(record)))
    assert isinstance(row, Row), row
    state, sent = row_state(arm, row), list[tuple[str, ...]]()
    ready = state.start()
    while ready:
        ready_task = ready.pop(0)
        node = arm.nodes[ready_task.node.path]
        assert isinstance(node, AgentNode)
        ready_task, key, work = keyed(row.row_id, arm.name, node, ready_task)
        sent.append((ready_task.label, key, work, json.dumps(node.request(ready_task).body(run_id=""))))
        target = ready_task.node.target
        assert target.spec is not None
        answer: Any = TypeAdapter(target.spec.output).validate_python(ANSWERS[target.name])
        ready += state.finish(ready_task, Done(answer))
    return sent
