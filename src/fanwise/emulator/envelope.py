"""Reading the body of a batch while it arrives: 256 MB never stand in memory as parsed objects.

The envelope is checked at once, the params of its requests when the batch is processed ("Batch
processing", read 2026-11-23).
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, cast

from fanwise.jsonable import as_list, as_object

from .problems import ApiProblem, invalid

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_START = re.compile(r'\s*\{\s*"requests"\s*:\s*\[\s*')
_COMMA = re.compile(r"\s*,\s*")
_ENOUGH = 64
"""Characters that show how an envelope starts."""
_END = re.compile(r"\s*\]\s*\}\s*\Z")


class Envelope:
    """The requests of a batch, fed in pieces: custom_id and JSON text of each, in order."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self._custom_ids: set[str] = set()
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._size = 0
        self._started = False
        self._is_irregular = False
        """Whether the envelope has another form than one list; it is then read in one piece."""
        self._wait = 0
        """Length from which on it is worth trying to read the next request."""

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Take the next bytes.

        Raises:
            ApiProblem: It is too large, no JSON, or a request of it is wrong.
        """
        self._size += len(piece)
        if self._size > MOST_BYTES:
            raise ApiProblem(413, "Request exceeds the maximum size")
        try:
            self._text += self._decode.decode(piece, last)
        except UnicodeDecodeError:
            raise invalid("The request body is not valid JSON: it is not UTF-8") from None
        if not self._is_irregular and (last or len(self._text) >= self._wait):
            self._read(last)

    def _read(self, last: bool) -> None:
        """Take the requests that have come whole."""
        if not self._started:
            if len(self._text) >= _ENOUGH or last:
                self._start()
            if not self._started:
                return
        at, text, decoder = 0, self._text, json.JSONDecoder()
        while (start := self._next_start(text, at)) is not None:
            try:
                request, end = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):
                break  # the rest of it has not come yet
            if end == len(text) and not last:
                break
            self._add(request, text[start:end])
            at = end
        self._text = text[at:]
        # A request that is longer than what has come is tried again when the text has doubled.
        self._wait = 2 * len(self._text)

    def _start(self) -> None:
        """Take what stands in front of the first request, if the envelope has the usual form."""
        start = _START.match(self._text)
        if start is None:
            self._is_irregular = True
        else:
            self._started, self._text = True, self._text[start.end() :]

    def _next_start(self, text: str, at: int) -> int | None:
        """Return where the next request may begin, or None where no comma leads to one."""
        if not self.requests:
            return at
        comma = _COMMA.match(text, at)
        return None if comma is None else comma.end()

    def _add(self, data: Any, text: str) -> None:
        index, request = len(self.requests), as_object(data)
        if index >= MOST_REQUESTS:
            raise invalid(f"requests: at most {MOST_REQUESTS} requests are allowed")
        custom_id = request.get("custom_id")
        if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
            raise invalid(f"requests.{index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
        if custom_id in self._custom_ids:
            raise invalid(f"requests.{index}.custom_id: {custom_id!r} is used twice in this batch")
        if not isinstance(request.get("params"), dict):
            raise invalid(f"requests.{index}.params: Input should be a valid dictionary")
        unknown = sorted(set(request) - {"custom_id", "params"})
        if unknown:
            raise invalid(f"requests.{index}.{unknown[0]}: Extra inputs are not permitted")
        self._custom_ids.add(custom_id)
        self.requests.append((custom_id, text))

    def finish(self) -> list[tuple[str, str]]:
        """Return the requests once all bytes have come.

        Raises:
            ApiProblem: It is no JSON, or has no requests.
        """
        self.feed(b"", last=True)
        if not self._started or not _END.match(self._text):
            self._read_irregular()
        if not self.requests:
            raise invalid("requests: List should have at least 1 item after validation, not 0")
        return self.requests

    def _read_irregular(self) -> None:
        """Read an envelope of another form: other fields first, or none, or no JSON at all."""
        if self._started:
            raise invalid(f"The request body is not valid JSON behind request {len(self.requests)}")
        try:
            data: object = json.loads(self._text)
        except (ValueError, RecursionError):
            raise invalid("The request body is not valid JSON") from None
        if not isinstance(data, dict):
            raise invalid("Input should be an object")
        for request in _listed(as_object(cast("object", data))):
            self._add(request, json.dumps(request))


def _listed(fields: dict[str, Any]) -> list[Any]:
    """Return the requests of an envelope.

    Raises:
        ApiProblem: There is another field, or no list of them.
    """
    for name in fields:
        if name != "requests":
            raise invalid(f"{name}: Extra inputs are not permitted")
    if "requests" not in fields:
        raise invalid("requests: Field required")
    requests: object = fields["requests"]
    if not isinstance(requests, list):
        raise invalid("requests: Input should be a valid list")
    return as_list(cast("object", requests))
