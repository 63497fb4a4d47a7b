"""A gateway in front of an emulator, over real HTTP: it renames paths, lacks some, and hides who answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from serving import serving


@dataclass
class Gateway:
    """What a gateway lacks, and what it was asked."""

    upstream: str
    lacks: tuple[str, ...] = ()
    """Parts of paths that it answers with 404."""
    shows: bool = True
    """Whether replies say that they are simulated."""
    usage: bool = True
    """Whether replies say what they took."""
    alias: tuple[str, str] = ("", "")
    """Its own name of a model, and that of the one behind it."""
    tamper: Callable[[str, bytes, bytes], tuple[int, bytes] | None] | None = None
    """Given the path, what was asked, and the body of a reply, says what is answered in its place."""
    refuse: Callable[[str, bytes], tuple[int, bytes, dict[str, str]] | None] | None = None
    """Given the path and what is asked, says what is answered without asking anybody: status, body and headers."""
    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        self.headers.append(dict(request.headers))
        if any(part in request.path for part in self.lacks):
            return web.json_response(
                {"type": "error", "error": {"type": "not_found_error", "message": "no"}}, status=404
            )
        path, body = request.path_qs, await request.read()
        asked = body
        refused = None if self.refuse is None else self.refuse(f"{request.method} {request.path}", asked)
        if refused is not None:
            marks = {"fanwise-emulator": "1", "content-type": "application/json"}
            return web.Response(status=refused[0], body=refused[1], headers=marks | refused[2])
        bedrock = re.fullmatch(r"/model/(.+)/invoke", request.path)
        vertex = re.fullmatch(r".*/models/(.+):rawPredict", request.path)
        if vertex and vertex[1] == "count-tokens":
            vertex, path = None, "/v1/messages/count_tokens"
            body = json.dumps({name: part for name, part in json.loads(body).items() if name != "anthropic_version"})
            body = body.encode()
        found = bedrock or vertex
        if found:  # as these platforms do: the model stands in the path
            data: dict[str, Any] = json.loads(body) | {"model": found[1]}
            assert data.pop("anthropic_version")
            path, body = "/v1/messages", json.dumps(data).encode()
        name, model = self.alias
        if name:
            path, body = path.replace(name, model), body.replace(name.encode(), model.encode())
        kept = {"content-type": "application/json", "x-api-key": "k", "anthropic-version": "2023-06-01"}
        shown = {"fanwise-emulator": "1"} if self.shows else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, self.upstream + path, data=body or None, headers=kept) as reply,
        ):
            body = await reply.read()
            if name:
                body = body.replace(model.encode(), name.encode())
            if not self.usage and "_emulator" not in request.path:
                body = b"\n".join(map(_without_usage, body.split(b"\n")))
            told = None if self.tamper is None or reply.status != 200 else self.tamper(request.path, asked, body)
            status, body = told or (reply.status, body)
            return web.Response(body=body, status=status, content_type="application/json", headers=shown)


def _without_usage(line: bytes) -> bytes:
    """A line of JSON, or of a stream, without the usage of any message in it."""
    front = b"data: " if line.startswith(b"data: ") else b""
    try:
        data = json.loads(line[len(front) :], object_hook=lambda part: {k: v for k, v in part.items() if k != "usage"})
    except ValueError:
        return line
    return front + json.dumps(data).encode()


@contextmanager
def gateway(upstream: str, **options: Any) -> Iterator[Gateway]:
    """Serve a gateway on a thread of its own."""
    one = Gateway(upstream, **options)
    with serving(one.answer) as one.url:
        yield one
