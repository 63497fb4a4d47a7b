"""Published figures on when many agents pay, each with its source and the user's own figure beside it."""

from __future__ import annotations

from fanwise.ledger.advice import PublishedRule, WorkShape

KIM = "Kim et al., arXiv 2512.08296"
TRAN = "Tran and Kiela, arXiv 2604.02460"
LUMER = "Lumer et al., arXiv 2601.06007"
ANTHROPIC = "Anthropic, 2025 and 2026"
NO_SINGLE = "no other agent alone does the row here"


def published_rules(shape: WorkShape) -> tuple[PublishedRule, ...]:
    """Return the published rules with the figures of a graph beside them."""
    if shape.tokens is None or shape.usd is None:
        times = overhead = dollars = NO_SINGLE
    else:
        times = f"{shape.tokens:.2f} times the tokens of one agent, forecast"
        overhead = f"{shape.tokens - 1:+.0%} tokens against one agent, forecast"
        dollars = f"{shape.usd:.2f} times the dollars of one agent, forecast"
    items = f", per item of a list {', '.join(shape.per_item)}" if shape.per_item else ""
    return (
        PublishedRule(
            KIM,
            "many agents gave +81 % on work that decomposes and -70 % on steps that follow one another",
            f"{shape.at_once} of {shape.agents} agents at once, {shape.depth} deep{items}",
        ),
        PublishedRule(
            KIM,
            "gains vanish where one agent alone is right in more than about 45 % of the cases",
            "no plan can tell; fanwise compare --labels measures it",
        ),
        PublishedRule(
            KIM, "tokens: independent +58 %, decentralised +263 %, centralised +285 %, hybrid +515 %", overhead
        ),
        PublishedRule(
            ANTHROPIC, "many agents take 3 to 10 times the tokens for equal tasks, about 15 times those of chat", times
        ),
        PublishedRule(TRAN, "with equal tokens for thinking one agent matches or beats five designs of many", dollars),
        PublishedRule(
            LUMER,
            "caching takes 45 to 80 % off what agents cost",
            f"{shape.read:.0%} of the prompts are read from the cache; {shape.twice_share:.0%} of what a row sends, it "
            "has sent before",
        ),
    )
