"""What batches wait for: errands that are ready, those that wait for a prefix to be written, and who comes first."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from .bell import Bell
from .errand import Errand


class Queue:
    """The errands that no batch has taken yet; used by one event loop."""

    def __init__(self, prefix_of: Callable[[Errand], str], elsewhere: Callable[[Errand], None] | None = None) -> None:
        """Begin empty.

        Args:
            prefix_of: Gives the key of what an errand shares with others; empty where that is nothing.
            elsewhere: Takes errands where nothing is to go in batches; None: they are queued.
        """
        self.prefix_of = prefix_of
        self.changed = Bell()
        """Rung when something has come, or nothing will."""
        self.came = 0
        """Errands that have become ready so far."""
        self._ready: deque[Errand] = deque()
        self._passed: list[Errand] = []
        """Errands from the front that the batch that is being filled has no place for."""
        self._held: dict[str, deque[Errand]] = {}
        """Errands that wait until a prefix is written, by its key."""
        self._waiting = Counter[str]()
        """Errands that are here, by prefix."""
        self._elsewhere = elsewhere
        """Where errands go instead, also once batches were left."""
        self._closed = False

    def __len__(self) -> int:
        """Return how many errands are ready."""
        return len(self._ready)

    @property
    def total(self) -> int:
        """Errands that are here, those among them that wait for a prefix."""
        return len(self._ready) + sum(map(len, self._held.values()))

    def waiting(self, prefix: str) -> int:
        """Return how many errands are here that share a prefix."""
        return self._waiting[prefix]

    # In --------------------------------------------------------------------------------------------

    def put(self, errand: Errand) -> None:
        """Take an errand; once the queue is closed it is left undone."""
        if self._closed:
            return
        if self._elsewhere is not None:
            self._elsewhere(errand)
            return
        self._ready.append(errand)
        self.came += 1
        self._waiting[self.prefix_of(errand)] += 1
        self.changed.ring()

    def release(self, prefix: str) -> None:
        """Make ready what waits for a prefix: it is written, or nobody writes it."""
        held = self._held.pop(prefix, None)
        if held:
            self._ready.extend(held)
            self.came += len(held)
            self.changed.ring()

    def give_back(self, errand: Errand) -> None:
        """Take an errand back, to the front: the batch that had taken it does without."""
        self._ready.appendleft(errand)
        self._waiting[self.prefix_of(errand)] += 1

    # Out, for a batch that is being filled ---------------------------------------------------------

    def first(self) -> Errand | None:
        """Return the errand that is next; None where none is ready."""
        return self._ready[0] if self._ready else None

    def take(self, prefix: str) -> None:
        """Remove the errand that is next, whose prefix this is."""
        self._ready.popleft()
        self._waiting[prefix] -= 1

    def hold(self, prefix: str) -> None:
        """Let the errand that is next wait until its prefix is written."""
        self._held.setdefault(prefix, deque()).append(self._ready.popleft())

    def pass_over(self) -> None:
        """Leave out the errand that is next until `rewind`."""
        self._passed.append(self._ready.popleft())

    def pass_back(self, errand: Errand) -> None:
        """Take back an errand that was taken, and leave it out until `rewind`."""
        self._passed.append(errand)
        self._waiting[self.prefix_of(errand)] += 1

    def rewind(self) -> None:
        """Put what was left out back to the front, in its order."""
        self._ready.extendleft(reversed(self._passed))
        self._passed.clear()

    # The end ---------------------------------------------------------------------------------------

    def leave(self, elsewhere: Callable[[Errand], None]) -> None:
        """Let all errands go elsewhere, those that are here and those that come."""
        self._elsewhere = elsewhere
        errands = [*self._ready, *(errand for held in self._held.values() for errand in held)]
        self._ready.clear()
        self._held.clear()
        for errand in errands:
            elsewhere(errand)
        self.changed.ring()

    def close(self) -> None:
        """Take nothing any more."""
        self._closed = True
        self.changed.ring()
