"""The outcome of a task where nothing is sent: what its stand-in or step says, as a run would pass it on."""

from __future__ import annotations

from fanwise.errors import OutputError
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.graph.rehearse import carry_out
from fanwise.graph.samples import sample
from fanwise.graph.scope import Task
from fanwise.graph.tools import ToolCalled

from .nodes import AgentNode, StepNode
from .standin import answer_text
from .steps import as_kept


def offline_outcome(node: AgentNode | StepNode, task: Task) -> Outcome:
    """Return the outcome of a task by its stand-in or its step, read back as a run reads answers and keeps values.

    A stand-in that asks for a tool gets none: a valid value of the agent's type stands for its answer.
    """
    try:
        outcome = carry_out(task)
    except ToolCalled:
        outcome = Done(sample(node.output))
    if not isinstance(outcome, Done):
        return outcome
    try:
        if isinstance(node, AgentNode):
            return Done(node.answer(answer_text(node, outcome.value)).value)
        return Done(as_kept(node.output, outcome.value))
    except OutputError as error:
        return Failed(task.label, "invalid_output", str(error))
    except BaseException as error:  # the value is none of its type; a serializer is users' code
        let_through(error)
        return Failed(task.label, "raised", reason(error))
