"""A forecast as people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.context.layout import Texts
from fanwise.graph.remarks import without_words
from fanwise.graph.settings import set_by
from fanwise.ledger.forecast import Forecast, PlannedSettings, PrefixNode
from fanwise.units import usd

from .harmless import one_line
from .words import agent_name

OTHER_TEXTS: Mapping[Texts, str] = {
    "plain": "answered in plain text, beside the envelope of schemas",
    "enclosed": "answered in an envelope of schemas, for a cache in common",
}
SERVED = ("tasks", "served", "served_at_most")
SOURCES = {"counted": "counted by the API", "learnt": "learnt from usage", "documented": "by characters, as documented"}


def show_forecast(forecast: Forecast, console: Console) -> None:
    """Print a forecast."""
    _say(console, _head(forecast), style="bold yellow")
    if forecast.unpriced:
        _say(console, f"no price is known of {', '.join(forecast.unpriced)}: it is in no figure", style="bold red")
    for agent, tools in forecast.tools_missing.items():
        _say(console, one_line(without_words(agent, tools)), style="bold yellow")
    for note in forecast.notes:
        _say(console, one_line(f"note: {note}", 3_000), style="yellow")
    sources = "; ".join(f"{model} {SOURCES[source]}" for model, source in forecast.size_sources.items())
    _say(console, f"sizes of texts: {sources}")
    console.print(_prices(forecast))
    if forecast.own_baseline:
        _say(console, "the graph has one agent, so its calls are the single agent's: 1.00 times the tokens and dollars")
    if forecast.strict_costs:
        costs = ", ".join(f"{_money(cost)} {channel}" for channel, cost in forecast.strict_costs.items())
        _say(console, f"with a strict schema per agent, each with a cache of its own: {costs} (--schemas strict)")
    for other in forecast.text_costs:
        costs = ", ".join(f"{_money(cost)} {channel}" for channel, cost in other.costs.items())
        _say(console, f"with the text of {', '.join(other.agents)} {OTHER_TEXTS[other.texts]}: {costs}")
    for line in _served(forecast):
        _say(console, line)
    for packs in forecast.pack_costs:
        costs = ", ".join(f"{_money(cost)} {channel}" for channel, cost in packs.costs.items())
        _say(console, f"{_packed(packs.inputs)}: {costs}")
    _say(console, _time(forecast))
    console.print(_agents(forecast))
    console.print(_settings(forecast))
    for line in (*_auto_channels(forecast), *_prefixes(forecast)):
        _say(console, line)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style))


def _packed(inputs: Mapping[str, int]) -> str:
    if set(inputs.values()) == {1}:
        return f"with one input a request for {', '.join(inputs)}"
    agents = ", ".join(f"{name} by {count}" for name, count in inputs.items())
    return f"with inputs packed, {agents} (pack={next(iter(inputs.values()))}; see on labelled rows that answers hold)"


def _money(pico: int) -> str:
    return f"${usd(pico):,.4f}"


def _head(forecast: Forecast) -> str:
    """Return what the forecast was made from, and whether anything was paid for it."""
    source = "PLAN: nothing was sent or paid" if forecast.simulated else "PLAN: from a sample"
    rejected = f" ({forecast.rejected} set aside)" if forecast.rejected else ""
    is_paid = forecast.paid and not forecast.simulated
    by_whom = "and paid for" if is_paid else "by stand-ins, whose outputs stand for the model's"
    return f"{source}; {forecast.sampled} of {forecast.rows:,} rows{rejected} were carried out {by_whom}"


def _prices(forecast: Forecast) -> Table:
    names = ("channel", "side", "expected", "range", "worst case")
    table = Table(*names, box=None, pad_edge=False, header_style="dim")
    for price in forecast.prices:
        span = f"{_money(price.low)} to {_money(price.high)}"
        table.add_row(price.channel, price.arm, _money(price.expected), span, _money(price.worst))
    return table


def _served(forecast: Forecast) -> Iterator[str]:
    """Yield for each side how many of its tasks are served by equal ones."""
    channel = forecast.agents[0].channel if forecast.agents else "auto"
    for arm, side in (("fanout", "fan-out"), ("baseline", "single agent")):
        agents = [agent for agent in forecast.agents if (agent.channel, agent.arm) == (channel, arm)]
        tasks, served, most = (sum(getattr(agent, name) for agent in agents) for name in SERVED)
        if served:
            more = f", {most:,} if answers come out as alike as the stand-ins'" if most > served else ""
            yield f"of {tasks:,} tasks of the {side} {served:,} are equal to others and are served by them{more}"
        elif most:
            unless = "if answers come out as alike as the stand-ins'"
            yield f"of {tasks:,} tasks of the {side} {most:,} are equal to others, and served by them, {unless}"


def _time(forecast: Forecast) -> str:
    minutes = ", ".join(f"{minutes:.1f} min ({level})" for level, minutes in forecast.live_minutes.items())
    rounds = f"{forecast.batch_rounds} batch round{'s' if forecast.batch_rounds != 1 else ''} deep"
    return f"time: {rounds}, each most often within an hour; live at least {minutes} by the documented rate limits"


def _agents(forecast: Forecast) -> Table:
    names = ("channel", "agent", "model", "calls", "in", "written", "read", "out")
    table = Table(*names, box=None, pad_edge=False, header_style="dim")
    for column in table.columns[3:]:
        column.justify = "right"
    channels = {agent.channel for agent in forecast.agents}
    for agent in forecast.agents:
        if agent.channel == "auto" and len(channels) > 1:
            continue  # a line below says which of the others it takes for whom
        usage = agent.usage
        written = usage.cache_write_5m + usage.cache_write_1h
        counts = (agent.calls, usage.input, written, usage.cache_read, usage.output)
        table.add_row(agent.channel, agent.agent, agent.model, *(f"{count:,}" for count in counts))
    return table


def _settings(forecast: Forecast) -> Table:
    """Return how each agent is asked, and where that comes from."""
    settings = [setting for agent in forecast.settings for setting in agent.settings]
    cap = "max_tokens + thinking" if any(setting.more.get("for_thinking") for setting in settings) else "max_tokens"
    names = {"effort": "effort", "thinking": "thinking", "max_tokens": cap, "time_limit_s": "time limit"}
    if any(setting.name == "max_turns" for setting in settings):
        names["max_turns"] = "requests"
    if any(setting.name == "pack" for setting in settings):
        names["pack"] = "pack"
    if any(setting.name == "reuse" for setting in settings):
        names["reuse"] = "reuse"
    table = Table("agent", *names.values(), "set by (else default)", box=None, pad_edge=False, header_style="dim")
    variants = Counter((agent.arm, agent.agent) for agent in forecast.settings)
    for agent in forecast.settings:
        words = {setting.name: setting.words for setting in agent.settings}
        is_varied = variants[agent.arm, agent.agent] > 1
        table.add_row(
            f"{agent_name(agent.arm, agent.agent)}{f' as {_tasks(agent)}' if is_varied else ''}",
            *(words.get(name, "") for name in names),
            set_by(agent.settings),
        )
    return table


def _tasks(agent: PlannedSettings) -> str:
    return ", ".join(agent.tasks)


def _auto_channels(forecast: Forecast) -> Iterator[str]:
    """Yield which channel `--channel auto` takes for each agent."""
    by_way: dict[str, list[str]] = {}
    for agent in forecast.agents:
        if agent.channel == "auto" and agent.calls:
            name, batch = agent_name(agent.arm, agent.agent), min(agent.batch_calls, agent.calls)
            if 0 < batch < agent.calls:
                by_way.setdefault("partly by batch", []).append(f"{name} ({batch:,} of {agent.calls:,} calls)")
            else:
                by_way.setdefault("by batch" if batch else "live", []).append(name)
    if by_way:
        yield "auto sends " + "; ".join(f"{way}: {', '.join(names)}" for way, names in by_way.items())


def _prefixes(forecast: Forecast) -> Iterator[str]:
    for arm, roots in forecast.prefixes.items():
        if roots:
            yield f"prefixes of the {'fan-out' if arm == 'fanout' else arm}, as live calls cache them:"
            yield from _tree(roots, "")


def _tree(nodes: list[PrefixNode], indent: str) -> Iterator[str]:
    for node in nodes:
        last = node is nodes[-1]
        yield f"{indent}{'└─' if last else '├─'} {' + '.join(node.blocks)}: about {node.tokens:,} tokens"
        inner = indent + ("   " if last else "│  ")
        yield f"{inner}   {', '.join(node.agents)}: 1 write, {node.calls - 1:,} reads, {_cost(node)}"
        yield from _tree(node.inner, inner)


def _cost(node: PrefixNode) -> str:
    costs = node.dollars()
    if costs is None:
        return "price unknown"
    cached, plain = costs
    return f"{_money(cached)} where uncached {_money(plain)}"
