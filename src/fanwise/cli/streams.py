"""Standard streams that are closed, or that take nothing more; and what else the system refuses a command."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import TextIO

_CANNOT_BE_WRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.ENXIO}
"""What a stream fails with; files of a run that fail so are errors of ours, and name their run."""


def fill_closed_streams() -> None:
    """Open nothing in the place of standard streams that are closed, or the next file to be opened would be one."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one


@contextmanager
def refusals_told() -> Generator[None]:
    """End the program in a line where the system refuses it a stream, or a file that is none of a run's."""
    try:
        yield
    except BrokenPipeError:  # whoever reads has enough
        _let_go(sys.stdout)
        sys.exit(1)
    except OSError as error:
        if error.filename is None and error.errno in _CANNOT_BE_WRITTEN:
            _let_go(sys.stdout)
            _say(f"standard output cannot be written: {error.strerror}")
            sys.exit(1)
        where = "" if error.filename is None else f": {error.filename!r}"
        _say(f"the system refuses it: {error.strerror or error}{where}")
        sys.exit(2)


def _let_go(stream: TextIO | None) -> None:
    """Let what a stream still holds go nowhere: it would be written, and fail, once more at the end."""
    if stream is not None:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(text: str) -> None:
    from .saying import echo  # only here: `fanwise --help` loads little

    echo(f"fanwise: {text}", err=True)
