"""Why the cache could not be read: the comparison behind `diagnostics.cache_miss_reason`.

Source: page "Cache diagnostics" and SDK 2.12.0 `types/cache_miss_*.py`, read 2026-11-23. Fingerprints
are kept only for requests that opt in by sending `diagnostics`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.jsonable import as_object

from .positions import Position, resolved
from .tables import Model
from .tokens import canonical, plain

MOST = 10_000
"""Fingerprints that are remembered."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a request is compared by."""

    workspace: str
    model: str
    tools: str
    system: str
    other: str
    messages: tuple[str, ...]
    """Cumulative keys of the positions in `messages`."""
    marked: int
    """Tokens up to its last breakpoint."""


class Diagnostics:
    """The fingerprints of earlier requests, by message id."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Fingerprint] = OrderedDict()

    def keep(self, message_id: str, mine: Fingerprint) -> None:
        """Remember a request under the id of its reply."""
        self._known[message_id] = mine
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()

    def compare(self, previous_id: str, mine: Fingerprint, read: int) -> dict[str, Any] | None:
        """Return the reason for a miss, or None where the earlier prefix is whole.

        Args:
            previous_id: The message that the client names.
            mine: The present request.
            read: Tokens that it read from the cache.
        """
        before = self._known.get(previous_id)
        if before is None or before.workspace != mine.workspace:
            return {"type": "previous_message_not_found"}
        missed = max(before.marked - read, 0)
        for name, kind in (("model", "model_changed"), ("tools", "tools_changed"), ("system", "system_changed")):
            if getattr(before, name) != getattr(mine, name):
                return {"type": kind, "cache_missed_input_tokens": missed}
        if before.other != mine.other:
            return {"type": "unavailable"}
        if mine.messages[: len(before.messages)] != before.messages:
            return {"type": "messages_changed", "cache_missed_input_tokens": missed}
        return None


def fingerprint(
    body: Mapping[str, Any], model: Model, workspace: str, found: Sequence[Position], marked: int
) -> Fingerprint:
    """Return what a request is compared by."""
    system = body.get("system") or ()
    parts = [system] if isinstance(system, str) else [canonical(plain(block)) for block in system]
    other: list[object] = [
        *resolved(body, model),
        body.get("tool_choice"),
        as_object(body.get("output_config")).get("format"),
    ]
    return Fingerprint(
        workspace,
        f"{body['model']} {body.get('speed') or 'standard'}",
        canonical([plain(tool) for tool in body.get("tools") or ()]),
        canonical(parts),
        canonical(other),
        tuple(one.key for one in found if one.level == "messages"),
        marked,
    )
