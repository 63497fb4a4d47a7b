"""OpenTelemetry: spans of run, row, task and attempt, and metrics, to an OTLP endpoint that is configured."""

from .export import telemetry

__all__ = ("telemetry",)
