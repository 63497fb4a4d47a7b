"""How a command ends: exit statuses, and errors in one line."""

from __future__ import annotations

import logging
import shlex
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

import click

from fanwise.errors import (
    ConsentError,
    FanwiseError,
    GraphFileError,
    HaltedError,
    NotNamedError,
    RunDirectoryError,
    ScoringError,
    SpecError,
)
from fanwise.rendering.harmless import one_line

from .saying import echo

logger = logging.getLogger(__name__)

OK, FAILED_ROWS, USAGE, HALTED, CONSENT, FOREIGN, BY_SIGNAL = 0, 1, 2, 3, 5, 70, 128
"""`CONSENT`: nobody has said yes to a price; `FOREIGN`: a scorer or a graph file of the user's has raised; `BY_SIGNAL`:
and the number of the signal."""


MOST_WORDS = 3_000
"""Characters of why a run was halted, which may be a server's words."""
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What comes of records that no run has written."""


def fail(message: str, status: int = USAGE) -> None:
    """End the program with a message on standard error."""
    echo(f"fanwise: {message}", err=True)
    sys.exit(status)


@contextmanager
def ctrl_c_heard() -> Generator[None]:
    """End the program by Ctrl-C as it ends a run, wherever it comes.

    It is heard also where a shell that has put the program into the background lets it ignore it, as a run does.
    """
    is_deaf = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    )
    if is_deaf:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        fail("stopped", BY_SIGNAL + signal.SIGINT)
    except click.Abort as error:  # at a question: by Ctrl-C, or nobody is there to answer
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        fail("stopped", BY_SIGNAL + signal.SIGINT)
    finally:
        if is_deaf:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def exit_on_error(names: Mapping[str, str]) -> Generator[None]:
    """End the program where an error of ours comes out of the block: one line on standard error, an exit status.

    Args:
        names: What the command's parameters are called on the command line.
    """
    try:
        yield
    except HaltedError as error:
        fail(one_line(str(error), MOST_WORDS), HALTED)
    except ConsentError as error:
        fail(str(error), CONSENT)
    except SpecError as error:
        from .options import named_as_options  # only here: `status` does without the fields of a job

        fail(str(named_as_options(error, names)), FOREIGN if isinstance(error, ScoringError) else USAGE)
    except NotNamedError as error:
        fail(f"{error.reason}; if you trust it: {_line_with(error.missing)}", USAGE)
    except FanwiseError as error:
        fail(str(error), FOREIGN if isinstance(error, GraphFileError) else USAGE)
    except _ODD as error:
        directory = next(_directories(), None)
        if directory is None:
            raise
        _fail_over(directory, error)


def _line_with(missing: Mapping[str, str]) -> str:
    """Return the call as it was typed, with what it did not name: a whole line to type."""
    typed: tuple[str, ...] = click.get_current_context().find_root().obj
    named = [word for name, value in missing.items() for word in (f"--{name.replace('_', '-')}", value)]
    return shlex.join(["fanwise", *typed, *named])


def _directories() -> Iterator[str]:
    """Yield the run directories that the command was called with."""
    from fanwise.job.directory import holds_run  # only here and below: `--help` does without

    for name, value in click.get_current_context().params.items():
        if name != "out" and isinstance(value, str) and holds_run(value):
            yield value


def _fail_over(directory: str, error: Exception) -> None:
    """End over a run that is not understood: its journal was changed by another hand, or this is a bug of ours."""
    from fanwise.job.directory import peeking
    from fanwise.journal.damage import damage

    logger.info("not understood", exc_info=error)  # shown with -v
    try:
        with peeking(directory) as db:
            what = damage(db)
    except RunDirectoryError as unreadable:
        fail(str(unreadable))
    else:
        if what:
            fail(f"the journal of {directory} is damaged ({what}); take the directory from a copy")
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        fail(f"the run in {directory} is not understood ({said}); a bug of fanwise, or it was changed: see -v", FOREIGN)
