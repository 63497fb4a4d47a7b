"""A command of the program: how wrong calls of it are told, in one line and before it begins."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fanwise.errors import UsageError
from fanwise.jsonable import fault_of_text
from fanwise.rendering.harmless import lines, printable
from fanwise.units import MOST_USD, PICO_PER_USD, pico_from_usd

from .ending import USAGE, exit_on_error


class Command(click.Command):
    """A command to which no text comes that nothing can be done with."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read a call's words; what is wrong with them is said with the command."""
        with in_one_line(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Carry it out, where its texts can be written down; an error of ours ends the program in one line."""
        names = {parameter.name or "": _typed_name(parameter) for parameter in self.params}
        with exit_on_error(names):
            for parameter, name in names.items():
                for text in _texts(ctx.params.get(parameter)):
                    if fault := fault_of_text(text):
                        raise UsageError(f"{name}: {text!r} cannot be used: {fault}; write another")
            return super().invoke(ctx)


class WrongCallError(click.ClickException):
    """A call that names what there is not, or leaves out what there must be: told in one line, with exit status 2."""

    exit_code = USAGE

    def show(self, file: Any = None) -> None:
        """Print it as all errors are."""
        click.echo(lines(f"fanwise: {self.message}"), file=file, err=file is None)


@contextmanager
def in_one_line(context: click.Context | None = None) -> Generator[None]:
    """Say what click finds wrong with a call in one line, and where its right form is told.

    Args:
        context: Of the command, where click does not name it itself.

    Raises:
        WrongCallError: Something is.
    """
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        said_by = error.ctx or context
        where = "" if said_by is None else f"; see `{said_by.command_path} --help`"
        raise WrongCallError(f"{printable(error.format_message()).removesuffix('.')}{where}") from None


class Folder(click.Path):
    """A folder, as a path; where it must be there, that is seen before anything begins."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if fault := fault_of_text(str(value)):
            self.fail(f"{str(value)!r} cannot be used: {fault}", param, ctx)
        return super().convert(value, param, ctx)


class FiniteNumber(click.FloatRange):
    """A number between bounds that is neither nan nor infinite: of nan no bound is known to be passed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number that can be counted with", param, ctx)
        return number


def _typed_name(parameter: click.Parameter) -> str:
    """Return what a parameter is called on the command line."""
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name


class Dollars(click.ParamType[int, str]):
    """An amount of dollars that is none of a job's; its value is in picodollars."""

    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the picodollars."""
        try:
            pico = pico_from_usd(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if pico > MOST_USD * PICO_PER_USD:
            self.fail(f"{value!r} is more than any run can cost; write at most '{MOST_USD}'", param, ctx)
        return pico


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts that a parameter was given."""
    if isinstance(value, str | Path):
        yield str(value)
    elif isinstance(value, tuple):
        for part in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(part)
