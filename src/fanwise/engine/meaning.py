"""What a reply, or a record of an earlier session, means for a task. Pure but for the journal that is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from fanwise.api.failures import MALFORMED
from fanwise.api.replies import Reply
from fanwise.canonical import canonical
from fanwise.dispatch.errand import Errand
from fanwise.errors import OutputError
from fanwise.graph.outcomes import Done, Failed, Outcome, Skipped
from fanwise.graph.pertype import has_validators
from fanwise.graph.revive import revive
from fanwise.graph.scope import Task
from fanwise.graph.wire import load
from fanwise.journal.records import TaskRecord

from .nodes import AgentNode, StepNode
from .unread import KIND, Unread
from .ways import AskedAs

LONGER = 2
"""Factor of the cap with which an answer that was cut off is asked again, once."""
MOST_ODD = 3
"""Replies to one request of which nothing can be made: each is paid, and a gateway may make all of them so."""
ANSWERED = frozenset({MALFORMED, "refused", "truncated", "invalid_output", "too_many_turns"})
"""Kinds of the failures in which a model was asked and has answered: equal tasks would be answered likewise."""
CUT_OFF = ("max_tokens", "model_context_window_exceeded")


@dataclass(frozen=True, slots=True)
class Again:
    """The errand is sent once more."""

    repair: str
    """Why its answer could not be used; empty where it was only cut off."""
    factor: int = 1
    """How many times its agent's cap it may be long."""


@dataclass(frozen=True, slots=True)
class TheSame:
    """Nothing can be made of the reply: the same request is sent once more."""


@dataclass(frozen=True, slots=True)
class WantsTools:
    """The model asks for tools before it answers."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It is an answer, and what it was asked by has been edited since, or is gone."""


@dataclass(frozen=True, slots=True)
class Alone:
    """The answer to a pack cannot be used for a task: it is asked alone."""

    repair: str = ""
    """Why its own answer could not be used; empty where there was none, or the whole pack could not be used."""


Outcomes = tuple[Outcome, ...]
"""What the tasks have come to that an errand was sent for, in the order of its `asks`."""


Meaning = Outcomes | Again | TheSame | WantsTools | Unreadable | None


def meaning(node: AgentNode | None, errand: Errand, reply: Reply, rounds: int, asked: AskedAs) -> Meaning:
    """Return what a reply means; None where it asks for tools of a node that is gone.

    Args:
        node: Where it was asked.
        errand: What was asked.
        reply: What came.
        rounds: Rounds of tools that it has had.
        asked: How it was asked.
    """
    odd = reply.odd or unwanted(node, reply)
    if odd:
        text = f"nothing can be made of the reply: {odd}; {errand.odd + 1} came in a row"
        return TheSame() if errand.odd + 1 < MOST_ODD else all_failed(errand, MALFORMED, text)
    if reply.stop_reason == "refusal":
        reason = f" ({reply.refusal})" if reply.refusal else ""
        return all_failed(errand, "refused", f"the model refused{reason}")
    if reply.stop_reason in CUT_OFF:
        return _cut_off(node, errand, reply)
    if node is None:
        return None if reply.stop_reason == "tool_use" else Unreadable()
    if reply.stop_reason == "tool_use":
        if rounds + 1 < node.spec.max_turns:
            return WantsTools()
        text = f"still asks for tools after {rounds + 1} requests; raise the agent's max_turns"
        return all_failed(errand, "too_many_turns", text)
    if not asked.is_readable:
        return Unreadable()
    try:
        return (Done(*node.answer(reply.text, asked.way)),)
    except OutputError as error:
        text = str(error)
        is_last = errand.repairs >= node.spec.most_repairs
        return all_failed(errand, "invalid_output", text) if is_last else Again(text, errand.factor)


def unwanted(node: AgentNode | None, reply: Reply) -> str:
    """Return what is odd about a reply of one shape that no request of this node asks for."""
    has_tools = node is None or node.role.tools
    return "" if has_tools or reply.stop_reason != "tool_use" else "it asks for a tool, and the agent has none"


def all_failed(errand: Errand, kind: str, message: str) -> Outcomes:
    """Return the failure of all tasks that an errand was sent for."""
    return tuple([Failed(ask.label, kind, message) for ask in errand.asks])


def _cut_off(node: AgentNode | None, errand: Errand, reply: Reply) -> Outcomes | Again:
    may_be_longer = node is not None and node.cap(LONGER) > node.cap(1)
    if reply.stop_reason == "max_tokens" and errand.factor == 1 and may_be_longer:
        return Again("", LONGER)  # the attempt is counted and paid
    limit = node.spec.max_tokens * errand.factor if node is not None else 0
    text = f"the answer was cut off ({reply.stop_reason}, max_tokens {limit}); raise the agent's max_tokens"
    return all_failed(errand, "truncated", text)


class AnswersKept(Protocol):
    """What a journal is asked for an outcome, whether it is written or only read."""

    def task(self, key: str) -> TaskRecord | None:
        """Return the outcome of a task, if it has one."""
        ...

    def said(self, key: str) -> str | None:
        """Return what a model said last in answer to a task, as canonical JSON; None where nothing is kept of it."""
        ...

    def text(self, sha: str) -> str | None:
        """Return a text by its hash; None where it was purged or never added."""
        ...


class Remembered(NamedTuple):
    """The outcome that a task has already."""

    outcome: Outcome
    late: Unread | None = None
    """The answer that was read for it just now, since nobody could before; None of any other."""


def remembered(
    journal: AnswersKept, key: str, node: AgentNode | StepNode, task: Task, retry: frozenset[str]
) -> Remembered | None:
    """Return the outcome that the journal has for a task, unless it is to be asked again.

    Args:
        journal: Where it is looked up.
        key: The task's.
        node: Its node.
        task: The task.
        retry: Final failures to ask again.
    """
    record = journal.task(key)
    if record is None:
        return None
    text = journal.text(record.output or "")
    if record.kind == KIND:
        if text is None or isinstance(node, StepNode):
            return None
        answer = Unread.of(text)
        outcome = read_late(node, answer)
        return None if outcome is None else Remembered(outcome, answer)
    if record.status == "failed":
        if "failed" in retry or record.kind in retry:
            return None
        return Remembered(Failed(task.label, record.kind, record.message))
    if text is None:
        return None  # purged
    said = journal.said(key) if isinstance(node, AgentNode) and has_validators(node.output) else None
    outcome = decoded(node.output, text, said)
    return None if outcome is None else Remembered(outcome)


def decoded(output: Any, text: str, said: str | None) -> Done | None:
    """Return an outcome as it is read again; None where it cannot be: its type has changed.

    Args:
        output: The type.
        text: Its value, as canonical JSON.
        said: What the model has said, likewise; None where that is not kept.
    """
    try:
        return read_again(output, text, said)
    except OutputError:
        return None


def read_again(output: Any, text: str, said: str | None) -> Done:
    """Return an outcome as it is read again; arguments as for `decoded`.

    Raises:
        OutputError: It cannot be: its type has changed.
    """
    if said is not None and has_validators(output):
        return Done(load(output, json.loads(said)), said)
    return Done(revive(output, json.loads(text)))


def once_more(output: Any, outcome: Outcome, label: str) -> Outcome | None:
    """Return an outcome for an equal task: its value anew, since users' code may change it. None where it has none."""
    if isinstance(outcome, Done):
        return decoded(output, canonical(outcome.value), outcome.said)
    return failed_too(outcome, label)


def failed_too(outcome: Failed | Skipped, label: str) -> Failed:
    """Return the failure of a task that is equal to one that has failed."""
    cause = outcome if isinstance(outcome, Failed) else outcome.cause
    return Failed(label, cause.kind, cause.message)


def read_late(node: AgentNode, answer: Unread) -> Done | None:
    """Return the outcome of a task whose answer nobody could read before; None where it is invalid."""
    try:
        return Done(*node.answer(answer.text, answer.way))
    except OutputError:
        return None
