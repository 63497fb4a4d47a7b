"""Types in words, for an agent that answers another one: what a type says of itself is told once."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from fanwise.canonical import dumps
from fanwise.definitions import expanded, referred
from fanwise.jsonable import as_object

from . import types as ty
from .answerable import problems
from .schema import schema

_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true | false", "null": "null"}


class TypeWords:
    """Puts schemas into words; what a type says of itself is told once."""

    def __init__(self, told: Set[str]) -> None:
        self._told = set(told)
        """The types of which it is told, as JSON."""
        self._definitions: dict[str, Any] = {}

    def described(self, tp: Any) -> str:
        """Return a type in words: its fields, its closed sets of values and what its descriptions say."""
        if ty.unclear(tp) or problems(tp):
            return ty.name(tp)
        whole = schema(tp)
        self._definitions = as_object(whole["$defs"])
        return self._text(whole, silent=False)

    def _text(self, form: Mapping[str, Any], *, silent: bool) -> str:
        note = f" ({form['description']})" if "description" in form and not silent else ""
        if name := referred(form):
            part = self._definitions[name]
            known = dumps(expanded({**part, "$defs": self._definitions}))
            silent = silent or known in self._told
            self._told.add(known)
            return self._text(part, silent=silent) + note
        if "enum" in form:
            return " | ".join(map(dumps, form["enum"])) + note
        if "anyOf" in form:
            return " | ".join(self._text(as_object(option), silent=silent) for option in form["anyOf"]) + note
        if form.get("type") == "array":
            return f"[{self._text(as_object(form['items']), silent=silent)}, ...]{note}"
        if form.get("type") == "object":
            fields = {name: self._text(as_object(part), silent=silent) for name, part in form["properties"].items()}
            return f"{{{'; '.join(f'{name}: {text}' for name, text in fields.items())}}}{note}"
        return _KINDS.get(str(form.get("type")), "a value") + note


def types_of(tp: Any) -> frozenset[str]:
    """Return the types that an answer's schema tells of, as JSON."""
    definitions = as_object(schema(tp)["$defs"])
    return frozenset(dumps(expanded({**part, "$defs": definitions})) for part in definitions.values())
