"""A graph function is read before it is run: what Python hides from a traced value is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from pydantic import BaseModel, computed_field

from fanwise import DefinitionError, agent, each, graph, step, when
from support import DESK, fanwise


class Mail(BaseModel):
    text: str
    note: str | None = None
    size: int = 0


@agent(model="claude-haiku-5-5")
def accept(text: str) -> str:
    """Accept."""
    return f"yes {text}"


@agent(model="claude-haiku-5-5")
def refuse(text: str) -> str:
    """Refuse."""
    return f"no {text}"


@agent(model="claude-haiku-5-5")
def shrink(size: int) -> int:
    """Make it smaller."""
    return size // 2


@step
def words(text: str) -> list[str]:
    return text.split()


class Kind(Enum):
    GOOD = "good"


@dataclass
class Parts:
    text: str
    note: str | None


class Pair(NamedTuple):
    text: str
    note: str | None


class Clerk:
    def __init__(self, note: str | None) -> None:
        self.note = note

    def decide(self, text: str) -> str:
        return accept(text) if self.note is not None else refuse(text)


TABLE: dict[str, Any] = {"a": accept}


def choose(note: str | None, text: str) -> str:
    return accept(text) if note is not None else refuse(text)


def choose_deeper(*notes: str | None, text: str) -> str:
    return choose(notes[0], text)


def again(size: int) -> int:
    return size if size < 2 else again(shrink(size))


def by_isinstance(mail: Mail) -> str:
    return accept(mail.text) if isinstance(mail.note, str) else refuse(mail.text)


def by_type(mail: Mail) -> str:
    return accept(mail.text) if type(mail.note) is str else refuse(mail.text)


def by_hasattr(mail: Mail) -> str:
    return accept(mail.text) if hasattr(mail, "note") else refuse(mail.text)


def by_default(mail: Mail) -> str:
    return accept(getattr(mail, "subject", "none"))


def by_callable(mail: Mail) -> str:
    return accept(mail.text) if callable(mail.note) else refuse(mail.text)


def by_its_dict(mail: Mail) -> str:
    return accept(mail.__dict__["text"])


def by_vars(mail: Mail) -> str:
    return accept(**vars(mail))


def by_class(mail: Mail) -> str:
    return accept(mail.text) if mail.__class__.__name__ == "Mail" else refuse(mail.text)


def by_doc(mail: Mail) -> str:
    return accept(text=str(accept(mail.text).__doc__))


def by_name_of_dict(mail: Mail) -> str:
    return accept(getattr(mail, "__dict__")["text"])  # noqa: B009


def by_dict_of_helper(mail: Mail) -> str:
    return fields_of(mail)["text"]


def fields_of(mail: Mail) -> dict[str, Any]:
    return {name: accept(text) for name, text in mail.__dict__.items()}


def by_key(mail: Mail) -> str:
    return TABLE.get(mail.text, refuse)(mail.text)


def by_index(mail: Mail) -> str:
    return [refuse, accept][mail.size](mail.text)


def by_set(mail: Mail) -> str:
    return accept(mail.text) if "a" in {mail.text} else refuse(mail.text)


def by_enum(mail: Mail) -> str:
    return accept(mail.text) if Kind(mail.text) is Kind.GOOD else refuse(mail.text)


def by_pair(mail: Mail) -> str:
    text, *rest = mail.text, mail.size, mail.note
    return accept(text) if rest[-1] is not None else refuse(text)


def by_list(mail: Mail) -> str:
    notes = [mail.note]
    notes.append(mail.text)
    for note in notes:
        if note is None:
            return refuse(mail.text)
    return accept(mail.text)


def by_dict(mail: Mail) -> str:
    parts = {"note": mail.note}
    parts["text"] = mail.text
    return accept(mail.text) if parts["note"] is not None else refuse(mail.text)


def by_loop_over_containers(mail: Mail) -> str:
    notes = [note for _, note in zip("ab", [mail.note, mail.text], strict=True)]
    return accept(mail.text) if all(note is None for note in notes) else refuse(mail.text)


def by_dataclass(mail: Mail) -> str:
    parts = Parts(mail.text, mail.note)
    return accept(parts.text) if parts.note is not None else refuse(parts.text)


def by_named_tuple(mail: Mail) -> str:
    parts = Pair(mail.text, mail.note)
    return accept(parts.text) if parts.note is not None else refuse(parts.text)


def by_object(mail: Mail) -> str:
    return Clerk(mail.note).decide(mail.text)


def by_helper(mail: Mail) -> str:
    return choose_deeper(mail.note, text=mail.text)


def by_inner_helper(mail: Mail) -> str:
    def inner() -> str:
        return accept(mail.text) if mail.note is not None else refuse(mail.text)

    return inner()


def by_partial(mail: Mail) -> str:
    return functools.partial(choose, mail.note)(mail.text)


def by_helper_of_a_word(mail: Mail) -> list[str]:
    return each(words(mail.text), lambda word: choose(word, word))


def by_nested_text(mail: Mail) -> str:
    return accept(f"{[mail.text]}")


def by_library(mail: Mail) -> str:
    return accept(functools.reduce(max, [mail.text]))


def by_while(mail: Mail) -> int:
    size = mail.size
    while size is not None:
        size = shrink(size)
    return size


def by_while_true(mail: Mail) -> int:
    size = mail.size
    while True:
        if size > 2:
            continue
        size = shrink(size)


def by_recursion(mail: Mail) -> int:
    return again(mail.size)


def by_walrus(mail: Mail) -> str:
    return accept(mail.text) if (note := mail.note) is not None else refuse(note or mail.text)


WAYS = [value for name, value in list(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_python_hides_is_refused_with_its_place(way: Callable[..., Any]) -> None:
    with pytest.raises(DefinitionError) as caught:
        graph(way)
    mistakes = caught.value.mistakes
    assert all(mistake.place.startswith(f"{__file__}:") and mistake.hint for mistake in mistakes)
    assert any("is known only at run time and cannot be used" in mistake.message for mistake in mistakes)


def test_what_python_keeps_of_an_object_is_no_field(tmp_path: Path) -> None:
    """Found: `row.__dict__` ended with status 70, and `__doc__` was what the trace's own class says of itself."""
    with pytest.raises(DefinitionError, match=r"`mail` is known only at run time .* for its __dict__; do this in a @s"):
        graph(by_dict_of_helper)
    text = Path(DESK).read_text(encoding="utf-8")
    (graph_line,) = (line for line in text.splitlines() if line.startswith("def single("))
    row = graph_line.split("(")[1].split(":")[0]
    text = text.replace(graph_line, f"{graph_line}\n    greet({row}.__dict__)")
    (tmp_path / "job.py").write_text(text, encoding="utf-8")
    shown = fanwise("graph", "job.py:single", cwd=tmp_path)
    assert shown.returncode == 2
    assert "for its __dict__" in shown.stderr and "Traceback" not in shown.stderr


def test_a_helper_is_refused_at_its_own_line() -> None:
    with pytest.raises(DefinitionError) as caught:
        graph(by_helper)
    assert [mistake.place.rpartition(":")[2] for mistake in caught.value.mistakes] == [
        str(choose.__code__.co_firstlineno + 1)
    ]


def test_a_function_with_mistakes_is_not_run_and_all_of_them_are_told() -> None:
    runs: list[str] = []

    def job(mail: Mail) -> str:
        runs.append("run")
        if mail.note is None:
            return refuse(mail.txet)  # type: ignore[attr-defined]
        return accept(mail.size)  # type: ignore[arg-type]

    with pytest.raises(DefinitionError) as caught:
        graph(job)
    assert runs == []
    messages = [mistake.message for mistake in caught.value.mistakes]
    assert ["with `is`" in messages[0], "no field 'txet'" in messages[1], "does not fit" in messages[2]] == [True] * 3


def test_an_inner_graph_with_mistakes_is_not_run() -> None:
    later: dict[str, Any] = {}

    def outer(mail: Mail) -> str:
        return later["inner"](mail.note, mail.text)

    def inner(note: str | None, text: str) -> str:
        return accept(text) if note is not None else refuse(text)

    from fanwise.graph.graphs import Graph

    later["inner"] = Graph(inner)
    with pytest.raises(DefinitionError, match="with `is`"):
        graph(outer)


def test_containers_and_helpers_that_only_carry_values_are_welcome() -> None:
    lenses = {"short": accept, "long": refuse}

    def ask(text: str, extra: str | None = None, *, lens: str = "short") -> str:
        if extra is None:
            extra = "plain"
        agent_ = lenses[lens].options(name=f"{lens}_{extra}")
        return agent_(text)

    @graph
    def job(mail: Mail) -> list[str]:
        texts, note = [ask(mail.text, lens=lens) for lens in lenses], mail.note
        named = dict(zip(lenses, texts, strict=True))
        parts = Parts(mail.text, note)
        if len(texts) > 1 and "short" in named:
            texts.append(when(mail.size > 3, lambda: accept(named["long"]), lambda: refuse(parts.text)))
        for number, text in enumerate(texts[:1]):
            texts[number] = accept(text)
        texts += [texts[0]] if not texts else []
        return texts

    assert job.rehearse(Mail(text="t", size=9)) == ["yes yes t", "no t", "yes no t"]


class Refund(BaseModel):
    kind: Literal["refund"] = "refund"
    amount: int


class Complaint(BaseModel):
    kind: Literal["complaint"] = "complaint"
    topic: str

    @computed_field
    @property
    def title(self) -> str:
        return self.topic.upper()


@agent(model="claude-haiku-5-5")
def triage(text: str) -> Refund | Complaint:
    """A refund, or a complaint?"""
    return Refund(amount=1) if "money" in text else Complaint(topic=text)


@agent(model="claude-haiku-5-5")
def complain(text: str) -> Complaint:
    """Write the complaint."""
    return Complaint(topic=text)


def test_a_field_that_all_types_of_a_union_have_decides_a_branch() -> None:
    @graph
    def job(mail: Mail) -> str:
        answer = triage(mail.text)
        return when(answer.kind == "refund", lambda: accept(mail.text), lambda: refuse(answer.kind))

    assert [job.rehearse(Mail(text=text)) for text in ("money", "time")] == ["yes money", "no complaint"]

    def wrong(mail: Mail) -> int:
        return shrink(triage(mail.text).amount)  # type: ignore[union-attr]

    with pytest.raises(DefinitionError, match="not all of its types have that field"):
        graph(wrong)


def test_a_computed_field_can_be_read() -> None:
    @graph
    def job(mail: Mail) -> str:
        return accept(complain(mail.text).title)

    assert job.rehearse(Mail(text="t")) == "yes T"
