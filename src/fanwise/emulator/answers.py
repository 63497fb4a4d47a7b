"""What the emulator says when nobody scripts it: a valid value for the schema it finds."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fanwise.jsonable import as_object

Answer = Callable[[dict[str, Any]], "str | Awaitable[str | None] | None"]
"""Gives the text of a reply for a Messages body, or None for the built-in one."""

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com/",
}


def built_in(body: Mapping[str, Any]) -> str:
    """Return JSON that fits the request's schema, or a plain sentence where it has none."""
    schema = schema_of(body)
    return "This is a simulated answer." if schema is None else json.dumps(value(schema, schema))


def schema_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the schema in `output_config.format`, or in a line `schema: {...}` of the last text."""
    form = as_object(as_object(body.get("output_config")).get("format"))
    if form.get("schema") is not None:
        return as_object(form["schema"])
    content = body["messages"][-1]["content"]
    text = (
        content
        if isinstance(content, str)
        else next((block.get("text", "") for block in reversed(content) if block.get("type") == "text"), "")
    )
    for line in text.split("\n"):
        if line.startswith("schema: {"):
            try:
                return json.loads(line.removeprefix("schema: "))
            except ValueError:
                return None
    return None


def value(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Return a small value that fits a JSON schema."""
    if "$ref" in schema:
        target: Any = root
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[step]
        return value(target, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return value(schema["anyOf"][0], root)
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: value(inner, root) for name, inner in as_object(schema.get("properties")).items()}
    if kind == "array":
        return [value(schema.get("items") or {"type": "string"}, root)]
    if kind == "string":
        decimal = "decimal" in str(schema.get("description", ""))
        return "1.00" if decimal else _FORMATS.get(str(schema.get("format", "")), "text")
    return {"integer": 1, "number": 0.5, "boolean": True}.get(kind)
