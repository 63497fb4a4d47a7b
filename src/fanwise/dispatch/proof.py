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
from fanwise.pricing.usage import is_counted

from .role import Role

MISSES = 3
"""Misses of one prefix after which the API is asked why: one or two may be a lag of the cache."""
SURE = 1.1
"""Lengths are estimates: from this multiple of the minimum on a prefix is surely long enough."""
_READ = "cache_read_input_tokens"


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What was seen of one prefix."""

    expected: int = 0
    """Requests that should have read it."""
    missed: int = 0
    message: str = ""
    """Id of one that the API remembers, to compare the next request with."""
    asking: bool = False


class Proof:
    """Watches the prefixes of one session; used by one event loop."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._watches: dict[str, _Watch] = {}
        self._silent = False
        self._reported: set[str] = set()
        """Prefixes that something was said of, by their front: what agents share is said once for all."""

    def previous(self, prefixes: Sequence[Prefix]) -> str | None:
        """Return what a request should ask the API to compare it with, or None where nothing is to be asked.

        An empty text stands for nothing yet: the API remembers a request only where it was told to.
        """
        shared = _shared(prefixes)
        watch = self._watches.get(shared.key) if shared is not None else None
        if watch is None or self._silent or prefixes[0].key in self._reported:
            return None
        if watch.asking or watch.missed < MISSES:
            return None
        watch.asking = True
        return watch.message

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

    def replied(
        self, role: Role, prefixes: Sequence[Prefix], led: Sequence[Prefix], reply: Reply, previous: str | None
    ) -> None:
        """Take a reply.

        Args:
            role: Whose it is.
            prefixes: The request's prefixes.
            led: Those that it was the first to write.
            reply: The reply.
            previous: What `previous` had said.
        """
        shared = _shared(prefixes)
        if shared is None or shared.tokens < role.facts.cache_minimum * SURE or not is_counted(reply.usage):
            return
        watch, has_read = self._watches.setdefault(shared.key, _Watch()), bool(reply.usage.get(_READ))
        if shared not in led:
            watch.expected += 1
            watch.missed += not has_read
        if previous is None:
            return
        watch.asking, watch.message = False, reply.message_id
        front = prefixes[0].key
        if previous and not has_read and front not in self._reported:
            self._reported.add(front)
            self._note(
                f"the cache does not fire for agent {role.agent!r}: {watch.missed} of {watch.expected} requests that "
                f"should have read about {shared.tokens:,} tokens read none; {_reason(reply.cache_miss)}"
            )


def _reason(cache_miss: str) -> str:
    """Return the API's diagnosis for people."""
    if cache_miss in ("", "messages_changed"):  # the values behind the prefix always change
        return "the API finds the prefix unchanged, so its entry was not there, or not yet"
    return f"the API says: {cache_miss}"


def _shared(prefixes: Sequence[Prefix]) -> Prefix | None:
    """Return the longest prefix that rows share."""
    return next((prefix for prefix in reversed(prefixes) if prefix.job), None)
