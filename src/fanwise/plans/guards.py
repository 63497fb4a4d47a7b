"""Values that may be missing, on the way to what a task reads: where one is, the task is None too."""

from __future__ import annotations

from collections.abc import Iterable

from .references import Reference
from .shapes import MaybeMissing, Read


class Guards:
    """The values that may be missing for one task, with a variable for each where it is there."""

    def __init__(self) -> None:
        self._variables: dict[Reference, str] = {}
        self._values: dict[Reference, Read] = {}

    def add(self, gaps: Iterable[Reference]) -> None:
        """Add values, each behind those that are parts of the way to it."""
        for gap in gaps:
            if gap not in self._variables:
                self._values[gap] = self.read(gap)
                self._variables[gap] = self._free("_" + "_".join((gap.name, *gap.path)))

    def _free(self, name: str) -> str:
        """Return a variable that no other value has: no task's name begins with an underscore."""
        number, free = 1, name
        while free in self._variables.values():
            number += 1
            free = f"{name}_{number}"
        return free

    def read(self, reference: Reference) -> Read:
        """Return how a reference is read: from the nearest value on its way that has a variable."""
        for length in range(len(reference.path), -1, -1):
            front = Reference(reference.name, reference.path[:length])
            if front in self._variables:
                return Read(self._variables[front], reference.path[length:])
        return Read(reference.name, reference.path)

    def all(self) -> tuple[MaybeMissing, ...]:
        """Return all of them, the outermost first."""
        return tuple(MaybeMissing(value, self._variables[gap]) for gap, value in self._values.items())
