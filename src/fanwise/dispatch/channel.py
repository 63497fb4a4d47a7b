"""Which channel a task takes, by price and by the time that is left: the decision of `--channel auto`.

What it goes by is learnt from the run: how long an agent's answers are, how often batches read a
prefix that was written for them, how long batches take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, Protocol

from fanwise.api.replies import Reply
from fanwise.context.request import Request
from fanwise.journal.records import Channel
from fanwise.units import now

from .call import Call
from .prices import cheaper, prices
from .rounds import Rounds

ChannelChoice = Literal["live", "batch", "auto"]
Why = Literal["price", "no price", "pilot", "time", "deadline"]
"""`price`: the other would cost more. `pilot`: to learn how long answers are, live, or how often a prefix
is read, in batches. `time`: the deadline leaves too few rounds of batches for this stage. `deadline`: it
is near."""
PILOTS: dict[Channel, int] = {"live": 4, "batch": 24}
"""Calls of an agent that go ahead live where its channel depends on how long its answers are, and in a
batch where it depends on how often batches read a prefix."""
HITS = (0.3, 0.95)
"""Share of reads that batches may turn out to have ("Batch processing", read 2026-11-23)."""


class Hits(Protocol):
    """What is known of how often batches read a prefix: the primer."""

    def hits(self, call: Call) -> float:
        """Return the share of reads that a call can expect in a batch; 0 where it would not be marked."""
        ...

    def learnt(self) -> bool:
        """Return whether that was seen often enough to be gone by."""
        ...

    def worth(self, gain: int) -> bool:
        """Return whether two rounds of batches are worth so many picodollars for each call to come."""
        ...


class Chooser:
    """Gives each call its channel, and remembers why."""

    def __init__(
        self,
        choice: ChannelChoice,
        hits: Hits,
        outputs: Iterable[tuple[str, str, int, int]] = (),
        time: Rounds | None = None,
        *,
        patient: bool = True,
    ) -> None:
        """Begin with what earlier sessions have seen.

        Args:
            choice: What the user wants.
            hits: Knows how likely calls read their prefix in a batch.
            outputs: ArmName, agent, answers and their tokens.
            time: What a deadline leaves time for; None where there is none.
            patient: Whether others may wait for pilots in a batch; nobody stays to send them after `--detach`.
        """
        self._choice: ChannelChoice = choice
        self._hits, self._time = hits, time
        self._outputs = {(arm, agent): (count, tokens) for arm, agent, count, tokens in outputs}
        self._near, self._patient = False, patient
        self._sent = Counter[tuple[str, str, Channel]]()
        self._pilots: dict[tuple[str, str, Channel], set[Call]] = {}
        """Calls that went ahead, by arm, agent and channel, until they end."""
        self.choices: Counter[tuple[str, str, Channel, Why]] = Counter()
        """Calls by arm, agent, channel and reason."""
        self.expected: dict[tuple[str, str, Channel], int] = {}
        """Picodollars that the last such call was expected to cost, by arm, agent and channel."""

    def only_live(self) -> None:
        """Let nothing go in batches any more."""
        self._near, self._choice = True, "live"

    def saw(self, call: Call, reply: Reply) -> None:
        """Learn from a reply how long an agent's answers are, where a channel is chosen by that."""
        if self._choice != "auto":
            return
        count, tokens = self._outputs.get((call.arm, call.agent), (0, 0))
        answered = int(reply.usage.get("output_tokens") or 0)
        self._outputs[call.arm, call.agent] = count + 1, tokens + answered

    def ended(self, call: Call) -> bool:
        """Take the end of a call; returns whether those that wait for its agent's pilots can go on."""
        done = False
        for channel in PILOTS if self._pilots else ():
            pilots = self._pilots.get((call.arm, call.agent, channel), set())
            if call in pilots:
                pilots.discard(call)
                done = done or not pilots
        return done

    def output(self, call: Call, request: Request) -> int:
        """Return how many tokens an answer has on average; a quarter of its cap where none came."""
        count, tokens = self._outputs.get((call.arm, call.agent), (0, 0))
        return max(round(tokens / count) if count else request.max_tokens // 4, 1)

    def channel(self, call: Call) -> Channel | None:
        """Return how a call travels, or None where it waits for its agent's pilots."""
        if self._choice == "live" or self._choice == "batch":
            if self._near:
                self.choices[call.arm, call.agent, "live", "deadline"] += 1
            return self._choice
        chosen = self._chosen(call)
        if chosen is None:
            return None
        channel, why = chosen
        self.choices[call.arm, call.agent, channel, why] += 1
        return channel

    def told(self, before: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return why calls took their channels, as JSON-ready data, with what earlier sessions have kept of it."""
        counts, expected = Counter(self.choices), dict(self.expected)
        for one in before:
            arm, agent = one["side"], one["agent"]
            counts.update({(arm, agent, each["channel"], each["why"]): each["calls"] for each in one["took"]})
            for channel, pico in one["expected"].items():
                expected.setdefault((arm, agent, channel), pico)
        found: list[dict[str, Any]] = []
        for arm, agent in dict.fromkeys((arm, agent) for arm, agent, _, _ in counts):
            took = [
                {"channel": channel, "why": why, "calls": count}
                for (*who, channel, why), count in counts.items()
                if who == [arm, agent]
            ]
            priced = {channel: pico for (*who, channel), pico in expected.items() if who == [arm, agent]}
            found.append({"side": arm, "agent": agent, "took": took, "expected": priced})
        return found

    def _chosen(self, call: Call) -> tuple[Channel, Why] | None:
        request, hit_rate = call.request(), self._hits.hits(call)
        price = prices(request, now(), output=self.output(call, request), hit_rate=hit_rate)
        if price is None:
            return "batch", "no price"
        first = self._first(call, request, hit_rate)
        if first is not None:
            return self._pilot(call, first)
        for channel, one in price.items():
            self.expected[call.arm, call.agent, channel] = one
        if price["live"] < price["batch"]:
            return "live", "price"
        if self._time is not None and not self._time.has_time(call, price["live"] - price["batch"]):
            return "live", "time"
        return "batch", "price"

    def _first(self, call: Call, request: Request, hit_rate: float) -> Channel | None:
        """Return the channel in which something is to be learnt before a call's own is chosen, if there is any."""
        if (call.arm, call.agent) not in self._outputs:
            lengths = [cheaper(request, now(), output=size, hit_rate=hit_rate) for size in (1, request.max_tokens)]
            if len(set(lengths)) > 1 and self._pilots.get((call.arm, call.agent, "live")) != set():
                return "live"
        if (
            not self._patient
            or self._hits.learnt()
            or hit_rate == 0.0
            or self._pilots.get((call.arm, call.agent, "batch")) == set()
        ):
            return None
        output = self.output(call, request)
        chances = [prices(request, now(), output=output, hit_rate=rate) for rate in HITS]
        if None in chances or (self._time is not None and not self._time.has_more()):
            return None
        gains = [one["live"] - one["batch"] for one in chances if one is not None]
        worth = self._hits.worth(gains[-1])
        return "batch" if gains[0] < 0 < gains[-1] and worth else None

    def _pilot(self, call: Call, channel: Channel) -> tuple[Channel, Why] | None:
        key = (call.arm, call.agent, channel)
        pilots = self._pilots.setdefault(key, set())
        if self._sent[key] >= PILOTS[channel]:
            return None
        self._sent[key] += 1
        pilots.add(call)
        return channel, "pilot"
