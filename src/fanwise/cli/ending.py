"""How a command ends: exit statuses, and errors in one line."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

import click

from fanwise.errors import ConsentError, FanwiseError, GraphFileError, HaltedError, ScoringError, SpecError

OK, FAILED_ROWS, USAGE, HALTED, CONSENT, FOREIGN, BY_SIGNAL = 0, 1, 2, 3, 5, 70, 128
"""`CONSENT`: nobody has said yes to a price; `FOREIGN`: a scorer or a graph file of the user's has raised; `BY_SIGNAL`:
and the number of the signal."""


def fail(message: str, status: int = USAGE) -> None:
    """End the program with a message on standard error."""
    click.echo(f"fanwise: {message}", err=True)
    sys.exit(status)


@contextmanager
def ctrl_c_heard() -> Generator[None]:
    """Hear Ctrl-C also where a shell that has put the program into the background lets it ignore it, as a run does."""
    is_deaf = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    )
    if is_deaf:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if is_deaf:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


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
        fail(str(error), FOREIGN if isinstance(error, GraphFileError) else USAGE)
    except KeyboardInterrupt:
        fail("stopped", BY_SIGNAL + signal.SIGINT)
    except click.Abort as error:  # at a question: by Ctrl-C, or nobody is there to answer
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        fail("stopped", BY_SIGNAL + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
