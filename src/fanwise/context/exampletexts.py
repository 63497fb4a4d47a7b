"""Examples as a model reads them, behind the instructions: an input as a request shows it, an output as it is answered.

They are made of the functions that make requests and answers, so the bytes of an example are those of a real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from .packing import packed
from .tags import closed
from .valuetexts import value_text

OPENING = "Examples, each an input and the output for it:"
"""Says neither who answers nor in which form: the single agent is told the same of each part of its work."""


class ShownExample(NamedTuple):
    """An example as it is to be shown."""

    inputs: Mapping[str, Any]
    """Values by parameter, in the order of the signature."""
    output: str
    """The text that a model would answer."""


def with_examples(
    instructions: str, examples: Iterable[ShownExample], blocks: Collection[str] = (), *, packs: bool = False
) -> str:
    """Return what an agent is told: its instructions and behind them its examples; these alone where there are none.

    Args:
        instructions: Of the agent.
        examples: Its examples, in order.
        blocks: Parameters that are blocks of the row: a text stands between tags, of any length, in front of the rest.
        packs: Whether requests show several inputs: an example is one of one.
    """
    texts = [closed("example", _text(example, blocks, packs=packs)) for example in examples]
    return "\n\n".join([instructions, "\n".join([OPENING, *texts])]) if texts else instructions


def _text(example: ShownExample, blocks: Collection[str], *, packs: bool) -> str:
    inputs = example.inputs
    in_blocks = [name for name in inputs if name in blocks and isinstance(inputs[name], str)]
    lines = [closed(name, inputs[name]) for name in in_blocks]
    lines += [value_text(name, value).shown for name, value in inputs.items() if name not in in_blocks]
    shown = "\n".join(lines)
    return "\n".join([packed([shown]) if packs else closed("input", shown), closed("output", example.output)])
