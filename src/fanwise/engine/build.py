"""An engine with its carriers, from what a session has at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fanwise.api.client import Api
from fanwise.dispatch.books import Books
from fanwise.dispatch.build import Ways, build_carriers
from fanwise.dispatch.carrier import Sink
from fanwise.dispatch.carriers import Carriers
from fanwise.dispatch.prefixes import sharers
from fanwise.dispatch.role import Roles
from fanwise.journal.records import ArmName

from .arms import Arm, all_roles
from .elsewhere import AnswersElsewhere
from .readers import row_readers
from .rows import Row, RowTypes
from .run import Engine
from .settings import Settings


def build_engine(
    arms: Mapping[ArmName, Arm],
    api: Api,
    books: Books,
    types: RowTypes,
    *,
    arms_of: Callable[[Row], tuple[ArmName, ...]],
    settings: Settings,
    ways: Ways,
    elsewhere: AnswersElsewhere | None = None,
) -> Engine:
    """Return an engine with its carriers; nothing is sent yet.

    Args:
        arms: By name, the one whose rows a display counts first.
        api: The connection.
        books: Where all is written down.
        types: Validates records.
        arms_of: Gives the arms on which a row runs.
        settings: Bounds of the session.
        ways: How it may send.
        elsewhere: Answers of other runs; None: there are none.
    """
    roles = Roles(all_roles(arms.values()))
    graphs = {name: arm.graph for name, arm in arms.items()}
    ways = replace(ways, sharers=sharers([node.composer.shared() for arm in arms.values() for node in arm.agents()]))
    readers = row_readers(arms.values())

    def carry(sink: Sink) -> Carriers:
        return build_carriers(sink, api, books, roles, graphs, ways, readers)

    return Engine(
        arms=arms, books=books, types=types, settings=settings, arms_of=arms_of, carry=carry, elsewhere=elsewhere
    )  # fmt: skip
