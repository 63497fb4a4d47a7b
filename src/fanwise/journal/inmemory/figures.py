"""What earlier sessions have shown, in sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from fanwise.journal.records import AnswerLengths, AttemptRecord, Billed, EndRecord, Spent

from .contents import ContentsInMemory


def share(amount: int, asks: int, place: int) -> int:
    """Return an ask's share of an amount: equal parts, what cannot be divided one by one to the first asks.

    Args:
        amount: Of the whole attempt.
        asks: How many tasks it serves.
        place: Of the ask among them, from 0.
    """
    part, rest = divmod(amount, asks)
    return part + (place < rest)


class FiguresInMemory(ContentsInMemory):
    """What was paid, how long answers were, and how many tokens characters became."""

    def spent(self, row: int | None = None) -> Spent:
        """Return what counts against a budget, of the run or a row: what is paid, and bounds of what is unknown."""
        cost = tokens = 0
        for asks, place, attempt in self._parts(row):
            end = self._ends.get(attempt)
            if end is not None:
                record = self._attempts[attempt]
                cost_is_known = end.status != "lost" and end.cost is not None
                cost += share((end.cost if cost_is_known else record.reserved) or 0, asks, place)
                # Thinking and searches are no tokens of their own.
                counts = (record.bound,) if end.tokens is None else end.usage[:5]
                tokens += sum(share(count, asks, place) for count in counts)
        return Spent(cost, tokens)

    def _parts(self, row: int | None) -> Iterator[tuple[int, int, int]]:
        """Yield what a row, or the run, has of attempts: how many asks share one, the place of the ask, the attempt."""
        if row is None:
            yield from ((1, 0, number) for number, attempt in self._attempts.items() if not attempt.taken)
        else:
            asks = (ask for ask in self._of_row.get(row, ()) if not self._attempts[ask.attempt].taken)
            yield from ((len(self._asks[ask.attempt]), ask.place, ask.attempt) for ask in asks)

    def _answered(self) -> Iterator[tuple[AttemptRecord, EndRecord]]:
        """Yield the attempts that serve tasks, have succeeded and took tokens that are known, with their ends."""
        for number, end in self._ends.items():
            if end.status == "succeeded" and end.tokens is not None and self._asks.get(number):
                attempt = self._attempts[number]
                if not attempt.taken:
                    yield attempt, end

    def outputs(self, since: Mapping[str, float]) -> list[AnswerLengths]:
        """Return how long the answers of each agent on each model were, since a moment of its own."""
        answers, tokens = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
        for attempt, end in self._answered():
            if attempt.sent < since.get(f"{attempt.arm} {attempt.agent}", 0.0):
                continue
            role = (attempt.arm, attempt.agent, attempt.model)
            answers[role] += 1
            tokens[role] += end.usage.output
        return [AnswerLengths(*role, answers=answers[role], tokens=tokens[role]) for role in sorted(answers)]

    def sent_and_billed(self, since: float) -> dict[str, Billed]:
        """Return by model the characters sent since a moment and the input tokens that were billed for them."""
        sums: dict[str, Billed] = {}
        for attempt, end in self._answered():
            if attempt.sent >= since:
                chars, tokens = sums.get(attempt.model, (0, 0))
                sums[attempt.model] = Billed(chars + attempt.chars, tokens + end.usage.prompt)
        return sums
