"""Recording exchanges as files without keys, and answering from them; the upstream is another emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from anthropic import Anthropic, NotFoundError
from sending import BODY, HEADERS, HI, MODEL, send_to

from fanwise.emulator import Emulator


def test_exchanges_are_recorded_without_keys_and_replayed(tmp_path: Path) -> None:
    folder = tmp_path / "exchanges"
    with (
        Emulator() as upstream,
        Emulator(record=folder, upstream=upstream.url) as recorder,
        Anthropic(api_key="sk-very-secret", base_url=recorder.url, max_retries=0) as client,
    ):
        upstream.say(text="Said by the upstream.")
        first = client.messages.create(model=MODEL, max_tokens=50, messages=HI)
        with pytest.raises(NotFoundError):
            client.messages.create(model="claude-nothing", max_tokens=50, messages=HI)
        servers = [{"type": "url", "url": "https://example.com", "name": "x", "authorization_token": "mcp-secret"}]
        body = {**BODY, "mcp_servers": servers}
        send_to(recorder.url, "/v1/messages?beta=true", body)
    files = sorted(folder.glob("*.json"))
    assert len(files) == 3
    for file in files:
        text = file.read_text()
        assert "secret" not in text
        assert json.loads(text)["path"] == "/v1/messages"
    with Emulator(replay=folder) as replayed, Anthropic(api_key="k", base_url=replayed.url, max_retries=0) as client:
        again = client.messages.create(messages=HI, max_tokens=50, model=MODEL)
        assert again == first, "the order of keys makes no difference"
        with pytest.raises(NotFoundError):
            client.messages.create(model="claude-nothing", max_tokens=50, messages=HI)
        emulated = client.messages.create(model=MODEL, max_tokens=51, messages=HI)
        assert emulated.content != first.content, "what was not recorded is emulated"


def test_a_stream_is_replayed_as_a_stream(tmp_path: Path) -> None:
    with (
        Emulator() as upstream,
        Emulator(record=tmp_path, upstream=upstream.url) as recorder,
        Anthropic(api_key="k", base_url=recorder.url) as client,
        client.messages.stream(model=MODEL, max_tokens=50, messages=HI) as stream,
    ):
        first = stream.get_final_message()
    with (
        Emulator(replay=tmp_path) as replayed,
        Anthropic(api_key="k", base_url=replayed.url) as client,
        client.messages.stream(model=MODEL, max_tokens=50, messages=HI) as stream,
    ):
        assert stream.get_final_message() == first


def test_damaged_recordings_and_missing_upstreams_are_told(tmp_path: Path) -> None:
    with Emulator(record=tmp_path, upstream="http://127.0.0.1:9") as recorder:
        status, reply, _ = send_to(recorder.url, "/v1/messages", BODY)
        assert (status, "cannot be reached" in reply["error"]["message"]) == (500, True)
    with Emulator() as upstream, Emulator(record=tmp_path, upstream=upstream.url) as recorder:
        send_to(recorder.url, "/v1/messages", BODY)
    (file,) = tmp_path.glob("*.json")
    file.write_text("{}")
    with Emulator(replay=tmp_path) as replayed:
        status, reply, _ = send_to(replayed.url, "/v1/messages", BODY, headers=HEADERS)
        assert (status, "is damaged" in reply["error"]["message"]) == (500, True)
