"""What a journal keeps of its run beside the records: the keys of the table `meta`, each with its type.

The one module that knows them; every value is kept as JSON. What a run *is* stands under one key
(`job.manifest` makes a record of it), how it *stands* under the others, which a session replaces as
it goes on. A value is read from a journal, or from a plain connection to the file of one.
"""

from __future__ import annotations

import builtins
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Any, Generic, Protocol, TypedDict, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

from fanwise.canonical import digest
from fanwise.errors import RunDirectoryError
from fanwise.jsonable import as_list, as_object

T = TypeVar("T")
MOST = 10**15
"""Beyond any number that a run keeps."""


class MetaReader(Protocol):
    """The part of a journal that has a text under a key."""

    def meta(self, key: str) -> str | None: ...


class MetaStore(MetaReader, Protocol):
    """The part of a journal that keeps a text under a key."""

    def set_meta(self, key: str, value: str) -> None: ...


Source = MetaReader | sqlite3.Connection


def _fits(value: object, shape: Any) -> bool:
    """Return whether JSON has a type: a class, a list, a dict by texts, a record of fields, or one of several."""
    if shape is Any:
        return True
    if isinstance(shape, UnionType):
        return any(_fits(value, part) for part in get_args(shape))
    parts: tuple[Any, ...] = get_args(shape)
    match get_origin(shape) or shape:
        case builtins.list:
            return as_list(value) == value and all(_fits(item, parts[0]) for item in as_list(value))
        case builtins.dict:
            return as_object(value) == value and all(_fits(item, parts[1]) for item in as_object(value).values())
        case builtins.tuple:  # as JSON has it
            items = as_list(value)
            return len(items) == len(parts) and all(map(_fits, items, parts))
        case builtins.float:
            return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST
        case builtins.int:
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST
        case kind if is_typeddict(kind):
            fields = get_type_hints(kind)
            return as_object(value) == value and all(_fits(as_object(value).get(name), fields[name]) for name in fields)
        case kind:
            return isinstance(value, kind)


@dataclass(frozen=True, slots=True)
class MetaKey(Generic[T]):
    """One key of `meta`."""

    name: str
    empty: Callable[[], T]
    """Makes the value of a run that has not kept one."""
    shape: Any = None
    """Type of its values, as `_fits` reads it; None: what `empty` makes."""

    def of(self, source: Source) -> T:
        """Return the value that a journal has under this key.

        Raises:
            RunDirectoryError: It is damaged.
        """
        if isinstance(source, sqlite3.Connection):
            # By position: a caller may have set any row factory.
            row = source.execute("SELECT value FROM meta WHERE key=?", (self.name,)).fetchone()
            text = None if row is None else row[0]
        else:
            text = source.meta(self.name)
        if text is None:
            return self.empty()
        try:
            value = json.loads(text)
        except (ValueError, TypeError) as error:
            raise self.damaged(str(error)) from None
        except RecursionError:
            raise self.damaged("it is nested too deeply") from None
        shape = self.shape or self.empty
        if not _fits(value, shape):
            is_object = (get_origin(shape) or shape) is dict and not isinstance(value, dict)
            raise self.damaged("it is no object" if is_object else "it holds what no run keeps there")
        return value

    def damaged(self, what: str) -> RunDirectoryError:
        """Return the error that the value is damaged: what is wrong with it, and what to do."""
        return RunDirectoryError(
            f"the journal's {self.name} is damaged ({what}): the run cannot go on; take the directory from a copy"
        )

    def keep(self, journal: MetaStore, value: T) -> None:
        """Replace the value in a journal, at once."""
        journal.set_meta(self.name, json.dumps(value, ensure_ascii=False))


class TakenFrom(TypedDict):
    """A run of whose answers some were taken."""

    directory: str
    """Where it was, absolute."""
    run_id: str


class Deadline(TypedDict):
    """When a run should have ended."""

    after: str
    """The length of time that was asked for, as it was written."""
    at: float
    """The moment, in seconds since 1970."""


def _nothing() -> None:
    return None


# What a run is ------------------------------------------------------------------------------------

MANIFEST = MetaKey("manifest", dict[str, Any])
"""What `job.manifest.Manifest` keeps; empty before a run has begun."""


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """What an account calls a run; every field is None before the run has begun."""

    run_id: str | None
    graph: str | None
    """Reference of its graph."""
    created: str | None
    """When it began, in ISO 8601."""

    @classmethod
    def of(cls, source: Source) -> RunOrigin:
        """Return the origin of the run that a journal is of.

        Raises:
            RunDirectoryError: What it has kept of it is damaged.
        """
        manifest = MANIFEST.of(source)
        names = ("run_id", "graph", "created")
        for name in names:
            if not isinstance(manifest.get(name), str | None):
                raise MANIFEST.damaged(f"its {name} is no text")
        return cls(*(manifest.get(name) for name in names))


def check_begun(source: Source) -> None:
    """Check that a journal is of a run that has begun.

    Raises:
        RunDirectoryError: It never did, or what was kept of it is damaged.
    """
    if not MANIFEST.of(source):
        raise RunDirectoryError("the directory holds a run that never began; remove it and run again")
    if RunOrigin.of(source).run_id is None:
        raise MANIFEST.damaged("it has no 'run_id'")


def place_in_draw(word: str, row_id: str) -> str:
    """Return the hash by which a row is drawn: those of the least are in the sample."""
    return digest(f"{word} {row_id}")


# How it stands ------------------------------------------------------------------------------------

OFFLINE: MetaKey[bool | None] = MetaKey("offline", _nothing, bool | None)
"""Whether stand-ins answer for the models; None before anybody has answered."""
HALTED = MetaKey("halted", str)
"""Why the last session was stopped before its end; empty where it was not."""
NOTES = MetaKey("notes", list[str])
"""What the sessions had to say, one sentence each."""
CHOICES = MetaKey("choices", list[dict[str, Any]])
"""Why calls took their channels, by arm, agent and model, counted over all sessions."""
MODELLED: MetaKey[dict[str, Any] | None] = MetaKey("modelled", _nothing, dict[str, Any] | None)
"""The multiplier against one agent that was not asked; None where it could not be composed."""
OWN_BASELINE = MetaKey("own_baseline", bool)
"""Whether the attempts of the fan-out are the single agent's too: the graph has one agent, and no other was asked."""
DEADLINE: MetaKey[Deadline | None] = MetaKey("deadline", _nothing, Deadline | None)
"""When the run should have ended; None where it may take its time."""
TAKEN_FROM: MetaKey[list[TakenFrom]] = MetaKey("taken_from", list[TakenFrom])
"""Runs of whose answers some were taken, each known to `attempts.taken` by its place, from 1."""
JOB_ROWS = MetaKey("job_rows", int)
"""Valid rows of the whole job, where a session carries out a sample of it; 0: the job is the rows that are taken."""
ROWS_FILE = MetaKey("rows_file", dict[str, Any])
"""Size in bytes and SHA-256 of the rows file as the last session found it; empty before one has."""
PRIMED = MetaKey("primed", dict[str, float])
"""By key of a prefix that batches have written: until when it lives, in seconds since 1970."""
SAMPLED = MetaKey("sampled", str)
"""A hash of the rows on which the last session asked the baseline; empty where these are all."""
DRAWN = MetaKey("drawn", dict[str, str])
"""How these rows are known: `word`, what is hashed before the id of a row, and `last`, the greatest hash that was
drawn; empty where these are all."""
SHOWN_BY = MetaKey("shown_by", dict[str, dict[str, list[float]]])
"""By arm that is asked for a sample of the rows, and by number of a row in it: what it shows of its row, as a number
that rows of one content share, how many rows of the job show that, and its share of the row's blocks. Empty where
rows repeat no block, or none is a sample."""
STATICS = MetaKey("nodes", dict[str, str])
"""By arm and node the hash of what shapes its answers: what was edited since is seen by it."""
EDITED = MetaKey("edited", dict[str, float])
"""By arm and agent the moment since which it is as it is, in seconds since 1970, where it was edited."""
WAYS = MetaKey("ways", dict[str, str])
"""By arm and node in which way the last session told its requests the form of their answers."""
OPEN_WAYS = MetaKey("open_ways", dict[str, dict[str, str]])
"""The same by the intent of a batch that an earlier session has left open, where it was another way."""
OPEN_STATICS = MetaKey("open_nodes", dict[str, dict[str, str]])
"""By the intent of such a batch what `STATICS` has, where any node was another."""

# What its graphs looked like, for the account and for a comparison with another run -----------------

SLICES = MetaKey("slices", dict[str, dict[str, list[str]]])
"""By arm and agent the names of the fields and blocks that it is shown: on every model the same."""
AGENTS = MetaKey("agents", dict[str, dict[str, dict[str, Any]]])
"""By arm and agent what shapes its requests; texts by hash."""
WITHOUT = "without"
"""Of an agent there: the tools that its file names and that it runs without; where there are none, nothing."""
BLOCKS = MetaKey("blocks", dict[str, list[tuple[str, int]]])
"""By key the blocks that the requests of a node have in common, of all sessions: of each its hash and characters."""
BLOCKS_BEHIND = MetaKey("blocks_behind", dict[str, int])
"""By the same key how many of them, from the end, stand behind the blocks of the row; not those of which none do."""
LAYOUTS = MetaKey("layouts", dict[str, dict[str, list[str]]])
"""By arm and agent the keys of the blocks that its nodes' requests have in common, in the last session."""
OUTPUT: MetaKey[Any] = MetaKey("output", _nothing, Any)
"""What of the type of the outputs says which are equal, as `graph.likeness` has it; None: nothing beyond their JSON."""
TASKS = MetaKey("tasks", dict[str, dict[str, Any]])
"""By arm the tasks and what travels between them."""
