"""How a command ends: exit statuses, and errors in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

import click

from fanwise.errors import ConsentError, FanwiseError, HaltedError, ScoringError, SpecError

OK, FAILED_ROWS, USAGE, HALTED, CONSENT, FOREIGN, BY_SIGNAL = 0, 1, 2, 3, 5, 70, 128
"""`CONSENT`: nobody has said yes to a price; `FOREIGN`: a function of the user has raised; `BY_SIGNAL`: and the number
of the signal."""


def fail(message: str, status: int = USAGE) -> None:
    """End the program with a message on standard error."""
    click.echo(f"fanwise: {message}", err=True)
    sys.exit(status)


@contextmanager
def exit_on_error(**names: str) -> Generator[None]:
    """End the program where an error of ours comes out of the block: one line on standard error, an exit status.

    Args:
        **names: Of parameters that this command calls otherwise than the others do.
    """
    try:
        yield
    except HaltedError as error:
        fail(str(error), HALTED)
    except ConsentError as error:
        fail(str(error), CONSENT)
    except SpecError as error:
        from .options import named_as_options  # only here: `status` does without the fields of a job

        fail(str(named_as_options(error, names)), FOREIGN if isinstance(error, ScoringError) else USAGE)
    except FanwiseError as error:
        fail(str(error), USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
