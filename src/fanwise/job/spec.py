"""What a job is: a graph over rows, and how it is run. One record, which checks itself and names all mistakes at once.

The command line has its options from the same fields: what a field may hold, its help and its name there
stand beside its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from fanwise.context.layout import Schemas
from fanwise.dispatch.channel import ChannelChoice
from fanwise.engine.encodings import check_encoding
from fanwise.engine.records import Format
from fanwise.errors import Mistake, SpecError
from fanwise.graph.graphs import Graph
from fanwise.paths import fixed, fixed_reference
from fanwise.units import pico_from_usd

from .checks import (
    DOLLARS_HINT,
    MOST_ROWS,
    WEEK_S,
    Dollars,
    check_address,
    check_baseline,
    check_dollars,
    check_duration,
    check_field_name,
    check_path,
    check_paths,
    check_reference,
    check_rows,
)  # fmt: skip
from .fields import FieldRule, SpecField, field_of

GRAPH_HINT = "name it like path/file.py:name or package.module:name"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job: a graph over rows, and how it is run. Paths are seen from the working directory as it is now.

    Raises:
        SpecError: Values are wrong; all of them are named at once, each with what to do.
    """

    graph: Annotated[Graph[..., Any] | str, FieldRule(scope="job", check=check_reference, hint=GRAPH_HINT)]
    """A graph, or its reference: `path/file.py:name`, `package.module:name`."""
    rows: Annotated[
        str | Path | Iterable[Any],
        FieldRule(
            scope="job",
            help="JSONL, CSV or Parquet; `-` is standard input.",
            metavar="FILE",
            check=check_rows,
            hint="name a JSONL, CSV or Parquet file",
        ),
    ] = field(repr=False)
    """A file, `-` for standard input, or rows as models or dicts."""
    out: Annotated[
        str | Path | None,
        FieldRule(
            scope="job",
            help="The run directory; must not hold another run.",
            metavar="DIR",
            check=check_path,
            hint="name the run directory",
        ),
    ] = None
    """None for a job that is only planned."""
    format: Annotated[
        Format | None, FieldRule(scope="job", help="Format of the rows where the name does not say it.")
    ] = None
    encoding: Annotated[
        str | None,
        FieldRule(
            scope="stays",
            help="Encoding of the rows. [default: by the byte order mark, else utf-8]",
            metavar="NAME",
            check=check_encoding,
        ),
    ] = None
    """None: what the byte order mark of the file says, else UTF-8."""
    baseline: Annotated[
        str,
        FieldRule(
            scope="stays",
            help="The single agent to compare with.",
            metavar="auto|auto:thinking|GRAPH|none",
            check=check_baseline,
        ),
    ] = "none"
    """`none`, `auto` (one agent made from the fan-out), `auto:thinking` (with room to think), or the reference of a
    graph."""
    sample: Annotated[
        int | None, FieldRule(scope="stays", help="Run the baseline on so many rows, drawn at random.", at_least=1)
    ] = None
    """Drawn by a hash of their id; None: all rows."""
    seed: Annotated[int, FieldRule(scope="stays", help="Of that sample: another one draws other rows.")] = 0
    limit: Annotated[
        int | None,
        FieldRule(scope="run", help="Take only so many rows from the front.", at_least=1, at_most=MOST_ROWS),
    ] = None
    id_field: Annotated[
        str | None,
        FieldRule(
            scope="stays",
            help='Field with the row\'s id. [default: id, else "row" and the line number]',
            option="--id",
            metavar="FIELD",
            check=check_field_name,
        ),
    ] = None
    """None: `id` where there is one, else the line number."""
    channel: Annotated[ChannelChoice, FieldRule(help="How requests travel; auto takes the cheaper one per task.")] = (
        "auto"
    )
    budget_usd: Annotated[
        Dollars | None,
        FieldRule(
            help="Most that the run may cost in all, in dollars; it halts before that.",
            metavar="X",
            check=check_dollars,
            hint=DOLLARS_HINT,
        ),
    ] = None
    """Over all sessions."""
    budget_tokens: Annotated[
        int | None,
        FieldRule(help="Most tokens that the run may take in all, cached or not; it halts before that.", at_least=1),
    ] = None
    """Input and output."""
    row_budget_usd: Annotated[
        Dollars | None,
        FieldRule(
            help="Most that one row may cost; what does not fit any more fails, and the run goes on.",
            metavar="X",
            check=check_dollars,
            hint=DOLLARS_HINT,
        ),
    ] = None
    """On both arms together."""
    row_budget_tokens: Annotated[int | None, FieldRule(help="The same, in tokens of a row.", at_least=1)] = None
    deadline: Annotated[
        str | None,
        FieldRule(
            help="When the run should have ended, such as 90m or 6h: batches are left for live calls in time.",
            metavar="TIME",
            check=check_duration,
        ),
    ] = None
    """From the first session on, and from each sync on: `90s`, `30m`, `6h`, `1d`."""
    pay_twice_for_deadline: Annotated[
        bool,
        FieldRule(help="Near the deadline send live what cancelled batches have not given back; may be paid twice."),
    ] = False
    give_up_after: Annotated[
        str,
        FieldRule(
            help="How long an outage may last before the run halts, such as 30m or 6h; until then no row fails by it.",
            metavar="TIME",
            check=check_duration,
        ),
    ] = "1h"
    base_url: Annotated[
        str | None,
        FieldRule(
            help="Another server than api.anthropic.com, such as `fanwise emulate`.", metavar="URL", check=check_address
        ),
    ] = None
    slots: Annotated[int, FieldRule(help="Live requests in flight.", at_least=1, at_most=4096)] = 32
    schemas: Annotated[
        Schemas, FieldRule(help="Whether agents with different schemas share a cache; auto by price.")
    ] = "auto"
    """How schemas travel where strict ones would split a shared cache: `strict`, `shared`, or by price."""
    reuse: Annotated[
        bool,
        FieldRule(
            option="--reuse-equal/--no-reuse",
            help="Whether equal tasks, of whatever rows, are one call that serves all of them. [default: reuse]",
        ),
    ] = True
    """Of agents that allow it: see `@agent(reuse=...)`."""
    reuse_from: Annotated[
        Sequence[str | Path] | None,
        FieldRule(
            scope="once",
            option="--reuse",
            help="Take answers to equal tasks out of this run directory, as often as given; they cost nothing here.",
            metavar="DIR",
            check=check_paths,
            hint="give a list of run directories",
        ),
    ] = None
    """Run directories; None: no answers of other runs are taken."""
    grace_s: Annotated[
        float,
        FieldRule(
            scope="once",
            help="Seconds after which a batch that is not listed was never taken.",
            at_least=0,
            at_most=WEEK_S,
        ),
    ] = 120.0
    batch_delay_s: Annotated[
        float,
        FieldRule(
            scope="once",
            help="Seconds that the embedded emulator takes for a batch.",
            at_least=0,
            at_most=WEEK_S,
            shows_default=False,
        ),
    ] = 0.0
    latency_s: Annotated[
        float,
        FieldRule(
            scope="once",
            help="Seconds that the embedded emulator takes for a reply.",
            at_least=0,
            at_most=WEEK_S,
            shows_default=False,
        ),
    ] = 0.0
    gate: Annotated[bool, FieldRule(scope="once")] = True
    """False: live calls do not wait for the first writer of a prefix; to see what that costs."""

    def __post_init__(self) -> None:
        mistakes = mistakes_in({part.name: getattr(self, part.name) for part in spec_fields()})
        if mistakes:
            raise SpecError(tuple(mistakes))
        for name, value in self._fixed().items():
            object.__setattr__(self, name, value)

    def _fixed(self) -> dict[str, Any]:
        """Return the fields that name files, as they hold wherever users' code leads this process."""
        values: dict[str, Any] = {"baseline": fixed_reference(self.baseline)}
        if isinstance(self.graph, str):
            values["graph"] = fixed_reference(self.graph)
        if isinstance(self.rows, str | Path) and str(self.rows) != "-":
            values["rows"] = fixed(self.rows)
        if self.out is not None:
            values["out"] = fixed(self.out)
        if self.reuse_from is not None:
            values["reuse_from"] = tuple(map(fixed, self.reuse_from))
        return values

    @classmethod
    def of(cls, **values: Any) -> JobSpec:
        """Return the job that values describe.

        Args:
            **values: By names that a caller may have misspelt.

        Raises:
            SpecError: Values or names are wrong; all of them are named at once.
        """
        mistakes = mistakes_in(values)
        if mistakes:
            raise SpecError(mistakes)
        return cls(**values)

    @property
    def rows_file(self) -> Path | None:
        """The file with the rows; None where they come from standard input or from code."""
        return Path(self.rows) if isinstance(self.rows, str | Path) and str(self.rows) != "-" else None

    @property
    def budget_pico(self) -> int | None:
        """Most that the run may cost in all its sessions, in picodollars."""
        return None if self.budget_usd is None else pico_from_usd(str(self.budget_usd))

    @property
    def row_budget_pico(self) -> int | None:
        """Most that one row may cost, in picodollars."""
        return None if self.row_budget_usd is None else pico_from_usd(str(self.row_budget_usd))

    def resumed(self, **changes: Any) -> JobSpec:
        """Return it with what a session is given instead; None stands for what was chosen before.

        Raises:
            SpecError: A value is wrong, or says what is run: that cannot change.
        """
        mistakes = mistakes_in_changes(changes)
        if mistakes:
            raise SpecError(mistakes)
        return replace(self, **{name: value for name, value in changes.items() if value is not None})

    def kept(self, session: JobSpec) -> JobSpec:
        """Return it with what stays of how a session has gone on: the sessions after it take that over."""
        stay = {part.name: getattr(session, part.name) for part in spec_fields() if part.rule.scope == "stays"}
        return replace(self, **stay)

    def data(self) -> dict[str, Any]:
        """Return, as JSON-ready data, what a resumed run takes over."""
        scopes = ("run", "stays", "session")
        kept = {part.name: getattr(self, part.name) for part in spec_fields() if part.rule.scope in scopes}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in kept.items()}


@lru_cache(maxsize=1)
def spec_fields() -> tuple[SpecField, ...]:
    """Return the fields of `JobSpec`, in order."""
    hints = get_type_hints(JobSpec, include_extras=True)
    return tuple(field_of(part.name, hints[part.name], part.default) for part in fields(JobSpec))


def mistakes_in(values: Mapping[str, Any]) -> tuple[Mistake, ...]:
    """Return what is wrong with some fields of a job: their values, and names that no field has."""
    parts = {part.name: part for part in spec_fields()}
    wrong = (
        _no_field(name) if name not in parts else parts[name].mistake(value) for name, value in values.items()
    )  # fmt: skip
    return tuple(mistake for mistake in wrong if mistake is not None)


def mistakes_in_changes(changes: Mapping[str, Any]) -> tuple[Mistake, ...]:
    """Return what is wrong with what a session of a run is given instead; None stands for what was chosen before."""
    kept = {part.name for part in spec_fields() if part.rule.scope == "job"}
    mistakes: list[Mistake] = []
    for name, value in changes.items():
        if value is None:
            continue
        if name in kept:
            mistakes.append(Mistake(name, "a run that goes on keeps it", "start another run for another"))
        else:
            mistakes += mistakes_in({name: value})
    return tuple(mistakes)


def _no_field(name: str) -> Mistake:
    names = [part.name for part in spec_fields()]
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
    return Mistake(name, "a job has no such field", hint)
