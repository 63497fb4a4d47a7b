"""The stand-in arm: reads a request back and answers it by the body of its agent."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from fanwise.context.envelope import is_envelope, seal
from fanwise.context.request import body_hash
from fanwise.context.tail import fence, read_back
from fanwise.graph.nodes import Target
from fanwise.graph.rehearse import is_empty
from fanwise.graph.spec import AgentSpec
from fanwise.graph.tools import ToolCalled, ToolOutput, unused_outputs
from fanwise.graph.wire import encode, load
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object
from fanwise.ledger.tasks import AnsweredRequest, ToolRequest

from .arms import BASELINE_BLOCK, AgentNode, Arm

Said = str | Mapping[str, Any] | None
"""A text, tools that are asked for (`{"tools": [{"name": ..., "input": ...}]}`), or nothing."""
Answer = Said | Awaitable[Said]
_BASELINE_TEXT = fence(BASELINE_BLOCK.name, BASELINE_BLOCK.text)


def answerer(
    arms: Mapping[ArmName, Arm], recorded: Mapping[str, Said] | None = None
) -> Callable[[dict[str, Any]], Answer]:
    """Return what answers a Messages body by the stand-ins of the arms' agents.

    Args:
        arms: The agents.
        recorded: Answers that are given before any stand-in is asked, by the hash of the request.

    The result is None, which leaves the answer to the emulator, where the request is not of
    these graphs or the agent's body is no stand-in.
    """
    targets = {(name, node.spec.name): node.node.target for name, arm in arms.items() for node in arm.agents()}

    def answer(body: dict[str, Any]) -> Answer:
        known = recorded.get(body_hash(body)) if recorded else None
        if known is not None:
            return known
        asked = read_back(body)
        if asked is None:
            return None
        target = targets.get((_arm(body), asked.agent))
        if target is None or target.spec is None or is_empty(target.body):
            return None
        params = target.spec.params
        values = {name: load(params[name], value) for name, value in asked.values.items() if name in params}
        form = as_object(as_object(body.get("output_config")).get("format"))
        return _call(target, values, _told_so_far(body), sealed=is_envelope(form.get("schema")))

    return answer


def _arm(body: Mapping[str, Any]) -> ArmName:
    """Return the arm of a request: the baseline's shows a block of its own, behind files in the content."""
    shown = (*(body.get("system") or ()), *body["messages"][0]["content"])
    return "baseline" if any(as_object(block).get("text") == _BASELINE_TEXT for block in shown) else "fanout"


def _told_so_far(body: Mapping[str, Any]) -> list[ToolOutput]:
    """Return the results of tools that a conversation holds, in order."""
    found, names = list[ToolOutput](), dict[str, str]()
    for message in body["messages"][1:]:
        for block in message["content"]:
            if block["type"] == "tool_use":
                names[block["id"]] = block["name"]
            elif block["type"] == "tool_result":
                content = block.get("content") or ""
                texts = [content] if isinstance(content, str) else [str(one.get("text") or "") for one in content]
                name = names.get(block["tool_use_id"], "")
                found.append(ToolOutput(name, "".join(texts), bool(block.get("is_error"))))
    return found


def _call(target: Target, values: dict[str, Any], results: list[ToolOutput], *, sealed: bool) -> Answer:
    """Call a stand-in. One that calls a tool is asked again with its result, and comes a step further."""
    spec = target.spec
    assert spec is not None
    if inspect.iscoroutinefunction(target.body):
        return _await(spec, target.body, values, results, sealed=sealed)
    token = unused_outputs.set(results if spec.tools else None)
    try:
        return _told(spec, target.body(**values), sealed=sealed)
    except ToolCalled as asked:
        return {"tools": [{"name": asked.name, "input": asked.values}]}
    except NotImplementedError:
        return None
    finally:
        unused_outputs.reset(token)


async def _await(
    spec: AgentSpec, body: Callable[..., Any], values: dict[str, Any], results: list[ToolOutput], *, sealed: bool
) -> Said:
    token = unused_outputs.set(results if spec.tools else None)
    try:
        return _told(spec, await body(**values), sealed=sealed)
    except ToolCalled as asked:
        return {"tools": [{"name": asked.name, "input": asked.values}]}
    except NotImplementedError:
        return None
    finally:
        unused_outputs.reset(token)


def _told(spec: AgentSpec, value: object, *, sealed: bool) -> str:
    answer = encode(spec.output, value)
    return seal(spec.name, answer) if sealed else answer


def recorded(
    arms: Mapping[ArmName, Arm], answers: Iterable[AnsweredRequest], tools: Iterable[ToolRequest]
) -> dict[str, Said]:
    """Return the answers of a run as a model would give them, by the hash of their request.

    Args:
        arms: Of the run.
        answers: Its requests that have an answer.
        tools: Those that were answered by asking for tools.
    """
    nodes = {(name, path): node for name, arm in arms.items() for path, node in arm.nodes.items()}
    found: dict[str, Said] = {request.request_hash: _tools_in(request.said) for request in tools}
    for sha, arm, path, text in answers:
        node = nodes.get((arm, path))
        if isinstance(node, AgentNode):
            value = load(node.output, json.loads(text))
            found[sha] = _told(node.spec, value, sealed=node.shape.way == "envelope")
    return found


def _tools_in(message: str) -> Said:
    """Return the tools that a model's message asks for."""
    content = json.loads(message).get("content") or ()
    return {"tools": [{"name": block["name"], "input": block["input"]} for block in content if "input" in block]}
