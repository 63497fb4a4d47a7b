"""Lists, tuples, sets and dicts of a graph function that is read, and the loops of comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any, cast

from .expressions import Expressions
from .reference import Ref
from .symbols import PLAIN, Fields, NameScope, holds, items_of, put, unknown

EACH_HINT = "use each(list, agent)"


class Containers(Expressions):
    """Evaluates what makes containers."""

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
        if isinstance(value, Fields):
            value = self.items_from(value, node, scope)
        if isinstance(value, list | tuple):
            return list(cast("Sequence[Any]", value))
        return [PLAIN]

    def items_from(self, value: Fields, node: ast.expr, scope: NameScope) -> Any:
        """Return the items that an object of the user's gives: those of a named tuple, or what its method yields."""
        if hasattr(value.kind, "_fields"):
            return items_of(value)
        items = self.by_method(value, "__iter__", (), node, scope)
        return [unknown(self.tracer)] if items is PLAIN and holds(value) else items

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
