"""No body, whatever it holds, makes a 500; every refusal has the documented envelope."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sending import HEADERS, HI, MODEL, send_to

from fanwise.emulator import Emulator

PATHS = ["/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"]
odd = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    odd,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "source", "data", "name", "id", "input", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
ENDLESS = {"type": "compaction", "content": "x" * 2_000, "cache_control": {"type": "ephemeral", "ttl": "for ever"}}
KINDS = ["text", "image", "document", "tool_use", "tool_result", "thinking", "search_result", "compaction", "x"]
sources = st.fixed_dictionaries(
    {"type": st.sampled_from(["base64", "url", "text", "content", "file", "x"])},
    optional={
        "media_type": st.sampled_from(["image/png", "image/jpeg", "application/pdf", "text/plain"]),
        "data": st.text(max_size=9) | st.sampled_from(["iVBORw0KGgo=", "/9j/4AAQ", "%", "AAAA"]),
        "url": st.text(max_size=3), "content": st.text(max_size=3) | anything,
    },
)  # fmt: skip
marks = st.fixed_dictionaries({"type": st.just("ephemeral")}, optional={"ttl": st.sampled_from(["5m", "1h", "1d"])})
blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        "text": st.text(max_size=9), "source": sources, "id": st.just("t"), "tool_use_id": st.just("t"),
        "name": st.just("f"), "input": st.just({}) | anything, "content": st.text(max_size=3) | anything,
        "cache_control": marks | odd, "thinking": st.text(max_size=3), "signature": st.just("s"),
        "title": st.text(max_size=3), "citations": anything,
    },
)  # fmt: skip
messages = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "system"]),
            "content": st.text(min_size=1, max_size=9) | st.lists(blocks, min_size=1, max_size=3),
        }
    ),
    min_size=1,
    max_size=4,
)
schemas = st.recursive(
    st.sampled_from(
        [{"type": "string"}, {"type": "integer", "minimum": 10**400}, {"$ref": "#"}, {"pattern": "("}, {"enum": []}]
    )
    | anything,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array", "number", ["null"]]), "anyOf": st.lists(inner, max_size=2),
            "allOf": st.lists(inner, max_size=2), "properties": st.dictionaries(st.text(max_size=2), inner, max_size=2),
            "items": inner, "required": anything, "minItems": odd, "multipleOf": odd, "maximum": odd,
        },
    ),
    max_leaves=5,
)  # fmt: skip
tools = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["f", "g"])},
        optional={"input_schema": schemas, "type": st.sampled_from(["custom", "web_search_20260318", "x"])},
    ),
    max_size=3,
)
likely = st.fixed_dictionaries(
    {"model": st.sampled_from([MODEL, "claude-haiku-4-5", "claude-opus-5-5"]), "max_tokens": st.integers(0, 3000)},
    optional={
        "messages": messages, "system": st.text(max_size=5) | st.lists(blocks, max_size=2), "tools": tools,
        "stream": st.booleans(), "stop_sequences": st.lists(st.sampled_from(["a", "simulated"]), max_size=2),
        "output_config": st.fixed_dictionaries(
            {}, optional={"format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": schemas})}
        ),
        "thinking": st.fixed_dictionaries({"type": st.sampled_from(["adaptive", "disabled", "enabled"])}),
        "tool_choice": st.fixed_dictionaries({"type": st.sampled_from(["auto", "any", "tool", "none"])}),
        "cache_control": marks, "diagnostics": st.just({"previous_message_id": "x"}) | st.just({}),
        "metadata": st.just({"user_id": "u"}) | anything,
    },
)  # fmt: skip
strange = st.fixed_dictionaries(
    {},
    optional={
        name: anything | st.just(fixed)
        for name, fixed in {
            "model": MODEL, "max_tokens": 5, "messages": HI, "system": "s", "metadata": {}, "output_config": {},
            "stream": True, "stop_sequences": ["a"], "requests": [{"custom_id": "a", "params": {}}],
        }.items()
    },
)  # fmt: skip


def check(emulator: Emulator, path: str, raw: bytes) -> None:
    status, reply, headers = send_to(emulator.url, path, raw, headers=HEADERS)
    assert status in (200, 400, 404, 413), reply
    assert headers["request-id"]
    if status != 200:
        assert reply["type"] == "error"
        assert reply["error"]["message"]
        assert reply["request_id"] == headers["request-id"]


@given(body=likely | strange | anything, path=st.sampled_from(PATHS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@example(body={"model": MODEL, "max_tokens": 5, "messages": HI, "system": True}, path="/v1/messages")
@example(body={"model": MODEL, "max_tokens": 5, "messages": HI, "system": 1}, path="/v1/messages")
@example(body={"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": [ENDLESS]}]}, path=PATHS[0])
def test_no_body_makes_a_500(emulator: Emulator, body: Any, path: str) -> None:
    """Found: `system: true` was read as a list, and its items as blocks; a block that is passed on had any TTL."""
    check(emulator, path, json.dumps(body).encode())


@given(raw=st.binary(max_size=60), path=st.sampled_from(PATHS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@example(raw=b"[" * 100_000, path="/v1/messages")
@example(raw=b"[" * 100_000, path="/v1/messages/batches")
@example(raw=b'{"model":"\\ud800"}', path="/v1/messages")
def test_no_bytes_make_a_500(emulator: Emulator, raw: bytes, path: str) -> None:
    check(emulator, path, raw)


@given(params=likely | anything)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@example(params={"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "\ud800"}]})
def test_no_item_keeps_a_batch_from_its_end(emulator: Emulator, params: Any) -> None:
    body = {"requests": [{"custom_id": "a", "params": params}, {"custom_id": "b", "params": {"model": MODEL}}]}
    status, created, _ = send_to(emulator.url, "/v1/messages/batches", body)
    if status != 200:
        assert status == 400, created
        return
    for _ in range(5000):
        batch = send_to(emulator.url, f"/v1/messages/batches/{created['id']}")[1]
        if batch["processing_status"] == "ended":
            break
    assert batch["request_counts"]["errored"] >= 1
    assert sum(batch["request_counts"].values()) == 2


def fields(**kinds: Any) -> st.SearchStrategy[Any]:
    """Some of the fields that a control route knows, each of its kind or anything."""
    return st.fixed_dictionaries({}, optional={name: kind | odd for name, kind in kinds.items()})


numbers = st.integers(-1, 3) | st.floats(0, 1) | st.sampled_from([10**400, 1e300])
controls = st.one_of(
    st.tuples(
        st.just("faults"),
        fields(
            status=st.sampled_from([400, 429, 529, 418]), count=numbers, for_s=numbers, retry_after=numbers,
            match=st.just("hi"), path=st.just("messages"), model=st.just("haiku"), probability=numbers,
            code=st.just("x"), malformed=st.booleans(), stream=st.just("error"), item=st.just("errored"),
            cache_lag_s=numbers,
        ),
    ),
    st.tuples(
        st.just("answers"),
        fields(
            match=st.just("hi"), model=st.just("haiku"), count=numbers, text=st.text(max_size=3), json=anything,
            tool=st.fixed_dictionaries({"name": odd}, optional={"input": anything}), tools=anything,
            thinking=st.text(max_size=3), refusal=st.just("cyber"),
        ),
    ),
    st.tuples(st.just("clock"), fields(advance_s=numbers, speed=numbers)),
    st.tuples(st.sampled_from(["faults", "answers", "clock"]), anything),
)  # fmt: skip


@given(control=controls)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@example(control=("clock", {"advance_s": 1e300}))
@example(control=("clock", {"advance_s": 10**400}))
@example(control=("clock", {"speed": 1e300}))
@example(control=("faults", {"status": 429, "for_s": 10**400}))
@example(control=("faults", {"status": 429, "retry_after": 10**400}))
def test_no_control_body_makes_a_500(emulator: Emulator, control: tuple[str, Any]) -> None:
    """Found: a number that is too large for the clock was an error of the server, then and at every request after."""
    path, data = control
    status, reply, _ = send_to(emulator.url, f"/_emulator/{path}", json.dumps(data).encode())
    assert status in (200, 400), reply
    status, reply, _ = send_to(emulator.url, "/v1/messages", {"model": MODEL, "max_tokens": 5, "messages": HI})
    struck = path == "faults" and data
    assert status == 200 or struck, reply
    assert reply.get("error", {}).get("message") != "Internal server error", control
    emulator.clear_faults()
    send_to(emulator.url, "/_emulator/answers", method="DELETE")
