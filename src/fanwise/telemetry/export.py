"""Where spans and metrics go: the OTLP endpoint of the usual variables; without one nothing is loaded."""

from __future__ import annotations

import importlib
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from fanwise.journal.records import Served

if TYPE_CHECKING:
    from .spans import Spans

ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)  # fmt: skip
"""The variables of the OpenTelemetry specification ("OTLP Exporter Configuration", read 2026-11-25)."""
QUEUE = 65_536
"""Spans that may wait to be exported; the SDK's own 2,048 are less than a batch has results."""


def configured() -> bool:
    """Return whether an endpoint is named and the SDK is not switched off."""
    return os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true" and any(map(os.environ.get, ENDPOINTS))


@asynccontextmanager
async def telemetry(
    run: Mapping[str, str],
    session: int,
    look_up: Callable[[int], Served | None],
    note: Callable[[str], None],
) -> AsyncGenerator[Spans | None]:
    """Give what the records of a session are told to; None where no endpoint is configured.

    What cannot be exported is dropped and logged by OpenTelemetry: a run does not wait for a collector.

    Args:
        run: `run_id` and `graph`.
        session: Number of the session in the run.
        look_up: Gives an attempt that an earlier session has sent.
        note: Told where an endpoint is named and the packages are missing.
    """
    if not configured():
        yield None
        return
    try:
        traces: Any = importlib.import_module("opentelemetry.sdk.trace")
        export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
        metrics: Any = importlib.import_module("opentelemetry.sdk.metrics")
        reading: Any = importlib.import_module("opentelemetry.sdk.metrics.export")
        resources: Any = importlib.import_module("opentelemetry.sdk.resources")
        spans_to: Any = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        metrics_to: Any = importlib.import_module("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    except ImportError:
        note("an OTLP endpoint is set, but nothing is sent there: pip install 'fanwise[otel]'")
        yield None
        return
    from .spans import Ids, Spans, id_of  # only here: it is nothing that a run without a collector should load

    resource = resources.Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or "fanwise"})
    ids = Ids(id_of(128, "run", run["run_id"]))
    tracers = traces.TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
    size = None if os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") else QUEUE
    tracers.add_span_processor(export.BatchSpanProcessor(spans_to.OTLPSpanExporter(), max_queue_size=size))
    reader = reading.PeriodicExportingMetricReader(metrics_to.OTLPMetricExporter())
    meters = metrics.MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    sampled = tracers.sampler.should_sample(None, ids.trace_id, "invoke_workflow").decision.is_sampled()
    tracer, meter = tracers.get_tracer("fanwise"), meters.get_meter("fanwise")
    try:
        yield Spans(tracer, ids, meter, run, session, look_up, sampled=sampled)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_close, tracers, meters)


def _close(tracers: Any, meters: Any) -> None:
    """Send what is left; waits for the exporter's own time limit at most."""
    tracers.shutdown()
    meters.shutdown()
