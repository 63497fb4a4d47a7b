"""The types that agent files name: `input:` and `output:`, as names that the caller passes, or as JSON schemas.

A name is looked up among what the caller gives and nowhere else: a file never causes an import.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from types import ModuleType
from typing import Any, Literal, cast, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typing_extensions import is_typeddict

from fanwise.errors import Mistake

from . import types as ty
from .agentfile import AgentFile
from .answerable import problems
from .schematypes import SchemaMistakeError, type_of_schema

GivenTypes = ModuleType | Mapping[str, Any] | Iterable[type[Any]]
"""Where names of types are looked up: a module, types by name, or classes."""
_PLAIN: Mapping[str, Any] = {"str": str, "int": int, "float": float, "bool": bool}
_LIST = re.compile(r"list\[(.*)\]")
_MOST_DEPTH = 5
"""Of lists in lists."""
REQUIRED = inspect.Parameter.empty
"""In the place of a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSignature:
    """What an agent of a file takes and answers."""

    params: Mapping[str, Any]
    """Types of its parameters, in order."""
    defaults: Mapping[str, Any]
    """Of the parameters that have one."""
    output: Any


TEXT = FileSignature(params={"task": str}, defaults={}, output=str)
"""Of a file that names no types."""


class TypeNames:
    """The types that a caller gives, by name."""

    def __init__(self, given: GivenTypes) -> None:
        if isinstance(given, ModuleType):
            members: Mapping[str, Any] = vars(given)
        elif isinstance(given, Mapping):
            members = cast("Mapping[str, Any]", given)
        else:
            members = {tp.__name__: tp for tp in given}
        self._types = {name: tp for name, tp in members.items() if not name.startswith("_") and _is_type(tp)}

    def named(self, text: str, depth: int = 0) -> Any:
        """Return the type that a file names.

        Raises:
            KeyError: There is none; says what was perhaps meant.
        """
        inner = _LIST.fullmatch(text)
        if inner and depth < _MOST_DEPTH:
            return list[self.named(inner[1].strip(), depth + 1)]
        known = {**_PLAIN, **self._types}
        if text in known:
            return known[text]
        near = get_close_matches(text, known, 1)
        own = ", ".join(sorted(self._types)) or "no types"
        raise KeyError(f"did you mean {near[0]!r}?" if near else f"types= has {own}")


def signature_of(file: AgentFile, agent: str, names: TypeNames, mistakes: list[Mistake]) -> FileSignature:
    """Return what an agent takes and answers by its file.

    Args:
        file: The file.
        agent: Name of the agent, for the names of types that stand in the file.
        names: Types by name.
        mistakes: Gets what is wrong, each with its line.
    """
    title = "".join(part.capitalize() for part in re.split(r"\W+|_", agent))
    before = len(mistakes)
    given = _type(file, "input", names, f"{title}Input", mistakes)
    output = _type(file, "output", names, f"{title}Output", mistakes)
    if len(mistakes) > before:
        return TEXT
    params, defaults = _params(str if given is None else given)
    mistakes += [Mistake(file.place("input"), *problem) for problem in _unpassable(params)]
    output = str if output is None else output
    mistakes += [Mistake(file.place("output"), f"output: {text}", hint) for text, hint in problems(output)]
    return FileSignature(params=params, defaults=defaults, output=output)


def _type(
    file: AgentFile, field: Literal["input", "output"], names: TypeNames, title: str, mistakes: list[Mistake]
) -> Any:
    """Return the type that a field names or describes; None where it is not there, or wrong."""
    value = file.input if field == "input" else file.output
    if value is None:
        return None
    if isinstance(value, Mapping):
        try:
            return type_of_schema(cast("Mapping[Any, Any]", value), title)
        except SchemaMistakeError as error:
            mistakes.append(Mistake(file.place(field), f"{field}{error.place} {error.problem}", error.hint))
            return None
    if not isinstance(value, str) or not value.strip():
        hint = "write the name of a type, or a JSON schema"
        mistakes.append(Mistake(file.place(field), f"{field} is {str(value)[:60]!r}", hint))
        return None
    try:
        return names.named(value.strip())
    except KeyError as error:
        mistakes.append(Mistake(file.place(field), f"{field}: no type is called {value.strip()[:60]!r}", error.args[0]))
        return None


def _params(given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters that an input makes, with defaults: the fields of a record, else one, the task."""
    fields = ty.fields(given)
    if fields is None:
        return {"task": given}, {}
    return fields, {name: value for name in fields if (value := _default(given, name)) is not REQUIRED}


def _default(record: Any, name: str) -> Any:
    """Return the default of a record's field, `REQUIRED` where it has none that is a plain value."""
    if issubclass(record, BaseModel):
        default = record.model_fields[name].default
        return REQUIRED if default is PydanticUndefined else default
    if dataclasses.is_dataclass(record):
        default = next(field.default for field in dataclasses.fields(record) if field.name == name)
        return REQUIRED if default is dataclasses.MISSING else default
    return REQUIRED


def _unpassable(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    if params:
        return []
    return [("input has no fields, so that the agent would be shown nothing", "give it a field")]


def _is_type(value: object) -> bool:
    """Return whether a name of a module is that of a type of data."""
    if isinstance(value, type) and get_origin(value) is None:
        is_record = dataclasses.is_dataclass(value) or is_typeddict(cast("Any", value))
        return is_record or (issubclass(value, BaseModel | Enum) and value not in (BaseModel, Enum))
    return get_origin(value) is not None or hasattr(value, "__value__")
