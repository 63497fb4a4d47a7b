"""That figures hold answers which were asked in an earlier layout, in words."""

from __future__ import annotations

from collections.abc import Mapping


def earlier_layouts(answers: Mapping[str, int]) -> str | None:
    """Return in words that answers of an earlier layout are in the figures; None where none are.

    Args:
        answers: How many, by side.
    """
    counts = [
        f"{count:,} answer{'s' if count != 1 else ''} of {'the fan-out' if arm == 'fanout' else 'one agent'}"
        for arm, count in answers.items()
        if count
    ]
    if not counts:
        return None
    are = "is" if sum(answers.values()) == 1 else "are"
    layout = f"{are} of an earlier layout, with other blocks or cache breakpoints, and counted as paid"
    return f"{' and '.join(counts)} {layout}: what a fresh run costs may be more or less"
