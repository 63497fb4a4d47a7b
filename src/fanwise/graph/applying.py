"""Calls in a graph function that is read: of agents and words, of helpers, and of what wants a plain value."""

from __future__ import annotations

import ast
import builtins
import functools
import typing
from collections.abc import Mapping
from itertools import zip_longest
from types import FunctionType, MethodType
from typing import Any, cast

from . import types as ty
from .agent import Agent
from .calls import bind, check_fit
from .containers import EACH_HINT, Containers
from .expr import Const
from .objects import Objects, is_library
from .operators import Operators
from .reference import STEP_HINT, Ref, is_of_object
from .step import StepFunction
from .symbols import (
    PLAIN,
    AnyOf,
    Bound,
    Fields,
    Function,
    InnerClass,
    NameScope,
    Opaque,
    function_of,
    holds,
    items_of,
    joined,
    unknown,
    without_plain,
)  # fmt: skip
from .vocabulary import VOCABULARY

_LOOPING = (
    "list", "tuple", "set", "frozenset", "sorted", "sum", "max", "min", "enumerate", "zip", "range", "any", "all",
    "reversed", "iter", "next", "map", "filter",
)  # fmt: skip
_KINDS = dict.fromkeys(_LOOPING, "loop") | {
    "len": "len", "str": "text", "repr": "text", "format": "text", "print": "text",
    "int": "number", "float": "number", "complex": "number", "round": "number", "abs": "number", "bool": "bool",
}  # fmt: skip
"""Builtins that want a plain value, each with the kind of the mistake that a traced one is."""
_CONTAINERS = {"list", "tuple", "reversed", "enumerate", "zip", "dict", "len", "iter", "next", "range", "id"}
"""Builtins that take containers of traced values and ask nothing of what is inside."""
_KEYED = {"get", "pop", "setdefault", "index", "count", "remove", "__getitem__", "__contains__"}
"""Methods of containers that look for what they get."""
_CASTS = (typing.cast, typing.assert_type, typing.reveal_type)


class Calls(Objects, Containers, Operators):
    """Evaluates calls."""

    graph_type: type[Any]
    """The class of graphs, which are read where they are defined."""

    def follow(self, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return what a function comes to whose source can be read."""
        raise NotImplementedError

    def call(self, node: ast.Call, scope: NameScope) -> Any:
        """Return what a call comes to."""
        function = self.value(node.func, scope)
        args = tuple(self.spread(node.args, scope))
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, scope)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            else:
                self._merge(kwargs, value, keyword.value, scope)
        self.tracer.at = scope.file, node.lineno
        kwargs = {name: value for name, value in kwargs.items() if type(cast("object", name)) is str}
        is_builtin = isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id)
        if is_builtin and not scope.is_bound(cast("ast.Name", node.func).id):
            return self._builtin(node, args, kwargs, scope)
        return self.apply(function, args, kwargs, node, scope)

    def apply(
        self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: ast.Call, scope: NameScope
    ) -> Any:
        """Return what a callable gives for its arguments."""
        if isinstance(function, Function):
            return self.follow(function, args, kwargs)
        if isinstance(function, Bound):
            return self._bound(function, args, kwargs, node, scope)
        if isinstance(function, Agent | StepFunction | self.graph_type) or self._is_word(function):
            return self._task(function, args, kwargs, node, scope)
        if isinstance(function, MethodType):
            return self._method_of(function, args, kwargs, node, scope)
        if type(function) is Ref:
            return function()
        if function is functools.partial and args:
            return Bound(args[0], args[1:], kwargs)
        if isinstance(function, AnyOf):
            return joined(self.tracer, [self.apply(one, args, kwargs, node, scope) for one in function.values])
        if isinstance(function, Fields):
            return self.by_method(function, "__call__", args, node, scope, **kwargs)
        if function in _CASTS:
            return args[-1] if args else PLAIN
        if isinstance(function, type | InnerClass):
            return self.construct(cast("type[Any] | InnerClass", function), args, kwargs, node, scope)
        return self._helper(function, args, kwargs, node, scope)

    def _is_word(self, function: object) -> bool:
        return isinstance(function, FunctionType) and function in VOCABULARY

    def _bound(
        self, bound: Bound, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: ast.Call, scope: NameScope
    ) -> Any:
        if isinstance(bound.function, str):
            return self._of_container(bound.args[0], bound.function, args, node, scope)
        return self.apply(bound.function, (*bound.args, *args), {**bound.kwargs, **kwargs}, node, scope)

    def _method_of(
        self, method: MethodType, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: ast.Call, scope: NameScope
    ) -> Any:
        return self.apply(method.__func__, (method.__self__, *args), kwargs, node, scope)

    # Agents, steps, graphs, words --------------------------------------------------------------

    def _task(
        self, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: ast.Call, scope: NameScope
    ) -> Any:
        if isinstance(target, self.graph_type):
            return self._graph(target, args, kwargs)
        if self._is_word(target):
            args = tuple(self._argument(value, node, scope) for value in args)
            kwargs = {name: self._argument(value, node, scope) for name, value in kwargs.items()}
        values = [without_plain(self.tracer, value) for value in args]
        try:
            return target(*values, **{name: without_plain(self.tracer, value) for name, value in kwargs.items()})
        except TypeError:  # arguments that a word does not take; the trace says so
            return unknown(self.tracer)

    def _argument(self, value: Any, node: ast.Call, scope: NameScope) -> Any:
        """Return an argument of a word: functions as what is read in place of being run."""
        if isinstance(value, Agent | StepFunction):
            return cast("Any", value)
        if isinstance(value, Function | Bound | FunctionType | self.graph_type):

            def read(*args: Any) -> Any:
                return without_plain(self.tracer, self.apply(value, args, {}, node, scope))

            return read
        if value is PLAIN:  # what a name stands for that is not bound yet, or a number
            return _Anything(self.tracer, Const(None), ty.Unknown, "a value")
        return without_plain(self.tracer, value)

    def _graph(self, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        values = tuple(without_plain(self.tracer, value) for value in args)
        named = {name: without_plain(self.tracer, value) for name, value in kwargs.items()}
        arguments = bind(self.tracer, target.name, target.fn, values, named)
        for name, expected in target.params.items():
            if name in arguments:
                check_fit(self.tracer, target.name, name, arguments[name], expected)
        return Ref(self.tracer, Const(None), target.hints.get("return", ty.Unknown), target.name)

    # What wants a plain value ------------------------------------------------------------------

    def _builtin(self, node: ast.Call, args: tuple[Any, ...], kwargs: Mapping[str, Any], scope: NameScope) -> Any:
        name = cast("ast.Name", node.func).id
        parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        values = [*args, *kwargs.values()]
        if name == "getattr" and len(args) == 2 and type(args[0]) is Ref and not holds(args[1]):
            if isinstance(args[1], str) and is_of_object(args[1]):
                return self.add_mistake(node, "object", f"for its {args[1]}", STEP_HINT, scope, node.args[0])
            return self.attribute(args[0], args[1]) if isinstance(args[1], str) else unknown(self.tracer)
        if name == "dict" and not any(type(value) is Ref for value in args):
            pairs = cast("dict[Any, Any]", args[0]) if args and isinstance(args[0], dict) else {}
            return {**pairs, **kwargs}
        if name == "len" and args and isinstance(args[0], Fields):
            return self.by_method(args[0], "__len__", (), node, scope)
        args = self._opened(name, args, node, scope)
        values = [*args, *kwargs.values()]
        asks = name not in _CONTAINERS
        for number, value in enumerate(values):
            if type(value) is Ref or (asks and holds(value)):
                part = parts[min(number, len(parts) - 1)]
                hint = EACH_HINT if _KINDS.get(name) == "loop" else STEP_HINT
                return self.add_mistake(node, _KINDS.get(name, name), f"with {name}()", hint, scope, part)
        return self._container(name, args)

    def _opened(self, name: str, args: tuple[Any, ...], node: ast.Call, scope: NameScope) -> tuple[Any, ...]:
        """Return the arguments of a builtin, with what it takes out of objects of the user's in their place."""
        if name not in _CONTAINERS - {"id"}:
            return args
        return tuple(self.items_from(arg, node, scope) if isinstance(arg, Fields) else arg for arg in args)

    def _container(self, name: str, args: tuple[Any, ...]) -> Any:
        """Return what a builtin makes of containers."""
        if not args or name in ("len", "range", "id"):
            return PLAIN
        inside = [items_of(value) for value in args]
        match name:
            case "zip":
                return list(zip_longest(*inside, fillvalue=PLAIN))
            case "enumerate":
                return [(PLAIN, item) for item in inside[0]]
            case "tuple":
                return tuple(inside[0])
            case "list" | "reversed" | "iter":
                return inside[0]
            case "next":
                return inside[0][0] if inside[0] else PLAIN
            case _:
                return PLAIN

    def _of_container(self, owner: object, name: str, args: tuple[Any, ...], node: ast.Call, scope: NameScope) -> Any:
        """Return what a method of a list, tuple, dict or text comes to."""
        looked_for = args[:1] if name in _KEYED else ()
        if isinstance(owner, str):
            looked_for = args
        for part, value in zip(node.args, looked_for, strict=False):
            if holds(value):
                kind = "text" if isinstance(owner, str) else "key"
                use = "as text" if kind == "text" else "as a key or an index"
                return self.add_mistake(node, kind, use, STEP_HINT, scope, part)
        if name == "sort" and holds(owner):
            return self.add_mistake(node, "loop", "with sort()", EACH_HINT, scope, node.func)
        if isinstance(owner, dict):
            return self._of_dict(cast("dict[Any, Any]", owner), name, args)
        if isinstance(owner, list):
            self._add_to(cast("list[Any]", owner), name, args)
        inside = items_of(cast("object", owner))
        return self.item(inside, PLAIN) if name == "pop" else inside if name == "copy" else PLAIN

    def _add_to(self, owner: list[Any], name: str, args: tuple[Any, ...]) -> None:
        if name in ("append", "insert"):
            owner += args[-1:]
        elif name == "extend" and args:
            owner += items_of(args[0])

    def _of_dict(self, owner: dict[Any, Any], name: str, args: tuple[Any, ...]) -> Any:
        match name:
            case "get" | "pop" | "setdefault":
                return self.item(owner, args[0]) if args else PLAIN
            case "items":
                return list(owner.items())
            case "values":
                return list(owner.values())
            case "keys":
                return list(owner)
            case "update" if args and isinstance(args[0], dict):
                owner.update(cast("dict[Any, Any]", args[0]))
            case _:
                pass
        return dict(owner) if name == "copy" else PLAIN

    def _helper(
        self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: ast.Call, scope: NameScope
    ) -> Any:
        """Return what a function outside of the graph gives; what cannot be followed gets no traced value."""
        values = [*args, *kwargs.values()]
        function = _unwrapped(function)
        if args and isinstance(args[0], Agent | StepFunction | self.graph_type):  # a method of ours: options, rehearse
            return args[0] if getattr(function, "__name__", "") == "options" else self._unknown_call(values)
        if isinstance(function, FunctionType) and not is_library(function):
            source = function_of(function)
            if source is not None:
                return self.follow(source, args, kwargs)
        if function is PLAIN or not (callable(function) or isinstance(function, Opaque)):
            return self._unknown_call(values)
        if any(map(holds, values)):
            named = function.name if isinstance(function, Opaque) else getattr(function, "__qualname__", None)
            name = named or ast.unparse(node.func)
            use = f"by {name}(), whose source cannot be followed"
            return self.add_mistake(node, "helper", use, STEP_HINT, scope, self.subject(node, args))
        return PLAIN

    def _unknown_call(self, values: list[Any]) -> Any:
        return unknown(self.tracer) if any(map(holds, values)) else PLAIN


class _Anything(Ref):
    """A reference that can be called: what stands for an argument of which nothing is known."""

    __slots__ = ()

    def __call__(self, *_: object, **__: object) -> Ref:
        return self


def _unwrapped(function: Any) -> Any:
    """Return the function behind what only keeps its results, or opens and closes; a user's own wrapper is read."""
    while not isinstance(function, FunctionType) or is_library(function):
        inner = getattr(function, "__wrapped__", None) if callable(function) else None
        if inner is None or hasattr(function, "dispatch"):  # `singledispatch` asks for the type
            break
        function = inner
    return function
