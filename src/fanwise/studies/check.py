"""Do the stand-ins of a graph's agents answer what their examples say? Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fanwise.canonical import canonical, plain
from fanwise.errors import OutputError
from fanwise.foreign import let_through, reason
from fanwise.graph.examples import CheckedExample
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import Target
from fanwise.graph.rehearse import is_empty, stand_in
from fanwise.graph.revive import revive
from fanwise.graph.spec import AgentSpec
from fanwise.graph.wire import encode, read_answer
from fanwise.job.arms import graph_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """What a stand-in makes of an example."""

    number: int
    """Of the example, from 1."""
    place: str
    """Where the example was given, `file:line`."""
    inputs: Mapping[str, Any]
    """JSON-ready, by parameter."""
    expected: Any
    """The example's output, JSON-ready."""
    got: Any
    """What the stand-in answers, JSON-ready; None where it has failed too."""
    problem: str
    """Why there is no answer, or none of the type; empty where there is one."""

    @property
    def passes(self) -> bool:
        """Whether the answer is the example's output."""
        return not self.problem and canonical(self.got) == canonical(self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCheck:
    """The examples of one agent."""

    agent: str
    has_stand_in: bool
    """False where its body is empty, or is not implemented for any example: then there is nothing to check."""
    answers: tuple[CheckedAnswer, ...]
    """One for each example, in their order; none where there is no stand-in."""
    examples: int

    @property
    def failures(self) -> tuple[CheckedAnswer, ...]:
        """The answers that are not what the examples say."""
        return tuple(answer for answer in self.answers if not answer.passes)

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "agent": self.agent, "examples": self.examples, "stand_in": self.has_stand_in,
            "passed": len(self.answers) - len(self.failures),
            "failures": [
                {
                    "example": answer.number, "place": answer.place, "inputs": dict(answer.inputs),
                    "expected": answer.expected, "got": answer.got, "problem": answer.problem or None,
                }
                for answer in self.failures
            ],
        }  # fmt: skip


def check(graph: Graph[..., Any] | str) -> list[AgentCheck]:
    """Return what the stand-ins of a graph's agents answer to their examples; agents without examples are left out.

    Tools that a stand-in calls are called as the functions that they are.

    Args:
        graph: A graph, or its reference `path/file.py:name`.

    Raises:
        UsageError: The graph cannot be used; examples that do not fit their agent are among its mistakes.
    """
    targets = {id(node.target.spec): node.target for node in graph_of(graph).spec.tasks()}
    return [
        _checked(target, target.spec) for target in targets.values() if target.spec is not None and target.spec.examples
    ]


def _checked(target: Target, agent: AgentSpec) -> AgentCheck:
    tried = () if is_empty(target.body) else tuple(_tried(target, agent, example) for example in agent.examples)
    has_stand_in = any(attempt.is_written for attempt in tried)
    return AgentCheck(
        agent=agent.name,
        has_stand_in=has_stand_in,
        answers=tuple(attempt.answer for attempt in tried) if has_stand_in else (),
        examples=len(agent.examples),
    )


class _Attempt(NamedTuple):
    """What came of an example."""

    answer: CheckedAnswer
    is_written: bool
    """False where the body says that it is not implemented: a run has a valid value made in its place."""


def _tried(target: Target, agent: AgentSpec, example: CheckedExample) -> _Attempt:
    """Return what a stand-in answers, as it would be read from a reply."""
    got, problem, is_written = None, "", True
    try:
        values = {name: revive(agent.params[name], value) for name, value in example.inputs.items()}
        got = plain(read_answer(agent.output, encode(agent.output, stand_in(target.body, values))).value)
    except OutputError as error:
        problem = f"its answer does not fit: {error}"
    except BaseException as error:  # a stand-in is users' code
        let_through(error)
        problem, is_written = reason(error), not isinstance(error, NotImplementedError)
    answer = CheckedAnswer(
        number=example.number, place=example.place, inputs=example.inputs, expected=example.output, got=got,
        problem=problem,
    )  # fmt: skip
    return _Attempt(answer, is_written)
