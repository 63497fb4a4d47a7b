"""The summary of a run: one JSON-ready object, money as decimal strings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from fanwise.journal.meta import CHOICES, HALTED, MODELLED, NOTES, OFFLINE, RunOrigin
from fanwise.units import usd_text

from .account import Totals, failed_tasks, row_counts, succeeded, totals
from .composition import composition
from .composition import data as composition_data
from .floor import floor
from .levers import data, levers
from .multiplier import multiplier
from .slices import slices
from .worst import worst

FORMAT = 2
"""Of `summary.json` and `results.jsonl`: as long as it stays, keys are added and none is renamed."""


def summary(db: sqlite3.Connection, *, bill: int | None = None) -> dict[str, Any]:
    """Return the account of a run.

    Args:
        db: The journal.
        bill: The emulator's bill of the run in picodollars, fetched; None where there is none.
    """
    origin = RunOrigin.of(db)
    both, baseline = totals(db), totals(db, "baseline")
    fanout = totals(db, "fanout") if baseline.sent else both
    rows = row_counts(db)
    measured = multiplier(db, max(rows["read"] - rows["rejected"], 1))
    good = rows["succeeded"]
    least = floor(db, "fanout")
    wall = db.execute("SELECT COALESCE(SUM(ended-started),0), COUNT(*) FROM sessions").fetchone()
    how = db.execute("SELECT how FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
    return {
        "format": FORMAT,
        "offline": OFFLINE.of(db),
        "run_id": origin.run_id,
        "graph": origin.graph,
        "created": origin.created,
        "ended": how[0] if how else None,
        "halted": HALTED.of(db) or None,
        "rows": rows,
        "attempts": _attempts(both) | {"fanout": _attempts(fanout), "baseline": _attempts(baseline)},
        "tokens": _tokens(both) | {"fanout": _tokens(fanout), "baseline": _tokens(baseline)},
        "cost_usd": usd_text(both.cost),
        "fanout_usd": usd_text(fanout.cost),
        "baseline_usd": usd_text(baseline.cost),
        "floor_usd": usd_text(least.total),
        "input_over_floor": round(least.input_paid / least.input_total, 6) if least.input_total else None,
        "lost_upper_bound_usd": usd_text(both.lost_bound),
        "open": {"attempts": both.open, "upper_bound_usd": usd_text(both.open_bound)},
        "unpriced_attempts": both.unpriced,
        "bill_usd": usd_text(bill),
        "choices": CHOICES.of(db),
        "cost_per_successful_row_usd": _ratio(fanout.cost, good),
        "baseline_cost_per_successful_row_usd": _ratio(baseline.cost, succeeded(db, "baseline")),
        "levers": data(levers(db)),
        "multiplier": None
        if measured is None
        else {
            "tokens": measured.tokens.data(),
            "usd": measured.usd.data(),
            "usd_as_paid": measured.usd_raw.data(),
            "baseline": "measured",
            "rows": measured.rows,
        },
        "modelled": MODELLED.of(db),
        "made_of": composition_data(composition(db)),
        "worst_rows": [one.data() for one in worst(db)],
        "cache": {"distinct_prefixes": both.prefixes, "writes": both.writes, "reads": both.reads},
        "slices": [one.data() for one in slices(db)],
        "notes": NOTES.of(db),
        "failed_tasks": failed_tasks(db),
        "wall_s": round(wall[0], 3),
        "sessions": wall[1],
    }


def read_share(tokens: Mapping[str, int]) -> float:
    """Return the share of a summary's input tokens that was read from the cache; 0 where there is no input."""
    whole = sum(tokens[kind] for kind in ("input", "cache_write_5m", "cache_write_1h", "cache_read"))
    return tokens["cache_read"] / max(whole, 1)


def _attempts(one: Totals) -> dict[str, Any]:
    return {
        "sent": one.sent,
        "succeeded": one.succeeded,
        "failed": one.failed,
        "lost": one.lost,
        "retried": one.retried,
        "paid_twice": one.paid_twice,
    }


def _tokens(one: Totals) -> dict[str, Any]:
    usage = one.usage
    return {
        "input": usage.input,
        "cache_write_5m": usage.cache_write_5m,
        "cache_write_1h": usage.cache_write_1h,
        "cache_read": usage.cache_read,
        "output": usage.output,
    }


def _ratio(pico: int, count: int) -> str | None:
    if not count:
        return None
    exact = (Decimal(pico) / count).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    return usd_text(int(exact))
