"""What the rest of a run will cost: the rows and calls that it still owes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from fanwise.engine.toolbox import list_tools
from fanwise.job.edits import asked_again
from fanwise.job.manifest import Manifest
from fanwise.job.spec import JobSpec
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.forecast import Forecast
from fanwise.ledger.outcomes import ended_rows
from fanwise.ledger.tasks import kept_answers

from .drawn import Drawn, draw_contents
from .forecast import forecast_job
from .price import Owed


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a run."""

    forecast: Forecast
    """Of that alone."""
    rows: int
    """Rows of the fan-out that are not done yet, or are asked something again."""
    all_rows: int


def rest_of_run(db: Book, spec: JobSpec, rows: int, *, retried: bool) -> Rest:
    """Return what the rest of a run will do and cost, without what is kept.

    Args:
        db: Its journal.
        spec: How it goes on.
        rows: Rows to carry out by stand-ins.
        retried: Whether rows that failed are asked again.
    """
    manifest = replace(Manifest.of(db), spec=spec)
    graphs = manifest.graphs()
    again = asked_again(db, manifest.arms(graphs, list_tools(graphs.values())))
    ended = {} if again else {arm: sum(1 for _ in ended_rows(db, arm, failed_too=not retried)) for arm in graphs}
    passed = iter(()) if again else ended_rows(db, "fanout", failed_too=not retried)
    drawn = draw_contents(spec, rows, _PassedOver(passed).has)
    all_rows, sample = drawn.valid + drawn.passed, drawn
    if not drawn.valid:
        sample = draw_contents(spec, rows)
    answers = kept_answers(db, of_ended=bool(again))
    kept = {(arm, agent): 0 for arm, agent, _ in answers}
    for (arm, agent, node), count in answers.items():
        kept[arm, agent] += 0 if (arm, node) in again else count
    owed = Owed(rows=_owed_rows(graphs, spec, drawn, ended), kept=kept)
    forecast = forecast_job(spec, sample, channels=(spec.channel,), alternatives=False, owed=owed)
    return Rest(forecast, drawn.valid, all_rows)


def _owed_rows(
    graphs: Collection[ArmName], spec: JobSpec, drawn: Drawn, ended: Mapping[ArmName, int]
) -> dict[ArmName, int]:
    """Return for how many rows each arm still has something to do."""
    all_rows = drawn.valid + drawn.passed
    owed = {arm: all_rows if arm == "fanout" else min(spec.sample or all_rows, all_rows) for arm in graphs}
    return {arm: drawn.valid if arm == "fanout" else max(owed[arm] - ended.get(arm, 0), 0) for arm in graphs}


class _PassedOver:
    """Knows which rows have ended; they are asked for in their order, so that memory does not grow with them."""

    def __init__(self, ended: Iterator[int]) -> None:
        self._ended = ended
        self._next = next(ended, None)

    def has(self, number: int) -> bool:
        """Return whether a row has ended; never asked for one before the last."""
        while self._next is not None and self._next < number:
            self._next = next(self._ended, None)
        return self._next == number
