"""Any client of the SDK: what it cannot do is known before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from anthropic import AsyncAnthropic
from anthropic.lib.bedrock import AsyncAnthropicBedrock
from anthropic.lib.vertex import AsyncAnthropicVertex
from pydantic import BaseModel

from fanwise import Emulator, Job, UsageError, agent, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.job import resume
from fanwise.job.watcher import Watcher
from gateway import gateway


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=50)
def read(text: str) -> str:
    """Read the text."""
    return f"read: {text}"


@graph
def job(row: Row) -> str:
    return read(row.text)


ROWS = [Row(id=str(number), text=f"text {number}") for number in range(6)]


def carried_out(client: Any, watcher: Watcher | None = None, **options: Any) -> Any:
    async def work() -> Any:
        async with client:
            return await Job(job, rows=ROWS, client=client, **options).run(watcher)

    return anyio.run(work)


def emulated() -> Emulator:
    return Emulator(answer=answerer(build_arms({"fanout": job.spec})))


def bedrock(url: str) -> Any:
    return AsyncAnthropicBedrock(api_key="aws-secret", aws_region="us-east-1", base_url=url, max_retries=5)


def vertex(url: str) -> Any:
    return AsyncAnthropicVertex(project_id="p", region="global", access_token="gcp-secret", base_url=url)


@pytest.mark.parametrize(("make", "where"), [(bedrock, "Amazon Bedrock"), (vertex, "Vertex AI")])
def test_the_client_of_another_platform_goes_live(tmp_path: Path, make: Any, where: str) -> None:
    with emulated() as emulator, gateway(emulator.url) as server:
        watcher = Watcher()

        account = carried_out(make(server.url), out=tmp_path / "run", watcher=watcher)
        assert account.summary["rows"]["succeeded"] == 6
    assert any(where in note and "everything goes live" in note for note in watcher.notes)
    asked = [path for path in server.asked if "_emulator" not in path and "count-tokens" not in path]
    assert all("claude-haiku-5-5" in path for path in asked), "models are not asked for where there is no list"
    assert len(asked) == 6
    secret = b"aws-secret" if make is bedrock else b"gcp-secret"
    assert all(secret not in file.read_bytes() for file in (tmp_path / "run").iterdir() if file.is_file())


def test_batches_that_are_asked_for_and_missing_end_the_run_before_anything_is_sent(tmp_path: Path) -> None:
    with emulated() as emulator, gateway(emulator.url) as server:
        with pytest.raises(UsageError, match="Amazon Bedrock has no Message Batches; add --channel live"):
            carried_out(bedrock(server.url), out=tmp_path / "run", channel="batch")
        assert server.asked == []
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("channel", ["auto", "batch"])
def test_a_gateway_without_batches_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: Any) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with emulated() as emulator, gateway(emulator.url, lacks=("batches",), shows=False) as server:
        work = Job(job, rows=ROWS, out=tmp_path / "run", base_url=server.url, channel=channel)
        if channel == "batch":
            with pytest.raises(UsageError, match="has no Message Batches"):
                work.run_sync()
            assert not any(path == "POST /v1/messages" for path in server.asked)
        else:
            assert work.run_sync().summary["rows"]["succeeded"] == 6
            assert server.asked.count("POST /v1/messages") == 6


def test_a_client_with_middleware_sees_every_request(tmp_path: Path) -> None:
    seen: list[str] = []

    async def watch(request: Any, call_next: Any) -> Any:
        seen.append(str(request.options.url))
        return await call_next(request)

    with emulated() as emulator:
        client = AsyncAnthropic(api_key="k", base_url=emulator.url, middleware=[watch])
        account = carried_out(client, out=tmp_path / "run", channel="live")
        assert account.summary["rows"]["succeeded"] == 6
        assert account.summary["cost_usd"] == account.summary["bill_usd"]
    assert seen.count("/v1/messages") == 6


def test_a_run_goes_on_with_a_client_and_batches(tmp_path: Path) -> None:
    with emulated() as emulator:

        async def work() -> Any:
            async with AsyncAnthropic(api_key="k", base_url=emulator.url) as client:
                await Job(job, rows=ROWS, out=tmp_path / "run", client=client, channel="batch", limit=3).run()
                return await resume(tmp_path / "run", graph=job, client=client, limit=6)

        account = anyio.run(work)
    assert account.summary["rows"]["succeeded"] == 6
    assert account.summary["cost_usd"] == account.summary["bill_usd"]


def test_requests_follow_the_one_that_the_sdk_has_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fanwise sends itself, past the SDK's own path, has the headers that the SDK sends."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-team: support")
    with emulated() as emulator, gateway(emulator.url) as server:
        Job(job, rows=ROWS, out=tmp_path / "run", channel="live", base_url=server.url, slots=1).run_sync()
    sent = [
        {name.lower(): value for name, value in headers.items() if name.lower() != "content-length"}
        for path, headers in zip(server.asked, server.headers, strict=True)
        if path == "POST /v1/messages"
    ]
    assert len(sent) == 6
    assert all(headers == sent[0] for headers in sent)
    assert sent[0]["authorization"] == "Bearer k"
    assert sent[0]["x-team"] == "support"
