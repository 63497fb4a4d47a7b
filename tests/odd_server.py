"""A server in front of an emulator that says anything, over real HTTP: any shape behind any status, or half of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import aiohttp
from aiohttp import web

from fanwise.jsonable import as_list, as_object
from serving import serving

Break = Literal["", "gzip", "cut", "reset"]
ELSEWHERE = "http://127.0.0.1:9/elsewhere"
"""Where redirects lead: nobody is there."""
KINDS = ("messages", "create", "batch", "results")


class Odd(NamedTuple):
    """What is done to one reply."""

    status: int | None
    """None: as it is."""
    change: tuple[str, Any]
    """What becomes of its body; `instead`: nobody behind it is asked."""
    more: tuple[Break, str]
    """How its connection breaks, and its `retry-after`."""


@dataclass
class Script:
    """What is wrong for one run."""

    rows: dict[str, list[Odd]] = field(default_factory=dict[str, list[Odd]])
    """Of the replies about a row, by a text that its requests hold: one after another."""
    calls: dict[str, list[Odd]] = field(default_factory=dict[str, list[Odd]])
    """Of the replies to calls about batches, by kind: one after another."""

    def next(self, kind: str, asked: bytes) -> Odd | None:
        """What is done to the next reply."""
        if kind != "messages":
            return self.calls[kind].pop(0) if self.calls.get(kind) else None
        for text, odds in self.rows.items():
            if odds and text.encode() in asked:
                return odds.pop(0)
        return None


def changed(change: tuple[str, Any], body: bytes) -> bytes:
    """A body after a change; where it has several lines of JSON, one of them is changed."""
    how, what = change
    if how in ("raw", "instead"):
        return what
    if how == "with":
        return json.dumps({**json.loads(body), **what}).encode() if body[-1:] == b"}" else body
    if how == "whole":
        return json.dumps(what).encode()
    if how == "cut":
        return body[: int(len(body) * what)]
    if how == "none":
        return body
    lines = body.split(b"\n")
    places = [number for number, line in enumerate(lines) if line.removeprefix(b"data: ")[:1] == b"{"]
    if not places:
        return body
    path: list[int] = what[0]
    number = places[path[0] % len(places)]
    front = b"data: " if lines[number].startswith(b"data: ") else b""
    data: Any = json.loads(lines[number].removeprefix(b"data: "))
    lines[number] = front + json.dumps(_put(data, path[1:], what[1], drop=how == "drop")).encode()
    return b"\n".join(lines)


def _put(data: object, path: list[int], value: Any, *, drop: bool) -> Any:
    """Data with another value at a place, or without what is there; the path chooses among what each level has."""
    parts: dict[Any, Any] = as_object(data) or dict(enumerate(as_list(data)))
    if not path or not parts:
        return value
    key = list(parts)[path[0] % len(parts)]
    if drop and len(path) == 1:
        del parts[key]
    else:
        parts[key] = _put(parts[key], path[1:], value, drop=drop)
    return list(parts.values()) if isinstance(data, list) else parts


@dataclass(repr=False)
class Foreign:
    """The server; each run has an address of its own, and with it a workspace."""

    upstream: str
    url: str = ""
    scripts: dict[str, Script] = field(default_factory=dict[str, Script])
    struck: Counter[str] = field(default_factory=Counter[str])
    """What was done to replies, by kind of the call."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        run, _, path = request.path_qs.lstrip("/").partition("/")
        asked, kind = await request.read(), _kind(request.method, path)
        odd = self.scripts[run].next(kind, asked) if kind and run in self.scripts else None
        marks = {"fanwise-emulator": "1", "content-type": "application/json"}
        status, body = 200, b""
        if odd is None or odd.change[0] != "instead":
            try:
                status, body, marks["content-type"] = await self._upstream(request.method, run, path, asked)
            except aiohttp.ClientError:  # what breaks behind it breaks in front of it
                return await _sent(request, status, body, marks, "reset")
        if odd is None:
            return web.Response(status=status, body=body, headers=marks)
        self.struck[f"{kind} {odd.change[0]} {odd.more[0]}"] += 1
        status, body = odd.status or status, changed(odd.change, body)
        how, after = odd.more
        if after:
            marks["retry-after"] = after
        if 300 <= status < 400:
            marks["location"] = ELSEWHERE
        return await _sent(request, status, body, marks, how)

    async def _upstream(self, method: str, run: str, path: str, asked: bytes) -> tuple[int, bytes, str]:
        sent = {"content-type": "application/json", "x-api-key": f"k{run}", "anthropic-version": "2023-06-01"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.upstream}/{path}", data=asked or None, headers=sent) as reply,
        ):
            return reply.status, await reply.read(), reply.headers.get("content-type", "application/json")


async def _sent(
    request: web.Request, status: int, body: bytes, marks: dict[str, str], how: Break
) -> web.StreamResponse:
    if not how or status in (204, 304):
        return web.Response(status=status, body=body if status not in (204, 304) else b"", headers=marks)
    assert request.transport is not None
    if how == "reset":
        request.transport.abort()
        return web.Response()
    if how == "gzip":
        return web.Response(status=status, body=body, headers=marks | {"content-encoding": "gzip"})
    response = web.StreamResponse(status=status, headers=marks)
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(body[: len(body) // 2] or b" ")
    request.transport.abort()
    return response


def _kind(method: str, path: str) -> str:
    """Which kind of call it is; empty where nothing is done to it, as before a run begins."""
    if method == "POST":
        return {"v1/messages": "messages", "v1/messages/batches": "create"}.get(path, "")
    if not path.startswith("v1/messages/batches/"):
        return ""
    return "results" if path.endswith("/results") else "batch"


@contextmanager
def foreign(upstream: str) -> Generator[Foreign]:
    """Serve it on a thread of its own."""
    server = Foreign(upstream)
    with serving(server.answer) as server.url:
        yield server
