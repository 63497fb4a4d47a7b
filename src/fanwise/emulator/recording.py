"""Recording real exchanges as files without keys, and answering from them again.

One JSON file per exchange, named by a hash of method, path and body. Headers of a request are
never written, and of a reply only those that say something about it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from .http import HEADER, Exchange, reply
from .problems import ApiProblem, invalid
from .tokens import canonical

FORWARDED = ("authorization", "x-api-key", "anthropic-version", "anthropic-beta", "anthropic-workspace-id")
"""Headers of a request that are sent on; none of them is written down."""
KEPT = ("content-type", "retry-after", "request-id", HEADER)


def name_of(method: str, path: str, raw: bytes) -> str:
    """Return the name of the file of an exchange; the order of keys in its body makes no difference."""
    try:
        body = canonical(json.loads(raw)) if raw else ""
    except ValueError:
        body = raw.decode("utf-8", "replace")
    return hashlib.sha256(f"{method} {path}\n{body}".encode("utf-8", "surrogatepass")).hexdigest()[:24] + ".json"


class Replay:
    """Answers from the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, exchange: Exchange, raw: bytes) -> web.Response | None:
        """Return the recorded reply to a request, or None where there is none.

        Raises:
            ApiProblem: The file is damaged.
        """
        path = self.folder / name_of(exchange.request.method, exchange.path, raw)
        if not path.is_file():
            return None
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            kept = {name: value for name, value in data["headers"].items() if name not in ("content-type", HEADER)}
            kind = {"content-type": data["headers"].get("content-type", "application/json")}
            body, status = str(data["reply"]).encode(), int(data["status"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ApiProblem(500, f"the recording {path.name} is damaged: {error}") from None
        return reply(exchange, body, {**kept, **kind}, status)


class RecordingProxy:
    """Sends requests on to the real API, and writes the exchanges down."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder, self.upstream = folder, upstream.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def forward(self, exchange: Exchange, raw: bytes) -> web.Response:
        """Return the upstream's reply to a request, after it was written down.

        Raises:
            ApiProblem: The upstream cannot be reached.
        """
        request = exchange.request
        if self._session is None:
            self._session = aiohttp.ClientSession(auto_decompress=True)
        sent = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        if raw:
            sent["content-type"] = "application/json"
        url = self.upstream + request.path_qs
        try:
            async with self._session.request(request.method, url, data=raw or None, headers=sent) as answer:
                text, status = await answer.text(), answer.status
                kept = {name: answer.headers[name] for name in KEPT if name in answer.headers}
        except aiohttp.ClientError as error:
            raise ApiProblem(500, f"the upstream {self.upstream} cannot be reached: {type(error).__name__}") from None
        self._write(request, raw, status, kept, text)
        return web.Response(body=text.encode(), status=status, headers=kept)

    def _write(self, request: web.Request, raw: bytes, status: int, kept: Mapping[str, str], text: str) -> None:
        try:
            body: Any = json.loads(raw, object_hook=_without_tokens) if raw else None
        except ValueError:
            raise invalid("The request body is not valid JSON") from None
        data = {
            "method": request.method, "path": request.path, "body": body, "status": status,
            "headers": {name.lower(): value for name, value in kept.items()}, "reply": text,
        }  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name_of(request.method, request.path, raw)
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _without_tokens(fields: dict[str, Any]) -> dict[str, Any]:
    """Blank the tokens of MCP servers, the one secret that a body may hold."""
    return {**fields, "authorization_token": "(removed)"} if "authorization_token" in fields else fields
