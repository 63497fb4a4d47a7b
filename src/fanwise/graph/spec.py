"""The settings of an agent, checked and resolved: everything that shapes its requests but the slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fanwise.blocks import Block
from fanwise.models import EffortIntent, Intensity

from .examples import CheckedExample
from .notes import Note
from .origins import DEFAULTS, Origins
from .toolnames import NO_NAMES, ToolNames
from .tools import Source

PackIntent = int | Literal["auto"]
"""How many inputs one request may show; `auto`: as many as it was shown to answer as well as one."""
AUTO_INPUTS = 8
"""Inputs of a request whose price is told where `auto` is given: more take little more off what they share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """What an agent is, apart from the values of one task."""

    name: str
    tiers: tuple[str, ...]
    """Models that may carry out its tasks; one for now."""
    instructions: str
    context: tuple[Block, ...]
    max_tokens: int
    """Cap of the answer, in tokens, thinking not included."""
    effort: EffortIntent | None
    """As the user asked for it, `default` to leave it to the model; None: the least that the model allows."""
    thinking: bool | None
    """As the user asked for it; None: the least that the model allows."""
    intensity: Intensity
    """What is sent for `effort` and `thinking`, resolved for the model."""
    time_limit_s: float
    """Seconds that one attempt may take."""
    params: Mapping[str, Any]
    """Parameter types, in the order of the signature."""
    output: Any
    """The return type."""
    schema: Mapping[str, Any]
    """JSON schema of the answer's value, each of its types a definition, see `schema`."""
    place: str
    tools: tuple[Source, ...] = ()
    """What the model may call on its way to an answer."""
    max_turns: int = 1
    """Requests that one task may take: each round of tools is one more."""
    description: str = ""
    """What it is for, as its file says it; the agent itself is not told."""
    without: tuple[str, ...] = ()
    """Tools that its file names and that it runs without."""
    denied: ToolNames = field(default=NO_NAMES, compare=False)
    """Tools that its file forbids, also those that are given to it later."""
    notes: tuple[Note, ...] = ()
    """What of its file was not read, or read otherwise than it stands there."""
    pack: PackIntent = 1
    """Inputs that one request may show, as the user asked for it."""
    examples: tuple[CheckedExample, ...] = ()
    """Inputs and the answers to them that the model is shown behind the instructions."""
    reuse: bool | None = None
    """Whether equal tasks are one call, as the user asked for it; None: where it has no tools."""
    most_repairs: int = 1
    """How often an answer that cannot be used goes back to the model with the reason, for one task."""
    origins: Origins = field(default=DEFAULTS, compare=False)
    """Where settings come from."""

    @property
    def most_inputs(self) -> int:
        """Inputs that one request may show; 1 by `auto` too, since nothing has shown that packs hold."""
        return 1 if self.pack == "auto" else self.pack

    @property
    def packs(self) -> bool:
        """Whether its requests may show several inputs."""
        return self.most_inputs > 1

    @property
    def model(self) -> str:
        """The model that its settings are resolved for: the only tier."""
        return self.tiers[0]

    @property
    def reuses(self) -> bool:
        """Whether equal tasks are one call. What tools do, and what they read, is another each time."""
        return not self.tools if self.reuse is None else self.reuse

    @property
    def most_requests(self) -> int:
        """Requests that one task may take where none is asked again: one for each round of tools."""
        return self.max_turns if self.tools else 1

    @property
    def request_max_tokens(self) -> int:
        """The `max_tokens` of a request: the answer's cap and the allowance for thinking."""
        return self.max_tokens + self.intensity.allowance
