"""A checked plan as calls: what is read from where, and what stands around each call.

Compiling and freezing both follow it, so that each is a walk and no decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.blocks import Block
from fanwise.graph.agent import Agent

from .taskplan import Comparison, Value


@dataclass(frozen=True, slots=True)
class Read:
    """A part of a variable."""

    variable: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MaybeMissing:
    """A value that may be missing, and the variable that it is where it is there."""

    value: Read
    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A condition."""

    left: Read
    compare: Comparison
    right: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One task: guards around a condition around a loop around guards of its item around a call."""

    number: int
    """In the plan."""
    name: str
    agent: Agent[..., Any]
    blocks: Mapping[str, Block]
    """More context, by the names that the plan has for it."""
    guards: tuple[MaybeMissing, ...]
    test: Test | None
    over: Read | None
    need: int | None
    most: int | None
    item_guards: tuple[MaybeMissing, ...]
    values: Mapping[str, Read]
    """By parameter, in the order of the agent's signature."""
