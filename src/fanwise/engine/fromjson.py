"""Rows out of JSON: a line each; or the elements of an array, or objects one behind the other, over many lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from pydantic_core import from_json

from fanwise.jsonable import json_fault

from .encodings import (
    OTHER_ENCODING,
    cannot_be_decoded,
    encoding_of,
    has_strange_bytes,
    opened,
    printable_bytes,
    strange,
)
from .jsondocument import Element, elements
from .jsonkeys import doubled_key, has_each_key_once
from .oddvalues import odd_value
from .records import MOST_CHARS, MOST_RAW, Record, RowsFile, unread

NO_ROW = "#! "
"""Before the reason why a row that code has given has no form in JSON, on the line that it would have had."""
_HEAD = 1_000_000
"""Bytes of a first line by which is told what a file holds."""
_ODD = re.compile(rb"[eE]\+?[0-9]{2}|[0-9]{300}")
"""What may be a number beyond all floats."""


def read_json(file: RowsFile) -> Iterator[Record]:
    """Yield the records of a file of JSON.

    Raises:
        UsageError: It cannot be read in the encoding that is named.
    """
    if _is_document(file):
        return _elements(file)
    return _lines(file) if _is_utf8(file) else _decoded_lines(file)


def has_lines(file: RowsFile) -> bool:
    """Return whether a file has a record on each line, in UTF-8: then a record is found again by its first byte."""
    return _is_utf8(file) and not _is_document(file)


def _is_utf8(file: RowsFile) -> bool:
    return encoding_of(file.path, file.encoding) == "utf-8-sig"


def _lines(file: RowsFile) -> Iterator[Record]:
    offset, number = 0, 0
    with file.path.open("rb") as stream:
        while line := stream.readline(MOST_CHARS):
            start, offset, number = offset, offset + len(line), number + 1
            if len(line) == MOST_CHARS and not line.endswith(b"\n"):
                offset += _rest_of_line(stream)
                yield _too_long(number, start, line[:MOST_RAW].decode("utf-8", "backslashreplace"))
                continue
            content = without_marks(line)
            if content.strip():
                yield record_of(number, start, content)


def without_marks(line: bytes) -> bytes:
    """Return a line without the byte order marks in front: of the file, or of one that was put behind another."""
    while line.startswith(codecs.BOM_UTF8):
        line = line.removeprefix(codecs.BOM_UTF8)
    return line


def _rest_of_line(stream: BinaryIO) -> int:
    """Pass over the rest of a line; return how many bytes it had."""
    passed = 0
    while piece := stream.readline(MOST_CHARS):
        passed += len(piece)
        if piece.endswith(b"\n"):
            break
    return passed


def _too_long(number: int, locator: int, raw: str) -> Record:
    return unread(number, locator, raw, f"has more than {MOST_CHARS:,} characters: no request can carry it")


def record_of(number: int, offset: int, line: bytes) -> Record:
    """Return the record of a line in UTF-8.

    Args:
        number: Of the line.
        offset: Of its first byte in the file.
        line: With the end of the line or without it, and without a byte order mark.
    """
    line = line.rstrip(b"\r\n")
    if not _ODD.search(line):
        try:
            data = from_json(line, allow_inf_nan=False, cache_strings="keys")
        except ValueError:
            data = None  # said below, in the words of `json`
        if isinstance(data, dict) and has_each_key_once(cast("object", data), line):
            return Record(number=number, locator=offset, data=cast("dict[str, Any]", data), raw=line.decode("utf-8"))
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start} of the line; {OTHER_ENCODING}"
        return unread(number, offset, line.decode("utf-8", "backslashreplace"), problem)
    if text.startswith(NO_ROW):
        return unread(number, offset, "", text.removeprefix(NO_ROW))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return unread(number, offset, text, json_fault(error))
    return _checked(number, offset, data, text)


def _checked(number: int, locator: int, data: object, text: str) -> Record:
    """Return the record of what a text of JSON says, which need not be a row."""
    if not isinstance(data, dict):
        return unread(number, locator, text, f"not a JSON object but {type(data).__name__}")
    try:
        if not has_each_key_once(cast("object", data), text) and (problem := doubled_key(text)) is not None:
            return unread(number, locator, text, problem)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except RecursionError as error:
        return unread(number, locator, text, json_fault(error))
    except (UnicodeEncodeError, ValueError) as error:
        what = odd_value(cast("object", data)) or f"holds what no request can carry: {type(error).__name__}: {error}"
        return unread(number, locator, text, what)
    return Record(number=number, locator=locator, data=cast("dict[str, Any]", data), raw=text)


# Other encodings, and more than a line a record ----------------------------------------------------


def _decoded_lines(file: RowsFile) -> Iterator[Record]:
    """Yield the records of lines in another encoding than UTF-8."""
    try:
        with opened(file.path, file.encoding) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(MOST_CHARS), ""), 1):
                text = line.rstrip("\r\n").lstrip("\ufeff")
                if has_strange_bytes(text):
                    yield unread(number, number, printable_bytes(text), strange(file.path, file.encoding))
                elif text.strip():
                    yield record_of(number, number, text.encode("utf-8", "backslashreplace"))
    except UnicodeError as error:
        raise cannot_be_decoded(file.path, file.encoding, error) from None


def _elements(file: RowsFile) -> Iterator[Record]:
    """Yield the records of an array of JSON, or of objects over many lines."""
    try:
        with opened(file.path, file.encoding) as stream:
            for number, element in enumerate(elements(stream), 1):
                yield _record(file, number, element)._replace(line=element.line)
    except UnicodeError as error:
        raise cannot_be_decoded(file.path, file.encoding, error) from None


def _record(file: RowsFile, number: int, element: Element) -> Record:
    if has_strange_bytes(element.raw):
        return unread(number, number, printable_bytes(element.raw), strange(file.path, file.encoding))
    if element.problem:
        return unread(number, number, element.raw, element.problem)
    return _checked(number, number, element.data, element.raw)


def _is_document(file: RowsFile) -> bool:
    """Return whether the records of a file are no lines: it is an array, or its objects go over many lines."""
    try:
        with opened(file.path, file.encoding) as stream:
            first, second = _line_with_text(stream), _line_with_text(stream)
    except UnicodeError as error:
        raise cannot_be_decoded(file.path, file.encoding, error) from None
    if first.startswith("["):
        return _is_array(first, second)
    if not first.startswith("{") or _value(first) is not None or not second or not _is_beginning(first):
        return False
    return first[-1] in "{[,:" or not isinstance(_value(second), dict)  # a line that was cut is followed by a whole one


def _is_array(first: str, second: str) -> bool:
    """Return whether a file that begins with a bracket is an array of rows, and no line that is a list."""
    value = _value(first)
    if not isinstance(value, list):
        return value is None and (_is_beginning(first) or first[1:].lstrip().startswith("{"))
    return not second and all(isinstance(element, dict) for element in cast("list[object]", value))


def _line_with_text(stream: Any) -> str:
    """Return the next line that is not blank, without the space around it; empty where there is none."""
    while line := cast("str", stream.readline(_HEAD)):
        text = line.strip("\ufeff \t\r\n")
        if text:
            return text
    return ""


def _value(text: str) -> object:
    """Return what a text says as JSON; None where it is none."""
    try:
        return from_json(text.encode("utf-8", "replace"))
    except ValueError:
        return None


def _is_beginning(text: str) -> bool:
    """Return whether a text could be the first line of some JSON."""
    try:
        from_json(text.encode("utf-8", "replace"), allow_partial="trailing-strings")
    except ValueError:
        return False
    return True
