"""The prefix gate: one leader for each cold prefix, the rest when its reply has begun.

An entry is readable only once the response of its writer begins ("Prompt caching", read
2026-11-23): without the gate, 64 slots that start together write the same prefix 64 times. A leader
streams its reply, so that nobody waits for its end; a warm-up by `max_tokens: 0` would be no faster
and cost a read more.

How long an entry is to live is decided by price from the gaps that were seen: with g5 gaps of more
than five minutes and g1 of more than an hour between two uses, an hour is cheaper from
1.15 g5 > 0.75 + 1.9 g1 on, which is the first gap of five minutes.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from fanwise.context.parts import Prefix, Ttl

TTL_S: dict[Ttl, float] = {"5m": 300.0, "1h": 3600.0}
MARGIN_S = 15.0
"""An entry counts as gone this much before its end: the life runs from the start of a request."""
NEAR = 0.7
"""Lengths are estimates: a prefix from this share of the minimum on may be cached, and is gated."""
MOST = 20_000
"""Prefixes remembered; those of rows come and go."""


@dataclass(slots=True, kw_only=True)
class _GateState:
    """What is known of one prefix."""

    leading: anyio.Event | None = None
    warm_until: float = 0.0
    cached: bool = True
    """False once a reply has shown that the prefix is not cached at all."""
    ttl: Ttl = "5m"
    short_gaps: int = 0
    """Times that an entry of five minutes had gone and one of an hour would have lived."""
    long_gaps: int = 0
    """Times that neither would have."""


class Gate:
    """Knows which prefixes are warm; used by one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._states: OrderedDict[str, _GateState] = OrderedDict()
        self.clock = clock

    async def enter(self, prefixes: Sequence[Prefix], minimum: int) -> list[Prefix]:
        """Wait until no prefix of a request is being written by another.

        Args:
            prefixes: The request's prefixes, shortest first.
            minimum: The model's shortest cached prefix, in tokens.

        Returns:
            The prefixes that this request leads; hand them to `leave`, whatever happens.
        """
        led: list[Prefix] = []
        try:
            for prefix in prefixes:
                if prefix.tokens < minimum * NEAR:
                    continue
                while True:
                    state = self._state(prefix.key)
                    if not state.cached or state.warm_until > self.clock():
                        break
                    if state.leading is None:
                        state.leading = anyio.Event()
                        if prefix.job:
                            self._note_gap(state)
                        led.append(prefix)
                        break
                    await state.leading.wait()
        except BaseException:
            self.leave(led, (), warm=False)
            raise
        return led

    def _state(self, key: str) -> _GateState:
        state = self._states.setdefault(key, _GateState())
        self._states.move_to_end(key)
        while len(self._states) > MOST and next(iter(self._states.values())).leading is None:
            self._states.popitem(last=False)
        return state

    def _note_gap(self, state: _GateState) -> None:
        """Take note of how long a prefix that was warm has not been used, and choose its next life."""
        if not state.warm_until:
            return
        used = state.warm_until + MARGIN_S - TTL_S[state.ttl]
        if self.clock() - used > TTL_S["1h"]:
            state.long_gaps += 1
        else:
            state.short_gaps += 1
        state.ttl = "1h" if 1.15 * state.short_gaps > 0.75 + 1.9 * state.long_gaps else "5m"

    def warm_until(self, key: str) -> float:
        """Return until when a prefix counts as warm, by the clock; 0 where it never was."""
        state = self._states.get(key)
        return state.warm_until if state is not None and state.cached else 0.0

    def ttl(self, prefixes: Sequence[Prefix]) -> Ttl:
        """Return the life for what a request writes of the prefixes that rows share."""
        return "1h" if any(prefix.job and self._state(prefix.key).ttl == "1h" for prefix in prefixes) else "5m"

    def leave(
        self, led: Sequence[Prefix], used: Sequence[Prefix], *, warm: bool, cached: bool = True, started: float = 0.0
    ) -> None:
        """Let the others go on: the prefixes are warm now, or the next in line leads.

        Args:
            led: What `enter` returned.
            used: All prefixes of the request; a read renews their life.
            warm: Whether a reply came, or has begun.
            cached: Whether the reply's usage showed any write or read.
            started: The clock at the start of the request.
        """
        for prefix in {prefix.key: prefix for prefix in (*led, *(used if warm else ()))}.values():
            state = self._state(prefix.key)
            if warm:
                state.warm_until = started + TTL_S[state.ttl] - MARGIN_S
                state.cached = cached
        for prefix in led:
            state = self._states[prefix.key]
            if state.leading is not None:
                state.leading.set()
                state.leading = None
