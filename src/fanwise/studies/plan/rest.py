"""What the rest of a run will cost: the rows and calls that it still owes.

Each row is gone through as a session would, against the answers that the journal has: what was edited and taken back,
or came out as it was, is there though the graph is another than that of the session before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from fanwise.engine.arms import Arm
from fanwise.engine.elsewhere import AnswersElsewhere
from fanwise.engine.rows import Row
from fanwise.engine.sampling import Sampler, sampler
from fanwise.engine.toolbox import list_tools
from fanwise.job.arms import arms_of
from fanwise.job.edits import edits_of
from fanwise.job.manifest import Manifest, draft
from fanwise.job.spec import JobSpec
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.sqlite import empty_book
from fanwise.ledger.forecast import Forecast
from fanwise.ledger.lives import alive_prefixes
from fanwise.ledger.outcomes import has_ended
from fanwise.ledger.rowblocks import alive_row_blocks
from fanwise.ledger.rowchanges import RowsCompared
from fanwise.units import now

from .alike import AlikeTasks
from .drawn import draw_contents
from .forecast import forecast_job
from .replay import RowReplay
from .scale import Owed


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a run."""

    forecast: Forecast
    """Of that alone."""
    rows: int
    """Rows for which something is to be asked."""
    all_rows: int


def rest_of_run(
    db: Book,
    spec: JobSpec,
    rows: int,
    *,
    retry: Collection[str] = (),
    manifest: Manifest | None = None,
    compared: RowsCompared | None = None,
    elsewhere: AnswersElsewhere | None = None,
) -> Rest:
    """Return what the rest of a run will do and cost, without what is kept.

    Args:
        db: Its journal.
        spec: How it goes on.
        rows: Rows to carry out by stand-ins.
        retry: Final failures that are asked again.
        manifest: What the run is as it goes on; None: what it was.
        compared: It is shown every row of the file.
        elsewhere: Answers of other runs; None: none are taken.
    """
    graphs = arms_of(spec.graph, spec.baseline)
    manifest = replace(manifest or Manifest.of(db), spec=spec).with_repeated(graphs["fanout"])
    arms = manifest.arms(graphs, list_tools(graphs.values()))
    edited = frozenset(edits_of(db, arms).arms)
    types = manifest.row_types(graphs["fanout"])
    arms_of_row = sampler(manifest.rows_file, types, spec.sample, spec.limit, arms=tuple(graphs), seed=spec.seed)
    passing = _Passing(
        db=db, arms=arms, arms_of=arms_of_row, edited=edited, retried=bool(retry),
        replay=RowReplay(db, edited, retry, elsewhere), compared=compared, alike=AlikeTasks(arms),
    )  # fmt: skip
    drawn = draw_contents(spec, rows, passing.is_done)
    sample = drawn if drawn.valid else draw_contents(spec, rows)
    owed = Owed(
        rows={arm: passing.owed[arm] for arm in graphs},
        kept=passing.kept,
        perhaps=passing.perhaps,
        alive=alive_prefixes(db, now().timestamp()),
        alive_blocks=alive_row_blocks(db, now().timestamp()),
        alike=passing.alike.by_agent(),
        is_answered=passing.replay.is_answered,
    )
    forecast = forecast_job(spec, sample, channels=(spec.channel,), alternatives=False, owed=owed)
    return Rest(forecast, drawn.valid, drawn.valid + drawn.passed)


def rest_of_new_run(spec: JobSpec, rows: int, elsewhere: AnswersElsewhere) -> Rest:
    """Return what a run will do and cost that takes answers of other runs and has none of its own.

    Args:
        spec: The job.
        rows: Rows to carry out by stand-ins.
        elsewhere: Answers of other runs.
    """
    with empty_book() as db:
        manifest = draft(spec, arms_of(spec.graph, spec.baseline))
        return rest_of_run(db, spec, rows, manifest=manifest, elsewhere=elsewhere)


@dataclass(slots=True, kw_only=True)
class _Passing:
    """Looks at the rows of the file as they pass, and counts what each arm still has to do, and what it has."""

    db: Book
    arms: Mapping[ArmName, Arm]
    arms_of: Sampler
    """Knows the arms on which a session would carry a row out."""
    edited: Collection[ArmName]
    """Arms that are not what they were in the session before: rows that have ended there are looked at again."""
    retried: bool
    """Whether failures are asked again."""
    replay: RowReplay
    compared: RowsCompared | None
    alike: AlikeTasks
    """Counts the tasks that have no answer, and how many of them are equal."""
    owed: Counter[ArmName] = field(default_factory=Counter[ArmName])
    """Rows for which an arm has something to do."""
    kept: Counter[tuple[ArmName, str]] = field(default_factory=Counter[tuple[ArmName, str]])
    """Answers of these rows that are there, by arm and agent."""
    perhaps: Counter[tuple[ArmName, str]] = field(default_factory=Counter[tuple[ArmName, str]])
    """Those that are there if what is asked before them comes out as it was."""

    def is_done(self, row: Row) -> bool:
        """Take a row; returns whether no arm has anything to do for it."""
        if self.compared is not None:
            self.compared.take(row.row_id, row.number, row.hash)
        arms = [arm for arm in self.arms_of(row) if arm in self.edited or not self._has_ended(arm, row)]
        return not sum([self._owes(arm, row) for arm in arms])

    def _owes(self, arm: ArmName, row: Row) -> bool:
        """Count what there is of a row on an arm; returns whether anything is to be asked."""
        answers = self.replay.of(self.arms[arm], row)
        if answers.is_owed:
            self.owed[arm] += 1
            self.kept.update((arm, agent) for agent in answers.kept)
            self.perhaps.update((arm, agent) for agent in answers.perhaps)
            self.alike.take(row, (arm,), partial(self.replay.outcome, self.arms[arm], row))
        return answers.is_owed

    def _has_ended(self, arm: ArmName, row: Row) -> bool:
        return has_ended(self.db, arm, row.row_id, row.hash, with_failures=not self.retried)
