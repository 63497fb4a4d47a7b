"""The last text of a request: who is asked and in which form where nothing else tells it, and the values.

What is ours are sentences, so that none looks like a value: a value begins with `name: ` or with a tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fanwise.canonical import dumps

FORM = 2
"""Number of the form of requests: a run keeps that with which it began. In 1 all values were one JSON object."""
AGENT, AGENT_END = "Answer as the agent ", "."
TEXT, TEXT_END = "Answer with a text (", ") and with nothing else."
SCHEMA = "Answer with one JSON value that fits this schema, and with nothing else: "
REPAIR = "The answer before this one could not be used: "
NOTHING = "Answer as you were told."
"""Of an agent that is shown nothing: a message cannot be empty."""


def opening(agent: str, schema: Mapping[str, Any] | None, text_form: str = "") -> str:
    """Return the lines of the last text of a request that are the same for every row; there may be none.

    Args:
        agent: Name of the agent where nothing else of the request tells it; empty: it is not said.
        schema: JSON schema where it is not sent as `output_config.format`.
        text_form: What a plain text is to be like, by its type; empty: that asks for nothing.
    """
    lines = [f"{AGENT}{agent}{AGENT_END}"] if agent else []
    if text_form:
        lines.append(f"{TEXT}{' '.join(text_form.split())}{TEXT_END}")
    if schema is not None:
        lines.append(SCHEMA + dumps(schema))
    return "\n".join(lines)


def repair_line(why: str) -> str:
    """Return the line that says why an answer could not be used."""
    return REPAIR + dumps(why)


def tail(front: str, values: Iterable[str], repair: str = "") -> str:
    """Return the last text of a request; empty where nothing is left to say.

    Args:
        front: The `opening` of its node.
        values: The values as they are shown, in order.
        repair: Why the answer before was refused, on the one repair attempt.
    """
    lines = [front] if front else []
    if repair:
        lines.append(repair_line(repair))
    return "\n".join([*lines, *values])
