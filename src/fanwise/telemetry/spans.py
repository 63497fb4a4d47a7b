"""Records of the journal told as spans and metrics, by the GenAI semantic conventions.

A span is made when it ends; what is kept of an open one is a moment. Ids are hashes of what a span
stands for, so that a child knows its parent before that is made, and a run that is resumed goes on
in its trace. No span carries a prompt, an output, a row's content or its id.

Names of attributes: the GenAI semantic conventions as the SDK has them (SDK 2.12.0, `_tracing.py`), and
`fanwise.*` for what they have no name for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord, RowResult, Served, TaskRecord
from fanwise.log import log

Attributes = dict[str, str | int | float | bool | list[str]]


def id_of(bits: int, *names: object) -> int:
    """Return an id of a trace (128 bits) or a span (64): the hash of what it stands for, never 0."""
    text = "\0".join(map(str, names)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[: bits // 8], "big") or 1


class Ids:
    """Gives the ids that were put in; an id generator of the OpenTelemetry SDK."""

    def __init__(self, trace_id: int) -> None:
        self.trace_id, self.span_id = trace_id, 0

    def generate_trace_id(self) -> int:
        """Return the trace's id."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """Return the id of the span that is made now."""
        return self.span_id

    def is_trace_id_random(self) -> bool:
        """Return False: it is a hash."""
        return False


class Spans:
    """Told of the records of a run as they are added to its journal."""

    def __init__(
        self,
        tracer: Any,
        ids: Ids,
        meter: Any,
        run: Mapping[str, str],
        session: int,
        look_up: Callable[[int], Served | None],
        *,
        sampled: bool,
    ) -> None:
        """Begin a session.

        Args:
            tracer: Of a provider whose id generator is `ids`.
            ids: Where the id of the next span is put.
            meter: Makes the instruments.
            run: `run_id` and `graph`.
            session: Number of the session in the run.
            look_up: Gives an attempt that an earlier session has sent.
            sampled: Whether spans are wanted of this run at all; metrics are counted all the same.
        """
        self._flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        self._tracer, self._ids, self._run, self._look_up = tracer, ids, run, look_up
        self._session = ("session", run["run_id"], session)
        self._failed = False
        self._attempts: dict[int, Served] = {}
        self._tasks: dict[str, float] = {}
        """When each task in work was sent first."""
        self._rows: dict[tuple[int, str], float] = {}
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage", unit="{token}", description="Number of input and output tokens used."
        )
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration", unit="s", description="GenAI operation duration."
        )
        self._cost = meter.create_counter("fanwise.cost", unit="{USD}", description="Dollars known to be paid.")
        self._ended = meter.create_counter("fanwise.rows", unit="{row}", description="Rows that have ended.")

    def attempt(self, record: AttemptRecord, asks: Sequence[AskRecord]) -> None:
        """Take note of an attempt that is about to be sent, and of the tasks that it serves."""
        self._attempts[record.id] = Served(record, tuple(asks))
        for ask in asks:
            self._tasks.setdefault(ask.key, record.sent)
            self._rows.setdefault((ask.row, record.arm), record.sent)

    def end(self, record: EndRecord) -> None:
        """Make the span of an attempt, and count what it took."""
        served = self._attempts.pop(record.attempt, None) or self._look_up(record.attempt)
        if served is None:
            return
        sent, first = served.attempt, served.asks[0] if served.asks else None
        labels = {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": sent.model,
            "fanwise.channel": sent.channel, "gen_ai.agent.name": sent.agent, "fanwise.arm": sent.arm,
        }  # fmt: skip
        attributes = _of_attempt(record, served, labels)
        parent = ("task", sent.arm, first.key) if first is not None else self._session
        error = "" if record.status == "succeeded" else record.kind or record.status
        name = ("attempt", self._run["run_id"], record.attempt)
        self._span(name, parent, f"chat {sent.model}", sent.sent, record.at, attributes, error, SpanKind.CLIENT)
        self._count(record, record.at - sent.sent, labels, error)

    def _count(self, record: EndRecord, duration_s: float, labels: Mapping[str, str], error: str) -> None:
        """Add an attempt to the metrics."""
        for kind, count in (("input", record.usage.prompt), ("output", record.usage.output)):
            if count:
                self._tokens.record(count, {**labels, "gen_ai.token.type": kind})
        self._duration.record(max(duration_s, 0.0), {**labels, **({"error.type": error} if error else {})})
        if record.cost:
            self._cost.add(record.cost / 10**12, labels)

    def task(self, record: TaskRecord, at: float) -> None:
        """Make the span of a task; one that asked nobody is a moment."""
        error = record.kind if record.status == "failed" else ""
        attributes: Attributes = {
            "gen_ai.operation.name": "invoke_agent", "gen_ai.provider.name": "anthropic",
            "gen_ai.agent.name": record.agent, "fanwise.task": record.label, "fanwise.row": record.row,
            "fanwise.arm": record.arm,
        }  # fmt: skip
        begin = self._tasks.pop(record.key, at)
        self._rows.setdefault((record.row, record.arm), begin)
        parent = ("row", self._run["run_id"], record.arm, record.row)
        name = ("task", record.arm, record.key)
        self._span(name, parent, f"invoke_agent {record.agent}", begin, at, attributes, error)

    def result(self, record: RowResult, at: float) -> None:
        """Make the span of a row on one arm."""
        begin = self._rows.pop((record.row, record.arm), at)
        attributes: Attributes = {
            "fanwise.row": record.row, "fanwise.arm": record.arm, "fanwise.status": record.status,
        }  # fmt: skip
        name = ("row", self._run["run_id"], record.arm, record.row)
        error = "row_failed" if record.status == "failed" else ""
        self._span(name, self._session, "row", begin, at, attributes, error)
        self._ended.add(1, {"fanwise.arm": record.arm, "fanwise.status": record.status})

    def session(self, begin: float, at: float, how: str) -> None:
        """Make the span of the session: the last one."""
        attributes: Attributes = {
            "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": self._run["graph"].rpartition(":")[2],
            "fanwise.run": self._run["run_id"], "fanwise.ended": how,
        }  # fmt: skip
        name = f"invoke_workflow {attributes['gen_ai.workflow.name']}"
        self._span(self._session, None, name, begin, at, attributes, how if how == "halted" else "")

    def _span(
        self,
        name: tuple[object, ...],
        parent: tuple[object, ...] | None,
        title: str,
        begin: float,
        end: float,
        attributes: Attributes,
        error: str,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        if error:
            attributes["error.type"] = error
        try:
            context = None
            if parent is not None:
                above = SpanContext(self._ids.trace_id, id_of(64, *parent), False, self._flags)
                context = trace.set_span_in_context(NonRecordingSpan(above))
            self._ids.span_id = id_of(64, *name)
            span = self._tracer.start_span(title, context, kind, attributes, start_time=_nanos(begin))
            if error:
                span.set_status(Status(StatusCode.ERROR, error))
            span.end(_nanos(max(end, begin)))
        except Exception as problem:  # of the SDK or of an exporter: no row is worth less for it
            if not self._failed:
                self._failed = True
                log.warning("a span could not be made", error=f"{type(problem).__name__}: {problem}")


def _of_attempt(record: EndRecord, served: Served, labels: Mapping[str, str]) -> Attributes:
    """Return the attributes of an attempt's span: its labels, what it was for and what it took."""
    usage = record.usage
    attributes: Attributes = {**labels, "fanwise.why": served.attempt.why}
    if record.tokens is not None:
        attributes |= {
            "gen_ai.usage.input_tokens": usage.prompt, "gen_ai.usage.output_tokens": usage.output,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
            "gen_ai.usage.cache_write.input_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "gen_ai.usage.reasoning.output_tokens": usage.thinking,
        }  # fmt: skip
    if served.asks:
        first = served.asks[0]
        attributes |= {"fanwise.attempt": first.number, "fanwise.row": first.row, "fanwise.task": first.label}
    if record.cost is not None:
        attributes["fanwise.cost.picodollars"] = record.cost
    if record.request_id:
        attributes["gen_ai.response.id"] = record.request_id
    if record.status == "succeeded":
        attributes["gen_ai.response.finish_reasons"] = [record.kind]
    return attributes


def _nanos(seconds: float) -> int:
    return int(seconds * 1e9)
