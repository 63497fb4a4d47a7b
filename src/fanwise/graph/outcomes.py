"""How a task or a row ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Done(NamedTuple):
    """A task ended with a value."""

    value: Any
    said: str | None = None
    """What a model said, as canonical JSON, where its validators may have made something else of it; else None."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A task ended without a value."""

    task: str
    """The task as a user knows it, with its item: `research[2]`."""
    kind: str
    """Error class: the API's error type, `invalid_output`, `truncated`, `refused`, `raised` ..."""
    message: str


class Skipped(NamedTuple):
    """A task was not started, since something it depends on has failed."""

    cause: Failed


Outcome = Done | Failed | Skipped
