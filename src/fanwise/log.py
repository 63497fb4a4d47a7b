"""Structured events under the standard logger `fanwise`; silent unless logging is configured."""

from __future__ import annotations

import logging
from typing import Any

import structlog

bound: Any = structlog.contextvars.bound_contextvars
"""Binds fields, such as `run`, to all events of a context."""
log: Any = structlog.wrap_logger(
    logging.getLogger("fanwise"),
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.KeyValueRenderer(key_order=["event", "run", "row", "task"]),
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
)
"""Keys and other secrets never go here: events carry ids, names and counts alone."""
