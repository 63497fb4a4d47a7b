"""Texts of others made harmless, for each medium that shows them: the one place that does so.

Rows, answers, words of a server, names of files and agents may hold sequences that steer a terminal, marks that turn
the order of writing, markup, and cells that a spreadsheet computes. All that is shown passes here on its way out.
"""

from __future__ import annotations

import json
import logging
import re
from copy import copy
from typing import Any

from fanwise.log import MCP_LOGGERS

MOST_CHARS = 1_000
"""Characters of a text of others that are shown in a cell or a line."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that a spreadsheet computes: signs, full-width ones too, and what it passes over."""
_PLAIN = re.compile(r"[\x20-\x7e]*")


def printable(text: str, kept: str = "") -> str:
    """Return text in which each character that is none to be seen is a space: controls, marks of direction, breaks.

    Args:
        text: Any.
        kept: Characters that stay all the same.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(char if char.isprintable() or char in kept else " " for char in text)


def one_line(text: str, most: int = MOST_CHARS) -> str:
    """Return text of others as part of a line: printable, and cut at a length."""
    return printable(text if len(text) <= most else f"{text[: most - 3]}...")


def lines(text: str) -> str:
    """Return what is printed or logged, which may have several lines."""
    return printable(text, "\n")


def as_json(value: object, indent: int | None = None) -> str:
    """Return a value as JSON that says the same and can be printed: what is not to be seen is escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if _PLAIN.fullmatch(text):
        return text
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) > 0x7F else f"\\u{ord(char):04x}"


def cell(value: Any) -> Any:
    """Return a cell of a CSV that no spreadsheet takes for a formula, and no terminal for an order."""
    return defused(printable(value, "\n\t\r")) if isinstance(value, str) else value


def defused(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: also not behind what it passes over."""
    if not isinstance(value, str):
        return value
    seen = next((char for char in value if char.isprintable() and not char.isspace()), "")
    return f"'{value}" if value.startswith(FORMULA) or seen in FORMULA else value


class HarmlessFormatter(logging.Formatter):
    """Formats records of the log, whose messages have values of others in them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as text; of what `mcp` logs without its traceback, which a server's bad line has made."""
        if record.exc_info and record.name.partition(".")[0] in MCP_LOGGERS:
            kind = record.exc_info[0]
            record = copy(record)  # other handlers have it whole
            record.exc_info = record.exc_text = None
            return lines(f"{super().format(record)}{f' ({kind.__name__})' if kind else ''}")
        return lines(super().format(record))
