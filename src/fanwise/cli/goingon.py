"""What `resume` and `sync` have in common: the options of a session that goes on with a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from fanwise.job.spec import JobSpec
from fanwise.ledger.forecast import Price
from fanwise.paths import fixed, fixed_reference
from fanwise.studies.plan.rest import Rest
from fanwise.studies.plan.twice import PaidTwice

from .consent import Question, threshold
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


def ask_for_rest(
    question: Question, what: str, rest: Rest, twice: PaidTwice, spec: JobSpec, beside: tuple[str, Price | None] | None
) -> None:
    """Say what the rest of a run will cost, and ask where that is much.

    Args:
        question: Asks.
        what: The rest of the run, in words.
        rest: What it owes.
        twice: What may be paid twice.
        spec: How it goes on.
        beside: What could be done in its place, and what that would cost.

    Raises:
        ConsentError: As for `Question.consent`.
    """
    what = f"{what}, {rest.rows:,} rows of {rest.all_rows:,},"
    if twice.requests:
        what = f"{what} with {twice.requests:,} requests that may be paid twice,"
    unpriced = tuple(sorted({*rest.forecast.unpriced, *twice.unpriced}))
    question.consent(twice.on_top_of(rest.forecast.total()), what, spec, unpriced=unpriced, beside=beside)
