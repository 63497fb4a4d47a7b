"""What the emulator knows of each model, typed from the documentation apart from the client's table.

Source: platform.claude.com, pages "Pricing", "Prompt caching", "Models overview", "Thinking
troubleshooting", "Token counting" and "Errors", read 2026-11-23. Where a page gives no figure the
line says "open".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

EFFORTS = ("low", "medium", "high", "xhigh", "max")
DAY_SONNET_READ = datetime(2026, 10, 7, tzinfo=UTC).timestamp()
"""Sonnet 5.5 cache reads fell from $0.20 to $0.10 on this day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. Rates are picodollars per token: a dollar per million tokens is 1,000,000."""

    line: str = ""
    rate_in: int = 0
    rate_out: int = 0
    rate_read: int = 0
    minimum: int = 512
    """Shortest prefix that is cached, in tokens."""
    tenth_chars: int = 25
    """Characters per ten tokens: 25 with the tokenizer of 2026, 34 before it."""
    thinks: bool = True
    """Whether it thinks where `thinking` is left out."""
    thinking: frozenset[str] = frozenset({"adaptive"})
    """Accepted values of `thinking.type`."""
    efforts: frozenset[str] = frozenset(EFFORTS)
    default_effort: str = "high"
    forced_tools: bool = True
    """Whether tool_choice `any` and `tool` are accepted."""
    prefill: bool = False
    """Whether the conversation may end with an assistant turn."""
    system_turns: bool = True
    """Whether a message may have the role `system`."""
    strips_thinking: bool = False
    """Whether thinking of earlier turns is dropped at a new user turn."""
    geo: bool = True
    """Whether `inference_geo` is accepted."""
    fast: Literal["", "free", "header"] = ""
    """Fast mode: none, without a beta header, or with it alone."""
    tool_prompt: tuple[int, int] = (286, 406)
    """Hidden tokens of a request with tools: tool_choice auto or none, any or tool."""
    max_output: int = 128_000
    max_input: int = 1_000_000


def _priced(model: Model, dollars_in: float, dollars_out: float, dollars_read: float) -> Model:
    """Return the model with its rates, given in dollars per million tokens."""
    return replace(
        model,
        rate_in=round(dollars_in * 1_000_000),
        rate_out=round(dollars_out * 1_000_000),
        rate_read=round(dollars_read * 1_000_000),
    )


_OPTIONAL = frozenset({"adaptive", "disabled"})
_BUDGET = frozenset({"enabled", "disabled"})
_OLD = (497, 589)
_FABLE, _MYTHOS = Model(line="fable"), Model(line="mythos")
_FABLE_5_1, _MYTHOS_5_1 = replace(_FABLE, forced_tools=False), replace(_MYTHOS, forced_tools=False)
_FABLE_5_2, _MYTHOS_5_2 = replace(_FABLE_5_1, fast="free"), replace(_MYTHOS_5_1, fast="free")
_OPUS_5 = Model(line="opus", thinking=_OPTIONAL, fast="header")
_OPUS_4 = replace(_OPUS_5, thinks=False, fast="", system_turns=False)
_OPUS_4_6 = replace(
    _OPUS_4,
    minimum=4096,
    tenth_chars=34,
    tool_prompt=_OLD,
    thinking=frozenset({"adaptive", "enabled", "disabled"}),
    efforts=frozenset(EFFORTS) - {"xhigh"},  # it names the others where it refuses this one (recorded)
)
_SONNET_4_6 = replace(_OPUS_4_6, line="sonnet", minimum=1024)
# Hidden tool tokens of the 4.5 models but Haiku, and which of them take effort: open.
_OPUS_4_5 = replace(_OPUS_4_6, thinking=_BUDGET, efforts=frozenset(), prefill=True, geo=False)
_SONNET_4_5 = replace(_OPUS_4_5, line="sonnet", minimum=1024, strips_thinking=True)
_HAIKU_4_5 = replace(
    _SONNET_4_5, line="haiku", minimum=4096, tool_prompt=(496, 588), max_output=64_000, max_input=200_000
)
MODELS: dict[str, Model] = {
    "claude-fable-5-2": _priced(_FABLE_5_2, 8, 40, 0.20),  # minimum and forced tools: open, taken as 5.1's
    "claude-mythos-5-2": _priced(_MYTHOS_5_2, 8, 40, 0.20),  # likewise
    "claude-fable-5-1": _priced(_FABLE_5_1, 10, 50, 0.25),
    "claude-mythos-5-1": _priced(_MYTHOS_5_1, 10, 50, 0.25),
    "claude-fable-5": _priced(_FABLE, 10, 50, 1),
    "claude-mythos-5": _priced(_MYTHOS, 10, 50, 1),
    "claude-opus-5-5": _priced(
        Model(line="opus", default_effort="medium", forced_tools=False, fast="free"), 4, 20, 0.20
    ),
    "claude-opus-5": _priced(_OPUS_5, 5, 25, 0.50),
    "claude-opus-4-8": _priced(
        replace(_OPUS_4, minimum=1024, system_turns=True, fast="header", tool_prompt=(290, 410)), 5, 25, 0.50
    ),
    "claude-opus-4-7": _priced(replace(_OPUS_4, minimum=2048, tool_prompt=(675, 804)), 5, 25, 0.50),
    "claude-opus-4-6": _priced(_OPUS_4_6, 5, 25, 0.50),
    "claude-opus-4-5": _priced(_OPUS_4_5, 5, 25, 0.50),
    "claude-sonnet-5-5": _priced(
        Model(line="sonnet", thinking=frozenset({"adaptive", "between_tools"}), forced_tools=False), 2, 10, 0.10
    ),
    "claude-sonnet-5": _priced(
        Model(line="sonnet", minimum=1024, thinking=_OPTIONAL, system_turns=False, tool_prompt=(354, 474)), 2, 10, 0.20
    ),
    "claude-sonnet-4-6": _priced(_SONNET_4_6, 3, 15, 0.30),
    "claude-sonnet-4-5": _priced(_SONNET_4_5, 3, 15, 0.30),
    "claude-haiku-5-5": _priced(Model(line="haiku", thinking=_OPTIONAL, default_effort="medium"), 0.10, 0.50, 0.01),
    "claude-haiku-4-5": _priced(_HAIKU_4_5, 1, 5, 0.10),
}


_OF_CLOUDS = re.compile(
    r"(?:[^@]*[./])?anthropic\.(?P<bedrock>claude-.+?)(?:-v[0-9]+(?::[0-9]+)?)?|(?P<vertex>claude-[^@]+)@.+"
)
"""How Bedrock and Vertex name models; a program that is written for them may ask the emulator too."""


def find_model(name: str) -> Model | None:
    """Return a model by id, with or without its date, as the API or as a cloud names it."""
    return MODELS.get(name) or MODELS.get(dateless_name(name))


def dateless_name(name: str) -> str:
    """Return a known model's id without its date and without what a cloud writes around it."""
    found = _OF_CLOUDS.fullmatch(name)
    name = (found["bedrock"] or found["vertex"]) if found is not None else name
    head, _, date = name.rpartition("-")
    return head if len(date) == 8 and date.isdigit() else name
