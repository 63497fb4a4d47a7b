"""Runs that wait for little, where nothing is tested of how long they wait."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from fanwise.dispatch import polling, retry, submitting


@contextmanager
def eager() -> Generator[None]:
    """Nobody waits for long between two attempts."""
    kept = retry.FIRST_S, retry.LONGEST_S, submitting.LINGER_S, polling.ABSENT_OFFLINE_S
    retry.FIRST_S, retry.LONGEST_S, submitting.LINGER_S, polling.ABSENT_OFFLINE_S = 0.01, 0.05, 0.02, 0.2
    try:
        yield
    finally:
        retry.FIRST_S, retry.LONGEST_S, submitting.LINGER_S, polling.ABSENT_OFFLINE_S = kept
