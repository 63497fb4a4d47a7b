"""Who may ask at all: a web page that somebody visits must neither read the emulator nor drive it.

A page reaches a server on this machine in two ways: by a name of its own that it lets point here (the browser sends
that name as `Host`), and by a request across origins (the browser says whose, as `Origin`).
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import web

from .problems import ApiProblem

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Guard:
    """Refuses what a web page asks of an emulator on loopback; beyond it the token is what keeps strangers out."""

    def __init__(self, host: str = LOOPBACK[0]) -> None:
        """Begin.

        Args:
            host: Where the emulator listens.
        """
        self._names = {*LOOPBACK, host}
        self._is_local = host in LOOPBACK
        self._is_ours = lru_cache(maxsize=256)(self._named)

    def check(self, request: web.Request) -> None:
        """Let a request through that no foreign page has made.

        Raises:
            ApiProblem: 403: one may have.
        """
        headers = request.headers
        host, origin = headers.get("Host"), headers.get("Origin")
        if host is not None and self._is_local and not self._is_ours(f"//{host}"):
            raise ApiProblem(403, f"Host {host[:80]!r} is no name of this machine; ask 127.0.0.1 or localhost")
        if origin is not None and not self._is_ours(origin):
            raise ApiProblem(403, f"Origin {origin[:80]!r}: this server does not answer to web pages of others")

    def _named(self, address: str) -> bool:
        try:
            return urlsplit(address).hostname in self._names
        except ValueError:
            return False
