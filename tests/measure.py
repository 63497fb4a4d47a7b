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
"""Lines of a function; positional parameters of a constructor or tuple; fields of a record that is not kw_only."""


@dataclass
class Figures:
    """What was measured, each with its place."""

    names: int = 0
    vague: list[str] = field(default_factory=list)
    functions: list[tuple[int, int, bool, str]] = field(default_factory=list)
    """Complexity, lines, whether it is a flat table of cases, place."""
    positional: list[str] = field(default_factory=list)
    """Constructors and records with too many positional parameters."""


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


def measure(path: Path, figures: Figures) -> None:
    """Add what a file holds."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
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
            given = len(node.args.posonlyargs) + len(node.args.args) - 1
            if node.name == "__init__" and given > MOST_POSITIONAL:
                figures.positional.append(f"{place} takes {given} by position")
        if isinstance(node, ast.ClassDef) and (problem := record_problem(node)) is not None:
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
        f"constructors and records with too many positional parameters: {len(figures.positional)}": bool(
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
