"""What earlier sessions have shown, in sums."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fanwise.journal.records import AnswerLengths, Billed, Spent
from fanwise.journal.tables import select

from .contents import ContentsInSqlite

_UNCOUNTED = """NOT EXISTS(SELECT 1 FROM ends e
  WHERE e.attempt=p.attempt AND e.input+e.cache_write_5m+e.cache_write_1h+e.cache_read+e.output>0)"""
"""Of an attempt without a price: its reply had no usage. A share of few tokens may be none, so its end is asked."""
_ANSWERED = "status='succeeded' AND serves AND (cost IS NOT NULL OR tokens>0)"
"""Of an attempt whose reply has answered a task and said what that took."""


class FiguresInSqlite(ContentsInSqlite):
    """What was paid, how long answers were, and how many tokens characters became."""

    def spent(self, row: int | None = None) -> Spent:
        """Return what counts against a budget, of the run or a row: what is paid, and bounds of what is unknown."""
        source, args = ("all_served p WHERE row=? AND", (row,)) if row is not None else ("all_paid p WHERE", ())
        cost = "CASE WHEN status='lost' THEN reserved ELSE COALESCE(cost,reserved) END"
        tokens = f"CASE WHEN status='lost' OR (cost IS NULL AND {_UNCOUNTED}) THEN bound ELSE tokens END"
        query = (
            f"SELECT COALESCE(SUM({cost}),0) AS cost, COALESCE(SUM({tokens}),0) AS tokens FROM {source} at IS NOT NULL"
        )
        return next(select(self.db, Spent, query, args))

    def outputs(self, since: Mapping[str, float]) -> list[AnswerLengths]:
        """Return how long the answers of each agent on each model were, since a moment of its own."""
        query = f"""SELECT arm, agent, model, COUNT(*) AS answers, SUM(output) AS tokens FROM all_paid p
          WHERE {_ANSWERED} AND sent>=COALESCE((SELECT j.value FROM json_each(?) j WHERE j.key=p.arm||' '||p.agent),0)
          GROUP BY arm, agent, model"""
        return list(select(self.db, AnswerLengths, query, (json.dumps(since),)))

    def sent_and_billed(self, since: float) -> dict[str, Billed]:
        """Return by model the characters sent since a moment and the input tokens that were billed for them."""
        query = f"SELECT model, SUM(chars), SUM(prompt) FROM all_paid WHERE {_ANSWERED} AND sent>=? GROUP BY model"
        return {model: Billed(chars, tokens) for model, chars, tokens in self.db.execute(query, (since,))}
