"""Reading a graph function, before it is run, for uses of traced values that Python hides.

`is`, `isinstance`, a look-up in a dict or `match` never call a method that a reference could answer, a branch
that is not taken is never traced, and a `while` need not end. So the function is read first: every statement
once, both branches of every condition, and all helpers that it calls. A function in which the reading has
found a mistake is not run at all; misspelt fields and wrong arguments are found by the reading then too.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, cast

from .bindings import Bindings
from .expr import Get
from .expressions import EndlessReadingError
from .reference import WHEN_HINT, Ref
from .symbols import (
    PLAIN,
    Fields,
    Function,
    NameScope,
    function_of,
    holds,
    joined,
    unknown,
)  # fmt: skip
from .tracer import TracedMistake, Tracer, active


def mistakes_in(target: Any) -> list[TracedMistake]:
    """Return the mistakes of a graph by its source, in no order; none where there is no source.

    Args:
        target: The graph.
    """
    source = function_of(target.fn)
    if source is None:
        return []
    tracer = Tracer()
    kind: type[Any] = target.__class__
    reader = _Reader(tracer, kind)
    args = tuple(Ref(tracer, Get(tracer.new_slot(name)), tp, name) for name, tp in target.params.items())
    token = active.set(tracer)
    tracer.graphs.append(target.name)
    try:
        reader.follow(source, args, {})
    except (EndlessReadingError, RecursionError):
        pass  # what was found so far is right
    finally:
        active.reset(token)
    if not reader.mistakes:
        return []  # what is wrong beside shows when it is run, with its values
    return reader.mistakes + [later for later in tracer.mistakes if not _is_among(reader.mistakes, later)]


def _is_among(mistakes: Sequence[TracedMistake], later: TracedMistake) -> bool:
    return any(before.kind == later.kind and before.same_place(later) for before in mistakes)


class _Reader(Bindings):
    """Goes through the statements of a function."""

    def __init__(self, tracer: Tracer, graph_type: type) -> None:
        super().__init__(tracer)
        self.graph_type = graph_type
        self._chain: list[object] = []
        """Functions that are being followed, outermost first."""
        self._returned: list[list[Any]] = []
        self._yielded: list[list[Any]] = [[]]

    def follow(self, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return what a function comes to; one that calls itself is looked at once."""
        if function.body in self._chain or len(self._chain) > 40:
            return unknown(self.tracer, function.name)
        scope = NameScope(function.scope.file, function.scope)
        scope.names.update(self._arguments(function, args, kwargs))
        self._chain.append(function.body)
        try:
            if isinstance(function.body, ast.expr):
                return self.value(function.body, scope)
            self._returned.append([])
            self._yielded.append([])
            falls = self.run(function.body, scope)
            values, yielded = self._returned.pop() + ([None] if falls else []), self._yielded.pop()
            return yielded or joined(self.tracer, values)
        finally:
            self._chain.pop()

    def _arguments(self, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the names that a function begins with; what is not passed has its default."""
        spec, names = function.arguments, dict[str, Any]()
        places = [*spec.posonlyargs, *spec.args]
        for arg, default in zip(reversed(places), reversed(spec.defaults), strict=False):
            names[arg.arg] = self.value(default, function.default_scope)
        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            names[arg.arg] = PLAIN if default is None else self.value(default, function.default_scope)
        names |= {arg.arg: PLAIN for arg in places if arg.arg not in names}
        names |= {arg.arg: value for arg, value in zip(places, args, strict=False)}
        if spec.vararg is not None:
            names[spec.vararg.arg] = tuple(args[len(places) :])
        all_named = {arg.arg for arg in (*places, *spec.kwonlyargs)}
        names |= {name: value for name, value in kwargs.items() if name in all_named}
        if spec.kwarg is not None:
            names[spec.kwarg.arg] = {name: value for name, value in kwargs.items() if name not in all_named}
        return names

    # Statements --------------------------------------------------------------------------------

    def run(self, body: Sequence[ast.stmt], scope: NameScope) -> bool:
        """Read statements; return whether what follows them is reached."""
        for number, node in enumerate(body):
            read = getattr(self, f"_do_{type(node).__name__}", None)
            if read is None:
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.value(part, scope)
            elif read(node, scope) is False:
                if number + 1 < len(body) and not isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue):
                    self.run(body[number + 1 :], NameScope(scope.file, scope))  # for its mistakes alone
                return False
        return True

    def _do_Return(self, node: ast.Return, scope: NameScope) -> bool:
        self._returned[-1].append(None if node.value is None else self.value(node.value, scope))
        return False

    def _do_Raise(self, node: ast.Raise, scope: NameScope) -> bool:
        for part in (node.exc, node.cause):
            if part is not None:
                self.value(part, scope)
        return False

    def _do_Break(self, node: ast.Break | ast.Continue, scope: NameScope) -> bool:
        return False

    _do_Continue = _do_Break

    def _do_Assign(self, node: ast.Assign, scope: NameScope) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _do_AnnAssign(self, node: ast.AnnAssign, scope: NameScope) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value, scope), scope)

    def _do_AugAssign(self, node: ast.AugAssign, scope: NameScope) -> None:
        left = ast.copy_location(ast.parse(ast.unparse(node.target), mode="eval").body, node.target)
        for part in ast.walk(left):
            ast.copy_location(part, node.target)
        both = ast.copy_location(ast.BinOp(left=left, op=node.op, right=node.value), node)
        self.assign(node.target, self.value(both, scope), scope)

    def _do_If(self, node: ast.If, scope: NameScope) -> bool:
        self.test(node.test, scope)
        return self._branches([node.body, node.orelse], scope)

    def _branches(self, bodies: Sequence[Sequence[ast.stmt]], scope: NameScope) -> bool:
        """Read each of several bodies from the same names; return whether what follows is reached."""
        before, reached = dict(scope.names), list[dict[str, Any]]()
        for body in bodies:
            scope.names = dict(before)
            if self.run(body, scope):
                reached.append(scope.names)
        names = {name: None for ends in reached for name in ends}
        scope.names = {
            name: joined(self.tracer, [ends[name] for ends in reached if name in ends]) for name in names
        } or before
        return bool(reached)

    def _do_While(self, node: ast.While, scope: NameScope) -> bool:
        for _ in range(2):  # what the body sets is what the test sees next
            self.test(node.test, scope)
            self._branches([node.body, []], scope)
        self.run(node.orelse, scope)
        return True

    def _do_For(self, node: ast.For | ast.AsyncFor, scope: NameScope) -> bool:
        items = self.iterated(node.iter, scope) or [PLAIN]
        for item in [*items, *items[-1:]]:
            self.assign(node.target, item, scope)
            self._branches([node.body, []], scope)
        self.run(node.orelse, scope)
        return True

    _do_AsyncFor = _do_For

    def _do_Assert(self, node: ast.Assert, scope: NameScope) -> None:
        self.test(node.test, scope)

    def _do_With(self, node: ast.With | ast.AsyncWith, scope: NameScope) -> bool:
        for item in node.items:
            value = self.value(item.context_expr, scope)
            if isinstance(value, Fields):
                value = self.by_method(value, "__enter__", (), item.context_expr, scope)
            elif isinstance(value, list):  # what a function yields that opens and closes
                value = joined(self.tracer, cast("list[Any]", value))
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value if holds(value) else PLAIN, scope)
        return self.run(node.body, scope)

    _do_AsyncWith = _do_With

    def _do_Try(self, node: ast.Try, scope: NameScope) -> bool:
        calls = len(self.calls)
        self._branches([[*node.body, *node.orelse], []], scope)
        if len(self.calls) > calls:
            hint = "a failure is a value: use optional(...) or each(..., need=k)"
            self.add_mistake(node, "try", "in `try`", hint, scope, self.calls[calls])
        self._branches([*(handler.body for handler in node.handlers), []], scope)
        return self.run(node.finalbody, scope)

    _do_TryStar = _do_Try

    def _do_Match(self, node: ast.Match, scope: NameScope) -> bool:
        subject = self.value(node.subject, scope)
        if holds(subject):
            self.add_mistake(node.subject, "match", "in `match`", WHEN_HINT, scope)
        for case in node.cases:
            for pattern in ast.walk(case.pattern):
                name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                if isinstance(name, str):
                    scope.names[name] = unknown(self.tracer, name) if holds(subject) else PLAIN
            if case.guard is not None:
                self.test(case.guard, scope)
        return self._branches([*(case.body for case in node.cases), []], scope)

    # What a function yields --------------------------------------------------------------------

    def _read_Yield(self, node: ast.Yield, scope: NameScope) -> Any:
        self._yielded[-1].append(PLAIN if node.value is None else self.value(node.value, scope))
        return PLAIN

    def _read_YieldFrom(self, node: ast.YieldFrom, scope: NameScope) -> Any:
        self._yielded[-1] += self.iterated(node.value, scope)
        return PLAIN
