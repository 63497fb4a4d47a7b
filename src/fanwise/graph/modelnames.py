"""The model that an agent file names: an alias, a full id, or a mistake with what was meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from fanwise.errors import DefinitionError, Mistake
from fanwise.models import dateless, known_models

INHERIT = "inherit"
"""The word by which a file leaves the model to whoever loads it."""
ALIASES = {
    "haiku": "claude-haiku-5-5",
    "sonnet": "claude-sonnet-5-5",
    "opus": "claude-opus-5-5",
    "fable": "claude-fable-5-2",
}
"""Aliases of a family, and the newest model of it.

Source: code.claude.com/docs/en/sub-agents, "Choose a model" (`sonnet`, `opus`, `haiku`, `fable`, a full model id, or
`inherit`), as a public copy of the page had it on 2026-11-30.
"""
_MODES = {
    "opusplan": "it is opus for plans and sonnet for the work: name one of them",
    "default": "the model of a Claude Code account: name one, or write inherit",
    "best": "the strongest model of a Claude Code account: name one",
}
"""Words for models that Claude Code's settings have, and why they name none here."""
_CONTEXT = re.compile(r"\[\d+[km]\]$")
"""`[1m]`, behind an alias or an id: a longer context, which Claude Code asks for by it (the same page)."""
_ID = re.compile(r"claude-(?:\d[\d-]*-)?(?:haiku|sonnet|opus|fable|mythos)(?:-[a-z0-9]+)*")
"""What ids of the API look like, those of models before our table too: `claude-3-5-haiku-20241022`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """What a text names."""

    model: str = ""
    """The model's id, or `inherit`; empty where it names none."""
    note: str = ""
    """What of it was not read."""
    problem: str = ""
    """Why it names no model."""
    hint: str = ""
    """What to write."""


def model_named(text: str) -> ModelName:
    """Return the model that a file names by an alias, in small or capital letters, or by an id.

    A dated id, and one of Bedrock or Vertex, stays as it is. So does one of the API's form that is not in our table:
    the server knows better, and a price that is not known is said to be unknown.
    """
    words = text.strip().strip("\"'").strip()
    name = _CONTEXT.sub("", words.lower()).strip()
    note = f"{words[len(name) :].strip()} is not read: a model has the context that the API gives it"
    note = note if name != words.lower() else ""
    if name == INHERIT:
        return ModelName(model=INHERIT, note=note)
    if name in ALIASES:
        return ModelName(model=ALIASES[name], note=note)
    if dateless(name) in known_models():
        return ModelName(model=words[: len(name)] if name == words[: len(name)] else name, note=note)
    if _ID.fullmatch(dateless(name)):
        near = _near(name)
        meant = f"; did you mean {near!r}?" if near else ""
        text_of_note = f"model {name!r} is not in the table of models, and asked for as it stands{meant}"
        return ModelName(model=name, note=note or text_of_note)
    if name in _MODES:
        return ModelName(problem=f"model {words!r} names no model", hint=_MODES[name])
    near = _near(name)
    hint = (
        f"did you mean {near!r}?" if near else f"{', '.join(ALIASES)}, {INHERIT}, or an id like {known_models()[0]!r}"
    )
    return ModelName(problem=f"model {words!r} is none of the Anthropic API", hint=hint)


def given_model(word: str, model: str | None, place: str) -> str:
    """Return the id of the model that a caller gives for agent files, by an alias or an id; empty where it gives none.

    Args:
        word: How the caller writes it.
        model: What it gives.
        place: Where.

    Raises:
        DefinitionError: It names no model.
    """
    if not model:
        return ""
    named = model_named(model)
    if named.model and named.model != INHERIT:
        return named.model
    hint = named.hint or f"give an alias or an id like {known_models()[0]!r}"
    mistake = Mistake(place, f"{word}={model!r}: {named.problem or 'that names no model'}", hint)
    raise DefinitionError(f"{word}={model!r}", (mistake,))


def _near(name: str) -> str:
    """Return what a name was probably meant to be; empty where nothing is like it."""
    plain = re.sub(r"[._\s]+", "-", name.rpartition("/")[2].partition("#")[0])
    known = [*ALIASES, INHERIT, *known_models()]
    candidates = [*known, *(model.removeprefix("claude-") for model in known_models())]
    near = get_close_matches(plain, candidates, 1, 0.75)
    if not near:
        return ""
    return near[0] if near[0] in known else f"claude-{near[0]}"
