"""Random task plans: accepted exactly when another judge accepts them, and then the frozen file is the compiled plan.

`EXAMPLES` is the number of plans, 200 by default.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from judge import SIGNATURES, Judge, WrongError, fit, is_opt
from planning import folder, frozen, mistakes, offered, shapes_of, template

from fanwise.plans import check_plan, compile_plan, read_plan

EXAMPLES = int(os.environ.get("EXAMPLES", "200"))
FIELDS = ("id", "subject", "body", "history", "owner", "tags")
PARTS = ("label", "confidence", "note", "parts", "topics", "text", "done")
COMPARISONS = [
    (compare, value) for compare in ("==", "!=", "<", ">=") for value in ("bug", "odd", 1, 1.5, True, None, -2)
]

BOUNDS = [(None, None), (None, None), (None, None), (1, 2), (None, 3), (2, None), (2, 2), (3, 2)]
REASONS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


def references(tasks: list[dict[str, Any]], *, has_item: bool) -> list[str]:
    """Every reference that may be one, and some that are none."""
    names = [task["name"] for task in tasks]
    texts = [f"row.{field}" for field in FIELDS] + names + [f"{name}.{part}" for name in names for part in PARTS]
    return texts + (["item", *(f"item.{part}" for part in PARTS)] if has_item else [])


def fitting(tasks: list[dict[str, Any]], candidate: dict[str, Any], texts: list[str], part: str) -> list[Any]:
    """What has no mistake in a part of a task that is not complete yet: references, or conditions."""
    whens = [
        {"reference": text, "compare": compare, "value": value} for text in texts for compare, value in COMPARISONS
    ]
    good: list[Any] = []
    for choice in whens if part == "when" else texts:
        judge, missing = Judge({"tasks": [*tasks, candidate], "returns": ""}), {"row": False}
        try:
            if part == "when":
                judge.condition(candidate["name"], {**candidate, "when": choice}, missing)
            elif part == "over":
                judge.loop(candidate["name"], {**candidate, "over": choice}, missing)
            else:
                item = judge.loop(candidate["name"], {**candidate, "need": None, "most": None}, missing)
                tp, _ = judge.value(candidate["name"], choice, item)
                wanted = SIGNATURES[candidate["agent"]][0][part]
                judge.need(fit(tp, wanted) or (is_opt(tp) and fit(tp[1], wanted)))
        except WrongError:
            continue
        good.append(choice)
    return good


def possible(tasks: list[dict[str, Any]], candidate: dict[str, Any], texts: list[str]) -> list[str]:
    """Agents to whose parameters something can be given."""
    agents = [(name, {**candidate, "agent": name}) for name in SIGNATURES]
    return [name for name, task in agents if all(fitting(tasks, task, texts, param) for param in SIGNATURES[name][0])]


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """A plan that is often right: each choice is one that fits, but for some."""
    tasks: list[dict[str, Any]] = []

    def chosen(texts: list[Any], good: list[Any]) -> Any:
        is_wrong = draw(st.integers(0, 39)) == 0
        return draw(st.sampled_from(texts if is_wrong or not good else good))

    for number in range(draw(st.integers(1, 5))):
        odd = draw(st.integers(0, 59))
        name = {0: "print", 1: "a", 2: "A"}.get(odd, f"t{number}")
        candidate: dict[str, Any] = {"name": name, "agent": "plain", "gives": []}
        texts = references(tasks, has_item=False)
        if odd == 3:
            texts.append(name)
        if draw(st.booleans()):
            candidate["over"] = chosen(texts, fitting(tasks, candidate, texts, "over"))
            candidate["need"], candidate["most"] = draw(st.sampled_from(BOUNDS))
        inner = references(tasks, has_item="over" in candidate or odd == 4)
        candidate["agent"] = chosen(sorted(SIGNATURES), possible(tasks, candidate, inner))
        if draw(st.integers(0, 3)) == 0:
            compare, value = draw(st.sampled_from(COMPARISONS))
            odd_when = {"reference": draw(st.sampled_from(texts)), "compare": compare, "value": value}
            candidate["when"] = chosen([odd_when], fitting(tasks, candidate, texts, "when"))
        params, optional, _ = SIGNATURES[candidate["agent"]]
        for param in params:
            if (param in optional and draw(st.booleans())) or draw(st.integers(0, 59)) == 0:
                continue
            text = chosen(inner, fitting(tasks, candidate, inner, param))
            candidate["gives"].append({"parameter": param, "reference": text})
        if draw(st.integers(0, 4)) == 0:
            block = draw(st.sampled_from(["block:note", "block:handbook/tone", "block:nothing"]))
            candidate["gives"].append({"parameter": "context", "reference": block})
        tasks.append(candidate)
    returns = draw(st.sampled_from([tasks[-1]["name"]] * 6 + references(tasks, has_item=False)))
    if draw(st.integers(0, 5)):
        tasks = needed(tasks, returns)
    return {"tasks": draw(st.permutations(tasks)), "returns": returns, "reason": draw(REASONS)}


def needed(tasks: list[dict[str, Any]], returns: str) -> list[dict[str, Any]]:
    """The tasks whose names stand in what is returned, or in such a task."""
    texts = returns
    kept: list[dict[str, Any]] = []
    for task in reversed(tasks):
        if task["name"] in texts.replace('"', ".").split("."):
            kept.insert(0, task)
            said = {name: part for name, part in task.items() if name != "name"}
            texts += "." + json.dumps(said)
    return kept or tasks


def test_random_plans_are_accepted_by_both_judges_or_by_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    place: Path = folder(tmp_path_factory.mktemp("random"))
    counts = {True: 0, False: 0}
    with shapes_of(place) as shapes:
        offer = offered(place, shapes)

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize="CI" in os.environ, database=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(plans())
        def judged(data: dict[str, Any]) -> None:
            plan = read_plan(json.dumps(data))
            said = mistakes(plan, offer)
            is_right = Judge(data).accepts()
            assert (not said) == is_right, said
            counts[is_right] += 1
            if is_right:
                checked = check_plan(plan, offer)
                compiled = compile_plan(checked, "job")
                _, traced = frozen(place, shapes, checked)
                assert template(compiled.template) == template(traced.template)
                assert compiled.slots == traced.slots

        judged()
    print(f"{counts[True]} accepted, {counts[False]} refused")
    assert min(counts.values()) > EXAMPLES // 20
