"""How sure a verdict must be at each look at the rows of a job, so that all looks together are seldom wrong. Pure.

A job is looked at more than once: after forty rows, after two hundred. Each look may be wrong, so each spends a part of
one error: as much as the logarithm of its rows says, of the logarithm of the job's, so that every doubling of rows has
the same (Lan and DeMets' alpha spending). What a look may spend beside those before it is integrated from one to the
next (Armitage, McPherson and Rowe): looks that see mostly the same rows are mostly wrong together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

ERROR = 0.045
"""Chance of a wrong word over all looks, of the .05 that is promised: a tenth is left for what normal laws miss."""
LEAST_ROWS = 10
"""Below so many rows nothing is spent, and there is no word."""
NO_ROWS = 5
"""Rows by which nothing would have been spent: the logarithm begins here."""
MOST_ROWS = 10_000_000
"""Rows of a job of which nothing is known."""
LEAST = 1e-12
"""The least error that a look may make: below, the quantiles are not exact."""
REACH = 7
"""Standard deviations beyond which nothing happens."""


class Look(NamedTuple):
    """One look at a job."""

    rows: int
    spent: float
    """Share of the error that this look and those before it have spent, 0 to 1."""


class Levels(NamedTuple):
    """How likely each word may be at a look where it is wrong: one-sided, of this look alone."""

    yes: float
    """For a price below, and for a quality above."""
    no: float
    """For a price above, or for a quality below: two ways to one word, so that each has a half."""


NO_DOUBT = Levels(LEAST, LEAST)


def spent_by(rows: int, job_rows: int) -> float:
    """Return the share of the error that may be spent when so many rows of a job have been seen, 0 to 1."""
    if rows < LEAST_ROWS:
        return 0.0
    return 1.0 if rows >= job_rows else math.log(rows / NO_ROWS) / math.log(job_rows / NO_ROWS)


def next_look(rows: int, job_rows: int, before: Iterable[Look] = ()) -> tuple[Look, ...]:
    """Return the looks at a job up to one at so many rows: what was spent at an earlier one stays spent.

    Args:
        rows: Rows of the look.
        job_rows: Rows of the job.
        before: Looks that were made; those at as many rows or more are not before this one.
    """
    earlier = sorted(look for look in before if look.rows < rows)
    spent = max((look.spent for look in earlier), default=0.0)
    return (*earlier, Look(rows, max(spent_by(rows, job_rows), spent)))


@dataclass(frozen=True, kw_only=True)
class Path:
    """Where a statistic may stand whose looks have had no word yet: a walk that is cut off above, look by look.

    A mean of n rows, times what is known by it, walks as a Brownian motion whose time is that information.
    """

    information: float = 0.0
    cut: float = 0.0
    """Above it the word was said."""
    step: float = 0.0
    """Standard deviation since the look before."""
    points: tuple[float, ...] = (0.0,)
    """Equally far places where it stood at the look before."""
    masses: tuple[float, ...] = (1.0,)
    """The chance of each."""

    def next(self, information: float, error: float) -> tuple[float, Path]:
        """Return the level of a look, and the path from there.

        Args:
            information: All that is known at that look.
            error: Chance that it says the word where none before has.
        """
        step = math.sqrt(information - self.information)
        points, masses = self._resolved(step / 2)
        scale = step * math.sqrt(2)

        def beyond(cut: float) -> float:
            tails = [mass * math.erfc((cut - point) / scale) for point, mass in zip(points, masses, strict=True)]
            return sum(tails) / 2

        cut = _place_of(error, beyond, REACH * math.sqrt(information))
        level = math.erfc(cut / math.sqrt(2 * information)) / 2
        return max(level, LEAST), Path(information=information, cut=cut, step=step, points=points, masses=masses)

    @cached_property
    def _lowest(self) -> float:
        return max(self.points[0] - REACH * self.step, -REACH * math.sqrt(self.information))

    def _resolved(self, spacing: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return places at this look, no farther from each other than so much, with the chance of each."""
        if not self.information:
            return self.points, self.masses
        spacing = min(spacing, self.step / 2, math.sqrt(self.information) / 25)
        count = math.ceil((self.cut - self._lowest) / spacing)
        spacing = (self.cut - self._lowest) / count
        points = tuple(self._lowest + place * spacing for place in range(count + 1))
        scale = spacing / (self.step * math.sqrt(2 * math.pi))
        masses = [scale * self._density(point) for point in points]
        masses[0], masses[-1] = masses[0] / 2, masses[-1] / 2
        return points, tuple(masses)

    def _density(self, place: float) -> float:
        """Return how densely the places of the look before lead to one, on the scale of one step."""
        apart = self.points[1] - self.points[0] if self.points[1:] else math.inf
        first = max(math.floor((place - REACH * self.step - self.points[0]) / apart), 0)
        last = math.ceil((place + REACH * self.step - self.points[0]) / apart) + 1
        narrow, exp = -1 / (2 * self.step**2), math.exp
        near = zip(self.points[first:last], self.masses[first:last], strict=True)
        return sum([mass * exp(narrow * (place - point) ** 2) for point, mass in near])


def _place_of(error: float, beyond: Callable[[float], float], high: float) -> float:
    """Return the place from 0 to `high` beyond which there is such a chance, which falls with the place.

    The logarithm of a tail is nearly straight, so that its secants lead there in ten steps, where halves take fifty;
    the end that stays has its value halved (the Illinois algorithm), lest it stay for ever.
    """
    low, left, right = 0.0, _times(beyond(0.0), error), _times(beyond(high), error)
    if left <= 0:
        return low
    stayed = ""
    for _ in range(50):
        cut = (low + high) / 2 if math.isinf(right) else low + (high - low) * left / (left - right)
        here = _times(beyond(cut), error)
        if abs(here) < 1e-12:
            return cut
        if here > 0:
            low, left, right = cut, here, right / 2 if stayed == "right" else right
            stayed = "right"
        else:
            high, right, left = cut, here, left / 2 if stayed == "left" else left
            stayed = "left"
    return high


def _times(chance: float, error: float) -> float:
    """Return the logarithm of how many times an error a chance is."""
    return math.log(chance / error) if chance else -math.inf


START = Path()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Looks that were made at a job, and how sure the last one must be."""

    job_rows: int
    made: tuple[Look, ...] = ()
    levels: Levels = NO_DOUBT
    """Of the last look."""
    yes_path: Path = START
    no_path: Path = START

    @classmethod
    def at(cls, rows: int, job_rows: int, before: Iterable[Look] = ()) -> Looks:
        """Return the looks up to one at so many rows, after those that were made."""
        looks = cls(job_rows=job_rows)
        for look in next_look(rows, job_rows, before):
            looks = looks.then(look)
        return looks

    def then(self, look: Look) -> Looks:
        """Return these looks and one more, at more rows."""
        if not self.spends(look.rows):
            return replace(self, made=(*self.made, look), levels=NO_DOUBT)
        error = ERROR * (look.spent - self._spent)
        information = look.rows / (1 - look.rows / self.job_rows)
        yes, yes_path = self.yes_path.next(information, max(error, LEAST))
        no, no_path = self.no_path.next(information, max(error / 2, LEAST))
        return replace(self, made=(*self.made, look), levels=Levels(yes, no), yes_path=yes_path, no_path=no_path)

    @property
    def _spent(self) -> float:
        return max((look.spent for look in self.made), default=0.0)

    def spends(self, rows: int) -> bool:
        """Return whether a look at so many rows can be wrong: at all rows of the job nothing is left to chance."""
        return LEAST_ROWS <= rows < self.job_rows

    def levels_at(self, rows: int) -> Levels:
        """Return how sure a next look at so many rows would have to be."""
        spent = max(spent_by(rows, self.job_rows), self._spent)
        return self.then(Look(rows, spent)).levels
