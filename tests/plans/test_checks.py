"""The checks of a task plan: everything that is wrong with it at once, each with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from planning import FULL, classify, folder, mistakes, offered, plan_of, shapes_of, split, task

from fanwise import DefinitionError
from fanwise.plans import Offer, PlanLimits, read_plan


@pytest.fixture(scope="module")
def offer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offer]:
    place = folder(tmp_path_factory.mktemp("plans"))
    with shapes_of(place) as shapes:
        yield offered(place, shapes)


def plain(text: str, name: str = "end") -> dict[str, Any]:
    return task(name, "plain", {"task": text})


WRONG: dict[str, tuple[list[dict[str, Any]], str, list[str]]] = {
    "empty": ([], "end", ["tasks: is empty", "returns: 'end' names no task"]),
    "a bad name": ([plain("row.body", "Bad-Name")], "end", ["tasks[0].name: 'Bad-Name' is no name", "returns: "]),
    "a word of Python": ([plain("row.body", "print")], "print", ["tasks[0].name: 'print' is taken"]),
    "a name twice": (
        [plain("row.body"), plain("row.subject")],
        "end",
        ["tasks[1].name: 'end' is the name of tasks[0] already"],
    ),
    "an unknown agent": (
        [task("end", "plane", {"task": "row.body"})],
        "end",
        ["tasks[0].agent: there is no agent 'plane'; did you mean 'plain'?"],
    ),
    "an unknown field": (
        [plain("row.bodi")],
        "end",
        ["tasks[0].gives[0].reference: row (Ticket) has no field 'bodi'; did you mean 'body'?"],
    ),
    "an unknown task": (
        [classify("topic"), plain("topik.label")],
        "end",
        [
            "tasks[0]: 'topic' is of no use",
            "tasks[1].gives[0].reference: there is no task 'topik'; did you mean 'topic'?",
        ],
    ),
    "an unknown block": (
        [task("end", "plain", {"task": "row.body", "context": "block:handbook/refund"})],
        "end",
        ["tasks[0].gives[1].reference: there is no block 'handbook/refund'; did you mean 'handbook/refunds'?"],
    ),
    "a block as a value": (
        [task("end", "plain", {"task": "block:note"})],
        "end",
        [
            "tasks: no task is shown any part of the row",
            "tasks[0].gives: 'plain' is not given task",
            "tasks[0].gives[0].parameter: a block is no value of 'task'",
        ],
    ),
    "a parameter missing": (
        [task("end", "classify", {"body": "row.body"})],
        "end",
        ["tasks[0].gives: 'classify' is not given subject"],
    ),
    "an unknown parameter": (
        [task("end", "plain", {"task": "row.body", "tone": "row.body"})],
        "end",
        ["tasks[0].gives[1].parameter: 'plain' takes no 'tone'; it takes task"],
    ),
    "a type that does not fit": (
        [plain("row.id")],
        "end",
        ["tasks[0].gives[0]: row.id (int) does not fit plain(task: str)"],
    ),
    "a task that reads itself": (
        [plain("end")],
        "end",
        ["tasks: no task is shown any part of the row", "tasks[0].gives[0].reference: 'end' reads itself"],
    ),
    "a circle": (
        [task("one", "research", {"question": "two", "label": "row.body"}), task("two", "plain", {"task": "one"})],
        "two",
        ["tasks[0]: 'one' waits for itself: one -> two -> one"],
    ),
    "a task of no use": ([classify(), plain("row.body")], "end", ["tasks[0]: 'topic' is of no use"]),
    "over no list": (
        [task("end", "plain", {"task": "item"}, over="row.body")],
        "end",
        ["tasks[0].over: row.body (str) is not a list"],
    ),
    "need above most": (
        [task("end", "plain", {"task": "item"}, over="row.tags", need=3, most=2)],
        "end",
        ["tasks[0].need: need 3 is above most 2"],
    ),
    "bounds without a loop": (
        [{**plain("row.body"), "need": 0, "most": 2}],
        "end",
        [
            "tasks[0].most: most is of a task with over",
            "tasks[0].need: need is of a task with over",
            "tasks[0].need: need is 0",
        ],
    ),
    "an item where there is none": (
        [plain("item")],
        "end",
        ["tasks: no task", "tasks[0].gives[0].reference: there is no item here"],
    ),
    "a condition that never holds": (
        [classify(), {**plain("row.body"), "when": {"reference": "topic.label", "compare": "==", "value": "bugs"}}],
        "end",
        ["tasks[1].when: topic.label (Literal['bug', 'bill', 'other']) is never 'bugs'"],
    ),
    "an order of texts and numbers": (
        [{**plain("row.body"), "when": {"reference": "row.id", "compare": "<", "value": "x"}}],
        "end",
        ["tasks[0].when: row.id (int) is not ordered with 'x'"],
    ),
    "no row": (
        [task("end", "plain", {"task": "end2"}), plain("end", "end2")],
        "end",
        ["tasks: no task", "tasks[0]: 'end' waits for itself"],
    ),
    "no reference": (
        [plain("row.body; import os")],
        "end",
        ["tasks: no task", "tasks[0].gives[0].reference: 'row.body; import os' is no reference"],
    ),
    "a part of what may be missing": (
        [classify(when={"reference": "row.id", "compare": ">", "value": 1})],
        "topic.label",
        ["returns: topic may be missing, so that topic.label cannot be read; return it whole"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_place(offer: Offer, name: str) -> None:
    tasks, returns, expected = WRONG[name]
    said = mistakes(plan_of(tasks, returns), offer)
    assert len(said) == len(expected), said
    for words, mistake in zip(expected, said, strict=True):
        assert mistake.startswith(words), mistake


def test_a_plan_without_a_mistake_has_none(offer: Offer) -> None:
    assert mistakes(plan_of(FULL, "answer"), offer) == []


def test_all_mistakes_are_told_at_once_in_the_order_of_the_plan(offer: Offer) -> None:
    tasks = [
        classify("Topic"), {**split(), "over": "row.body"}, plain("parts.part", "end"),
        task("facts", "reserch", {"question": "item"}, over="parts.parts", need=2, most=1),
    ]  # fmt: skip
    said = mistakes(plan_of(tasks, "ends"), offer)
    places = [mistake.partition(": ")[0] for mistake in said]
    expected = ["tasks[0].name", "tasks[1].over", "tasks[2].gives[0].reference", "tasks[3].agent", "tasks[3].need"]
    assert places == [*expected, "tasks[3].over", "returns"], said


def test_the_output_of_the_row_is_checked(offer: Offer) -> None:
    wanted = Offer(agents=offer.agents, row=offer.row, output=int)
    assert mistakes(plan_of([plain("row.body")], "end"), wanted) == ["returns: end is str, not int"]


LIMITS = {
    "tasks": (PlanLimits(tasks=1), ["tasks: has 2 tasks, more than 1"]),
    "width": (PlanLimits(width=2), ["tasks[1].most: 3 is more than 2, the most items"]),
    "depth": (PlanLimits(depth=1), ["tasks[1]: 'end' stands 2 deep, and 1 is the most"]),
    "calls": (PlanLimits(calls=3), ["tasks: may take 4 requests a row, more than 3"]),
    "dollars": (
        PlanLimits(pico=10, call_pico={"split": 5, "plain": 2}),
        ["tasks: may cost $0.000000000011 a row, more than $0.00000000001"],
    ),
    "a price that is not known": (PlanLimits(pico=10), ["tasks: may cost any sum: no price is known of plain, split"]),
    "none": (PlanLimits(tasks=2, width=3, depth=2, calls=4, pico=11, call_pico={"split": 5, "plain": 2}), []),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_plan_over_a_limit_is_refused(offer: Offer, name: str) -> None:
    limits, expected = LIMITS[name]
    tasks = [split(), task("end", "plain", {"task": "item"}, over="parts.parts", most=3)]
    assert mistakes(plan_of(tasks, "end"), Offer(agents=offer.agents, row=offer.row, limits=limits)) == expected


def test_a_loop_without_a_bound_is_over_every_limit_of_width(offer: Offer) -> None:
    tasks = [task("end", "plain", {"task": "item"}, over="row.tags")]
    limited = Offer(agents=offer.agents, row=offer.row, limits=PlanLimits(calls=100))
    assert mistakes(plan_of(tasks, "end"), limited) == ["tasks[0].most: 'end' runs for a list of any length; give most"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", ["task plan: is not JSON"]),
        ("[" * 100_000, ["task plan: is not JSON: it is nested too deeply"]),
        ('{"tasks": [], "tasks": [], "returns": "a"}', ["task plan: is not JSON: 'tasks' stands twice"]),
        ('{"tasks": [], "returns": "a", "reason": NaN}', ["task plan: is not JSON: NaN is no number"]),
        (
            '{"tasks": [{"name": 3, "agent": "a", "give": []}]}',
            ["tasks[0].name: ", "tasks[0].gives: ", "tasks[0].give: is no field of it", "returns: "],
        ),
        ('{"tasks": [], "returns": "a", "reason": "\\ud800"}', ["reason: Value error, it is not UTF-8"]),
        ("[]", ["task plan: "]),
    ],
)
def test_what_is_no_plan_is_told_with_its_place(text: str, expected: list[str]) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_plan(text)
    said = [str(mistake) for mistake in caught.value.mistakes]
    assert len(said) == len(expected), said
    for words, mistake in zip(expected, said, strict=True):
        assert mistake.startswith(words), mistake


def test_a_condition_with_another_value_is_told_once(offer: Offer) -> None:
    tasks = [{**plain("row.body"), "when": {"reference": "row.id", "compare": "==", "value": [1]}}]
    with pytest.raises(DefinitionError) as caught:
        plan_of(tasks, "end")
    assert [mistake.place for mistake in caught.value.mistakes] == ["tasks[0].when.value"]
    assert json.loads(plan_of([plain("row.body")], "end").to_json())["tasks"][0]["name"] == "end"


def test_json_in_and_out_is_the_same_plan_and_the_hash_goes_by_all_of_it() -> None:
    plan = plan_of(FULL, "answer", "since\n it is so")
    assert read_plan(plan.to_json()) == plan
    assert read_plan(plan.to_json()).hash == plan.hash != plan_of(FULL, "answer", "since").hash
