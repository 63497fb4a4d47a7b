"""Cache diagnostics: why a request could not read what an earlier one had written."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic import Anthropic
from sending import HI, MODEL

SYSTEM: Any = [{"type": "text", "text": "abcd " * 300, "cache_control": {"type": "ephemeral"}}]
TOOL: Any = {"name": "f", "input_schema": {"type": "object"}}


def ask(client: Anthropic, previous: str | None, **changes: Any) -> Any:
    body = {"model": MODEL, "max_tokens": 9, "messages": HI, "system": SYSTEM, **changes}
    return client.messages.create(**body, diagnostics={"previous_message_id": previous})


@pytest.mark.rule("diagnostics")
@pytest.mark.parametrize(
    ("changes", "kind", "missed"),
    [
        ({}, None, None),
        ({"messages": [*HI, {"role": "assistant", "content": "x"}, *HI]}, None, None),
        ({"model": "claude-opus-5-5"}, "model_changed", 600),
        ({"tools": [TOOL]}, "tools_changed", 600),
        ({"system": [{"type": "text", "text": "It is 12:01. "}, *SYSTEM]}, "system_changed", 600),
        ({"messages": [{"role": "user", "content": "ho"}]}, "messages_changed", 0),
        ({"thinking": {"type": "disabled"}}, "unavailable", None),
    ],
)
def test_what_has_changed_is_named(client: Anthropic, changes: dict[str, Any], kind: str, missed: int) -> None:
    first = ask(client, None)
    assert first.diagnostics is None, "there is nothing to compare with yet"
    reason = ask(client, first.id, **changes).diagnostics.cache_miss_reason
    assert (reason.type if reason else None) == kind
    assert getattr(reason, "cache_missed_input_tokens", None) == missed


@pytest.mark.rule("diagnostics-unknown")
def test_a_message_that_nobody_knows(client: Anthropic) -> None:
    reason = ask(client, "msg_unknown").diagnostics.cache_miss_reason
    assert reason.type == "previous_message_not_found"
    plain = client.messages.create(model=MODEL, max_tokens=9, messages=HI)
    assert plain.diagnostics is None
    reason = ask(client, plain.id).diagnostics.cache_miss_reason
    assert reason.type == "previous_message_not_found", "it did not ask for diagnostics"
