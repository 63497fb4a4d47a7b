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

from .batches import KINDS, Batches
from .body import Dialect
from .faults import Fault, Faults
from .ids import fresh
from .messages import Accepted, Messages
from .problems import ApiProblem, invalid
from .store import Entry

CHUNK = 100
"""Items that are processed between two looks at the rest of the world."""


@dataclass
class _Work:
    """What the processing of one batch remembers."""

    batch: dict[str, Any]
    accepted: list[Accepted] = field(default_factory=list[Accepted])
    """Requests with cache entries, published when the batch ends."""
    written: set[str] = field(default_factory=set[str])
    """Keys that items of this batch have written."""
    spared: int = 0
    """Items that a fault lets succeed before the rest of a cancelled batch is given up."""


@dataclass(frozen=True, slots=True)
class _Result:
    n: int
    result: dict[str, Any]
    entry: Entry | None = None


class Processor:
    """Brings batches to their end."""

    def __init__(
        self,
        batches: Batches,
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
        clock, store = self.batches.clock, self.batches.store
        while True:
            woken, pending = self.batches.woken, store.open_batches()
            if not pending:
                await woken.wait()
                continue
            wait_s = min(min(one["due"], one["expires"]) for one in pending) - clock.now()
            if wait_s > 0:
                with anyio.move_on_after(clock.real(wait_s)):
                    await woken.wait()
                continue
            await self._process(min(pending, key=lambda one: min(one["due"], one["expires"])))

    async def _process(self, batch: dict[str, Any]) -> None:
        store, start, work = self.batches.store, 0, _Work(batch)
        forced = "canceled" if batch["status"] == "canceling" else ""
        if not forced and batch["due"] > batch["expires"]:
            forced = "expired"
        work.spared = int(batch["size"] * self.cancel_share) if forced == "canceled" else 0
        while chunk := store.pending(batch["id"], start, CHUNK):
            start = chunk[-1][0] + 1
            if (store.batch(batch["id"]) or batch)["status"] == "canceling" and not forced:
                forced = "canceled"  # in the middle: what was done stays done
            made: list[_Result] = []
            for n, custom_id, text in chunk:
                if forced and n >= work.spared:
                    made.append(_Result(n, {"type": forced}))
                else:
                    made.append(await self._item(work, n, custom_id, text))
            charges = [one.entry for one in made if one.entry is not None]
            store.finish_items(batch["id"], ((one.n, one.result) for one in made), charges)
            await anyio.lowlevel.checkpoint()
        for one in work.accepted:
            self.messages.publish(one)
        counts = store.counts(batch["id"])
        known = {kind: counts.get(kind, 0) for kind in KINDS}
        store.update_batch(batch["id"], status="ended", ended=self.batches.clock.now(), **known)

    async def _item(self, work: _Work, n: int, custom_id: str, text: str) -> _Result:
        fault: Fault | None = None
        try:
            params = _params(text)
            fault = self.faults.strike(
                path="/v1/messages/batches", model=lambda: str(params.get("model", "")), text=lambda: text, item=True
            )
            if fault is not None and fault.item in KINDS:
                return _Result(n, _faulty(fault))
            if fault is not None and fault.status is not None:
                raise fault.problem()
            accepted = self._accept(work, custom_id, params)
            replied = await self.messages.reply(accepted, lambda: text, service_tier="batch")
        except ApiProblem as problem:
            return _Result(n, {"type": "errored", "error": problem.envelope(fresh("req"))})
        if accepted.account.writes or accepted.account.refreshes:
            work.accepted.append(accepted)
            work.written.update(key for key, _ in accepted.account.writes)
        batch_id = work.batch["id"]
        entry = self.messages.entry(accepted, replied, f"{batch_id}/{custom_id}", (batch_id, custom_id))
        result: dict[str, Any] = {"type": "succeeded", "message": replied.message}
        # `_fault` stands first, so that a reader of the text finds it without parsing (see `batches.ODD`).
        return _Result(n, {"_fault": fault.item, **result} if fault is not None and fault.item else result, entry)

    def _accept(self, work: _Work, custom_id: str, params: dict[str, Any]) -> Accepted:
        for name in ("stream", "speed", "fallbacks", "thread"):
            if params.get(name):
                raise invalid(f"{name}: not supported in batches")
        if params.get("max_tokens") == 0:
            raise invalid("max_tokens: 0 is not supported in batches")
        dialect = Dialect(work.batch["version"].removesuffix("+beta"), beta=work.batch["version"].endswith("+beta"))
        checked = self.messages.check(params, dialect)
        now = self.batches.clock.now()
        lucky = self.self_reads > 0 and _share(custom_id) < self.self_reads

        def alive(key: str) -> bool:
            return (lucky and key in work.written) or self.messages.cache.alive(key, now)

        return self.messages.accept(checked, channel="batch", workspace=work.batch["workspace"], alive=alive)


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
    if fault.item == "errored":
        problem = ApiProblem(fault.status or 500, fault.message or "simulated error in a batch item")
        return {"type": "errored", "error": problem.envelope(fresh("req"))}
    return {"type": fault.item}
