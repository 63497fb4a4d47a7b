"""Texts of several lines inside of records and lists: lifted out of the JSON, to stand raw behind it between tags.

A tag's name says the place: `ticket.body`, `notes[2].text`, `files["main.py"]`. What stands there in the JSON is left
out of a record, and is the tag in a list, whose items keep their places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from fanwise.canonical import quoted

from .tags import NAME, marked

LONG_ITEM = 200
"""Characters from which a text inside of a list is lifted: to each short one a tag would be more than its escapes."""
_STEP = re.compile(rf'\.(?P<name>{NAME})|\[(?P<index>\d+)\]|\[(?P<key>"(?:[^"\\]|\\.)*")\]')
PLACE = rf'{NAME}(?:\.{NAME}|\[\d+\]|\["(?:[^"\\]|\\.)*"\])*'
"""A parameter, or a place inside of its value."""


class LiftedText(NamedTuple):
    """A text that stands between tags of its own."""

    tag: str
    text: str


def may_be_lifted(data: object, json_text: str) -> bool:
    """Return whether a text may be lifted out of JSON-ready data: by far the most hold none, which its JSON tells."""
    is_long = isinstance(data, dict) or (isinstance(data, list) and len(json_text) >= LONG_ITEM)
    return is_long and ("\\n" in json_text or "\\r" in json_text)


def lifted(place: str, data: Any, beside: Callable[[], str] = str) -> tuple[Any, list[LiftedText]]:
    """Return JSON-ready data without its texts of several lines, and these texts in the order of their places.

    Args:
        place: Where the data stands: a parameter's name.
        data: A record or a list.
        beside: Gives the texts of the request: in a list stands the tag, so none of these may look like it.
    """
    lifting = _Lifting(beside)
    return lifting.without(place, data, in_list=False), lifting.texts


class _Lifting:
    """One value whose texts are lifted."""

    def __init__(self, beside: Callable[[], str]) -> None:
        self.texts: list[LiftedText] = []
        self._beside = beside

    def without(self, place: str, data: Any, *, in_list: bool) -> Any:
        if isinstance(data, list):
            items = enumerate(cast("list[Any]", data))
            return [part if _stays(part) else self._item(f"{place}[{index}]", part) for index, part in items]
        if not isinstance(data, dict):
            return data
        record: dict[str, Any] = {}
        for key, part in sorted(cast("dict[str, Any]", data).items()):
            inner = f"{place}.{key}" if key.isidentifier() else f"{place}[{quoted(key)}]"
            if _is_lifted(part, in_list=in_list):
                self.texts.append(LiftedText(marked(inner, part), part))
            else:
                record[key] = self.without(inner, part, in_list=in_list)
        return record

    def _item(self, place: str, data: Any) -> Any:
        if isinstance(data, dict | list):
            return self.without(place, data, in_list=True)
        tag = marked(place, data, self._beside())
        self.texts.append(LiftedText(tag, data))
        return f"<{tag}>"


def texts_in(data: Any) -> Iterator[str]:
    """Yield all texts in JSON-ready data, keys among them."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for part in cast("list[Any]", data):
            yield from texts_in(part)
    elif isinstance(data, dict):
        for key, part in cast("dict[str, Any]", data).items():
            yield key
            yield from texts_in(part)


def _stays(item: Any) -> bool:
    """Return whether nothing of a list's item is lifted."""
    return not isinstance(item, dict | list) and not _is_lifted(item, in_list=True)


def _is_lifted(data: Any, *, in_list: bool) -> bool:
    if not isinstance(data, str) or not ("\n" in data or "\r" in data):
        return False
    return len(data) >= LONG_ITEM or not in_list


def put_back(values: Mapping[str, Any], place: str, text: str) -> None:
    """Put a text that was lifted out back to its place.

    Args:
        values: Values by parameter.
        place: Where it stood.
        text: It.

    Raises:
        LookupError: There is no such place.
        TypeError: What is there has no parts.
    """
    param = re.split(r"[.\[]", place, maxsplit=1)[0]
    steps: list[str | int] = [
        step["name"] or (int(step["index"]) if step["index"] else json.loads(step["key"]))
        for step in _STEP.finditer(place, len(param))
    ]
    target: Any = values[param]
    for step in steps[:-1]:
        target = target[step]
    target[steps[-1]] = text
