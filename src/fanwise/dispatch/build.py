"""The carriers of a session, from how it may send and what earlier sessions have shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fanwise.api.client import Api
from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.meta import EDITED
from fanwise.journal.records import ArmName, RoleName

from .batches import Batches
from .books import Books
from .carrier import Sink
from .carriers import Carriers
from .channel import ChannelChoice, Chooser, Lengths
from .jobpart import WHOLE, JobPart
from .live import Live
from .polling import Polling
from .retry import RetryPolicy
from .role import Role, Roles
from .rounds import Rounds
from .row_blocks import Readers, RowBlocks
from .timekeeper import TimeKeeper, TimeLeft, TimeLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How a session may send."""

    channel: ChannelChoice
    slots: int
    """Live requests in flight at most."""
    gated: bool = True
    """False: nobody waits for a prefix to be written."""
    polling: Polling
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limit: TimeLimit | None = None
    """The deadline; None: there is none."""
    part: JobPart = WHOLE
    """Of the job, that the session carries out."""
    sharers: Mapping[str, float] = field(default_factory=dict[str, float])
    """Nodes of the run whose requests begin with a prefix, by its key."""
    folder: Path | None = None
    """Where large bodies are kept while they are sent."""
    patient: bool = True
    """Whether others may wait for pilots in a batch; nobody stays to send them after `--detach`."""


def build_carriers(
    sink: Sink,
    api: Api,
    books: Books,
    roles: Roles,
    graphs: Mapping[ArmName, GraphSpec],
    ways: Ways,
    readers: Mapping[tuple[Role, str], Readers],
) -> Carriers:
    """Return the carriers of a session, with what earlier ones have shown.

    Args:
        sink: Who is told how errands end.
        api: The connection.
        books: Where they write.
        roles: Of the run.
        graphs: The graph of each arm.
        ways: How it may send.
        readers: Who reads what a node marks of its row, by role and path.
    """
    depth = max((rounds(graph) for graph in graphs.values()), default=1)

    def leave() -> int:
        carriers.only_live()
        return batches.leave(live.submit)

    live = Live(api, books, sink, slots=ways.slots, policy=ways.policy, gated=ways.gated)
    time_left = None if ways.limit is None else TimeLeft(ways.limit, sink, live, depth)
    batch_rounds = None if time_left is None else Rounds(graphs, time_left.spare_s)
    batches = Batches(
        api,
        books,
        sink,
        roles,
        policy=ways.policy,
        polling=ways.polling,
        ended=_forget if batch_rounds is None else batch_rounds.batch_ended,
        elsewhere=live.submit if ways.channel == "live" else None,
        part=ways.part,
        sharers=ways.sharers,
        rounds=depth,
        folder=ways.folder,
        to_live=leave if ways.channel == "auto" and books.budget.limits.cost is not None else None,
    )
    lengths = dict.fromkeys(roles, Lengths())  # in the order of the graph, whoever is asked first
    for shown in books.journal.outputs(EDITED.of(books.journal)):
        lengths[roles.named(RoleName(shown.arm, shown.agent, shown.model))] = Lengths(shown.answers, shown.tokens)
    row_blocks = RowBlocks(readers, ways.part)
    chooser = Chooser(
        ways.channel, batches.primer, lengths, batch_rounds, patient=ways.patient, row_blocks=row_blocks, part=ways.part
    )  # fmt: skip

    timekeeper = None
    if time_left is not None:
        timekeeper = TimeKeeper(time_left, sink, leave, batches.race, lambda: batches.in_flight)
    carriers = Carriers(live, batches, chooser, timekeeper)
    return carriers


def _forget(seconds: float) -> None:
    """Take no note of how long a batch took: there is no deadline."""
