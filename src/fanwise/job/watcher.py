"""What a display reads while a job runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from fanwise.dispatch.observer import Observer
from fanwise.engine.run import Engine
from fanwise.journal.records import EndRecord
from fanwise.ledger.progress import Progress


@dataclass(slots=True, kw_only=True)
class Watcher(Observer):
    """What a display may read while a job runs."""

    engine: Engine | None = field(default=None, init=False)
    """None before it starts."""
    offline: bool = field(default=False, init=False)
    """Whether the answers are simulated."""
    rows: int | None = field(default=None, init=False)
    """Rows in the file, where counting them is cheap."""
    calls: int = 0
    cost: int = 0
    """Picodollars of this session that are known to be paid."""
    unknown: int = 0
    """Attempts of this session whose cost is unknown."""
    read_tokens: int = 0
    notes: list[str] = field(default_factory=list[str])

    def begins(self, engine: Engine, rows: int | None, *, offline: bool) -> None:
        """Take note of an engine that is about to carry out rows.

        Args:
            engine: What counts them.
            rows: How many there are; None: they were not counted.
            offline: Whether the answers are simulated.
        """
        self.engine, self.rows, self.offline = engine, rows, offline

    def note(self, text: str) -> None:
        """Take what the user should hear of now, and find in the report once rows are carried out."""
        if self.engine is None:
            self.notes.append(text)
        else:
            self.engine.note(text)

    def end(self, record: EndRecord) -> None:
        """Count the end of an attempt."""
        self.calls += 1
        self.cost += record.cost or 0
        self.unknown += record.cost is None
        self.read_tokens += record.usage.cache_read

    def progress(self, elapsed_s: float) -> Progress | None:
        """Return how far the run is; None before it starts.

        Args:
            elapsed_s: Seconds for which it has been shown.
        """
        if self.engine is None:
            return None
        counters, batches = self.engine.counters, self.engine.carriers.batches
        return Progress(
            elapsed_s=elapsed_s,
            total_rows=self.rows,
            read=counters.read,
            finished=counters.finished,
            failed=counters.failed,
            rejected=counters.rejected,
            calls=self.calls,
            remembered=counters.remembered,
            open_batches=batches.open_batches,
            batch_requests=batches.in_flight,
            cost=self.cost,
            unknown=self.unknown,
            simulated=self.offline,
            cache_read_tokens=self.read_tokens,
        )
