"""Where the settings of an agent come from, for people: part of no key and of no request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

OriginKind = Literal["default", "file", "decorator", "load", "options", "derived"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Who has given a setting."""

    kind: OriginKind = "default"
    """`file`: an agent file. `load`: `Agent.load`. `derived`: nobody, it follows from something else."""
    place: str = ""
    """`path:line`, or what it follows from in words; empty for a default."""

    def __str__(self) -> str:
        if self.kind == "default":
            return "default"
        if self.kind == "derived":
            return self.place
        return from_here(self.place) + (" .options" if self.kind == "options" else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The origin of each setting that can be left out."""

    effort: Origin = Origin()
    thinking: Origin = Origin()
    max_tokens: Origin = Origin()
    time_limit_s: Origin = Origin()
    max_turns: Origin = Origin()
    reuse: Origin = Origin()
    pack: Origin = Origin()

    def by_call(self, kind: OriginKind, place: str, **values: Any) -> Origins:
        """Return these, but for the settings that a call gives.

        Args:
            kind: What was called.
            place: Where.
            **values: Settings by name; None and 0 where the call leaves them as they are.
        """
        given = {name: Origin(kind, place) for name, value in values.items() if value or value is False}
        return replace(self, **given)

    def by_file(self, places: Mapping[str, str]) -> Origins:
        """Return these, but for the settings that an agent file gives.

        Args:
            places: Of each of them, as `path:line`.
        """
        return replace(self, **{name: Origin("file", place) for name, place in places.items()})


DEFAULTS = Origins()
"""Of an agent to which nothing was given."""


def from_here(place: str) -> str:
    """Return a place with a path as short as it is from the current folder, where that holds it."""
    here = os.path.join(os.path.abspath(os.curdir), "")
    return place.removeprefix(here)
