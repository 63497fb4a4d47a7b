"""The control routes under `/_emulator/`: bill, faults, scripts, clock, requests, reset.

They have no key of their own on loopback; a page in a browser is refused by its `Origin`, and a
server that listens elsewhere asks for its token.
"""

from __future__ import annotations

import hmac
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic_core import from_json

from fanwise.jsonable import as_list, as_object

from .answers import Answers
from .batches import BatchRegistry
from .cache import Cache
from .charges import Tokens
from .clock import Clock, iso
from .diagnostics import Fingerprints
from .faults import Faults
from .http import Exchange, Handler, encode, parse, reply
from .numbers import finite
from .problems import ApiProblem, invalid
from .rules import RULES
from .store import Store

PREFIX = "/_emulator"
_Noted = tuple[str, float, str, str, str, int, bytes]
"""Id, moment, method, path, model, status and body of a request; a bare tuple, since every request makes one."""


@dataclass(kw_only=True)
class ControlRoutes:
    """Handlers of the control routes."""

    store: Store
    clock: Clock
    batches: BatchRegistry
    faults: Faults
    answers: Answers
    cache: Cache
    fingerprints: Fingerprints
    token: str = ""
    keep: int = 200
    """Requests that are remembered."""

    def __post_init__(self) -> None:
        self._noted: deque[_Noted] = deque(maxlen=self.keep)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Return method, path and handler of every control route."""
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/bill", self.bill),
            ("GET", "/faults", self.show_faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("POST", "/answers", self.add_answer),
            ("DELETE", "/answers", self.clear_answers),
            ("GET", "/clock", self.show_clock),
            ("POST", "/clock", self.move_clock),
            ("GET", "/requests", self.requests),
            ("GET", "/rules", self.rules),
            ("POST", "/reset", self.reset),
        ]
        return [(method, PREFIX + path, self._guarded(handler)) for method, path, handler in routes]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(exchange: Exchange) -> web.StreamResponse:
            request = exchange.request
            if "origin" in request.headers:
                raise ApiProblem(403, "the control routes do not answer to web pages")
            token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
            if self.token and not hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self.token.encode()):
                raise ApiProblem(401, "the control routes need `authorization: Bearer TOKEN`, the token of --token")
            return await handler(exchange)

        return guarded

    def note(self, exchange: Exchange) -> None:
        """Remember a request of the API; its headers are never shown."""
        request = exchange.request
        # Not the exchange itself: it would keep the connection and its buffers alive.
        noted = (
            exchange.id, self.clock.now(), request.method, request.path, exchange.model, exchange.status, exchange.raw
        )  # fmt: skip
        self._noted.append(noted)

    async def bill(self, exchange: Exchange) -> web.Response:
        """Return the totals and, unless `entries=0`, every entry; of one run with `run=ID`."""
        run = exchange.request.query.get("run")
        totals = self.store.totals(run)
        entries = list(self.store.bill(run)) if exchange.request.query.get("entries", "1") != "0" else []
        shown = [{**entry, "usd": usd_text(entry["pico"]), "usage": _usage(entry)} for entry in entries]
        return reply(
            exchange,
            encode({"simulated": True, "totals": {**totals, "usd": usd_text(totals["pico"])}, "entries": shown}),
        )

    async def show_faults(self, exchange: Exchange) -> web.Response:
        rules = [{name: getattr(rule, name) for name in rule.__dataclass_fields__} for rule in self.faults.in_force]
        return reply(exchange, encode({"rules": rules, "cache_lag_s": self.cache.lag_s}))

    async def add_fault(self, exchange: Exchange) -> web.Response:
        """Add a fault or a list of them; `{"cache_lag_s": 2}` delays every new cache entry."""
        data = parse(await exchange.request.read())
        rules = as_list(data) or [data]
        if not all(isinstance(rule, dict) for rule in rules):
            raise invalid("a fault is an object")
        for rule in map(as_object, rules):
            lag_s = rule.pop("cache_lag_s", None)
            if lag_s is not None:
                self.cache.lag_s = _number("cache_lag_s", lag_s)
            if rule or lag_s is None:
                self.faults.add(rule)
        return reply(exchange, encode({"rules": len(self.faults.in_force)}))

    async def clear_faults(self, exchange: Exchange) -> web.Response:
        self.faults.in_force.clear()
        self.cache.lag_s = 0.0
        return reply(exchange, encode({"rules": 0}))

    async def add_answer(self, exchange: Exchange) -> web.Response:
        """Add a script or a list of them."""
        data = parse(await exchange.request.read())
        for script in as_list(data) or [data]:
            self.answers.add_script(script)
        return reply(exchange, encode({"scripts": len(self.answers.scripts)}))

    async def clear_answers(self, exchange: Exchange) -> web.Response:
        self.answers.scripts.clear()
        return reply(exchange, encode({"scripts": 0}))

    async def show_clock(self, exchange: Exchange) -> web.Response:
        return reply(exchange, encode({"now": iso(self.clock.now()), "speed": self.clock.speed}))

    async def move_clock(self, exchange: Exchange) -> web.Response:
        """Move the clock by `advance_s`, let it run at `speed`, or both."""
        data = as_object(parse(await exchange.request.read()))
        if not data or set(data) - {"advance_s", "speed"}:
            raise invalid("give advance_s (seconds), speed (simulated seconds per second), or both")
        try:
            if "speed" in data:
                self.clock.run_at(_positive_number("speed", data["speed"]))
            if "advance_s" in data:
                self.clock.advance(_number("advance_s", data["advance_s"]))
        except ValueError as error:
            raise invalid(str(error)) from None
        self.store.put("clock_offset_s", str(self.clock.offset_s))
        self.batches.wake()
        return await self.show_clock(exchange)

    async def requests(self, exchange: Exchange) -> web.Response:
        """Return the last requests of the API, oldest first, with their bodies; `limit=N` of them."""
        try:
            limit = int(exchange.request.query.get("limit", str(self.keep)))
        except ValueError:
            raise invalid("limit: Input should be a whole number") from None
        last = list(self._noted)[-limit:] if limit > 0 else []
        return reply(exchange, encode({"requests": [_shown(noted) for noted in last]}))

    async def rules(self, exchange: Exchange) -> web.Response:
        """Return the rules that the emulator keeps, with their sources."""
        return reply(exchange, encode({"rules": [rule.data() for rule in RULES]}))

    async def reset(self, exchange: Exchange) -> web.Response:
        """Forget bill, batches, cache, faults and scripts; the clock goes on."""
        self.store.reset()
        self.store.put("clock_offset_s", str(self.clock.offset_s))
        self.faults.in_force.clear()
        self.answers.scripts.clear()
        self.fingerprints.clear()
        self.cache.lag_s = 0.0
        self._noted.clear()
        return reply(exchange, encode({"reset": True}))


def _shown(noted: _Noted) -> dict[str, Any]:
    request_id, at, method, path, model, status, raw = noted
    try:
        body: Any = from_json(raw) if raw else None
    except ValueError:
        body = raw.decode("utf-8", "replace")
    return {
        "id": request_id, "at": iso(at), "method": method, "path": path, "model": model, "status": status, "body": body
    }  # fmt: skip


def _usage(entry: dict[str, Any]) -> dict[str, Any]:
    return Tokens(*(entry[name] for name in Tokens._fields)).usage()


def _number(name: str, field: object) -> float:
    """Return a number of at least 0."""
    number = finite(field)
    if number is None or number < 0:
        raise invalid(f"{name}: {field!r} is no number of at least 0")
    return number


def _positive_number(name: str, field: object) -> float:
    number = finite(field)
    if number is None or number <= 0:
        raise invalid(f"{name}: {field!r} is no positive number")
    return number


def usd_text(pico: int) -> str:
    """Return picodollars as a plain decimal string of dollars."""
    dollars, rest = divmod(pico, 10**12)
    digits = f"{rest:012d}".rstrip("0")
    return f"{dollars}.{digits}" if digits else str(dollars)
