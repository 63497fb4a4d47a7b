"""Names, complexity, lengths and parameters of the code: `python tests/measure.py [--check] [--list] [FOLDER ...]`.

The bounds are those of code that is read with pleasure (httpcore, svcs, anyio); `--check` ends with 1 where one is
passed. Complexity of a function is 1 and 1 more for each if, for, while, except, assert, ternary, comprehension (and
each of its ifs), match case, and each further operand of `and` and `or`; functions inside count for themselves alone.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

VAGUE = {
    "one", "found", "made", "told", "known", "given", "mine", "said", "taken", "asked", "put", "whole", "it", "them",
    "thing", "stuff", "this", "that", "each", "other", "same",
}  # fmt: skip
"""Names that do not say what they hold."""
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.IfExp, ast.match_case)
Function = ast.FunctionDef | ast.AsyncFunctionDef
MOST_VAGUE, MOST_COMPLEX, MOST_BRANCHING = 0.01, 0.008, 14
"""Share of vague names, share of functions over the complexity that follows it."""
HIGHEST, P90 = 24, 7
"""Complexity that only a flat table of cases may pass, and that of nine functions of ten."""
MOST_LINES, MOST_POSITIONAL, MOST_FIELDS = 60, 8, 3
"""Lines of a function; positional parameters of a function or fields of a tuple; fields of a record that is not
kw_only, and values that a tuple is made of by position."""
BY_POSITION = {
    "Usage in read_usage": "made of every reply: by names it takes 1.1 microseconds, by position 0.6",
    "_SharedPart in part": "made of every row of an account, of which there may be millions: likewise",
    "RowCost in _row_cost": "likewise",
}
"""Tuples of more fields that are made by position all the same, each with the reason."""


@dataclass
class Figures:
    """What was measured, each with its place."""

    names: int = 0
    vague: list[str] = field(default_factory=list)
    functions: list[tuple[int, int, bool, str]] = field(default_factory=list)
    """Complexity, lines, whether it is a flat table of cases, place."""
    positional: list[str] = field(default_factory=list)
    """Functions and records with too many positional parameters, tuples that are made by position."""
    tuples: set[str] = field(default_factory=set)
    """Names of tuples with more than `MOST_FIELDS` fields."""
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    """What is called with more than `MOST_FIELDS` values by position: name, function around it, place."""


def inside(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions, classes and lambdas inside of it."""
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def complexity(function: Function) -> int:
    """Return 1 and the number of branches of a function."""
    total = 1
    for node in inside(function):
        total += isinstance(node, BRANCHES)
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
    return total


def is_table(function: Function) -> bool:
    """Return whether a function is a flat table: a chain of cases, none of which holds further branches."""
    tests = [node for node in function.body if isinstance(node, ast.If | ast.Match)]
    deep = [
        inner
        for test in tests
        for node in ast.walk(test)
        if isinstance(node, ast.If | ast.For | ast.While | ast.Match)
        for inner in ast.walk(node)
        if inner is not node and isinstance(inner, ast.For | ast.While | ast.Try)
    ]
    return len(tests) >= len(function.body) // 2 and not deep


def record_problem(node: ast.ClassDef) -> str | None:
    """Return what is wrong with a record: too many fields that are, or may be, given by position."""
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    dataclass_ = next((text for text in decorators if text.split("(")[0].endswith("dataclass")), None)
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign) and "ClassVar" not in ast.unparse(item)]
    count = sum("init=False" not in ast.unparse(item) for item in fields)
    if "NamedTuple" in bases and count > MOST_POSITIONAL:
        return f"{node.name} is a tuple of {count}"
    if dataclass_ is not None and "kw_only=True" not in dataclass_ and count > MOST_FIELDS:
        return f"{node.name} has {count} fields and is not kw_only"
    return None


def is_long_tuple(node: ast.ClassDef) -> bool:
    """Return whether a class is a tuple of so many fields that it is to be made by their names."""
    fields = sum(isinstance(item, ast.AnnAssign) for item in node.body)
    return fields > MOST_FIELDS and any(ast.unparse(base).endswith("NamedTuple") for base in node.bases)


def calls_by_position(path: Path, tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    """Yield what is called with more than `MOST_FIELDS` values by position: its name, the function around it, place."""
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, around = stack.pop()
        if isinstance(node, Function):
            around = node.name
        if isinstance(node, ast.Call) and len(node.args) > MOST_FIELDS:
            yield ast.unparse(node.func).rpartition(".")[2], around, f"{path}:{node.lineno}"
        stack.extend((child, around) for child in ast.iter_child_nodes(node))


def by_position(figures: Figures) -> list[str]:
    """Return the long tuples that are made by position, without those that have a reason."""
    return [
        f"{place} makes {name} by position"
        for name, around, place in figures.calls
        if name in figures.tuples and f"{name} in {around}" not in BY_POSITION
    ]


def measure(path: Path, figures: Figures) -> None:
    """Add what a file holds."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    figures.calls += calls_by_position(path, tree)
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        if name is not None:
            figures.names += 1
            if name in VAGUE:
                figures.vague.append(f"{path}:{node.lineno} {name}")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            place = f"{path}:{node.lineno} {node.name}"
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            figures.functions.append((complexity(node), lines, is_table(node), place))
            names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args) if arg.arg not in ("self", "cls")]
            if len(names) > MOST_POSITIONAL:
                figures.positional.append(f"{place} takes {len(names)} by position")
        if isinstance(node, ast.ClassDef):
            if is_long_tuple(node):
                figures.tuples.add(node.name)
            if (problem := record_problem(node)) is not None:
                figures.positional.append(f"{path}:{node.lineno} {problem}")


def passed(figures: Figures) -> list[str]:
    """Return the bounds that are passed, in words."""
    count = max(len(figures.functions), 1)
    branches = sorted(branching for branching, _, _, _ in figures.functions) or [0]
    complex_ = [place for branching, _, _, place in figures.functions if branching > MOST_BRANCHING]
    highest = [place for branching, _, table, place in figures.functions if branching > HIGHEST and not table]
    long = [place for _, lines, _, place in figures.functions if lines > MOST_LINES]
    p90 = branches[int(0.9 * (len(branches) - 1))]
    bounds = {
        f"names that do not say what they hold: {len(figures.vague)} of {figures.names}": (
            len(figures.vague) > MOST_VAGUE * figures.names
        ),
        f"functions over complexity {MOST_BRANCHING}: {len(complex_)} of {count}": len(complex_) > MOST_COMPLEX * count,
        f"functions over complexity {HIGHEST} that are no table of cases: {len(highest)}": bool(highest),
        f"90th percentile of complexity: {p90}": p90 > P90,
        f"functions over {MOST_LINES} lines: {len(long)}": bool(long),
        f"functions and records with too many positional parameters: {len(figures.positional)}": bool(
            figures.positional
        ),
    }
    return [text for text, is_passed in bounds.items() if is_passed]


def main() -> int:
    """Print what passes a bound; return 1 where something does and `--check` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", default=["src"])
    parser.add_argument("--check", action="store_true", help="end with 1 where a bound is passed")
    parser.add_argument("--list", action="store_true", help="name every place")
    options = parser.parse_args()
    figures = Figures()
    for folder in map(Path, options.folders):
        for path in sorted(folder.rglob("*.py")) if folder.is_dir() else [folder]:
            measure(path, figures)
    figures.positional += by_position(figures)
    broken = passed(figures)
    print("\n".join(broken) or "every bound is kept")
    if options.list:
        places = [
            f"{count:3d} {place}" for count, _, _, place in sorted(figures.functions, reverse=True) if count > P90
        ]
        long = [f"{count} lines: {place}" for _, count, _, place in figures.functions if count > MOST_LINES]
        print("\n".join([*figures.vague, *places, *long, *figures.positional]))
    return 1 if broken and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
