"""The control routes under `/_emulator/`: bill, faults, clock, reset."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from fanwise.jsonable import as_list, as_object

from .batches import Batches
from .clock import Clock, iso
from .faults import Faults
from .http import parse
from .problems import invalid
from .store import Store


class Control:
    """Handlers of the control routes."""

    def __init__(self, store: Store, clock: Clock, batches: Batches, faults: Faults) -> None:
        self.store, self.clock, self.batches, self.faults = store, clock, batches, faults

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/_emulator/bill", self.bill),
            web.post("/_emulator/faults", self.add_fault),
            web.delete("/_emulator/faults", self.clear_faults),
            web.post("/_emulator/clock", self.move_clock),
            web.post("/_emulator/reset", self.reset),
        ]

    async def bill(self, request: web.Request) -> web.Response:
        """Return the totals and, unless `entries=0`, every entry; of one run with `run=ID`."""
        run = request.query.get("run")
        totals = self.store.totals(run)
        entries = list(self.store.bill(run)) if request.query.get("entries", "1") != "0" else []
        shown = [{**one, "usd": _usd(one["pico"])} for one in entries]
        priced = {**totals, "usd": _usd(totals["pico"])}
        return web.json_response({"simulated": True, "totals": priced, "entries": shown})

    async def add_fault(self, request: web.Request) -> web.Response:
        data = parse(await request.read())
        rules = as_list(data) or [data]
        for rule in rules:
            if not isinstance(rule, dict):
                raise invalid("a fault is an object")
            self.faults.add(as_object(cast("object", rule)))
        return web.json_response({"rules": len(self.faults.rules)})

    async def clear_faults(self, request: web.Request) -> web.Response:
        self.faults.rules.clear()
        return web.json_response({"rules": 0})

    async def move_clock(self, request: web.Request) -> web.Response:
        try:
            self.clock.advance(float(parse(await request.read())["advance_s"]))
        except (KeyError, TypeError, ValueError) as error:
            raise invalid(f"advance_s: {error}") from None
        self.store.put("clock_offset_s", str(self.clock.offset_s))
        self.batches.wake()
        return web.json_response({"now": iso(self.clock.now())})

    async def reset(self, request: web.Request) -> web.Response:
        self.store.reset()
        self.faults.rules.clear()
        return web.json_response({"reset": True})


def _usd(pico: int) -> str:
    whole, rest = divmod(pico, 10**12)
    digits = f"{rest:012d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
