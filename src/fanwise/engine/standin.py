"""The stand-in side: reads a request back and answers it by the body of its agent."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fanwise.context.envelope import is_envelope, seal
from fanwise.context.tail import read_back, unfence
from fanwise.graph.nodes import Target
from fanwise.graph.rehearse import is_empty
from fanwise.graph.spec import AgentSpec
from fanwise.graph.wire import encode, load
from fanwise.journal.records import Side
from fanwise.jsonable import as_object

from .plan import BASELINE_BLOCK, SidePlan


def answerer(plans: Mapping[Side, SidePlan]) -> Callable[[dict[str, Any]], str | Awaitable[str | None] | None]:
    """Return what answers a Messages body by the stand-ins of the plans' agents.

    The result is None, which leaves the answer to the emulator, where the request is not of
    these graphs or the agent's body is no stand-in.
    """
    targets = {
        (plan.side, node.spec.name): node.node.target
        for plan in plans.values()
        for node in plan.nodes.values()
        if node.spec is not None
    }

    def answer(body: dict[str, Any]) -> str | Awaitable[str | None] | None:
        asked = read_back(body)
        if asked is None:
            return None
        target = targets.get((_side(body), asked.agent))
        if target is None or target.spec is None or is_empty(target.body):
            return None
        params = target.spec.params
        values = {name: load(params[name], value) for name, value in asked.values.items() if name in params}
        form = as_object(as_object(body.get("output_config")).get("format"))
        return _call(target, values, sealed=is_envelope(form.get("schema")))

    return answer


def _side(body: Mapping[str, Any]) -> Side:
    system = body.get("system") or ()
    first = system[0].get("text", "") if system and isinstance(system[0], dict) else ""
    found = unfence(first)
    return "baseline" if found is not None and found[0] == BASELINE_BLOCK.name else "fanout"


def _call(target: Target, values: dict[str, Any], *, sealed: bool) -> str | Awaitable[str | None] | None:
    spec = target.spec
    assert spec is not None
    try:
        value = target.body(**values)
    except NotImplementedError:
        return None
    if inspect.isawaitable(value):
        return _await(spec, value, sealed=sealed)
    return _told(spec, value, sealed=sealed)


async def _await(spec: AgentSpec, value: Awaitable[Any], *, sealed: bool) -> str | None:
    try:
        return _told(spec, await value, sealed=sealed)
    except NotImplementedError:
        return None


def _told(spec: AgentSpec, value: object, *, sealed: bool) -> str:
    answer = encode(spec.output, value)
    return seal(spec.name, answer) if sealed else answer
