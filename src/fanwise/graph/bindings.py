"""What the names, attributes and items of a graph function that is read come to hold; its imports and definitions."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Sequence
from typing import Any, cast

from fanwise.foreign import let_through

from .applying import Calls
from .reference import Ref
from .symbols import PLAIN, Fields, Function, InnerClass, NameScope, as_symbol, holds, items_of, put, unknown
from .tracer import Tracer

_KEEP_HINT = "keep it in a local name, a list, a dict or an object of a class of yours"


class Bindings(Calls):
    """Gives names what they hold."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(tracer)
        self._declared: dict[tuple[NameScope, str], str] = {}
        """`global` or `nonlocal`, of the names that are said to be so."""

    def run(self, body: Sequence[ast.stmt], scope: NameScope) -> bool:
        """Read statements; return whether what follows them is reached."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Any, scope: NameScope) -> None:
        """Give what stands on the left of an assignment its value."""
        match target:
            case ast.Name(id=name):
                self._bind(target, value, scope)
            case ast.Starred(value=inner):
                self.assign(inner, value, scope)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                self._unpack(target, parts, value, scope)
            case ast.Attribute(value=inner, attr=name):
                owner = self.value(inner, scope)
                if isinstance(owner, Fields):
                    owner.values[name] = value
                elif type(owner) is Ref:
                    setattr(owner, name, value)
                else:
                    self._lose(target, value, inner, scope)
            case ast.Subscript(value=inner, slice=index):
                self._set_item(target, self.value(inner, scope), self.value(index, scope), value, scope)
            case _:
                pass

    def _unpack(self, target: ast.expr, parts: Sequence[ast.expr], value: Any, scope: NameScope) -> None:
        if type(value) is Ref:
            hint = "read its items by their number: value[0]"
            self.add_mistake(target, "loop", "to be unpacked", hint, scope)
        items = items_of(cast("object", value)) if isinstance(value, list | tuple) else []
        starred = next((number for number, part in enumerate(parts) if isinstance(part, ast.Starred)), None)
        if starred is not None and items:
            behind = len(parts) - starred - 1
            end = len(items) - behind
            items = [*items[:starred], items[starred:end], *items[end:]]
        missing = unknown(self.tracer) if holds(cast("object", value)) else PLAIN
        for number, part in enumerate(parts):
            self.assign(part, items[number] if number < len(items) else missing, scope)

    def _set_item(self, target: ast.Subscript, owner: Any, key: Any, value: Any, scope: NameScope) -> None:
        if type(key) is Ref:
            self.add_key_mistake(target, scope, target.slice, "do this in a @step")
        elif isinstance(owner, dict):
            put(cast("dict[Any, Any]", owner), key, value)
        elif isinstance(owner, list):
            cast("list[Any]", owner).append(value)
        elif isinstance(owner, Fields):
            self.by_method(owner, "__setitem__", (key, value), target, scope)
        elif type(owner) is not Ref:
            self._lose(target, value, target.value, scope)

    def _bind(self, target: ast.Name, value: Any, scope: NameScope) -> None:
        how = self._declared.get((scope, target.id))
        home = scope.home_of(target.id) if how == "nonlocal" else None
        (home or scope).names[target.id] = value
        if how == "global" and holds(value):
            self.add_mistake(target, "keep", "as a global name", _KEEP_HINT, scope)

    def _lose(self, target: ast.expr, value: Any, owner: ast.expr, scope: NameScope) -> None:
        """Note a traced value that is put where it is not found again by reading."""
        if holds(value):
            use = f"to be kept in `{ast.unparse(owner)}`, which is not followed"
            self.add_mistake(target, "keep", use, _KEEP_HINT, scope)

    def _do_Global(self, node: ast.Global | ast.Nonlocal, scope: NameScope) -> None:
        how = "global" if isinstance(node, ast.Global) else "nonlocal"
        self._declared |= {(scope, name): how for name in node.names}

    _do_Nonlocal = _do_Global

    def _do_Import(self, node: ast.Import, scope: NameScope) -> None:
        for alias in node.names:
            module = _imported(alias.name, 0, scope)
            whole = module if alias.asname else _imported(alias.name.partition(".")[0], 0, scope)
            scope.names[alias.asname or alias.name.partition(".")[0]] = whole

    def _do_ImportFrom(self, node: ast.ImportFrom, scope: NameScope) -> None:
        module = _imported(node.module or "", node.level, scope)
        for alias in node.names:
            scope.names[alias.asname or alias.name] = as_symbol(getattr(module, alias.name, PLAIN))

    def _do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: NameScope) -> None:
        function: Any = Function(name=node.name, arguments=node.args, body=node.body, scope=scope, default_scope=scope)
        for decorator in reversed(node.decorator_list):
            function = self.decorated(decorator, function, scope)
        scope.names[node.name] = function

    _do_AsyncFunctionDef = _do_FunctionDef

    def _do_ClassDef(self, node: ast.ClassDef, scope: NameScope) -> None:
        inner = NameScope(scope.file, scope)
        self.run(node.body, inner)
        annotated = (part.target for part in node.body if isinstance(part, ast.AnnAssign))
        fields = tuple(name.id for name in annotated if isinstance(name, ast.Name))
        scope.names[node.name] = InnerClass(
            name=node.name, members=inner.names, fields=fields,
            bases=tuple(self.value(base, scope) for base in node.bases),
        )  # fmt: skip


def _imported(name: str, level: int, scope: NameScope) -> Any:
    """Return a module that a function imports, as it does when it runs; a plain value where that fails."""
    around: Any = scope
    while isinstance(around, NameScope):
        around = around.around
    try:
        return importlib.import_module("." * level + name, around.get("__package__"))
    except BaseException as error:  # of a module of the user's
        let_through(error)
        return PLAIN
