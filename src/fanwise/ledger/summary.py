"""The summary of a run: one JSON-ready object, money as decimal strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.units import usd_text

from .account import KINDS, Totals, added, baseline_arm, row_counts, served_tasks, totals_by_arm
from .cash import Cash, cash
from .composition import composition
from .composition import data as composition_data
from .failing import failed_tasks
from .floor import Floor, floor
from .layouts import answers_of_earlier_layouts
from .levers import Levers, alone, data, levers
from .measuring import Measuring, measured
from .multiplier import Multiplier, left_out_data, per_success_data
from .per_row import per_row_usd
from .slices import slices
from .standing import Standing, standing
from .status import session_end
from .unpriced import unpriced, usd_if_known
from .worst import worst

FORMAT = 2
"""Of `summary.json` and `results.jsonl`: as long as it stays, keys are added and none is renamed."""


def summary(db: Book, *, bill: int | None = None, measuring: Measuring | None = None) -> dict[str, Any]:
    """Return the account of a run.

    Args:
        db: The journal.
        bill: The emulator's bill of the run in picodollars, fetched; None where there is none.
        measuring: What has been shown all rows that both sides have ended; None: they are gone over.
    """
    stands = standing(db)
    origin = stands.origin
    arms = totals_by_arm(db)
    whole_run, fanout, baseline = added(arms.values()), arms.get("fanout", Totals()), arms.get("baseline", Totals())
    rows, spent = row_counts(db), cash(db, whole_run)
    measuring = measuring or measured(db)
    multiplier, single, per_row = measuring.multiplier(), baseline_arm(db), per_row_usd(db, measuring.size, arms)
    least, pulled, leaves_out = floor(db, "fanout"), levers(db), unpriced(db, "fanout").data()
    wall = db.execute("SELECT COALESCE(SUM(ended-started),0), COUNT(*) FROM sessions").fetchone()
    return {
        "format": FORMAT,
        "offline": stands.offline,
        "run_id": origin.run_id,
        "graph": origin.graph,
        "created": origin.created,
        "ended": session_end(db),
        "halted": stands.halted,
        "rows": rows,
        "attempts": _attempts(whole_run) | {"fanout": _attempts(fanout), "baseline": _attempts(baseline)},
        "served_tasks": _served(db),
        "tokens": _tokens(whole_run) | {"fanout": _tokens(fanout), "baseline": _tokens(baseline)},
        "tokens_leave_out": {"fanout": fanout.uncounted, "baseline": baseline.uncounted},
        "cost_usd": usd_if_known(whole_run.cost, whole_run.unknown),
        "fanout_usd": usd_if_known(fanout.cost, fanout.unknown),
        "baseline_usd": usd_if_known(baseline.cost, baseline.unknown),
        **_floor(least),
        "floor_leaves_out": leaves_out,
        **_bounds(whole_run, spent),
        "attempts_of_unknown_cost": {"fanout": fanout.unknown, "baseline": baseline.unknown},
        "attempts_of_unknown_tokens": whole_run.uncounted,
        "cash": spent.data(),
        "answers_of_earlier_layouts": answers_of_earlier_layouts(db),
        "bill_usd": usd_text(bill),
        "choices": list(stands.choices),
        "cost_per_successful_row_usd": per_row["fanout"],
        "baseline_cost_per_successful_row_usd": per_row[single],
        "levers": data(pulled, leaves_out, _alone(db, pulled, arms, multiplier, stands, unfinished=rows["unfinished"])),
        "multiplier": None if multiplier is None else multiplier.data(),
        "rows_left_out": left_out_data(db, multiplier),
        "per_success": per_success_data(multiplier),
        "modelled": stands.modelled,
        "own_baseline": single == "fanout",
        "made_of": composition_data(composition(db)),
        "worst_rows": [row.data() for row in worst(db)],
        "cache": _cache(whole_run),
        "slices": [account.data() for account in slices(db)],
        "notes": list(stands.notes),
        "failed_tasks": failed_tasks(db),
        "wall_s": round(wall[0], 3),
        "sessions": wall[1],
    }


def _floor(least: Floor | None) -> dict[str, Any]:
    """Return the least that the fan-out could have cost, and its input over that; None where that is unknown."""
    over = round(least.input_paid / least.input_total, 6) if least and least.input_total else None
    return {"floor_usd": None if least is None else usd_text(least.total), "input_over_floor": over}


def _bounds(whole_run: Totals, spent: Cash) -> dict[str, Any]:
    """Return what attempts of unknown cost, lost, open or of a model without a price, may have cost at most."""
    return {
        "lost_upper_bound_usd": usd_text(whole_run.lost_bound),
        "open": {"attempts": spent.totals.open, "upper_bound_usd": usd_text(spent.totals.open_bound)},
        "unpriced_attempts": whole_run.unpriced,
        "unpriced_upper_bound_usd": usd_text(whole_run.unpriced_bound),
    }


def _alone(
    db: Book,
    pulled: Levers | None,
    arms: Mapping[ArmName, Totals],
    measured: Multiplier | None,
    stands: Standing,
    *,
    unfinished: int,
) -> int | None:
    """Return the single agent's bill of all rows, as measured, else as modelled; None where neither is known.

    Of a run that was stopped it is not known: what was paid has the money of rows that have not ended, which no ratio
    of the ended ones divides.
    """
    if pulled is None:
        return None
    if baseline_arm(db) == "fanout":
        return pulled.paid
    bill = None
    if measured is not None and not measured.left_out.rows:
        bill = arms["baseline"].cost
    elif stands.halted or unfinished:
        return None
    if measured is not None:
        return alone(pulled, bill, measured.usd.ratio)
    modelled = stands.modelled
    return alone(pulled, None, modelled["usd"].get("ratio") if modelled and modelled["usd"] else None)


def input_tokens(tokens: Mapping[str, int | None]) -> int:
    """Return the input tokens of a summary, as far as they are known."""
    return sum(tokens[kind] or 0 for kind in ("input", "cache_write_5m", "cache_write_1h", "cache_read"))


def read_share(tokens: Mapping[str, int | None]) -> float | None:
    """Return the share of a summary's input tokens that was read from the cache; None where no input is known."""
    prompt = input_tokens(tokens)
    return (tokens["cache_read"] or 0) / prompt if prompt else None


def _attempts(totals: Totals) -> dict[str, Any]:
    return {
        "sent": totals.sent,
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "lost": totals.lost,
        "retried": totals.retried,
        "paid_twice": totals.paid_twice,
    }


def _served(db: Book) -> dict[str, int]:
    """Return how many tasks were served by requests for equal ones."""
    by_arm = served_tasks(db)
    return {"all": sum(by_arm.values()), "fanout": by_arm.get("fanout", 0), "baseline": by_arm.get("baseline", 0)}


def _tokens(totals: Totals) -> dict[str, int | None]:
    """Return tokens by kind as far as they are known; None where nothing is known of them."""
    is_known = _is_counted(totals)
    return {kind: getattr(totals.usage, kind) if is_known else None for kind in KINDS}


def _is_counted(totals: Totals) -> bool:
    """Return whether anything is known of the tokens of some attempts, or there is nothing to know."""
    return any(totals.usage) or not totals.uncounted


def _cache(totals: Totals) -> dict[str, int | None]:
    """Return how the cache was used; None where no attempt has said how."""
    writes, reads = (totals.writes, totals.reads) if _is_counted(totals) else (None, None)
    return {"distinct_prefixes": totals.prefixes, "writes": writes, "reads": reads}
