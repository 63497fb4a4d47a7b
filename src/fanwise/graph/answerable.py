"""What the API cannot carry of an answer's type, each with the place where it stands and what to write instead.

Limits: platform.claude.com, page "Structured outputs", read 2026-11-23 (no recursion, 24 optional and 16 union
parameters).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import PydanticUserError, RootModel
from pydantic.errors import PydanticInvalidForJsonSchema

from . import types as ty
from .carried import NotCarriedError
from .kinds import LeafKind, ListKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of
from .leaves import counted_type, is_carried, is_encoded, way_out
from .pertype import adapter
from .roundtrip import KEYS_HINT, key_loss
from .schema import OPTIONAL_LIMIT, UNION_LIMIT, choices, schema

_NAME_IT = (
    "name its type, at a plain validator by json_schema_input_type=..., or give a WithJsonSchema of type, properties, "
    "items, enum and anyOf"
)
_WITHOUT_PARTS = (Any, object, dict, list, set, tuple, ty.Unknown)
"""Types that do not name the type of their parts."""


def problems(tp: Any) -> list[tuple[str, str]]:
    """Return what the API cannot carry in an output type, as pairs of message and hint."""
    check = _Check()
    check.walk(tp, "the answer", ())
    return check.problems or list(_unformed(tp))


def _unformed(tp: Any) -> Iterator[tuple[str, str]]:
    """Yield why there is no schema of a type, or none of the size that the API takes."""
    try:
        schema(tp)
        has = choices(tp)
    except NotCarriedError as error:
        yield f"{error.path} has no schema that the API can carry", _NAME_IT
        return
    except PydanticInvalidForJsonSchema:
        yield "the answer has a part of which Pydantic knows no JSON schema", _NAME_IT
        return
    except KeyError as error:  # of a reference that the user has written
        yield (
            f"the answer has a schema that refers to {error}, which is not there",
            "write that part in its WithJsonSchema",
        )
        return
    if not has.fit:
        text = (
            f"the answer has {has.unions + has.optional} optional or union fields, the API takes {UNION_LIMIT}, "
            f"or {OPTIONAL_LIMIT} whose default is None"
        )
        yield text, "split the agent or make fields required"


class _Check:
    """Collects what the API cannot carry while it walks through a type."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def refuse(self, message: str, hint: str) -> None:
        self.problems.append((message, hint))

    def walk(self, tp: Any, path: str, chain: tuple[Any, ...]) -> None:
        """Look at a type and all its parts.

        Args:
            tp: The type.
            path: Where in the answer it stands, for messages.
            chain: Records around it, outermost first.
        """
        if ty.is_json_text(tp):
            self.refuse(f"{path} is JSON inside of a text", "name the type of what is in it, without Json")
            return
        if is_encoded(tp):
            self.refuse(f"{path} is a text in another encoding", "answer text, and decode it in a step")
            return
        tp = ty.strip(tp)
        if tp in _WITHOUT_PARTS or isinstance(tp, TypeVar):
            self.refuse(f"{path} has the type {ty.name(tp)}, which has no schema", "name the type of its parts")
        elif tp in chain:
            circle = " -> ".join(ty.name(record) for record in (*chain, tp))
            self.refuse(f"{path} is recursive ({circle})", "the API takes no recursion; use a list with parent ids")
        else:
            self._walk_parts(tp, path, chain)

    def _walk_parts(self, tp: Any, path: str, chain: tuple[Any, ...]) -> None:
        if isinstance(tp, type) and issubclass(tp, RootModel):
            self.refuse(f"{path} is the RootModel {ty.name(tp)}", "answer its inner type, or a model with a field")
            return
        counted = counted_type(tp)
        if counted is not None:
            text = f"{path} has the type {ty.name(tp)}, which the API cannot carry"
            self.refuse(text, f"use dict[{ty.name(counted)}, int]")
            return
        for name in _init_only(tp):
            text = f"{path} is made of {name!r}, which is no field of {ty.name(tp)}, so no answer has it"
            self.refuse(text, f"make {name!r} a field, or give it a default")
        self._walk_inside(tp, path, chain)

    def _walk_inside(self, tp: Any, path: str, chain: tuple[Any, ...]) -> None:
        match kind_of(tp):
            case UnionKind(members):
                for member in members:
                    self.walk(member, path, chain)
            case RecordKind(fields):
                for name, inner in fields.items():
                    place = f"{path}.{name}" if path != "the answer" else f"field {name!r}"
                    if not ty.is_hidden(inner):
                        self.walk(inner, place, (*chain, tp))
                    elif ty.is_required(tp, name):
                        self.refuse(f"{place} is hidden from the schema and has no default", "give it a default")
            case MapKind(key, value):
                self.walk(key, f"{path} (key)", chain)
                if not isinstance(kind_of(key), LeafKind):
                    self.refuse(f"{path} has keys of the type {ty.name(key)}", "use a list of records with both")
                elif why := key_loss(key):
                    self.refuse(f"{path} has keys of the type {ty.name(key)}: {why}", KEYS_HINT)
                self.walk(value, f"{path} (value)", chain)
            case TupleKind(items):
                for inner in items:
                    self.walk(inner, f"{path} (item)", chain)
            case ListKind(inner):
                self.walk(inner, f"{path} (item)", chain)
            case LeafKind():
                self._try_leaf(tp, path)

    def _try_leaf(self, tp: Any, path: str) -> None:
        if not is_carried(tp):
            self.refuse(f"{path} has the type {ty.name(tp)}, which the API cannot carry", way_out(tp))
            return
        try:
            adapter(tp)
        except PydanticUserError:  # such as a class of the user's that is a text, too
            hint = "use the type that it is derived from, or tell Pydantic how it is validated"
            self.refuse(f"{path} has the type {ty.name(tp)}, of which Pydantic makes no value", hint)


def _init_only(tp: Any) -> list[str]:
    """Return what a dataclass takes to be made, and does not keep as a field; what has a default is left out."""
    if not isinstance(tp, type) or not dataclasses.is_dataclass(tp):
        return []
    names = {field.name for field in dataclasses.fields(tp)}
    params = inspect.signature(tp).parameters.values()
    return [param.name for param in params if param.name not in names and param.default is param.empty]
