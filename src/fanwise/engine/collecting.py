"""How often Python looks for garbage while a run is under way."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

SELDOM = (50_000, 20, 20)
"""Python's own thresholds are 700, 10, 10. Rows in work are many small objects that live for a while; looking
at them again and again was a sixth of the processor time of a run in batches (bench/batch.py)."""


@contextmanager
def seldom() -> Generator[None]:
    """Collect less often within; who has switched it off, or made it rarer, is left alone."""
    before = gc.get_threshold()
    if not gc.isenabled() or not 0 < before[0] < SELDOM[0]:
        yield
        return
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
