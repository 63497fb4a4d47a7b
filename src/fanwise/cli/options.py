"""Options of the commands that are fields of a job; each may also be given as FANWISE_<COMMAND>_<NAME>."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, replace
from typing import Any, TypeVar

import click

from fanwise.errors import SpecError
from fanwise.job.fields import Scope, SpecField
from fanwise.job.spec import spec_fields

F = TypeVar("F", bound=Callable[..., Any])


class WholeNumber(click.IntRange):
    """A whole number; what is none, or out of bounds, is left to whoever names all mistakes of a call at once."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or the text."""
        return _or_text(click.INT, value, param, ctx)

    def _describe_range(self) -> str:
        """Return its bounds for the help; none where it has none, of which click says `x<=None`."""
        return "" if self.min is None and self.max is None else super()._describe_range()


class Number(click.FloatRange):
    """A number, likewise."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or the text."""
        return _or_text(click.FLOAT, value, param, ctx)


class Word(click.Choice[str]):
    """One of some words, likewise."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, whatever it is."""
        return value


class RequiredOption(click.Option):
    """An option that must be given; where it is not, that too is left to whoever names all mistakes of a call."""

    def value_is_missing(self, value: Any) -> bool:
        """Return False: it is None then."""
        return False


class RequiredArgument(click.Argument):
    """An argument, likewise."""

    def value_is_missing(self, value: Any) -> bool:
        """Return False: it is None then."""
        return False


graph_argument = click.argument("graph", cls=RequiredArgument)
named_graph = click.option(
    "--graph", metavar="GRAPH", default=None, help="The run's graph, where it is not under the current directory."
)
named_baseline = click.option(
    "--baseline", metavar="GRAPH", default=None, help="The same of a graph that was named as the single agent."
)


def _or_text(
    kind: click.ParamType[Any, Any], value: Any, param: click.Parameter | None, ctx: click.Context | None
) -> Any:
    try:
        return kind.convert(value, param, ctx)
    except click.BadParameter:
        return value


def _or_none(_context: click.Context, _option: click.Parameter, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return what was given, None where nothing was."""
    return values or None


def job_option(name: str, **attributes: Any) -> Callable[[F], F]:
    """Return the option of a field of `JobSpec`.

    Args:
        name: The field's.
        **attributes: Of `click.option`, in place of those that follow from the field.
    """
    part = next(part for part in spec_fields() if part.name == name)
    kind = RequiredOption if attributes.get("required") else click.Option
    return click.option(part.option, part.name, cls=kind, **(_attributes(part) | attributes))


def option_names(*fields: str) -> dict[str, str]:
    """Return the names of options on the command line, by fields of `JobSpec`."""
    return {part.name: part.option for part in spec_fields() if part.name in fields}


def start_options(command: F) -> F:
    """Add the options that are chosen when a run begins."""
    return _added(command, map(job_option, _names("run", "stays")))


def session_options(command: F) -> F:
    """Add the options of one session of a run."""
    detach = click.option("--detach", is_flag=True, help="Exit when all that can be submitted is in batches.")
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
    return _added(command, [*map(job_option, _names("session", "once")), detach, as_json])


def chosen(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given, by the names of their fields; those that must be given in any case."""
    required = {part.name for part in spec_fields() if part.default is MISSING}
    return {name: value for name, value in values.items() if value is not None or name in required}


def named_as_options(error: SpecError, names: Mapping[str, str]) -> SpecError:
    """Return an error with the names that are typed in place of the parameters'.

    Args:
        error: What is wrong with values.
        names: Those of the command itself, by parameters; fields of a job that it does not take are as in `run`.
    """
    options = {part.name: part.option for part in spec_fields()} | dict(names)
    mistakes = [replace(mistake, place=options.get(mistake.place, mistake.place)) for mistake in error.mistakes]
    return SpecError(tuple(mistakes), error.subject)


def _added(command: F, options: Iterable[Callable[[F], F]]) -> F:
    """Return a command with options, which its help lists in their order."""
    for option in reversed(list(options)):
        command = option(command)
    return command


def _names(*scopes: Scope) -> list[str]:
    return [part.name for part in spec_fields() if part.rule.scope in scopes and part.rule.help]


def _attributes(part: SpecField) -> dict[str, Any]:
    """Return what `click.option` takes for a field."""
    attributes: dict[str, Any] = {"default": None, "help": part.help, "metavar": part.rule.metavar}
    low, high = part.rule.at_least, part.rule.at_most
    if part.choices:
        return attributes | {"type": Word(part.choices)}
    if bool in part.accepted:
        return attributes | {"is_flag": True}
    if Sequence in part.accepted:
        return attributes | {"multiple": True, "callback": _or_none}
    if part.accepted == (int,):
        return attributes | {"type": WholeNumber(low, high)}
    if part.accepted == (float,):
        return attributes | {"type": Number(low, high)}
    return attributes
