"""A JSON schema in the form that the API can carry: its own keywords, and in words what it does not enforce.

The keywords and formats are those of page "Structured outputs" (read 2026-11-23) and of the SDK's `transform_schema`,
which changes nothing of what comes out here but the type beside an enum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanwise.canonical import dumps
from fanwise.definitions import Schema, joined, reference, referred
from fanwise.jsonable import as_list, as_object

from .generator import ABSENT, MEMBERS, NOTE

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_BOUNDS = {
    "exclusiveMinimum": "more than",
    "minimum": "at least",
    "exclusiveMaximum": "less than",
    "maximum": "at most",
    "minLength": "length at least",
    "minItems": "length at least",
    "maxLength": "length at most",
    "maxItems": "length at most",
    "max_digits": "digits at most",
    "decimal_places": "decimal places at most",
    "multipleOf": "a multiple of",
    "pattern": "matching",
}
_TYPES: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class NotCarriedError(Exception):
    """A part of an answer has no form that the API can carry."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path
        """Where in the answer it stands."""


def carried(whole: Mapping[str, Any], *, leaves_out: bool) -> Schema:
    """Return a schema, and what it defines, in the form that the API can carry.

    Args:
        whole: As `generated` makes it.
        leaves_out: Whether fields whose default is None may be missing in an answer.

    Raises:
        NotCarriedError: A part of it has none.
    """
    definitions: Schema = as_object(whole.get("$defs"))
    parts = {name: _Carrier(leaves_out, name).of({**part, "title": None}) for name, part in definitions.items()}
    return {**_Carrier(leaves_out, "").of(whole), "$defs": parts}


class _Carrier:
    """Brings one definition, or what is around all of them, into form."""

    def __init__(self, leaves_out: bool, name: str) -> None:
        self._leaves_out, self._name = leaves_out, name

    def of(self, node: Any, path: str = "") -> Schema:
        """Return a part of a schema in form.

        Args:
            node: The part.
            path: Where in the definition it stands.
        """
        record = as_object(node)
        form, said = self._form(record, path), _said(record)
        return {**form, "description": said} if said else form

    def _form(self, node: Schema, path: str) -> Schema:
        if isinstance(node.get("$ref"), str):
            return reference(referred(node))
        if options := as_list(node.get("anyOf")) or as_list(node.get("oneOf")):
            return {"anyOf": [self.of(option, path) for option in options]}
        if "enum" in node or "const" in node:
            return _choice(as_list(node.get("enum")) or [node.get("const")])
        match node.get("type"):
            case "object" if "properties" in node:
                return self._object(node, path)
            case "array" if "items" in node:
                return {"type": "array", "items": self.of(node["items"], path)}
            case "string" if node.get("format") in _FORMATS:
                return {"type": "string", "format": node["format"]}
            case "string" | "integer" | "number" | "boolean" | "null" as kind:
                return {"type": kind}
            case _:
                raise NotCarriedError(f"field {path!r} of {self._name}" if path else self._name or "the answer")

    def _object(self, node: Schema, path: str) -> Schema:
        properties: Schema = {}
        listed, required = as_list(node.get("required")), list[str]()
        for name, part in node["properties"].items():
            inner = _without_null(part) if self._leaves_out else None
            properties[name] = self.of(part if inner is None else inner, f"{path}.{name}" if path else name)
            if inner is None and name in listed:
                required.append(name)
        return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _without_null(node: Schema) -> Schema | None:
    """Return what a field is that may be None by default and else is of one type; None where it is no such field."""
    options = as_list(node.get("anyOf"))
    others = [option for option in options if as_object(option).get("type") != "null"]
    if ABSENT not in node or len(options) != 2 or len(others) != 1:
        return None
    return {**others[0], **{key: part for key, part in node.items() if key != "anyOf"}}


def absent(node: Any) -> int:
    """Return how many fields of a schema could be left out in place of a union, at all depths."""
    if isinstance(node, list):
        return sum(map(absent, as_list(node)))
    record = as_object(node)
    return (ABSENT in record and _without_null(record) is not None) + sum(map(absent, record.values()))


def _choice(values: list[Any]) -> Schema:
    choices = [value for at, value in enumerate(values) if not _is_among(value, values[:at])]
    kinds = {_TYPES.get(type(value)) for value in choices}
    kind = kinds.pop() if len(kinds) == 1 else None
    return ({"type": kind} if kind else {}) | {"enum": choices}


def _is_among(value: Any, values: list[Any]) -> bool:
    """Return whether a value is one of some, as members of an enum may be; 1 is not True."""
    return any(other == value and type(other) is type(value) for other in values)


def _said(node: Schema) -> str:
    """Return what a part of a schema says in words: its description, and what the API does not enforce."""
    notes = [str(node[NOTE])] if NOTE in node else []
    if (form := node.get("format")) and form not in _FORMATS:
        notes.append(f"format {form}")
    notes += [f"{words} {node[name]}" for name, words in _BOUNDS.items() if node.get(name) is not None]
    if examples := as_list(node.get("examples")):
        notes.append("for example " + ", ".join(map(dumps, examples)))
    title = "" if isinstance(node.get("enum"), list) or "properties" in node else node.get("title")
    said, more = joined(title, node.get("description"), by=": "), "; ".join(notes)
    by = "\n" if "\n" in said else " " if said.endswith((".", "!", "?")) else "; "
    return joined(joined(said, more, by=by), *as_list(node.get(MEMBERS)))
