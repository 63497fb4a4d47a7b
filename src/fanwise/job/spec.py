"""What a job is: a graph over rows, and how it is run. One record, which checks itself and names all mistakes at once.

The command line has its options from the same fields: what a field may hold, its help and its name there
stand beside its type.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from pydantic import BaseModel

from fanwise.context.layout import Schemas
from fanwise.dispatch.channel import ChannelChoice
from fanwise.dispatch.deadline import seconds
from fanwise.engine.rows import Format
from fanwise.errors import Mistake, SpecError
from fanwise.graph.graphs import Graph
from fanwise.units import PICO_PER_USD, pico_from_usd

Dollars = str | int | Decimal
"""An amount of dollars; as a float it would not be exact."""
DOLLARS_HINT = "write it as text, like '2.50'"
Scope = Literal["job", "run", "session", "once"]
"""What a field holds for. `job`: it says what is run, and the manifest of a run has its own word for it. `run`: it is
chosen when a run begins. `session`: a resumed run takes it over, and may be given another. `once`: it holds for one
session and is not taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """What a field of a job may hold beside its type, and how it is given on the command line."""

    scope: Scope = "session"
    help: str = ""
    """Of its option; empty where the command line has none."""
    option: str | None = None
    """Name of its option where that is not the field's own."""
    metavar: str | None = None
    shows_default: bool = True
    """Whether the help says the default, where there is one."""
    at_least: int | None = None
    at_most: int | None = None
    check: Callable[[Any], None] | None = None
    """Raises a ValueError that says what is wrong and, behind a semicolon, what to write."""
    hint: str = ""
    """What to write instead; empty: that it may be left out."""


LONGEST_S = 366 * 24 * 3600
"""No run is longer, in seconds."""
WEEK_S = 7 * 24 * 3600
MOST_ROWS = 10**12
MOST_USD = (2**63 - 1) // PICO_PER_USD
"""Dollars that a journal can count: sums of picodollars are whole numbers of 64 bits there."""


def _dollars(value: Any) -> None:
    pico = pico_from_usd(str(value))
    if not pico:
        raise ValueError(f"{str(value)!r} pays for nothing; write more, like '2.50', or leave it out for no budget")
    if pico > MOST_USD * PICO_PER_USD:
        raise ValueError(f"{str(value)!r} is more than any run can cost; write at most '{MOST_USD}', or leave it out")


def _duration(value: str) -> None:
    if not seconds(value) <= LONGEST_S:
        raise ValueError(f"{value!r} is longer than any run; write it like 90s, 30m, 6h or 1d")


def _reference(value: Any) -> None:
    if isinstance(value, str) and not all(value.rpartition(":")[::2]):
        raise ValueError(f"{value!r} names no graph; write path/file.py:name or package.module:name")


def _baseline(value: str) -> None:
    if value not in ("none", "auto", "auto:thinking") and not all(value.rpartition(":")[::2]):
        raise ValueError(
            f"{value!r} is no baseline; write auto, auto:thinking, none, path/file.py:name or package.module:name"
        )


def _rows(value: object) -> None:
    kind = type(value).__name__
    if isinstance(value, str | Path):
        _path(value)
    elif isinstance(value, bytes | bytearray | memoryview):
        raise ValueError(f"{kind} are no rows; write them to a file, or give models or dicts")
    elif isinstance(value, Mapping | BaseModel):
        raise ValueError(f"a {kind} is one row; put it into a list")


def _path(value: str | Path) -> None:
    if not str(value) or "\0" in str(value):
        raise ValueError(f"{value!r} is no path")


def _address(value: str) -> None:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{value!r} is no address: {error}; write it like http://127.0.0.1:8000") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{value!r} is no address; write it like http://127.0.0.1:8000")


def _field_name(value: str) -> None:
    if not value.strip():
        raise ValueError(f"{value!r} names no field; leave it out for `id`, else the line number")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """A job: a graph over rows, and how it is run.

    Raises:
        SpecError: Values are wrong; all of them are named at once, each with what to do.
    """

    graph: Annotated[Graph[..., Any] | str, FieldRule(scope="job", check=_reference)]
    """A graph, or its reference: `path/file.py:name`, `package.module:name`."""
    rows: Annotated[
        str | Path | Iterable[Any],
        FieldRule(scope="job", help="JSONL, CSV or Parquet; `-` is standard input.", metavar="FILE", check=_rows),
    ] = field(repr=False)
    """A file, `-` for standard input, or rows as models or dicts."""
    out: Annotated[
        str | Path | None,
        FieldRule(
            scope="job",
            help="The run directory; must not hold another run.",
            metavar="DIR",
            check=_path,
            hint="name the run directory",
        ),
    ] = None
    """None for a job that is only planned."""
    format: Annotated[
        Format | None, FieldRule(scope="job", help="Format of the rows where the name does not say it.")
    ] = None
    baseline: Annotated[
        str,
        FieldRule(
            scope="run",
            help="The single agent to compare with.",
            metavar="auto|auto:thinking|GRAPH|none",
            check=_baseline,
        ),
    ] = "none"
    """`none`, `auto` (one agent made from the fan-out), `auto:thinking` (with room to think), or the reference of a
    graph."""
    sample: Annotated[
        int | None, FieldRule(scope="run", help="Run the baseline on so many rows, drawn at random.", at_least=1)
    ] = None
    """Drawn by a hash of their id; None: all rows."""
    seed: Annotated[int, FieldRule(scope="run", help="Of that sample: another one draws other rows.")] = 0
    limit: Annotated[
        int | None,
        FieldRule(scope="run", help="Take only so many rows from the front.", at_least=1, at_most=MOST_ROWS),
    ] = None
    id_field: Annotated[
        str | None,
        FieldRule(
            scope="run",
            help="Field with the row's id. [default: id, else the line number]",
            option="--id",
            metavar="FIELD",
            check=_field_name,
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
            check=_dollars,
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
            check=_dollars,
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
            check=_duration,
        ),
    ] = None
    """From the first session on: `90s`, `30m`, `6h`, `1d`."""
    pay_twice_for_deadline: Annotated[
        bool,
        FieldRule(help="Near the deadline send live what cancelled batches have not given back; may be paid twice."),
    ] = False
    base_url: Annotated[
        str | None,
        FieldRule(
            help="Another server than api.anthropic.com, such as `fanwise emulate`.", metavar="URL", check=_address
        ),
    ] = None
    slots: Annotated[int, FieldRule(help="Live requests in flight.", at_least=1, at_most=4096)] = 32
    schemas: Annotated[
        Schemas, FieldRule(help="Whether agents with different schemas share a cache; auto by price.")
    ] = "auto"
    """How schemas travel where strict ones would split a shared cache: `strict`, `shared`, or by price."""
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
        mistakes = [
            mistake for part in spec_fields() if (mistake := part.mistake(getattr(self, part.name))) is not None
        ]
        if mistakes:
            raise SpecError(tuple(mistakes))

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
        chosen = {name: value for name, value in changes.items() if value is not None}
        what_is_run = {part.name for part in spec_fields() if part.rule.scope == "job"}
        mistakes = [
            Mistake(name, "a run that goes on keeps it", "start another run for another")
            for name in chosen
            if name in what_is_run
        ]
        if mistakes:
            raise SpecError(tuple(mistakes))
        return replace(self, **chosen)

    def data(self) -> dict[str, Any]:
        """Return, as JSON-ready data, what a resumed run takes over."""
        kept = {part.name: getattr(self, part.name) for part in spec_fields() if part.rule.scope in ("run", "session")}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in kept.items()}


# What its fields may hold -------------------------------------------------------------------------

WORDS: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "True or False",
    Path: "a path",
    Decimal: "a decimal",
    Graph: "a graph",
    Iterable: "rows as models or dicts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecField:
    """A field of `JobSpec`, as it is read from its annotation."""

    name: str
    rule: FieldRule
    default: Any
    """`dataclasses.MISSING` where it must be given."""
    choices: tuple[str, ...]
    """Of a field that is one of some words; empty for others."""
    accepted: tuple[type, ...]
    """Classes of its values, None apart."""
    optional: bool
    """Whether it may be None."""

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return self.rule.option or f"--{self.name.replace('_', '-')}"

    @property
    def help(self) -> str:
        """What it is for, with its default."""
        if not self.rule.shows_default or self.default is None or isinstance(self.default, bool):
            return self.rule.help
        default = f"{self.default:g}" if isinstance(self.default, float) else self.default
        return self.rule.help if self.default is MISSING else f"{self.rule.help} [default: {default}]"

    def mistake(self, value: Any) -> Mistake | None:
        """Return what is wrong with a value and what to write instead; None where nothing is."""
        if value is None and self.optional:
            return None
        if self.choices:
            return self._choice(value)
        if not self._fits(value):
            return Mistake(self.name, f"{value!r} is not {self._expected()}", self._remedy())
        try:
            if self.rule.check is not None:
                self.rule.check(value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            return Mistake(self.name, message, hint or self._remedy())
        return None

    def _choice(self, value: Any) -> Mistake | None:
        if isinstance(value, str) and value in self.choices:
            return None
        near = get_close_matches(str(value), self.choices, 1)
        hint = f"did you mean {near[0]!r}?" if near else self._remedy()
        return Mistake(self.name, f"{value!r} is not one of {', '.join(self.choices)}", hint)

    def _fits(self, value: Any) -> bool:
        """Return whether a value is of the field's type and between its bounds."""
        if isinstance(value, bool) and bool not in self.accepted:  # a bool is an int to Python, and to nobody else
            return False
        if not isinstance(value, (*self.accepted, int) if float in self.accepted else self.accepted):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
        low, high = self.rule.at_least, self.rule.at_most
        return (low is None or value >= low) and (high is None or value <= high)

    def _expected(self) -> str:
        """Return in words what the field may hold."""
        words = " or ".join(WORDS.get(accepted, accepted.__name__) for accepted in self.accepted)
        low, high = self.rule.at_least, self.rule.at_most
        if high is not None:
            return f"{words} from {low} to {high}"
        return words if low is None else f"{words}, {low} or more"

    def _remedy(self) -> str:
        """Return in words what to do about a value that is wrong."""
        if self.rule.hint:
            return self.rule.hint
        if self.default is MISSING:
            return f"give {self._expected()}"
        return "leave it out" if self.default is None else f"leave it out for {self.default!r}"


@lru_cache(maxsize=1)
def spec_fields() -> tuple[SpecField, ...]:
    """Return the fields of `JobSpec`, in order."""
    hints = get_type_hints(JobSpec, include_extras=True)
    return tuple(_spec_field(part.name, hints[part.name], part.default) for part in fields(JobSpec))


def _spec_field(name: str, hint: Any, default: Any) -> SpecField:
    inner, rule = get_args(hint)
    parts = get_args(inner) if get_origin(inner) in (Union, types.UnionType) else (inner,)
    choices = [choice for part in parts if get_origin(part) is Literal for choice in get_args(part)]
    return SpecField(
        name=name,
        rule=rule,
        default=default,
        choices=tuple(choices),
        accepted=tuple(get_origin(part) or part for part in parts if part is not types.NoneType),
        optional=types.NoneType in parts,
    )
