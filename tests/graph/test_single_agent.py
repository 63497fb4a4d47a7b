"""The single agent that is made of a graph: what it is told and shown, where it begins and ends, and its settings."""

from __future__ import annotations

import importlib
from enum import Enum
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from fanwise import Block, agent, each, graph, optional, step, when
from fanwise import given as given_
from fanwise.engine.instructed import told
from fanwise.graph.baseline import LEAST_CAP, single_agent
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.rehearse import rehearse
from fanwise.graph.schema import as_object_schema
from fanwise.graph.spec import AgentSpec
from fanwise.job.arms import arms_of
from fanwise.models import STRONGEST_FIRST, known_models, strongest

GUIDE = Block("guide", "Keep to the house style.")
SMALL, LARGE = "claude-haiku-5-5", "claude-opus-5-5"


class Tone(Enum):
    CALM = "calm"
    ANGRY = "angry"


class Letter(BaseModel):
    id: str
    sender: str
    body: Annotated[str, Block]
    unused: str = ""


class Reading(BaseModel):
    words: list[str]
    length: int


class Topic(BaseModel):
    label: Literal["bill", "other"] = Field(description="what it is about")
    tone: Tone


@step
def read(body: str) -> Reading:
    return Reading(words=body.split(), length=len(body))


@agent(model=SMALL, context=[GUIDE], max_tokens=50)
def sort(body: str) -> Topic:
    """Say what the letter is about."""
    return Topic(label="bill" if "bill" in body else "other", tone=Tone.ANGRY if "!" in body else Tone.CALM)


@agent(model=SMALL, max_tokens=50)
def explain(word: str) -> str:
    """Explain the word."""
    return f"<{word}>"


@agent(model=LARGE, max_tokens=3_000)
def answer(label: str, facts: list[str]) -> str:
    """Write the answer."""
    return f"{label}: {' '.join(facts)}"


@agent(model=SMALL, max_tokens=50)
def soothe(text: str) -> str:
    """Calm the sender down."""
    return f"calm {text}"


@step
def joined(facts: list[str]) -> list[str]:
    """Leave out what is said twice."""
    return sorted(set(facts))


@step
def letterhead(sender: str, text: str, soothed: str | None) -> str:
    return f"To {sender}: {text} {soothed}"


@graph
def reply(letter: Letter) -> str:
    reading = read(letter.body)
    topic = sort(letter.body)
    facts = joined(each(reading.words, explain, most=5))
    text = answer(topic.label, facts)
    soothed = when(topic.tone == "angry", lambda: soothe(text))
    return letterhead(letter.sender, text, soothed)


@graph
def both(letter: Letter) -> dict[str, str]:
    return {"sender": letter.sender, "topic": sort(letter.body).label, "word": explain(letter.sender)}


@graph
def nested(letter: Letter) -> list[str | None]:
    topic = optional(sort(letter.body))
    return each(read(letter.body).words, lambda word: given_(topic, lambda it: answer(it.label, [explain(word)])))


GRAPHS: list[Graph[..., Any]] = [reply, both, nested]


def fields_of(settings: AgentSpec) -> list[str]:
    return list(as_object_schema(settings.output, settings.schema)["properties"])


def single(job: Graph[..., Any]) -> tuple[GraphSpec, AgentSpec]:
    """The single agent's graph, and its agent."""
    spec = single_agent(job.spec, told=told)
    assert spec is not None
    (settings,) = [node.target.spec for node in spec.tasks() if node.target.spec is not None]
    return spec, settings


def sample_graphs() -> list[Any]:
    """All graphs that the tests and the examples have, with a row of each."""
    row = {"id": "1", "subject": "s", "body": "Is it? Or is it not?", "n": 3, "tags": ["b", "a"]}
    modules: list[tuple[ModuleType, tuple[str, ...]]] = [
        (importlib.import_module("shapes"), ("may_be_missing", "two_parameters", "indexed")),
        (importlib.import_module("desk"), ("triage", "patient")),
    ]
    return [pytest.param(getattr(module, name), row, id=name) for module, names in modules for name in names]


@given(st.text("ab! ", max_size=30), st.text("xy", min_size=1, max_size=5), st.sampled_from(GRAPHS))
def test_it_comes_to_what_the_fan_out_comes_to(body: str, sender: str, job: Graph[..., Any]) -> None:
    row = {"letter": Letter(id="1", sender=sender, body=body)}
    assert rehearse(single(job)[0], row) == rehearse(job.spec, row)


@pytest.mark.parametrize(("job", "row"), sample_graphs())
def test_it_comes_to_the_same_on_graphs_of_every_shape(job: Graph[..., Any], row: dict[str, Any]) -> None:
    values = {"ticket": job.spec.param_types["ticket"](**row)} if "ticket" in job.spec.params else {"row": row, **row}
    arguments = {name: values[name] for name in job.spec.params}
    assert rehearse(single(job)[0], arguments) == rehearse(job.spec, arguments)


def test_it_begins_behind_the_steps_of_the_row_and_ends_before_the_last_ones() -> None:
    spec, settings = single(reply)
    assert [node.path for node in spec.tasks()] == ["read", "baseline", "letterhead"]
    assert list(settings.params) == ["body", "read_words"], "what a last step alone reads of the row it is not shown"
    assert fields_of(settings) == ["answer", "when_sort_tone"]
    (node,) = [node for node in spec.tasks() if node.path == "baseline"]
    assert node.blocks == {"body": "body"}
    assert fields_of(single(both)[1]) == ["sort_label", "explain"], "it copies nothing of the row"


def test_it_is_told_the_flow() -> None:
    """Found: it was given the instructions of all agents one behind the other, which were false for it."""
    told = single(reply)[1].instructions
    assert told.split("\n\n")[1:] == [
        "1. sort(body)\nSay what the letter is about.\n"
        'Gives {label: "bill" | "other" (what it is about); tone: "calm" | "angry"}',
        "2. each: for each item of read_words, the first 5 at most",
        "2.1. explain(word = item)\nExplain the word.",
        "3. joined(facts = each)\nA fixed rule: Leave out what is said twice.\nGives [text, ...]",
        "4. answer(label = sort.label, facts = joined)\nWrite the answer.",
        '5. when: if sort.tone is "angry"',
        "5.if.1. soothe(text = answer)\nCalm the sender down.",
        "5. else: null",
        "Answer with:\n- answer\n- when_sort_tone: when",
    ]


def test_its_cap_is_twice_what_the_fan_out_may_answer_and_never_small() -> None:
    """Found: its cap cut it off, and a comparison said to fan out."""
    assert single(reply)[1].max_tokens == 2 * (3_000 + 50)
    assert single(both)[1].max_tokens == LEAST_CAP == 4_096
    assert single(nested)[1].max_tokens == 2 * 8 * (3_000 + 50), "a list is as long as it is"


def test_its_model_is_the_strongest_and_not_the_dearest() -> None:
    assert single(reply)[1].model == LARGE
    assert set(STRONGEST_FIRST) == set(known_models())
    assert strongest(["claude-haiku-4-5", "claude-sonnet-4-5-20250929", "claude-unheard-of-1"]) == (
        "claude-sonnet-4-5-20250929"
    )
    assert strongest(["claude-unheard-of-1"]) == "claude-unheard-of-1"


def test_it_may_be_given_room_to_think() -> None:
    plain, thinking = (arms_of(both, name)["baseline"] for name in ("auto", "auto:thinking"))
    levels = [
        node.target.spec.intensity
        for spec in (plain, thinking)
        for node in spec.tasks()
        if node.target.spec is not None
    ]
    assert [level.thinking for level in levels] == ["disabled", "adaptive"]
    assert levels[1].effort == "high"
    assert levels[1].allowance > levels[0].allowance == 0
