"""A small value that fits a JSON schema: the same for the same schema, every time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.jsonable import as_list, as_object

DEEPEST = 8
"""Levels after which optional parts are left out and lists are short: schemas may be recursive."""
MOST_PARTS = 5_000
"""Parts of a value after which nothing is added that need not be."""
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
}
_HINTS = (("properties", "object"), ("required", "object"), ("items", "array"), ("minimum", "number"))
_CANDIDATES = ("a", "A", "1", "1.00", "a1", "A1", "abc", "ABC", "2026-01-01", "1.0", "0", "-", "+1", "a@example.com")


def value(schema: object) -> Any:
    """Return a value that fits a schema.

    Respected are `$ref`, `const`, `enum`, `anyOf`, `oneOf`, `allOf`, types, formats, bounds of
    numbers, lengths, `required` and numbers of items. What is no schema gives a text.
    """
    root = as_object(schema)
    return _Maker(root).make(root, 0)


@dataclass
class _Maker:
    """Makes one value; remembers how much was made, so that no schema makes it grow without end."""

    root: Mapping[str, Any]
    parts: int = 0

    def make(self, schema: object, depth: int) -> Any:
        mine = as_object(schema)
        self.parts += 1
        if "$ref" in mine:
            return self.make(self.target(str(mine["$ref"])), depth + 1) if depth < 4 * DEEPEST else None
        if "const" in mine:
            return mine["const"]
        if as_list(mine.get("enum")):
            return mine["enum"][0]
        for name in ("anyOf", "oneOf"):
            options = as_list(mine.get(name))
            if options:
                rest = {key: part for key, part in mine.items() if key != name}
                null = next((one for one in options if as_object(one).get("type") == "null"), options[0])
                return self.make({**rest, **as_object(null if self.enough(depth) else options[0])}, depth + 1)
        if as_list(mine.get("allOf")):
            return self.make(self.merged(mine, depth), depth + 1)
        return self.typed(mine, depth)

    def enough(self, depth: int) -> bool:
        return depth >= DEEPEST or self.parts >= MOST_PARTS

    def target(self, reference: str) -> Any:
        found: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = as_object(found).get(step.replace("~1", "/").replace("~0", "~")) if step else found
        return found

    def merged(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        whole = {key: part for key, part in schema.items() if key != "allOf"}
        for part in map(as_object, as_list(schema.get("allOf"))):
            one = as_object(self.target(str(part["$ref"]))) if "$ref" in part else part
            if as_list(one.get("allOf")) and depth < 4 * DEEPEST:
                one = self.merged(one, depth + 1)
            properties = {**as_object(whole.get("properties")), **as_object(one.get("properties"))}
            required = [*as_list(whole.get("required")), *as_list(one.get("required"))]
            whole |= {key: inner for key, inner in one.items() if key != "allOf"}
            if properties:
                whole |= {"properties": properties, "required": required}
        return whole

    def typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind: Any = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in as_list(schema["type"]) if one != "null"), "null")
        if kind is None:
            kind = next((name for key, name in _HINTS if key in schema), "string")
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            return self.array(schema, depth)
        if kind in ("integer", "number"):
            return _number(schema, whole=kind == "integer")
        return {"string": _text(schema), "boolean": True}.get(str(kind))

    def object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties, required = as_object(schema.get("properties")), as_list(schema.get("required"))
        made = {
            name: self.make(part, depth + 1)
            for name, part in properties.items()
            if name in required or not self.enough(depth)
        }
        for name in required:
            if isinstance(name, str) and name not in made:
                made[name] = self.make(schema.get("additionalProperties"), depth + 1)
        return made

    def array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        least, most = _count(schema, "minItems", 0), _count(schema, "maxItems", 1_000)
        wanted = min(max(least, 0 if self.enough(depth) else 1), most)
        first = as_list(schema.get("prefixItems"))[: max(wanted, least)]
        made: list[Any] = [self.make(one, depth + 1) for one in first]
        if schema.get("items") is not False:
            made += [self.make(schema.get("items"), depth + 1) for _ in range(wanted - len(made))]
        return made


def _count(schema: Mapping[str, Any], name: str, default: int) -> int:
    given = schema.get(name)
    return min(given, 1_000) if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else default


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    def bound(name: str) -> float | None:
        given = schema.get(name)
        return given if isinstance(given, int | float) and not isinstance(given, bool) else None

    tick = 1 if whole else 1e-6
    above, below, step = bound("exclusiveMinimum"), bound("exclusiveMaximum"), bound("multipleOf")
    lows = [one for one in (bound("minimum"), None if above is None else above + tick) if one is not None]
    highs = [one for one in (bound("maximum"), None if below is None else below - tick) if one is not None]
    made: float = 1 if whole else 0.5
    if lows and made < max(lows):
        made = math.ceil(max(lows)) if whole else max(lows)
    if highs and made > min(highs):
        made = math.floor(min(highs)) if whole else min(highs)
    if step:
        made = math.ceil(made / step) * step
        made = math.floor(min(highs) / step) * step if highs and made > min(highs) else made
    return int(made) if whole else made


def _text(schema: Mapping[str, Any]) -> str:
    made = _FORMATS.get(str(schema.get("format", "")), "")
    if not made:
        made = "1.00" if "decimal" in str(schema.get("description", "")).lower() else "text"
    if isinstance(schema.get("pattern"), str):
        made = _matching(schema["pattern"], made)
    least, most = _count(schema, "minLength", 0), _count(schema, "maxLength", 1_000)
    return (made + "x" * max(least - len(made), 0))[:most]


def _matching(pattern: str, otherwise: str) -> str:
    """Return the first of a few plain texts that fits; patterns are not solved."""
    try:
        fits = re.compile(pattern)
    except (re.error, OverflowError):
        return otherwise
    return next((one for one in (otherwise, *_CANDIDATES) if fits.search(one)), otherwise)
