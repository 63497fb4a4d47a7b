"""One schema for a family of agents: an object with a field per agent, of which one is filled.

`output_config.format` keys the cache, so agents with different schemas share no prefix while each
sends its own. With an envelope all send the same one: answers stay enforced, the schemas are part of
the shared prefix and read from the cache, and an answer costs the field's name more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from fanwise.canonical import dumps
from fanwise.definitions import around, expanded, settled
from fanwise.errors import OutputError
from fanwise.jsonable import as_list, as_object

MOST_OPTIONAL, MOST_UNIONS = 24, 16
"""What a schema may have of each ("Structured outputs", read 2026-11-23)."""
_ASKED = "Answer under the name of the agent that is asked, and under no other."


def envelope(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return one schema for agents, from that of what each answers, by name; None where the API could not carry it."""
    schema = around({name: schemas[name] for name in sorted(schemas)}, [], _ASKED)
    whole = expanded(schema)  # whether the API counts a definition once or wherever it is used is not documented
    if _optional(whole) > MOST_OPTIONAL or dumps(whole).count('"anyOf":') > MOST_UNIONS:
        return None
    return settled(schema)


def _optional(schema: object) -> int:
    """Return how many fields of a schema may be left out, at all depths."""
    if isinstance(schema, list):
        return sum(map(_optional, cast("list[object]", schema)))
    record = as_object(schema)
    own = len(as_object(record.get("properties"))) - len(as_list(record.get("required")))
    return (own if "required" in record else 0) + sum(map(_optional, record.values()))


def is_envelope(schema: object) -> bool:
    """Return whether a schema was made by `envelope`."""
    return str(as_object(schema).get("description")).startswith(_ASKED) and not as_list(
        as_object(schema).get("required")
    )


def seal(agent: str, answer: str) -> str:
    """Return the answer of an agent, JSON text, as a model would put it into an envelope."""
    return f"{{{dumps(agent)}:{answer}}}"


def unseal(agent: str, text: str) -> str:
    """Return an agent's answer from an envelope, as JSON text.

    Raises:
        OutputError: The text is no JSON object, another agent's field is filled, or the value has no form in JSON.
    """
    try:
        answers = as_object(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise OutputError(f"the answer is not JSON: {error}") from None
    if agent not in answers:
        filled = ", ".join(map(repr, answers)) or "nothing"
        raise OutputError(f"the answer has no field {agent!r}; filled is {filled}")
    try:
        return dumps(answers[agent])
    except (ValueError, RecursionError) as error:  # NaN, or a number beyond all floats, which Python reads as JSON
        raise OutputError(f"the answer holds what JSON does not: {error}") from None
