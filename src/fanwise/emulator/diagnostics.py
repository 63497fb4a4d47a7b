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

from .positions import Position, thinking_and_effort
from .tables import Model
from .tokens import canonical, unmarked

MOST = 10_000
"""Fingerprints that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What a request is compared by."""

    workspace: str
    model: str
    tools: str
    system: str
    options: str
    """Thinking, effort, tool choice and the format of the answer."""
    messages: tuple[str, ...]
    """Cumulative keys of the positions in `messages`."""
    marked: int
    """Tokens up to its last breakpoint."""


class Fingerprints:
    """The fingerprints of earlier requests, by message id."""

    def __init__(self) -> None:
        self._by_message: OrderedDict[str, Fingerprint] = OrderedDict()

    def keep(self, message_id: str, fingerprint: Fingerprint) -> None:
        """Remember a request under the id of its reply."""
        self._by_message[message_id] = fingerprint
        if len(self._by_message) > MOST:
            self._by_message.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._by_message.clear()

    def miss_reason(self, previous_id: str, present: Fingerprint, read: int) -> dict[str, Any] | None:
        """Return the reason for a miss in the API's form, or None where the earlier prefix is whole.

        Args:
            previous_id: The message that the client names.
            present: The present request.
            read: Tokens that it read from the cache.
        """
        before = self._by_message.get(previous_id)
        if before is None or before.workspace != present.workspace:
            return {"type": "previous_message_not_found"}
        missed = max(before.marked - read, 0)
        for name, kind in (("model", "model_changed"), ("tools", "tools_changed"), ("system", "system_changed")):
            if getattr(before, name) != getattr(present, name):
                return {"type": kind, "cache_missed_input_tokens": missed}
        if before.options != present.options:
            return {"type": "unavailable"}
        if present.messages[: len(before.messages)] != before.messages:
            return {"type": "messages_changed", "cache_missed_input_tokens": missed}
        return None


def fingerprint_of(
    body: Mapping[str, Any], model: Model, workspace: str, positions: Sequence[Position], marked: int
) -> Fingerprint:
    """Return what a request is compared by."""
    form = as_object(body.get("output_config")).get("format")
    return Fingerprint(
        workspace=workspace,
        model=f"{body['model']} {body.get('speed') or 'standard'}",
        tools=canonical([unmarked(tool) for tool in body.get("tools") or ()]),
        system=canonical(_system_parts(body.get("system") or ())),
        options=canonical([*thinking_and_effort(body, model), body.get("tool_choice"), form]),
        messages=tuple(position.key for position in positions if position.section == "messages"),
        marked=marked,
    )


def _system_parts(system: str | Sequence[Mapping[str, Any]]) -> list[str]:
    return [system] if isinstance(system, str) else [canonical(unmarked(block)) for block in system]
