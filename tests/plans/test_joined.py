"""Plans that are joined by names and types, without a model: what each parameter is given, or why there is no plan."""

from __future__ import annotations

import inspect
import os
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Agent, DefinitionError, agent
from fanwise.errors import NoPlanError
from fanwise.graph import types as ty
from fanwise.plans import Offer, PlanLimits, TaskPlan, check_plan, compile_plan, join

EXAMPLES = int(os.environ.get("EXAMPLES", "200"))


class Ticket(BaseModel):
    subject: str
    body: str
    tags: list[str] = []
    owner: str | None = None


class Topic(BaseModel):
    label: Literal["bug", "bill"]
    note: str | None = None


class Questions(BaseModel):
    questions: list[str]


class Fact(BaseModel):
    text: str


class Answer(BaseModel):
    text: str


def made(name: str, output: Any, default: dict[str, Any] | None = None, /, **params: Any) -> Agent[..., Any]:
    """An agent with some parameters, of which those with a default stand last."""
    defaults = default or {}

    def body(*values: object, **named: object) -> None:
        """Do it."""

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [
        inspect.Parameter(param, kind, annotation=tp, default=defaults.get(param, inspect.Parameter.empty))
        for param, tp in sorted(params.items(), key=lambda pair: pair[0] in defaults)
    ]
    body.__name__ = name
    body.__signature__ = inspect.Signature(parameters, return_annotation=output)  # type: ignore[attr-defined]
    body.__annotations__ = {**params, "return": output}
    return agent(model="haiku", name=name)(body)


def roster(*agents: Agent[..., Any], row: Any = Ticket, output: Any = Answer, **limits: Any) -> Offer:
    return Offer(agents={made.name: made for made in agents}, row=row, output=output, limits=PlanLimits(**limits))


CLASSIFY = made("classify", Topic, subject=str, body=str)
DRAFT = made("draft", Answer, body=str, label=str)
SPLIT = made("split", Questions, body=str)
RESEARCH = made("research", Fact, question=str)
WRITE = made("write", Answer, body=str, facts=list[Fact])


def shown(plan: TaskPlan) -> list[str]:
    """The tasks of a plan, a line each."""
    lines: list[str] = []
    for task in plan.tasks:
        gives = ", ".join(f"{give.parameter}={give.reference}" for give in task.gives)
        loop = "" if task.over is None else f" over {task.over}" + (f" most {task.most}" if task.most else "")
        lines.append(f"{task.name} = {task.agent}({gives}){loop}")
    return [*lines, plan.returns]


TRIAGE = [
    "classify = classify(subject=row.subject, body=row.body)",
    "draft = draft(body=row.body, label=classify.label)",
    "draft",
]
RESEARCHED = [
    "split = split(body=row.body)",
    "research = research(question=item) over split.questions",
    "write = write(body=row.body, facts=research)",
    "write",
]
POLISH = made("polish", Answer, answer=Answer)
EXPECTED: dict[str, tuple[Offer, list[str]]] = {
    "a chain": (roster(CLASSIFY, DRAFT), TRIAGE),
    "a chain, in whatever order the agents stand": (roster(DRAFT, CLASSIFY), TRIAGE),
    "a loop that is joined": (roster(SPLIT, RESEARCH, WRITE), RESEARCHED),
    "a loop, in whatever order": (roster(WRITE, RESEARCH, SPLIT), RESEARCHED),
    "agents of no use": (roster(CLASSIFY, SPLIT, RESEARCH, DRAFT), TRIAGE),
    "two ways: who reads more answers": (roster(made("quick", Answer, body=str), CLASSIFY, DRAFT), TRIAGE),
    "two ways: by names before by chance": (
        roster(made("guess", Answer, mood=str), made("quick", Answer, body=str)),
        ["quick = quick(body=row.body)", "quick"],
    ),
    "an answer of the output's own type read once more": (
        roster(POLISH, CLASSIFY, DRAFT),
        [*TRIAGE[:2], "polish = polish(answer=draft)", "polish"],
    ),
    "any output: the end of the longest chain": (
        roster(SPLIT, RESEARCH, WRITE, CLASSIFY, output=ty.Unknown),
        RESEARCHED,
    ),
    "an agent alone": (roster(made("quick", Answer, subject=str)), ["quick = quick(subject=row.subject)", "quick"]),
    "a name that Python has": (roster(made("print", Answer, body=str)), ["print_2 = print(body=row.body)", "print_2"]),
    "an agent of its file alone": (
        roster(made("plain", str, task=str), output=str),
        ["plain = plain(task=row.subject)", "plain"],
    ),
    "an agent of its file alone, of a row that is a text": (
        roster(made("plain", str, task=str), row=str, output=str),
        ["plain = plain(task=row)", "plain"],
    ),
    "a default stays": (
        roster(made("quick", Answer, {"mood": "kind"}, body=str, mood=str)),
        ["quick = quick(body=row.body)", "quick"],
    ),
    "a default of which there is something by name": (
        roster(made("quick", Answer, {"label": "bug"}, body=str, label=str), CLASSIFY),
        [TRIAGE[0], "quick = quick(body=row.body, label=classify.label)", "quick"],
    ),
    "what may be missing is not given where the output is never None": (
        roster(made("quick", Answer, {"owner": "nobody"}, body=str, owner=str)),
        ["quick = quick(body=row.body)", "quick"],
    ),
    "what may be missing, where the output may be": (
        roster(made("quick", Answer, owner=str), output=Answer | None),
        ["quick = quick(owner=row.owner)", "quick"],
    ),
    "a list of the row, item by item": (
        roster(made("look", Fact, tag=str), made("sum", Answer, facts=list[Fact])),
        ["look = look(tag=item) over row.tags", "sum_2 = sum(facts=look)", "sum_2"],
    ),
    "a list that an agent takes as it is": (
        roster(made("all", Answer, questions=list[str]), SPLIT),
        [RESEARCHED[0], "all_2 = all(questions=split.questions)", "all_2"],
    ),
    "a list of plain answers of a loop": (
        roster(SPLIT, made("look", str, question=str), made("end", Answer, notes=list[str])),
        [RESEARCHED[0], "look = look(question=item) over split.questions", "end = end(notes=look)", "end"],
    ),
    "as many items as the width": (
        roster(SPLIT, RESEARCH, WRITE, width=7),
        [RESEARCHED[0], f"{RESEARCHED[1]} most 7", *RESEARCHED[2:]],
    ),
    "as many items as the requests allow": (
        roster(SPLIT, RESEARCH, WRITE, width=7, calls=6),
        [RESEARCHED[0], f"{RESEARCHED[1]} most 4", *RESEARCHED[2:]],
    ),
    "another way that keeps the limits": (
        roster(made("quick", Answer, body=str), CLASSIFY, DRAFT, depth=1),
        ["quick = quick(body=row.body)", "quick"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPECTED)
def test_a_roster_is_joined_by_names_and_types(case: str) -> None:
    offer, lines = EXPECTED[case]
    plan = join(offer)
    assert shown(plan) == lines
    assert plan.reason == "joined by types; simulated"
    compile_plan(check_plan(plan, offer))


REFUSED: dict[str, tuple[Offer, str]] = {
    "nothing for a parameter": (
        roster(CLASSIFY, made("write", Answer, facts=list[Fact])),
        r"write\.facts: nothing fits list\[Fact\]; there is row \(Ticket\), row\.subject \(str\), .*classify\.label",
    ),
    "no agent answers the output": (roster(CLASSIFY), r"output: no agent .* answers Answer; classify answers Topic"),
    "two agents that wait for each other": (
        roster(made("a", Fact, topic=Topic), made("b", Topic, fact=Fact), output=Fact),
        r"(?s)a\.topic: nothing fits Topic; .*b\.fact: nothing fits Fact",
    ),
    "no agents": (roster(), "output: no agent .* there is no agent"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_joined_is_said(case: str) -> None:
    offer, text = REFUSED[case]
    with pytest.raises(NoPlanError, match=text):
        join(offer)


@pytest.mark.parametrize("limits", [{"tasks": 1}, {"depth": 1}, {"calls": 1}, {"pico": 1}])
def test_a_plan_over_a_limit_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(DefinitionError, match=r"more than|the most|no price is known") as caught:
        join(roster(CLASSIFY, DRAFT, **limits))
    assert not isinstance(caught.value, NoPlanError)


TYPES: list[Any] = [str, int, Topic, Fact, Answer, Questions, list[str], list[Fact], list[Topic], Topic | None,
                    str | None, list[str] | None, Any, float, dict[str, int]]  # fmt: skip
NAMES = ["body", "subject", "label", "topic", "facts", "question", "task", "text", "tags", "owner", "x"]


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    """A random roster with a random output and limits."""
    agents: list[Agent[..., Any]] = []
    for number in range(draw(st.integers(1, 5))):
        params = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(TYPES[:-2]), min_size=1, max_size=3))
        defaults = {name: None for name in params if draw(st.integers(0, 4)) == 0}
        name = draw(st.sampled_from(["print", "row", "Big-One", "x" * 50, "1st", f"a{number}", f"b-{number}"]))
        agents.append(made(name, draw(st.sampled_from(TYPES[:9])), defaults, **params))
    row = draw(st.sampled_from([Ticket, Topic, str, list[str], Questions]))
    limits = {name: draw(st.none() | st.integers(1, 8)) for name in ("width", "depth", "calls", "tasks")}
    return roster(*agents, row=row, output=draw(st.sampled_from([ty.Unknown, *TYPES])), **limits)


def test_random_rosters_have_a_plan_that_is_right_or_a_reason() -> None:
    counts = {True: 0, False: 0}

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(offers())
    def judged(offer: Offer) -> None:
        try:
            plan = join(offer)
        except DefinitionError as error:
            counts[False] += 1
            assert error.mistakes
            return
        counts[True] += 1
        compile_plan(check_plan(plan, offer))
        equal = Offer(agents=dict(offer.agents), row=offer.row, output=offer.output, limits=offer.limits)
        assert join(equal) == plan

    judged()
    print(f"{counts[True]} joined, {counts[False]} refused")
    assert min(counts.values()) > EXAMPLES // 20
