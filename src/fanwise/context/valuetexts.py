"""A value as a model reads it: short ones on a line `name: value`, long ones raw between tags, records as JSON.

A text of one line stands as it is; in quotes where it could be taken for something else, such as a number; between tags
where it has several lines or quotes. So a value is read back as what it was: what has neither quotes, braces nor
brackets around it and is no number is a text, and so is all that stands between tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from fanwise.canonical import plain, quoted, visible

from .lifting import LiftedText, lifted, may_be_lifted, texts_in
from .tags import closed

_readable = json.JSONEncoder(sort_keys=True, separators=(", ", ": "), ensure_ascii=False, allow_nan=False).encode
_ODD = re.compile(r"""["\n\r\v\f\x1c-\x1e\x85\u2028\u2029]""")
"""A quote, or an end of a line in the eyes of `str.splitlines`."""
_NOT_ESCAPED = re.compile("[\x85\u2028\u2029]")
"""Ends of lines that JSON leaves as they are."""
_SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity")
"""What JSON is neither a text, nor a record, nor a list."""
_SCALAR_STARTS = frozenset("-0123456789tfnNI")
_JSON_STARTS = ('"', "{", "[")


class ValueText(NamedTuple):
    """A value as it is shown."""

    shown: str
    """With its name, in one or more lines."""
    own: str
    """The value alone."""


def value_text(name: str, value: Any, values: Mapping[str, Any] = MappingProxyType({})) -> ValueText:
    """Return a value as it is shown; fields that are declared `Field(exclude=True)` are in none.

    Args:
        name: Of its parameter.
        value: Of any type that has a form in JSON.
        values: All of the request: no text of theirs may look like the tag of one that is lifted out of a list.

    Raises:
        NoFormError: It has none.
    """
    kind = cast("type[object]", type(value))
    if kind is str:
        return _text(name, value)
    if kind is int:
        return ValueText(f"{name}: {value}", str(value))
    data = plain(visible(value))
    if isinstance(data, str):
        return _text(name, data)
    json_text, texts = _readable(data), list[LiftedText]()
    if may_be_lifted(data, json_text):
        beside = cache(lambda: "\n".join(texts_in([data, *map(plain, map(visible, values.values()))])))
        rest, texts = lifted(name, data, beside)
        json_text = _readable(rest) if texts else json_text
    json_text = _on_a_line(json_text)
    if not texts:
        return ValueText(f"{name}: {json_text}", json_text)
    lines = [f"{name}: {json_text}", *(f"<{tag}>\n{text}\n</{tag}>" for tag, text in texts)]
    return ValueText("\n".join(lines), "\n".join([json_text, *(text for _, text in texts)]))


def _text(name: str, text: str) -> ValueText:
    if _ODD.search(text) is not None:
        return ValueText(closed(name, text), text)
    if _is_clear(text):
        return ValueText(f"{name}: {text}", text)
    in_quotes = quoted(text)
    if len(in_quotes) == len(text) + 2:
        return ValueText(f"{name}: {in_quotes}", text)
    return ValueText(closed(name, text), text)


def _is_clear(text: str) -> bool:
    """Return whether a text of one line without quotes can be taken for nothing else."""
    if not text or text[0] in "<{[" or text[0].isspace() or text[-1].isspace():
        return False
    return text[0] not in _SCALAR_STARTS or _SCALAR.fullmatch(text) is None


def _on_a_line(json_text: str) -> str:
    """Return JSON without the ends of lines that it may have inside of texts."""
    if json_text.isascii() or _NOT_ESCAPED.search(json_text) is None:
        return json_text
    return _NOT_ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text)


def value_of(text: str) -> Any:
    """Return the value that stands behind a name on a line.

    Raises:
        ValueError: It is no JSON though it begins as such.
    """
    if text.startswith(_JSON_STARTS) or _SCALAR.fullmatch(text) is not None:
        return json.loads(text)
    return text
