"""Rows by what they hold: the contents with the least hashes, each with the number of its rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from fanwise.canonical import canonical, digest


@dataclass(slots=True, kw_only=True)
class CountedContent:
    """What some rows hold, their ids left out."""

    key: str
    """Its hash: as good as drawn at random."""
    data: Mapping[str, Any]
    """Without the id."""
    times: int = 0
    """How many they are."""
    rows: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list[tuple[int, Mapping[str, Any]]])
    """Numbers in the file and ids of the first of them."""

    def row(self, place: int) -> tuple[int, dict[str, Any]]:
        """Return the number and the data of one of its first rows."""
        number, row_id = self.rows[place]
        return number, {**self.data, **row_id}


class Contents:
    """Keeps some of the contents of a file, as if drawn at random; memory does not grow with the file.

    One whose hash is too large is dropped, and never comes back, since the bound only falls: so the counts of those
    that are left are of the whole file.
    """

    def __init__(self, id_field: str, most: int, rows: int) -> None:
        """Begin empty.

        Args:
            id_field: The field of a row that makes it no other content.
            most: Contents to keep.
            rows: Rows that are kept of each.
        """
        self._id_field, self._most, self._rows = id_field, most, rows
        self._kept: dict[str, CountedContent] = {}
        self._bound = ""
        """Hashes from this one on are dropped; empty while none was."""

    def add(self, number: int, data: Mapping[str, Any]) -> None:
        """Take a row."""
        held = {name: value for name, value in data.items() if name != self._id_field}
        key = digest(canonical(held))
        if self._bound and key >= self._bound:
            return
        content = self._kept.get(key)
        if content is None:
            content = self._kept[key] = CountedContent(key=key, data=held)
            if len(self._kept) > 2 * self._most:
                self._drop()
        content.times += 1
        if len(content.rows) < self._rows:
            row_id = {self._id_field: data[self._id_field]} if self._id_field in data else {}
            content.rows.append((number, row_id))

    def drawn(self) -> list[CountedContent]:
        """Return the contents that were drawn, in an order that chance has made."""
        return [self._kept[key] for key in sorted(self._kept)[: self._most]]

    def units(self, rows: int) -> float:
        """Return how many contents a file of so many rows has: as it is where none was dropped, else estimated."""
        if not self._bound:
            return float(len(self._kept))
        return max(rows / fmean(content.times for content in self.drawn()), float(self._most))

    def _drop(self) -> None:
        keys = sorted(self._kept)
        self._bound = keys[self._most]
        for key in keys[self._most :]:
            del self._kept[key]
