"""The account in a notebook: sentences, figures, and what each lever took off as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from fanwise.errors import UsageError
from fanwise.rendering.harmless import lines

from .charts import waterfall
from .colours import FRAGMENT
from .sentences import figures, sentences


def notebook(summary: Mapping[str, Any]) -> str:
    """Return the account of a run as a fragment of HTML, escaped; without a picture where nothing draws one."""
    parts = [f"<style>{FRAGMENT}</style><div class='fanwise'>"]
    if summary["offline"]:
        parts.append("<p><b>Simulated: no model was asked, nothing was paid.</b></p>")
    parts.append(f"<p>{escape(' '.join(sentences(summary)))}</p><table>")
    for name, value, remark in figures(summary):
        parts.append(f"<tr><td>{escape(name)}</td><td><b>{escape(value)}</b></td><td>{escape(remark)}</td></tr>")
    parts.append("</table>")
    if summary["levers"] is not None:
        try:
            parts.append(waterfall(summary["levers"]))
        except UsageError as error:  # the extra is not installed
            parts.append(f"<p>{escape(str(error))}</p>")
    return lines("".join([*parts, "</div>"]))
