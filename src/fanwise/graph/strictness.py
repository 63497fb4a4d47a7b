"""Whether a type takes from JSON what it does not take from Python: known from its schema, before the first value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast


def reads_json(schema: Any) -> bool:
    """Return whether a part of a type is strict, or takes instances alone where it is not read from JSON.

    Args:
        schema: The `core_schema` of its `TypeAdapter`.
    """
    waiting, seen = [schema], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes):
            continue
        seen.add(id(part))
        if isinstance(part, Mapping):
            entry = cast("Mapping[str, Any]", part)
            if entry.get("custom_error_type") == "path_type":  # a path takes a text in any case
                continue
            if entry.get("strict") is True or _takes_instances(entry):
                return True
            waiting += [inner for name, inner in entry.items() if name not in ("default", "metadata", "expected")]
        elif isinstance(part, Sequence):
            waiting += cast("Sequence[Any]", part)
    return False


def _takes_instances(entry: Mapping[str, Any]) -> bool:
    """Return whether Python must bring an instance of a type where JSON brings another form of it."""
    if entry.get("type") != "json-or-python":
        return False
    return cast("Mapping[str, Any]", entry.get("python_schema") or {}).get("type") == "is-instance"
