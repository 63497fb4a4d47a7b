"""Spans and metrics as a collector gets them, over HTTP."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support import DESK, emulator, environment, fanwise, journal_value, read_only, started, summary, tickets, wait_for


class Collector:
    """What an OTLP endpoint was sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.points: list[tuple[str, Any]] = []

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            traces = ExportTraceServiceRequest.FromString(body)
            self.spans += [
                span for resource in traces.resource_spans for scope in resource.scope_spans for span in scope.spans
            ]
            return
        metrics = ExportMetricsServiceRequest.FromString(body)
        for resource in metrics.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    data = metric.histogram if metric.HasField("histogram") else metric.sum
                    self.points += [(metric.name, point) for point in data.data_points]


@contextmanager
def collector() -> Iterator[tuple[Collector, dict[str, str]]]:
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.take(self.path, gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        yield kept, environment(ANTHROPIC_API_KEY="sk-ant-secret", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(span: Any) -> dict[str, Any]:
    """The attributes of a span or a point."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


def test_run_row_task_and_attempt_stand_below_each_other_and_sum_to_the_ledger(tmp_path: Path) -> None:
    file, out = tickets(tmp_path / "rows.jsonl", 12), tmp_path / "run"
    with collector() as (kept, env), emulator(graph=f"{DESK}:triage") as url:
        result = fanwise("run", f"{DESK}:triage", "--rows", file, "--out", out, "--base-url", url, "--channel", "live",
                       "--baseline", "auto", env=env)  # fmt: skip
        assert result.returncode == 0, result.stderr
    account = summary(out)
    by_id = {span.span_id: span for span in kept.spans}
    assert len(by_id) == len(kept.spans), "no id is given twice"
    assert len({span.trace_id for span in kept.spans}) == 1
    levels: dict[str, list[Any]] = {"run": [], "row": [], "task": [], "attempt": []}
    for span in kept.spans:
        depth, child = 0, span
        while child.parent_span_id:
            parent = by_id[child.parent_span_id]
            assert parent.start_time_unix_nano <= child.start_time_unix_nano
            assert parent.end_time_unix_nano >= child.end_time_unix_nano
            depth, child = depth + 1, parent
        levels[list(levels)[depth]].append(span)
    assert [span.name for span in levels["run"]] == ["invoke_workflow triage"]
    assert {span.name for span in levels["row"]} == {"row"}
    assert len(levels["row"]) == 24, "twelve rows on both sides"
    assert {"invoke_agent classify", "invoke_agent draft"} <= {span.name for span in levels["task"]}
    assert len(levels["attempt"]) == account["attempts"]["sent"]
    attempts = [attributes(span) for span in levels["attempt"]]
    tokens = account["tokens"]
    assert sum(attempt["gen_ai.usage.output_tokens"] for attempt in attempts) == tokens["output"]
    assert sum(attempt["gen_ai.usage.cache_read.input_tokens"] for attempt in attempts) == tokens["cache_read"]
    prompt = sum(tokens[kind] for kind in ("input", "cache_write_5m", "cache_write_1h", "cache_read"))
    assert sum(attempt["gen_ai.usage.input_tokens"] for attempt in attempts) == prompt
    assert sum(attempt["fanwise.cost.picodollars"] for attempt in attempts) == int(
        Decimal(account["cost_usd"]) * 10**12
    )
    assert {attempt["gen_ai.provider.name"] for attempt in attempts} == {"anthropic"}
    measured = {name for name, _ in kept.points}
    assert measured >= {"gen_ai.client.token.usage", "gen_ai.client.operation.duration", "fanwise.cost", "fanwise.rows"}
    used = sum(point.sum for name, point in kept.points if name == "gen_ai.client.token.usage")
    assert used == prompt + tokens["output"]
    everything = str(kept.spans) + str(kept.points)
    assert "sk-ant-secret" not in everything
    assert "password" not in everything, "no text of a row"


def test_a_killed_run_goes_on_in_its_trace(tmp_path: Path) -> None:
    file, out = tickets(tmp_path / "rows.jsonl", 20), tmp_path / "run"
    with collector() as (kept, env), emulator(graph=f"{DESK}:triage", batch_delay_s=0.5) as url:
        options = ("--base-url", url, "--channel", "batch", "--grace-s", 1)
        run = started("run", f"{DESK}:triage", "--rows", file, "--out", out, *options, env=env)
        wait_for(lambda: journal_value(out, "SELECT COUNT(*) FROM batches WHERE state='created'"), "a batch")
        run.send_signal(signal.SIGKILL)
        run.wait()
        result = fanwise("resume", out, *options, env=env)
        assert result.returncode == 0, result.stderr
    assert len({span.trace_id for span in kept.spans}) == 1
    with read_only(out / "journal.db") as db:
        sent = db.execute("SELECT COUNT(*) FROM ends").fetchone()[0]
    attempts = [span for span in kept.spans if span.name.startswith("chat ")]
    assert len(attempts) == sent, "those of the first session too, with what they were sent as"
    assert {attributes(span)["fanwise.channel"] for span in attempts} == {"batch"}


def test_failures_are_errors_of_their_spans(tmp_path: Path) -> None:
    from support import post

    file, out = tickets(tmp_path / "rows.jsonl", 4), tmp_path / "run"
    with collector() as (kept, env), emulator(graph=f"{DESK}:single") as url:
        post(f"{url}/_emulator/faults", {"status": 529, "count": 2, "path": "/v1/messages"})
        result = fanwise("run", f"{DESK}:single", "--rows", file, "--out", out, "--base-url", url, "--channel", "live",
                       env=env)  # fmt: skip
        assert result.returncode == 0, result.stderr
    failed = [span for span in kept.spans if span.status.code == 2]
    assert [attributes(span)["error.type"] for span in failed] == ["overloaded_error"] * 2


def test_without_an_endpoint_nothing_is_loaded(tmp_path: Path) -> None:
    file = tickets(tmp_path / "rows.jsonl", 2)
    code = (
        "import sys; from fanwise.cli.main import main\n"
        f"main(['run', '{DESK}:single', '--rows', '{file}', '--out', '{tmp_path / 'run'}'], standalone_mode=False)\n"
        "assert 'opentelemetry.sdk' not in sys.modules and 'fanwise.telemetry.spans' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_collector_that_is_away_costs_no_row(tmp_path: Path) -> None:
    file, out = tickets(tmp_path / "rows.jsonl", 2), tmp_path / "run"
    env = environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1")
    result = fanwise("run", f"{DESK}:single", "--rows", file, "--out", out, env=env)
    assert result.returncode == 0, result.stderr
    assert summary(out)["rows"]["succeeded"] == 2
    assert "Traceback" not in result.stderr
