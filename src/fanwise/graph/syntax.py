"""Reading the syntax tree of a graph function for uses of traced values that Python hides.

`is`, `and`, `match` or `try` never call a method that a reference could answer, and a branch
that is not taken is never traced. A name counts as traced when it is a parameter or was assigned
from a call of an agent, step, graph or `each`-like function, or from a part of such a value.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CellType
from typing import Any

from .reference import STEP_HINT
from .tracer import TracedMistake

_LOOPING = (
    "list", "tuple", "set", "sorted", "sum", "max", "min", "enumerate", "zip", "range", "any", "all", "print", "repr",
)  # fmt: skip
_PLAIN_CALLS = dict.fromkeys(_LOOPING, "loop") | {
    "len": "len", "str": "text", "int": "number", "float": "number", "bool": "bool",
}  # fmt: skip
"""Functions that want a plain value, each with the kind of the mistake that a traced one is."""
_WHEN = "use when(cond, lambda: ...), and &, | and not_() between conditions"


def mistakes_in(fn: Callable[..., Any], is_call: Callable[[object], bool]) -> list[TracedMistake]:
    """Return the mistakes in the source of a graph function; none where there is no source.

    Args:
        fn: The graph function.
        is_call: Tells whether a global object gives a traced value when it is called.
    """
    try:
        lines, start = inspect.getsourcelines(fn)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return []
    function = next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)
    if function is None:
        return []
    ast.increment_lineno(tree, start - 1)
    cells = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
    names = {**fn.__globals__, **dict(_filled(cells))}
    reader = _Reader(fn.__code__.co_filename, names, is_call)
    reader.traced.update(
        arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    )
    for statement in function.body:
        reader.visit(statement)
    return reader.mistakes


def _filled(cells: Iterable[tuple[str, CellType]]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells:
        try:
            yield name, cell.cell_contents
        except ValueError:  # a local name that is defined further down
            continue


class _Reader(ast.NodeVisitor):
    """Collects the mistakes of a function while it goes through its statements."""

    def __init__(self, file: str, names: Mapping[str, Any], is_call: Callable[[object], bool]) -> None:
        self.file, self.names, self.is_call = file, names, is_call
        self.traced: set[str] = set()
        """Names that hold traced values where the reader stands."""
        self.mistakes: list[TracedMistake] = []

    def is_traced(self, node: ast.AST) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.traced
            case ast.Attribute(value=value) | ast.Subscript(value=value):
                return self.is_traced(value)
            case ast.Call(func=func):
                return self.is_call(self.resolve(func))
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn(), *_]):
                return False  # a plain truth value, and reported on its own
            case ast.Compare(left=left, comparators=others):
                return any(self.is_traced(part) for part in (left, *others))
            case ast.BinOp(left=left, right=right):
                return self.is_traced(left) or self.is_traced(right)
            case ast.NamedExpr(value=value):
                return self.is_traced(value)
            case _:
                return False

    def resolve(self, func: ast.expr) -> object:
        match func:
            case ast.Name(id=name):
                return self.names.get(name)
            case ast.Attribute(value=value, attr=attr):
                return getattr(self.resolve(value), attr, None)
            case ast.Call(func=ast.Attribute(value=value, attr="options")):
                return self.resolve(value)
            case _:
                return None

    def add_mistake(
        self, node: ast.expr | ast.stmt, kind: str, use: str, hint: str, subject: ast.AST | None = None
    ) -> None:
        """Note that a traced value, `subject` or the node itself, is used as a plain one."""
        text = ast.unparse(subject or node)
        text = text if len(text) <= 60 else f"{text[:57]}..."
        message = f"`{text}` is known only at run time and cannot be used {use}"
        last = node.end_lineno or node.lineno
        self.mistakes.append(
            TracedMistake(kind=kind, file=self.file, line=node.lineno, last_line=last, message=message, hint=hint)
        )

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            for name in _names(target):
                (self.traced.add if self.is_traced(node.value) else self.traced.discard)(name)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if node.value is not None and self.is_traced(node.value):
            self.traced.update(_names(node.target))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        inner = {arg.arg for arg in node.args.args}
        added = inner - self.traced
        self.traced |= inner
        self.generic_visit(node)
        self.traced -= added

    def visit_If(self, node: ast.If) -> None:
        self._test(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._test(node.test)
        self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        self._test(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._test(node.test)
        self.generic_visit(node)

    def _test(self, test: ast.expr) -> None:
        if self.is_traced(test):
            self.add_mistake(test, "bool", "as a condition here", _WHEN)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for value in node.values:
            if self.is_traced(value):
                self.add_mistake(node, "bool", "with `and` or `or`", _WHEN, value)
                break
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if self.is_traced(node.operand):
            if isinstance(node.op, ast.Not):
                self.add_mistake(node, "bool", "with `not`", "use not_(condition)", node.operand)
            else:
                self.add_mistake(node, "arithmetic", "in arithmetic", STEP_HINT, node.operand)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        if self.is_traced(node.iter):
            self.add_mistake(node.iter, "loop", "in a loop", "use each(list, agent)")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if self.is_traced(node.iter):
            self.add_mistake(node.iter, "loop", "in a loop", "use each(list, agent)")
        for test in node.ifs:
            self._test(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for op, subject, right in zip(node.ops, (node.left, *node.comparators), node.comparators, strict=False):
            if not self.is_traced(subject) and not self.is_traced(right):
                continue
            if isinstance(op, ast.Is | ast.IsNot):
                self.add_mistake(
                    node, "is", "with `is`", "use given(value, lambda v: ...) for a value that may be missing", subject
                )
            if isinstance(op, ast.In | ast.NotIn):
                self.add_mistake(node, "in", "with `in`", STEP_HINT, subject)
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        if self.is_traced(node.subject):
            self.add_mistake(node.subject, "match", "in `match`", _WHEN)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        parts = (part for statement in node.body for part in ast.walk(statement))
        call = next((part for part in parts if isinstance(part, ast.Call) and self.is_traced(part)), None)
        if call is not None:
            hint = "a failure is a value: use optional(...) or each(..., need=k)"
            self.add_mistake(node, "try", "in `try`", hint, call)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and self.is_traced(part.value):
                self.add_mistake(
                    node, "text", "as text (f-string, str())", "pass it to the agent as an argument", part.value
                )
                break
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not isinstance(node.op, ast.BitAnd | ast.BitOr):
            for side in (node.left, node.right):
                if self.is_traced(side):
                    self.add_mistake(node, "arithmetic", "in arithmetic", STEP_HINT, side)
                    return
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _PLAIN_CALLS and name not in self.names:
            argument = next((argument for argument in node.args if self.is_traced(argument)), None)
            if argument is not None:
                self.add_mistake(node, _PLAIN_CALLS[name], f"with {name}()", STEP_HINT, argument)
        self.generic_visit(node)


def _names(target: ast.expr) -> Iterator[str]:
    for part in ast.walk(target):
        if isinstance(part, ast.Name):
            yield part.id
