"""The settings of an agent as they are told: what is sent, what bounds it, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanwise.models import effort_of

from .origins import Origin
from .spec import AgentSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of an agent."""

    name: str
    """As `@agent` takes it."""
    value: str | int | float | bool | None
    """`thinking`: `thinking.type`. None: nothing is sent for it, since the model has no such thing or does not think.
    `max_tokens`: the cap of the answer, in tokens, without what is added for thinking."""
    words: str
    """The value for people."""
    origin: Origin
    more: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    """What follows from the value, as JSON-ready data."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        place = {"place": self.origin.place} if self.origin.place else {}
        return {"value": self.value, **self.more, "source": self.origin.kind, **place}


def settings_of(agent: AgentSpec) -> tuple[Setting, ...]:
    """Return the settings of an agent, those that can be left out.

    `max_turns` where it has tools, `pack` where it packs or may, and `reuse` where somebody has said it.
    """
    return tuple(_settings(agent))


def _settings(agent: AgentSpec) -> Iterator[Setting]:
    how, origins = agent.intensity, agent.origins
    if agent.effort == "default":
        level = effort_of(agent.model, None)
        words = "none" if level is None else f"default ({level})"
        yield Setting(
            name="effort", value="default", words=words, origin=origins.effort, more={"sent": None, "means": level}
        )
    else:
        yield Setting(name="effort", value=how.effort, words=how.effort or "none", origin=origins.effort)
    yield Setting(name="thinking", value=how.thinking, words=how.thinking or "none", origin=origins.thinking)
    allowed = f" + {how.allowance:,}" if how.allowance else ""
    yield Setting(
        name="max_tokens",
        value=agent.max_tokens,
        words=f"{agent.max_tokens:,}{allowed}",
        origin=origins.max_tokens,
        more={"for_thinking": how.allowance, "sent": agent.request_max_tokens},
    )
    limit = agent.time_limit_s
    yield Setting(name="time_limit_s", value=limit, words=f"{limit:g} s", origin=origins.time_limit_s)
    if agent.tools:
        yield Setting(name="max_turns", value=agent.max_turns, words=str(agent.max_turns), origin=origins.max_turns)
    if agent.pack != 1:
        words = "auto (none)" if agent.pack == "auto" else str(agent.pack)
        yield Setting(
            name="pack", value=agent.pack, words=words, origin=origins.pack, more={"inputs": agent.most_inputs}
        )
    if agent.reuse is not None:
        yield Setting(name="reuse", value=agent.reuse, words="yes" if agent.reuse else "no", origin=origins.reuse)


def told(settings: Iterable[Setting]) -> str:
    """Return settings in a line, those of one origin together, defaults last."""
    groups = by_origin((setting.origin, _phrase(setting)) for setting in settings)
    return "; ".join(f"{', '.join(texts)} ({origin})" for origin, texts in groups)


def _phrase(setting: Setting) -> str:
    match setting.name:
        case "time_limit_s":
            return f"{setting.words} an attempt"
        case "max_turns":
            return f"{setting.words} requests a task"
        case "pack":
            return f"pack {setting.words} inputs a request"
        case "reuse":
            return "equal tasks are one call" if setting.value else "equal tasks are asked one by one"
        case _:
            return f"{setting.name} {setting.words}{' to think' if setting.more.get('for_thinking') else ''}"


def set_by(settings: Iterable[Setting]) -> str:
    """Return where settings come from that are no defaults, in a line, those of one origin together."""
    groups = by_origin((setting.origin, setting.name) for setting in settings if setting.origin.kind != "default")
    return "; ".join(f"{', '.join(names)} {origin}" for origin, names in groups)


def by_origin(texts: Iterable[tuple[Origin, str]]) -> list[tuple[Origin, list[str]]]:
    """Return texts by their origin, those of defaults last."""
    groups: dict[Origin, list[str]] = {}
    for origin, text in texts:
        groups.setdefault(origin, []).append(text)
    return sorted(groups.items(), key=lambda group: group[0].kind == "default")


def settings_data(settings: Iterable[Setting]) -> dict[str, Any]:
    """Return settings as JSON-ready data, by name."""
    return {setting.name: setting.data() for setting in settings}
