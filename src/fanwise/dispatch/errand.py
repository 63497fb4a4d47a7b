"""An errand: one request on its way to the API, and the tasks that it serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fanwise.context.parts import Prefix
from fanwise.context.request import Request
from fanwise.journal.records import Why
from fanwise.quick import maker

from .role import Role


class Ask(NamedTuple):
    """One task that an errand serves."""

    key: str
    """Content key of the task."""
    row: int
    node: str
    """Path of its node."""
    label: str
    """The task with its items, for people: `research[2]`."""
    before: int = 0
    """Requests that were sent for it before this errand."""
    row_id: str = ""
    """Id of the row."""
    work: str = ""
    """Hash of all that its answer depends on; empty where it is served alone."""


new_ask = maker(Ask)


class Shared(NamedTuple):
    """What all requests of a node begin with."""

    prefix: Prefix | None
    """The longest prefix that all rows share; None where it is too short to be cached."""
    key: str
    """Its key, shortened; empty where there is none."""
    fronts: tuple[str, ...] = ()
    """Keys, likewise, of the shorter ones that a cache keeps: other nodes may begin with them too."""


@dataclass(slots=True, eq=False, kw_only=True)
class Errand:
    """One request on its way, of one role, that serves one task or more; it may take several attempts."""

    role: Role
    asks: tuple[Ask, ...]
    """The tasks that it is sent for, whose rows bear it; none where it only keeps a prefix warm."""
    followers: list[Ask] | None = field(default=None, init=False)
    """Equal tasks that have joined it: they are served as well."""
    attempts: tuple[int, ...] = field(default=(), init=False)
    """Numbers of its attempts so far, that of an earlier session which it has taken over among them."""
    compose: Callable[[Errand], Request]
    """Makes its next request."""
    number: int = 0
    """Attempts so far."""
    tries: int = 0
    """Of these, what the retry policy bounds."""
    repair: str = ""
    """Why the answer before was refused; empty where it was not."""
    repairs: int = 0
    """How often a reason has gone back to the model."""
    factor: int = 1
    """How many times its agent's cap the answer may be long: more after it was cut off."""
    odd: int = 0
    """Replies to its last request of which nothing could be made."""
    why: Why = "first"
    """Why its next attempt is sent."""
    on_sent: Callable[[], None] | None = field(default=None, init=False)
    """Told once, when its next attempt is sent."""
    shared: Shared | None = field(default=None, init=False)
    """What the requests of its node begin with, once that was asked for."""

    @property
    def key(self) -> str:
        """Content key of its first task: of the conversation, where there is one."""
        return self.asks[0].key

    @property
    def served(self) -> tuple[Ask, ...]:
        """All tasks that it serves, in their places in each of its attempts."""
        return (*self.asks, *self.followers) if self.followers else self.asks

    def input_of(self, ask: Ask) -> int:
        """Return which input of its requests shows a task that it serves, from 0: one that follows has an equal one's.

        Args:
            ask: Of its `served`.
        """
        if len(self.asks) == 1:
            return 0
        return next(place for place, own in enumerate(self.asks) if own is ask or (ask.work and own.work == ask.work))

    def followers_of(self, place: int) -> list[Ask]:
        """Return the tasks that follow the one at a place of `asks`."""
        return [ask for ask in self.followers or () if self.input_of(ask) == place]

    @property
    def may_go_again(self) -> bool:
        """Whether its request can be made: else it stands for one that an earlier session has sent."""
        return self.compose is not never_composed

    def continues(self, errand: Errand) -> None:
        """Take over the attempts of an errand of several tasks, for some of them."""
        self.attempts = errand.attempts

    @property
    def row(self) -> int:
        """The row of its first task; 0 where it serves none."""
        return self.asks[0].row if self.asks else 0

    @property
    def node(self) -> str:
        """Path of the node of its first task, whose order its request has."""
        return self.asks[0].node

    @property
    def label(self) -> str:
        """Its tasks, for people."""
        return ", ".join(ask.label for ask in self.asks)

    @property
    def place(self) -> str:
        """Its tasks with their rows, for people: ``task 'draft' of row 3``."""
        return ", ".join(f"task {ask.label!r} of row {ask.row}" for ask in self.asks)

    def request(self) -> Request:
        """Return the next request."""
        return self.compose(self)

    def begin(self, attempt: int) -> None:
        """Count an attempt that is about to be sent, by its number."""
        self.number += 1
        self.tries += 1
        self.attempts += (attempt,)
        if self.on_sent is not None:
            self.on_sent()
            self.on_sent = None

    def tell_when_sent(self, on_sent: Callable[[], None] | None) -> None:
        """Let somebody know when its next attempt is sent, in place of whoever was to be told before."""
        self.on_sent = on_sent

    def begins_with(self, shared: Shared) -> None:
        """Take note of what the requests of its node begin with."""
        self.shared = shared

    def serve(self, ask: Ask) -> None:
        """Serve a task more."""
        if self.followers is None:
            self.followers = []
        self.followers.append(ask)

    def adopt(self, attempt: int, asks: Sequence[Ask]) -> None:
        """Take over an attempt that an earlier session has sent: it is counted among its tasks' own already.

        Args:
            attempt: Its number.
            asks: The tasks that it serves, in their places; that of this errand stays as it is, behind the others
                where it is none of them.
        """
        (own,) = self.asks
        served = [own if ask.key == own.key else ask for ask in asks]
        if own not in served:
            served.append(own._replace(before=own.before + 1))
        self.asks, self.followers = (served[0],), served[1:] or None
        self.tries, self.attempts = 1, (attempt,)

    def stands_for(self, *attempts: int) -> None:
        """Stand for attempts that were made elsewhere: in an earlier session, or in another run."""
        self.attempts = attempts

    def go_ahead(self) -> None:
        """Let it be a pilot: others wait for what it shows."""
        if self.why == "first":
            self.why = "pilot"

    def retry(self) -> None:
        """Let the next attempt be one more try of the last."""
        self.why = "retry"

    def ask_again(self, repair: str, factor: int) -> None:
        """Let the next request say why the answer was refused, if it was, and let its answer be longer."""
        self.repair, self.factor, self.why = repair, factor, "repair" if repair else "longer"
        self.repairs += bool(repair)

    def ask_the_same(self) -> None:
        """Send the last request once more: nothing could be made of its reply."""
        self.odd, self.why = self.odd + 1, "retry"

    def go_on(self) -> None:
        """Let a conversation go on with its next request: attempts are bounded for each request."""
        self.tries, self.odd, self.why = 0, 0, "tools"

    def excuse(self) -> None:
        """Leave the last attempt out of those that are bounded: its failure was not its own."""
        self.tries -= 1


new_errand = maker(Errand)


def never_composed(errand: Errand) -> Request:
    """Stand in for what makes the requests of an errand that is sent as it is, or was sent by an earlier session."""
    raise AssertionError(f"no request is made of {errand.place or 'what keeps a prefix warm'}")
