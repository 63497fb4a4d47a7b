"""What is wrong with the call of a study, all of it at once and before anything is carried out or paid."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from fanwise.engine.rowsfile import read
from fanwise.errors import DefinitionError, Mistake, SpecError, UsageError
from fanwise.graph.nodes import GraphSpec
from fanwise.job.arms import arms_of, graph_of
from fanwise.job.fields import FieldRule, SpecField
from fanwise.job.manifest import rows_of
from fanwise.job.spec import JobSpec
from fanwise.journal.records import ArmName

T = TypeVar("T")


class Mistakes:
    """Collects what is wrong with a call.

    Places are names of parameters, as of the fields of `JobSpec`; the command line names its options for them.
    """

    def __init__(self, **names: str) -> None:
        """Begin without any.

        Args:
            **names: By fields of `JobSpec`, the parameters of the call that have another name.
        """
        self._names = names
        self._mistakes: list[Mistake] = []
        self._errors: list[UsageError] = []

    @contextmanager
    def of(self, place: str) -> Generator[None]:
        """Take what a block refuses as a mistake of a parameter, or as those that the refusal itself names."""
        try:
            yield
        except UsageError as error:
            self._errors.append(error)
            if isinstance(error, SpecError | DefinitionError):
                named = [
                    replace(mistake, place=self._names.get(mistake.place, mistake.place)) for mistake in error.mistakes
                ]
                self._mistakes += named
            else:
                self.add(place, str(error))

    def add(self, place: str, message: str, hint: str = "") -> None:
        """Add one."""
        self._mistakes.append(Mistake(place, message, hint))

    def is_free_of(self, *places: str) -> bool:
        """Return whether nothing is wrong with some parameters so far."""
        return not any(mistake.place in places for mistake in self._mistakes)

    def check_number(self, name: str, value: object, default: int | None, at_least: int | None = None) -> None:
        """Add a mistake where a parameter is no whole number of at least so much; None: any.

        Args:
            name: The parameter.
            value: Its value.
            default: What it is where it is left out.
            at_least: Lowest value.
        """
        self._check(name, FieldRule(at_least=at_least), value, default, accepted=(int,))

    def check_choice(self, name: str, value: object, default: str, choices: tuple[str, ...]) -> None:
        """Add a mistake where a parameter is none of some words."""
        self._check(name, FieldRule(), value, default, choices=choices)

    def _check(
        self,
        name: str,
        rule: FieldRule,
        value: object,
        default: Any,
        *,
        choices: tuple[str, ...] = (),
        accepted: tuple[type, ...] = (),
    ) -> None:
        field = SpecField(
            name=name, rule=rule, default=default, choices=choices, accepted=accepted, optional=default is None
        )
        mistake = field.mistake(value)
        if mistake is not None:
            self._mistakes.append(mistake)

    def refused_or(self, checked: T | None) -> T:
        """Return what was checked where nothing is wrong with the call.

        Args:
            checked: None where something is wrong with it.

        Raises:
            UsageError: All that is wrong.
        """
        if len(self._errors) == 1:
            error = self._errors[0]
            if isinstance(error, SpecError | DefinitionError) and error.mistakes == tuple(self._mistakes):
                raise error
        if self._mistakes or checked is None:
            raise SpecError(tuple(self._mistakes), "the call")
        return checked


def described(mistakes: Mistakes, **fields: Any) -> JobSpec | None:
    """Return the job that a call describes, without what is wrong about it; None where that is its graph or rows.

    Args:
        mistakes: Where what is wrong is added.
        **fields: Of `JobSpec`.
    """
    try:
        return JobSpec.of(**fields)
    except SpecError as error:
        with mistakes.of("graph"):
            raise
        wrong = {mistake.place for mistake in error.mistakes}
        if wrong & {"graph", "rows"}:
            return None
        return JobSpec(**{name: value for name, value in fields.items() if name not in wrong})


def opened(mistakes: Mistakes, spec: JobSpec, *, baseline: str) -> dict[ArmName, GraphSpec]:
    """Return the graph of each arm of a job, and see that there are rows; no graph where one cannot be opened.

    Args:
        mistakes: Where what is wrong is added.
        spec: The job.
        baseline: Its single agent.
    """
    graphs: dict[ArmName, GraphSpec] = {}
    with mistakes.of("graph"):
        fanout = graph_of(spec.graph)
        fanout.spec  # noqa: B018 - traced here, so that what is wrong with it is no mistake of the baseline
        with mistakes.of("baseline"):
            graphs = arms_of(fanout, baseline)
    with mistakes.of("rows"):
        next(read(rows_of(spec)), None)
    return graphs
