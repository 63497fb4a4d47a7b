"""Does the cache fire? Reads seen against reads expected, for every prefix that rows share; said once.

A request that finds its prefix warm should read it. Where the first ones do not, the next one asks
the API for its diagnosis ("Cache diagnostics", read 2026-11-23), and the run says what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply
from fanwise.context.parts import Prefix

MISSES = 3
"""Misses of one prefix after which the API is asked why: one or two may be a lag of the cache."""
SURE = 1.1
"""Lengths are estimates: from this multiple of the minimum on a prefix is surely long enough."""


@dataclass(slots=True)
class _Watch:
    """What was seen of one prefix."""

    expected: int = 0
    """Requests that should have read it."""
    missed: int = 0
    known: str = ""
    """A message that the API remembers, to compare the next request with."""
    asking: bool = False


class Proof:
    """Watches the prefixes of one session; used by one event loop."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._watches: dict[str, _Watch] = {}
        self._silent = False
        self._told: set[str] = set()
        """Prefixes that something was said of, by their front: what agents share is said once for all."""

    def previous(self, prefixes: Sequence[Prefix]) -> str | None:
        """Return what a request should ask the API to compare it with, or None where nothing is to be asked.

        An empty text stands for nothing yet: the API remembers a request only where it was told to.
        """
        shared = _shared(prefixes)
        watch = self._watches.get(shared.key) if shared is not None else None
        if watch is None or self._silent or prefixes[0].key in self._told:
            return None
        if watch.asking or watch.missed < MISSES:
            return None
        watch.asking = True
        return watch.known

    def excused(self, prefixes: Sequence[Prefix], failure: Failure) -> Failure:
        """Return what the failure of a request means that asked for a diagnosis: a refusal may be due to that alone.

        A gateway may not know the field; nothing is asked any more then, and the call goes again.
        """
        shared = _shared(prefixes)
        if shared is not None:
            self._watches[shared.key].asking = False
        if failure.verdict != "final":
            return failure
        self._silent = True
        return replace(failure, verdict="retry")

    def saw(
        self,
        agent: str,
        prefixes: Sequence[Prefix],
        led: Sequence[Prefix],
        minimum: int,
        reply: Reply,
        asked: str | None,
    ) -> None:
        """Take a reply.

        Args:
            agent: Whose it is.
            prefixes: The request's prefixes.
            led: Those that it was the first to write.
            minimum: The model's shortest cached prefix, in tokens.
            reply: The reply.
            asked: What `previous` had said.
        """
        shared = _shared(prefixes)
        if shared is None or shared.tokens < minimum * SURE:
            return
        watch = self._watches.setdefault(shared.key, _Watch())
        if shared not in led:
            watch.expected += 1
            watch.missed += not reply.usage.get("cache_read_input_tokens")
        if asked is None:
            return
        watch.asking, watch.known = False, reply.message_id
        if asked and prefixes[0].key not in self._told and not reply.usage.get("cache_read_input_tokens"):
            self._told.add(prefixes[0].key)
            why = f"the API says: {reply.cache_miss}"
            if reply.cache_miss in ("", "messages_changed"):  # the values behind the prefix always change
                why = "the API finds the prefix unchanged, so its entry was not there, or not yet"
            self._tell(
                f"the cache does not fire for agent {agent!r}: {watch.missed} of {watch.expected} requests that "
                f"should have read about {shared.tokens:,} tokens read none; {why}"
            )


def _shared(prefixes: Sequence[Prefix]) -> Prefix | None:
    """Return the longest prefix that rows share."""
    return next((prefix for prefix in reversed(prefixes) if prefix.job), None)
