"""A small value that fits a JSON schema: the same for the same schema, every time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.jsonable import as_list, as_object

from .patterns import is_quick

DEEPEST = 8
"""Levels after which optional parts are left out and lists are short: schemas may be recursive."""
MOST_PARTS = 5_000
"""Parts of a value after which nothing is added that need not be."""
ENDLESS = 50_000
"""Parts after which a schema that asks for still more is taken to have no value that ends."""
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


def value_of(schema: object) -> Any:
    """Return a value that fits a schema.

    Respected are `$ref`, `const`, `enum`, `anyOf`, `oneOf`, `allOf`, types, formats, bounds of
    numbers, lengths, `required` and numbers of items. What is no schema gives a text.

    Raises:
        ValueError: It asks for so many parts that it has no end.
        ArithmeticError: It has bounds that no number keeps.
    """
    root = as_object(schema)
    return _Maker(root).make(root, 0)


@dataclass
class _Maker:
    """Makes one value and counts its parts, so that no schema makes it grow without end."""

    root: Mapping[str, Any]
    parts: int = 0

    def make(self, schema: object, depth: int) -> Any:
        """Return a value of a schema that stands `depth` levels below the root."""
        fields = as_object(schema)
        self.count_part()
        if "$ref" in fields:
            return self.make(self.target(str(fields["$ref"])), depth + 1) if depth < 4 * DEEPEST else None
        if "const" in fields:
            return fields["const"]
        if as_list(fields.get("enum")):
            return fields["enum"][0]
        for name in ("anyOf", "oneOf"):
            if as_list(fields.get(name)):
                return self.make(self.with_option(fields, name, depth), depth + 1)
        if as_list(fields.get("allOf")):
            return self.make(self.merged(fields, depth), depth + 1)
        return self.typed(fields, depth)

    def count_part(self) -> None:
        """Count one more part of the value or of the schema.

        Raises:
            ValueError: There are too many.
        """
        self.parts += 1
        if self.parts > ENDLESS:
            raise ValueError(f"the schema asks for more than {ENDLESS:,} parts")

    def is_enough(self, depth: int) -> bool:
        """Return whether nothing is added any more that need not be."""
        return depth >= DEEPEST or self.parts >= MOST_PARTS

    def target(self, reference: str) -> Any:
        """Return the part of the root that a reference names, or None."""
        part: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            part = as_object(part).get(step.replace("~1", "/").replace("~0", "~")) if step else part
        return part

    def with_option(self, schema: Mapping[str, Any], name: str, depth: int) -> dict[str, Any]:
        """Return a schema with one of its options: the first, or null where enough was made."""
        options = as_list(schema[name])
        option = options[0]
        if self.is_enough(depth):
            option = next((part for part in options if as_object(part).get("type") == "null"), option)
        return {**{key: part for key, part in schema.items() if key != name}, **as_object(option)}

    def merged(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Return a schema with all parts of its `allOf`."""
        whole_schema = {key: part for key, part in schema.items() if key != "allOf"}
        for part in map(as_object, as_list(schema.get("allOf"))):
            self.count_part()
            target = as_object(self.target(str(part["$ref"]))) if "$ref" in part else part
            if as_list(target.get("allOf")) and depth < 4 * DEEPEST:
                target = self.merged(target, depth + 1)
            whole_schema = _joined(whole_schema, target)
        return whole_schema

    def typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        """Return a value of the type that a schema names or hints at."""
        kind = _kind(schema)
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            return self.array(schema, depth)
        if kind in ("integer", "number"):
            return _number(schema, is_whole=kind == "integer")
        return {"string": _text(schema), "boolean": True}.get(str(kind))

    def object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Return an object with what is required, and with the rest until there is enough."""
        properties, required = as_object(schema.get("properties")), as_list(schema.get("required"))
        fields = {
            name: self.make(part, depth + 1)
            for name, part in properties.items()
            if name in required or not self.is_enough(depth)
        }
        for name in required:
            if isinstance(name, str) and name not in fields:
                fields[name] = self.make(schema.get("additionalProperties"), depth + 1)
        return fields

    def array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        """Return a list as short as allowed, with an item in it until there is enough."""
        least, most = _count(schema, "minItems", 0), _count(schema, "maxItems", 1_000)
        length = min(max(least, 0 if self.is_enough(depth) else 1), most)
        first = as_list(schema.get("prefixItems"))[: max(length, least)]
        items: list[Any] = [self.make(part, depth + 1) for part in first]
        if schema.get("items") is not False:
            items += [self.make(schema.get("items"), depth + 1) for _ in range(length - len(items))]
        return items


def _joined(schema: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with a part of its `allOf`: properties and what is required add up, the rest is replaced."""
    joined = {**schema, **{key: field for key, field in part.items() if key != "allOf"}}
    properties = {**as_object(schema.get("properties")), **as_object(part.get("properties"))}
    if properties:
        joined["properties"] = properties
        joined["required"] = [*as_list(schema.get("required")), *as_list(part.get("required"))]
    return joined


def _kind(schema: Mapping[str, Any]) -> Any:
    """Return the type of a schema: the first that is not null, or what its other words hint at."""
    kind: Any = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in as_list(schema["type"]) if name != "null"), "null")
    if kind is None:
        kind = next((name for key, name in _HINTS if key in schema), "string")
    return kind


def _count(schema: Mapping[str, Any], name: str, default: int) -> int:
    """Return a length or a number of items, at most 1,000."""
    count = schema.get(name)
    return min(count, 1_000) if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else default


def _number(schema: Mapping[str, Any], *, is_whole: bool) -> int | float:
    """Return a number within the bounds of a schema."""
    low, high = _bounds(schema, tick=1 if is_whole else 1e-6)
    number: float = 1 if is_whole else 0.5
    if low is not None and number < low:
        number = math.ceil(low) if is_whole else low
    if high is not None and number > high:
        number = math.floor(high) if is_whole else high
    step = _bound(schema, "multipleOf")
    if step:
        number = math.ceil(number / step) * step
        number = math.floor(high / step) * step if high is not None and number > high else number
    return int(number) if is_whole else number


def _bounds(schema: Mapping[str, Any], *, tick: float) -> tuple[float | None, float | None]:
    """Return the least and the largest number of a schema; an exclusive bound is a tick further in."""
    above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
    lows = (_bound(schema, "minimum"), None if above is None else above + tick)
    highs = (_bound(schema, "maximum"), None if below is None else below - tick)
    return (
        max((low for low in lows if low is not None), default=None),
        min((high for high in highs if high is not None), default=None),
    )


def _bound(schema: Mapping[str, Any], name: str) -> float | None:
    bound = schema.get(name)
    return bound if isinstance(bound, int | float) and not isinstance(bound, bool) else None


def _text(schema: Mapping[str, Any]) -> str:
    text = _FORMATS.get(str(schema.get("format", "")), "")
    if not text:
        text = "1.00" if "decimal" in str(schema.get("description", "")).lower() else "text"
    if isinstance(schema.get("pattern"), str):
        text = _matching(schema["pattern"], text)
    least, most = _count(schema, "minLength", 0), _count(schema, "maxLength", 1_000)
    return (text + "x" * max(least - len(text), 0))[:most]


def _matching(pattern: str, otherwise: str) -> str:
    """Return the first of a few plain texts that fits; patterns are not solved, and none is tried that takes long."""
    try:
        fits = re.compile(pattern)
    except (re.error, OverflowError):
        return otherwise
    texts = (text for text in (otherwise, *_CANDIDATES) if is_quick(pattern, text))
    return next((text for text in texts if fits.search(text)), otherwise)
