"""Processing batches when they are due: item by item, charged as they succeed.

Rules (page "Batch processing", read 2026-11-23): params are checked here; only succeeded items are
billed. Observed in the field: live and batch entries of the cache are apart, and a cold batch
reads nothing that it writes itself; the entries are readable once it has ended. The pages say
"best effort", 30 to 98 % hits: `self_reads` sets that share.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
from pydantic_core import from_json

from fanwise.jsonable import as_object

from .batches import KINDS, BatchRegistry
from .body import Dialect
from .faults import Fault, Faults
from .ids import new_id
from .messages import AcceptedRequest, Messages
from .problems import ApiProblem, invalid, not_kept
from .store import BillEntry

CHUNK = 100
"""Items that are processed between two looks at the rest of the world."""
AGAIN_S = 1.0
"""How long a batch rests whose results could not be kept."""


@dataclass(kw_only=True)
class _Work:
    """The processing of one batch."""

    batch: dict[str, Any]
    forced: str = ""
    """How items end that are not processed any more, `canceled` or `expired`; empty while they are."""
    spared: int = 0
    """Items at the front that still succeed in a batch that was cancelled."""
    accepted: list[AcceptedRequest] = field(default_factory=list[AcceptedRequest])
    """Requests with cache entries, published when the batch ends."""
    written: set[str] = field(default_factory=set[str])
    """Keys that items of this batch have written."""


@dataclass(frozen=True, slots=True)
class _ItemResult:
    n: int
    result: dict[str, Any]
    entry: BillEntry | None = None


class Processor:
    """Brings batches to their end."""

    def __init__(
        self,
        batches: BatchRegistry,
        messages: Messages,
        faults: Faults,
        *,
        self_reads: float = 0.0,
        cancel_share: float = 0.0,
    ) -> None:
        """Set up.

        Args:
            batches: The batches.
            messages: The rules of a request.
            faults: What goes wrong.
            self_reads: Share of items that read what the same batch has written, 0 to 1.
            cancel_share: Share of items that still succeed while a batch is canceling, 0 to 1.
        """
        self.batches, self.messages, self.faults = batches, messages, faults
        self.self_reads, self.cancel_share = self_reads, cancel_share

    async def run(self) -> None:
        """Process batches when they are due, for ever."""
        while True:
            try:
                await self._next()
                self.batches.broken = None
            except Exception as error:
                self.batches.broken = not_kept(error)  # whoever asks for a batch is told
                if self.batches.broken is None:
                    raise
                await anyio.sleep(AGAIN_S)

    async def _next(self) -> None:
        """Process the batch that is due, or wait for one."""
        clock, woken, pending = self.batches.clock, self.batches.woken, self.batches.store.open_batches()
        if not pending:
            await woken.wait()
            return
        first = min(pending, key=_due)
        wait_s = _due(first) - clock.now()
        if wait_s > 0:
            with anyio.move_on_after(clock.real(wait_s)):
                await woken.wait()
            return
        await self._process(first)

    async def _process(self, batch: dict[str, Any]) -> None:
        """Bring a batch to its end."""
        store, start, work = self.batches.store, 0, self._begin(batch)
        while chunk := store.pending(batch["id"], start, CHUNK):
            start = chunk[-1][0] + 1
            if not work.forced and (store.batch(batch["id"]) or batch)["status"] == "canceling":
                work.forced = "canceled"  # in the middle: what was done stays done
            results = [await self._result(work, n, custom_id, text) for n, custom_id, text in chunk]
            charges = [item.entry for item in results if item.entry is not None]
            store.finish_items(batch["id"], ((item.n, item.result) for item in results), charges)
            await anyio.lowlevel.checkpoint()
        for accepted in work.accepted:
            self.messages.publish(accepted)
        counts = store.counts(batch["id"])
        ends = {kind: counts.get(kind, 0) for kind in KINDS}
        store.update_batch(batch["id"], status="ended", ended=self.batches.clock.now(), **ends)

    def _begin(self, batch: dict[str, Any]) -> _Work:
        """Return the processing of a batch that is due, was cancelled or has expired."""
        if batch["status"] == "canceling":
            return _Work(batch=batch, forced="canceled", spared=int(batch["size"] * self.cancel_share))
        return _Work(batch=batch, forced="expired" if batch["due"] > batch["expires"] else "")

    async def _result(self, work: _Work, n: int, custom_id: str, text: str) -> _ItemResult:
        """Return how an item ends."""
        if work.forced and n >= work.spared:
            return _ItemResult(n, {"type": work.forced})
        try:
            return await self._answered(work, n, custom_id, text)
        except ApiProblem as problem:
            return _ItemResult(n, {"type": "errored", "error": problem.envelope(new_id("req"))})

    async def _answered(self, work: _Work, n: int, custom_id: str, text: str) -> _ItemResult:
        """Return an item with its message, or as a fault says.

        Raises:
            ApiProblem: The item is refused.
        """
        params = _params(text)
        fault = self.faults.strike(
            path="/v1/messages/batches", model=lambda: str(params.get("model", "")), text=lambda: text, item=True
        )
        if fault is not None and fault.item in KINDS:
            return _ItemResult(n, _faulty(fault))
        if fault is not None and fault.status is not None:
            raise fault.problem()
        accepted = self._accept(work, custom_id, params)
        replied = await self.messages.reply(accepted, lambda: text, service_tier="batch")
        if accepted.billing.writes or accepted.billing.refreshes:
            work.accepted.append(accepted)
            work.written.update(key for key, _ in accepted.billing.writes)
        batch_id = work.batch["id"]
        entry = self.messages.bill_entry(accepted, replied, f"{batch_id}/{custom_id}", (batch_id, custom_id))
        result: dict[str, Any] = {"type": "succeeded", "message": replied.message}
        # `_fault` stands first, so that a reader of the text finds it without parsing (see `batches.FAULT_MARK`).
        return _ItemResult(n, {"_fault": fault.item, **result} if fault is not None and fault.item else result, entry)

    def _accept(self, work: _Work, custom_id: str, params: dict[str, Any]) -> AcceptedRequest:
        for name in ("stream", "speed", "fallbacks", "thread"):
            if params.get(name):
                raise invalid(f"{name}: not supported in batches")
        if params.get("max_tokens") == 0:
            raise invalid("max_tokens: 0 is not supported in batches")
        dialect = Dialect(work.batch["version"].removesuffix("+beta"), beta=work.batch["version"].endswith("+beta"))
        checked = self.messages.check(params, dialect)
        now = self.batches.clock.now()
        reads_own = self.self_reads > 0 and _share(custom_id) < self.self_reads

        def is_alive(key: str) -> bool:
            return (reads_own and key in work.written) or self.messages.cache.is_alive(key, now)

        return self.messages.accept(checked, channel="batch", workspace=work.batch["workspace"], is_alive=is_alive)


def _due(batch: dict[str, Any]) -> float:
    """Return the moment at which a batch is processed or expires, whichever comes first."""
    return min(batch["due"], batch["expires"])


def _params(text: str) -> dict[str, Any]:
    """Return the params of a request from its JSON text.

    Raises:
        ApiProblem: The text holds what no request can carry, such as half a surrogate pair.
    """
    try:
        return as_object(as_object(from_json(text)).get("params"))
    except ValueError as error:
        raise invalid(f"params: {error}") from None


def _share(custom_id: str) -> float:
    """Return a number from 0 to 1 that stays the same for a custom_id."""
    return int.from_bytes(hashlib.sha256(custom_id.encode()).digest()[:4]) / 2**32


def _faulty(fault: Fault) -> dict[str, Any]:
    """Return the result of an item that a fault ends."""
    if fault.item == "errored":
        problem = ApiProblem(fault.status or 500, fault.message or "simulated error in a batch item")
        return {"type": "errored", "error": problem.envelope(new_id("req"))}
    return {"type": fault.item}
