"""Which attempts were made for what: found again in some 20 bytes each, however many there are."""

from __future__ import annotations

from array import array

SEGMENTS = 256
"""Each grows by itself, so that none takes long: together they have a million entries after some thousand each."""
FIRST_SLOTS = 8
FULLEST = 3, 4
"""Share of the slots of a segment that is taken at most."""
_ATTEMPT_BITS = 32
_ATTEMPT = (1 << _ATTEMPT_BITS) - 1


class WorkTable:
    """Numbers of attempts by what they are for; some that are found are for something else, so whoever asks looks.

    A slot is one integer: half of the hash above the number of the attempt. Its place follows from the hash, and is
    the next that is free. Nothing is taken out.
    """

    def __init__(self) -> None:
        self._segments: list[array[int] | None] = [None] * SEGMENTS
        self._taken = array("Q", bytes(8 * SEGMENTS))

    def __len__(self) -> int:
        """Return how many entries there are."""
        return sum(self._taken)

    @property
    def size(self) -> int:
        """Bytes of all slots."""
        return sum(len(slots) * slots.itemsize for slots in self._segments if slots is not None)

    def add(self, work: str, attempt: int) -> None:
        """Add an attempt.

        Args:
            work: What it is for, as a hash in hexadecimal digits.
            attempt: Its number, from 1.
        """
        number, tag = _place(work)
        slots = self._segments[number]
        if slots is None:
            slots = self._segments[number] = _empty(FIRST_SLOTS)
        elif (self._taken[number] + 1) * FULLEST[1] > len(slots) * FULLEST[0]:
            grown = _empty(2 * len(slots))
            for entry in slots:
                if entry:
                    _put(grown, entry >> _ATTEMPT_BITS, entry)
            slots = self._segments[number] = grown
        _put(slots, tag, tag << _ATTEMPT_BITS | attempt)
        self._taken[number] += 1

    def find(self, work: str) -> list[int]:
        """Return the numbers of the attempts that may be for something, the newest first."""
        number, tag = _place(work)
        slots = self._segments[number]
        if slots is None:
            return []
        found: list[int] = []
        mask = len(slots) - 1
        at = tag & mask
        while entry := slots[at]:
            if entry >> _ATTEMPT_BITS == tag:
                found.append(entry & _ATTEMPT)
            at = at + 1 & mask
        if len(found) > 1:
            found.sort(reverse=True)
        return found


def _place(work: str) -> tuple[int, int]:
    """Return the segment of something, and the 32 bits that are kept of its hash."""
    bits = int(work[:10], 16)
    return bits >> 32, bits & 0xFFFFFFFF


def _empty(slots: int) -> array[int]:
    return array("Q", bytes(8 * slots))


def _put(slots: array[int], tag: int, entry: int) -> None:
    mask = len(slots) - 1
    at = tag & mask
    while slots[at]:
        at = at + 1 & mask
    slots[at] = entry
