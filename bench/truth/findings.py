"""What was compared, and how it came out."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(kw_only=True)
class Findings:
    """The checks of one job."""

    job: str
    reasons: dict[str, str]
    """Figures that may differ, or that cannot be computed again, and why."""
    equal: int = 0
    listed: dict[str, str] = field(default_factory=dict[str, str])
    wrong: list[str] = field(default_factory=list[str])
    seen: set[str] = field(default_factory=set[str])
    """Names that were checked or listed."""

    def same(self, name: str, said: object, computed: object) -> None:
        """Compare a figure with what was computed."""
        self.seen.add(name)
        if said == computed and type(said) is type(computed):
            self.equal += 1
        elif name in self.reasons:
            self.listed[name] = self.reasons[name]
        else:
            self.wrong.append(f"{name}: said {said!r}, computed {computed!r}")

    def without(self, name: str, reason: str) -> None:
        """List a figure that nobody can compute again from outside."""
        self.seen.add(name)
        self.listed[name] = reason


def usd(pico: int | None) -> str | None:
    """Picodollars as the files of a run have them: dollars as a decimal string without exponent and end zeros."""
    if pico is None:
        return None
    text = format(Decimal(pico).scaleb(-12), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
