"""The records of a journal.

An attempt is two records: its intent, durable before anything is sent, and its end. Nothing in
them is a request's text: `show` renders a request again and checks it against `request_hash`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from fanwise.pricing.usage import Usage

ArmName = str
"""Name of an arm, one of the graphs that carry out the same rows: `fanout`, `baseline`, or another."""
Channel = Literal["live", "batch"]
AttemptStatus = Literal["succeeded", "failed", "lost"]
"""`lost`: the request may have been taken and billed, its reply never came."""


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


class TaskRecord(NamedTuple):
    """The final outcome of a task, by content key."""

    key: str
    row: int
    arm: ArmName
    node: str
    label: str
    agent: str
    status: Literal["done", "failed"]
    output: str | None
    """Hash of the output's canonical JSON."""
    kind: str = ""
    message: str = ""


class AttemptRecord(NamedTuple):
    """The intent of one request."""

    id: int
    key: str
    row: int
    arm: ArmName
    node: str
    label: str
    agent: str
    model: str
    channel: Channel
    number: int
    """1 for the first attempt of a task."""
    request_hash: str
    reserved: int | None
    """Upper bound of the price in picodollars; None where no price is known."""
    sent: float
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
    readable: int = 0
    """Of these, what the run has sent to this model before."""
    reusable: int = 0
    """Of these, what is sent to this model for the second time."""
    bound: int = 0
    """Upper bound of the tokens that it takes, input and output."""
    sizes: str = ""
    """Of `chars`, those of each value that it shows: by the names of the parameters in order, with commas."""


class TurnRecord(NamedTuple):
    """One round of tools in a task: what the model asked for, and what it was told."""

    key: str
    """The task's."""
    number: int
    """From 1."""
    said: str
    """Hash of the model's message, as JSON."""
    told: str = ""
    """Hash of the message with the results; empty while the tools are at work."""


class EndRecord(NamedTuple):
    """How an attempt ended."""

    attempt: int
    at: float
    status: AttemptStatus
    kind: str = ""
    """Error class, or the reply's `stop_reason`."""
    message: str = ""
    request_id: str = ""
    usage: Usage = Usage()
    cost: int | None = 0
    """Picodollars; None where it is unknown."""
    latency_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch from its intent on."""

    intent: int
    size: int
    at: float
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


class Spent(NamedTuple):
    """What was paid, or is held for attempts that were lost."""

    cost: int = 0
    """Picodollars."""
    tokens: int = 0
    """Input and output, cached or not."""


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
