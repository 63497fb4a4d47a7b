"""The kinds of fault that `faults.py` tries: an emulator's own, and replies that are changed on their way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from odd_server import Odd, Script

MESSAGES, BATCHES = "/v1/messages", "/v1/messages/batches"
NO_CREDIT = "Your credit balance is too low to access the Anthropic API."
Faults = list[dict[str, Any]]
CASES: list[tuple[str, str, Faults]] = [
    ("429 with retry-after", "live", [{"status": 429, "probability": 0.1, "retry_after": 0.3, "path": MESSAGES}]),
    ("429 without", "live", [{"status": 429, "probability": 0.1, "path": MESSAGES}]),
    ("529 for three seconds", "live", [{"status": 529, "for_s": 3, "path": MESSAGES}]),
    ("500", "live", [{"status": 500, "probability": 0.1, "path": MESSAGES}]),
    ("an outage: 500 for 3 s", "live", [{"status": 500, "for_s": 3, "path": MESSAGES}]),
    ("an outage: cut for 3 s", "live", [{"cut": True, "for_s": 3, "path": MESSAGES}]),
    ("an outage of batches", "batch", [{"status": 500, "for_s": 3, "path": BATCHES}]),
    ("an outage of creates: 529", "batch", [{"status": 529, "for_s": 3, "path": BATCHES}]),
    ("an outage of creates: cut", "batch", [{"cut": True, "for_s": 3, "path": BATCHES}]),
    ("an outage of polls", "batch", [{"status": 500, "for_s": 3, "path": f"{BATCHES}/"}]),
    ("an outage of results", "batch", [{"status": 529, "for_s": 3, "path": "/results"}]),
    ("connections cut before", "live", [{"cut": True, "status": 500, "probability": 0.1, "path": MESSAGES}]),
    ("replies lost, billed", "live", [{"lost": True, "probability": 0.05, "path": MESSAGES}]),
    ("streams that stall", "live", [{"stream": "stall", "count": 2, "path": MESSAGES}]),
    ("streams that break", "live", [{"stream": "cut", "count": 3, "path": MESSAGES}]),
    ("replies that are no JSON", "live", [{"malformed": True, "probability": 0.05, "path": MESSAGES}]),
    ("a create whose reply is lost", "batch", [{"lost": True, "count": 2, "path": BATCHES}]),
    ("a create that is cut off", "batch", [{"cut": True, "status": 500, "count": 2, "path": BATCHES}]),
    ("a full queue of batches", "batch", [{"status": 429, "count": 3, "path": BATCHES}]),
    ("a queue that stays full", "batch", [{"status": 429, "for_s": 5, "path": BATCHES}]),
    ("404 on polls for 3 s", "batch", [{"status": 404, "for_s": 3, "path": f"{BATCHES}/"}]),
    ("404 on results for 3 s", "batch", [{"status": 404, "for_s": 3, "path": "/results"}]),
    ("500 on polls", "batch", [{"status": 500, "probability": 0.5, "path": f"{BATCHES}/"}]),
    ("expired items", "batch", [{"item": "expired", "probability": 0.1}]),
    ("errored items", "batch", [{"item": "errored", "probability": 0.1}]),
    ("canceled items", "batch", [{"item": "canceled", "probability": 0.1}]),
    ("missing results", "batch", [{"item": "missing", "probability": 0.1}]),
    ("duplicated results", "batch", [{"item": "duplicated", "probability": 0.1}]),
    ("creates that are too large", "batch", [{"status": 413, "count": 3, "path": BATCHES}]),
    ("refused items", "batch", [{"item": "errored", "status": 400, "probability": 0.1}]),
    ("requests that are refused", "live", [{"status": 400, "probability": 0.1, "path": MESSAGES}]),
    ("all of them", "live", [{"status": 400, "path": MESSAGES}]),
    ("no credit", "live", [{"status": 400, "path": MESSAGES, "message": NO_CREDIT}]),
    ("no credit at a create", "batch", [{"status": 400, "path": BATCHES, "message": NO_CREDIT}]),
    ("no credit in items", "batch", [{"item": "errored", "status": 400, "message": NO_CREDIT}]),
    ("a key that is taken back", "live", [{"status": 401, "path": MESSAGES}]),
    ("a key that may not, in items", "batch", [{"item": "errored", "status": 403}]),
    ("come again in a day", "live", [{"status": 429, "retry_after": 90_000, "path": MESSAGES}]),
    ("come again in a day, to create", "batch", [{"status": 429, "retry_after": 90_000, "path": BATCHES}]),
]
"""Name, channel, and what the emulator is told to do."""
GIVEN_UP: list[tuple[str, str, Faults]] = [
    ("500 without end", "live", [{"status": 500, "path": MESSAGES}]),
    ("creates: 529 without end", "batch", [{"status": 529, "path": BATCHES}]),
    ("creates: 500 without end", "batch", [{"status": 500, "path": BATCHES}]),
    ("polls: 500 without end", "batch", [{"status": 500, "path": f"{BATCHES}/"}]),
    ("results: 500 without end", "batch", [{"status": 500, "path": "/results"}]),
]
"""Outages that a job gives up, likewise."""
ALL: Faults = [
    {"status": 429, "probability": 0.02, "retry_after": 0.05, "path": MESSAGES},
    {"status": 529, "probability": 0.02, "path": MESSAGES},
    {"lost": True, "probability": 0.03, "path": MESSAGES},
    {"malformed": True, "probability": 0.03, "path": MESSAGES},
    {"item": "expired", "probability": 0.05},
    {"item": "missing", "probability": 0.05},
]
"""What goes wrong at once in the jobs with a budget; replies are changed on their way besides."""


UNTOUCHED: tuple[Any, ...] = ("none", None), ("", "")
REDIRECT = Odd(307, ("instead", b""), ("", ""))
REPLIES: Mapping[str, Odd] = {
    "a tool's use without its block": Odd(200, ("with", {"stop_reason": "tool_use"}), ("", "")),
    "content that is a string": Odd(200, ("with", {"content": "odd"}), ("", "")),
    "no usage": Odd(200, ("with", {"usage": None}), ("", "")),
    "negative counts": Odd(200, ("with", {"usage": {"input_tokens": -5, "output_tokens": -1}}), ("", "")),
    "huge counts": Odd(200, ("with", {"usage": {"input_tokens": 10**19, "output_tokens": 1}}), ("", "")),
    "half a surrogate": Odd(200, ("with", {"content": [{"type": "text", "text": "\ud83d"}]}), ("", "")),
    "an error behind 200": Odd(
        200, ("whole", {"type": "error", "error": {"type": "api_error", "message": "x"}}), ("", "")
    ),
    "a page behind 200": Odd(200, ("raw", b"<html>busy</html>"), ("", "")),
    "a page behind 502": Odd(502, ("instead", b"<html>bad gateway</html>"), ("", "")),
    "nothing behind 204": Odd(204, *UNTOUCHED),
    "a redirect": REDIRECT,
    "half a chunk": Odd(None, ("none", None), ("cut", "")),
    "bytes that are no gzip": Odd(None, ("none", None), ("gzip", "")),
    "a connection that is reset": Odd(None, ("none", None), ("reset", "")),
}
"""What may come back for a request, whatever it asked."""
OF_BATCHES: Mapping[str, Mapping[str, list[Odd]]] = {
    "a create that says nothing": {"create": [Odd(200, ("whole", {}), ("", ""))]},
    "a create that says a page": {"create": [Odd(200, ("raw", b"<html></html>"), ("", ""))]},
    "a poll that says a list": {"batch": [Odd(200, ("whole", [1]), ("", ""))] * 3},
    "a batch that is gone": {"batch": [Odd(404, *UNTOUCHED)] * 10_000, "results": [Odd(404, *UNTOUCHED)] * 10_000},
    "results that are short, once": {"results": [Odd(200, ("cut", 0.5), ("", ""))]},
    "results that stay short": {"results": [Odd(200, ("cut", 0.5), ("", ""))] * 10_000},
    "results that are a page": {"results": [Odd(200, ("raw", b"<html></html>"), ("", ""))] * 2},
    "results that are empty, once": {"results": [Odd(200, ("raw", b""), ("", ""))]},
    "a result that is no object": {"results": [Odd(200, ("put", ([3], 5)), ("", ""))]},
    "a result without its id": {"results": [Odd(200, ("drop", ([3, 0], None)), ("", ""))]},
}
"""What may come back of calls about batches, by the kind of the call, one after another."""


REDIRECTED: Mapping[str, Mapping[str, list[Odd]]] = {
    f"a redirect: {kind}": {kind: [REDIRECT]} for kind in ("create", "batch", "results")
}
"""The same, after which the job halts."""


def mark(number: int) -> str:
    """Return the text by which the requests of a row are known on their way."""
    return f"<<{number}>>"


Scripted = Callable[[int], Script]
"""What is done to the replies to a job of so many rows."""


class OddCase(NamedTuple):
    """One kind of odd replies."""

    name: str
    channel: str
    script: Scripted


def odd_cases() -> list[OddCase]:
    """Return every kind of odd reply: one row in ten gets it once, one row each time it is asked."""

    def of_rows(odd: Odd) -> Scripted:
        return lambda rows: Script(rows={mark(row): [odd] * (10_000 if row == 5 else 1) for row in range(5, rows, 10)})

    def of_calls(calls: Mapping[str, list[Odd]]) -> Scripted:
        return lambda _: Script(calls={kind: list(odds) for kind, odds in calls.items()})

    live = [OddCase(name, "live", of_rows(odd)) for name, odd in REPLIES.items()]
    return live + [
        OddCase(name, "batch", of_calls(calls)) for name, calls in (*OF_BATCHES.items(), *REDIRECTED.items())
    ]


def all_at_once(rows: int) -> Script:
    """Return one odd reply of any kind for every third row, and one of each kind for the calls about batches."""
    odds = list(REPLIES.values())
    of_calls: dict[str, list[Odd]] = {}
    for calls in OF_BATCHES.values():
        for kind, several in calls.items():
            of_calls.setdefault(kind, []).append(several[0])
    return Script(rows={mark(row): [odds[row // 3 % len(odds)]] for row in range(0, rows, 3)}, calls=of_calls)
