"""What an agent is told, apart from its context and its values: its instructions, and its examples behind them."""

from __future__ import annotations

from fanwise.context.envelope import seal
from fanwise.context.exampletexts import ShownExample, with_examples
from fanwise.graph.spec import AgentSpec
from fanwise.graph.types import is_block


def told(agent: AgentSpec) -> str:
    """Return what an agent is told that answers by itself."""
    return _text(agent, [ShownExample(example.inputs, example.answer) for example in agent.examples])


def told_in_envelope(agent: AgentSpec) -> str:
    """Return what an agent is told that answers in the envelope of its family."""
    return _text(
        agent, [ShownExample(example.inputs, seal(agent.name, example.enclosed)) for example in agent.examples]
    )


def _text(agent: AgentSpec, examples: list[ShownExample]) -> str:
    blocks = [name for name, tp in agent.params.items() if is_block(tp)]
    return with_examples(agent.instructions, examples, blocks)
