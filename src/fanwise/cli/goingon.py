"""What `resume` and `sync` have in common: the options of a session that goes on with a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from fanwise.paths import fixed, fixed_reference

from .consent import threshold
from .options import chosen, job_option, named_graph, session_options

F = TypeVar("F", bound=Callable[..., Any])


def retry_options(command: F) -> F:
    """Add the options that say what is sent again."""
    command = click.option(
        "--pay-twice",
        is_flag=True,
        help="Send without waiting what is in a batch that may be this run's; if it is, that is paid twice.",
    )(command)
    return click.option(
        "--retry",
        multiple=True,
        type=click.Choice(["failed", "refused", "truncated", "results_lost"]),
        help="Ask these final failures again.",
    )(command)


def going_on_options(command: F) -> F:
    """Add the options that say how the run goes on."""
    options: Iterable[Callable[[F], F]] = (
        named_graph,
        job_option(
            "baseline",
            help="The single agent to compare with; it stays with the run until another is named, or none. One that is "
            "a graph and is not under the current directory is named again.",
        ),
        job_option("sample", help="Run it on so many rows, drawn at random; stays too."),
        job_option("seed", help="Of that sample; stays too."),
        threshold,
        session_options,
    )
    for option in reversed(list(options)):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """Which run goes on, and how; fixed before a graph is loaded, which may change the folder."""

    out: Path
    graph: str | None
    changes: Mapping[str, Any]
    """Fields of the job that are different."""
    terms: Mapping[str, Any]
    """Arguments of `resume` and of `sync` that are none of the job."""

    @classmethod
    def of(
        cls,
        directory: str,
        graph: str | None,
        options: Mapping[str, Any],
        *,
        retry: tuple[str, ...],
        pay_twice: bool,
        detach: bool,
    ) -> GoingOn:
        """Return what a call has named."""
        out, changes = fixed(directory), chosen(options)
        if "baseline" in changes:
            changes["baseline"] = fixed_reference(changes["baseline"])
        graph = None if graph is None else fixed_reference(graph)
        terms = {"graph": graph, "retry": retry, "pay_twice": pay_twice, "detach": detach}
        return cls(out=out, graph=graph, changes=changes, terms=terms)
