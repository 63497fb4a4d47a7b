"""What the rest of a run will cost: the rows and calls that it still owes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from fanwise.engine.rows import Row
from fanwise.engine.sampling import Sampler, sampler
from fanwise.engine.toolbox import list_tools
from fanwise.job.arms import arms_of
from fanwise.job.edits import asked_again
from fanwise.job.manifest import Manifest
from fanwise.job.spec import JobSpec
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.forecast import Forecast
from fanwise.ledger.lives import alive_prefixes
from fanwise.ledger.outcomes import has_ended
from fanwise.ledger.tasks import kept_answers
from fanwise.units import now

from .drawn import draw_contents
from .forecast import forecast_job
from .price import Owed


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a run."""

    forecast: Forecast
    """Of that alone."""
    rows: int
    """Rows that are not done yet on all their arms, or are asked something again."""
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
    graphs = arms_of(spec.graph, spec.baseline)
    again = asked_again(db, manifest.arms(graphs, list_tools(graphs.values())))
    edited = {arm for arm, _ in again}
    types = manifest.row_types(graphs["fanout"])
    arms_of_row = sampler(manifest.rows_file, types, spec.sample, spec.limit, arms=tuple(graphs), seed=spec.seed)
    passing = _Passing(db=db, arms_of=arms_of_row, edited=edited, retried=retried)
    drawn = draw_contents(spec, rows, passing.is_done)
    sample = drawn if drawn.valid else draw_contents(spec, rows)
    kept: Counter[tuple[ArmName, str]] = Counter()
    for arm in graphs:
        among = None if arm == "fanout" or arms_of_row.chosen is None else passing.sampled
        for (agent, node), count in kept_answers(db, arm, of_ended=arm in edited, among=among).items():
            kept[arm, agent] += 0 if (arm, node) in again else count
    owed = Owed(rows={arm: passing.owed[arm] for arm in graphs}, kept=kept, alive=alive_prefixes(db, now().timestamp()))
    forecast = forecast_job(spec, sample, channels=(spec.channel,), alternatives=False, owed=owed)
    return Rest(forecast, drawn.valid, drawn.valid + drawn.passed)


@dataclass(slots=True, kw_only=True)
class _Passing:
    """Looks at the rows of the file as they pass, and counts those for which each arm still has something to do."""

    db: Book
    arms_of: Sampler
    """Knows the arms on which a session would carry a row out."""
    edited: set[ArmName]
    """Arms of which answers do not hold any more: all of their rows are looked at again."""
    retried: bool
    owed: Counter[ArmName] = field(default_factory=Counter[ArmName])
    """Rows for which an arm has something to do."""
    sampled: list[str] = field(default_factory=list[str])
    """Ids of the rows on which the baseline runs, where that is a sample."""

    def is_done(self, row: Row) -> bool:
        """Take a row; returns whether no arm has anything to do for it."""
        arms = self.arms_of(row)
        if self.arms_of.chosen is not None and len(arms) > 1:
            self.sampled.append(row.row_id)
        left = [arm for arm in arms if arm in self.edited or not self._has_ended(arm, row)]
        self.owed.update(left)
        return not left

    def _has_ended(self, arm: ArmName, row: Row) -> bool:
        return has_ended(self.db, arm, row.row_id, row.hash, failed_too=not self.retried)
