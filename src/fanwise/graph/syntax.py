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
from .tracer import Finding

_PLAIN_CALLS = {
    "len",
    "str",
    "int",
    "float",
    "bool",
    "list",
    "tuple",
    "set",
    "sorted",
    "sum",
    "max",
    "min",
    "enumerate",
    "zip",
    "range",
    "any",
    "all",
    "print",
    "repr",
}
_WHEN = "use when(cond, lambda: ...), and &, | and not_() between conditions"


def read(fn: Callable[..., Any], is_call: Callable[[object], bool]) -> list[Finding]:
    """Return the findings in the source of a graph function; none where there is no source.

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
    known = {**fn.__globals__, **dict(_filled(cells))}
    reader = _Reader(fn.__code__.co_filename, known, is_call)
    reader.traced.update(
        arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    )
    for statement in function.body:
        reader.visit(statement)
    return reader.findings


def _filled(cells: Iterable[tuple[str, CellType]]) -> Iterator[tuple[str, Any]]:
    for name, cell in cells:
        try:
            yield name, cell.cell_contents
        except ValueError:  # a local name that is defined further down
            continue


class _Reader(ast.NodeVisitor):
    def __init__(self, file: str, known: Mapping[str, Any], is_call: Callable[[object], bool]) -> None:
        self.file, self.known, self.is_call = file, known, is_call
        self.traced: set[str] = set()
        self.findings: list[Finding] = []

    def is_traced(self, node: ast.AST) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.traced
            case ast.Attribute(value=value) | ast.Subscript(value=value):
                return self.is_traced(value)
            case ast.Call(func=func):
                return self.is_call(self.resolve(func))
            case ast.Compare(left=left, ops=ops, comparators=others):
                if isinstance(ops[0], ast.Is | ast.IsNot | ast.In | ast.NotIn):
                    return False  # a plain truth value, and reported on its own
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
                return self.known.get(name)
            case ast.Attribute(value=value, attr=attr):
                return getattr(self.resolve(value), attr, None)
            case ast.Call(func=ast.Attribute(value=value, attr="options")):
                return self.resolve(value)
            case _:
                return None

    def found(self, node: ast.expr | ast.stmt, kind: str, use: str, hint: str, subject: ast.AST | None = None) -> None:
        what = ast.unparse(subject or node)
        what = what if len(what) <= 60 else f"{what[:57]}..."
        message = f"`{what}` is known only at run time and cannot be used {use}"
        last = node.end_lineno or node.lineno
        self.findings.append(Finding(kind, self.file, node.lineno, last, message, hint))

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
            self.found(test, "bool", "as a condition here", _WHEN)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for value in node.values:
            if self.is_traced(value):
                self.found(node, "bool", "with `and` or `or`", _WHEN, value)
                break
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if self.is_traced(node.operand):
            if isinstance(node.op, ast.Not):
                self.found(node, "bool", "with `not`", "use not_(condition)", node.operand)
            else:
                self.found(node, "arithmetic", "in arithmetic", STEP_HINT, node.operand)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        if self.is_traced(node.iter):
            self.found(node.iter, "loop", "in a loop", "use each(list, agent)")
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if self.is_traced(node.iter):
            self.found(node.iter, "loop", "in a loop", "use each(list, agent)")
        for test in node.ifs:
            self._test(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for op, subject in zip(node.ops, (node.left, *node.comparators), strict=False):
            right = node.comparators[node.ops.index(op)]
            if isinstance(op, ast.Is | ast.IsNot) and (self.is_traced(subject) or self.is_traced(right)):
                self.found(
                    node, "is", "with `is`", "use given(value, lambda v: ...) for a value that may be missing", subject
                )
            if isinstance(op, ast.In | ast.NotIn) and (self.is_traced(subject) or self.is_traced(right)):
                self.found(node, "in", "with `in`", STEP_HINT, subject)
        self.generic_visit(node)

    def visit_Match(self, node: ast.Match) -> None:
        if self.is_traced(node.subject):
            self.found(node.subject, "match", "in `match`", _WHEN)
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        for inner in node.body:
            for part in ast.walk(inner):
                if isinstance(part, ast.Call) and self.is_traced(part):
                    self.found(
                        node, "try", "in `try`", "a failure is a value: use optional(...) or each(..., need=k)", part
                    )
                    self.generic_visit(node)
                    return
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and self.is_traced(part.value):
                self.found(node, "text", "as text (f-string, str())", "pass it to the agent as an argument", part.value)
                break
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not isinstance(node.op, ast.BitAnd | ast.BitOr):
            for side in (node.left, node.right):
                if self.is_traced(side):
                    self.found(node, "arithmetic", "in arithmetic", STEP_HINT, side)
                    return
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in _PLAIN_CALLS and node.func.id not in self.known:
            for arg in node.args:
                if self.is_traced(arg):
                    kind = {"len": "len", "str": "text", "int": "number", "float": "number", "bool": "bool"}
                    self.found(node, kind.get(node.func.id, "loop"), f"with {node.func.id}()", STEP_HINT, arg)
                    break
        self.generic_visit(node)


def _names(target: ast.expr) -> Iterator[str]:
    for part in ast.walk(target):
        if isinstance(part, ast.Name):
            yield part.id
