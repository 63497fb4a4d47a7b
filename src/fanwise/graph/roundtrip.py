"""Types whose values do not come back from JSON as they went there: a step's value is kept so, and a row comes so.

What can be tried is tried, with the values that a type names itself: the members of an enum, those of a Literal.
"""

from __future__ import annotations

import enum
import json
from collections import abc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin

from pydantic import PydanticUserError, RootModel

from fanwise.canonical import canonical, plain
from fanwise.errors import FanwiseError, Mistake
from fanwise.foreign import let_through

from . import types as ty
from .kinds import LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of
from .leaves import is_encoded, is_imported, is_secret
from .pertype import adapter
from .revive import revive
from .samples import sample

KEYS_HINT = "use keys of one type, text or numbers, or a list of records with key and value"
UNION_HINT = "use one of them, or a record with a field that says which"
_ONCE = (abc.Iterable, abc.Generator)
"""Types of which Pydantic makes what can be read once."""


class Loss(NamedTuple):
    """What does not come back."""

    message: str
    """It is of the type, or of a part of it."""
    hint: str


def roundtrip_mistakes(what: str, tp: Any, place: str, *, is_written: bool) -> list[Mistake]:
    """Return a mistake for each part of a type whose values do not come back from JSON as they were.

    Args:
        what: What has the type, in words: `step 'x' returns`.
        tp: The type.
        place: Of the function.
        is_written: Whether its values are written here; else they come as JSON, and are read alone.
    """
    try:
        adapter(tp)
    except (PydanticUserError, NameError, TypeError):  # it is refused elsewhere, or names what is defined further down
        return []
    losses = dict.fromkeys(_losses(tp, "it", (), is_written=is_written))
    return [Mistake(place, f"{what} {ty.name(tp)}: {loss.message}", loss.hint) for loss in losses]


def key_loss(tp: Any) -> str:
    """Return why values of a type do not come back as keys of a JSON object; empty where they do."""
    if ty.unclear(tp):
        return ""
    if len(ty.members(tp)) > 1:
        return "JSON has texts alone for keys, and does not tell of which type one was"
    is_tuple = isinstance(tp, type) and issubclass(tp, tuple)
    mapping: Any = dict[tp, int]
    if isinstance(kind_of(tp), LeafKind) and not is_tuple and all(_comes_back(mapping, {k: 0}) for k in _values(tp)):
        return ""
    return "they do not come back from the texts that JSON has for keys"


def _losses(tp: Any, path: str, chain: tuple[Any, ...], *, is_written: bool) -> Iterator[Loss]:
    """Yield what does not come back of a type and of its parts.

    Args:
        tp: The type.
        path: Where it stands, for messages.
        chain: Records around it.
        is_written: Whether its values are written here.
    """
    if is_written and (loss := _never_written(tp, path)):
        yield loss
        return
    tp = ty.strip(tp)
    if ty.unclear(tp) or tp in chain:
        return
    match kind_of(tp):
        case UnionKind(members=parts):
            if is_written and (member := _mistaken(tp, parts)) is not None:
                told = f"{_named(path, tp)} is kept as JSON, which does not tell a value of {ty.name(member)}"
                yield Loss(f"{told} from one of another of these types", UNION_HINT)
            inner = [(part, path) for part in parts]
        case RecordKind(fields=fields):
            inner = [(part, f"field {name!r}" if path == "it" else f"{path}.{name}") for name, part in fields.items()]
        case MapKind(key=key, value=value):
            if why := key_loss(key):
                yield Loss(f"{path} has keys of the type {ty.name(key)}: {why}", KEYS_HINT)
            inner = [(value, path)]
        case TupleKind(items=parts):
            inner = [(part, path) for part in parts]
        case ListKind(item=item):
            inner = [(item, path)]
        case LeafKind():
            yield from _leaf_losses(tp, path)
            return
    for part, place in inner:
        yield from _losses(part, place, (*chain, tp), is_written=is_written)


def _named(path: str, tp: Any) -> str:
    """Return a place with its type, which is told already where it is the whole."""
    return path if path == "it" else f"{path} ({ty.name(tp)})"


def _never_written(tp: Any, path: str) -> Loss | None:
    """Return why no value of a type comes back that is written here; None where that is not known of it."""
    if ty.is_json_text(tp):
        return Loss(f"{path} is JSON inside of a text", "name the type of what is in it, without Json")
    if is_encoded(tp):
        return Loss(f"{path} is a text in another encoding, kept decoded and then decoded again", "return plain text")
    tp = ty.strip(tp)
    if isinstance(tp, type) and issubclass(tp, RootModel):
        return Loss(f"{path} is the RootModel {ty.name(tp)}", "use its inner type, or a model with a field")
    if is_imported(tp):
        return Loss(
            f"{path} is what is imported, of which JSON has nothing", "return the text, and import where it is used"
        )
    if is_secret(tp):
        return Loss(f"{path} is a {ty.name(tp)}, of which stars are kept", "read secrets where they are used")
    return None


def _mistaken(tp: Any, members: Sequence[Any]) -> Any | None:
    """Return a member of a union of which a value comes back as one of another member; None where none is seen."""
    for member in members:
        try:
            values = [sample(member)]
            if str in members and isinstance(text := plain(values[0]), str):
                values.append(text)
        except BaseException as error:  # it has no end, or a constraint or a serializer of the user's refuses it
            let_through(error)
            continue
        if not all(_comes_back(tp, value) for value in values):
            return member
    return None


def _leaf_losses(tp: Any, path: str) -> Iterator[Loss]:
    origin = get_origin(tp) or tp
    if origin in _ONCE:
        items = f"[{ty.name(get_args(tp)[0])}]" if get_args(tp) else ""
        yield Loss(f"{_named(path, tp)} can be read once", f"use list{items}")
    elif not all(_comes_back(tp, value) for value in _values(tp)):
        hint = "give its members texts or numbers as values"
        if origin is Literal:
            hint = "use the enum itself, or a Literal of the values of its members"
        yield Loss(f"{_named(path, tp)} takes none of its values from JSON", hint)


def _values(tp: Any) -> list[Any]:
    """Return the values that a type names."""
    tp = ty.strip(tp)
    if get_origin(tp) is Literal:
        return list(get_args(tp))
    if isinstance(tp, type) and issubclass(tp, enum.Enum):
        return list(tp)
    return [None] if ty.is_none(tp) else []


def _comes_back(tp: Any, value: Any) -> bool:
    try:
        return _same(revive(tp, json.loads(canonical(value))), value)
    except FanwiseError:
        return False
    except BaseException as error:  # of a serializer, a `__hash__`, a `__eq__`: users' code, by which nothing is known
        let_through(error)
        return True


def _same(read: Any, value: Any) -> bool:
    """Return whether two values are equal and of one type: 1 is not True, nor a member of an enum its value."""
    if isinstance(value, Mapping):
        pairs = zip(cast("Mapping[Any, Any]", read), cast("Mapping[Any, Any]", value), strict=True)
        return all(_same(*pair) for pair in pairs)
    return type(read) is type(value) and read == value
