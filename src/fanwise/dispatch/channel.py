"""Which channel a task takes, by price and by the time that is left: the decision of `--channel auto`.

What it goes by is learnt from the run: how long an agent's answers are, how often batches read a
prefix that was written for them, how long batches take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from fanwise.api.replies import Reply
from fanwise.context.request import Request
from fanwise.journal.records import Channel, RoleName
from fanwise.units import now

from .errand import Errand
from .gate import TTL_S
from .jobpart import WHOLE, JobPart
from .prices import cheaper, prices
from .role import Role
from .rounds import Rounds
from .row_blocks import Content, RowBlocks

ChannelChoice = Literal["live", "batch", "auto"]
Why = Literal["price", "no price", "pilot", "time", "deadline"]
"""`price`: the other would cost more. `pilot`: to learn how long answers are, live, or how often a prefix
is read, in batches. `time`: the deadline leaves too few rounds of batches for this stage. `deadline`: it
is near."""
PILOTS: dict[Channel, int] = {"live": 4, "batch": 24}
"""Errands of an agent that go ahead live where its channel depends on how long its answers are, and in a
batch where it depends on how often batches read a prefix."""
HITS = (0.3, 0.95)
"""Share of reads that batches may turn out to have ("Batch processing", read 2026-11-23)."""


class Hits(Protocol):
    """What is known of how often batches read a prefix: the primer."""

    def hits(self, errand: Errand) -> float:
        """Return the share of reads that an errand can expect in a batch; 0 where it would not be marked."""
        ...

    def learnt(self) -> bool:
        """Return whether that was seen often enough to be gone by."""
        ...

    def worth(self, loss: int) -> bool:
        """Return whether not to lose so many picodollars on each errand to come is worth two rounds of batches."""
        ...


class Lengths(NamedTuple):
    """How long the answers of a role are."""

    answers: int = 0
    tokens: int = 0
    """Of all answers."""


NOTHING = Lengths()


@dataclass(slots=True, kw_only=True)
class _Learnt:
    """What is known of one role, and what was chosen for it."""

    lengths: Lengths = NOTHING
    sent_ahead: Counter[Channel] = field(default_factory=Counter[Channel])
    """Errands that went ahead so far."""
    pilots: dict[Channel, set[Errand]] = field(default_factory=dict[Channel, set[Errand]])
    """Errands that went ahead, until a reply has shown what they went for, or they end without one."""
    choices: Counter[tuple[Channel, Why]] = field(default_factory=Counter[tuple[Channel, Why]])
    """Errands that were sent, by channel and reason."""
    expected: dict[Channel, int] = field(default_factory=dict[Channel, int])
    """Picodollars that the last errand was expected to cost."""

    def is_piloted(self, channel: Channel) -> bool:
        """Return whether errands went ahead in a channel and nothing is to be learnt of them any more."""
        return self.pilots.get(channel) == set()


class Chooser:
    """Gives each errand its channel, and remembers why of those that are sent."""

    def __init__(
        self,
        choice: ChannelChoice,
        hits: Hits,
        lengths: Mapping[Role, Lengths],
        time: Rounds | None = None,
        *,
        patient: bool = True,
        row_blocks: RowBlocks | None = None,
        part: JobPart = WHOLE,
    ) -> None:
        """Begin with what earlier sessions have seen.

        Args:
            choice: What the user wants.
            hits: Knows how likely errands read their prefix in a batch.
            lengths: How long answers were.
            time: What a deadline leaves time for; None where there is none.
            patient: Whether others may wait for what goes ahead in a batch; nobody stays to send them after `--detach`.
            row_blocks: Counts calls that show the same blocks of a row; None: as if each row were asked once.
            part: Of the job, that is sent.
        """
        self._row_blocks = RowBlocks({}) if row_blocks is None else row_blocks
        self._choice: ChannelChoice = choice
        self._part = part
        self._hits, self._time = hits, time
        self._near, self._patient = False, patient
        self._roles = {role: _Learnt(lengths=seen) for role, seen in lengths.items()}
        self._has_pilots = False

    def _of(self, role: Role) -> _Learnt:
        learnt = self._roles.get(role)
        if learnt is None:
            learnt = self._roles[role] = _Learnt()
        return learnt

    def only_live(self) -> None:
        """Let nothing go in batches any more."""
        self._near, self._choice = True, "live"

    def replied(self, errand: Errand, reply: Reply) -> bool:
        """Learn from a reply; returns whether those that wait for pilots of its role can go on.

        Any reply has shown what a pilot was sent for, how long answers are or that a prefix was read. One that asks
        for tools or is asked again has not ended with it, and would wait for itself if it were still a pilot.
        """
        if self._choice == "auto":
            learnt = self._of(errand.role)
            (answers, tokens), output = learnt.lengths, reply.usage.get("output_tokens")
            if isinstance(output, int):  # else nothing says how long it was
                learnt.lengths = Lengths(answers + 1, tokens + output)
        return self.ended(errand)

    def ended(self, errand: Errand) -> bool:
        """Let an errand be a pilot no more; returns whether those that wait for pilots of its role can go on."""
        if not self._has_pilots:
            return False
        done = False
        for pilots in self._of(errand.role).pilots.values():
            if errand in pilots:
                pilots.discard(errand)
                done = done or not pilots
        return done

    def output(self, errand: Errand, request: Request) -> int:
        """Return how many tokens an answer has on average; a quarter of its cap where none came."""
        answers, tokens = self._of(errand.role).lengths
        return max(round(tokens / answers) if answers else request.max_tokens // 4, 1)

    def row_comes(self, row: int, shown: int) -> None:
        """Take note of a row, with a hash of what it shows of the blocks that rows repeat."""
        self._row_blocks.row_comes(row, shown)

    def row_ends(self, row: int) -> None:
        """Forget a row that nothing is sent for any more."""
        self._row_blocks.row_ends(row)

    def was_sent_live(self, errand: Errand, sent: float) -> None:
        """Take note of a call of an earlier session whose answer stays: what it has written is read by those that come.

        Args:
            errand: As it would be sent now.
            sent: When it was sent, in seconds since 1970.
        """
        if self._choice == "auto" and now().timestamp() - sent < TTL_S["5m"]:
            self._sent_live(errand, self._row_blocks.note(errand, errand.request()))

    def _sent_live(self, errand: Errand, content: Content | None) -> None:
        """Take note of what a live call writes; in the whole of a job few read what pilots do, and they are apart."""
        if content is not None and not (errand.why == "pilot" and self._part.of(errand.role.arm) > 1):
            self._row_blocks.sent_live(content)

    def gathers(self) -> bool:
        """Return whether the channel of any errand may depend on how many others show what it shows of its row."""
        return self._choice == "auto" and self._row_blocks.has_readers()

    def is_gathered(self, errand: Errand) -> bool:
        """Return whether the channel of an errand depends on how many others show what it shows of its row."""
        return self._choice == "auto" and self._row_blocks.note(errand, errand.request()) is not None

    def channel(self, errand: Errand) -> Channel | None:
        """Return how an errand travels, or None where it waits for its role's pilots."""
        if self._choice == "live" or self._choice == "batch":
            errand.tell_when_sent(self._counted(errand, ("live", "deadline")) if self._near else None)
            return self._choice
        request = errand.request()
        content = self._row_blocks.note(errand, request)
        chosen = self._chosen(errand, request, content)
        if chosen is None:
            return None
        errand.tell_when_sent(self._counted(errand, chosen, content))
        return chosen[0]

    def _counted(
        self, errand: Errand, chosen: tuple[Channel, Why], content: Content | None = None
    ) -> Callable[[], None]:
        """Return what takes note of a choice once the errand is sent: many that were chosen for never are."""
        choices = self._of(errand.role).choices

        def count() -> None:
            choices.update((chosen,))
            if chosen[0] == "live":
                self._sent_live(errand, content)

        return count

    def reasons(self, before: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return why errands took their channels, as JSON-ready data, with what earlier sessions have kept of it."""
        roles: dict[RoleName, _Learnt] = {}
        for role, learnt in self._roles.items():
            seen = roles.setdefault(role.name, _Learnt())
            seen.choices += learnt.choices
            seen.expected |= learnt.expected
        models = {(name.arm, name.agent): name.model for name in roles}
        for entry in before:
            arm, agent = entry["side"], entry["agent"]
            model = entry.get("model") or models.get((arm, agent), "")  # runs have not always kept it
            kept = roles.setdefault(RoleName(arm, agent, model), _Learnt())
            kept.choices.update({(choice["channel"], choice["why"]): choice["calls"] for choice in entry["took"]})
            kept.expected = entry["expected"] | kept.expected
        return [_entry(name, kept) for name, kept in roles.items() if kept.choices]

    def _chosen(self, errand: Errand, request: Request, content: Content | None) -> tuple[Channel, Why] | None:
        row_uses = self._row_blocks.uses(errand, content)
        hit_rate = self._hits.hits(errand) if self._patient else 0.0  # nobody stays until a prefix is written
        price = prices(request, now(), output=self.output(errand, request), hit_rate=hit_rate, row_uses=row_uses)
        if price is None:
            return "batch", "no price"
        if self._depends_on_length(errand, request, hit_rate, row_uses):
            return self._pilot(errand, "live")
        if self._depends_on_hits(errand, request, hit_rate, row_uses):
            return self._pilot(errand, "batch")
        self._of(errand.role).expected.update(price)
        own: Channel = "live" if price["live"] < price["batch"] else "batch"
        if self._row_blocks.alike(errand, content, row_uses, own) == "live":
            return "live", "price"
        if self._time is not None and not self._time.has_time(errand, price["live"] - price["batch"]):
            return "live", "time"
        return "batch", "price"

    def _depends_on_length(self, errand: Errand, request: Request, hit_rate: float, row_uses: float) -> bool:
        """Return whether an errand's channel depends on how long its answer is, and that is not known yet."""
        learnt = self._of(errand.role)
        if learnt.lengths.answers or learnt.is_piloted("live"):
            return False
        sizes = (1, request.max_tokens)
        channels = {cheaper(request, now(), output=size, hit_rate=hit_rate, row_uses=row_uses) for size in sizes}
        return len(channels) > 1

    def _depends_on_hits(self, errand: Errand, request: Request, hit_rate: float, row_uses: float) -> bool:
        """Return whether an errand's channel depends on how often batches read its prefix, and to learn that pays.

        Where no answer was seen yet, it is taken to be as short as can be for the worst of it: that is where reads
        count for most.
        """
        if not self._patient or hit_rate == 0.0 or self._hits.learnt() or self._of(errand.role).is_piloted("batch"):
            return False
        if self._time is not None and not self._time.has_more():
            return False
        output = self.output(errand, request)
        shortest = output if self._of(errand.role).lengths.answers else 1
        rarely = prices(request, now(), output=shortest, hit_rate=HITS[0], row_uses=row_uses)
        often = prices(request, now(), output=output, hit_rate=HITS[1], row_uses=row_uses)
        if rarely is None or often is None:
            return False
        loss, gain = rarely["batch"] - rarely["live"], often["live"] - often["batch"]
        return loss > 0 and gain > 0 and self._hits.worth(loss)

    def _pilot(self, errand: Errand, channel: Channel) -> tuple[Channel, Why] | None:
        learnt = self._of(errand.role)
        pilots = learnt.pilots.setdefault(channel, set())
        if learnt.sent_ahead[channel] >= self._part.pilots(errand.role.arm, PILOTS[channel]):
            return None
        learnt.sent_ahead[channel] += 1
        pilots.add(errand)
        errand.go_ahead()
        self._has_pilots = True
        return channel, "pilot"


def _entry(role: RoleName, learnt: _Learnt) -> dict[str, Any]:
    took = [{"channel": channel, "why": why, "calls": errands} for (channel, why), errands in learnt.choices.items()]
    return {
        "side": role.arm, "agent": role.agent, "model": role.model, "took": took, "expected": learnt.expected,
    }  # fmt: skip
