"""Which channel a task takes, by price and by the time that is left: the decision of `--channel auto`.

What it goes by is learnt from the run: how long an agent's answers are, how often batches read a
prefix that was written for them, how long batches take.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from fanwise.api.replies import Reply
from fanwise.context.request import Request
from fanwise.errors import UnknownPriceError
from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.stages import in_batches
from fanwise.journal.records import Channel, Side
from fanwise.models import facts
from fanwise.pricing.cost import cost
from fanwise.pricing.rates import rates
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .call import Call

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
BATCH_S = 3_600.0
"""Seconds of a batch before any was seen: most end within an hour ("Batch processing", read 2026-11-23)."""
AGAIN = 256
"""Calls after which the best stages are looked for anew."""
SLOWEST = 0.9
"""Share of the batches seen that a deadline counts on to be faster."""


@dataclass
class Rounds:
    """How many rounds of batches a deadline leaves time for, and for which stages that is best."""

    graphs: Mapping[Side, GraphSpec]
    spare_s: Callable[[], float]
    """Gives the seconds before batches have to be left."""
    seen: deque[float] = field(default_factory=lambda: deque[float](maxlen=100))
    """Seconds that batches took."""
    _savings: dict[tuple[Side, str], float] = field(default_factory=dict[tuple[Side, str], float])
    """What a batch saves on a call of a node, on average, in picodollars."""

    _known: dict[tuple[Side, str, int], bool] = field(default_factory=dict[tuple[Side, str, int], bool])
    """What was found for a node and a number of rounds; forgotten now and then, since savings move."""
    _calls: int = 0

    def __post_init__(self) -> None:
        self._depths = {side: rounds(graph) for side, graph in self.graphs.items()}

    def left(self) -> int:
        """Return how many rounds there is time for: one at least, since a batch that is left costs nothing."""
        slow = sorted(self.seen)[int(SLOWEST * (len(self.seen) - 1))] if self.seen else BATCH_S
        return max(int(self.spare_s() / max(slow, 0.001)), 1)

    def has_more(self) -> bool:
        """Return whether there is time for two rounds beside those of the graph."""
        return self.left() >= max(self._depths.values(), default=0) + 2

    def has_time(self, call: Call, saving: int) -> bool:
        """Return whether a call is among the stages that have a batch."""
        key = (call.side, call.node)
        before = self._savings.get(key, float(saving))
        self._savings[key] = before + (saving - before) * 0.1
        left = self.left()
        if left >= self._depths.get(call.side, 0):
            return True
        self._calls += 1
        if self._calls % AGAIN == 0:
            self._known.clear()
        if (*key, left) not in self._known:
            self._known[*key, left] = call.node in self._best(call, left)
        return self._known[*key, left]

    def _best(self, call: Call, left: int) -> frozenset[str]:
        graph = self.graphs[call.side]
        mine = {node: worth for (side, node), worth in self._savings.items() if side == call.side}
        caps = {node.path: node.target.spec.max_tokens for node in graph.tasks() if node.target.spec is not None}
        # What is not known yet is taken to save in proportion to how long its answers may be.
        per_token = sum(mine.values()) / max(sum(caps.get(node, 0) for node in mine), 1)
        known = {node: max(round(mine.get(node, per_token * cap)), 0) for node, cap in caps.items()}
        return in_batches(graph, known, left, start=call.node)


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
            outputs: Side, agent, answers and their tokens.
            time: What a deadline leaves time for; None where there is none.
            patient: Whether others may wait for pilots in a batch; nobody stays to send them after `--detach`.
        """
        self._choice: ChannelChoice = choice
        self._hits, self._time = hits, time
        self._outputs = {(side, agent): (count, tokens) for side, agent, count, tokens in outputs}
        self._near, self._patient = False, patient
        self._sent = Counter[tuple[str, str, Channel]]()
        self._pilots: dict[tuple[str, str, Channel], set[Call]] = {}
        """Calls that went ahead, by side, agent and channel, until they end."""
        self.choices: Counter[tuple[str, str, Channel, Why]] = Counter()
        """Calls by side, agent, channel and reason."""
        self.expected: dict[tuple[str, str, Channel], int] = {}
        """Picodollars that the last such call was expected to cost, by side, agent and channel."""

    def only_live(self) -> None:
        """Let nothing go in batches any more."""
        self._near, self._choice = True, "live"

    def saw(self, call: Call, reply: Reply) -> None:
        """Learn from a reply how long an agent's answers are."""
        count, tokens = self._outputs.get((call.side, call.agent), (0, 0))
        answered = int(reply.usage.get("output_tokens") or 0)
        self._outputs[call.side, call.agent] = count + 1, tokens + answered

    def ended(self, call: Call) -> bool:
        """Take the end of a call; returns whether those that wait for its agent's pilots can go on."""
        done = False
        for channel in PILOTS:
            pilots = self._pilots.get((call.side, call.agent, channel), set())
            if call in pilots:
                pilots.discard(call)
                done = done or not pilots
        return done

    def output(self, call: Call, request: Request) -> int:
        """Return how many tokens an answer has on average; a quarter of its cap where none came."""
        count, tokens = self._outputs.get((call.side, call.agent), (0, 0))
        return max(round(tokens / count) if count else request.max_tokens // 4, 1)

    def channel(self, call: Call) -> Channel | None:
        """Return how a call travels, or None where it waits for its agent's pilots."""
        if self._choice == "live" or self._choice == "batch":
            if self._near:
                self.choices[call.side, call.agent, "live", "deadline"] += 1
            return self._choice
        chosen = self._chosen(call)
        if chosen is None:
            return None
        channel, why = chosen
        self.choices[call.side, call.agent, channel, why] += 1
        return channel

    def told(self, before: str | None) -> str:
        """Return why calls took their channels, as JSON, with what earlier sessions have kept of it."""
        counts, expected = Counter(self.choices), dict(self.expected)
        for one in json.loads(before or "[]"):
            side, agent = one["side"], one["agent"]
            counts.update({(side, agent, each["channel"], each["why"]): each["calls"] for each in one["took"]})
            for channel, pico in one["expected"].items():
                expected.setdefault((side, agent, channel), pico)
        found: list[dict[str, Any]] = []
        for side, agent in dict.fromkeys((side, agent) for side, agent, _, _ in counts):
            took = [
                {"channel": channel, "why": why, "calls": count}
                for (*who, channel, why), count in counts.items()
                if who == [side, agent]
            ]
            priced = {channel: pico for (*who, channel), pico in expected.items() if who == [side, agent]}
            found.append({"side": side, "agent": agent, "took": took, "expected": priced})
        return json.dumps(found)

    def _chosen(self, call: Call) -> tuple[Channel, Why] | None:
        request, hit_rate = call.request(), self._hits.hits(call)
        price = prices(request, now(), output=self.output(call, request), hit_rate=hit_rate)
        if price is None:
            return "batch", "no price"
        first = self._first(call, request, hit_rate)
        if first is not None:
            return self._pilot(call, first)
        for channel, one in price.items():
            self.expected[call.side, call.agent, channel] = one
        if price["live"] < price["batch"]:
            return "live", "price"
        if self._time is not None and not self._time.has_time(call, price["live"] - price["batch"]):
            return "live", "time"
        return "batch", "price"

    def _first(self, call: Call, request: Request, hit_rate: float) -> Channel | None:
        """Return the channel in which something is to be learnt before a call's own is chosen, if there is any."""
        if (call.side, call.agent) not in self._outputs:
            lengths = [cheaper(request, now(), output=size, hit_rate=hit_rate) for size in (1, request.max_tokens)]
            if len(set(lengths)) > 1 and self._pilots.get((call.side, call.agent, "live")) != set():
                return "live"
        if (
            not self._patient
            or self._hits.learnt()
            or hit_rate == 0.0
            or self._pilots.get((call.side, call.agent, "batch")) == set()
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
        key = (call.side, call.agent, channel)
        pilots = self._pilots.setdefault(key, set())
        if self._sent[key] >= PILOTS[channel]:
            return None
        self._sent[key] += 1
        pilots.add(call)
        return channel, "pilot"


def prices(request: Request, at: datetime, *, output: int, hit_rate: float = 0.0) -> dict[Channel, int] | None:
    """Return what a request is expected to cost in each channel, in picodollars; None where that is not known.

    Live, the prefix that all rows share is read from the cache, the prefix of a row is written
    once and the reply costs full price. In a batch everything costs half, and the shared prefix is
    read as often as `hit_rate` says, or not marked at all where that is cheaper.
    """
    minimum = facts(request.model).cache_minimum
    total = round(request.chars() / request.per_token)
    shared = max((prefix.tokens for prefix in request.prefixes() if prefix.job and prefix.tokens >= minimum), default=0)
    try:
        rate = rates(request.model, at, total)
        marked = hit_rate * rate.read + (1 - hit_rate) * rate.write_5m < rate.input
        read = round(shared * hit_rate) if marked else 0
        written = shared - read if marked else 0
        live = cost(Usage(input=total - shared, cache_read=shared, output=output), request.model, at)
        half = Usage(input=total - read - written, cache_write_5m=written, cache_read=read, output=output)
        return {"live": live, "batch": cost(half, request.model, at, batch=True)}
    except (UnknownPriceError, ValueError):
        return None


def cheaper(request: Request, at: datetime, *, output: int, hit_rate: float = 0.0) -> Channel:
    """Return the channel in which a request is expected to cost less; batch where no price is known."""
    price = prices(request, at, output=output, hit_rate=hit_rate)
    return "live" if price is not None and price["live"] < price["batch"] else "batch"
