"""How many tokens a block has: by its characters, so that counts add up and repeat.

The tokenizer is not published. Texts are counted by the documented average of characters per
token ("Models overview", "Token counting", read 2026-11-23), rounded up per block. Sizes of
images and PDF pages are open: the choices stand in `rules.py` as `tokens-image`, `tokens-pdf`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .tables import Model

IMAGE_UNKNOWN = 1_600
"""Tokens of an image whose size cannot be read."""
PDF_PAGE = 2_000
PIXELS_PER_TOKEN = 750
LONGEST_EDGE = 1_568
"""Pixels; a larger image is scaled down before it is counted."""


# Made once: `json.dumps` makes one for every text, which takes as long as a short text itself.
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_IN_ORDER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def count_text(text: str, model: Model) -> int:
    """Return the tokens of a text, rounded up."""
    return -(-len(text) * 10 // model.tenth_chars)


def unmarked(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block without its marker, which is no part of what the model sees."""
    return {key: value for key, value in block.items() if key != "cache_control"}


def canonical(data: object) -> str:
    """Return JSON in one form, so that the order of keys makes no difference."""
    return _ENCODER.encode(data)


def in_order(data: object) -> str:
    """Return JSON with its keys in the order in which they came."""
    return _IN_ORDER.encode(data)


def count_block(block: Mapping[str, Any], model: Model) -> int:
    """Return the tokens of a content block."""
    kind = block["type"]
    if kind == "text":  # most are
        return count_text(block["text"], model)
    return _COUNTERS.get(kind, _count_json)(block, model)


def _count_thinking(block: Mapping[str, Any], model: Model) -> int:
    return count_text(block["thinking"], model)


def _count_image(block: Mapping[str, Any], model: Model) -> int:
    return count_image(block["source"])


def _count_document(block: Mapping[str, Any], model: Model) -> int:
    head = "".join(str(block.get(name) or "") for name in ("title", "context"))
    return count_text(head, model) + _count_source(block["source"], model)


def _count_source(source: Mapping[str, Any], model: Model) -> int:
    if source["type"] == "text":
        return count_text(source["data"], model)
    if source["type"] == "content":
        return count_content(source["content"], model)
    if source["type"] == "base64":
        pages = len(re.findall(rb"/Type\s*/Page[^s]", _decoded(source["data"]) + b" "))
        return max(pages, 1) * PDF_PAGE
    return PDF_PAGE


def _count_tool_use(block: Mapping[str, Any], model: Model) -> int:
    return count_text(block["name"] + canonical(block["input"]), model)


def _count_result(block: Mapping[str, Any], model: Model) -> int:
    head = str(block.get("title", "")) + str(block.get("source", ""))
    return count_text(head, model) + count_content(block.get("content") or "", model)


def _count_json(block: Mapping[str, Any], model: Model) -> int:
    return count_text(canonical(unmarked(block)), model)


_COUNTERS: dict[str, Callable[[Mapping[str, Any], Model], int]] = {
    "thinking": _count_thinking, "image": _count_image, "document": _count_document, "tool_use": _count_tool_use,
    "tool_result": _count_result, "search_result": _count_result,
}  # fmt: skip


def count_content(content: str | Sequence[Mapping[str, Any]], model: Model) -> int:
    """Return the tokens of a text or of a list of blocks, which the API takes in the same places."""
    return (
        count_text(content, model) if isinstance(content, str) else sum(count_block(block, model) for block in content)
    )


def count_tool(tool: Mapping[str, Any], model: Model) -> int:
    """Return the tokens of a tool's definition; one that is deferred is not in the prompt."""
    return 0 if tool.get("defer_loading") else count_text(canonical(unmarked(tool)), model)


def count_image(source: Mapping[str, Any]) -> int:
    """Return the tokens of an image, by its size in pixels where that can be read."""
    size = _pixels(_decoded(source["data"])) if source["type"] == "base64" else None
    if size is None or 0 in size:
        return IMAGE_UNKNOWN
    scale = min(1.0, LONGEST_EDGE / max(size))
    return max(-(-int(size[0] * scale) * int(size[1] * scale) // PIXELS_PER_TOKEN), 1)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return b""


def _pixels(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF, or JPEG."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data.startswith(b"GIF8") and len(data) >= 10:
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    return _jpeg_pixels(data) if data.startswith(b"\xff\xd8") else None


def _jpeg_pixels(data: bytes) -> tuple[int, int] | None:
    """Return width and height from the first frame header (SOF) of a JPEG."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if 0xC0 <= data[at + 1] <= 0xCF and data[at + 1] not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
