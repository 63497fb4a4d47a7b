"""Batches that are on their way."""

from __future__ import annotations

from collections.abc import Iterator

from fanwise.journal.records import BatchRecord, Served

from .contents import ContentsInMemory


class BatchesInMemory(ContentsInMemory):
    """The batches of a run, and the attempts in them."""

    def open_batches(self) -> list[BatchRecord]:
        """Return the batches that have not ended, oldest first."""
        pending = [batch for batch in self._batches.values() if batch.state in ("intent", "adopted", "created")]
        return sorted(pending, key=lambda batch: batch.intent)

    def batch_ids(self) -> set[str]:
        """Return the ids of all batches of the run that are certainly its own."""
        batches = self._batches.values()
        return {batch.batch_id for batch in batches if batch.batch_id is not None and batch.state != "adopted"}

    def owns(self, intent: int, attempt: int) -> bool:
        """Return whether an attempt belongs to a batch intent, ended or not."""
        record = self._attempts.get(attempt)
        return record is not None and record.intent == intent

    def open_attempts(self, intent: int) -> Iterator[Served]:
        """Yield the attempts of a batch that have no end, in the order of their numbers."""
        for number in sorted(self._of_intent.get(intent, ())):
            if number not in self._ends:
                yield Served(attempt=self._attempts[number], asks=tuple(self._asks[number]))
