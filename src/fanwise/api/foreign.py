"""What a server says is foreign: any shape may come behind any status. It is checked once, here.

A gateway may answer with a page of HTML, with an error behind status 200, with half of an emoji, or with counts that
are no numbers. What cannot be used is said in words, and costs its request alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanwise.canonical import dumps
from fanwise.jsonable import as_list, as_object, loads, without_halves

_TEXT_OR_NONE = (str, type(None))
"""Made once: as `str | None` it would be made for every reply."""
MOST_CHARS = 2_000
"""Characters that are kept of what a server says for people: it may be a whole page."""


def read_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: It is not JSON, or is nested too deeply to be read.
    """
    try:
        return loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def words(value: object, otherwise: str = "") -> str:
    """Return a text of a server such that it can be kept and shown: no half of a character, cut at a length.

    Args:
        value: The text; what is none stands for nothing.
        otherwise: Returned in place of nothing.
    """
    text = value if isinstance(value, str) else ""
    if len(text) <= MOST_CHARS and text.isascii():  # by far the most
        return text or otherwise
    if len(text) > MOST_CHARS:
        text = f"{text[:MOST_CHARS]}... ({len(text):,} characters)"
    return without_halves(text) or otherwise


def error_of(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the error that stands where a message should; None where none does."""
    if message.get("type") == "error" or ("error" in message and "content" not in message):
        return as_object(message.get("error"))
    return None


def oddity(message: Mapping[str, Any], text: str) -> str:
    """Return why a message cannot be used, in words; an empty text where it can.

    Args:
        message: The message, whose content was found to be a list of blocks.
        text: What its text blocks say together.
    """
    stop_reason = message.get("stop_reason")
    if not isinstance(stop_reason, _TEXT_OR_NONE):
        return "its stop_reason is no text"
    if not text.isascii() and _is_halved(text):
        return "its text holds half of a character"
    return _odd_tools(as_list(message.get("content"))) if stop_reason == "tool_use" else ""


def odd_content(content: Any) -> str:
    """Return why the content of a message is no list of blocks; an empty text where it is."""
    blocks: list[dict[str, Any] | None] | None = content  # it may be anything
    if not isinstance(blocks, list):
        return "its content is no list of blocks"
    for block in blocks:
        if not isinstance(block, dict) or not isinstance(kind := block.get("type"), str):
            return "a block of its content is no object with a type"
        if kind == "text" and not isinstance(block.get("text"), _TEXT_OR_NONE):
            return "the text of a block is no text"
    return ""


def _odd_tools(content: list[Any]) -> str:
    """Return why a message that asks for tools cannot be gone on with."""
    uses = [block for block in content if block["type"] == "tool_use"]
    if not uses:
        return "it asks for tools and names none"
    for use in uses:
        names = use.get("id"), use.get("name")
        if not all(isinstance(name, str) and name for name in names) or not isinstance(use.get("input"), dict):
            return "it asks for a tool without an id, a name or an input"
    if len({use["id"] for use in uses}) < len(uses):
        return "two calls of tools have one id"
    try:  # it is sent back as it is
        return "what it gives a tool holds half of a character" if _is_halved(dumps(content)) else ""
    except (ValueError, RecursionError):
        return "what it gives a tool cannot be sent back as JSON"


def _is_halved(text: str) -> bool:
    """Return whether a text holds half of a surrogate pair, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
