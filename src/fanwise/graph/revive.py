"""Values back from what was accepted: no function of the user's is called that may change them once more.

What was accepted has been through the validators of its type. Those need not be idempotent: percent that
became a share would become a hundredth of it. So fields are set as they are, by the shape of the type.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, cast, get_origin

from pydantic import BaseModel, ValidationError
from typing_extensions import is_typeddict

from fanwise.canonical import canonical
from fanwise.errors import OutputError
from fanwise.foreign import let_through, reason

from . import types as ty
from .kinds import Kind, LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind
from .pertype import adapter, has_validators, hides_required, kind
from .wire import load

_COLLECTIONS: Mapping[Any, Callable[[list[Any]], Any]] = {set: set, frozenset: frozenset, tuple: tuple}


def revive(tp: Any, accepted: Any) -> Any:
    """Return JSON-ready data of a value that was accepted before, keyed by field names, as a value of its type.

    What a model was shown is without excluded fields: these have their default, or are not set where they have none.

    Raises:
        OutputError: It is none of the type.
    """
    if not has_validators(tp) and not hides_required(tp):
        return load(tp, accepted)
    try:
        return _revived(tp, accepted)
    except OutputError:
        raise
    except BaseException as error:  # of a `__hash__`, a default's factory: users' code
        let_through(error)
        raise OutputError(reason(error)) from None


def accepted(tp: Any, value: Any) -> Any:
    """Return what users' code has made as a value of its type, validated where it is not: once.

    Raises:
        OutputError: It is none of the type.
    """
    if not has_validators(tp):
        return value  # what is read of it in JSON is validated in any case
    try:
        return adapter(tp).validate_python(value, by_name=True, by_alias=True)
    except ValidationError:
        pass  # such as a number where a text is asked for, which JSON has
    except BaseException as error:  # of a validator, which is users' code
        let_through(error)
        raise OutputError(reason(error)) from None
    return load(tp, json.loads(canonical(value)))


def _revived(tp: Any, accepted: Any) -> Any:
    if accepted is None:
        return None
    match kind(tp):
        case UnionKind(members):
            return _of_member(members, accepted)
        case RecordKind(fields) if isinstance(accepted, dict):
            return _record(ty.strip(tp), fields, cast("dict[str, Any]", accepted))
        case other:
            return _parts(ty.strip(tp), other, accepted)


def _record(tp: Any, fields: Mapping[str, Any], accepted: dict[str, Any]) -> Any:
    values = {name: _revived(fields[name], part) if name in fields else part for name, part in accepted.items()}
    if is_typeddict(tp):
        return values
    required = _required(tp)
    missing = [name for name in required if name not in values]
    if missing:
        raise OutputError("; ".join(f"{name}: Field required" for name in missing[:5]))
    if not issubclass(get_origin(tp) or tp, BaseModel):
        return _dataclass(tp, values)
    model = cast("type[BaseModel]", tp).model_construct(**values)
    own = {name: part for name, part in values.items() if name in fields}
    vars(model).update(own)  # `model_post_init` was called, which may have changed them again
    return model


def _required(tp: Any) -> list[str]:
    if issubclass(tp, BaseModel):
        return [name for name, field in tp.model_fields.items() if field.is_required() and not field.exclude]
    return [field.name for field in dataclasses.fields(tp) if not _has_default(field)]


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _dataclass(tp: Any, values: Mapping[str, Any]) -> Any:
    """Return a dataclass with these fields; its `__post_init__` has seen them already."""
    record: Any = object.__new__(tp)
    for field in dataclasses.fields(tp):
        if field.name in values:
            value = values[field.name]
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        else:
            value = field.default
        object.__setattr__(record, field.name, value)
    return record


def _parts(tp: Any, form: Kind, accepted: Any) -> Any:
    match form, accepted:
        case ListKind(inner), list():
            parts = [_revived(inner, part) for part in cast("list[Any]", accepted)]
            return _COLLECTIONS.get(get_origin(tp), list)(parts)
        case TupleKind(items), list() if len(cast("list[Any]", accepted)) == len(items):
            pairs = zip(items, cast("list[Any]", accepted), strict=True)
            return tuple([_revived(inner, part) for inner, part in pairs])
        case MapKind(key_type, value_type), dict():
            record = cast("dict[str, Any]", accepted)
            return {_leaf(key_type, key): _revived(value_type, part) for key, part in record.items()}
        case _:
            return _leaf(tp, accepted)


def _leaf(tp: Any, accepted: Any) -> Any:
    """Return a value without parts; as it is where a validator has made something else of it than its type says."""
    try:
        return load(ty.strip(tp), accepted)
    except OutputError:
        return accepted


def _of_member(members: tuple[Any, ...], accepted: Any) -> Any:
    """Return a value of the first member of a union that is written in the very same way."""
    text = canonical(accepted)
    for member in members:
        try:
            is_leaf = isinstance(kind(member), LeafKind)
            value = load(ty.strip(member), accepted) if is_leaf else _revived(member, accepted)
            if canonical(value) == text:
                return value
        except (OutputError, TypeError):
            continue
    return accepted
