"""Objects and classes of the user's in a graph function that is read: what Python calls of them without being told."""

from __future__ import annotations

import ast
import collections
import contextlib
import functools
import inspect
import sys
import sysconfig
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import FunctionType
from typing import Any, cast

from pydantic import BaseModel

from .expressions import Expressions
from .symbols import PLAIN, Bound, Fields, Function, InnerClass, Member, NameScope, Opaque, holds, items_of, unknown

_STANDARD = sysconfig.get_path("stdlib")
_PACKAGE = str(Path(__file__).parent.parent)
_DEFAULTS: dict[str, Callable[[], Any]] = {"list": list, "dict": dict}
_MAPPINGS = (collections.defaultdict, collections.OrderedDict)
_SAME = (
    functools.wraps, functools.cache, functools.lru_cache, contextlib.contextmanager, contextlib.asynccontextmanager,
)  # fmt: skip
"""Decorators that leave a function to be read as it is written."""
_MEMBERS = ("property", "staticmethod", "classmethod")


class Objects(Expressions):
    """Evaluates what is made of classes, and what is asked of objects."""

    def construct(
        self,
        kind: type[Any] | InnerClass,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        node: ast.Call,
        scope: NameScope,
    ) -> Any:
        """Return the object that a class makes."""
        values = [*args, *kwargs.values()]
        if isinstance(kind, type) and (container := _container(kind, args, node)) is not None:
            return container
        if isinstance(kind, InnerClass) or _is_of_user(kind) or _has_fields(kind):
            made = self._made(kind, args, kwargs, node, scope)
            if made is not None:
                return made
        if not any(map(holds, values)):
            return PLAIN
        name = kind.name if isinstance(kind, InnerClass) else kind.__name__
        hint = "a traced value cannot be put into a model; do it in a @step"
        return self.add_mistake(node, "model", f"in {name}(...)", hint, scope, self.subject(node, args))

    def _made(
        self,
        kind: type[Any] | InnerClass,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        node: ast.Call,
        scope: NameScope,
    ) -> Fields | None:
        """Return an object of a class of the user's; None where it is not clear what becomes of its arguments."""
        init = _member(kind, "__init__")
        if isinstance(kind, type) and _has_fields(kind):
            try:
                bound = inspect.signature(kind).bind_partial(*args, **kwargs)
            except TypeError:  # it says so itself when it is run
                return Fields(kind, {})
            made = Fields(kind, dict(bound.arguments))
            self.by_method(made, "__post_init__", (), node, scope)
            return made
        if _is_readable(init):
            made = Fields(kind, {})
            self.apply(init, (made, *args), kwargs, node, scope)
            return made
        fields = kind.fields if isinstance(kind, InnerClass) else ()
        if len(args) > len(fields) or any(_is_model(base) for base in getattr(kind, "bases", ())):
            return None
        return Fields(kind, {**dict(zip(fields, args, strict=False)), **kwargs})

    def subject(self, node: ast.Call, args: tuple[Any, ...]) -> ast.expr:
        """Return the first argument that holds a traced value."""
        held = [part for part, value in zip(node.args, args, strict=False) if holds(value)]
        return held[0] if held else node.keywords[0].value if node.keywords else node

    # What is asked of an object ------------------------------------------------------------------

    def of_object(self, owner: Fields, name: str, node: ast.expr, scope: NameScope) -> Any:
        """Return an attribute of an object of the user's; its properties are read."""
        if name in owner.values:
            return owner.values[name]
        member = _member(owner.kind, name)
        function = _getter(member)
        if function is not None:
            return self.apply(function, (owner,), {}, _call(node), scope)
        if isinstance(member, staticmethod | classmethod | Member):
            is_static = isinstance(member, staticmethod) or (
                isinstance(member, Member) and member.how == "staticmethod"
            )
            inner = member.function if isinstance(member, Member) else cast("Any", member).__func__
            return inner if is_static else Bound(inner, (owner.kind,))
        if isinstance(member, FunctionType | Function):
            return Bound(member, (owner,))
        return self.by_method(owner, "__getattr__", (name,), node, scope) if member is PLAIN else member

    def by_method(
        self,
        owner: Fields,
        name: str,
        args: tuple[Any, ...],
        node: ast.expr,
        scope: NameScope,
        **kwargs: Any,
    ) -> Any:
        """Return what a method of the user's gives that Python calls by itself; a plain value where there is none."""
        method = _member(owner.kind, name)
        if _is_readable(method):
            return self.apply(method, (owner, *args), kwargs, _call(node), scope)
        if name == "__getitem__" and hasattr(owner.kind, "_fields"):
            return self.item(items_of(owner), args[0])
        is_asked = name in ("__getitem__", "__call__", "__enter__")
        return unknown(self.tracer) if is_asked and (holds(owner) or any(map(holds, args))) else PLAIN

    # Decorators ----------------------------------------------------------------------------------

    def decorated(self, node: ast.expr, function: Any, scope: NameScope) -> Any:
        """Return what a decorator makes of a function that another one defines."""
        named = node.func if isinstance(node, ast.Call) else node
        if isinstance(named, ast.Name) and named.id in _MEMBERS and not scope.is_bound(named.id):
            return Member(named.id, function)
        if isinstance(named, ast.Attribute) and named.attr in ("setter", "getter", "deleter"):
            return self.value(named.value, scope)
        decorator = self.value(named, scope)
        if any(decorator is same for same in _SAME):
            return function
        if decorator is functools.cached_property:
            return Member("property", function)
        if isinstance(decorator, FunctionType) and _file_of(decorator).startswith(_PACKAGE):
            return PLAIN  # an agent, a step or a tool
        if isinstance(node, ast.Call):
            decorator = self.value(node, scope)
        made = PLAIN if decorator is PLAIN else self.apply(decorator, (function,), {}, _call(node), scope)
        return Opaque(ast.unparse(node)) if made is PLAIN else made


def _member(kind: type[Any] | InnerClass, name: str) -> Any:
    """Return what a class has under a name, without asking it; a plain value where it has nothing."""
    if not isinstance(kind, InnerClass):
        return inspect.getattr_static(kind, name, PLAIN)
    if name in kind.members:
        return kind.members[name]
    inherited = [_member(base, name) for base in kind.bases if isinstance(base, type | InnerClass)]
    return next((member for member in inherited if member is not PLAIN), PLAIN)


def _getter(member: Any) -> Any:
    """Return the function of a property, None for anything else."""
    if isinstance(member, property):
        return member.fget
    if isinstance(member, functools.cached_property):
        return cast("Any", member).func
    return member.function if isinstance(member, Member) and member.how == "property" else None


def _is_readable(member: Any) -> bool:
    return isinstance(member, Function) or (isinstance(member, FunctionType) and not is_library(member))


def _container(kind: type[Any], args: tuple[Any, ...], node: ast.Call) -> Any:
    """Return a container of Python's library as the plain one that it reads like; None for anything else."""
    if kind is collections.deque:
        return items_of(args[0]) if args else []
    if kind not in _MAPPINGS:
        return None
    pairs = dict[Any, Any](next((cast("dict[Any, Any]", arg) for arg in args if isinstance(arg, dict)), ()))
    if kind is not collections.defaultdict:
        return pairs
    factory = ast.unparse(node.args[0]) if node.args else ""
    return collections.defaultdict(_DEFAULTS.get(factory, lambda: PLAIN), pairs)


def _has_fields(kind: type[Any]) -> bool:
    return hasattr(kind, "__dataclass_fields__") or hasattr(kind, "_fields")


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel | Enum | BaseException | dict | list | tuple | set)


def _is_of_user(kind: type[Any]) -> bool:
    """Return whether a class is the user's own, so that what it does with its arguments stands in its source."""
    root = kind.__module__.partition(".")[0]
    file = str(getattr(sys.modules.get(kind.__module__), "__file__", ""))
    is_installed = root in (*sys.stdlib_module_names, "pydantic", "pydantic_core", "fanwise") or "-packages" in file
    return not is_installed and not _is_model(kind)


def _call(node: ast.expr) -> ast.Call:
    """Return a call that Python makes by itself, where its place is."""
    return ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node)


def _file_of(function: FunctionType) -> str:
    return function.__code__.co_filename


def is_library(function: FunctionType) -> bool:
    """Return whether a function is of Python's own library, of Pydantic or of ours: they ask for plain values."""
    file, module = _file_of(function), str(function.__module__).partition(".")[0]
    is_standard = file.startswith(_STANDARD) and "-packages" not in file
    return is_standard or module in ("pydantic", "pydantic_core") or file.startswith(_PACKAGE)
