"""The console that tables are printed to: on it no text of others is more than text."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style

from .harmless import lines

WIDTH = 120
"""Columns where standard output is no terminal."""


class HarmlessConsole(Console):
    """A console on which no text is markup, and none steers the terminal: only rich's own styles do."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        """Set up.

        Args:
            stderr: Whether it writes to standard error.
            width: Columns; None: those of the terminal.
        """
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield what is to be written, with each text made harmless."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(lines(text), _without_link(style))


def _without_link(style: Style | None) -> Style | None:
    return style.update_link(None) if style is not None and style.link else style


def standard_output() -> Console:
    """Return a console as wide as the terminal, or of `WIDTH` columns where there is none."""
    stdout: TextIO | None = sys.stdout  # none where it is closed
    return HarmlessConsole(width=None if stdout is not None and stdout.isatty() else WIDTH)
