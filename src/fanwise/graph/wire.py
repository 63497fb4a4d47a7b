"""Answers there and back: a value as the text that a model would answer, and that text as a value.

An answer of text is that text, character by character. Any other is JSON: an object by itself, or the value where it
stands in an envelope beside those of other agents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from typing import Any, NamedTuple, cast, get_origin

from pydantic import ValidationError

from fanwise.canonical import canonical, dumps, in_order, plain
from fanwise.errors import OutputError
from fanwise.foreign import let_through, reason
from fanwise.jsonable import json_fault, loads

from . import types as ty
from .kinds import Kind, LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind
from .pertype import adapter, borrows_names, has_serializers, has_validators, kind


class ReadAnswer(NamedTuple):
    """What a model's answer means."""

    value: Any
    """Of the output type."""
    said: str | None = None
    """What it said, as canonical JSON keyed by field names; None where the value is certain to be written like it."""


def encode(tp: Any, value: object) -> str:
    """Return a value of the output type as the text that a model would answer, fields in the order of their type.

    Raises:
        OutputError: The answer is a text, and the value is none.
    """
    wire = _answerable(tp, value)
    if ty.is_text(tp):
        if not isinstance(wire, str):
            raise OutputError(f"the answer is a text, and this is none: {wire!r:.200}")
        return wire
    return in_order(wire if ty.is_record(tp) else {"value": wire})


def encode_field(tp: Any, value: object) -> str:
    """Return a value of the output type as the JSON text that stands for it in an envelope."""
    return in_order(_answerable(tp, value))


def _answerable(tp: Any, value: Any) -> Any:
    """Return a value in the form in which its type travels.

    Where functions of the user's write it otherwise, and those that read it take nothing else, it is as they write it.
    """
    wire = _to_wire(tp, value)
    if not has_serializers(tp) or _is_read_as(tp, wire, value):
        return wire
    try:
        written = _to_wire(tp, adapter(tp).dump_python(value, mode="json", by_alias=False, warnings=False))
    except BaseException as error:  # of a serializer, which is users' code
        let_through(error)
        return wire
    return written if _is_read_as(tp, written, value) else wire


def _is_read_as(tp: Any, wire: Any, value: Any) -> bool:
    """Return whether an answer of this form means a value."""
    try:
        return canonical(_read(tp, json.loads(dumps(wire))).value) == canonical(value)
    except BaseException as error:  # of a validator, which is users' code
        let_through(error)
        return False


def _to_wire(tp: Any, value: Any) -> Any:
    """Return a value in the form in which its type travels."""
    if value is None:
        return None
    match kind(tp):
        case LeafKind():
            return plain(value)
        case RecordKind(fields):
            return _record_to_wire(fields, value)
        case ListKind(inner):
            items = [_to_wire(inner, item) for item in value]
            return sorted(items, key=dumps) if isinstance(value, Set) else items
        case UnionKind(members):
            member = next((member for member in members if _is_instance(value, member)), None)
            return plain(value) if member is None else _to_wire(member, value)
        case MapKind(key_type, value_type):
            return _map_to_wire(key_type, value_type, value)
        case TupleKind(items):
            pairs = enumerate(zip(items, value, strict=True))
            return {f"item_{index}": _to_wire(inner, part) for index, (inner, part) in pairs}


def _record_to_wire(fields: Mapping[str, Any], record: Any) -> dict[str, Any]:
    shown = {name: inner for name, inner in fields.items() if not ty.is_hidden(inner)}
    if isinstance(record, Mapping):
        values = cast("Mapping[str, Any]", record)
        return {name: _to_wire(inner, values[name]) for name, inner in shown.items() if name in values}
    return {name: _to_wire(inner, getattr(record, name)) for name, inner in shown.items()}


def _map_to_wire(key_type: Any, value_type: Any, values: Mapping[Any, Any]) -> list[dict[str, Any]]:
    pairs = [{"key": _to_wire(key_type, key), "value": _to_wire(value_type, value)} for key, value in values.items()]
    return sorted(pairs, key=canonical)  # an order that does not depend on that of the mapping


def _is_instance(value: object, member: Any) -> bool:
    """Return whether a value is one of a member of a union, as far as its class tells."""
    base = get_origin(member) or member
    return not isinstance(base, type) or isinstance(value, base)


def decode(tp: Any, text: str) -> Any:
    """Return the value that a model's answer means.

    Raises:
        OutputError: As `read_answer` does.
    """
    return read_answer(tp, text).value


def read_answer(tp: Any, text: str) -> ReadAnswer:
    """Return what a model's answer means, and what it said.

    A text is taken as it is. Around JSON a fence of three back-ticks is taken off; nothing else is repaired.

    Raises:
        OutputError: The text is empty, is no JSON, or does not fit the type; says where.
    """
    return _read(tp, text) if ty.is_text(tp) else read_object(tp, text)


def read_object(tp: Any, text: str) -> ReadAnswer:
    """Return what an answer means that is an object by itself, also of a text: the one around its value.

    Raises:
        OutputError: The text is no such JSON, or does not fit the type; says where.
    """
    data = _json(text)
    if ty.is_record(tp):
        return _read(tp, data)
    if not isinstance(data, dict) or set(cast("dict[str, Any]", data)) != {"value"}:
        raise OutputError('the answer is not of the form {"value": ...}')
    return _read(tp, cast("dict[str, Any]", data)["value"])


def read_field(tp: Any, text: str) -> ReadAnswer:
    """Return what the JSON means that stands for an answer in an envelope.

    Raises:
        OutputError: It does not fit the type; says where.
    """
    return _read(tp, _json(text))


def read_value(tp: Any, data: Any) -> ReadAnswer:
    """Return what a value means that stands in an answer, as JSON has it.

    Raises:
        OutputError: It does not fit the type; says where.
    """
    return _read(tp, data)


def _json(text: str) -> Any:
    """Return what JSON holds that a model has written.

    Raises:
        OutputError: It is none.
    """
    try:
        return loads(without_fence(text))
    except (ValueError, RecursionError) as error:
        raise OutputError(json_fault(error, "the answer is not JSON")) from None


def _read(tp: Any, data: Any) -> ReadAnswer:
    """Return what the value in an answer means, as JSON has it.

    Raises:
        OutputError: It does not fit the type; says where.
    """
    if isinstance(data, str) and ty.is_text(tp):
        if not data or data.isspace():
            raise OutputError("the answer is empty" if not data else "the answer is nothing but white space")
        if tp is str and data.isascii():
            return ReadAnswer(data)  # by far the most; what is not ASCII may hold half a surrogate pair
    read = _from_wire(tp, data)
    value = load(tp, read)
    try:
        canonical(value)
    except BaseException as error:  # of a serializer, a value that holds itself, or the number that "nan" is
        let_through(error)
        raise OutputError(reason(error)) from None
    return ReadAnswer(value, canonical(read) if has_validators(tp) else None)


def without_fence(text: str) -> str:
    """Return a text without the three back-ticks that may be around its JSON."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```") and len(body) > 6:
        return body[3:-3].removeprefix("json").strip()
    return body


def _from_wire(tp: Any, data: Any) -> Any:
    """Return JSON data in the form that Pydantic reads; what does not have the form of its type stays as it is."""
    if data is None or isinstance(data, str | int | float):  # what travels in another form is an object or a list
        return data
    form = kind(tp)
    if isinstance(form, UnionKind):
        return _first_fitting(form.members, data)
    if isinstance(data, dict):
        return _from_object(form, cast("dict[str, Any]", data))
    return _from_list(form, cast("list[Any]", data))


def _from_object(form: Kind, record: dict[str, Any]) -> Any:
    match form:
        case RecordKind(fields):
            return {name: _from_wire(fields[name], part) if name in fields else part for name, part in record.items()}
        case TupleKind(items):
            return [_from_wire(inner, record.get(f"item_{index}")) for index, inner in enumerate(items)]
        case _:
            return record


def _from_list(form: Kind, parts: list[Any]) -> Any:
    match form:
        case ListKind(inner):
            return [_from_wire(inner, part) for part in parts]
        case TupleKind(items) if len(items) == len(parts):
            return [_from_wire(inner, part) for inner, part in zip(items, parts, strict=True)]
        case MapKind(key_type, value_type) if all(map(_is_pair, parts)):
            return {
                _hashable(_from_wire(key_type, pair["key"])): _from_wire(value_type, pair["value"]) for pair in parts
            }
        case _:
            return parts


def _is_pair(part: object) -> bool:
    return isinstance(part, dict) and set(cast("dict[str, Any]", part)) == {"key", "value"}


def _hashable(value: Any) -> Any:
    return dumps(cast("object", value)) if isinstance(value, dict | list) else value


def _first_fitting(members: tuple[Any, ...], data: Any) -> Any:
    """Return an object or a list in the form of the first member of a union that it fits; as it is where none does."""
    forms = [(member, _from_wire(member, data)) for member in members if not ty.is_none(member)]
    if all(form == data for _, form in forms):
        return data  # whichever it is: its validators are called where it is read
    for member, form in forms:
        try:
            adapter(member).validate_python(form, by_name=True, by_alias=not borrows_names(member))
        except ValidationError:
            continue
        except BaseException as error:  # of a validator: it does not fit
            let_through(error)
            continue
        return form
    return data


def _text(data: Any) -> str:
    """Return data as JSON text, its keys in order where they have one: those of a map may be texts beside numbers.

    Raises:
        ValueError: It holds what JSON does not.
    """
    try:
        return dumps(data)
    except TypeError:
        return json.dumps(data, ensure_ascii=False, allow_nan=False)


def load(tp: Any, data: Any) -> Any:
    """Return JSON-ready data, keyed by field names, as a value of the type.

    Raises:
        OutputError: The data does not fit the type; every place is named.
    """
    if tp is ty.Unknown:
        return data
    try:
        text = _text(data)
    except ValueError as error:  # NaN, or a number beyond all floats
        raise OutputError(f"the answer holds what JSON does not: {error}") from None
    try:
        return adapter(tp).validate_json(text, by_name=True, by_alias=not borrows_names(tp))
    except ValidationError as error:
        raise OutputError(misfit(error)) from None
    except BaseException as error:  # of a validator, which is users' code
        let_through(error)
        raise OutputError(reason(error)) from None


def misfit(error: ValidationError) -> str:
    """Return in words why a value is none of its type: the first places where it is not."""
    problems = error.errors()[:5]
    return "; ".join(f"{'.'.join(map(str, problem['loc'])) or 'the value'}: {problem['msg']}" for problem in problems)
