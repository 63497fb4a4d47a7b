"""The lock of a run directory, on every system: one process works on it, and others see whether one does."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import lock_descriptor

NAME = "lock"
"""Its file; it stays when the lock is let go, so that all who wait look at the same one."""


def hold(directory: Path) -> int:
    """Lock a directory for this process until the descriptor that is returned is closed, or the process ends.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: Its lock cannot be opened or locked.
    """
    descriptor = os.open(directory / NAME, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if not lock_descriptor(descriptor, blocking=False):
            raise BlockingIOError(f"{directory} is locked")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def is_held(directory: str | Path) -> bool:
    """Return whether a process works on a directory; nothing in it is changed."""
    try:
        descriptor = os.open(Path(directory) / NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _is_free(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    """Return whether nobody has locked a file; where locks can be shared, who looks keeps no other from looking."""
    try:
        import fcntl  # only here: there is none on Windows
    except ImportError:
        return lock_descriptor(descriptor, blocking=False)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return True
