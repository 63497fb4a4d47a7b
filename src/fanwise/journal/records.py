"""The records of a journal.

An attempt is an intent, durable before anything is sent, with the asks that it serves, and an end. Nothing in
them is a request's text: `show` renders a request again and checks it against `request_hash`.

Records are given by name and never changed. Those that every request makes are no frozen dataclasses, since
these take three times as long to make; small ones are tuples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fanwise.pricing.usage import Usage
from fanwise.quick import maker

NO_TOKENS = Usage()
ArmName = str
"""Name of an arm, one of the graphs that carry out the same rows: `fanout`, `baseline`, or another."""
Channel = Literal["live", "batch"]
AttemptStatus = Literal["succeeded", "failed", "lost"]
"""`lost`: the request may have been taken and billed, its reply never came."""
Why = Literal["first", "retry", "repair", "longer", "tools", "warm", "pilot", "alone"]
REASONS: Mapping[Why, str] = {
    "first": "the first request of its tasks",
    "retry": "the attempt before failed, was lost, or is not waited for any more",
    "repair": "the answer before could not be used, and the model is told why",
    "longer": "the answer before was cut off, and may be longer now",
    "tools": "the tools that the model asked for have answered",
    "warm": "a cached prefix is kept from expiring; it serves no task",
    "pilot": "the first request of its tasks, sent ahead to learn which channel the others take",
    "alone": "it was in a pack whose answer could not be used for it",
}
"""Why a request is sent: the words that `AttemptRecord.why` may have."""
SERVES_NONE: frozenset[Why] = frozenset({"warm"})
"""Of these, what no task asks for."""


class RowRecord(NamedTuple):
    """An input row: where it stands, not what it says."""

    number: int
    """Line or record number, from 1."""
    row_id: str
    locator: int
    """Byte offset of a JSONL line, else the record number."""
    hash: str
    session: int
    """The last session that read it."""
    since: int = 1
    """The first session that read it as it is; 1 also where no earlier one has anything of a row of its number."""


new_row_record = maker(RowRecord)


class RejectRecord(NamedTuple):
    """A record of the rows file that is no row."""

    number: int
    """Line or record number, from 1."""
    reason: str
    raw: str
    """The record as it stands in the file."""
    session: int
    """The last session that read it."""
    line: int
    """Line of the file on which it begins; of Parquet its number."""


class TextRecord(NamedTuple):
    """A text, kept once by content."""

    sha: str
    text: str


class BlockRecord(NamedTuple):
    """A block of context, kept once by its hash."""

    sha: str
    name: str
    text: str


@dataclass(slots=True, kw_only=True)
class TaskRecord:
    """The outcome of a task that was accepted, by content key."""

    key: str
    row: int
    arm: ArmName
    node: str
    label: str
    agent: str
    status: Literal["done", "failed"]
    output: str | None
    """Hash of the output's canonical JSON; of an answer that nobody can read, see `engine.unread`, of that answer."""
    kind: str = ""
    message: str = ""


new_task_record = maker(TaskRecord)


@dataclass(slots=True, kw_only=True)
class AttemptRecord:
    """The intent of one request."""

    id: int
    arm: ArmName
    agent: str
    model: str
    channel: Channel
    why: Why
    request_hash: str
    reserved: int | None
    """Upper bound of the price in picodollars; None where no price is known."""
    sent: float
    """When it was written down, in seconds since 1970."""
    intent: int | None = None
    """Number of the batch intent, for the batch channel."""
    job_share: float = 0.0
    """Share of the marked prefix that rows have in common, 0 to 1."""
    prefix: str = ""
    """Key of the longest marked prefix that rows have in common, shortened."""
    chars: int = 0
    """Characters of all that may be sent again: blocks, instructions, schema, values."""
    repeated: int = 0
    """Of these, what the same row has sent before."""
    blocks: str = ""
    """What of it a cache can hold, see `context.cacheable`; empty where that was not noted."""
    bound: int = 0
    """Upper bound of the tokens that it takes, input and output."""
    taken: int = 0
    """Which of the runs it was taken from that are in `journal.meta.TAKEN_FROM`, from 1; 0: it was sent by this one."""
    shared: int = 0
    """Of one that was taken: picodollars of its part of what was written and kept warm there for all rows. Its end has
    its own price alone, without what it has itself written for all."""


@dataclass(slots=True, kw_only=True)
class AskRecord:
    """A task that an attempt serves; one that serves none, such as a read that keeps a prefix warm, has no ask."""

    attempt: int
    place: int = 0
    """Of the task among those of the attempt, from 0 without gaps: it decides who pays what cannot be divided."""
    key: str
    """Content key of the task."""
    row: int
    node: str
    label: str
    """The task with its items, such as `research[2]`."""
    number: int
    """Which request of this task it is, from 1."""
    sizes: str = ""
    """Characters of each value that it is shown: by the names of the parameters in order, with commas."""
    row_id: str = ""
    """Id of the row, whose number changes with what stands before it; empty where that was not noted."""
    work: str = ""
    """Hash of all that its answer depends on: equal tasks have the same. Empty where it is served alone."""


new_ask_record = maker(AskRecord)


class Served(NamedTuple):
    """An attempt with the tasks that it serves."""

    attempt: AttemptRecord
    asks: tuple[AskRecord, ...]
    """In the order of their places."""


def checked(attempt: AttemptRecord, asks: Sequence[AskRecord]) -> AttemptRecord:
    """Return an attempt that may be added to a journal with these asks.

    Raises:
        ValueError: Its `why` is no word of `REASONS`; it serves no task though it should, or the other way round; or
            its tasks are not in their places.
    """
    if attempt.why not in REASONS:
        raise ValueError(f"{attempt.why!r} is no reason for an attempt; it is one of {', '.join(REASONS)}")
    if (not asks) != (attempt.why in SERVES_NONE):
        raise ValueError(f"attempt {attempt.id} ({attempt.why}) serves {len(asks)} tasks")
    if len(asks) > 1 and [ask.place for ask in asks] != list(range(len(asks))):
        raise ValueError(f"the tasks of attempt {attempt.id} are not in the places from 0 on, one after another")
    return attempt


class AnswerRecord(NamedTuple):
    """What a model said in answer to an ask, whether or not it was accepted as the outcome of the task."""

    attempt: int
    place: int
    """Of the ask in its attempt."""
    output: str
    """Hash of the answer's canonical JSON, keyed by field names: as it was said, before validators were called."""
    confidence: float | None = None
    """How sure the answer is, 0 to 1; None where that is not known."""


class TurnRecord(NamedTuple):
    """One round of tools in a task: what the model asked for, and what it was told."""

    key: str
    """The task's."""
    number: int
    """From 1."""
    message: str
    """Hash of what the model said, as JSON."""
    results: str = ""
    """Hash of the message with the results; empty while the tools are at work."""


@dataclass(slots=True, kw_only=True)
class EndRecord:
    """How an attempt ended."""

    attempt: int
    at: float
    """In seconds since 1970."""
    status: AttemptStatus
    kind: str = ""
    """Error class, or the reply's `stop_reason`."""
    message: str = ""
    request_id: str = ""
    usage: Usage = NO_TOKENS
    cost: int | None = 0
    """Picodollars; None where it is unknown."""
    latency_s: float = 0.0

    @property
    def tokens(self) -> int | None:
        """All that it took, input and output; None where that is unknown: it was lost, or its reply had no usage."""
        total = self.usage.total
        return None if self.status == "lost" or (self.cost is None and not total) else total


new_end_record = maker(EndRecord)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """A batch from its intent on."""

    intent: int
    size: int
    """Requests."""
    at: float
    """When the intent was written down, in seconds since 1970."""
    batch_id: str | None
    state: Literal["intent", "adopted", "created", "ended", "absent"]


class RowResult(NamedTuple):
    """How a row ended, on one arm."""

    row: int
    arm: ArmName
    status: Literal["succeeded", "partial", "failed"]
    output: str | None
    """Hash of the output's canonical JSON."""
    reason: str = ""
    session: int = 1
    """In which it ended."""


new_row_result = maker(RowResult)


class EditRecord(NamedTuple):
    """When the graph of an arm was changed last; there is none of an arm that never was."""

    arm: ArmName
    session: int
    """The first that had the graph as it is, or that had none any more."""


class ReachedRecord(NamedTuple):
    """A task that a row needs as it is now; noted of rows that were changed, themselves or in their graph."""

    key: str
    """Content key of the task."""
    row: int
    """Its asks and its outcome are this row's, whatever number that had before."""
    session: int
    """The last in which the row needed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One worker's time on a run."""

    id: int
    """From 1."""
    started: float
    """In seconds since 1970."""
    ended: float | None = None
    how: str = "running"
    """How it ended: completed, halted, interrupted, detached; `running` until then."""
    channel: str = ""
    """What was chosen: live, batch or auto."""
    changed: str = ""
    """What differs from the session before, in words."""


class MetaRecord(NamedTuple):
    """A setting of the run."""

    key: str
    value: str


Record = (
    MetaRecord
    | SessionRecord
    | RowRecord
    | RejectRecord
    | TextRecord
    | BlockRecord
    | TaskRecord
    | AttemptRecord
    | AskRecord
    | EndRecord
    | AnswerRecord
    | TurnRecord
    | BatchRecord
    | RowResult
    | EditRecord
    | ReachedRecord
)
"""All that a journal holds."""


class Spent(NamedTuple):
    """What was paid, or is held for attempts of which that is not known."""

    cost: int = 0
    """Picodollars."""
    tokens: int = 0
    """Input and output, cached or not."""


class RoleName(NamedTuple):
    """A role as journals name it: one agent on one model on one arm. What is learnt of answers is kept by it."""

    arm: ArmName
    agent: str
    model: str


class AnswerLengths(NamedTuple):
    """How long the answers of one agent on one model were."""

    arm: ArmName
    agent: str
    model: str
    answers: int
    tokens: int
    """Of all its answers."""


class Billed(NamedTuple):
    """What was sent to one model, and billed for it."""

    chars: int
    """Characters that were sent."""
    tokens: int
    """Input tokens that were billed, cached or not."""
