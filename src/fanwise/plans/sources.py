"""What a parameter may be given, by names and types: the row, answers of tasks, items, and fields of these."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, get_origin

from fanwise.graph import types as ty
from fanwise.graph.fits import fits

from .offer import ITEM, ROW
from .references import ReferenceMistakeError, parse

BY_NAME, BY_TYPE, BY_LOOP, BY_ITEM, BY_CHANCE = range(5)
"""How well a source meets a parameter: the same name; the same type, which is no plain one; a list of a loop's answers;
the items of an answer's list; anything else that fits."""
TASK = "task"
"""The parameter of agents whose files name no types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A value that may be given."""

    text: str
    """The reference."""
    tp: Any
    names: frozenset[str]
    """What a parameter for it may be called."""
    order: int
    """0 of the row, of tasks their number from 1."""
    has_gap: bool = False
    """Whether something on the way to it may be missing."""
    is_loop: bool = False
    """Whether it is the list that a task with `over` answers."""


def sources(base: str, tp: Any, names: Collection[str], order: int, *, is_loop: bool = False) -> Iterator[Source]:
    """Yield a value as it is, and its fields."""
    yield Source(text=base, tp=tp, names=frozenset({*names, *type_names(tp)}), order=order, is_loop=is_loop)
    has_gap = ty.may_be_none(tp)
    for field, inner in (ty.fields(ty.without_none(tp)) or {}).items():
        text = f"{base}.{field}"
        if is_reference(text):
            yield Source(text=text, tp=inner, names=frozenset({field}), order=order, has_gap=has_gap)


def row_sources(tp: Any) -> list[Source]:
    """Return the sources of a row; the first text among them is for the parameter `task` too."""
    rows = list(sources(ROW, tp, (), 0))
    if any(source.text == f"{ROW}.{TASK}" for source in rows):
        return rows
    first = next((number for number, source in enumerate(rows) if fits(source.tp, str)), None)
    if first is not None:
        text = rows[first]
        names = text.names | {TASK}
        rows[first] = Source(text=text.text, tp=text.tp, names=names, order=0, has_gap=text.has_gap)
    return rows


def items(source: Source) -> list[Source]:
    """Return what the items of a source are sources of, which is nothing where it is no list."""
    present = ty.without_none(source.tp)
    item = None if ty.unclear(present) else ty.item_type(present)
    if item is None:
        return []
    return list(sources(ITEM, item, {singular(name) for name in source.names}, source.order))


def meets(source: Source, name: str, expected: Any) -> int | None:
    """Return how well a source meets a parameter; None where it does not fit."""
    present = ty.without_none(source.tp)
    if ty.is_none(present) or not fits(present, expected):
        return None
    if name in source.names:
        return BY_NAME
    if not is_exact(source, expected):
        return BY_CHANCE
    if _is_own_type(present):
        return BY_TYPE
    return BY_LOOP if source.is_loop else BY_CHANCE


def may_be_missing(source: Source, expected: Any) -> bool:
    """Return whether a task that is given a source which fits runs only where it is there."""
    return source.has_gap or not fits(source.tp, expected)


def is_exact(source: Source, expected: Any) -> bool:
    """Return whether a source has the type of a parameter, None apart."""
    return ty.strip(ty.without_none(source.tp)) == ty.strip(ty.without_none(expected))


def _is_own_type(tp: Any) -> bool:
    """Return whether a type, or that of a list's items, says more than text, number or yes: a record, an enum."""
    tp = ty.strip(tp)
    item = None if ty.unclear(tp) else ty.item_type(tp)
    if item is not None and item is not ty.Unknown:
        return _is_own_type(ty.without_none(item))
    return ty.is_record(tp) or get_origin(tp) is Literal or (isinstance(tp, type) and issubclass(tp, Enum))


def is_reference(text: str) -> bool:
    """Return whether a plan can say a text."""
    try:
        parse(text)
    except ReferenceMistakeError:
        return False
    return True


def type_names(tp: Any) -> set[str]:
    """Return what a value of a type is called by it: `topic` of `Topic`, `facts` of `list[Fact]`."""
    tp = ty.strip(ty.without_none(tp))
    item = None if ty.unclear(tp) else ty.item_type(tp)
    if item is not None:
        return {f"{name}s" for name in type_names(item)}
    if not ty.is_record(tp):
        return set()
    return {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", tp.__name__).lower()}


def singular(name: str) -> str:
    """Return a plural without its end."""
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
