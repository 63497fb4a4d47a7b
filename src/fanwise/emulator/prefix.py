"""Positions, tokens and cache accounting of one request.

Rules (page "Prompt caching", read 2026-11-23): tools, then system, then messages; at most 4
breakpoints; entries are written only at breakpoints; from each breakpoint, last first, up to 20
positions back are looked up; 1-hour breakpoints stand before 5-minute ones; a prefix under the
model's minimum is neither written nor read. With A the tokens at the hit, B those at the last
1-hour breakpoint behind it and C those at the last breakpoint: read A, 1h write B-A, 5m write
C-B, the rest is plain input.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.jsonable import as_object

from .problems import invalid
from .tables import Model

LOOK_BACK = 20
TTL_S = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True, slots=True)
class Position:
    """One block of a request."""

    key: str
    """Hash of everything up to and including the block."""
    tokens: int
    """Tokens up to and including the block."""
    ttl: str | None
    """Set at a breakpoint."""


@dataclass(frozen=True, slots=True)
class Account:
    """How the input of one request is billed, and which entries it touches."""

    input: int
    write_5m: int
    write_1h: int
    read: int
    writes: tuple[tuple[str, str], ...]
    """Entries to write when the response begins: key and TTL."""
    refreshes: tuple[str, ...]
    """Entries that were read."""


def count_text(text: str, model: Model) -> int:
    """Return the tokens of a text: characters by the documented average, rounded up."""
    return math.ceil(len(text) / model.chars)


def _plain(block: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if key != "cache_control"}


def _block_tokens(block: Mapping[str, Any], model: Model) -> int:
    if block.get("type") == "text":
        return count_text(str(block.get("text", "")), model)
    return count_text(json.dumps(_plain(block), sort_keys=True), model)


def _ttl(block: Mapping[str, Any], where: str) -> str | None:
    if block.get("cache_control") is None:
        return None
    control = as_object(block["cache_control"])
    if control.get("type") != "ephemeral":
        raise invalid(f"{where}.cache_control.type: Input should be 'ephemeral'")
    ttl = str(control.get("ttl", "5m"))
    if ttl not in TTL_S:
        raise invalid(f"{where}.cache_control.ttl: Input should be '5m' or '1h'")
    if block.get("type") == "text" and not block.get("text"):
        raise invalid(f"{where}: cache_control cannot be set for empty text blocks")
    return ttl


def blocks(body: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return every block of a request in cache order, with the place it stands at."""
    found: list[tuple[str, dict[str, Any]]] = []
    for index, tool in enumerate(body.get("tools") or ()):
        found.append((f"tools.{index}", tool))
    system: Any = body.get("system")
    parts: list[Any] = [{"type": "text", "text": system}] if isinstance(system, str) else list(system or ())
    found += [(f"system.{index}", block) for index, block in enumerate(parts)]
    for number, message in enumerate(body.get("messages") or ()):
        content: Any = message["content"]
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        role = message["role"]
        found += [
            (f"messages.{number}.content.{index}", {**block, "_role": role}) for index, block in enumerate(content)
        ]
    return found


def positions(body: Mapping[str, Any], model: Model, salt: str) -> list[Position]:
    """Return the positions of a request with cumulative hashes and tokens.

    Raises:
        ApiProblem: A breakpoint is malformed, there are more than 4, or their order is wrong.
    """
    key, tokens = hashlib.sha256(salt.encode()), 0
    found: list[Position] = []
    for where, block in blocks(body):
        ttl = _ttl(block, where)
        key = key.copy()
        key.update(json.dumps(_plain(block), sort_keys=True).encode())
        key.update(b"\0" + where.split(".")[0].encode())
        tokens += _block_tokens({name: part for name, part in block.items() if name != "_role"}, model)
        found.append(Position(key.hexdigest(), tokens, ttl))
    automatic = body.get("cache_control")
    if automatic is not None and found and found[-1].ttl is None:
        last = found[-1]
        found[-1] = Position(last.key, last.tokens, _ttl({"cache_control": automatic}, "cache_control"))
    marks = [position.ttl for position in found if position.ttl is not None]
    if len(marks) > 4:
        raise invalid(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    if "1h" in marks[marks.index("5m") :] if "5m" in marks else False:
        raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
    return found


def account(found: list[Position], model: Model, entry: Callable[[str], str | None]) -> Account:
    """Return how the input is billed.

    Args:
        found: The request's positions.
        model: Its model.
        entry: Gives the TTL of a readable cache entry by key, or None.
    """
    total = found[-1].tokens if found else 0
    marks = [index for index, position in enumerate(found) if position.ttl and position.tokens >= model.minimum]
    hit = next(
        (
            back
            for mark in reversed(marks)
            for back in range(mark, max(mark - LOOK_BACK, -1), -1)
            if entry(found[back].key)
        ),
        None,
    )
    read = found[hit].tokens if hit is not None else 0
    behind = [index for index in marks if hit is None or index > hit]
    hour = max((found[index].tokens for index in behind if found[index].ttl == "1h"), default=read)
    last = max((found[index].tokens for index in behind), default=read)
    touched = [found[index].key for index in marks if hit is not None and index <= hit and entry(found[index].key)]
    if hit is not None and found[hit].key not in touched:
        touched.append(found[hit].key)
    writes = tuple((found[index].key, found[index].ttl or "5m") for index in behind)
    return Account(total - last, last - hour, hour - read, read, writes, tuple(touched))
