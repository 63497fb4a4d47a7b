"""The control routes under `/_emulator/`: bill, faults, scripts, clock, requests, reset.

They have no key of their own on loopback; a page in a browser is refused by its `Origin`, and a
server that listens elsewhere asks for its token.
"""

from __future__ import annotations

import hmac
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic_core import from_json

from fanwise.jsonable import as_list, as_object

from .answers import Answers
from .batches import Batches
from .cache import Cache
from .charges import Tokens
from .clock import Clock, iso
from .diagnostics import Diagnostics
from .faults import Faults
from .http import Call, Handler, encode, parse, reply
from .problems import ApiProblem, invalid
from .rules import RULES
from .store import Store

PREFIX = "/_emulator"
_Seen = tuple[str, float, str, str, str, int, bytes]
"""Id, moment, method, path, model, status and body of a request."""


@dataclass
class Control:
    """Handlers of the control routes."""

    store: Store
    clock: Clock
    batches: Batches
    faults: Faults
    answers: Answers
    cache: Cache
    diagnostics: Diagnostics
    token: str = ""
    keep: int = 200
    """Requests that are remembered."""

    def __post_init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=self.keep)

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
        async def guarded(call: Call) -> web.StreamResponse:
            request = call.request
            if "origin" in request.headers:
                raise ApiProblem(403, "the control routes do not answer to web pages")
            given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
            if self.token and not hmac.compare_digest(given.encode(), self.token.encode()):
                raise ApiProblem(401, "the control routes need `authorization: Bearer TOKEN`, the token of --token")
            return await handler(call)

        return guarded

    def note(self, call: Call) -> None:
        """Remember a request of the API; its headers are never shown."""
        request = call.request
        # Not the call itself: it would keep the connection and its buffers alive.
        seen = (call.id, self.clock.now(), request.method, request.path, call.model, call.status, call.raw)
        self._seen.append(seen)

    async def bill(self, call: Call) -> web.Response:
        """Return the totals and, unless `entries=0`, every entry; of one run with `run=ID`."""
        run = call.request.query.get("run")
        totals = self.store.totals(run)
        entries = list(self.store.bill(run)) if call.request.query.get("entries", "1") != "0" else []
        shown = [{**one, "usd": usd_text(one["pico"]), "usage": _usage(one)} for one in entries]
        return reply(
            call, encode({"simulated": True, "totals": {**totals, "usd": usd_text(totals["pico"])}, "entries": shown})
        )

    async def show_faults(self, call: Call) -> web.Response:
        rules = [{name: getattr(rule, name) for name in rule.__dataclass_fields__} for rule in self.faults.rules]
        return reply(call, encode({"rules": rules, "cache_lag_s": self.cache.lag_s}))

    async def add_fault(self, call: Call) -> web.Response:
        """Add a fault or a list of them; `{"cache_lag_s": 2}` delays every new cache entry."""
        data = parse(await call.request.read())
        rules = as_list(data) or [data]
        if not all(isinstance(rule, dict) for rule in rules):
            raise invalid("a fault is an object")
        for rule in rules:
            lag = as_object(rule).pop("cache_lag_s", None)
            if lag is not None:
                self.cache.lag_s = _positive("cache_lag_s", lag)
            if rule or lag is None:
                self.faults.add(as_object(rule))
        return reply(call, encode({"rules": len(self.faults.rules)}))

    async def clear_faults(self, call: Call) -> web.Response:
        self.faults.rules.clear()
        self.cache.lag_s = 0.0
        return reply(call, encode({"rules": 0}))

    async def add_answer(self, call: Call) -> web.Response:
        """Add a script or a list of them."""
        data = parse(await call.request.read())
        for script in as_list(data) or [data]:
            self.answers.add(script)
        return reply(call, encode({"scripts": len(self.answers.scripts)}))

    async def clear_answers(self, call: Call) -> web.Response:
        self.answers.scripts.clear()
        return reply(call, encode({"scripts": 0}))

    async def show_clock(self, call: Call) -> web.Response:
        return reply(call, encode({"now": iso(self.clock.now()), "speed": self.clock.speed}))

    async def move_clock(self, call: Call) -> web.Response:
        """Move the clock by `advance_s`, let it run at `speed`, or both."""
        data = as_object(parse(await call.request.read()))
        if not data or set(data) - {"advance_s", "speed"}:
            raise invalid("give advance_s (seconds), speed (simulated seconds per second), or both")
        if "speed" in data:
            self.clock.run_at(_positive("speed", data["speed"], zero=False))
        if "advance_s" in data:
            self.clock.advance(_positive("advance_s", data["advance_s"]))
        self.store.put("clock_offset_s", str(self.clock.offset_s))
        self.batches.wake()
        return await self.show_clock(call)

    async def requests(self, call: Call) -> web.Response:
        """Return the last requests of the API, oldest first, with their bodies; `limit=N` of them."""
        try:
            limit = int(call.request.query.get("limit", str(self.keep)))
        except ValueError:
            raise invalid("limit: Input should be a whole number") from None
        seen = list(self._seen)[-limit:] if limit > 0 else []
        return reply(call, encode({"requests": [_shown(one) for one in seen]}))

    async def rules(self, call: Call) -> web.Response:
        """Return the rules that the emulator keeps, with their sources."""
        return reply(call, encode({"rules": [rule.data() for rule in RULES]}))

    async def reset(self, call: Call) -> web.Response:
        """Forget bill, batches, cache, faults and scripts; the clock goes on."""
        self.store.reset()
        self.store.put("clock_offset_s", str(self.clock.offset_s))
        self.faults.rules.clear()
        self.answers.scripts.clear()
        self.diagnostics.clear()
        self.cache.lag_s = 0.0
        self._seen.clear()
        return reply(call, encode({"reset": True}))


def _shown(one: _Seen) -> dict[str, Any]:
    request_id, at, method, path, model, status, raw = one
    try:
        body: Any = from_json(raw) if raw else None
    except ValueError:
        body = raw.decode("utf-8", "replace")
    return {
        "id": request_id, "at": iso(at), "method": method, "path": path, "model": model, "status": status, "body": body
    }  # fmt: skip


def _usage(entry: dict[str, Any]) -> dict[str, Any]:
    return Tokens(*(entry[name] for name in Tokens._fields)).usage()


def _positive(name: str, given: object, *, zero: bool = True) -> float:
    known = isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
    number = float(given) if known and isinstance(given, int | float) else -1.0
    if number > 0 or (number == 0 and zero):
        return number
    raise invalid(f"{name}: {given!r} is no {'number of at least 0' if zero else 'positive number'}")


def usd_text(pico: int) -> str:
    """Return picodollars as a plain decimal string of dollars."""
    whole, rest = divmod(pico, 10**12)
    digits = f"{rest:012d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
