"""How fast the emulator is, beside a bare app of the same server that returns a constant; and a batch of 100,000.

Usage: python bench/emulator.py [MESSAGES] [BATCH_REQUESTS]

The load comes from this process over keep-alive connections, with requests that were serialised
before the clock starts; both servers are processes of their own and get the same load in turn.
"""

from __future__ import annotations

import asyncio  # noqa: TID251 - the load is made below anyio, by a bare protocol
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CONNECTIONS = 16
ROUNDS = 3
HEADERS = {"x-api-key": "bench", "anthropic-version": "2026-10-21", "content-type": "application/json"}
BARE = """
import json
from aiohttp import web

async def handler(request):
    await request.read()
    return web.json_response(MESSAGE)

async def started(app):
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)

MESSAGE = json.loads(__import__("sys").argv[1])
app = web.Application()
app.router.add_post("/v1/messages", handler)

import anyio
async def main():
    global runner
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await started(app)
    await anyio.sleep_forever()
anyio.run(main)
"""


def body(number: int) -> bytes:
    """A plain message: a system prompt and one user turn of half a kilobyte."""
    text = f"Ticket {number}: the page does not load. " + "Please look into it. " * 20
    return json.dumps(
        {
            "model": "claude-haiku-5-5",
            "max_tokens": 64,
            "system": "Answer the customer in one sentence.",
            "messages": [{"role": "user", "content": text}],
        }
    ).encode()


class Connection(asyncio.Protocol):
    """Sends one request after the other and reads as little of the replies as it must."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self.requests, self.done, self.buffer = requests, done, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.next()

    def next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            self.done.set_result(None)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        assert head.startswith(b"HTTP/1.1 200"), self.buffer
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) >= length:
            self.buffer = b""
            self.next()


async def load(url: str, requests: list[bytes]) -> float:
    """Send the requests; return messages per second."""
    parts, loop, source = urlsplit(url), asyncio.get_running_loop(), iter(requests)
    begin, waits = time.perf_counter(), []
    for _ in range(CONNECTIONS):
        done: asyncio.Future[None] = loop.create_future()
        waits.append(done)
        await loop.create_connection(lambda done=done: Connection(source, done), parts.hostname, parts.port)
    await asyncio.gather(*waits)
    return len(requests) / (time.perf_counter() - begin)


def framed(number: int) -> bytes:
    """A whole HTTP request."""
    content = body(number)
    lines = ["POST /v1/messages HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in HEADERS.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


@contextmanager
def server(*command: str) -> Iterator[tuple[str, int]]:
    """A server in a process of its own; gives its address and process id."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().decode().strip(), process.pid
        finally:
            process.terminate()


def call(url: str, path: str, data: bytes | None = None) -> bytes:
    """One plain HTTP call."""
    with urllib.request.urlopen(urllib.request.Request(url + path, data, HEADERS), timeout=600) as reply:
        return reply.read()


def peak_mib(pid: int) -> float:
    """The most memory that a process has held, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))


def messages(count: int) -> float:
    """Print messages per second of both servers; return the ratio."""
    requests = [framed(number) for number in range(count)]
    with server("-m", "fanwise", "emulate", "--port", "0") as (url, _):
        constant = call(url, "/v1/messages", body(0)).decode()
        with server("-c", BARE, constant) as (bare_url, _):
            asyncio.run(load(bare_url, requests[:500]))
            asyncio.run(load(url, requests[:500]))
            bare, ours = 0.0, 0.0
            for _ in range(ROUNDS):  # in turn, and the best of each: what else the machine does hits both
                bare = max(bare, asyncio.run(load(bare_url, requests)))
                ours = max(ours, asyncio.run(load(url, requests)))
    print(f"plain messages: {ours:.0f}/s, a bare app of the same server {bare:.0f}/s: ratio {ours / bare:.2f}")
    return ours / bare


def batch(count: int) -> None:
    """Print how long a batch takes from the first byte sent to the last byte read, and the server's peak memory."""
    text = "The page does not load. " * 74  # makes a request of 2 KB
    item = {"model": "claude-haiku-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": text}]}
    params = json.dumps(item)
    with server("-m", "fanwise", "emulate", "--port", "0") as (url, pid):
        raw = ",".join(f'{{"custom_id":"row-{number}","params":{params}}}' for number in range(count))
        content = f'{{"requests":[{raw}]}}'.encode()
        begin = time.perf_counter()
        made = json.loads(call(url, "/v1/messages/batches", content))
        taken = time.perf_counter() - begin
        while json.loads(call(url, f"/v1/messages/batches/{made['id']}"))["processing_status"] != "ended":
            time.sleep(0.2)
        processed = time.perf_counter() - begin
        lines = call(url, f"/v1/messages/batches/{made['id']}/results").count(b'"succeeded"')
        whole, peak = time.perf_counter() - begin, peak_mib(pid)
    assert lines == count, lines
    print(
        f"a batch of {count:,} requests, {len(content) / 1e6:.0f} MB: accepted after {taken:.1f} s, processed after "
        f"{processed:.1f} s, read back after {whole:.1f} s; peak memory {peak:.0f} MiB"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    requests = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    print(f"{os.cpu_count()} processors, Python {sys.version.split()[0]}, {CONNECTIONS} connections")
    messages(count)
    batch(requests)


main()
