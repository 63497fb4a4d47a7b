"""What the tasks come to that an errand serves beside those that it was sent for: each has a value of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fanwise.canonical import canonical
from fanwise.dispatch.errand import Ask, Errand
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Done, Failed, Outcome

from .meaning import Alone, failed_too, read_again


def of_followers(output: Any, errand: Errand, outcomes: Sequence[Outcome | Alone]) -> list[Outcome | Alone]:
    """Return what the tasks come to that follow those that an errand was sent for, in their places.

    A value is made anew of what the model said, since users' code may change one.

    Args:
        output: The type of values.
        errand: What was asked.
        outcomes: Of the tasks that it was sent for.
    """
    return [_of_follower(output, outcomes[errand.input_of(ask)], ask) for ask in errand.followers or ()]


def _of_follower(output: Any, outcome: Outcome | Alone, ask: Ask) -> Outcome | Alone:
    if isinstance(outcome, Alone):
        return outcome  # it goes with the one that it follows
    if not isinstance(outcome, Done):
        return failed_too(outcome, ask.label)
    try:
        return read_again(output, canonical(outcome.value), outcome.said)
    except BaseException as error:  # of a validator or a serializer that is of another mind now
        let_through(error)
        return Failed(ask.label, "invalid_output", reason(error))
