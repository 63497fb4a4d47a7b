"""A request as a model reads it: its texts in their order, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fanwise.jsonable import as_list, as_object


def request_text(body: Mapping[str, Any]) -> str:
    """Return what a Messages body shows the model, in the order in which the API puts it; a blank line between blocks.

    Args:
        body: A request that fanwise made.
    """
    return "\n\n".join(f"=== {title} ===\n{text}" for title, text in _sections(body) if text)


def settings_line(body: Mapping[str, Any]) -> str:
    """Return what a Messages body asks for beside its texts, in a line."""
    effort = as_object(body.get("output_config")).get("effort") or "left out"
    thinking = as_object(body.get("thinking")).get("type") or "left out"
    return f"{body['model']}, max_tokens {body['max_tokens']:,}, effort {effort}, thinking {thinking}"


def _sections(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    form = as_object(as_object(body.get("output_config")).get("format"))
    yield "tools", "\n".join(map(_json, as_list(body.get("tools"))))
    yield "schema of the answer", _json(form["schema"]) if "schema" in form else ""
    yield "system", _texts(as_list(body.get("system")))
    for message in body["messages"]:
        yield message["role"], _texts(message["content"])


def _texts(blocks: list[Mapping[str, Any]]) -> str:
    return "\n\n".join(map(_text, blocks))


def _text(block: Mapping[str, Any]) -> str:
    """Return a block's text, or what stands for a file; what is no text is JSON."""
    if block["type"] == "text":
        return str(block["text"])
    source = as_object(block.get("source"))
    return f"({block['type']}, {source.get('media_type')})" if source else _json(block)


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)
