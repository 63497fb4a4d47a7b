"""What the expressions of a graph function come to: names and their parts; containers and operators stand beside."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any, cast

from .reference import STEP_HINT, WHEN_HINT, Ref, is_of_object
from .symbols import (
    PLAIN,
    AnyOf,
    Bound,
    Fields,
    Function,
    InnerClass,
    Member,
    NameScope,
    holds,
    items_of,
    joined,
    unknown,
)
from .tracer import TracedMistake, Tracer

_MOST_NODES = 100_000
"""Expressions after which a reading gives up: some helper does far more than call agents."""


class EndlessReadingError(Exception):
    """The code is too large to be read to its end."""


class Expressions:
    """Evaluates expressions without running them, and collects the mistakes: where a traced value is misused."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.mistakes: list[TracedMistake] = []
        self.calls: list[ast.expr] = []
        """Calls so far that gave a traced value."""
        self._nodes = 0

    def call(self, node: ast.Call, scope: NameScope) -> Any:
        """Return what a call comes to."""
        raise NotImplementedError

    def apply(
        self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: ast.Call, scope: NameScope
    ) -> Any:
        """Return what a callable gives for its arguments."""
        raise NotImplementedError

    def of_object(self, owner: Fields, name: str, node: ast.expr, scope: NameScope) -> Any:
        """Return an attribute of an object of the user's."""
        raise NotImplementedError

    def by_method(
        self, owner: Fields, name: str, args: tuple[Any, ...], node: ast.expr, scope: NameScope, **kwargs: Any
    ) -> Any:
        """Return what a method of the user's gives that Python calls by itself; a plain value where there is none."""
        raise NotImplementedError

    def add_mistake(
        self,
        node: ast.expr | ast.stmt,
        kind: str,
        use: str,
        hint: str,
        scope: NameScope,
        subject: ast.AST | None = None,
    ) -> Any:
        """Note that a traced value, `subject` or the node itself, is used as a plain one; return a plain value."""
        text = ast.unparse(subject or node)
        text = text if len(text) <= 60 else f"{text[:57]}..."
        last = node.end_lineno or node.lineno
        mistake = TracedMistake(
            kind=kind, file=scope.file, line=node.lineno, last_line=last, hint=hint,
            message=f"`{text}` is known only at run time and cannot be used {use}",
        )  # fmt: skip
        if not any(before.kind == kind and before.same_place(mistake) for before in self.mistakes):
            self.mistakes.append(mistake)
        return PLAIN

    def add_key_mistake(self, node: ast.expr, scope: NameScope, key: ast.AST, hint: str = STEP_HINT) -> Any:
        """Note that a traced value is looked for in a container; return a plain value."""
        return self.add_mistake(node, "key", "as a key or an index", hint, scope, key)

    def test(self, node: ast.expr, scope: NameScope) -> None:
        """Look at a condition, which must be known before the run."""
        if type(self.truth(self.value(node, scope), node, scope)) is Ref:
            self.add_mistake(node, "bool", "as a condition here", WHEN_HINT, scope)

    def truth(self, value: Any, node: ast.expr, scope: NameScope) -> Any:
        """Return what decides whether a value is true: an object of the user's may be asked."""
        if not isinstance(value, Fields):
            return value
        answers = [self.by_method(value, name, (), node, scope) for name in ("__bool__", "__len__")]
        return next((answer for answer in answers if answer is not PLAIN), PLAIN)

    def value(self, node: ast.expr, scope: NameScope) -> Any:
        """Return what an expression comes to."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise EndlessReadingError
        self.tracer.at = scope.file, node.lineno
        read = getattr(self, f"_read_{type(node).__name__}", None)
        if read is not None:
            return read(node, scope)
        parts = [self.value(part, scope) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return unknown(self.tracer) if any(map(holds, parts)) else PLAIN

    # Names and parts ---------------------------------------------------------------------------

    def _read_Constant(self, node: ast.Constant, scope: NameScope) -> Any:
        return node.value

    def _read_Name(self, node: ast.Name, scope: NameScope) -> Any:
        return scope.look_up(node.id)

    def _read_NamedExpr(self, node: ast.NamedExpr, scope: NameScope) -> Any:
        value = scope.names[node.target.id] = self.value(node.value, scope)
        return value

    def _read_Attribute(self, node: ast.Attribute, scope: NameScope) -> Any:
        owner = self.value(node.value, scope)
        self.tracer.at = scope.file, node.lineno
        if type(owner) is Ref and is_of_object(node.attr):
            return self.add_mistake(node, "object", f"for its {node.attr}", STEP_HINT, scope, node.value)
        if isinstance(owner, Fields):
            return self.of_object(owner, node.attr, node, scope)
        return self.attribute(owner, node.attr)

    def attribute(self, owner: Any, name: str) -> Any:
        """Return a part of a value by its name; no property of the user's is run."""
        match owner:
            case Ref():
                return getattr(owner, name)
            case AnyOf(values=values):
                return joined(self.tracer, [self.attribute(value, name) for value in values])
            case InnerClass(members=members):
                member = members.get(name, PLAIN)
                return member.function if isinstance(member, Member) else member
            case ModuleType():
                return getattr(owner, name, PLAIN)
            case type():
                return inspect.getattr_static(owner, name, PLAIN)
            case list() | tuple() | dict() | str():
                return Bound(name, (cast("Any", owner),))
            case _:
                kind: type[Any] = cast("object", owner).__class__
                values = cast("dict[str, Any]", getattr(cast("object", owner), "__dict__", {}))
                return values[name] if name in values else self._method(kind, owner, name)

    def _method(self, kind: type, owner: Any, name: str) -> Any:
        method = inspect.getattr_static(kind, name, PLAIN)
        if isinstance(method, staticmethod | classmethod):
            return cast("Any", method).__func__ if isinstance(method, staticmethod) else PLAIN
        return Bound(method, (owner,)) if isinstance(method, FunctionType) else method

    def _read_Subscript(self, node: ast.Subscript, scope: NameScope) -> Any:
        owner, key = self.value(node.value, scope), self.value(node.slice, scope)
        self.tracer.at = scope.file, node.lineno
        if type(owner) is Ref:
            is_slice = isinstance(node.slice, ast.Slice)
            return owner[slice(None) if is_slice else 0 if key is PLAIN else key]
        if type(key) is Ref:
            return self.add_key_mistake(node, scope, node.slice)
        if isinstance(owner, type):  # with its parameters it is the same class
            return cast("Any", owner)
        if isinstance(owner, Fields):
            return self.by_method(owner, "__getitem__", (key,), node, scope)
        if isinstance(node.slice, ast.Slice) and isinstance(owner, list | tuple):
            return items_of(cast("object", owner))
        return self.item(owner, key)

    def item(self, owner: Any, key: Any) -> Any:
        """Return an item of a container; any of them where the key is not clear."""
        if isinstance(owner, list | tuple | dict):
            try:
                return cast("Any", owner)[key]
            except (LookupError, TypeError):
                return joined(self.tracer, items_of(cast("object", owner)))
        return PLAIN

    def _read_Lambda(self, node: ast.Lambda, scope: NameScope) -> Any:
        return Function(name="<lambda>", arguments=node.args, body=node.body, scope=scope, default_scope=scope)

    def _read_Await(self, node: ast.Await, scope: NameScope) -> Any:
        return self.value(node.value, scope)

    def _read_Call(self, node: ast.Call, scope: NameScope) -> Any:
        value = self.call(node, scope)
        if type(value) is Ref:
            self.calls.append(node)
        return value
