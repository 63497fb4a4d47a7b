"""Message Batches: create, cancel, delete, list, and how a batch is shown.

Rules (page "Batch processing", read 2026-11-23): the envelope is checked at once; counts stay 0
until the end; a batch expires 24 hours after its creation; results can be read for 29 days.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio

from .clock import Clock, iso
from .ids import new_id
from .problems import ApiProblem, invalid
from .store import Store

LIFE_S = 24 * 3600.0
RESULTS_S = 29 * 24 * 3600.0
KINDS = ("succeeded", "errored", "canceled", "expired")
PIECE = 100
"""Result lines that are sent at a time."""


class BatchRegistry:
    """The rules of `/v1/messages/batches` but for the processing."""

    def __init__(self, store: Store, clock: Clock, delay_s: float, cancel_s: float = 0.0) -> None:
        self.store, self.clock, self.delay_s, self.cancel_s = store, clock, delay_s, cancel_s
        self.woken = anyio.Event()
        self.broken: ApiProblem | None = None
        """Why no batch comes to its end for now; None: they do."""

    def create(self, requests: Sequence[tuple[str, str]], workspace: str, version: str) -> str:
        """Keep a batch of checked requests and return its id."""
        now = self.clock.now()
        batch: dict[str, Any] = {
            "id": new_id("msgbatch"),
            "workspace": workspace,
            "version": version,
            "created": now,
            "due": now + self.delay_s,
            "expires": now + LIFE_S,
            "ended": None,
            "cancel": None,
            "status": "in_progress",
            "size": len(requests),
        }
        self.store.add_batch(batch, requests)
        self.wake()
        return str(batch["id"])

    def wake(self) -> None:
        """Look at once whether a batch is due: time or a batch has changed."""
        self.woken.set()
        self.woken = anyio.Event()

    def get(self, batch_id: str, workspace: str) -> dict[str, Any]:
        """Return a batch of a workspace.

        Raises:
            ApiProblem: There is none with this id, or none comes to its end.
        """
        if self.broken is not None:
            raise self.broken
        batch = self.store.batch(batch_id)
        if batch is None or batch["workspace"] != workspace:
            raise ApiProblem(404, f"batch {batch_id} not found")
        return batch

    def cancel(self, batch_id: str, workspace: str) -> dict[str, Any]:
        """Begin to cancel a batch.

        Raises:
            ApiProblem: There is none with this id, or it has ended.
        """
        batch = self.get(batch_id, workspace)
        if batch["status"] == "ended":
            raise invalid(f"batch {batch_id} has ended and cannot be canceled any more")
        if batch["status"] == "in_progress":
            now = self.clock.now()
            self.store.update_batch(batch_id, status="canceling", cancel=now, due=now + self.cancel_s)
            self.wake()
        return self.get(batch_id, workspace)

    def delete(self, batch_id: str, workspace: str) -> None:
        """Delete a batch that has ended.

        Raises:
            ApiProblem: There is none with this id, or it has not ended.
        """
        if self.get(batch_id, workspace)["status"] != "ended":
            raise invalid(f"batch {batch_id} cannot be deleted before it has ended; cancel it first")
        self.store.delete_batch(batch_id)

    def readable(self, batch_id: str, workspace: str) -> dict[str, Any]:
        """Return a batch whose results can be read.

        Raises:
            ApiProblem: There is none, it has not ended, or its results are gone.
        """
        batch = self.get(batch_id, workspace)
        if batch["status"] != "ended":
            raise invalid(f"batch {batch_id} has not ended: it has no results yet")
        if self._archived(batch) is not None:
            raise ApiProblem(404, f"the results of batch {batch_id} are not available any more: 29 days have passed")
        return batch

    def _archived(self, batch: dict[str, Any]) -> float | None:
        gone = batch["created"] + RESULTS_S
        return gone if self.clock.now() >= gone else None

    async def results(self, batch_id: str, pause_s: float = 0.0) -> AsyncIterator[bytes]:
        """Yield the result lines of a batch in pieces, with a pause behind each; not in the order of its requests."""
        start = 0
        while rows := self.store.results(batch_id, start, PIECE):
            start = rows[-1][0] + 1
            lines: list[str] = []
            for _, custom_id, text in reversed(rows):
                fault, text = _split_fault(text)
                line = f'{{"custom_id": "{custom_id}", "result": {text}}}\n'
                lines += [line] * _TIMES.get(fault, 1)
            yield "".join(lines).encode()
            await anyio.sleep(pause_s)

    def view(self, batch: dict[str, Any], base_url: str) -> dict[str, Any]:
        """Return a batch as the API shows it."""
        ended, archived = batch["status"] == "ended", self._archived(batch)
        results = f"{base_url}/v1/messages/batches/{batch['id']}/results"
        return {
            "id": batch["id"],
            "type": "message_batch",
            "processing_status": batch["status"],
            "request_counts": {
                "processing": 0 if ended else batch["size"],
                **{kind: batch[kind] if ended else 0 for kind in KINDS},
            },
            "created_at": iso(batch["created"]),
            "expires_at": iso(batch["expires"]),
            "ended_at": iso(batch["ended"]),
            "cancel_initiated_at": iso(batch["cancel"]),
            "archived_at": iso(archived),
            "results_url": results if ended and archived is None else None,
        }


FAULT_MARK = '{"_fault": "'
"""How the text of a result begins that a fault lets go missing or come twice."""
_TIMES = {"missing": 0, "duplicated": 2}
"""How often such a result comes."""


def _split_fault(text: str) -> tuple[str, str]:
    """Return the fault that a result was marked with, or an empty text, and the result without the mark."""
    if not text.startswith(FAULT_MARK):
        return "", text
    fault, _, rest = text[len(FAULT_MARK) :].partition('", ')
    return fault, "{" + rest
