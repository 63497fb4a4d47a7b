"""What the reply to a pack means for each of its tasks: what cannot be used of it costs no other task its answer."""

from __future__ import annotations

from collections.abc import Callable

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply
from fanwise.canonical import dumps
from fanwise.dispatch.errand import Errand
from fanwise.graph.outcomes import Done
from fanwise.graph.packs import MISSING, TWICE, PackedAnswer, looks_like_field

from .meaning import CUT_OFF, MOST_ODD, Alone, Outcomes, TheSame, all_failed, unwanted
from .nodes import AgentNode

PackOutcomes = tuple[Done | Alone, ...]
"""What the inputs of a pack have come to, in the order of its `asks`."""


def pack_meaning(
    node: AgentNode, errand: Errand, reply: Reply, way: str, is_quoted: Callable[[], bool]
) -> PackOutcomes | TheSame:
    """Return what the reply to a pack of several inputs means.

    Args:
        node: Where they were asked.
        errand: What was asked.
        reply: What came.
        way: In which way it was asked for, as `AgentNode.answer` takes it.
        is_quoted: Tells whether an input holds what may look like a field of an answer.
    """
    if reply.odd or unwanted(node, reply):
        return TheSame() if errand.odd + 1 < MOST_ODD and errand.may_go_again else _all_alone(errand)
    if reply.stop_reason == "refusal":
        return _all_alone(errand)

    def may_quote() -> bool:
        return is_quoted() or looks_like_field(dumps(node.spec.schema))

    is_cut_off = reply.stop_reason in CUT_OFF
    answers = node.answers(reply.text, len(errand.asks), may_quote, way)
    return tuple([_of_input(answer, is_cut_off=is_cut_off) for answer in answers])


def _all_alone(errand: Errand) -> PackOutcomes:
    return (Alone(),) * len(errand.asks)


def _of_input(answer: PackedAnswer, *, is_cut_off: bool) -> Done | Alone:
    if answer.answer is not None:
        return Done(*answer.answer)
    is_refused = answer.problem not in (MISSING, TWICE) and not is_cut_off
    return Alone(answer.problem if is_refused else "")


def pack_failed(errand: Errand, failure: Failure) -> PackOutcomes | Outcomes:
    """Return what the final failure of a pack means for its inputs.

    Where one of its inputs may be to blame each is asked alone, and told by its own request.
    """
    if failure.verdict in ("final", "broken"):
        return _all_alone(errand)
    return all_failed(errand, failure.kind, failure.message)
