"""What is said of an agent's file once, where it is looked at: what of it was not read, and how it was taken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One remark that is no mistake, with its place."""

    place: str
    """`file:line`."""
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"
