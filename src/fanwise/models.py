"""What is known of each model: cache minimum, thinking, effort, output limit, tokenizer.

Source of the table: platform.claude.com documentation, pages "Prompt caching", "Thinking
troubleshooting" and "Models overview", as read on 2026-11-23. Prices are in `pricing`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Effort = Literal["low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")
EffortIntent = Effort | Literal["default"]
"""What an agent may be given: an effort, or `default`, which sends none and leaves it to the model."""
EFFORT_INTENTS: tuple[EffortIntent, ...] = (*EFFORTS, "default")

THINKING_ALLOWANCE: dict[Effort, int] = {
    "low": 1_024,
    "medium": 4_096,
    "high": 12_288,
    "xhigh": 24_576,
    "max": 49_152,
}
"""Tokens added to `max_tokens` where a model thinks, so that thinking never cuts the answer short.

A choice of ours, not a documented figure: the API only says that thinking counts as output.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """Facts about one model id."""

    cache_minimum: int
    """Shortest prefix that is cached, in tokens; a shorter one is silently processed in full."""
    chars_per_token: float
    """Documented average for English text: 2.5 for the tokenizer of 2026, 3.4 before it."""
    efforts: tuple[Effort, ...]
    """Accepted values of `output_config.effort`; empty where the model has none."""
    default_effort: Effort | None
    """The effort at which it works where none is sent; None where the model has none."""
    least_thinking: str | None
    """`thinking.type` that thinks least; None: leave the parameter out, the model does not think."""
    always_thinks: bool
    """True where thinking cannot be switched off."""
    max_output: int
    """Upper limit of `max_tokens`."""


def _facts(
    minimum: int,
    least: str | None,
    *,
    always: bool = False,
    old_tokenizer: bool = False,
    effort: Effort | None = "high",
    efforts: tuple[Effort, ...] = EFFORTS,
    limit: int = 128_000,
) -> ModelFacts:
    return ModelFacts(
        cache_minimum=minimum,
        chars_per_token=3.4 if old_tokenizer else 2.5,
        efforts=efforts if effort is not None else (),
        default_effort=effort,
        least_thinking=least,
        always_thinks=always,
        max_output=limit,
    )


_WITHOUT_XHIGH: tuple[Effort, ...] = ("low", "medium", "high", "max")
"""Of Opus and Sonnet 4.6: the API names these where it refuses xhigh (recorded, read 2026-11-30)."""
_FABLE = _facts(512, "adaptive", always=True)
_TABLE: dict[str, ModelFacts] = {
    "claude-fable-5-2": _FABLE,
    "claude-mythos-5-2": _FABLE,
    "claude-fable-5-1": _FABLE,
    "claude-mythos-5-1": _FABLE,
    "claude-fable-5": _FABLE,
    "claude-mythos-5": _FABLE,
    "claude-opus-5-5": _facts(512, "adaptive", always=True, effort="medium"),
    "claude-sonnet-5-5": _facts(512, "between_tools", always=True),
    "claude-haiku-5-5": _facts(512, "disabled", effort="medium"),
    "claude-opus-5": _facts(512, "disabled"),
    "claude-sonnet-5": _facts(1_024, "disabled"),
    "claude-opus-4-8": _facts(1_024, None),
    "claude-opus-4-7": _facts(2_048, None),
    "claude-opus-4-6": _facts(4_096, None, old_tokenizer=True, efforts=_WITHOUT_XHIGH),
    "claude-sonnet-4-6": _facts(1_024, None, old_tokenizer=True, efforts=_WITHOUT_XHIGH),
    "claude-opus-4-5": _facts(4_096, None, old_tokenizer=True, effort=None),
    "claude-sonnet-4-5": _facts(1_024, None, old_tokenizer=True, effort=None),
    "claude-haiku-4-5": _facts(4_096, None, old_tokenizer=True, effort=None, limit=64_000),
}
_UNKNOWN = _facts(512, None, effort=None)


STRONGEST_FIRST: tuple[str, ...] = (
    "claude-mythos-5-2", "claude-fable-5-2", "claude-mythos-5-1", "claude-fable-5-1", "claude-mythos-5",
    "claude-fable-5", "claude-opus-5-5", "claude-opus-5", "claude-opus-4-8", "claude-sonnet-5-5", "claude-opus-4-7",
    "claude-opus-4-6", "claude-sonnet-5", "claude-opus-4-5", "claude-sonnet-4-6", "claude-haiku-5-5",
    "claude-sonnet-4-5", "claude-haiku-4-5",
)  # fmt: skip
"""Whom a single agent is asked of, where the agents of a graph have several models.

A choice of ours, by line and by age, and not by price: the dearest model is not the best at every job.
"""


def strongest(models: Sequence[str]) -> str:
    """Return the first of some models by `STRONGEST_FIRST`; one that is not in it comes behind those that are."""
    order = {model: place for place, model in enumerate(STRONGEST_FIRST)}
    return min(models, key=lambda model: order.get(model, order.get(dateless(model), len(order))))


def known_models() -> tuple[str, ...]:
    """Return the model ids of the table, newest line first."""
    return tuple(_TABLE)


def facts(model: str) -> ModelFacts:
    """Return what is known of `model`; an unknown id gets the most careful assumptions.

    A dated id (`claude-haiku-4-5-20251001`) has the facts of its dateless form, and so has an id of Bedrock or Vertex.
    """
    return _TABLE.get(model) or _TABLE.get(dateless(model)) or _UNKNOWN


_BEDROCK = re.compile(r"(?:arn:[^/]*/)?(?:[a-z][a-z-]*\.)?anthropic\.(claude-[a-z0-9.-]*?)(?:-v\d+(?::\d+)?)?")
"""`anthropic.claude-haiku-4-5-20251001-v1:0`, behind a region or none (`us.`, `eu.`, `apac.`, `global.`), or as the
last part of the name of an inference profile."""
_VERTEX = re.compile(r"(claude-[a-z0-9.-]+)@(\d{8}|[a-z]+)")
"""`claude-haiku-4-5@20251001`, or `@default`."""


@lru_cache(maxsize=1024)
def native(model: str) -> str:
    """Return the id that the API itself has for a model, where it is named as Bedrock or Vertex name it.

    Their forms are those of the names that SDK 2.12.0 and genai-prices 0.2.3 know of both, read 2026-11-29.
    """
    bedrock, vertex = _BEDROCK.fullmatch(model), _VERTEX.fullmatch(model)
    if bedrock is not None:
        return bedrock[1]
    if vertex is not None:
        return f"{vertex[1]}-{vertex[2]}" if vertex[2].isdigit() else vertex[1]
    return model


def dateless(model: str) -> str:
    """Return the API's own id of a model without its trailing date of eight digits."""
    name = native(model)
    head, _, tail = name.rpartition("-")
    return head if head and len(tail) == 8 and tail.isdigit() else name


@dataclass(frozen=True, slots=True)
class Intensity:
    """How hard a model is asked to work, in the API's parameters."""

    thinking: str | None
    """`thinking.type`, or None to leave the parameter out."""
    effort: Effort | None
    """`output_config.effort`, or None to leave it out."""
    allowance: int
    """Tokens added to `max_tokens` for thinking."""


def intensity(model: str, thinking: bool | None, effort: EffortIntent | None) -> Intensity:
    """Resolve the intents of an agent for one model; the default is the least it allows.

    With effort `default` the model works at the effort that it takes where none is sent ("Thinking troubleshooting",
    read 2026-11-23: medium for Haiku 5.5 and Opus 5.5, high for the others that have one). What is sent for thinking
    is as at that effort, and so is the allowance.

    Args:
        model: Model id.
        thinking: True to think, False not to, None for the least.
        effort: Effort asked for, `default` to send none, None for the least.

    Raises:
        ValueError: The model cannot do what is asked; the text says what it can.
    """
    model_facts = facts(model)
    if effort is not None and effort not in EFFORT_INTENTS:
        raise ValueError(f"effort is {effort!r}; write one of {', '.join(EFFORT_INTENTS)}")
    if effort not in (None, "default", *model_facts.efforts):
        takes = ", ".join(model_facts.efforts)
        how = f"no effort {effort!r}; write one of {takes}" if takes else "no effort; leave effort out"
        raise ValueError(f"{model} takes {how} or choose another model")
    if thinking is False and model_facts.always_thinks:
        raise ValueError(f"{model} always thinks; leave thinking out, or use claude-haiku-5-5")
    sent = None if effort == "default" else effort or ("low" if model_facts.efforts else None)
    if thinking:
        return _thinking(model, sent)
    return _least_thinking(model, model_facts, sent)


def effort_of(model: str, sent: Effort | None) -> Effort | None:
    """Return the effort at which a model works; None where it has none.

    It keys the cache: an explicit default is as if it were left out ("Prompt caching", read 2026-11-23).

    Args:
        model: Model id.
        sent: `output_config.effort`; None: it is left out.
    """
    return sent or facts(model).default_effort


def _thinking(model: str, sent: Effort | None) -> Intensity:
    """Return what is sent where a model shall think.

    Raises:
        ValueError: It thinks in no way that we send.
    """
    effort = effort_of(model, sent)
    if effort is None:
        raise ValueError(f"{model} thinks only with a fixed budget, which fanwise does not send")
    return Intensity("adaptive", sent, THINKING_ALLOWANCE[effort])


def _least_thinking(model: str, model_facts: ModelFacts, sent: Effort | None) -> Intensity:
    """Return what is sent where a model shall think as little as it can at an effort.

    Raises:
        ValueError: At that effort it cannot stop thinking.
    """
    least, effort = model_facts.least_thinking, effort_of(model, sent)
    if effort in ("xhigh", "max"):
        if least == "disabled":
            raise ValueError(f"{model} cannot switch thinking off at effort {effort!r}; set thinking=True")
        if least == "between_tools":
            least = "adaptive"
    thinks = model_facts.always_thinks and least != "between_tools"
    return Intensity(least, sent, THINKING_ALLOWANCE[effort or "low"] if thinks else 0)
