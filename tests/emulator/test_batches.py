"""Message Batches: what is checked when, how they live, end, expire and are billed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from hypothesis import given
from hypothesis import strategies as st
from sending import BODY, HEADERS, HI, MODEL, Send, ended, send_to

from fanwise.emulator import Emulator
from fanwise.emulator.envelope import Envelope
from fanwise.emulator.problems import ApiProblem

DAY_S = 24 * 3600


def submit(client: Anthropic, count: int, **params: Any) -> Any:
    body: Any = {"model": MODEL, "max_tokens": 5, "messages": HI, **params}
    return client.messages.batches.create(
        requests=[{"custom_id": f"c-{number}", "params": body} for number in range(count)]
    )


def kinds(client: Anthropic, batch_id: str) -> dict[str, str]:
    """How each item ended, with the API's word for an error."""
    kinds_by_id = {}
    for line in client.messages.batches.results(batch_id):
        result = line.result
        kinds_by_id[line.custom_id] = result.error.error.type if result.type == "errored" else result.type
    return kinds_by_id


def refused_results(emulator: Emulator, batch_id: str) -> tuple[int, str]:
    """Status and message of the results' address, which the SDK does not ask while there is no `results_url`."""
    headers = {**HEADERS, "x-api-key": "k"}
    status, reply, _ = send_to(emulator.url, f"/v1/messages/batches/{batch_id}/results", headers=headers)
    return status, reply["error"]["message"]


@pytest.mark.rule("batch-counts", "batch-results-url", "batch-delete")
def test_the_life_of_a_batch() -> None:
    with Emulator(batch_delay_s=50) as slow, Anthropic(api_key="k", base_url=slow.url, max_retries=0) as client:
        batch = submit(client, 3)
        counts = batch.request_counts
        assert (counts.processing, counts.succeeded, batch.results_url, batch.ended_at) == (3, 0, None, None)
        assert (batch.expires_at - batch.created_at).total_seconds() == DAY_S
        with pytest.raises(anthropic.BadRequestError, match="cancel it first"):
            client.messages.batches.delete(batch.id)
        assert refused_results(slow, batch.id) == (400, f"batch {batch.id} has not ended: it has no results yet")
        slow.advance(51)
        done = ended(client, batch.id)
        assert (done.request_counts.succeeded, done.request_counts.processing) == (3, 0)
        assert done.results_url == f"{slow.url}/v1/messages/batches/{batch.id}/results"
        assert set(kinds(client, batch.id).values()) == {"succeeded"}
        assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            client.messages.batches.retrieve(batch.id)


@pytest.mark.rule("batch-tier", "batch-half")
def test_a_batch_costs_half_and_says_so(client: Anthropic, emulator: Emulator) -> None:
    batch = submit(client, 1)
    ended(client, batch.id)
    (line,) = client.messages.batches.results(batch.id)
    assert line.result.type == "succeeded"
    assert line.result.message.usage.service_tier == "batch"
    client.messages.create(model=MODEL, max_tokens=5, messages=HI)
    half, full = sorted(emulator.bill()["entries"], key=lambda entry: entry["pico"])
    assert (half["batch_id"], half["custom_id"]) == (batch.id, "c-0")
    assert (full["batch_id"], full["custom_id"]) == (None, None)
    assert 2 * half["pico"] == full["pico"]


@pytest.mark.rule("batch-params", "batch-unbilled")
def test_bad_params_show_only_at_the_end_and_are_not_billed(client: Anthropic, emulator: Emulator) -> None:
    requests: Any = [
        {"custom_id": "good", "params": BODY},
        {"custom_id": "model", "params": {**BODY, "model": "claude-nothing"}},
        {"custom_id": "field", "params": {**BODY, "temperature": 1}},
        {"custom_id": "empty", "params": {}},
    ]
    batch = client.messages.batches.create(requests=requests)
    counts = ended(client, batch.id).request_counts
    assert (counts.succeeded, counts.errored) == (1, 3)
    wrong = "invalid_request_error"
    assert kinds(client, batch.id) == {"good": "succeeded", "model": "not_found_error", "field": wrong, "empty": wrong}
    assert emulator.bill()["totals"]["entries"] == 1


@pytest.mark.rule("batch-unsupported")
@pytest.mark.parametrize("params", [{"stream": True}, {"speed": "standard"}, {"max_tokens": 0}, {"fallbacks": [{}]}])
def test_what_batches_do_not_do(client: Anthropic, params: dict[str, Any]) -> None:
    batch = submit(client, 1, **params)
    assert ended(client, batch.id).request_counts.errored == 1
    (line,) = client.messages.batches.results(batch.id)
    assert line.result.type == "errored"
    assert "not supported in batches" in line.result.error.error.message


def test_the_version_of_a_batch_holds_for_its_items(send: Send) -> None:
    headers = {"x-api-key": "test", "anthropic-version": "2023-06-01"}
    params = {**BODY, "temperature": 1}
    _, created, _ = send("/v1/messages/batches", {"requests": [{"custom_id": "a", "params": params}]}, headers=headers)
    while (batch := send(f"/v1/messages/batches/{created['id']}", headers=headers)[1])["processing_status"] != "ended":
        pass
    assert batch["request_counts"]["succeeded"] == 1


@pytest.mark.rule("batch-envelope")
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"requests": []}, "at least 1"),
        ({}, "requests: Field required"),
        ([], "an object"),
        ({"requests": "x"}, "a valid list"),
        ({"requests": [3]}, "requests.0.custom_id"),
        ({"requests": [{"custom_id": "a b", "params": {}}]}, "requests.0.custom_id"),
        ({"requests": [{"custom_id": "a"}]}, "requests.0.params"),
        ({"requests": [{"custom_id": "a", "params": {}}] * 2}, "used twice"),
        ({"requests": [{"custom_id": "a", "params": {}, "x": 1}]}, "requests.0.x: Extra"),
        ({"name": "x", "requests": [{"custom_id": "a", "params": {}}]}, "name: Extra"),
        (b'{"requests": [{"custom_id": "a", "params": {}}', "not valid JSON"),
        (b'{"requests": [{"custom_id": "a", "params": {}},]}', "not valid JSON"),
        (b'\xff{"requests": []}', "not UTF-8"),
    ],
)
def test_the_envelope_is_checked_at_once(send: Send, body: Any, text: str) -> None:
    status, reply, _ = send("/v1/messages/batches", body)
    assert status == 400
    assert text in reply["error"]["message"]


def test_the_envelope_has_a_largest_size_and_a_largest_count() -> None:
    envelope, start = Envelope(), b'{"requests":[{"custom_id":"c","params":{"text":"'
    envelope.feed(start)
    left, piece = 256_000_000 - len(start), b"x" * 64_000_000
    while left:
        envelope.feed(piece[:left])
        left -= min(left, len(piece))
    with pytest.raises(ApiProblem) as caught:
        envelope.feed(b"x")
    assert caught.value.status == 413
    requests = [b'{"custom_id":"c%d","params":{}}' % number for number in range(100_001)]
    many = Envelope()
    many.feed(b'{"requests":[' + b",".join(requests[:100_000]))
    with pytest.raises(ApiProblem, match="100000"):
        many.feed(b"," + requests[-1] + b"]}", last=True)


requests = st.lists(
    st.builds(
        lambda number, text: (f"c{number}", {"messages": [{"content": text}]}), st.integers(0, 9**9), st.text()
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda request: request[0],
)  # fmt: skip


@given(requests, st.integers(1, 40), st.booleans(), st.sampled_from([None, 1]))
def test_an_envelope_is_read_the_same_however_it_arrives(
    wanted: list[tuple[str, Any]], piece: int, ascii_only: bool, indent: int | None
) -> None:
    data = {"requests": [{"custom_id": custom_id, "params": params} for custom_id, params in wanted]}
    raw = json.dumps(data, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    envelope = Envelope()
    try:
        for at in range(0, len(raw), piece):
            envelope.feed(raw[at : at + piece])
        read = envelope.finish()
    except ApiProblem as problem:
        assert "UTF-8" in problem.message
        with pytest.raises(UnicodeDecodeError):
            raw.decode()
        return
    assert [(custom_id, json.loads(text)["params"]) for custom_id, text in read] == wanted


@pytest.mark.rule("batch-unordered")
def test_results_do_not_come_in_the_order_of_the_requests(client: Anthropic) -> None:
    batch = submit(client, 250)
    ended(client, batch.id)
    custom_ids = [line.custom_id for line in client.messages.batches.results(batch.id)]
    assert len(set(custom_ids)) == 250
    assert custom_ids != sorted(custom_ids, key=lambda name: int(name[2:]))


@pytest.mark.rule("batch-cancel")
def test_a_cancelled_batch_ends_with_partial_results() -> None:
    settings: Any = {"batch_delay_s": 1e6, "batch_cancel_share": 0.3}
    with Emulator(**settings) as slow, Anthropic(api_key="k", base_url=slow.url, max_retries=0) as client:
        batch = submit(client, 10)
        cancelled = client.messages.batches.cancel(batch.id)
        assert cancelled.processing_status in ("canceling", "ended")
        assert cancelled.cancel_initiated_at is not None
        counts = ended(client, batch.id).request_counts
        assert (counts.succeeded, counts.canceled) == (3, 7)
        assert slow.bill()["totals"]["entries"] == 3
        with pytest.raises(anthropic.BadRequestError, match="has ended"):
            client.messages.batches.cancel(batch.id)


@pytest.mark.rule("batch-expiry", "batch-29-days")
def test_a_batch_expires_and_its_results_go() -> None:
    with Emulator(batch_delay_s=1e6) as slow, Anthropic(api_key="k", base_url=slow.url, max_retries=0) as client:
        batch = submit(client, 2)
        slow.advance(DAY_S - 5)
        assert client.messages.batches.retrieve(batch.id).processing_status == "in_progress"
        slow.advance(10)
        assert ended(client, batch.id).request_counts.expired == 2
        assert set(kinds(client, batch.id).values()) == {"expired"}
        assert slow.bill()["totals"]["entries"] == 0
        slow.advance(28 * DAY_S)
        gone = client.messages.batches.retrieve(batch.id)
        assert gone.archived_at is not None
        assert gone.results_url is None
        assert refused_results(slow, batch.id)[0] == 404


@pytest.mark.rule("batch-list")
def test_batches_are_listed_in_pages_newest_first(client: Anthropic, send: Send) -> None:
    batch_ids = [submit(client, 1).id for _ in range(5)][::-1]
    page = client.messages.batches.list(limit=2)
    assert ([batch.id for batch in page.data], page.has_more) == (batch_ids[:2], True)
    assert [batch.id for batch in client.messages.batches.list(limit=2)] == batch_ids
    assert [batch.id for batch in client.messages.batches.list(after_id=batch_ids[3]).data] == batch_ids[4:]
    before = client.messages.batches.list(before_id=batch_ids[3], limit=2)
    assert ([batch.id for batch in before.data], before.has_more) == (batch_ids[1:3], True)
    with Anthropic(api_key="other", base_url=client.base_url) as stranger:
        assert list(stranger.messages.batches.list()) == []
        with pytest.raises(anthropic.NotFoundError):
            stranger.messages.batches.retrieve(batch_ids[0])
    for query in ("limit=0", "limit=1001", "limit=x", "after_id=nobody"):
        assert send(f"/v1/messages/batches?{query}")[0] == 400


@pytest.mark.parametrize("item", ["errored", "expired", "canceled", "missing", "duplicated"])
def test_items_end_as_a_fault_says(client: Anthropic, emulator: Emulator, item: str) -> None:
    emulator.fault(item=item, match='"c-1"')
    batch = submit(client, 3)
    ended(client, batch.id)
    lines = list(client.messages.batches.results(batch.id))
    ends = {"missing": [], "duplicated": ["succeeded", "succeeded"]}.get(item, [item])
    assert [line.result.type for line in lines if line.custom_id == "c-1"] == ends
    assert {line.result.type for line in lines if line.custom_id != "c-1"} == {"succeeded"}
    paid = {entry["custom_id"] for entry in emulator.bill()["entries"]}
    assert ("c-1" in paid) == (item in ("missing", "duplicated"))


@pytest.mark.rule("batch-404")
def test_polls_may_answer_404_for_a_while(client: Anthropic, emulator: Emulator) -> None:
    batch = submit(client, 1)
    emulator.fault(path="/batches/", status=404, for_s=5)
    for _ in range(3):
        with pytest.raises(anthropic.NotFoundError):
            client.messages.batches.retrieve(batch.id)
    emulator.advance(6)
    assert ended(client, batch.id).request_counts.succeeded == 1


def test_state_is_kept_in_a_directory_and_a_batch_goes_on_after_a_restart(tmp_path: Path) -> None:
    with (
        Emulator(directory=tmp_path, batch_delay_s=0.2) as first,
        Anthropic(api_key="k", base_url=first.url, max_retries=0) as client,
    ):
        client.messages.create(model=MODEL, max_tokens=1, messages=HI)
        first.advance(1000)
        batch = submit(client, 2)
    with (
        Emulator(directory=tmp_path) as second,
        Anthropic(api_key="k", base_url=second.url, max_retries=0) as client,
    ):
        assert ended(client, batch.id).request_counts.succeeded == 2
        assert second.bill()["totals"]["entries"] == 3
        later = submit(client, 1)
        assert 0 <= (later.created_at - batch.created_at).total_seconds() < 60, "the clock went on where it was"
