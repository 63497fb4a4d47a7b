"""The console that tables are printed to."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH = 120
"""Columns where standard output is no terminal."""


def standard_output() -> Console:
    """Return a console as wide as the terminal, or of `WIDTH` columns where there is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH)
