"""A key that stands twice in one object: JSON does not say which of its values holds, so none is taken."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection
from typing import Any, cast

MOST_CHARS = 100
"""Characters of a key that are said."""
_NESTED = (dict, list)
"""Made once: as `dict | list` it would be made for each value, in half of the time of the whole look."""
_BEHIND_KEY = re.compile(r'"\s*:')
_BEHIND_KEY_IN_BYTES = re.compile(rb'"\s*:')


def has_each_key_once(data: object, source: str | bytes) -> bool:
    """Return whether no key stands twice in an object, as far as counting tells: where it is False, look closer.

    What is decoded has each key once. Whoever ends a key in the text is counted, and a string may look like it.

    Args:
        data: What was decoded, an object or an array,
        source: and from what.

    Raises:
        RecursionError: It is nested too deeply.
    """
    pattern: Any = _BEHIND_KEY if isinstance(source, str) else _BEHIND_KEY_IN_BYTES
    return len(pattern.findall(source)) == _keys(data)


def doubled_key(text: str) -> str | None:
    """Return what is wrong with JSON in which a key stands twice in one object; None where none does.

    Raises:
        RecursionError: It is nested too deeply.
    """
    doubled: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        once = dict(pairs)
        if len(once) < len(pairs) and not doubled:
            doubled.append(Counter(key for key, _ in pairs).most_common(1)[0][0])
        return once

    json.loads(text, object_pairs_hook=keep)
    if not doubled:
        return None
    return f"has the key {doubled[0][:MOST_CHARS]!r} twice in one object: which value holds is not clear; keep one"


def _keys(value: object) -> int:
    """Return how many keys the objects in a value have.

    Raises:
        RecursionError: It is nested too deeply.
    """
    count, members = 0, cast("Collection[object]", value)
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        count, members = len(fields), fields.values()
    for member in members:
        if isinstance(member, _NESTED):
            count += _keys(cast("object", member))
    return count
