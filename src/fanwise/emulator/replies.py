"""The message that a request is answered with: thinking, text, tool calls, and where it ends.

Facts: pages "Messages", "Stop reasons", "Thinking" and SDK 2.12.0 `types/message.py`, read
2026-11-23. How much a model thinks is no documented figure; ours stand in `rules.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.jsonable import as_list, as_object

from .answers import UNNAMED, Answer, ToolCall
from .charges import BILLED_REFUSALS, Tokens
from .ids import new_id
from .positions import thinking_and_effort
from .tables import Model
from .tokens import canonical, count_text

THINKING_TOKENS = {"low": 16, "medium": 48, "high": 96, "xhigh": 192, "max": 384}
"""Tokens that a simulated model thinks, by effort."""
_THOUGHT = "Let me think about this step by step. "


@dataclass(slots=True, kw_only=True)
class Draft:
    """The content of a reply, while it is written, and its tokens."""

    content: list[dict[str, Any]]
    stop_reason: str
    stop_sequence: str | None = None
    output: int = 0
    thinking: int = 0
    refusal: str = ""

    @property
    def is_free(self) -> bool:
        """Whether nothing of the request is billed: refused before anything was written."""
        return self.stop_reason == "refusal" and not self.output and self.refusal not in BILLED_REFUSALS


def draft_reply(body: Mapping[str, Any], answer: Answer, model: Model) -> Draft:
    """Return what a reply holds, cut off by stop sequences and `max_tokens`."""
    limit = body["max_tokens"]
    if answer.refusal:
        return _refusal(answer, model)
    draft = Draft(content=[], stop_reason="tool_use" if answer.tools else "end_turn")
    draft.thinking = _add_thinking(draft, body, answer, model)
    draft.output = draft.thinking
    if draft.output >= limit:
        draft.output, draft.stop_reason = limit, "max_tokens"
        return draft
    _add_text(draft, body, answer.text, model)
    if draft.stop_reason == "tool_use":
        _add_tool_calls(draft, limit, answer.tools, model)
    draft.output = max(draft.output, 1)
    return draft


def _refusal(answer: Answer, model: Model) -> Draft:
    content = [_text(answer.text)] if answer.text else []
    output = count_text(answer.text, model)
    return Draft(content=content, stop_reason="refusal", output=output, refusal=answer.refusal)


def _add_tool_calls(draft: Draft, limit: int, calls: Sequence[ToolCall], model: Model) -> None:
    """Add the calls of tools that have room; the first that has none ends the reply."""
    for call in calls:
        size = count_text(call.name + canonical(call.input), model)
        if draft.output + size > limit:
            draft.output, draft.stop_reason = limit, "max_tokens"
            break
        draft.output += size
        tool_id = new_id("toolu")
        draft.content.append(
            {"type": "tool_use", "id": tool_id, "name": call.name, "input": call.input, "caller": {"type": "direct"}}
        )


def _add_text(draft: Draft, body: Mapping[str, Any], text: str, model: Model) -> None:
    for sequence in body.get("stop_sequences") or ():
        if sequence in text:
            text = text[: text.index(sequence)]
            draft.stop_reason, draft.stop_sequence = "stop_sequence", sequence
    room = body["max_tokens"] - draft.output
    size = count_text(text, model)
    if size > room:
        text, size = text[: room * model.tenth_chars // 10], room
        draft.stop_reason, draft.stop_sequence = "max_tokens", None
    if text:
        draft.content.append(_text(text))
    draft.output += size


def _text(text: str) -> dict[str, Any]:
    return {
        "type": "text",
        "text": text,
    }  # without `citations`: in life the key is absent, and strict clients refuse null


def _add_thinking(draft: Draft, body: Mapping[str, Any], answer: Answer, model: Model) -> int:
    """Add a thinking block where the model thinks; return its tokens."""
    kind, effort = thinking_and_effort(body, model)
    if kind == "disabled" or (kind == "between_tools" and not _after_tools(body)):
        return 0
    room = body["max_tokens"]
    thought = _default_thought(effort, room, model) if answer.thinking is None else answer.thinking
    if not thought:
        return 0
    size = count_text(thought, model)
    text = thought if size <= room else thought[: room * model.tenth_chars // 10]
    if as_object(body.get("thinking")).get("display") == "omitted":
        text = ""
    signature = hashlib.sha256(thought.encode("utf-8", "surrogatepass")).hexdigest()
    draft.content.append({"type": "thinking", "thinking": text, "signature": signature})
    return min(size, room)


def _default_thought(effort: str, room: int, model: Model) -> str:
    """Return what a model thinks by itself: nothing where no room would be left for the answer."""
    tokens = THINKING_TOKENS[effort]
    if 2 * tokens > room:
        return ""
    return (_THOUGHT * (tokens // 10 + 1))[: tokens * model.tenth_chars // 10]


def _after_tools(body: Mapping[str, Any]) -> bool:
    return any(block["type"] == "tool_result" for block in as_list(body["messages"][-1]["content"]))


def message_of(
    body: Mapping[str, Any], draft: Draft, tokens: Tokens, *, service_tier: str, diagnostics: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the reply as the API sends it."""
    details = None
    if draft.stop_reason == "refusal":
        category = None if draft.refusal == UNNAMED else draft.refusal
        details = {"type": "refusal", "category": category, "explanation": "simulated refusal"}
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": draft.content,
        "stop_reason": draft.stop_reason,
        "stop_sequence": draft.stop_sequence,
        "stop_details": details,
        "container": None,
        "diagnostics": diagnostics,
        "usage": {
            **tokens.usage(),
            "output_tokens_details": {"thinking_tokens": draft.thinking},
            "server_tool_use": None,
            "service_tier": service_tier,
            "speed": body.get("speed"),
            "inference_geo": body.get("inference_geo"),
        },
    }
