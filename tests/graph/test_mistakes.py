"""Every mistake of a graph is reported at once, with its place and the right way."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import anyio.lowlevel
import pytest
from pydantic import BaseModel

from fanwise import DefinitionError, agent, each, given, graph, not_, optional, step, when


class Ticket(BaseModel):
    id: str
    subject: str
    body: str
    note: str | None = None
    tags: list[str] = []


class Topic(BaseModel):
    label: str
    confidence: float


@agent(model="claude-haiku-5-5")
def classify(subject: str, body: str) -> Topic:
    """Classify."""
    return Topic(label="a", confidence=0.5)


@agent(model="claude-haiku-5-5")
def answer(question: str) -> str:
    """Answer."""
    return question


@step
def shorten(text: str) -> str:
    return text[:10]


def mistakes(define: Callable[[], Any]) -> list[str]:
    """The mistakes of the graph that a function defines, as `line within it: text`."""
    with pytest.raises(DefinitionError) as caught:
        define()
    start = inspect.getsourcelines(define)[1]
    texts: list[str] = []
    for mistake in caught.value.mistakes:
        file, _, line = mistake.place.rpartition(":")
        assert file == __file__
        texts.append(f"{int(line) - start}: {mistake.message}; {mistake.hint}")
    return texts


def only_mistake(define: Callable[[], Any]) -> str:
    texts = mistakes(define)
    assert len(texts) == 1, texts
    return texts[0]


def test_all_mistakes_come_at_once_and_in_order() -> None:
    def define() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            topic = classify(ticket.subjct, ticket.body)
            if topic.label == "a":
                answer(ticket.body)
            answer(f"{topic.label}!")
            answer(str(len(ticket.tags)))
            for tag in ticket.tags:
                answer(tag)
            each([topic.confidence + 1], answer)  # type: ignore[arg-type]
            each(ticket.subject, answer)
            answer(topic.confidence)  # type: ignore[arg-type]
            return answer(topic.lable)  # type: ignore[attr-defined]

    texts = mistakes(define)
    assert [line.split(":")[0] for line in texts] == ["3", "4", "6", "7", "8", "10", "10", "11", "12", "13"]
    for line, words in zip(
        texts,
        [
            "did you mean 'subject'?",
            "when(cond",
            "text",
            "len()",
            "each(list, agent)",
            "arithmetic",
            "each() got",
            "not a list",
            "does not fit answer(question: str)",
            "did you mean 'label'?",
        ],
        strict=True,
    ):
        assert words in line


def test_mistakes_behind_an_early_return_are_seen() -> None:
    """Found: a condition that answered True returned, and the rest of the graph was never looked at."""

    def define() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            if ticket.subject:
                return answer(ticket.body)
            return answer(ticket.boddy)

    assert [line.split(":")[0] for line in mistakes(define)] == ["3", "5"]


def test_a_mistake_in_a_branch_that_is_not_taken_is_seen() -> None:
    def define() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            if ticket.subject:
                return answer(ticket.body)
            return answer(f"{ticket.body}")

    assert [line.split(":")[0] for line in mistakes(define)] == ["3", "5"]


@pytest.mark.parametrize("use", ["is", "and", "not", "match", "try", "while", "comprehension", "in", "int"])
def test_uses_as_a_plain_value_are_refused(use: str) -> None:
    def job_is(ticket: Ticket) -> str:
        return answer(ticket.body if ticket.note is None else ticket.subject)

    def job_and(ticket: Ticket) -> str:
        return answer(ticket.note and ticket.body)  # type: ignore[arg-type]

    def job_not(ticket: Ticket) -> str:
        return when(not ticket.note, lambda: answer(ticket.body), lambda: answer(ticket.subject))

    def job_match(ticket: Ticket) -> str:
        match ticket.subject:
            case "a":
                return answer(ticket.body)
        return answer(ticket.subject)

    def job_try(ticket: Ticket) -> str:
        try:
            return answer(ticket.body)
        except ValueError:
            return answer(ticket.subject)

    def job_while(ticket: Ticket) -> str:
        while ticket.body:
            break
        return answer(ticket.body)

    def job_comprehension(ticket: Ticket) -> str:
        _ = [answer(tag) for tag in ticket.tags]
        return answer(ticket.body)

    def job_in(ticket: Ticket) -> str:
        _ = "a" in ticket.body
        return answer(ticket.body)

    def job_int(ticket: Ticket) -> str:
        _ = int(ticket.body)
        return answer(ticket.body)

    with pytest.raises(DefinitionError) as caught:
        graph(locals()[f"job_{use}"])
    assert any("cannot be used" in mistake.message and mistake.hint for mistake in caught.value.mistakes)


def test_plain_python_over_plain_values_is_welcome() -> None:
    lenses = ("short", "long")

    @graph
    def job(ticket: Ticket) -> str:
        texts = [answer.options(name=f"answer_{lens}")(ticket.body) for lens in lenses if lens]
        return answer(texts[0])

    assert [node.path for node in job.spec.tasks()] == ["answer_short", "answer_long", "answer"]


def test_a_missing_value_needs_given() -> None:
    class Outer(BaseModel):
        inner: Topic | None

    def define() -> None:
        @graph
        def job(outer: Outer) -> str:
            return answer(outer.inner.label)  # type: ignore[union-attr]

    assert "use given(value, lambda v: ...)" in only_mistake(define)


def test_an_unused_row_is_a_mistake() -> None:
    def define() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            return answer("the same for everyone")

    assert "row 'ticket' is not used" in only_mistake(define)


def test_recursion_is_refused_with_its_chain() -> None:
    def define() -> None:
        @graph
        def first(ticket: Ticket) -> str:
            return second(ticket)

        @graph
        def second(ticket: Ticket) -> str:
            return first(ticket)

    assert "second -> first -> second" in only_mistake(define)


def test_self_recursion_is_refused() -> None:
    def define() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            return job(ticket)

    assert "job -> job" in only_mistake(define)


def test_a_graph_may_call_another_of_its_name() -> None:
    """Found: it was said to call itself."""

    def inner() -> Any:
        @graph
        def job(text: str) -> str:
            return answer(text)

        return job

    other = inner()

    @graph
    def job(ticket: Ticket) -> str:
        return other(ticket.body)

    assert [task.path for task in job.spec.tasks()] == ["job/answer"]


def test_an_explicit_name_is_unique_and_two_functions_do_not_share_one() -> None:
    def twice() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            named = answer.options(name="mine")
            named(ticket.body)
            return named(ticket.subject)

    assert "'mine' is used twice" in only_mistake(twice)

    def shared() -> None:
        renamed = classify.options(name="answer")

        @graph
        def job(ticket: Ticket) -> str:
            return answer(renamed(answer(ticket.body), ticket.subject).label)

    assert "two different functions are called 'answer'" in only_mistake(shared)


def test_a_wrong_return_and_wrong_arguments_are_reported() -> None:
    def wrong_return() -> None:
        @graph
        def job(ticket: Ticket) -> Topic:
            return answer(ticket.body)  # type: ignore[return-value]

    assert "returns answer (str), not Topic" in only_mistake(wrong_return)

    def arguments() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            return answer(ticket.body, ticket.subject)  # type: ignore[call-arg]

    assert "it takes (question)" in only_mistake(arguments)


def test_constants_are_refused_where_a_traced_value_is_meant() -> None:
    def define() -> None:
        @graph
        def job(ticket: Ticket) -> str:
            when(True, lambda: answer(ticket.body))
            each(["a"], answer)
            given("a", answer)
            optional("a")
            return answer(ticket.body)

    assert len(mistakes(define)) == 4


@pytest.mark.parametrize("name", ["Any", "dict", "recursive", "bytes", "Mapping", "Iterable"])
def test_an_output_that_the_api_cannot_carry_is_refused(name: str) -> None:
    class Tree(BaseModel):
        children: list[Tree]

    types: dict[str, Any] = {
        "Any": Any, "dict": dict, "recursive": Tree, "bytes": bytes, "Mapping": Mapping, "Iterable": Iterable[int],
    }  # fmt: skip

    def body(text: str) -> Any: ...

    body.__annotations__["return"] = types[name]
    body.__doc__ = "Instructions."
    with pytest.raises(DefinitionError) as caught:
        agent(model="claude-haiku-5-5")(body)
    assert caught.value.mistakes[0].place.startswith(__file__)
    assert caught.value.mistakes[0].hint


def test_settings_that_a_model_does_not_allow_are_reported_at_definition() -> None:
    with pytest.raises(DefinitionError, match="always thinks"):
        answer.options(model="claude-opus-5-5", thinking=False)
    with pytest.raises(DefinitionError, match="takes no effort"):
        answer.options(model="claude-haiku-4-5", effort="high")
    with pytest.raises(DefinitionError, match="max_tokens 999999"):
        answer.options(max_tokens=999_999)
    with pytest.raises(DefinitionError, match="no instructions"):

        @agent(model="claude-haiku-5-5")
        def silent(text: str) -> str: ...


def test_a_graph_in_a_graph_shows_what_it_passes() -> None:
    @graph
    def inner(text: str) -> str:
        return answer(shorten(text))

    @graph
    def outer(ticket: Ticket) -> str:
        return answer(inner(ticket.body))

    assert [(node.path, dict(node.labels)) for node in outer.spec.tasks()] == [
        ("inner/shorten", {"text": "ticket.body"}),
        ("inner/answer", {"question": "inner/shorten"}),
        ("answer", {"question": "inner"}),
    ]
    assert outer.rehearse(Ticket(id="1", subject="s", body="0123456789abc")) == "0123456789"


def test_an_asynchronous_stand_in_is_rehearsed_with_a_loop_around_it_and_without() -> None:
    @agent(model="claude-haiku-5-5")
    async def later(text: str) -> str:
        """Answer later."""
        await anyio.lowlevel.checkpoint()
        return text

    @graph
    def job(ticket: Ticket) -> str:
        return later(ticket.body)  # type: ignore[return-value]

    async def rehearse_in_a_loop() -> object:
        return job.rehearse(ticket)

    ticket = Ticket(id="1", subject="s", body="text")
    assert job.rehearse(ticket) == "text"
    assert anyio.run(rehearse_in_a_loop) == "text"


def test_conditions_combine() -> None:
    @graph
    def job(ticket: Ticket) -> str | None:
        topic = classify(ticket.subject, ticket.body)
        sure = (topic.confidence >= 0.5) & (topic.label == "a") & not_(topic.label == "b")
        return when(sure, lambda: answer(ticket.body))

    assert job.rehearse(Ticket(id="1", subject="s", body="text")) == "text"
