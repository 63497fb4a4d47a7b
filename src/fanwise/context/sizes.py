"""How many tokens a text has: counted by the API, learnt from usage, or by the documented average.

No tokenizer of these models is published. What `count_tokens` has said of a text is kept by its
content; other texts of the model go by the average of those, or by what replies have shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fanwise.canonical import digest
from fanwise.models import facts

Source = Literal["counted", "learnt", "documented"]
ENOUGH_TOKENS = 1_000
"""Tokens of usage from which an average is believed."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """Sizes of texts by model; the same object for a whole run, so that its layout does not change."""

    counted: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict[tuple[str, str], tuple[int, int]])
    """By model and hash of the text: its characters and its tokens."""
    usage: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By model: characters that were sent and tokens that were billed."""

    def source(self, model: str) -> Source:
        """Return where the sizes of a model's texts come from."""
        if any(name == model for name, _ in self.counted):
            return "counted"
        return "learnt" if self.usage.get(model, (0, 0))[1] >= ENOUGH_TOKENS else "documented"

    def per_token(self, model: str) -> float:
        """Return the characters of a token, on average."""
        pairs = [pair for (name, _), pair in self.counted.items() if name == model]
        chars, tokens = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        if not tokens:
            chars, tokens = self.usage.get(model, (0, 0))
            if tokens < ENOUGH_TOKENS:
                return facts(model).chars_per_token
        return chars / tokens

    def tokens(self, text: str, model: str) -> int:
        """Return the tokens of a text: exact where it was counted, else by the average."""
        counted = self.counted.get((model, digest(text)))
        return counted[1] if counted is not None else math.ceil(len(text) / self.per_token(model))

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        counted = [[model, sha, *pair] for (model, sha), pair in sorted(self.counted.items())]
        return {"counted": counted, "usage": {model: list(pair) for model, pair in sorted(self.usage.items())}}


def sizes_from(data: Mapping[str, Any]) -> Sizes:
    """Return sizes from what `data` made of them."""
    counted = {(model, sha): (chars, tokens) for model, sha, chars, tokens in data.get("counted", ())}
    return Sizes(counted, {model: (pair[0], pair[1]) for model, pair in data.get("usage", {}).items()})


DOCUMENTED = Sizes()
"""Nothing was counted or learnt."""
