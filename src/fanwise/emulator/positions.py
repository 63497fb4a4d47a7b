"""The positions of a request: its blocks in cache order, with cumulative keys and tokens.

Rules ("Prompt caching", read 2026-11-23): tools, then system, then messages; at most 4
breakpoints, the automatic one included; runs of tool_use or of tool_result are one position. What
invalidates which level is part of the key from that level on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.jsonable import as_list, as_object

from .problems import invalid
from .tables import Model
from .tokens import canonical, count_block, count_content, count_text, count_tool, plain

MOST_BREAKPOINTS = 4
_RUNS = ("tool_use", "tool_result")
_UNMARKABLE = ("thinking", "redacted_thinking")


@dataclass(slots=True)
class Position:
    """One block of a request."""

    tokens: int
    """Tokens up to and including the block."""
    ttl: str | None
    """Set at a breakpoint."""
    number: int
    """Place in the order that the look-back counts by; a run of tool blocks has one number."""
    level: str
    """tools, system or messages."""
    markable: bool
    key: str
    """Hash of everything up to and including the block."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What each level's key begins with, apart from the blocks."""

    base: str
    system: str
    messages: str


def resolved(body: Mapping[str, Any], model: Model) -> tuple[str, str]:
    """Return thinking and effort as they apply: an explicit default is as if it were left out."""
    thinking = as_object(body.get("thinking")).get("type") or ("adaptive" if model.thinks else "disabled")
    return str(thinking), str(as_object(body.get("output_config")).get("effort") or model.default_effort)


def levels(body: Mapping[str, Any], model: Model, scope: str) -> Levels:
    """Return what keys the cache at each level (the table "What invalidates the cache")."""
    form = as_object(body.get("output_config")).get("format")
    budget = as_object(body.get("thinking")).get("budget_tokens")
    speed = body.get("speed") or "standard"
    base = [scope, body["model"], speed, *resolved(body, model), budget, form]
    found = [block for message in body["messages"] for block in as_list(message["content"])]
    search = [tool.get("type") for tool in as_list(body.get("tools")) if _is_search(tool)]
    cites = any(as_object(one.get("citations")).get("enabled") for one in found)
    images = any(one["type"] == "image" for one in found)
    return Levels(canonical(base), canonical([search, cites]), canonical([body.get("tool_choice"), images]))


def _is_search(tool: Mapping[str, Any]) -> bool:
    return str(tool.get("type") or "").startswith("web_search_")


def _blocks(body: Mapping[str, Any], model: Model) -> Iterator[tuple[str, str, Mapping[str, Any], int]]:
    """Yield level, kind for runs, block and tokens of everything in front of the answer, in cache order."""
    tools = body.get("tools") or ()
    forced = as_object(body.get("tool_choice")).get("type") in ("any", "tool")
    hidden = model.tool_prompt[forced] if tools else 0
    for tool in tools:
        yield "tools", "", tool, count_tool(tool, model) + hidden
        hidden = 0
    form = as_object(body.get("output_config")).get("format")
    if form:
        yield "system", "", {"type": "format", **form}, count_text(canonical(form["schema"]), model)
    system = body.get("system") or ()
    if isinstance(system, str):
        yield "system", "", {"type": "text", "text": system}, count_text(system, model)
    else:
        for block in system:
            yield "system", "", block, count_block(block, model)
    kept = _kept_from(body, model)
    for number, message in enumerate(body["messages"]):
        content = message["content"]
        if isinstance(content, str):
            yield "messages", message["role"], {"type": "text", "text": content}, count_text(content, model)
            continue
        for block in content:
            if block["type"] in _UNMARKABLE and number < kept:
                continue
            yield "messages", message["role"], block, count_block(block, model)


def _kept_from(body: Mapping[str, Any], model: Model) -> int:
    """Return the first message whose thinking is part of the prompt; older models drop what came before."""
    if not model.strips_thinking:
        return 0
    for number in range(len(body["messages"]) - 1, -1, -1):
        message = body["messages"][number]
        content = message["content"]
        if message["role"] == "user" and (isinstance(content, str) or content[0]["type"] != "tool_result"):
            return number
    return 0


def count(body: Mapping[str, Any], model: Model) -> int:
    """Return all input tokens of a body: what the positions add up to, without making them."""
    if body.get("tools") or body.get("output_config") or model.strips_thinking:
        return sum(tokens for _, _, _, tokens in _blocks(body, model))
    total = count_content(body.get("system") or "", model)
    for message in body["messages"]:
        total += count_content(message["content"], model)
    return total


def marked(body: Mapping[str, Any]) -> bool:
    """Return whether anything in a body asks for the cache."""
    if body.get("cache_control"):
        return True
    for blocks in (as_list(body.get("system")), as_list(body.get("tools"))):
        if any(block.get("cache_control") for block in blocks):
            return True
    return any(block.get("cache_control") for message in body["messages"] for block in as_list(message["content"]))


def positions(body: Mapping[str, Any], model: Model, scope: str) -> list[Position]:
    """Return the positions of a request.

    Args:
        body: A checked body.
        model: Its model.
        scope: What separates caches beyond the body: workspace and channel.

    Raises:
        ApiProblem: There are more than 4 breakpoints, or a 1-hour one stands behind a 5-minute one.
    """
    salts = levels(body, model, scope)
    salt = {"system": salts.system, "messages": salts.messages}
    key, tokens, number, before = hashlib.blake2b(salts.base.encode(), digest_size=16), 0, 0, ""
    found: list[Position] = []
    reached = "tools"
    for level, role, block, size in _blocks(body, model):
        while reached != level:
            reached = "system" if reached == "tools" else "messages"
            key.update(salt[reached].encode())
        kind = str(block.get("type") or "")
        if not (kind in _RUNS and kind == before):
            number += 1
        before, tokens = kind, tokens + size
        text = block["text"] if kind == "text" and not block.get("citations") else canonical(plain(block))
        part = f"\0{level}\0{role}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass")
        mine = key.copy()
        mine.update(part)
        if not (level == "tools" and (_is_search(block) or block.get("defer_loading"))):
            key = mine  # what comes behind such a tool does not depend on it
        control = block.get("cache_control")
        ttl = str(as_object(control).get("ttl", "5m")) if control else None
        markable = kind not in _UNMARKABLE and kind != "format"
        found.append(Position(tokens, ttl, number, level, markable, mine.hexdigest()))
    _automatic(body.get("cache_control"), found)
    marks = [one.ttl for one in found if one.ttl is not None]
    if len(marks) > MOST_BREAKPOINTS:
        raise invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    if "5m" in marks and "1h" in marks[marks.index("5m") :]:
        raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
    return found


def _automatic(control: Mapping[str, Any] | None, found: list[Position]) -> None:
    """Put the breakpoint of a top-level `cache_control` on the last block that can carry one."""
    if not control:
        return
    ttl = control.get("ttl", "5m")
    last = next((one for one in reversed(found) if one.markable), None)
    if last is None:
        return
    if last.ttl is not None and last.ttl != ttl:
        raise invalid(f"cache_control: ttl {ttl!r} differs from that of the last block, {last.ttl!r}")
    last.ttl = ttl
