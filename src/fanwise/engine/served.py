"""What the tasks come to that an errand serves beside those that it was sent for: each has a value of its own."""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.canonical import canonical
from fanwise.dispatch.errand import Ask, Errand
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Done, Failed, Outcome

from .meaning import Alone, once_more, read_again
from .nodes import AgentNode


def of_followers(node: AgentNode | None, errand: Errand, outcomes: Sequence[Outcome | Alone]) -> list[Outcome | Alone]:
    """Return what the tasks come to that follow those that an errand was sent for, in their places.

    A value is made anew of what the model said, since users' code may change one.

    Args:
        node: Where they were asked; None where it is gone, and with it all values.
        errand: What was asked.
        outcomes: Of the tasks that it was sent for.
    """
    return [_of_follower(node, outcomes[errand.input_of(ask)], ask) for ask in errand.followers or ()]


def _of_follower(node: AgentNode | None, outcome: Outcome | Alone, ask: Ask) -> Outcome | Alone:
    if isinstance(outcome, Alone):
        return outcome  # it goes with the one that it follows
    if node is None or not isinstance(outcome, Done):
        return once_more(None, outcome, ask.label) or outcome
    try:
        return read_again(node.output, canonical(outcome.value), outcome.said)
    except BaseException as error:  # of a validator or a serializer that is of another mind now
        let_through(error)
        return Failed(ask.label, "invalid_output", reason(error))
