"""The elements of an array of JSON, or objects one behind the other, as a stream: what is broken costs itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from .records import MOST_CHARS, MOST_RAW

_CHUNK = 1 << 16
_NEAR = 12
"""Characters before the end of what was read in which a mistake may only be that the rest is missing."""
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_decode = json.JSONDecoder().raw_decode


class Element(NamedTuple):
    """One element, or why it cannot be read."""

    data: object
    raw: str
    problem: str = ""


class _Text:
    """A file of text, of which a part is at hand."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self.text, self.place = stream, "", 0

    def more(self) -> bool:
        """Read on, each time about as much as is at hand; returns whether there was anything."""
        rest = self.text[self.place :]
        piece = self._stream.read(max(_CHUNK, len(rest)))
        self.text, self.place = rest + piece, 0
        return bool(piece)

    def go(self, chars: int) -> None:
        """Go on by some characters of what is at hand."""
        self.place += chars

    def mark(self) -> str:
        """Go to the next character that is no space and return it; empty at the end of the file."""
        while True:
            match = _SPACE.match(self.text, self.place)
            self.place = match.end() if match else self.place
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
            self.place = end
            if match:
                return passed
            if not self.more():
                self.place = len(self.text)
                return passed


def elements(stream: TextIO) -> Iterator[Element]:
    """Yield what stands in an array, or one behind the other, in order.

    What cannot be read ends where the next line begins like the element before it.
    """
    text, indent = _Text(stream), r"[ \t]*"
    in_array = text.mark() == "["
    text.go(int(in_array))
    while mark := text.mark():
        if mark == "," or (in_array and mark == "]"):
            text.go(1)
            continue
        lead = text.text[text.text.rfind("\n", 0, text.place) + 1 : text.place]
        if mark == "{" and not lead.strip():
            indent = re.escape(lead)
        element = _element(text)
        if element.problem:
            element = element._replace(raw=text.pass_over(re.compile(rf"(?<=\n){indent}\{{")))
        yield element


def _element(text: _Text) -> Element:
    """Return the element that begins here, and go behind it; a broken one is not passed over."""
    while True:
        try:
            data, end = _decode(text.text, text.place)
        except json.JSONDecodeError as error:
            if _is_cut(error, text.text) and len(text.text) - text.place < MOST_CHARS and text.more():
                continue
            return Element(None, "", f"not valid JSON: {error.msg}")
        except RecursionError:
            return Element(None, "", "not valid JSON: it is nested too deeply")
        if not isinstance(data, dict | list) and end == len(text.text) and text.more():
            continue  # the rest of a number may be missing
        raw = text.text[text.place : end]
        text.go(len(raw))
        return Element(data, raw)


def _is_cut(error: json.JSONDecodeError, text: str) -> bool:
    """Return whether a mistake may be that the text goes on."""
    return (
        error.msg.startswith("Unterminated string") or error.pos >= len(text) - _NEAR or not text[error.pos :].strip()
    )
