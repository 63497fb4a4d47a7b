"""Charts as SVG: Vega draws them here, so that the page needs no script and no network.

Colours are CSS variables of the page, so that one drawing is right in light, in dark and on paper.
Vega escapes every text that it draws; names of agents and rows go in as data, never as expressions.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

from fanwise.errors import UsageError

WIDTH = 560
"""Of every chart, in pixels; the page scales it."""
LEAST = 0.7
"""To so much of its width a drawing shrinks; beyond, its place scrolls."""
INK, FAINT, LINE, CARD = "var(--ink)", "var(--faint)", "var(--line)", "var(--card)"
HUES = tuple(f"var(--hue-{number})" for number in range(1, 9))
GOOD, BAD, PLAIN = "var(--good)", "var(--bad)", "var(--hue-1)"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "inherit",
    "axis": {
        "labelColor": INK, "titleColor": FAINT, "gridColor": LINE, "domainColor": LINE, "tickColor": LINE,
        "labelFontSize": 13, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 170,
        "labelFont": "inherit", "titleFont": "inherit",
    },
    "legend": {
        "labelColor": INK, "titleColor": FAINT, "labelFontSize": 13, "titleFontSize": 12, "titleFontWeight": "normal",
        "orient": "top", "labelLimit": 260, "labelFont": "inherit", "titleFont": "inherit", "columns": 3,
    },
    "text": {"color": INK, "fontSize": 12, "font": "inherit"},
    "view": {"stroke": "transparent"},
    "range": {"category": list(HUES)},
    "bar": {"color": PLAIN},
}  # fmt: skip


def vega() -> Any:
    """Return the module that draws.

    Raises:
        UsageError: It is not there.
    """
    try:
        return importlib.import_module("vl_convert")
    except ImportError:
        raise UsageError("pictures need vl-convert and Jinja: pip install 'fanwise[report]'") from None


def chart_svg(spec: Mapping[str, Any], label: str) -> str:
    """Return a Vega-Lite chart as SVG text; `label` says what it shows, for those who do not see it."""
    chart = {"$schema": _SCHEMA, "config": _CONFIG, "description": label, "padding": 4, **spec}
    size = {"type": "fit-x", "contains": "padding"}
    if "vconcat" not in chart:
        chart = {"width": WIDTH, "autosize": size, **chart}
    return _scalable(vega().vegalite_to_svg(json.dumps(chart), allowed_base_urls=[]))


def vega_svg(spec: Mapping[str, Any]) -> str:
    """Return a Vega chart as SVG text."""
    chart = {"$schema": "https://vega.github.io/schema/vega/v6.json", "background": "transparent", **spec}
    return _scalable(vega().vega_to_svg(json.dumps(chart), allowed_base_urls=[]))


def _scalable(svg: str) -> str:
    """Return a drawing that takes the width of its place."""
    head, _, rest = svg.partition(">")
    parts = head.split(" ")
    width = next((part[7:-1] for part in parts if part.startswith('width="')), str(WIDTH))
    kept = [part for part in parts if not part.startswith(("width=", "height="))]
    least = round(float(width) * LEAST)
    return f'{" ".join(kept)} role="img" style="max-width:{width}px;min-width:{least}px">{rest}'
