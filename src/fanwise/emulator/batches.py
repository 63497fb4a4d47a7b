"""Message Batches: create, process when due, cancel, results.

Rules (page "Batch processing", read 2026-11-23): params are checked item by item when the batch
is processed; only succeeded items are billed; counts stay 0 until the end; results are
unordered. Live and batch entries of the cache are apart, and the entries that a batch writes are
readable once it has ended (observed in the field; the pages say only "best effort").
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel

from fanwise.jsonable import as_list, as_object

from .clock import Clock, iso
from .faults import Fault, Faults
from .messages import Accepted, Messages
from .problems import ApiProblem, invalid
from .store import Store

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
LIFE_S = 24 * 3600.0
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CHUNK = 200


@dataclass(frozen=True, slots=True)
class _Result:
    result: dict[str, Any]
    accepted: Accepted | None = None
    """Set where the item is billed."""


class Batches:
    """The rules of `/v1/messages/batches`."""

    def __init__(self, store: Store, clock: Clock, messages: Messages, faults: Faults, delay_s: float) -> None:
        self.store, self.clock, self.messages, self.faults, self.delay_s = store, clock, messages, faults, delay_s
        self.woken = anyio.Event()

    def create(self, body: Any, size: int, workspace: str) -> str:
        """Take a batch and return its id.

        Raises:
            ApiProblem: The envelope is malformed or too large.
        """
        if size > MOST_BYTES:
            raise ApiProblem(413, "Request exceeds the maximum size")
        requests = as_list(as_object(body).get("requests"))
        if not requests:
            raise invalid("requests: Field required")
        if len(requests) > MOST_REQUESTS:
            raise invalid(f"requests: at most {MOST_REQUESTS} requests are allowed, got {len(requests)}")
        seen: set[str] = set()
        for index, request in enumerate(requests):
            custom_id = as_object(request).get("custom_id")
            if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
                raise invalid(f"requests.{index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
            if custom_id in seen:
                raise invalid(f"requests.{index}.custom_id: {custom_id!r} is used twice in this batch")
            if not isinstance(request.get("params"), dict):
                raise invalid(f"requests.{index}.params: Field required")
            seen.add(custom_id)
        now = self.clock.now()
        batch = {
            "id": f"msgbatch_{secrets.token_hex(12)}",
            "workspace": workspace,
            "created": now,
            "due": now + self.delay_s,
            "expires": now + LIFE_S,
            "ended": None,
            "cancel": None,
            "status": "in_progress",
            "size": len(requests),
        }
        self.store.add_batch(batch, iter([(request["custom_id"], request["params"]) for request in requests]))
        self.wake()
        return str(batch["id"])

    def wake(self) -> None:
        """Look at once whether a batch is due: time or a batch has changed."""
        self.woken.set()
        self.woken = anyio.Event()

    def get(self, batch_id: str, workspace: str) -> dict[str, Any]:
        """Return a batch of a workspace.

        Raises:
            ApiProblem: There is none with this id.
        """
        batch = self.store.batch(batch_id)
        if batch is None or batch["workspace"] != workspace:
            raise ApiProblem(404, f"batch {batch_id} not found")
        return batch

    def cancel(self, batch_id: str, workspace: str) -> dict[str, Any]:
        """Begin to cancel a batch."""
        batch = self.get(batch_id, workspace)
        if batch["status"] == "in_progress":
            self.store.update_batch(batch_id, status="canceling", cancel=self.clock.now(), due=self.clock.now())
            self.wake()
        return self.get(batch_id, workspace)

    def delete(self, batch_id: str, workspace: str) -> None:
        """Delete a batch that has ended."""
        if self.get(batch_id, workspace)["status"] != "ended":
            raise invalid(f"batch {batch_id} cannot be deleted before it has ended")
        self.store.delete_batch(batch_id)

    async def run(self) -> None:
        """Process batches when they are due, for ever."""
        while True:
            woken, pending = self.woken, self.store.open_batches()
            if not pending:
                await woken.wait()
                continue
            wait_s = min(pending[0]["due"], pending[0]["expires"]) - self.clock.now()
            if wait_s > 0:
                with anyio.move_on_after(wait_s):
                    await woken.wait()
                continue
            await self._process(pending[0])

    async def _process(self, batch: dict[str, Any]) -> None:
        accepted: list[Accepted] = []
        forced = "canceled" if batch["status"] == "canceling" else ""
        if not forced and self.clock.now() >= batch["expires"] > 0 and batch["due"] > batch["expires"]:
            forced = "expired"
        while chunk := self.store.pending(batch["id"], _CHUNK):
            made = [_Result({"type": forced}) if forced else await self._item(batch, item) for item in chunk]
            self.store.begin()  # no await until the commit: nothing else may join this transaction
            for item, one in zip(chunk, made, strict=True):
                self.store.finish_item(batch["id"], item["n"], one.result)
                if one.accepted is not None:
                    accepted.append(one.accepted)
                    entry_id, custom_id = f"{batch['id']}/{item['custom_id']}", item["custom_id"]
                    self.messages.charge(
                        one.accepted,
                        one.result["message"],
                        entry_id=entry_id,
                        batch_id=batch["id"],
                        custom_id=custom_id,
                    )
            self.store.commit()
            await anyio.lowlevel.checkpoint()
        for one in accepted:
            self.messages.publish(one)
        counts = self.store.counts(batch["id"])
        known = {kind: counts.get(kind, 0) for kind in ("succeeded", "errored", "canceled", "expired")}
        self.store.update_batch(batch["id"], status="ended", ended=self.clock.now(), **known)

    async def _item(self, batch: dict[str, Any], item: dict[str, Any]) -> _Result:
        params = json.loads(item["params"])
        fault = self.faults.strike(
            path="/v1/messages/batches", model=str(params.get("model", "")), text=item["params"], item=True
        )
        if fault is not None and fault.item not in ("", "duplicated", "missing"):
            return _Result(_faulty(fault))
        try:
            if fault is not None and fault.status is not None:
                raise fault.problem()
            if params.get("stream") or params.get("max_tokens") == 0 or params.get("speed"):
                raise invalid("stream, speed and max_tokens 0 are not supported in batches")
            one = self.messages.accept(params, channel="batch", workspace=batch["workspace"])
            message = await self.messages.reply(one)
        except ApiProblem as problem:
            request_id = f"req_{secrets.token_hex(12)}"
            return _Result({"type": "errored", "error": problem.envelope(request_id)})
        message["usage"]["service_tier"] = "batch"
        result: dict[str, Any] = {"type": "succeeded", "message": message}
        return _Result({**result, "_fault": fault.item} if fault is not None and fault.item else result, one)

    async def results(self, batch_id: str, pause_s: float = 0.0) -> AsyncIterator[bytes]:
        """Yield the result lines of a batch in pieces, with a pause behind each; not in the order of its requests."""
        start = 0
        while rows := self.store.results(batch_id, start, 100):
            start = rows[-1][0] + 1
            lines: list[str] = []
            for _, custom_id, text in sorted(rows, key=lambda row: hashlib.sha256(row[1].encode()).digest()):
                result = json.loads(text)
                odd = result.pop("_fault", "")
                line = json.dumps({"custom_id": custom_id, "result": result}) + "\n"
                lines += [] if odd == "missing" else [line, line] if odd == "duplicated" else [line]
            yield "".join(lines).encode()
            await anyio.sleep(pause_s)


def _faulty(fault: Fault) -> dict[str, Any]:
    if fault.item == "errored":
        problem = ApiProblem(fault.status or 500, fault.message or "simulated error in a batch item")
        return {"type": "errored", "error": problem.envelope(f"req_{secrets.token_hex(12)}")}
    return {"type": fault.item}


def view(batch: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return a batch as the API shows it."""
    ended = batch["status"] == "ended"
    return {
        "id": batch["id"],
        "type": "message_batch",
        "processing_status": batch["status"],
        "request_counts": {
            "processing": 0 if ended else batch["size"],
            **{kind: batch[kind] if ended else 0 for kind in ("succeeded", "errored", "canceled", "expired")},
        },
        "created_at": iso(batch["created"]),
        "expires_at": iso(batch["expires"]),
        "ended_at": iso(batch["ended"]),
        "cancel_initiated_at": iso(batch["cancel"]),
        "archived_at": None,
        "results_url": f"{base_url}/v1/messages/batches/{batch['id']}/results" if ended else None,
    }
