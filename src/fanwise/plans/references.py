"""References of a task plan: `row.body`, `task.label`, `item`, `block:handbook/refunds`."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fanwise.graph import types as ty

_PART = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
BLOCK = "block:"
MOST_COMPARED = 200
"""Names with which a misspelt one is compared: a plan of a thousand such names took half a minute."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A row, an item or a task, and the way to a part of it."""

    name: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.name, *self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What a reference leads to."""

    tp: Any
    gaps: tuple[Reference, ...]
    """Values on the way that may be missing, the outermost first; not the target itself."""


class ReferenceMistakeError(Exception):
    """A reference leads nowhere; says why, and what was perhaps meant."""

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem, hint)
        self.problem, self.hint = problem, hint


def parse(text: str) -> Reference:
    """Return a reference that is no block.

    Raises:
        ReferenceMistakeError: It has another form.
    """
    name, *path = text.split(".")
    if not all(_PART.fullmatch(part) and not keyword.iskeyword(part) for part in (name, *path)):
        raise ReferenceMistakeError(f"{text[:80]!r} is no reference", "write row.field, task.field, or item")
    return Reference(name, tuple(path))


def follow(reference: Reference, tp: Any) -> Destination:
    """Return what a reference leads to.

    Args:
        reference: The reference.
        tp: The type of the row, item or task that it begins with.

    Raises:
        ReferenceMistakeError: A field of it is not there.
    """
    gaps: list[Reference] = []
    for number, field in enumerate(reference.path):
        here = Reference(reference.name, reference.path[:number])
        if ty.unclear(tp):
            return Destination(tp=ty.Unknown, gaps=tuple(gaps))
        if ty.may_be_none(tp) and not ty.is_none(tp):
            gaps.append(here)
            tp = ty.without_none(tp)
        inner = ty.field_type(tp, field)
        if inner is None:
            fields = list(ty.fields(tp) or {})
            hint = meant(field, fields) or (f"it has {', '.join(fields)}" if fields else "")
            raise ReferenceMistakeError(f"{here} ({ty.name(tp)}) has no field {field!r}", hint)
        tp = inner
    return Destination(tp=tp, gaps=tuple(gaps))


def meant(name: str, names: Sequence[str]) -> str:
    """Return a question for the name that was perhaps meant; empty where none was, or there are too many to compare."""
    near = get_close_matches(name[:100], names, 1) if len(names) <= MOST_COMPARED else []
    return f"did you mean {near[0]!r}?" if near else ""
