"""The nodes of an arm: where an agent is asked, and where a function of the user's is called.

A role (`dispatch.role`) is one agent on one model on one arm. Need, shape and composer are its node's and
not the role's: where two nodes call one agent, other values may travel as blocks of the row, and the layout
looks at who else reads these, so that each node's requests have an order of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from fanwise.canonical import canonical, digest, dumps, quoted, serialized, visible
from fanwise.context.compose import Composer
from fanwise.context.envelope import unseal
from fanwise.context.request import Request
from fanwise.context.shape import Need, Shape
from fanwise.dispatch.role import Role
from fanwise.errors import OutputError
from fanwise.graph.nodes import TaskNode
from fanwise.graph.packs import FIELD_TOKENS, PackedAnswer, read_pack
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
    shared: str
    """Hash of the same without its place in the graph: equal tasks of such nodes are served together. Empty where its
    tasks are served one by one."""

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
        if self.spec.packs:
            return self.pack_request((task,), repair, factor)
        return self.composer.request(task.values, self.cap(factor), repair, turns, keep=keep)

    def pack_request(self, tasks: Sequence[Task], repair: str = "", factor: int = 1) -> Request:
        """Return the request of tasks of this node, whose agent packs inputs.

        Args:
            tasks: One or more.
            repair: Why the answer before was refused.
            factor: How many times the agent's cap each answer may be long.
        """
        return self.composer.pack([task.values for task in tasks], self.cap(factor, len(tasks)), repair)

    def cap(self, factor: int, inputs: int = 1) -> int:
        """Return the `max_tokens` of a request that shows so many inputs, as far as the model writes."""
        first = self.spec.request_max_tokens
        around = FIELD_TOKENS if self.spec.packs else 0
        if factor == inputs == 1 and not around:
            return first
        allowed = (self.spec.max_tokens * factor + around) * inputs + self.spec.intensity.allowance
        return max(min(allowed, self.role.facts.max_output), first)

    def answer(self, text: str, way: str | None = None) -> ReadAnswer:
        """Return what a reply's text means, to the only task that its request has shown.

        Args:
            text: What it says.
            way: In which way it was asked for; None: as this node asks, empty: that is not known.

        Raises:
            OutputError: It means none of the output type.
        """
        if self.spec.packs:
            (only,) = self.answers(text, 1, lambda: True, way)
            if only.answer is None:
                raise OutputError(only.problem)
            return only.answer
        match self.shape.way if way is None else way:
            case "envelope":
                return read_field(self.output, unseal(self.spec.name, text))
            case "":
                return self._answer_before(text)
            case _:
                return read_answer(self.output, text)

    def answers(
        self, text: str, size: int, is_quoted: Callable[[], bool], way: str | None = None
    ) -> list[PackedAnswer]:
        """Return what a reply's text says of each input of a pack, in the order of their numbers.

        Args:
            text: What it says.
            size: How many inputs there were.
            is_quoted: As `read_pack` takes it.
            way: As `answer` takes it.
        """
        if (self.shape.way if way is None else way) == "envelope":
            with suppress(OutputError):
                text = unseal(self.spec.name, text)
        return read_pack(self.output, text, size, is_quoted)

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


class Keyed(NamedTuple):
    """A task as it is carried out."""

    task: Task
    """An agent's with its values as they are sent."""
    key: str
    """Its content key."""
    work: str
    """What equal tasks of other rows, items and nodes have in common with it; empty where it is served alone."""


def keyed(row_id: str, arm: ArmName, node: AgentNode | StepNode, task: Task) -> Keyed:
    """Return a task as it is carried out, with its key.

    What a serializer of the user's raises comes through.
    """
    if isinstance(node, StepNode):
        return Keyed(task, task_key(row_id, arm, node, task), "")
    task = Task(task.node, task.scope, {name: serialized(value) for name, value in task.values.items()})
    values = values_text(task.values)
    return Keyed(task, _key(row_id, arm, node, task, values), work_key(arm, node, values) if node.shared else "")


def task_key(row_id: str, arm: ArmName, node: AgentNode | StepNode, task: Task) -> str:
    """Return the content key of a task: equal keys have equal answers."""
    return _key(row_id, arm, node, task, values_text(task.values))


def _key(row_id: str, arm: ArmName, node: AgentNode | StepNode, task: Task, values: str) -> str:
    items = dumps([item.key for item in task.items]) if task.items else "[]"
    return digest(f'[{quoted(row_id)},"{arm}","{node.static}",{items},{{{values}}}]')


def _spelt(value: Any) -> str:
    return canonical(visible(value))


def values_text(values: Mapping[str, Any], spelt: Callable[[Any], str] = _spelt) -> str:
    """Return the values of a task as a text that equal tasks have in common.

    Args:
        values: By the names of parameters.
        spelt: Gives the text of one; by itself canonical JSON.
    """
    return ",".join([f"{quoted(name)}:{spelt(value)}" for name, value in sorted(values.items())])


def work_key(arm: ArmName, node: AgentNode, values: str) -> str:
    """Return what equal tasks of an arm have in common: half a hash, there is one for every request.

    Args:
        arm: Its name: no side is served by what another has asked for.
        node: Where it is asked.
        values: Those of the task, as canonical JSON.
    """
    return digest(f'["{arm}","{node.shared}",{{{values}}}]')[:32]
