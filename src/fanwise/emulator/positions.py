"""The positions of a request: its blocks in cache order, with cumulative keys and tokens.

Rules ("Prompt caching", read 2026-11-23): tools, then system, then messages; at most 4
breakpoints, the automatic one included; runs of tool_use or of tool_result are one position. What
invalidates which section is part of the key from that section on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fanwise.jsonable import as_list, as_object

from .problems import invalid
from .tables import Model
from .tokens import canonical, count_block, count_content, count_text, count_tool, in_order, unmarked

Section = Literal["tools", "system", "messages"]
MOST_BREAKPOINTS = 4
_RUNS = ("tool_use", "tool_result")
_USES = ("tool_use", "server_tool_use")
_UNMARKABLE = ("thinking", "redacted_thinking")


@dataclass(slots=True, kw_only=True)
class Position:
    """One block of a request. Not frozen: one is made for every block of a request that asks for the cache."""

    section: Section
    tokens: int
    """Tokens up to and including the block."""
    ttl: str | None
    """Set at a breakpoint."""
    number: int
    """Place in the order that the look-back counts by; a run of tool blocks has one number."""
    markable: bool
    key: str
    """Hash of everything up to and including the block."""


def thinking_and_effort(body: Mapping[str, Any], model: Model) -> tuple[str, str]:
    """Return both as they apply: an explicit default is as if it were left out."""
    thinking, config = body.get("thinking"), body.get("output_config")
    kind = thinking["type"] if thinking else "adaptive" if model.thinks else "disabled"
    return kind, (config.get("effort") if config else None) or model.default_effort


def _salts(body: Mapping[str, Any], model: Model, scope: str) -> dict[Section, str]:
    """Return what is in the keys of each section beside its blocks (the table "What invalidates the cache")."""
    form = as_object(body.get("output_config")).get("format")
    budget = as_object(body.get("thinking")).get("budget_tokens")
    speed = body.get("speed") or "standard"
    base = [scope, body["model"], speed, *thinking_and_effort(body, model), budget, form]
    blocks = [block for message in body["messages"] for block in as_list(message["content"])]
    search = [tool.get("type") for tool in as_list(body.get("tools")) if _is_search(tool)]
    cites = any(as_object(block.get("citations")).get("enabled") for block in blocks)
    images = any(block["type"] == "image" for block in blocks)
    return {
        "tools": canonical(base),
        "system": canonical([search, cites]),
        "messages": canonical([body.get("tool_choice"), images]),
    }


def _is_search(tool: Mapping[str, Any]) -> bool:
    return str(tool.get("type") or "").startswith("web_search_")


# The blocks in front of the answer, in cache order: role, block, tokens ----------------------------


_Blocks = Iterator[tuple[str, Mapping[str, Any], int]]


def _tool_blocks(body: Mapping[str, Any], model: Model) -> _Blocks:
    """Yield the tools; the first counts the hidden prompt that they bring."""
    tools = body.get("tools") or ()
    forced = as_object(body.get("tool_choice")).get("type") in ("any", "tool")
    hidden = model.tool_prompt[forced] if tools else 0
    for tool in tools:
        yield "", tool, count_tool(tool, model) + hidden
        hidden = 0


def _system_blocks(body: Mapping[str, Any], model: Model) -> _Blocks:
    """Yield the schema of the answer and the system prompt."""
    form = as_object(body.get("output_config")).get("format")
    if form:
        yield "", {"type": "format", **form}, count_text(canonical(form["schema"]), model)
    system = body.get("system") or ()
    if isinstance(system, str):
        yield "", {"type": "text", "text": system}, count_text(system, model)
        return
    for block in system:
        yield "", block, count_block(block, model)


def _message_blocks(body: Mapping[str, Any], model: Model) -> _Blocks:
    """Yield the blocks of all messages, without thinking that the model drops."""
    kept_from = _kept_from(body, model)
    for number, message in enumerate(body["messages"]):
        role, content = message["role"], message["content"]
        if isinstance(content, str):
            yield role, {"type": "text", "text": content}, count_text(content, model)
            continue
        for block in content:
            if number >= kept_from or block["type"] not in _UNMARKABLE:
                yield role, block, count_block(block, model)


_SECTIONS: dict[Section, Callable[[Mapping[str, Any], Model], _Blocks]] = {
    "tools": _tool_blocks, "system": _system_blocks, "messages": _message_blocks
}  # fmt: skip


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


def count_input(body: Mapping[str, Any], model: Model) -> int:
    """Return all input tokens of a body: what the positions add up to, without making them."""
    if body.get("tools") or body.get("output_config") or model.strips_thinking:
        return sum(tokens for blocks in _SECTIONS.values() for _, _, tokens in blocks(body, model))
    total = count_content(body.get("system") or "", model)
    for message in body["messages"]:
        total += count_content(message["content"], model)
    return total


def asks_for_cache(body: Mapping[str, Any]) -> bool:
    """Return whether anything in a body has a breakpoint."""
    if body.get("cache_control") or _has_mark(body.get("system")) or _has_mark(body.get("tools")):
        return True
    # Not by `any`: the texts of a plain message are looked at without a generator for each.
    for message in body["messages"]:  # noqa: SIM110
        if _has_mark(message["content"]):
            return True
    return False


def _has_mark(content: str | Sequence[Mapping[str, Any]] | None) -> bool:
    if not content or isinstance(content, str):
        return False
    return any(block.get("cache_control") for block in content)


# Positions ------------------------------------------------------------------------------------------


def positions_of(body: Mapping[str, Any], model: Model, scope: str) -> list[Position]:
    """Return the positions of a request.

    Args:
        body: A checked body.
        model: Its model.
        scope: What separates caches beyond the body: workspace and channel.

    Raises:
        ApiProblem: There are more than 4 breakpoints, or a 1-hour one stands behind a 5-minute one.
    """
    salts = _salts(body, model, scope)
    key = hashlib.blake2b(digest_size=16)
    positions: list[Position] = []
    for section, blocks in _SECTIONS.items():
        key.update(salts[section].encode())
        key = _add_positions(positions, section, blocks(body, model), key)
    _mark_last(body.get("cache_control"), positions)
    _check_breakpoints(positions)
    return positions


def _add_positions(
    positions: list[Position], section: Section, blocks: _Blocks, key: hashlib.blake2b
) -> hashlib.blake2b:
    """Add the positions of a section; return the key of what follows it."""
    tokens, number = (positions[-1].tokens, positions[-1].number) if positions else (0, 0)
    kind_before = ""
    for role, block, size in blocks:
        kind = str(block.get("type") or "")
        if not (kind in _RUNS and kind == kind_before):
            number += 1
        kind_before, tokens = kind, tokens + size
        text = block["text"] if kind == "text" and not block.get("citations") else _form(block, kind)
        block_key = key.copy()
        block_key.update(f"\0{section}\0{role}\0{len(text)}\0{text}".encode("utf-8", "surrogatepass"))
        if section != "tools" or not _is_apart(block):
            key = block_key
        control = block.get("cache_control")
        positions.append(
            Position(
                section=section,
                tokens=tokens,
                ttl=control.get("ttl", "5m") if control else None,
                number=number,
                markable=kind not in _UNMARKABLE and kind != "format",
                key=block_key.hexdigest(),
            )
        )
    return key


def _form(block: Mapping[str, Any], kind: str) -> str:
    """Return what the cache compares of a block: keys have an order in what a tool was given, and nowhere else."""
    plain = unmarked(block)
    given = in_order(plain.pop("input")) if kind in _USES else ""
    return canonical(plain) + given


def _is_apart(tool: Mapping[str, Any]) -> bool:
    """Return whether what comes behind a tool does not depend on it."""
    return _is_search(tool) or bool(tool.get("defer_loading"))


def _mark_last(control: Mapping[str, Any] | None, positions: Sequence[Position]) -> None:
    """Put the breakpoint of a top-level `cache_control` on the last block that can carry one."""
    if not control:
        return
    ttl = control.get("ttl", "5m")
    last = next((position for position in reversed(positions) if position.markable), None)
    if last is None:
        return
    if last.ttl is not None and last.ttl != ttl:
        raise invalid(f"cache_control: ttl {ttl!r} differs from that of the last block, {last.ttl!r}")
    last.ttl = ttl


def _check_breakpoints(positions: Sequence[Position]) -> None:
    marks = [position.ttl for position in positions if position.ttl is not None]
    if len(marks) > MOST_BREAKPOINTS:
        raise invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    if "5m" in marks and "1h" in marks[marks.index("5m") :]:
        raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
