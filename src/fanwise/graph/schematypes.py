"""Types out of JSON schemas that stand in agent files: the part of JSON schema that has one form in Python.

What is not understood is refused, since a rule that is dropped without a word is believed to hold.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic_core import PydanticUndefined

from . import types as ty

_PLAIN: Mapping[str, Any] = {
    "string": str, "integer": int, "number": float, "boolean": bool, "null": type(None),
}  # fmt: skip
_RULES = {
    "minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt", "minLength": "min_length",
    "maxLength": "max_length", "minItems": "min_length", "maxItems": "max_length", "pattern": "pattern",
}  # fmt: skip
"""Keywords with the arguments of `Field` that say the same."""
_RULES_OF = {
    "string": {"minLength", "maxLength", "pattern"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "array": {"minItems", "maxItems"},
}
_SAID = {"title", "description"}
_OF_OBJECT = {"type", "properties", "required", "additionalProperties"}
MOST_FIELDS = 200
"""Of one object."""


class SchemaMistakeError(Exception):
    """A part of a schema cannot be used; says where in it, and why."""

    def __init__(self, place: str, problem: str, hint: str = "") -> None:
        super().__init__(place, problem, hint)
        self.place, self.problem, self.hint = place, problem, hint


def type_of_schema(schema: Mapping[Any, Any], title: str, place: str = "") -> Any:
    """Return the type that a JSON schema describes: of an object a Pydantic model.

    Args:
        schema: The schema.
        title: Name of the model that it makes.
        place: Where in the whole schema it stands, such as `.items`.

    Raises:
        SchemaMistakeError: A part of it is no schema, or has no form here.
    """
    if not isinstance(cast("object", schema), Mapping):
        raise SchemaMistakeError(place, "is no schema", "write type: string")
    if "anyOf" in schema:
        return _union(schema, title, place)
    if "enum" in schema or "const" in schema:
        return _choice(schema, place)
    kinds = schema.get("type")
    if isinstance(kinds, list):
        parts = cast("list[Any]", kinds)
        options = [{"type": kind} if kind == "null" else {**schema, "type": kind} for kind in parts]
        return ty.union([type_of_schema(option, title, place) for option in options])
    match kinds:
        case "object":
            return _model(schema, title, place)
        case "array":
            return _array(schema, title, place)
        case kind if isinstance(kind, str) and kind in _PLAIN:
            _check_keys(schema, {"type"} | _RULES_OF.get(kind, set()), place)
            return _ruled(_PLAIN[kind], schema, place)
        case kind:
            words = ", ".join((*_PLAIN, "object", "array"))
            raise SchemaMistakeError(place, f"has type {str(kind)[:60]!r}", f"one of {words}")


def _union(schema: Mapping[Any, Any], title: str, place: str) -> Any:
    """Return the type of one of several forms."""
    _check_keys(schema, {"anyOf"}, place)
    options = enumerate(_list(schema["anyOf"], f"{place}.anyOf"), 1)
    parts = [type_of_schema(option, f"{title}{number}", f"{place}.anyOf[{number}]") for number, option in options]
    return ty.union(parts)


def _array(schema: Mapping[Any, Any], title: str, place: str) -> Any:
    """Return the type of a list."""
    _check_keys(schema, {"type", "items"} | _RULES_OF["array"], place)
    if "items" not in schema:
        raise SchemaMistakeError(place, "is an array without items", "write items: and their schema")
    return _ruled(list[type_of_schema(schema["items"], f"{title}Item", f"{place}.items")], schema, place)


def _check_keys(schema: Mapping[Any, Any], known: set[str], place: str) -> None:
    """Check that a schema says nothing that would be dropped.

    Raises:
        SchemaMistakeError: It does.
    """
    for key in schema:
        if key not in known | _SAID:
            text = f"has {str(key)[:60]!r}, which is not read in a file"
            raise SchemaMistakeError(place, text, "leave it out, or name a Pydantic model of types=")


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise SchemaMistakeError(place, "is no list of something", "write a list")
    return cast("list[Any]", value)


def _choice(schema: Mapping[Any, Any], place: str) -> Any:
    """Return the type of one of several values."""
    _check_keys(schema, {"type", "enum", "const"}, place)
    values = _list(schema["enum"], f"{place}.enum") if "enum" in schema else [schema["const"]]
    for value in values:
        if not isinstance(value, str | int | bool):
            raise SchemaMistakeError(f"{place}.enum", f"has {value!r}", "write texts or whole numbers")
    return Literal[tuple(values)]


def _ruled(tp: Any, schema: Mapping[Any, Any], place: str) -> Any:
    """Return a type with the bounds that its schema has."""
    rules = {_RULES[key]: schema[key] for key in schema if key in _RULES}
    if not rules:
        return tp
    for key, value in rules.items():
        wanted: Any = str if key == "pattern" else int if "length" in key else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise SchemaMistakeError(place, f"has a bound {value!r}", "write a number, for pattern a text")
    return Annotated[tp, Field(**rules)]


def _model(schema: Mapping[Any, Any], title: str, place: str) -> type[BaseModel]:
    """Return the model of an object."""
    _check_keys(schema, _OF_OBJECT, place)
    parts = schema.get("properties")
    if not isinstance(parts, Mapping) or not parts:
        raise SchemaMistakeError(place, "is an object without properties", "write properties: and a name: for each")
    properties = cast("Mapping[Any, Any]", parts)
    required = _required(schema, properties, place)
    fields: dict[Any, Any] = {name: _field(name, part, title, place) for name, part in properties.items()}
    optional: dict[Any, Any] = {name: (tp | None, _about(properties[name], None)) for name, tp in fields.items()}
    given: dict[str, Any] = {
        name: (tp, _about(properties[name])) if name in required else optional[name] for name, tp in fields.items()
    }
    said, own = schema.get("description"), schema.get("title")
    name = own if isinstance(own, str) and own.isidentifier() else title
    doc = said if isinstance(said, str) else None
    return create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=doc, **given)


def _required(schema: Mapping[Any, Any], properties: Mapping[Any, Any], place: str) -> list[Any]:
    """Return the names of the properties that must be there."""
    listed = schema.get("required", [])
    names: list[Any] = cast("list[Any]", listed) if isinstance(listed, list) else [None]
    if len(properties) > MOST_FIELDS or [name for name in names if name not in properties]:
        raise SchemaMistakeError(f"{place}.required", "does not name the properties", "write a list of their names")
    if schema.get("additionalProperties", False) is not False:
        raise SchemaMistakeError(place, "allows more properties", "an answer has those that are named")
    return names


def _field(name: Any, part: Any, title: str, place: str) -> Any:
    """Return the type of a property."""
    here = f"{place}.{str(name)[:60]}"
    if not _is_field_name(name):
        raise SchemaMistakeError(here, "is no name of a field", "write letters, digits and underscores")
    return type_of_schema(part, f"{title}{name.title().replace('_', '')}", here)


def _about(part: Mapping[Any, Any], default: Any = PydanticUndefined) -> Any:
    """Return what a model says of a property."""
    said = part.get("description")
    return Field(default=default, description=said if isinstance(said, str) else None)


def _is_field_name(name: Any) -> bool:
    is_name = isinstance(name, str) and name.isidentifier() and not name.startswith("_")
    return is_name and not keyword.iskeyword(name) and not hasattr(BaseModel, name)
