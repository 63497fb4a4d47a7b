"""Whether an agent can answer several inputs in one request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .kinds import holds_media
from .packs import most_inputs
from .schema import OPTIONAL_LIMIT
from .spec import AUTO_INPUTS, AgentSpec, PackIntent
from .types import is_block


def given_pack(pack: Any) -> PackIntent:
    """Return what a caller has given for `pack`, 0 where that is nothing; anything else is checked with the rest."""
    return 0 if pack is None else -1 if pack == 0 else pack


def packable_inputs(agent: AgentSpec) -> int:
    """Return how many inputs `auto` would pack, were it shown to hold; 1 where they cannot be packed."""
    most = min(AUTO_INPUTS, most_inputs(agent.output))
    return 1 if pack_problems(replace(agent, pack=most)) else most


def pack_problems(spec: AgentSpec) -> list[str]:
    """Return why an agent cannot pack inputs as it is told to; nothing where it can."""
    pack: Any = spec.pack
    if pack == "auto" or (type(pack) is int and pack == 1):
        return []
    if type(pack) is not int or not 1 <= pack <= OPTIONAL_LIMIT:
        shown = 0 if pack == -1 else pack
        return [f"pack {shown!r} is not a number of inputs within 1 and {OPTIONAL_LIMIT}, nor 'auto'"]
    texts: list[str] = []
    most = most_inputs(spec.output)
    if pack > most:
        texts.append(
            f"pack {pack} needs a field for each answer, and the API takes {OPTIONAL_LIMIT} fields that may be left "
            f"out and 16 unions: {f'pack {most} inputs at most' if most > 1 else 'leave out pack'}"
        )
    if spec.tools:
        texts.append("packs inputs and has tools, which one answer for several cannot call; leave out one of them")
    for name, tp in spec.params.items():
        if is_block(tp) or holds_media(tp):
            texts.append(
                f"packs inputs, and {name} is a block, an image or a PDF, which has a place of its own in a request; "
                "leave out pack"
            )
    return texts
