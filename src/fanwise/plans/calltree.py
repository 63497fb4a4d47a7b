"""The calls of a checked plan as a syntax tree: what the body of the frozen function says."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from .offer import ITEM
from .shapes import Call, MaybeMissing, Read
from .taskplan import Comparison
from .typetext import constant

_COMPARE: Mapping[Comparison, Callable[[], ast.cmpop]] = {
    "==": ast.Eq, "!=": ast.NotEq, "<": ast.Lt, "<=": ast.LtE, ">": ast.Gt, ">=": ast.GtE,
}  # fmt: skip


def name(text: str) -> ast.expr:
    """Return a variable that is read."""
    return ast.Name(text, ast.Load())


def called(function: ast.expr, *args: ast.expr, **kwargs: ast.expr) -> ast.expr:
    """Return a call."""
    return ast.Call(function, [*args], [ast.keyword(key, value) for key, value in kwargs.items()])


def assigned(target: str, value: ast.expr) -> ast.stmt:
    """Return an assignment to a variable."""
    return ast.Assign([ast.Name(target, ast.Store())], value)


def read(source: Read) -> ast.expr:
    """Return a part of a variable."""
    value = name(source.variable)
    for field in source.path:
        value = ast.Attribute(value, field, ast.Load())
    return value


def task(call: Call, agent: str) -> ast.stmt:
    """Return the statement of one task.

    Args:
        call: The task.
        agent: The variable that holds its agent.
    """
    value = called(name(agent), **{param: read(source) for param, source in call.values.items()})
    if call.over is not None:
        value = _looped(call, _guarded(call.item_guards, value))
    if call.test is not None:
        condition = ast.Compare(read(call.test.left), [_COMPARE[call.test.compare]()], [constant(call.test.right)])
        value = called(name("when"), condition, _function(None, value))
    return assigned(call.name, _guarded(call.guards, value))


def _looped(call: Call, value: ast.expr) -> ast.expr:
    assert call.over is not None
    bounds = {key: constant(bound) for key, bound in (("need", call.need), ("most", call.most)) if bound is not None}
    return called(name("each"), read(call.over), _function(ITEM, value), **bounds)


def _guarded(guards: tuple[MaybeMissing, ...], value: ast.expr) -> ast.expr:
    for guard in reversed(guards):
        value = called(name("given"), read(guard.value), _function(guard.variable, value))
    return value


def _function(parameter: str | None, value: ast.expr) -> ast.expr:
    params = [] if parameter is None else [ast.arg(parameter)]
    return ast.Lambda(ast.arguments([], params, None, [], [], None, []), value)
