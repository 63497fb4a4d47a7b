"""What stands behind a name while a graph function is read and not run.

A traced value is a `Ref`, as in a trace. Lists, tuples and dicts hold such values, and an object that a
helper makes of them is `Fields`. Whatever else a name may hold is `PLAIN`: it is known before the run and
of no concern.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import CellType, FunctionType
from typing import Any, Final, cast

from . import types as ty
from .expr import Const
from .reference import Ref, type_of
from .tracer import Tracer

_MOST_ITEMS = 40
"""Items of a container of the user's own that are looked at."""


class _Plain:
    def __repr__(self) -> str:
        return "a plain value"


PLAIN: Final = _Plain()
"""A value that is known before the run; which one makes no difference."""


@dataclass(slots=True, eq=False)
class NameScope:
    """The names that a piece of code sees, and the file that it stands in."""

    file: str
    around: Mapping[str, Any] | NameScope
    """Names of the scope around it, or of the module."""
    names: dict[str, Any] = field(default_factory=dict[str, Any])

    def look_up(self, name: str) -> Any:
        """Return what a name stands for; containers of the user's are copied, since the reading adds to them."""
        if name in self.names:
            return self.names[name]
        if isinstance(self.around, NameScope):
            return self.around.look_up(name)
        symbol: Any = as_symbol(self.around[name]) if name in self.around else PLAIN
        if type(symbol) in (list, dict):  # what is added to it is seen by whoever looks next
            self.names[name] = symbol
        return symbol

    def home_of(self, name: str) -> NameScope | None:
        """Return the scope around this one that binds a name, as `nonlocal` finds it; None for none."""
        around = self.around
        if not isinstance(around, NameScope):
            return None
        return around if name in around.names else around.home_of(name)

    def is_bound(self, name: str) -> bool:
        """Return whether the code or what is around it gives the name a meaning, so that it is no builtin."""
        around = self.around
        return name in self.names or (around.is_bound(name) if isinstance(around, NameScope) else name in around)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Function:
    """A function whose source can be read: a helper, a lambda, or one that another function defines."""

    name: str
    arguments: ast.arguments
    body: Sequence[ast.stmt] | ast.expr
    scope: NameScope
    """What it sees of the code around it."""
    default_scope: NameScope
    """Where its defaults are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """Something callable with arguments that it has already: a method, or a `functools.partial`."""

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class InnerClass:
    """A class that a function defines."""

    name: str
    members: Mapping[str, Any]
    fields: tuple[str, ...]
    """Its annotated names, in order: what a dataclass takes."""
    bases: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A function of an inner class that is no plain method."""

    how: str
    """`property`, `staticmethod` or `classmethod`."""
    function: Any


@dataclass(frozen=True, slots=True, eq=False)
class AnyOf:
    """One of several things that can be called; which one is not known."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """Something that can be called and whose source cannot be followed."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """An object of a class of the user's, which may keep traced values."""

    kind: type[Any] | InnerClass
    values: dict[str, Any]


def as_symbol(value: object) -> Any:
    """Return an object of the user's as it is, a container as a copy of its first items."""
    if type(value) is dict:
        return dict(islice(cast("dict[Any, Any]", value).items(), _MOST_ITEMS))
    if type(value) in (list, tuple, set, frozenset):
        items = list(islice(cast("Iterable[Any]", value), _MOST_ITEMS))
        return tuple(items) if type(value) is tuple else items
    return value


def items_of(container: object) -> list[Any]:
    """Return what is inside of a container, nothing for anything else."""
    match container:
        case dict():
            return list(cast("dict[Any, Any]", container).values())
        case list() | tuple():
            return list(cast("Sequence[Any]", container))
        case Fields(values=values):
            return list(values.values())
        case Bound(args=args, kwargs=kwargs):
            return [*args, *kwargs.values()]
        case _:
            return []


def put(record: dict[Any, Any], key: object, value: Any) -> None:
    """Put a value into a dict, in a place of its own where the key is not clear."""
    record[key if isinstance(key, str | int) else (len(record),)] = value


def holds(value: object, depth: int = 6) -> bool:
    """Return whether a value is traced, or a container with a traced value inside."""
    if type(value) is Ref:
        return True
    return depth > 0 and any(holds(item, depth - 1) for item in items_of(value))


def unknown(tracer: Tracer, label: str = "a value") -> Ref:
    """Return a traced value of which nothing is known."""
    return Ref(tracer, Const(None), ty.Unknown, label)


def joined(tracer: Tracer, values: Sequence[Any]) -> Any:
    """Return what a name holds that may hold any of several values."""
    first = values[0] if values else PLAIN
    if all(value is first for value in values):
        return first
    traced = [value for value in values if type(value) is Ref]
    if traced:
        types = [type_of(ref) for ref in traced]
        is_clear = len(traced) == len(values) and all(tp == types[0] for tp in types)
        return traced[0] if is_clear else unknown(tracer, "a value of one branch or the other")
    holding = [value for value in values if holds(value)]
    if holding and all(isinstance(value, list | tuple) for value in values):
        return [item for value in values for item in items_of(value)]
    return holding[0] if holding else _any_of(values)


def _any_of(values: Sequence[Any]) -> Any:
    """Return what may be called of several values; a plain value where there is nothing."""
    each = [part for value in values for part in (value.values if isinstance(value, AnyOf) else (value,))]
    choices = {id(value): value for value in each if _can_be_called(value)}
    return next(iter(choices.values())) if len(choices) == 1 else AnyOf(tuple(choices.values())) if choices else PLAIN


def _can_be_called(value: object) -> bool:
    return isinstance(value, Function | Bound | InnerClass | Opaque) or (value is not PLAIN and callable(value))


def without_plain(tracer: Tracer, value: Any) -> Any:
    """Return a value as it is passed to an agent, with unknown references for what is plain."""
    match value:
        case list() | tuple():
            items = [without_plain(tracer, item) for item in cast("Sequence[Any]", value)]
            return items if isinstance(value, list) else tuple(items)
        case dict():
            record = cast("dict[Any, Any]", value)
            return {key: without_plain(tracer, item) for key, item in record.items()}
        case _Plain() | Function() | Bound() | Fields() | AnyOf() | InnerClass() | Opaque():
            return unknown(tracer)
        case _:
            return value


def function_of(fn: Callable[..., Any]) -> Function | None:
    """Return a function of the user's as it is written, None where its source cannot be read."""
    if not isinstance(fn, FunctionType):
        return None
    try:
        lines, start = inspect.getsourcelines(fn.__code__)  # of a wrapper itself, and not of what it wraps
        tree = ast.parse(textwrap.dedent("".join(lines)).strip())
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    kind = ast.Lambda if fn.__name__ == "<lambda>" else ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(tree) if isinstance(node, kind)]
    if not nodes or (len(nodes) > 1 and kind is ast.Lambda):
        return None
    ast.increment_lineno(tree, start - 1)
    node = nodes[0]
    cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
    names = {**fn.__globals__, **dict(_filled(cells))}
    around = NameScope(fn.__code__.co_filename, names)
    return Function(name=fn.__name__, arguments=node.args, body=node.body, scope=around, default_scope=around)


def _filled(cells: Iterable[tuple[str, CellType]]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells:
        try:
            yield name, cell.cell_contents
        except ValueError:  # a local name that is defined further down
            continue
