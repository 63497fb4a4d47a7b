"""The elements of an array of JSON, or objects one behind the other, as a stream: what is broken costs itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from fanwise.jsonable import json_fault

from .records import MOST_CHARS, MOST_RAW

_CHUNK = 1 << 16
_NEAR = 12
"""Characters before the end of what was read in which a mistake may only be that the rest is missing."""
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_decode = json.JSONDecoder().raw_decode
_NEXT = re.compile(r"\}\s*,\s*\{")
UNREAD = "what stands behind it to the end of the file was not read; mend it, or write one object a line"
"""Said where objects may stand behind a broken one, none on a line of its own: nobody can tell which are rows."""


class Element(NamedTuple):
    """One element, or why it cannot be read."""

    data: object
    raw: str
    line: int
    """Of the file, from 1, on which it begins."""
    problem: str = ""


class _Text:
    """A file of text, of which a part is at hand."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self.text, self.place = stream, "", 0
        self.line = 1
        """Of the file, on which the place is."""

    def more(self) -> bool:
        """Read on, each time about as much as is at hand; returns whether there was anything."""
        rest = self.text[self.place :]
        piece = self._stream.read(max(_CHUNK, len(rest)))
        self.text, self.place = rest + piece, 0
        return bool(piece)

    def go(self, chars: int) -> None:
        """Go on by some characters of what is at hand."""
        self.line = self.line_at(self.place + chars)
        self.place += chars

    def line_at(self, place: int) -> int:
        """Return the line of a place that is at hand, at which this one is or behind it."""
        return self.line + self.text.count("\n", self.place, place)

    def mark(self) -> str:
        """Go to the next character that is no space and return it; empty at the end of the file."""
        while True:
            match = _SPACE.match(self.text, self.place)
            self.go(match.end() - self.place if match else 0)
            if self.place < len(self.text):
                return self.text[self.place]
            if not self.more():
                return ""

    def pass_over(self, start: re.Pattern[str]) -> str:
        """Go to where an element may begin on a later line, or to the end; return what was passed over, cut off."""
        passed = ""
        while True:
            match = start.search(self.text, self.place + 1)
            last_line = self.text.rfind("\n", self.place + 1)
            end = match.start() if match else (last_line if last_line > 0 else len(self.text))
            passed = (passed + self.text[self.place : end])[:MOST_RAW]
            self.go(end - self.place)
            if match:
                return passed
            if not self.more():
                self.go(len(self.text) - self.place)
                return passed


def elements(stream: TextIO) -> Iterator[Element]:
    """Yield what stands in an array, or one behind the other, in order.

    What cannot be read ends where the next line begins like the element before it. Where nothing stands between two
    commas, or an array has no end, an element is missing: that is one which cannot be read.
    """
    text, indent = _Text(stream), r"[ \t]*"
    is_open = in_array = text.mark() == "["
    text.go(int(in_array))
    awaited, was_broken = in_array, False
    while mark := text.mark():
        if in_array and mark == "]":
            is_open = False
            text.go(1)
            continue
        if mark == ",":
            if awaited:
                yield _problem(text.line, "nothing stands in front of a comma")
            awaited = True
            text.go(1)
            continue
        lead = text.text[text.text.rfind("\n", 0, text.place) + 1 : text.place]
        if mark == "{" and not lead.strip():
            indent = re.escape(lead)
        element = _element(text)
        was_broken, awaited = bool(element.problem), False
        if was_broken:
            element = element._replace(raw=text.pass_over(re.compile(rf"(?<=\n){indent}\{{")))
            if not text.mark() and _NEXT.search(element.raw):
                element = element._replace(problem=f"{element.problem}; {UNREAD}")
        yield element
    if is_open and not was_broken:  # behind a broken one the end may have been passed over
        yield _problem(text.line, "the array does not end; the file may have been cut off")


def _element(text: _Text) -> Element:
    """Return the element that begins here, and go behind it; a broken one is not passed over."""
    line = text.line
    while True:
        try:
            data, end = _decode(text.text, text.place)
        except json.JSONDecodeError as error:
            if _is_cut(error, text.text) and len(text.text) - text.place < MOST_CHARS and text.more():
                continue
            at = text.line_at(error.pos)
            return _problem(line, f"{error.msg} in line {at}" if at > line else error.msg)
        except (ValueError, RecursionError) as error:
            return Element(data=None, raw="", line=line, problem=json_fault(error))
        if not isinstance(data, dict | list) and end == len(text.text) and text.more():
            continue  # the rest of a number may be missing
        raw = text.text[text.place : end]
        text.go(len(raw))
        return Element(data=data, raw=raw, line=line)


def _problem(line: int, words: str) -> Element:
    return Element(data=None, raw="", line=line, problem=f"not valid JSON: {words}")


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Return whether a mistake may be that the text goes on."""
    return (
        error.msg.startswith("Unterminated string") or error.pos >= len(text) - _NEAR or not text[error.pos :].strip()
    )
