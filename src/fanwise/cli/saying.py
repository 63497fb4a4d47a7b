"""What a command says: each line is made harmless on its way out."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from fanwise.rendering import harmless


def echo(text: object, *, err: bool = False) -> None:
    """Write text to standard output, or to standard error; where that takes nothing, nobody is there to be told so."""
    said = harmless.lines(str(text))
    if not err:
        click.echo(said)
        return
    with suppress(OSError):
        click.echo(said, file=sys.stderr)


def echo_json(value: object, indent: int | None = None) -> None:
    """Write a value as JSON to standard output; nothing in it steers a terminal, and it reads back the same."""
    click.echo(harmless.as_json(value, indent))
