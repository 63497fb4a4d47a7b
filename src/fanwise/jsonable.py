"""Reading JSON of unknown shape: an object or a list, or an empty one in its place."""

from __future__ import annotations

from typing import Any, cast


def as_object(value: object) -> dict[str, Any]:
    """Return the value where it is a JSON object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value where it is a JSON list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []
