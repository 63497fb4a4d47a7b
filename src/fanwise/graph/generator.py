"""Pydantic's JSON schema of an answer, with what an answer has beside it: pairs for dicts, texts of members, notes.

What is found here beside JSON schema has a name with `x-`, and is put into words by `carried`.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Mapping, Set
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from fanwise.definitions import joined
from fanwise.jsonable import as_object

from . import types as ty
from .membertexts import member_texts

ABSENT, NOTE, MEMBERS = "x-absent", "x-note", "x-members"
"""Mark a field whose default is None; say what form a text has, and what members of an enum mean."""


_BOUNDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "min_length": "minLength",
    "max_length": "maxLength",
}
_ALSO = {"minLength": "minItems", "maxLength": "maxItems"}
"""Marks by which a type is bounded, and the keywords that say so."""


def generated(tp: Any) -> dict[str, Any]:
    """Return Pydantic's JSON schema of a type, under the names of fields; each of its types is a definition.

    Raises:
        PydanticUserError: Pydantic makes none of it.
    """
    items: Any = list[tp]  # within a list the type itself is a definition, too
    whole = TypeAdapter(items).json_schema(by_alias=False, schema_generator=_Generator)
    return {**_with_marks(whole["items"], tp), "$defs": whole.get("$defs", {})}


def _text_of(tp: Any) -> str:
    """Return what an annotation says by a plain text or a `Doc`; empty where Pydantic finds a description itself."""
    marks = ty.marks(tp)
    if any(isinstance(mark, FieldInfo) and mark.description for mark in marks):
        return ""
    return next((text for mark in marks if isinstance(text := getattr(mark, "documentation", mark), str)), "")


class _Generator(GenerateJsonSchema):
    """Makes the schema of an answer."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return {**inner, ABSENT: True} if schema.get("default", ...) is None else inner

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        return self._pairs(schema)

    def ordered_dict_schema(self, schema: Any) -> JsonSchemaValue:
        return self._pairs(schema)

    def frozendict_schema(self, schema: Any) -> JsonSchemaValue:
        return self._pairs(schema)

    def _pairs(self, schema: Mapping[str, Any]) -> JsonSchemaValue:
        pair = {name: self.generate_inner(schema.get(f"{name}s_schema", {"type": "any"})) for name in ("key", "value")}
        pairs: JsonSchemaValue = {"type": "array", "items": _object(pair)}
        self.update_with_validations(pairs, cast("Any", schema), self.ValidationsMapping.array)
        return pairs

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        if "variadic_item_index" in schema:
            return super().tuple_schema(schema)
        parts = enumerate(map(self.generate_inner, schema["items_schema"]))
        return _object({f"item_{index}": part for index, part in parts})

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        digits = {"max_digits": schema.get("max_digits"), "decimal_places": schema.get("decimal_places")}
        text: JsonSchemaValue = {"type": "string", NOTE: "a decimal number as text", **digits}
        self.update_with_validations(text, cast("Any", schema), self.ValidationsMapping.numeric)
        return text

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        return {**super().date_schema(schema), NOTE: "ISO 8601"}

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return {**super().time_schema(schema), NOTE: "ISO 8601"}

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return {**super().datetime_schema(schema), NOTE: "ISO 8601"}

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {**super().timedelta_schema(schema), NOTE: "ISO 8601"}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        whole, kind = super().enum_schema(schema), cast("type[enum.Enum]", schema["cls"])
        return {**whole, MEMBERS: [f"{kind[name].value}: {text}" for name, text in member_texts(kind).items()]}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        whole, kind = super().model_schema(schema), cast("type[BaseModel]", schema["cls"])
        generic = kind.__pydantic_generic_metadata__["origin"]  # Page[int] has no docstring of its own: it is Page's
        if generic is not None and generic.__doc__:
            whole.setdefault("description", inspect.cleandoc(generic.__doc__))
        if title := kind.model_config.get("title"):
            whole["description"] = joined(title, whole.get("description"), by=": ")
        return _with_texts(whole, kind)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return _with_texts(super().dataclass_schema(schema), schema["cls"])

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return _with_texts(super().typed_dict_schema(schema), schema.get("cls"))

    def field_is_required(self, field: Any, total: bool) -> bool:
        return field["type"] != "typed-dict-field" or super().field_is_required(field, total)


def _object(properties: dict[str, Any]) -> JsonSchemaValue:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _with_texts(whole: JsonSchemaValue, record: Any) -> JsonSchemaValue:
    """Return the schema of a record with what annotations of its fields say by a plain text or a `Doc`."""
    properties: dict[str, Any] = whole.get("properties", {})
    for name, tp in (ty.fields(record) or {}).items():
        if name in properties:
            properties[name] = _with_marks(properties[name], tp)
    return whole


def _with_marks(node: dict[str, Any], tp: Any) -> dict[str, Any]:
    """Return the schema of a type with what its annotation says that Pydantic's schema leaves out.

    That is a text, and a bound that is checked behind a validator, or of a date.
    """
    parts = [part for mark in ty.marks(tp) for part in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
    bounds: dict[str, Any] = {}
    for name, keyword in _BOUNDS.items():
        bound = next((value for part in parts if (value := getattr(part, name, None)) is not None), None)
        if bound is not None and not _has(node, {keyword, _ALSO.get(keyword, "")}):
            bounds[keyword] = str(bound)
    said = {} if "description" in node or not (text := _text_of(tp)) else {"description": text}
    return {**node, **bounds, **said}


def _has(node: Any, keywords: Set[str]) -> bool:
    """Return whether a schema says one of some keywords, at any depth."""
    if isinstance(node, list):
        return any(_has(part, keywords) for part in cast("list[Any]", node))
    record = as_object(node)
    return not keywords.isdisjoint(record) or any(_has(part, keywords) for part in record.values())
