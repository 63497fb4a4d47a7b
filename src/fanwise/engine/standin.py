"""The stand-in side: reads a request back and answers it by the body of its agent."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fanwise.context.envelope import is_envelope, seal
from fanwise.context.request import body_hash
from fanwise.context.tail import read_back, unfence
from fanwise.graph.nodes import Target
from fanwise.graph.rehearse import is_empty
from fanwise.graph.spec import AgentSpec
from fanwise.graph.wire import encode, load
from fanwise.journal.records import Side
from fanwise.journal.sqlite import SqliteJournal
from fanwise.jsonable import as_object

from .plan import BASELINE_BLOCK, SidePlan

Answer = str | Awaitable[str | None] | None


def answerer(
    plans: Mapping[Side, SidePlan], recorded: Mapping[str, str] | None = None
) -> Callable[[dict[str, Any]], Answer]:
    """Return what answers a Messages body by the stand-ins of the plans' agents.

    Args:
        plans: The agents.
        recorded: Answers that are given before any stand-in is asked, by the hash of the request.

    The result is None, which leaves the answer to the emulator, where the request is not of
    these graphs or the agent's body is no stand-in.
    """
    targets = {
        (plan.side, node.spec.name): node.node.target
        for plan in plans.values()
        for node in plan.nodes.values()
        if node.spec is not None
    }

    def answer(body: dict[str, Any]) -> Answer:
        known = recorded.get(body_hash(body)) if recorded else None
        if known is not None:
            return known
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


def _call(target: Target, values: dict[str, Any], *, sealed: bool) -> Answer:
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


def recorded(plans: Mapping[Side, SidePlan], journal: SqliteJournal) -> dict[str, str]:
    """Return the answers of a run as a model would give them, by the hash of their request."""
    nodes = {(side, path): node for side, plan in plans.items() for path, node in plan.nodes.items()}
    query = """SELECT a.request_hash, t.side, t.node, x.text FROM tasks t JOIN attempts a ON a.key=t.key
      JOIN texts x ON x.sha=t.output WHERE t.status='done'"""
    found: dict[str, str] = {}
    for sha, side, path, text in journal.db.execute(query):
        node = nodes.get((side, path))
        if node is not None and node.spec is not None and node.shape is not None:
            value = load(node.output, json.loads(text))
            found[sha] = _told(node.spec, value, sealed=node.shape.way == "envelope")
    return found
