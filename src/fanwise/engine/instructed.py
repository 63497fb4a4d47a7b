"""What an agent is told, apart from its context and its values: its instructions, and its examples behind them."""

from __future__ import annotations

from collections.abc import Callable

from fanwise.context.envelope import seal
from fanwise.context.exampletexts import ShownExample, with_examples
from fanwise.context.packing import RULE
from fanwise.graph.examples import CheckedExample
from fanwise.graph.packs import one_answer
from fanwise.graph.spec import AgentSpec
from fanwise.graph.types import is_block


def told(agent: AgentSpec) -> str:
    """Return what an agent is told that answers by itself, an input at a time."""
    return _text(agent, agent.instructions, lambda example: example.answer)


def told_in_request(agent: AgentSpec) -> str:
    """Return what an agent is told that answers by itself, in its own requests: they may show several inputs."""
    if not agent.packs:
        return told(agent)
    return _text(agent, _packed(agent), lambda example: one_answer(example.enclosed), packs=True)


def told_in_envelope(agent: AgentSpec) -> str:
    """Return what an agent is told that answers in the envelope of its family."""
    if not agent.packs:
        return _text(agent, agent.instructions, lambda example: seal(agent.name, example.enclosed))
    return _text(agent, _packed(agent), lambda example: seal(agent.name, one_answer(example.enclosed)), packs=True)


def _packed(agent: AgentSpec) -> str:
    return f"{agent.instructions}\n\n{RULE}"


def _text(agent: AgentSpec, instructions: str, answer: Callable[[CheckedExample], str], *, packs: bool = False) -> str:
    blocks = [name for name, tp in agent.params.items() if is_block(tp)]
    examples = [ShownExample(example.inputs, answer(example)) for example in agent.examples]
    return with_examples(instructions, examples, blocks, packs=packs)
