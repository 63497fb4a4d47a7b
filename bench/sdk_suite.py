"""Run the official SDK's own tests for messages, batches, token counts and models against the emulator.

Usage: python bench/sdk_suite.py

The tests come from the sdist of `anthropic` as published, are not changed, and run in a virtual
environment of their own under `build/`. They name resources by placeholders (`message_batch_id`,
`model_id`); a small proxy between them and `fanwise emulate` puts created resources in their
place. Exit status 1 where fewer than 457 pass, or a failure is not in the list below.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

VERSION = "2.12.0"
FOLDER = Path(__file__).parent.parent / "build" / "sdk-suite"
SUITES = (
    "test_messages.py", "messages", "test_models.py", "beta/test_messages.py", "beta/messages", "beta/test_models.py"
)  # fmt: skip
NEEDS = (
    f"anthropic[aiohttp,mcp]=={VERSION}", "pytest==9.0.3", "pytest-asyncio==1.3.0", "respx==0.22.0", "time-machine",
    "inline-snapshot==0.32.5", "http-snapshot[httpx]==0.1.9", "dirty-equals", "importlib-metadata", "httpx==0.28.1",
    "opentelemetry-sdk", "boto3",
)  # fmt: skip
LEAST = 457
EXPECTED = {
    r"test_messages.py::.*test_deprecated_model_warning": "the models are retired: 404, as in life",
    r"beta/test_messages.py::.*test_method_count_tokens_with_all_params": (
        "token counting refuses MCP servers (docs: token counting, 2026-10)"
    ),
}
"""Failures that are right, by pattern, with their reason."""
BODY = {"model": "claude-haiku-5-5", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
BATCH = "/v1/messages/batches"


def prepare() -> Path:
    """Fetch and unpack the sdist, and make the environment of its tests; done once."""
    source, python = FOLDER / f"anthropic-{VERSION}", FOLDER / "venv" / "bin" / "python"
    if not source.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        fetch = ["download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(FOLDER), f"anthropic=={VERSION}"]
        subprocess.run([sys.executable, "-m", "pip", *fetch], check=True)
        with tarfile.open(FOLDER / f"anthropic-{VERSION}.tar.gz") as archive:
            archive.extractall(FOLDER, filter="data")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *NEEDS], check=True)
    return source


class Placeholders:
    """Puts created resources in the place of placeholder ids."""

    def __init__(self, url: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=30)
        self.kept: dict[str, str] = {}

    def batch(self, headers: dict[str, str], *, ended: bool) -> str:
        """Create a batch for a caller; an ended one by cancelling it."""
        made = self.http.post(BATCH, json={"requests": [{"custom_id": "a", "params": BODY}]}, headers=headers).json()
        if ended:
            self.http.post(f"{BATCH}/{made['id']}/cancel", headers=headers)
            while self.http.get(f"{BATCH}/{made['id']}", headers=headers).json()["processing_status"] != "ended":
                time.sleep(0.01)
        return made["id"]

    def resolve(self, method: str, path: str, headers: dict[str, str]) -> str:
        """Return the path with real ids."""
        path = path.replace("model_id", "claude-haiku-5-5")
        if "message_batch_id" in path:
            path = path.replace("message_batch_id", self.batch(headers, ended=method == "DELETE"))
        for name in ("after_id", "before_id"):
            if f"{name}={name}" in path:
                made = self.batch(headers, ended=False) if BATCH in path else "claude-haiku-5-5"
                path = path.replace(f"{name}={name}", f"{name}={made}")
        return path


class Quiet(ThreadingHTTPServer):
    """A server that says nothing of connections which a test closes early."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


def handler(places: Placeholders) -> type[BaseHTTPRequestHandler]:
    """Return the proxy's handler."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            if self.headers.get("transfer-encoding") == "chunked":
                body = b""
                while (length := int(self.rfile.readline(), 16)) > 0:
                    body += self.rfile.read(length)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(size)
            passed = ("x-api-key", "authorization", "anthropic-version", "anthropic-beta", "anthropic-workspace-id")
            headers = {name: self.headers[name] for name in passed if self.headers.get(name)}
            path = places.resolve(self.command, self.path, headers)
            content = {"content": body, "headers": {**headers, "content-type": "application/json"}} if body else {}
            reply = places.http.request(self.command, path, **({"headers": headers} | content))
            self.send_response(reply.status_code)
            for name, value in reply.headers.items():
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "content-encoding"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_DELETE = forward

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Proxy


def main() -> int:
    source = prepare()
    emulate = [sys.executable, "-m", "fanwise", "emulate", "--port", "0", "--batch-delay-s", "3600"]
    with subprocess.Popen(emulate, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            url = emulator.stdout.readline().strip()
            with Quiet(("127.0.0.1", 0), handler(Placeholders(url))) as proxy:
                threading.Thread(target=proxy.serve_forever, daemon=True).start()
                tests = [f"tests/api_resources/{suite}" for suite in SUITES]
                options = ["-o", "addopts=--tb=line -p tests._alias_httpx", "-q", "-rf"]
                result = subprocess.run(
                    [str(FOLDER / "venv/bin/python"), "-m", "pytest", *options, *tests],
                    cwd=source,
                    env={"TEST_API_BASE_URL": f"http://127.0.0.1:{proxy.server_port}", "PATH": "/usr/bin:/bin"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                proxy.shutdown()
        finally:
            emulator.terminate()
    return judge(result.stdout)


def judge(output: str) -> int:
    """Print what passed and why the rest did not; return the exit status."""
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", output)}
    failed = re.findall(r"^FAILED (\S+)", output, re.MULTILINE)
    print(f"SDK {VERSION}: {counts.get('passed', 0)} of {sum(counts.values())} of its own tests pass")
    surprises = []
    for name in failed:
        reason = next((why for pattern, why in EXPECTED.items() if re.search(pattern, name)), "")
        surprises += [] if reason else [name]
        print(f"  {name.removeprefix('tests/api_resources/')}: {reason or 'NOT EXPECTED'}")
    if not counts:
        print(output[-3000:])
    return int(bool(surprises) or counts.get("passed", 0) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
