"""The stand-in arm: reads a request back and answers it by the body of its agent."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from fanwise.context.envelope import is_envelope, seal
from fanwise.context.readback import ReadBack, read_back
from fanwise.context.request import body_hash
from fanwise.graph.nodes import Target
from fanwise.graph.packs import encode_pack
from fanwise.graph.rehearse import is_empty
from fanwise.graph.revive import revive
from fanwise.graph.spec import AgentSpec
from fanwise.graph.tools import ToolCalled, ToolOutput, unused_outputs
from fanwise.graph.wire import encode, encode_field
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object
from fanwise.ledger.tasks import AnsweredRequest, ToolRequest

from .arms import Arm, Signature
from .nodes import AgentNode

StandInAnswer = str | Mapping[str, Any] | None
"""A text, tools that are asked for (`{"tools": [{"name": ..., "input": ...}]}`), or nothing."""
ToolsAnswer = Callable[[], AbstractContextManager[None]]


def answerer(
    arms: Mapping[ArmName, Arm], recorded: Mapping[str, StandInAnswer] | None = None
) -> Callable[[dict[str, Any]], StandInAnswer | Awaitable[StandInAnswer]]:
    """Return what answers a Messages body by the stand-ins of the arms' agents.

    Args:
        arms: The agents.
        recorded: Answers that are given before any stand-in is asked, by the hash of the request.

    The result is None, which leaves the answer to the emulator, where the request is not of
    these graphs or the agent's body is no stand-in.
    """
    targets: dict[Signature, list[Target]] = {}
    for node in (node for arm in arms.values() for node in arm.agents()):
        targets.setdefault(Signature.of(node.spec, node.instructions), []).append(node.node.target)

    instructions = {signature.instructions for signature in targets}
    places = {node.need.arm_index for arm in arms.values() for node in arm.agents()}

    def answer(body: dict[str, Any]) -> StandInAnswer | Awaitable[StandInAnswer]:
        from_record = recorded.get(body_hash(body)) if recorded else None
        if from_record is not None:
            return from_record
        request = read_back(body, places, instructions)
        target = None if request is None else _asked(targets, str(body.get("model")), request)
        if request is None or target is None or target.spec is None or is_empty(target.body):
            return None
        asked_for = as_object(as_object(body.get("output_config")).get("format"))
        sealed = is_envelope(asked_for.get("schema"))
        inputs = [_arguments(target.spec, values) for values in request.inputs or (request.values,)]
        form = partial(_pack_text if request.inputs else _only_text, target.spec, sealed=sealed)
        tools = partial(_tools_answer, target.spec, _tool_outputs(body))
        return _call(target.body, inputs, tools, form)

    return answer


def _asked(targets: Mapping[Signature, Sequence[Target]], model: str, request: ReadBack) -> Target | None:
    """Return the agent that a request asks, by model, instructions and parameters, and by its name if it says that."""
    params = frozenset(request.values)
    same = [target for text in request.texts for target in targets.get(Signature(model, text, params), ())]
    return next((target for target in same if request.agent in ("", target.name)), None)


def _arguments(spec: AgentSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a request as a stand-in takes them."""
    return {name: revive(spec.params[name], value) for name, value in values.items() if name in spec.params}


def _tool_outputs(body: Mapping[str, Any]) -> list[ToolOutput]:
    """Return the results of tools that a conversation holds, in order."""
    outputs, names = list[ToolOutput](), dict[str, str]()
    for block in (block for message in body["messages"][1:] for block in message["content"]):
        if block["type"] == "tool_use":
            names[block["id"]] = block["name"]
        elif block["type"] == "tool_result":
            name = names.get(block["tool_use_id"], "")
            outputs.append(ToolOutput(name, _text_of(block.get("content") or ""), bool(block.get("is_error"))))
    return outputs


def _text_of(content: str | Sequence[Mapping[str, Any]]) -> str:
    """Return the text of a tool's result, which comes as text or as blocks."""
    return content if isinstance(content, str) else "".join(str(block.get("text") or "") for block in content)


def _call(
    body: Callable[..., Any], inputs: Sequence[dict[str, Any]], tools: ToolsAnswer, form: Callable[[list[Any]], str]
) -> StandInAnswer | Awaitable[StandInAnswer]:
    """Call a stand-in for each input. One that calls a tool is asked again with its result, and comes a step further.

    Args:
        body: The stand-in.
        inputs: The values that it is called with: of a pack, those of each input.
        tools: Lets the tools that it calls answer.
        form: Makes a text of what it has returned for each.
    """
    if inspect.iscoroutinefunction(body):
        return _call_async(body, inputs, tools, form)
    with tools():
        try:
            return form([body(**values) for values in inputs])
        except ToolCalled as call:
            return _asked_for(call)
        except NotImplementedError:
            return None


async def _call_async(
    body: Callable[..., Any], inputs: Sequence[dict[str, Any]], tools: ToolsAnswer, form: Callable[[list[Any]], str]
) -> StandInAnswer:
    with tools():
        try:
            return form([await body(**values) for values in inputs])
        except ToolCalled as call:
            return _asked_for(call)
        except NotImplementedError:
            return None


def _only_text(spec: AgentSpec, values: Sequence[Any], *, sealed: bool) -> str:
    (value,) = values
    return _answer_text(spec, value, sealed=sealed)


def _pack_text(spec: AgentSpec, values: Sequence[Any], *, sealed: bool) -> str:
    text = encode_pack(spec.output, enumerate(values, 1))
    return seal(spec.name, text) if sealed else text


@contextmanager
def _tools_answer(spec: AgentSpec, outputs: list[ToolOutput]) -> Generator[None]:
    """Let the tools that a stand-in calls return what a conversation holds, one after the other."""
    token = unused_outputs.set(outputs if spec.tools else None)
    try:
        yield
    finally:
        unused_outputs.reset(token)


def _asked_for(call: ToolCalled) -> StandInAnswer:
    return {"tools": [{"name": call.name, "input": call.values}]}


def answer_text(node: AgentNode, value: object) -> str:
    """Return a value as a model would answer it at a node."""
    sealed = node.shape.way == "envelope"
    if node.spec.packs:
        return _pack_text(node.spec, [value], sealed=sealed)
    return _answer_text(node.spec, value, sealed=sealed)


def _answer_text(spec: AgentSpec, value: object, *, sealed: bool) -> str:
    return seal(spec.name, encode_field(spec.output, value)) if sealed else encode(spec.output, value)


def recorded_answers(
    arms: Mapping[ArmName, Arm], answers: Iterable[AnsweredRequest], tools: Iterable[ToolRequest]
) -> dict[str, StandInAnswer]:
    """Return the answers of a run as a model would give them, by the hash of their request.

    Args:
        arms: Of the run.
        answers: Its requests that have an answer.
        tools: Those that were answered by asking for tools.
    """
    nodes = {(name, path): node for name, arm in arms.items() for path, node in arm.nodes.items()}
    recorded: dict[str, StandInAnswer] = {request.request_hash: _tools_in(request.message) for request in tools}
    for sha, arm, path, text, said in answers:
        node = nodes.get((arm, path))
        if isinstance(node, AgentNode):
            has_changed = said is not None and said != text  # by a validator, who is asked again
            value = json.loads(said or text) if has_changed else revive(node.output, json.loads(text))
            recorded[sha] = answer_text(node, value)
    return recorded


def _tools_in(message: str) -> StandInAnswer:
    """Return the tools that a model's message asks for."""
    content = json.loads(message).get("content") or ()
    return {"tools": [{"name": block["name"], "input": block["input"]} for block in content if "input" in block]}
