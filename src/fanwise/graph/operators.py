"""Operators of a graph function that is read, which want plain values: logic, arithmetic, comparisons, f-strings."""

from __future__ import annotations

import ast
from typing import Any

from .expressions import Expressions
from .reference import STEP_HINT, WHEN_HINT, Ref
from .symbols import PLAIN, NameScope, holds, items_of, joined, unknown


class Operators(Expressions):
    """Evaluates what operators make of values."""

    def _read_IfExp(self, node: ast.IfExp, scope: NameScope) -> Any:
        self.test(node.test, scope)
        return joined(self.tracer, [self.value(node.body, scope), self.value(node.orelse, scope)])

    def _read_BoolOp(self, node: ast.BoolOp, scope: NameScope) -> Any:
        values = [self.value(part, scope) for part in node.values]
        for part, value in zip(node.values, values, strict=True):
            if type(self.truth(value, part, scope)) is Ref:
                return self.add_mistake(node, "bool", "with `and` or `or`", WHEN_HINT, scope, part)
        return joined(self.tracer, values)

    def _read_UnaryOp(self, node: ast.UnaryOp, scope: NameScope) -> Any:
        value = self.value(node.operand, scope)
        if type(self.truth(value, node.operand, scope) if isinstance(node.op, ast.Not) else value) is not Ref:
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
