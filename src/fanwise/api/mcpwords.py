"""What is told of an MCP server: its command or address, and the end of what it wrote to its standard error.

Without secrets: what its environment, headers and arguments hold is cut out, and so is what steers a terminal.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from fanwise.graph.tools import McpServer

MOST_BYTES, TOLD_BYTES, TOLD_LINES = 1_000_000, 8_000, 6
"""Of its standard error that are kept and read, and lines of them that are told."""
MOST_CHARS = 600
"""Characters of them that are told."""
LEAST_SECRET = 4
"""Characters of a value that may be a secret: a shorter one stands in too many words."""
_SECRET = r"[\w.-]*(?:key|token|secret|passw|auth|credential|session|cookie)[\w.-]*"
_IS_SECRET = re.compile(_SECRET, re.IGNORECASE)
_OPTION = re.compile(rf"--?{_SECRET}", re.IGNORECASE)
_ASSIGNED = re.compile(rf"(?i)\b({_SECRET}\"?\s*[=:]\s*(?:(?:Bearer|Basic)\s+)?)\S+")
_IN_URL = re.compile(r"(?<=://)[^/@\s]+@|(?<=[?#])[^\s'\"]+")
"""User and password of an address, and what stands behind its path."""
_API_KEY = re.compile(r"sk-ant-[\w-]+")
_STEERING = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b.?", re.DOTALL)
"""Sequences that steer a terminal: titles and links, colours and the cursor, all others."""


class Words:
    """The words for one server; a context, in which its standard error is kept."""

    def __init__(self, server: McpServer) -> None:
        self._name, self._server = server.name, server
        self._secrets = tuple(sorted(_secrets(server), key=len, reverse=True))
        """The longest first: one may be a part of another."""

    def __enter__(self) -> Words:
        number, path = tempfile.mkstemp(prefix="fanwise-", suffix=".stderr")
        os.close(number)
        self._path = Path(path)
        # What the server writes goes to its end, also where it has been cut meanwhile.
        self.errors: TextIOWrapper = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.errors.close()
        with suppress(OSError):  # a server that will not end may hold it open, where such a file cannot be removed
            self._path.unlink()

    def keep_short(self) -> None:
        """Let what the server writes take no more than a bounded place on the disk."""
        with suppress(OSError):
            if self._path.stat().st_size > MOST_BYTES:
                os.truncate(self._path, 0)

    def unusable(self, why: str) -> str:
        """Return why a run cannot begin.

        Args:
            why: What has failed.
        """
        return self._told(f"cannot be used: {why}")

    def started_again(self, why: str) -> str:
        """Return that it has ended and is started again.

        Args:
            why: What has failed.
        """
        again = "reached again" if self._server.url else "started again"
        return self._told(f"has ended ({why}) and is {again}, once")

    def lost(self, why: str) -> str:
        """Return that it will be asked nothing any more.

        Args:
            why: What has failed.
        """
        return self._told(f"has ended again ({why}); mend it, and ask these rows again by resume with --retry failed")

    def loud(self) -> str:
        """Return that it writes what is no message where its messages go."""
        return self._placed(
            "writes lines to its standard output that are no JSON-RPC; they are passed over: let it write them to its "
            "standard error"
        )

    def _told(self, what: str) -> str:
        """Return a sentence about the server, with where it is and what it wrote."""
        return f"{self._placed(what)}{self._written()}"

    def _placed(self, what: str) -> str:
        """Return a sentence about the server, with where it is."""
        where = f"its address: {self._server.url}"
        if not self._server.url:
            where = f"its command: {shlex.join(_without_options(self._server.command))}"
        return self._clean(f"MCP server {self._name!r} {what}; {where}")

    def _written(self) -> str:
        """Return the end of its standard error, as the end of a sentence."""
        if self._server.url:
            return ""
        try:
            with self._path.open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - TOLD_BYTES, 0))
                lines = self._clean_lines(file.read().decode("utf-8", "replace"))
        except OSError:
            return ""
        if not lines:
            return "; it wrote nothing to its standard error"
        end = " / ".join(lines[-TOLD_LINES:])
        return f"; the end of its standard error: {end if len(end) <= MOST_CHARS else '...' + end[-MOST_CHARS:]}"

    def _clean_lines(self, text: str) -> list[str]:
        lines = (self._clean(line) for line in _STEERING.sub("", text).splitlines())
        return [line for line in lines if line]

    def _clean(self, text: str) -> str:
        """Return text in one line, without secrets and without what steers a terminal."""
        text = _STEERING.sub("", text)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = _API_KEY.sub("***", _IN_URL.sub("***", _ASSIGNED.sub(r"\1***", text)))
        return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _secrets(server: McpServer) -> Iterator[str]:
    """Yield what is not to be told wherever it stands: of the server's environment, headers and arguments, and ours."""
    ours: Mapping[str, str] = {name: value for name, value in os.environ.items() if _IS_SECRET.fullmatch(name)}
    shown = list(_without_options(server.command))
    hidden = [argument for argument, told in zip(server.command, shown, strict=True) if argument != told]
    for value in (*server.env.values(), *server.headers.values(), *ours.values(), *hidden):
        words = (value, value.partition("=")[2], value.rpartition(" ")[2])  # --token=WORD, Bearer WORD
        yield from (word for word in words if len(word) >= LEAST_SECRET)


def _without_options(command: Iterable[str]) -> Iterator[str]:
    """Yield a command's arguments without the values of options whose names are those of secrets."""
    is_secret = False
    for argument in command:
        name, equals, _ = argument.partition("=")
        if is_secret:
            yield "***"
        elif equals and _OPTION.fullmatch(name):
            yield f"{name}=***"
        else:
            yield argument
        is_secret = not equals and not is_secret and _OPTION.fullmatch(argument) is not None
