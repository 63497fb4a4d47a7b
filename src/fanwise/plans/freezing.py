"""A checked plan as an ordinary file of Python: what a model has planned, for people to read, edit and commit.

It is code that a model has written in part. So every text of the plan is a literal, names are those that the checks
have let through, and what is written is parsed: it must be the tree that was built from the plan, and nothing else.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from fanwise.errors import DefinitionError, Mistake

from .checking import CheckedPlan
from .filetree import FileTree, FrozenSources
from .layout import source_of
from .offer import NAME, TAKEN


class NotSameTreeError(Exception):
    """The source of a frozen file is not what was built from its plan; nothing is written."""


def freeze_plan(checked: CheckedPlan, graph: str, sources: FrozenSources) -> str:
    """Return the source of a plan: a file with one graph, which traces to the nodes that `compile_plan` returns.

    Args:
        checked: The plan.
        graph: Name of the graph.
        sources: Where agents, types and documents stand.

    Raises:
        DefinitionError: A name cannot be used, or a type or a block has none; all of them, each with its place.
    """
    mistakes = [*_name_mistakes(checked, graph, sources)]
    if mistakes:
        raise DefinitionError("task plan", tuple(mistakes))
    groups = FileTree(checked, graph, sources).groups()
    source = _joined(groups)
    built = ast.Module([statement for group in groups for statement in group], [])
    if ast.dump(ast.parse(source)) != ast.dump(built):
        raise NotSameTreeError(f"the source of {graph!r} is not the tree of its plan")
    return source


def _joined(groups: list[list[ast.stmt]]) -> str:
    """Return the source of a file: two empty lines around functions, one between other groups."""
    source, was_function = "", False
    for group in groups:
        is_function = isinstance(group[0], ast.FunctionDef)
        empty = "\n\n\n" if is_function or was_function else "\n\n"
        source += (empty if source else "") + "\n".join(map(source_of, group))
        was_function = is_function
    return f"{source}\n"


def graph_name_mistakes(graph: str) -> Iterator[Mistake]:
    """Yield why a graph cannot be called so in a file of its own; nothing where it can."""
    if not NAME.fullmatch(graph) or graph in TAKEN:
        yield Mistake("graph", f"{graph[:60]!r} is no name for a graph", f"write {NAME.pattern}, no word of Python")


def _name_mistakes(checked: CheckedPlan, graph: str, sources: FrozenSources) -> Iterator[Mistake]:
    """Yield names of the file that cannot stand beside each other."""
    yield from graph_name_mistakes(graph)
    module = sources.module_name
    is_plain = module.isascii() and module.isidentifier() and module.upper() != module
    if sources.module is not None and (not is_plain or module in {*TAKEN, *sys.stdlib_module_names}):
        hint = "write it in small letters, and as no module of Python"
        yield Mistake("types", f"{module[:60]!r} cannot be imported under its name", hint)
    for call in checked.calls:
        if call.name in (graph, module):
            yield Mistake(f"tasks[{call.number}].name", f"{call.name!r} is the name of the graph, or of a module")
