"""Types as they are written in a frozen file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from types import ModuleType, NoneType
from typing import Any, Literal, get_args, get_origin

from fanwise.graph import types as ty

_PLAIN: Mapping[Any, str] = {str: "str", int: "int", float: "float", bool: "bool", bytes: "bytes"}


class NoTextError(Exception):
    """A type has no name in the file."""

    def __init__(self, tp: Any) -> None:
        super().__init__(tp)
        self.tp = tp


class TypeTexts:
    """How types are written: by their names in one module, or as variables of the file."""

    def __init__(self, module: ModuleType | None, name: str) -> None:
        """Begin.

        Args:
            module: Where types have names; None: there is none.
            name: What it is imported as.
        """
        self._module, self._name = module, name
        self._variables: dict[int, tuple[Any, str]] = {}
        self.is_used = False
        """Whether a name of the module was written."""

    def add_variable(self, tp: Any, name: str) -> None:
        """Let a type be written as a variable of the file."""
        self._variables[id(tp)] = tp, name

    def written(self, tp: Any) -> ast.expr:
        """Return a type as an expression.

        Raises:
            NoTextError: It has no name, or a part of it has none.
        """
        named = self._named(tp)
        if named is not None:
            return named
        if ty.is_none(tp):
            return ast.Constant(None)
        if get_origin(tp) is Literal:
            return _indexed("Literal", [_literal(value, tp) for value in get_args(tp)])
        if len(ty.members(tp)) > 1 and ty.strip(tp) is tp:
            return self._union(ty.members(tp))
        if get_origin(tp) is list:
            return _indexed("list", [self.written(get_args(tp)[0])])
        raise NoTextError(tp)

    def _union(self, members: Iterable[Any]) -> ast.expr:
        """Return a union, None last."""
        parts = [member for member in members if not ty.is_none(member)]
        first, *others = [self.written(member) for member in (*parts, NoneType)]
        if len(parts) == len(tuple(members)):
            others.pop()
        for other in others:
            first = ast.BinOp(first, ast.BitOr(), other)
        return first

    def _named(self, tp: Any) -> ast.expr | None:
        if isinstance(tp, type) and tp in _PLAIN:
            return ast.Name(_PLAIN[tp], ast.Load())
        if id(tp) in self._variables:
            return ast.Name(self._variables[id(tp)][1], ast.Load())
        if get_origin(tp) is not None and get_origin(tp) is list:
            return None
        for name, value in vars(self._module).items() if self._module is not None else ():
            if value is tp and name.isidentifier() and not name.startswith("_"):
                self.is_used = True
                return ast.Attribute(ast.Name(self._name, ast.Load()), name, ast.Load())
        return None


def _literal(value: Any, tp: Any) -> ast.expr:
    if type(value) not in (str, int, bool):
        raise NoTextError(tp)
    return constant(value)


def constant(value: Any) -> ast.expr:
    """Return a plain value as an expression, as the parser makes it."""
    if isinstance(value, int | float) and not isinstance(value, bool) and (value < 0 or str(value) == "-0.0"):
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _indexed(name: str, items: list[ast.expr]) -> ast.expr:
    index = items[0] if len(items) == 1 else ast.Tuple(items, ast.Load())
    return ast.Subscript(ast.Name(name, ast.Load()), index, ast.Load())
