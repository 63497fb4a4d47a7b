"""A fan-out and one agent held together on the same rows: the record that a comparison returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .multiplier import Multiplier, interval_data
from .verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFigures:
    """One arm of a comparison."""

    cost_usd: float
    """For each row, what rows share spread over all rows of the job."""
    per_success_usd: float | None
    """For each success, or for each point of score; None: no row has succeeded."""
    score: float
    """On average over rows in which the single agent was not cut off, 0 to 1; without labels the share of rows with an
    output."""
    good: int
    """Rows that count as successful."""
    tokens: float
    """For each row."""
    seconds: float
    """Along the longest path of a row, on average: what it takes where nothing waits for a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the rows of a sample have come to on both arms."""

    simulated: bool
    """Whether stand-ins have answered for the models."""
    shape: tuple[str, ...]
    """What the graph says before any run: lines for people."""
    verdict: Verdict
    fanout: ArmFigures
    baseline: ArmFigures
    labelled: bool
    """Whether outputs were held against labels."""
    in_points: bool
    """Whether scores are fractions: then a success is a point of score, and what a row has of it counts."""
    job_rows: int
    """Rows of the whole job, over which what rows share is spread."""
    labelled_rows: int
    """Of these, those with a label, which alone can be compared; all of them where nothing is held against labels."""
    left_out: int
    """Rows of the sample without a label, or with attempts of unknown cost."""
    cut_off: int
    """Rows in which the single agent's answer was cut off: its failures in money, and in no difference in quality."""
    multiplier: Multiplier | None
    """Fan-out over single agent, sum over sum, on all rows that both have ended; None where that took nothing."""

    notes: tuple[str, ...] = ()
    """What is to be known of the run that was compared, such as that its rows file has been changed since."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        ratio = self.verdict.ratio
        return asdict(self) | {
            "verdict": self.verdict.data(),
            "multiplier": None if self.multiplier is None else self.multiplier.data(),
            "per_success": None if ratio is None else interval_data(ratio, self.verdict.rows),
        }
