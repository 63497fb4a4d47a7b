"""`fanwise freeze`: a task plan as a file of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from fanwise.errors import UsageError
from fanwise.graph.remarks import without_words
from fanwise.paths import fixed, typed
from fanwise.plans import PlanLimits
from fanwise.plans.limits import MOST_TASKS
from fanwise.rendering.files import check_place, replace_file
from fanwise.studies import freezing as study

from .agents import inherit_option
from .command import Command
from .saying import echo

F = TypeVar("F", bound=Callable[..., Any])
_BOUND = click.IntRange(min=1)


def limit_options(command: F) -> F:
    """Add the options that say what a plan may come to."""
    options: Iterable[Callable[[F], F]] = (
        click.option(
            "--most-tasks", type=_BOUND, default=MOST_TASKS, show_default=True, help="Refuse a plan with more tasks."
        ),
        click.option("--most-items", type=_BOUND, default=None, help="Refuse a task that may run for more items."),
        click.option(
            "--most-rounds", type=_BOUND, default=None, help="Refuse a plan whose tasks wait for each other longer."
        ),
        click.option(
            "--most-calls", type=_BOUND, default=None, help="Refuse a plan that may send more requests a row."
        ),
    )
    for option in reversed(list(options)):
        command = option(command)
    return command


def given_limits(options: dict[str, Any]) -> PlanLimits:
    """Take the values of these options out of a command's."""
    names = {"tasks": "most_tasks", "width": "most_items", "depth": "most_rounds", "calls": "most_calls"}
    return PlanLimits(**{limit: options.pop(name) for limit, name in names.items()})


def graph_file(file: str) -> Path:
    """Return where a graph is going to be written.

    Raises:
        UsageError: It is no name of a Python file, or lies where none can be.
    """
    path = fixed(file)
    if path.suffix != ".py":
        raise UsageError(f"{file!r} is no name of a Python file; write FILE.py")
    check_place(path)
    return path


@click.command(cls=Command)
@click.argument("plan", metavar="PLAN.json")
@click.option("--agents", "folder", metavar="DIR", required=True, help="The folder of the agents that it names.")
@click.option("--types", metavar="FILE.py", required=True, help="Where types and documents stand: beside FILE.")
@click.option("--row", metavar="TYPE", required=True, help="The type of a row, by its name there.")
@click.option("--output", metavar="TYPE", default=None, help="The type that a row's output must have.")
@click.option("--write", "file", metavar="FILE.py", required=True, help="Where the graph is written.")
@click.option("--name", metavar="NAME", default=None, help="Name of the graph. [default: that of FILE]")
@inherit_option
@limit_options
def freeze(plan: str, file: str, name: str | None, **options: Any) -> None:
    """Check the task plan PLAN.json and write it as an ordinary graph of Python, which `fanwise run` takes.

    All mistakes are told at once, each with its place in the plan, and nothing is written then. Nothing is sent. A
    file that is there already with another content stays as it is.
    """
    path, limits = graph_file(file), given_limits(options)
    frozen = study.freeze(
        plan, agents=options["folder"], types=options["types"], row=options["row"], output=options["output"],
        file=path, graph=name, inherit=options["inherit"], limits=limits,
    )  # fmt: skip
    echo(write_graph(path, name or path.stem, frozen))


def write_graph(path: Path, name: str, frozen: study.Frozen) -> str:
    """Write a frozen plan, where no other file stands; return in words what was written.

    Args:
        path: Where.
        name: Name of the graph.
        frozen: What was frozen.

    Raises:
        UsageError: Another file stands there, or it cannot be written.
    """
    _write(path, frozen.source)
    count = len(frozen.plan.tasks)
    tasks = f"{count} task{'s' if count != 1 else ''}"
    for agent, missing in frozen.without.items():
        echo(f"fanwise: {without_words(agent, missing)}; give it by tools= in {typed(path)}", err=True)
    return f"{typed(path)}:{name}: {tasks}, task plan {frozen.plan.hash[:12]}"


def _write(path: Path, source: str) -> None:
    """Write a file, where no other one stands.

    Raises:
        UsageError: One does, or it cannot be written.
    """
    try:
        is_same = path.exists() and path.read_text(encoding="utf-8") == source
        is_other = path.exists() and not is_same
    except (OSError, ValueError):
        is_same, is_other = False, True
    if is_other:
        raise UsageError(f"{typed(path)} is there already and may have been edited; write another, or remove it")
    if not is_same:
        replace_file(path, [source])
