"""Sizes of texts: counted by the API once, kept by content, learnt from usage where nobody counts."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from fanwise import Emulator
from fanwise.api.client import Api
from fanwise.context.sizes import DOCUMENTED, Sizes, sizes_from
from fanwise.engine.load import load_graph
from fanwise.job.sizes import TokenCache, common_texts, count, learn
from support import DESK, emulator, environment, fanwise, tickets

MODEL = "claude-haiku-5-5"
TEXTS = [(MODEL, "One rule. " * 100), (MODEL, "Another rule of ours. " * 40), ("claude-opus-4-6", "One rule. " * 100)]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_text_is_counted_once_and_then_known(tmp_path: Path, anyio_backend: str) -> None:
    cache = TokenCache(tmp_path / "tokens.db")
    with Emulator() as server:
        api = Api(base_url=server.url, api_key=server.api_key)
        sizes = await count(api, TEXTS, cache)
        first = len(server.requests())
        again = await count(api, TEXTS, cache)
        assert len(server.requests()) == first
        await api.close()
    cache.close()
    assert first == 5, "three texts, and nothing at all for each of two models"
    assert sizes.source(MODEL) == again.source(MODEL) == "counted"
    assert sizes.tokens(TEXTS[0][1], MODEL) == pytest.approx(400, abs=8)
    assert sizes.tokens(TEXTS[0][1], "claude-opus-4-6") == pytest.approx(295, abs=8)
    assert sizes.tokens("x" * 1_000, MODEL) == pytest.approx(400, abs=8), "what was not counted goes by the average"
    assert sizes_from(sizes.data()).data() == sizes.data()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_where_nobody_counts_sizes_are_learnt_from_usage(tmp_path: Path, anyio_backend: str) -> None:
    cache = TokenCache(tmp_path / "tokens.db")
    with Emulator() as server:
        server.fault(status=404, path="count_tokens")
        api = Api(base_url=server.url, api_key=server.api_key)
        assert (await count(api, TEXTS, cache)).source(MODEL) == "documented"
        learn(cache, {MODEL: (30_000, 10_000)})
        sizes = await count(api, TEXTS, cache)
        await api.close()
    assert sizes.source(MODEL) == "learnt"
    assert sizes.per_token(MODEL) == 3.0
    learn(cache, {MODEL: (40_000, 10_000)})
    assert cache.sizes(TEXTS).per_token(MODEL) == pytest.approx(55 / 15), "the newest counts twice"
    cache.close()


def test_a_few_tokens_teach_nothing() -> None:
    assert Sizes({}, {MODEL: (300, 100)}).source(MODEL) == "documented"
    assert DOCUMENTED.per_token(MODEL) == 2.5


class Gateway(BaseHTTPRequestHandler):
    """Passes requests on to an emulator and does not say that it is one."""

    upstream = ""

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers["content-length"])))

    def _pass_on(self, body: bytes | None) -> None:
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "accept-encoding")}
        try:
            reply = urllib.request.urlopen(urllib.request.Request(self.upstream + self.path, body, kept), timeout=20)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            content = reply.read()
            self.send_response(reply.status or 200)
            self.send_header("content-type", reply.headers["content-type"])
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_run_counts_what_its_rows_share_and_a_plan_knows_it(tmp_path: Path) -> None:
    """Behind a gateway the emulator passes for the API, so that what is for models alone can be seen."""
    graph, rows = f"{DESK}:triage", tickets(tmp_path / "rows.jsonl", 4)
    env = environment(ANTHROPIC_API_KEY="k", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert "by characters, as documented" in fanwise("plan", graph, "--rows", rows, env=env).stdout
    with emulator(graph=graph) as url, ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        Gateway.upstream = url
        thread = Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        run = fanwise("run", graph, "--rows", rows, "--out", tmp_path / "run", "--base-url", address, env=env)
        server.shutdown()
        thread.join()
    assert run.returncode == 0, run.stderr
    assert "the run over 4 rows will cost about $" in run.stderr, "it is for real as far as it knows"
    assert "SIMULATED" not in run.stdout
    assert "counted by the API" in fanwise("plan", graph, "--rows", rows, env=env).stdout
    assert common_texts([load_graph(graph).spec])
    shown = fanwise("show", tmp_path / "run", "t1", "classify", env=env)
    assert "the same request" in shown.stderr  # a layout that hangs on sizes is in studies/test_show.py
