"""All exceptions of the package, in families by what a caller can do about them.

The file stands at the bottom layer so that every other module may raise and catch them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .addresses import without_secrets


class FanwiseError(Exception):
    """Base of every error that fanwise raises on purpose."""


class UsageError(FanwiseError):
    """The command, a file or an option is wrong: fix it and call again (exit status 2)."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a graph or an agent file, with its place."""

    place: str
    """`file:line`, or the file alone where no line is known."""
    message: str
    """What is wrong, with the value."""
    hint: str = ""
    """The right way."""

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.place}: {self.message}{hint}"


class Placed(Protocol):
    """Something with a place, `file:line` or a file."""

    @property
    def place(self) -> str: ...


def line_of(placed: Placed) -> int:
    """Return the line of something, by which those of one file are put in order; 0 where none is known."""
    number = placed.place.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


class GraphFileError(UsageError):
    """A file of the user's has raised while it was loaded; says where, and what (exit status 70)."""


class DefinitionError(UsageError):
    """A graph, an agent or an agents folder has mistakes; all of them are in `mistakes`."""

    def __init__(self, subject: str, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__(subject, mistakes)
        self.subject, self.mistakes = subject, mistakes

    def __str__(self) -> str:
        count = len(self.mistakes)
        head = f"{self.subject} has {count} mistake{'s' if count != 1 else ''}:"
        return "\n".join([head, *(f"  {mistake}" for mistake in self.mistakes)])


class NoPlanError(DefinitionError):
    """Agents cannot be joined to a task plan by their types; each parameter without a value is a mistake."""


class SpecError(UsageError):
    """A call describes wrongly what is to be done; all mistakes are in `mistakes`, each with its field as its place."""

    def __init__(self, mistakes: tuple[Mistake, ...], subject: str = "the job") -> None:
        super().__init__(mistakes, subject)
        self.mistakes, self.subject = mistakes, subject

    def __str__(self) -> str:
        if len(self.mistakes) == 1:
            return str(self.mistakes[0])
        head = f"{self.subject} has {len(self.mistakes)} mistakes:"
        return "\n".join([head, *(f"  {mistake}" for mistake in self.mistakes)])


class ScoringError(SpecError):
    """A scoring function raised, or returned no number from 0 to 1 (exit status 70); what was answered is kept."""


class ConsentError(UsageError):
    """Something may cost more than can be spent without asking, and nobody said yes (exit status 5)."""


class RunDirectoryError(UsageError):
    """The run directory cannot be used as asked: locked, of another job, or of the other mode."""


class NotNamedError(RunDirectoryError):
    """A run directory records a graph or an address, which is not used before it is named again by who calls."""

    def __init__(self, directory: str, missing: Mapping[str, str]) -> None:
        super().__init__(directory, missing)
        address = missing.get("base_url")
        shown = {} if address is None else {"base_url": without_secrets(address)}
        self.directory, self.missing = directory, {**missing, **shown}
        """What the directory records, by the parameters that name it: `graph`, `baseline`, `base_url`; of an address
        what may be shown of it."""

    @property
    def reason(self) -> str:
        """What is recorded and not used."""
        graphs = [self.missing[name] for name in ("graph", "baseline") if name in self.missing]
        parts = [f"its graph {graph} is not imported, since it is not under the current directory" for graph in graphs]
        if "base_url" in self.missing:
            parts.append(f"no key is sent to its address {self.missing['base_url']}")
        return f"{self.directory} may be somebody else's: {', and '.join(parts)}, unless it is named again"

    def __str__(self) -> str:
        return f"{self.reason}: {', '.join(f'{name}={value!r}' for name, value in self.missing.items())}"


class UnknownPriceError(FanwiseError):
    """No price is known for a model at a time; its cost is unknown, never zero."""

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model

    def __str__(self) -> str:
        return f"no price is known for model {self.model!r}"


class NoFormError(FanwiseError, TypeError):
    """A value has no form in JSON; says which."""


class OutputError(FanwiseError):
    """A model's reply does not fit the output type of its agent."""


class HaltedError(FanwiseError):
    """The run was stopped before its end; what was done is kept (exit status 3)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"halted: {self.reason}"


class NotKeptError(HaltedError):
    """What a run does can not be kept any more: its disk is full, or its directory is gone (exit status 3).

    What was kept before is still there, where the directory is; the account may not have been written.
    """
