"""Numbers that a journal gives out once each, and sees added once each."""

from __future__ import annotations


class AttemptNumbers:
    """The numbers of a run's attempts: given out in order, added in any order."""

    def __init__(self, highest: int = 0) -> None:
        """Go on with the numbers of a run.

        Args:
            highest: The highest that it has used; 0 where there is none.
        """
        self.highest = highest
        """That is in use, or was given out by this session."""
        self._waiting = set[int]()
        """Given out by this session and not added yet."""

    def next(self) -> int:
        """Return a number that was never used before in this run."""
        self.highest += 1
        self._waiting.add(self.highest)
        return self.highest

    def use(self, number: int) -> None:
        """Take note that an attempt is added: its number was given out, or is higher than all others.

        Raises:
            ValueError: It is the number of another attempt.
        """
        if number in self._waiting:
            self._waiting.remove(number)
        elif number > self.highest:
            self.highest = number
        else:
            raise ValueError(f"attempt {number} was added before, or its number was not given out to this session")


def check_place(attempt: int, place: int, following: int) -> None:
    """Check where a task is added to those that an attempt serves.

    Args:
        attempt: Number of the attempt.
        place: Of the task.
        following: How many tasks the attempt serves already, which is the next place.

    Raises:
        ValueError: The attempt serves none, as one that is unknown does, or the place is not the next.
    """
    if not following:
        raise ValueError(f"there is no attempt {attempt} that serves tasks; add it with its first task")
    if place != following:
        raise ValueError(f"a task is added to attempt {attempt} in place {place}; the next place is {following}")
