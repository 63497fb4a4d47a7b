"""Colours of the page and of its drawings, as variables of a style sheet: in light, in dark and on paper."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT = {
    "paper": "#ffffff", "card": "#f6f7f9", "ink": "#1d2330", "faint": "#5c6575", "line": "#d5dae3",
    "agent": "#e3edff", "row": "#fdf1d3", "good": "#1b8a5a", "bad": "#c8401f",
    "hue-1": "#2f6fde", "hue-2": "#d98a1c", "hue-3": "#1b8a5a", "hue-4": "#8a4fd0", "hue-5": "#c2427e",
    "hue-6": "#16899b", "hue-7": "#7a6a3a", "hue-8": "#6b7484",
}  # fmt: skip
DARK = {
    "paper": "#12161f", "card": "#1b212d", "ink": "#e8ebf1", "faint": "#a2abba", "line": "#38414f",
    "agent": "#22365c", "row": "#4a3d1b", "good": "#46b985", "bad": "#f07850",
    "hue-1": "#6ea0f5", "hue-2": "#eab053", "hue-3": "#46b985", "hue-4": "#b58cf0", "hue-5": "#e67fae",
    "hue-6": "#4fbccd", "hue-7": "#b8a56a", "hue-8": "#9aa4b5",
}  # fmt: skip
PRINT = LIGHT | {"card": "#ffffff", "ink": "#000000", "faint": "#444444", "line": "#bbbbbb"}


def variables(colours: Mapping[str, str]) -> str:
    """Return colours as declarations of a rule."""
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


FRAGMENT = (
    f".fanwise {{ {variables(LIGHT)} }} @media (prefers-color-scheme: dark) {{ .fanwise {{ {variables(DARK)} }} }}"
)
"""For a drawing that stands in somebody else's page."""
