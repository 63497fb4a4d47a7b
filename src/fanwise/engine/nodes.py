"""The nodes of an arm: where an agent is asked, and where a function of the user's is called.

A role (`dispatch.role`) is one agent on one model on one arm. Need, shape and composer are its node's and
not the role's: where two nodes call one agent, other values may travel as blocks of the row, and the layout
looks at who else reads these, so that each node's requests have an order of their own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fanwise.canonical import canonical, digest, dumps, quoted, serialized, visible
from fanwise.context.compose import Composer
from fanwise.context.envelope import unseal
from fanwise.context.request import Request
from fanwise.context.shape import Need, Shape
from fanwise.dispatch.role import Role
from fanwise.errors import OutputError
from fanwise.graph.nodes import TaskNode
from fanwise.graph.scope import Task
from fanwise.graph.spec import AgentSpec
from fanwise.graph.wire import ReadAnswer, read_answer, read_field, read_object
from fanwise.journal.records import ArmName


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNode:
    """A node of one arm at which an agent is asked."""

    node: TaskNode
    spec: AgentSpec
    role: Role
    need: Need
    shape: Shape
    composer: Composer
    """Makes its requests."""
    static: str
    """Hash of all that shapes an answer, apart from row, item and values."""

    @property
    def output(self) -> Any:
        """The type of its answers."""
        return self.spec.output

    @property
    def instructions(self) -> str:
        """What its agent is told, examples among it, in the way in which it is asked."""
        return self.need.instructions_in(self.shape.way)

    def request(
        self, task: Task, repair: str = "", factor: int = 1, turns: tuple[str, ...] = (), *, keep: bool = False
    ) -> Request:
        """Return the request of a task of this node.

        Args:
            task: The task.
            repair: Why the answer before was refused.
            factor: How many times the agent's cap the answer may be long.
            turns: What followed the first message, as JSON.
            keep: Whether the conversation is expected to go on.
        """
        return self.composer.request(task.values, self.cap(factor), repair, turns, keep=keep)

    def cap(self, factor: int) -> int:
        """Return the `max_tokens` of a request, as far as the model writes."""
        first = self.spec.request_max_tokens
        if factor == 1:
            return first
        allowed = self.spec.max_tokens * factor + self.spec.intensity.allowance
        return max(min(allowed, self.role.facts.max_output), first)

    def answer(self, text: str, way: str | None = None) -> ReadAnswer:
        """Return what a reply's text means.

        Args:
            text: What it says.
            way: In which way it was asked for; None: as this node asks, empty: that is not known.

        Raises:
            OutputError: It means none of the output type.
        """
        match self.shape.way if way is None else way:
            case "envelope":
                return read_field(self.output, unseal(self.spec.name, text))
            case "":
                return self._answer_before(text)
            case _:
                return read_answer(self.output, text)

    def _answer_before(self, text: str) -> ReadAnswer:
        """Return what a reply means that a version asked for which kept no ways.

        A value that is no object stood in one there, whether or not that stood in an envelope.
        """
        with suppress(OutputError):
            return read_object(self.output, unseal(self.spec.name, text))
        with suppress(OutputError):
            return read_object(self.output, text)
        return read_answer(self.output, text)


@dataclass(frozen=True, slots=True)
class StepNode:
    """A node of one arm at which a function of the user's is called."""

    node: TaskNode
    static: str
    """Hash of all that shapes its value, apart from row, item and values."""
    output: Any
    """The type of its values."""


def keyed(row_id: str, arm: ArmName, node: AgentNode | StepNode, task: Task) -> tuple[Task, str]:
    """Return a task as it is carried out, an agent's with its values as they are sent, and its content key.

    What a serializer of the user's raises comes through.
    """
    if isinstance(node, AgentNode):
        task = Task(task.node, task.scope, {name: serialized(value) for name, value in task.values.items()})
    return task, task_key(row_id, arm, node, task)


def task_key(row_id: str, arm: ArmName, node: AgentNode | StepNode, task: Task) -> str:
    """Return the content key of a task: equal keys have equal answers."""
    items = dumps([item.key for item in task.items]) if task.items else "[]"
    values = ",".join([f"{quoted(name)}:{canonical(visible(value))}" for name, value in sorted(task.values.items())])
    return digest(f'[{quoted(row_id)},"{arm}","{node.static}",{items},{{{values}}}]')
