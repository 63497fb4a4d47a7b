"""What the expressions of a graph function come to, as far as traced values go, and where they misuse one."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Sequence
from types import FunctionType, ModuleType
from typing import Any, cast

from .reference import STEP_HINT, WHEN_HINT, Ref
from .symbols import PLAIN, Bound, Fields, Function, NameScope, holds, items_of, joined, put, unknown
from .tracer import TracedMistake, Tracer

EACH_HINT = "use each(list, agent)"
_MOST_NODES = 100_000
"""Expressions after which a reading gives up: some helper does far more than call agents."""


class EndlessReadingError(Exception):
    """The code is too large to be read to its end."""


class Expressions:
    """Evaluates expressions without running them, and collects the mistakes."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self.mistakes: list[TracedMistake] = []
        self.calls: list[ast.expr] = []
        """Calls so far that gave a traced value."""
        self._nodes = 0

    def call(self, node: ast.Call, scope: NameScope) -> Any:
        """Return what a call comes to."""
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
        if type(self.value(node, scope)) is Ref:
            self.add_mistake(node, "bool", "as a condition here", WHEN_HINT, scope)

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
        return self.attribute(owner, node.attr)

    def attribute(self, owner: Any, name: str) -> Any:
        """Return a part of a value by its name; no property of the user's is run."""
        match owner:
            case Ref():
                return getattr(owner, name)
            case Fields(kind=kind, values=values):
                return values[name] if name in values else self._method(kind, owner, name)
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
        if isinstance(node.slice, ast.Slice) and isinstance(owner, list | tuple):
            return items_of(cast("object", owner))
        return self.item(owner, key)

    def item(self, owner: Any, key: Any) -> Any:
        """Return an item of a container; any of them where the key is not clear."""
        if isinstance(owner, list | tuple | dict):
            try:
                return cast("Any", owner)[key]
            except (LookupError, TypeError):
                items = items_of(cast("object", owner))
                return joined(self.tracer, items) if any(map(holds, items)) else PLAIN
        return PLAIN

    # Containers --------------------------------------------------------------------------------

    def _read_List(self, node: ast.List | ast.Tuple, scope: NameScope) -> Any:
        return list(self.spread(node.elts, scope))

    def _read_Tuple(self, node: ast.Tuple, scope: NameScope) -> Any:
        return tuple(self.spread(node.elts, scope))

    def spread(self, nodes: Iterable[ast.expr], scope: NameScope) -> list[Any]:
        """Return the values of expressions, those with a star in their place."""
        values: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                values += self.iterated(node.value, scope)
            else:
                values.append(self.value(node, scope))
        return values

    def iterated(self, node: ast.expr, scope: NameScope) -> list[Any]:
        """Return the items over which a loop goes; what is traced has none yet."""
        value = self.value(node, scope)
        if type(value) is Ref:
            self.add_mistake(node, "loop", "in a loop", EACH_HINT, scope)
            return [unknown(self.tracer, f"an item of {ast.unparse(node)}")]
        if isinstance(value, dict):
            return list(cast("dict[Any, Any]", value))
        if isinstance(value, list | tuple):
            return list(cast("Sequence[Any]", value))
        return [PLAIN]

    def _read_Set(self, node: ast.Set, scope: NameScope) -> Any:
        for part, value in zip(node.elts, self.spread(node.elts, scope), strict=False):
            if type(value) is Ref:
                self.add_mistake(node, "set", "in a set", "use a list, or do this in a @step function", scope, part)
        return PLAIN

    def _read_Dict(self, node: ast.Dict, scope: NameScope) -> Any:
        record: dict[Any, Any] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.value(value_node, scope)
            if key_node is None:
                self._merge(record, value, value_node, scope)
                continue
            key = self.value(key_node, scope)
            if type(key) is Ref:
                self.add_key_mistake(node, scope, key_node)
            put(record, key, value)
        return record

    def _merge(self, record: dict[Any, Any], value: Any, node: ast.expr, scope: NameScope) -> None:
        if type(value) is Ref:
            self.add_mistake(node, "loop", "with `**`", "read its fields by name", scope)
        elif isinstance(value, dict):
            record.update(cast("dict[Any, Any]", value))

    def _read_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: NameScope) -> Any:
        inner, values = NameScope(scope.file, scope), list[Any]()
        for _ in self._rounds(node.generators, inner):
            values.append(self.value(node.elt, inner))
        return values

    _read_SetComp = _read_GeneratorExp = _read_ListComp

    def _read_DictComp(self, node: ast.DictComp, scope: NameScope) -> Any:
        inner, record = NameScope(scope.file, scope), dict[Any, Any]()
        for _ in self._rounds(node.generators, inner):
            key, value = self.value(node.key, inner), self.value(node.value, inner)
            if type(key) is Ref:
                self.add_key_mistake(node, inner, node.key)
            put(record, key, value)
        return record

    def _rounds(self, generators: Sequence[ast.comprehension], scope: NameScope) -> Iterable[None]:
        if not generators:
            yield
            return
        for item in self.iterated(generators[0].iter, scope) or [PLAIN]:
            self.assign(generators[0].target, item, scope)
            for test in generators[0].ifs:
                self.test(test, scope)
            yield from self._rounds(generators[1:], scope)

    def assign(self, target: ast.expr, value: Any, scope: NameScope) -> None:
        """Give what stands on the left of an assignment its value."""
        raise NotImplementedError

    # Operators ---------------------------------------------------------------------------------

    def _read_IfExp(self, node: ast.IfExp, scope: NameScope) -> Any:
        self.test(node.test, scope)
        return joined(self.tracer, [self.value(node.body, scope), self.value(node.orelse, scope)])

    def _read_BoolOp(self, node: ast.BoolOp, scope: NameScope) -> Any:
        values = [self.value(part, scope) for part in node.values]
        for part, value in zip(node.values, values, strict=True):
            if type(value) is Ref:
                return self.add_mistake(node, "bool", "with `and` or `or`", WHEN_HINT, scope, part)
        return joined(self.tracer, values)

    def _read_UnaryOp(self, node: ast.UnaryOp, scope: NameScope) -> Any:
        if type(self.value(node.operand, scope)) is not Ref:
            return PLAIN
        if isinstance(node.op, ast.Not):
            return self.add_mistake(node, "bool", "with `not`", "use not_(condition)", scope, node.operand)
        return self.add_mistake(node, "arithmetic", "in arithmetic", STEP_HINT, scope, node.operand)

    def _read_BinOp(self, node: ast.BinOp, scope: NameScope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        if not holds(left) and not holds(right):
            return PLAIN
        subject = node.left if holds(left) else node.right
        if isinstance(node.op, ast.Mod) and type(left) is not Ref:
            return self.add_mistake(node, "text", "as text (f-string, str())", "pass it to the agent", scope, subject)
        if type(left) is Ref or type(right) is Ref:
            if isinstance(node.op, ast.BitAnd | ast.BitOr):
                return unknown(self.tracer, ast.unparse(node))
            return self.add_mistake(node, "arithmetic", "in arithmetic", STEP_HINT, scope, subject)
        return [*items_of(left), *items_of(right)]

    def _read_Compare(self, node: ast.Compare, scope: NameScope) -> Any:
        nodes = [node.left, *node.comparators]
        values = [self.value(part, scope) for part in nodes]
        traced = next((part for part, value in zip(nodes, values, strict=True) if type(value) is Ref), None)
        for op, subject in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Is | ast.IsNot) and traced is not None:
                hint = "use given(value, lambda v: ...) for a value that may be missing"
                self.add_mistake(node, "is", "with `is`", hint, scope, traced)
                return PLAIN
            if isinstance(op, ast.In | ast.NotIn) and (traced is not None or holds(values[-1])):
                if not isinstance(values[-1], dict) or traced is not None:
                    self.add_mistake(node, "in", "with `in`", STEP_HINT, scope, traced or subject)
                return PLAIN
        if traced is None:
            subject = next((part for part, value in zip(nodes, values, strict=True) if holds(value)), None)
            if subject is not None:
                self.add_mistake(node, "bool", "in a comparison of containers", WHEN_HINT, scope, subject)
            return PLAIN
        if len(node.ops) > 1:
            return self.add_mistake(node, "bool", "in a chain of comparisons", WHEN_HINT, scope, traced)
        return unknown(self.tracer, ast.unparse(node))

    def _read_JoinedStr(self, node: ast.JoinedStr, scope: NameScope) -> Any:
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and holds(self.value(part.value, scope)):
                hint = "pass it to the agent as an argument"
                return self.add_mistake(node, "text", "as text (f-string, str())", hint, scope, part.value)
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
