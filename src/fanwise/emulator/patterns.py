"""Whether a regular expression may be tried on a text: some take longer than anybody would wait.

Python tries one way after another, and `(a+)+$` has so many that a text of forty letters takes hours. Its steps are
counted from above before any is taken. An expression that needs too many is not refused, since the API takes it, but
it is not tried either.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MOST_STEPS = 1_000_000
"""Steps up to which an expression is tried on one text: less than a tenth of a second."""
_REPEAT = re.compile(r"(?:([?*+])|\{(\d*)(,?)(\d*)\})[?+]?")
_ATOM = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL
)
_GROUP = re.compile(r"\((?:\?(?:P<\w+>|P=\w+\)|#[^)]*\)|\(\w+\)|<?[=!]|[:>]|[a-zA-Z-]+[:)]))?")
_NOTHING_WIDE = re.compile(r"\\[bBAZ1-9].*|[$^]", re.DOTALL)
_MOST_ROUNDS = 64
"""Of a part that may take no character: what is repeated more often than this is not counted through."""
_ENDLESS = 1_000_000_000


class _Ways(NamedTuple):
    """How a part of an expression fits a text of which every character fits."""

    by_length: tuple[int, ...]
    """Ways in which it takes so many characters: none, one, and so on."""
    steps: int
    """At most so many steps are taken until all of them have been tried."""


def is_quick(pattern: str, text: str) -> bool:
    """Return whether an expression that is well formed can be searched for in a text at once."""
    return _steps(pattern, len(text)) <= MOST_STEPS


@lru_cache(maxsize=1024)
def _steps(pattern: str, length: int) -> int:
    """Return from above the steps of a search for an expression in a text of a length, in characters."""
    reader = _PatternReader(pattern, length)
    steps = reader.branches().steps
    if reader.place < len(pattern):
        return _ENDLESS
    places = 1 if pattern.startswith("^") and "|" not in pattern else length + 1
    return steps * places


class _PatternReader:
    """Reads an expression from its beginning to its end."""

    def __init__(self, pattern: str, length: int) -> None:
        self.place = 0
        self._pattern, self._length = pattern, length

    def branches(self) -> _Ways:
        """Read what stands between two parentheses: any of its branches may fit."""
        every = [self._sequence()]
        while self._pattern.startswith("|", self.place):
            self.place += 1
            every.append(self._sequence())
        by_length = tuple(_bounded(sum(counts)) for counts in zip(*(ways.by_length for ways in every), strict=True))
        return _Ways(by_length, _bounded(sum(ways.steps for ways in every)))

    def _sequence(self) -> _Ways:
        whole = self._taking(0)
        while self.place < len(self._pattern) and self._pattern[self.place] not in "|)":
            ways = self._group() if self._pattern[self.place] == "(" else self._atom()
            while repeat := _REPEAT.match(self._pattern, self.place):
                self.place = repeat.end()
                ways = self._repeated(ways, *_times(repeat))
            whole = _then(whole, ways)
        return whole

    def _taking(self, characters: int, steps: int = 1) -> _Ways:
        """Return the ways of a part that takes a fixed number of characters."""
        return _Ways(tuple(int(length == characters) for length in range(self._length + 1)), steps)

    def _unread(self) -> _Ways:
        """Leave the rest of an expression unread, and have it taken for endless."""
        self.place = len(self._pattern)
        return self._taking(0, _ENDLESS)

    def _atom(self) -> _Ways:
        """Read one character, class, or place."""
        atom = _ATOM.match(self._pattern, self.place)
        if atom is None:
            return self._unread()
        self.place = atom.end()
        return self._taking(0 if _NOTHING_WIDE.fullmatch(atom[0]) else 1)

    def _group(self) -> _Ways:
        opening = _GROUP.match(self._pattern, self.place)
        if opening is None or _changes_reading(opening[0]):
            return self._unread()
        self.place = opening.end()
        words = opening[0]
        if words.endswith(")"):  # a comment, flags for all, or what a group has matched
            return self._taking(0)
        ways = self.branches()
        self.place += 1
        return self._taking(0, ways.steps) if words.endswith(("=", "!")) else ways

    def _repeated(self, ways: _Ways, low: int, high: int) -> _Ways:
        """Return the ways of a part that may fit several times, one after another."""
        rounds = min(high, max(low, self._length + 1))
        if ways.by_length[0] and rounds > _MOST_ROUNDS:  # the end of the text does not end it
            return self._taking(0, _ENDLESS)
        sums, times = [0] * (self._length + 1), self._taking(0)
        for number in range(rounds + 1):
            if number >= low:
                sums = [_bounded(before + more) for before, more in zip(sums, times.by_length, strict=True)]
            if number == rounds or not any(times.by_length):
                break
            times = _then(times, ways)
        return _Ways(tuple(sums), times.steps)


def _then(first: _Ways, second: _Ways) -> _Ways:
    """Return the ways of one part followed by another."""
    most = len(first.by_length)
    by_length = tuple(
        _bounded(sum(first.by_length[part] * second.by_length[length - part] for part in range(length + 1)))
        for length in range(most)
    )
    return _Ways(by_length, _bounded(first.steps + sum(first.by_length) * second.steps))


def _changes_reading(words: str) -> bool:
    """Return whether spaces and comments mean nothing from here on, which is not read here."""
    return re.match(r"\(\?[a-zA-Z]*x", words) is not None


def _times(repeat: re.Match[str]) -> tuple[int, int]:
    """Return how often something is repeated, at least and at most."""
    sign, low, comma, high = repeat.groups()
    if sign is not None:
        return (1 if sign == "+" else 0), (1 if sign == "?" else _ENDLESS)
    least = min(int(low or 0), _ENDLESS)
    return least, (min(int(high), _ENDLESS) if high else _ENDLESS if comma else least)


def _bounded(count: int) -> int:
    return min(count, _ENDLESS)
