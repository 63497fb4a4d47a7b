"""The wire: envelopes, streams, batches, faults, and what survives a restart."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanwise.emulator.server import Settings, in_thread
from support import bill, post

MODEL = "claude-haiku-5-5"
HI: Any = [{"role": "user", "content": "hi"}]


def ended(client: Anthropic, batch_id: str) -> Any:
    for _ in range(2000):
        batch = client.messages.batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return batch
        time.sleep(0.005)
    raise AssertionError("the batch did not end")


def submit(client: Anthropic, count: int, **params: Any) -> Any:
    body: Any = {"model": MODEL, "max_tokens": 5, "messages": HI, **params}
    return client.messages.batches.create(
        requests=[{"custom_id": f"c-{number}", "params": body} for number in range(count)]
    )


def test_a_stream_gives_the_same_message_as_a_plain_call(client: Anthropic, url: str) -> None:
    plain = client.messages.create(model=MODEL, max_tokens=50, messages=HI)
    with client.messages.stream(model=MODEL, max_tokens=50, messages=HI) as stream:
        events = [event.type for event in stream]
        streamed = stream.get_final_message()
    assert [block.text for block in streamed.content if block.type == "text"] == ["This is a simulated answer."]
    assert [block.text for block in plain.content if block.type == "text"] == ["This is a simulated answer."]
    assert streamed.usage.output_tokens == plain.usage.output_tokens
    assert events[0] == "message_start"
    assert events[-1] == "message_stop"
    assert bill(url)["totals"]["entries"] == 2


def test_every_error_has_the_documented_envelope_and_an_id(client: Anthropic, url: str) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.create(model="claude-nothing", max_tokens=1, messages=HI)
    assert caught.value.type == "not_found_error"
    assert caught.value.request_id
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not permitted"):
        client.messages.create(model=MODEL, max_tokens=1, messages=HI, extra_body={"temperature": 1})
    with pytest.raises(urllib.error.HTTPError) as plain:
        urllib.request.urlopen(f"{url}/v1/nothing", timeout=5)
    with plain.value as reply:
        assert json.load(reply)["error"]["type"] == "not_found_error"
    with pytest.raises(urllib.error.HTTPError) as unauthorised:
        urllib.request.urlopen(f"{url}/v1/models", timeout=5)
    with unauthorised.value as reply:
        assert (reply.code, json.load(reply)["error"]["type"]) == (401, "authentication_error")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text", "system", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | st.just(fixed)
        for name, fixed in {
            "model": MODEL,
            "max_tokens": 5,
            "messages": HI,
            "system": "s",
            "metadata": {},
            "output_config": {},
            "stream": True,
            "stop_sequences": ["a"],
            "requests": [{"custom_id": "a", "params": {}}],
        }.items()
    },
)


@given(
    body=bodies | json_values,
    path=st.sampled_from(["/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_no_body_makes_a_500(url: str, body: Any, path: str) -> None:
    request = urllib.request.Request(url + path, json.dumps(body).encode(), {"x-api-key": "k"})
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except urllib.error.HTTPError as error:
        with error:
            told = json.load(error)
        assert error.code in (400, 404), told
        assert told["type"] == "error"
        assert told["error"]["message"]


def test_the_life_of_a_batch(client: Anthropic, url: str) -> None:
    made = submit(client, 3)
    assert made.request_counts.processing == 3
    assert made.results_url is None
    done = ended(client, made.id)
    assert (done.request_counts.succeeded, done.request_counts.processing) == (3, 0)
    assert done.results_url.startswith(url)
    assert {line.custom_id for line in client.messages.batches.results(made.id)} == {"c-0", "c-1", "c-2"}
    assert [batch.id for batch in client.messages.batches.list()] == [made.id]
    assert {entry["custom_id"] for entry in bill(url)["entries"]} == {"c-0", "c-1", "c-2"}
    assert client.messages.batches.delete(made.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(made.id)


def test_bad_params_show_only_at_the_end_and_are_not_billed(client: Anthropic, url: str) -> None:
    made = submit(client, 2, model="claude-nothing")
    assert ended(client, made.id).request_counts.errored == 2
    kinds = {
        line.result.error.error.type
        for line in client.messages.batches.results(made.id)
        if line.result.type == "errored"
    }
    assert kinds == {"not_found_error"}
    assert bill(url)["totals"]["entries"] == 0


@pytest.mark.parametrize(
    "requests", [[], [{"custom_id": "a b", "params": {}}], [{"custom_id": "a", "params": {}}] * 2, "x"]
)
def test_the_envelope_of_a_batch_is_checked_at_once(client: Anthropic, requests: Any) -> None:
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.create(requests=requests)


def test_a_batch_can_be_cancelled_and_expires(url: str) -> None:
    with in_thread(Settings(batch_delay_s=1e6)) as slow, Anthropic(api_key="k", base_url=slow) as client:
        first, second = submit(client, 2), submit(client, 2)
        client.messages.batches.cancel(first.id)
        assert ended(client, first.id).request_counts.canceled == 2
        post(f"{slow}/_emulator/clock", {"advance_s": 24 * 3600 + 1})
        assert ended(client, second.id).request_counts.expired == 2
        assert bill(slow)["totals"]["entries"] == 0


def test_faults_strike_as_often_as_they_are_told(client: Anthropic, url: str) -> None:
    post(f"{url}/_emulator/faults", {"status": 429, "count": 1, "retry_after": 7})
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model=MODEL, max_tokens=1, messages=HI)
    assert caught.value.response.headers["retry-after"] == "7"
    client.messages.create(model=MODEL, max_tokens=1, messages=HI)
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{url}/_emulator/faults", {"stauts": 429})
    with refused.value as reply:
        assert "unknown field 'stauts'" in reply.read().decode()


def test_state_is_kept_in_a_directory_and_a_batch_goes_on_after_a_restart(tmp_path: Path) -> None:
    with (
        in_thread(Settings(directory=tmp_path, batch_delay_s=0.2)) as url,
        Anthropic(api_key="k", base_url=url) as client,
    ):
        client.messages.create(model=MODEL, max_tokens=1, messages=HI)
        made = submit(client, 2)
    with in_thread(Settings(directory=tmp_path)) as url, Anthropic(api_key="k", base_url=url) as client:
        assert ended(client, made.id).request_counts.succeeded == 2
        assert bill(url)["totals"]["entries"] == 3


def test_an_answer_fits_the_schema_and_max_tokens_cuts_it(client: Anthropic) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"enum": ["x", "y"]}}, "b": {"type": "null"}},
    }
    message = client.messages.create(
        model=MODEL, max_tokens=100, messages=HI, output_config={"format": {"type": "json_schema", "schema": schema}}
    )
    assert json.loads(message.content[0].text) == {"a": ["x"], "b": None}  # type: ignore[union-attr]
    assert client.messages.create(model=MODEL, max_tokens=2, messages=HI).stop_reason == "max_tokens"
    warm = client.messages.create(model=MODEL, max_tokens=0, messages=HI)
    assert (warm.content, warm.stop_reason, warm.usage.output_tokens) == ([], "max_tokens", 0)


def test_models_are_listed_in_pages(client: Anthropic) -> None:
    names = [model.id for model in client.models.list(limit=5)]
    assert MODEL in names
    assert len(names) == len(set(names)) == 18
    assert client.models.retrieve(MODEL).max_tokens == 128_000
