"""The control routes, and who may use them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from sending import BODY, HEADERS, HI, MODEL, Send, answered, ended, send_to

from fanwise.emulator import Emulator, EmulatorSettings
from fanwise.emulator.server import in_thread


def test_faults_strike_as_often_and_as_long_as_they_are_told(client: Anthropic, emulator: Emulator) -> None:
    emulator.fault(status=429, count=1, retry_after=7)
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model=MODEL, max_tokens=1, messages=HI)
    assert caught.value.response.headers["retry-after"] == "7"
    client.messages.create(model=MODEL, max_tokens=1, messages=HI)
    emulator.fault(status=500, model="opus", match="hi", message="no", code="x_y", for_s=60)
    client.messages.create(model=MODEL, max_tokens=1, messages=HI)
    with pytest.raises(anthropic.InternalServerError) as refused:
        client.messages.create(model="claude-opus-5", max_tokens=1, messages=HI)
    assert (refused.value.error_code, refused.value.api_message) == ("x_y", "no")
    emulator.advance(61)
    client.messages.create(model="claude-opus-5", max_tokens=1, messages=HI)


def test_faults_strike_by_chance_in_the_same_way_every_time(emulator: Emulator, send: Send) -> None:
    def statuses() -> list[int]:
        with Emulator() as unlucky:
            unlucky.fault(status=529, probability=0.3)
            return [send_to(unlucky.url, "/v1/messages", BODY)[0] for _ in range(60)]

    first = statuses()
    assert 5 < first.count(529) < 30
    assert statuses() == first


def test_a_cut_connection_is_not_billed(client: Anthropic, emulator: Emulator) -> None:
    emulator.fault(cut=True, count=1)
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.create(model=MODEL, max_tokens=1, messages=HI)
    assert emulator.bill()["totals"]["entries"] == 0


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"stauts": 429}, "unknown field 'stauts'"),
        ({"status": 418}, "none of"),
        ({"status": "429"}, "status"),
        ({"lost": 1}, "lost"),
        ({"item": "gone"}, "none of"),
        ({"count": 1}, "needs one of"),
        ({}, "needs one of"),
    ],
)
def test_a_fault_that_says_nothing_is_refused(emulator: Emulator, rule: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        emulator.fault(**rule)


def test_the_clock_moves_forward_and_runs_faster(emulator: Emulator, send: Send) -> None:
    def clock(**change: object) -> float:
        return datetime.fromisoformat(send("/_emulator/clock", change or None)[1]["now"]).timestamp()

    before = clock()
    assert clock(advance_s=3600) - before >= 3600
    assert send("/_emulator/clock", {"speed": 1_000_000})[1]["speed"] == 1_000_000
    assert -clock() + clock() >= 50, "two looks, less than a minute apart"
    too_large = ({"advance_s": 1e300}, {"advance_s": 10**400}, {"speed": 1e300})
    for wrong in ({}, {"advance_s": -1}, {"speed": 0}, {"advance_s": "x"}, {"hours": 1}, [], *too_large):
        assert send("/_emulator/clock", wrong)[0] == 400, wrong
    with Emulator(batch_delay_s=600, clock_speed=6000) as fast, Anthropic(api_key="k", base_url=fast.url) as client:
        batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": BODY}])  # type: ignore[list-item,typeddict-item]
        done = ended(client, batch.id)
        assert (done.ended_at - done.created_at).total_seconds() >= 600


def test_time_ends_with_the_year_9000(client: Anthropic, emulator: Emulator, send: Send) -> None:
    """Later dates have no form in the API: a clock that got there made an error of every reply with a date."""
    emulator.advance(datetime(9000, 12, 31, tzinfo=UTC).timestamp() - datetime.now(UTC).timestamp())
    with pytest.raises(ValueError, match="year 9000"):
        emulator.advance(2 * 24 * 3600)
    assert send("/_emulator/clock", {"speed": 1e9})[0] == 200
    assert send("/_emulator/clock")[1]["now"] == "9001-01-01T00:00:00.000000Z"
    batch = client.messages.batches.create(requests=[{"custom_id": "a", "params": BODY}])  # type: ignore[list-item,typeddict-item]
    assert batch.expires_at.year == 9001


def test_requests_are_shown_without_their_keys(emulator: Emulator, send: Send) -> None:
    answered(send, {**HEADERS, "x-api-key": "sk-secret"})
    send("/v1/messages", b"{ no json")
    requests = emulator.requests()
    assert [request["status"] for request in requests] == [200, 400]
    assert (requests[0]["path"], requests[0]["model"], requests[0]["body"]["messages"]) == ("/v1/messages", MODEL, HI)
    assert requests[1]["body"] == "{ no json"
    assert "sk-secret" not in str(requests)
    assert len(send("/_emulator/requests?limit=1")[1]["requests"]) == 1


def test_reset_forgets_all_but_the_time(emulator: Emulator, send: Send) -> None:
    emulator.fault(status=500, model="opus")
    emulator.say(text="x")
    emulator.advance(1000)
    before = send("/_emulator/clock")[1]["now"]
    system = [{"type": "text", "text": "abcd " * 300, "cache_control": {"type": "ephemeral"}}]
    answered(send, system=system)
    emulator.reset()
    assert emulator.bill()["totals"]["entries"] == 0
    assert emulator.requests() == []
    assert send("/_emulator/faults")[1]["rules"] == []
    message = answered(send, max_tokens=50, system=system)
    assert message["usage"]["cache_read_input_tokens"] == 0
    assert message["content"][0]["text"] == "This is a simulated answer.", "no script any more"
    assert send("/_emulator/clock")[1]["now"] >= before


def test_a_web_page_cannot_use_the_control_routes(send: Send) -> None:
    """A page in a browser may post to loopback; its `Origin` gives it away."""
    status, reply, _ = send("/_emulator/reset", {}, headers={"origin": "https://example.com"})
    assert (status, reply["error"]["type"]) == (403, "permission_error")


def test_beyond_loopback_a_token_is_needed_everywhere() -> None:
    with pytest.raises(ValueError, match="token"), in_thread(EmulatorSettings(host="0.0.0.0")):
        pass
    with Emulator(host="0.0.0.0", token="t0ken") as emulator:
        address = emulator.url.replace("0.0.0.0", "127.0.0.1")
        assert send_to(address, "/_emulator/bill", headers={})[0] == 401
        assert send_to(address, "/v1/messages", BODY, headers=HEADERS)[0] == 401
        assert send_to(address, "/v1/messages", BODY, headers={**HEADERS, "x-api-key": "t0ken"})[0] == 200
        assert send_to(address, "/_emulator/bill", headers={"authorization": "Bearer t0ken"})[0] == 200


def test_models_tell_what_they_can_do(client: Anthropic, send: Send) -> None:
    names = [model.id for model in client.models.list(limit=5)]
    assert len(names) == len(set(names)) == 18
    haiku, old = client.models.retrieve(MODEL), client.models.retrieve("claude-sonnet-4-5")
    assert haiku.capabilities is not None
    assert haiku.capabilities.thinking.types.disabled.supported
    assert not haiku.capabilities.thinking.types.enabled.supported
    assert (haiku.lifecycle, old.lifecycle, str(old.retires_at)[:10]) == ("active", "deprecated", "2026-11-30")
    assert haiku.display_name == "Claude Haiku 5.5"


def test_every_reply_says_that_it_is_simulated(send: Send) -> None:
    for path in ("/v1/models", "/_emulator/bill", "/nothing"):
        assert send(path)[2]["fanwise-emulator"] == "simulated"


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "attacker.example", 403),
        ("Host", "attacker.example:8787", 403),
        ("Host", "127.0.0.1.attacker.example", 403),
        ("Host", "[", 403),
        ("Host", "localhost:8787", 200),
        ("Host", "LOCALHOST", 200),
        ("Host", "[::1]:8787", 200),
        ("Origin", "https://attacker.example", 403),
        ("Origin", "null", 403),
    ],
)
@pytest.mark.parametrize("path", ["/_emulator/requests", "/v1/messages/batches", "/v1/models", "/other"])
def test_a_web_page_of_others_is_not_answered(send: Send, path: str, header: str, value: str, status: int) -> None:
    """Found: by a name that its owner lets point to this machine a page could read all prompts, and script answers."""
    got, _, _ = send(path, headers={**HEADERS, header: value})
    assert got == (404 if path == "/other" and status == 200 else status)
