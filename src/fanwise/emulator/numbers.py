"""Numbers that come as JSON, where they may be larger than any float."""

from __future__ import annotations

import math


def finite(value: object) -> float | None:
    """Return a number as a float, or None where it is none, or none that can be reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has whole numbers of any length
        return None
    return number if math.isfinite(number) else None
