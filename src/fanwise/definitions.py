"""Schemas with parts that are defined once: `$defs`, and `{"$ref": "#/$defs/Name"}` where they are used.

A type that says something (a docstring, descriptions of fields) is defined once where a schema has it in several
places, so that the model reads it once. What is used once stands in its place. Local definitions are the API's own form
(platform.claude.com, "Structured outputs", read 2026-11-23); what is said beside a `$ref` moves to what is around it,
since the SDK's `transform_schema` drops it there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from .canonical import dumps
from .jsonable import as_object

Schema = dict[str, Any]
DEFINITIONS = "$defs"
_REF, _SAID = "$ref", "description"


def reference(name: str) -> Schema:
    """Return what stands for a definition where it is used."""
    return {_REF: f"#/{DEFINITIONS}/{name}"}


def referred(schema: Mapping[str, Any]) -> str:
    """Return the name of the definition that stands here; empty where none does."""
    return str(schema.get(_REF, "")).removeprefix(f"#/{DEFINITIONS}/")


def joined(*notes: str | None, by: str = "\n") -> str:
    """Return texts in one, those left out that say nothing."""
    return by.join(note for note in notes if note)


def settled(schema: Mapping[str, Any]) -> Schema:
    """Return a schema of which only those parts stand apart that it has in several places and that say something."""
    definitions = as_object(schema.get(DEFINITIONS))
    body = _body(schema)
    uses = _uses(body, definitions)
    kept = {name for name, count in uses.items() if count > 1 and _says(definitions[name], definitions)}
    used: Schema = {}

    def put(node: Schema) -> Schema:
        name = referred(node)
        if name not in kept:
            return _in_place(node, definitions, put)
        if name not in used:
            used[name] = {}
            used[name] = _walked(definitions[name], put)
        return node

    whole = _without_notes_beside(_walked(body, put))
    definitions_left = {name: _without_notes_beside(part) for name, part in used.items()}
    return {**whole, DEFINITIONS: definitions_left} if definitions_left else whole


def expanded(schema: Mapping[str, Any]) -> Schema:
    """Return a schema in which every part stands in its place; it must not hold itself."""
    definitions = as_object(schema.get(DEFINITIONS))

    def put(node: Schema) -> Schema:
        return _in_place(node, definitions, put)

    return _walked(_body(schema), put)


def around(schemas: Mapping[str, Mapping[str, Any]], required: Sequence[str], said: str = "") -> Schema:
    """Return an object of which each field has a schema; what they define equally is defined once.

    Args:
        schemas: Those of the fields.
        required: Names of the fields that must be there.
        said: What the object's schema says.
    """
    definitions: Schema = {}
    properties: Schema = {}
    for field, schema in schemas.items():
        names = _names_for(as_object(schema.get(DEFINITIONS)), definitions)

        def renamed(node: Schema, names: Mapping[str, str] = names) -> Schema:
            return {**node, **reference(names[referred(node)])}

        for name, part in as_object(schema.get(DEFINITIONS)).items():
            definitions[names[name]] = _walked(part, renamed)
        properties[field] = _walked(_body(schema), renamed)
    whole = {"type": "object", **({_SAID: said} if said else {}), "properties": properties}
    whole |= {"required": list(required), "additionalProperties": False}
    return {**whole, DEFINITIONS: definitions} if definitions else whole


def _names_for(definitions: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of each definition among others, of which equal ones keep it."""
    names: dict[str, str] = {}
    for name, part in definitions.items():
        form = dumps(expanded({**part, DEFINITIONS: definitions}))
        number, free = 1, name
        while free in taken and dumps(expanded({**taken[free], DEFINITIONS: taken})) != form:
            number += 1
            free = f"{name}_{number}"
        names[name] = free
    return names


def _body(schema: Mapping[str, Any]) -> Schema:
    return {key: part for key, part in schema.items() if key != DEFINITIONS}


def _in_place(node: Schema, definitions: Mapping[str, Any], put: Callable[[Schema], Schema]) -> Schema:
    """Return a definition with what is said where it is used; `put` makes what stands for those inside of it."""
    part = _walked(definitions[referred(node)], put)
    said = joined(node.get(_SAID), part.get(_SAID))
    return {**part, _SAID: said} if said else part


def _walked(node: Any, put: Callable[[Schema], Schema]) -> Any:
    """Return a schema with something else in the place of each reference."""
    if isinstance(node, list):
        return [_walked(part, put) for part in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    record = cast("Schema", node)
    if isinstance(record.get(_REF), str):
        return put(record)
    return {key: part if key == "enum" else _walked(part, put) for key, part in record.items()}


def _uses(body: Schema, definitions: Mapping[str, Any]) -> Counter[str]:
    """Return how many places refer to each definition, each definition looked at once."""
    uses: Counter[str] = Counter()

    def count(node: Schema) -> Schema:
        uses[name := referred(node)] += 1
        if uses[name] == 1:
            _walked(definitions[name], count)
        return node

    _walked(body, count)
    return uses


def _says(node: Any, definitions: Mapping[str, Any]) -> bool:
    """Return whether a schema, or a part of it, has a description."""
    if isinstance(node, list):
        return any(_says(part, definitions) for part in cast("list[Any]", node))
    record = as_object(node)
    if _REF in record and _says(definitions[referred(record)], definitions):
        return True
    return isinstance(record.get(_SAID), str) or any(_says(part, definitions) for part in record.values())


def _without_notes_beside(node: Any) -> Any:
    """Return a schema in which nothing is said beside a reference, but in what is around it."""
    if isinstance(node, list):
        return [_without_notes_beside(part) for part in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    record = {key: _without_notes_beside(part) for key, part in cast("Schema", node).items()}
    notes: list[str] = []
    for name, part in as_object(record.get("properties")).items():
        if note := _note_beside(part):
            notes.append(f"{name}: {note}")
            record["properties"] = {**record["properties"], name: reference(referred(part))}
    if note := _note_beside(record.get("items")):
        notes.append(note)
        record["items"] = reference(referred(record["items"]))
    if isinstance(options := record.get("anyOf"), list):
        notes += [note for option in cast("list[Any]", options) if (note := _note_beside(option))]
        record["anyOf"] = [reference(referred(part)) if _note_beside(part) else part for part in record["anyOf"]]
    return {**record, _SAID: joined(record.get(_SAID), *notes)} if notes else record


def _note_beside(node: Any) -> str:
    record = as_object(node)
    return str(record.get(_SAID) or "") if isinstance(record.get(_REF), str) else ""
