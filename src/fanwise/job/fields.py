"""A field of a job: what it may hold, what is wrong with a value, and how it is given on the command line."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from fanwise.errors import Mistake
from fanwise.graph.graphs import Graph
from fanwise.jsonable import fault_of_text

Scope = Literal["job", "run", "stays", "session", "once"]
"""What a field holds for. `job`: it says what is run, and the manifest of a run has its own word for it. `run`: it is
chosen when a run begins. `stays`: so it is, and a session that is given another leaves it to those after it. `session`:
a resumed run takes over what it began with, and may be given another for that session. `once`: it holds for one session
and is not taken over."""


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


WORDS: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "True or False",
    Path: "a path",
    Decimal: "a decimal",
    Graph: "a graph",
    Iterable: "rows as models or dicts",
    Sequence: "a list",
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
        if value is None and self.default is MISSING:
            return Mistake(self.name, "nothing is given", self._remedy())
        if self.choices:
            return self._choice(value)
        if isinstance(value, str | Path) and (fault := fault_of_text(str(value))):
            return Mistake(self.name, f"{str(value)!r} cannot be used: {fault}", self._remedy())
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


def field_of(name: str, hint: Any, default: Any) -> SpecField:
    """Return a field of a record, as its annotation says it.

    Args:
        name: Its name.
        hint: Its type, annotated with a `FieldRule`.
        default: Its value where none is given; `dataclasses.MISSING` where one must be.
    """
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
