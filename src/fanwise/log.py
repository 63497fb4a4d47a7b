"""Structured events under the standard logger `fanwise`; silent unless logging is configured.

structlog is imported at the first event: it is dear to load, and commands that only read write none.
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any


def bound(**fields: object) -> AbstractContextManager[None]:
    """Bind fields, such as `run`, to all events of a context."""
    import structlog

    return structlog.contextvars.bound_contextvars(**fields)


@lru_cache
def _logger(name: str = "fanwise") -> Any:
    import structlog

    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["event", "run", "row", "task"]),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


class _Events:
    """Writes events by level, each with its fields."""

    def info(self, event: str, **fields: object) -> None:
        """Write what is of interest to somebody who looks for the reason of something."""
        _logger().info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write what the user should hear of."""
        _logger().warning(event, **fields)

    def note(self, text: str) -> None:
        """Write what a display prints and the account keeps: only where logging is configured, or it is said twice."""
        notes = logging.getLogger(_NOTES)
        if not notes.handlers:
            notes.addHandler(logging.NullHandler())  # else Python prints warnings that nobody handles
        _logger(_NOTES).warning(text)


_NOTES = "fanwise.notes"
MCP_LOGGERS = ("mcp", "client")
"""Of the package `mcp`, and of its sessions: they log tracebacks of lines that are no messages."""
log = _Events()
"""Keys and other secrets never go here: events carry ids, names and counts alone."""
