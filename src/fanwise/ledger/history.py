"""Runs over time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run of a history."""

    directory: str
    created: str | None
    """When it began, in ISO 8601."""
    graph: str
    """Name of its graph, without its file."""
    models: tuple[str, ...]
    changed: dict[str, list[str]]
    """By agent, in words, what was changed since the run of the same graph before; without those that were not."""
    rows: int
    success: float
    """Share of the rows that succeeded, 0 to 1."""
    quality: float | None
    """Mean score of the rows that have a label, 0 to 1; None where none has."""
    labelled_rows: int
    cache_read: float | None
    """Share of the fan-out's input tokens that was read from the cache, 0 to 1; None where no input is known."""
    cost_per_successful_row_usd: str | None
    """Of the fan-out, as far as it is known."""
    cost_usd: str | None
    """As far as it is known; None where nothing of it is."""
    fanout_attempts_of_unknown_cost: int
    """Attempts of the fan-out whose cost is not known."""
    attempts_of_unknown_cost: int
    """Attempts whose cost is not known."""
    multiplier_tokens: float | None
    multiplier_usd: float | None
    offline: bool | None
    """Whether stand-ins have answered for the models; None: nobody has answered."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class UnreadRun:
    """What looks like a run and cannot be read."""

    directory: str
    reason: str

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {"directory": self.directory, "unreadable": self.reason}


@dataclass(frozen=True, slots=True)
class History:
    """The runs of some folders."""

    runs: tuple[PastRun, ...]
    """By the time when they began."""
    unreadable: tuple[UnreadRun, ...]
    """By their directories."""
