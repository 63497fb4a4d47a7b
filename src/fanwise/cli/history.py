"""`fanwise history`: runs beside each other, the oldest first."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.errors import UsageError
from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from fanwise.journal.meta import AGENTS
from fanwise.ledger.changes import WORDS, changes
from fanwise.ledger.summary import read_share
from fanwise.rendering.terminal import money
from fanwise.studies.compare import Score, labels_of, quality, scorer

from .common import told


@dataclass(frozen=True, slots=True)
class _Run:
    path: Path
    summary: dict[str, Any]

    @property
    def graph(self) -> str:
        return str(self.summary["graph"] or "").rpartition(":")[2]


@click.command()
@click.argument("places", metavar="FOLDER...", nargs=-1)
@click.option("--labels", metavar="FIELD|FILE", default=None, help="What is right, as for `compare`.")
@click.option("--score", metavar="FILE.py:FUNCTION", default=None, help="Gives 0 to 1 for an output and its label.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each run.")
def history(places: tuple[str, ...], labels: str | None, score: str | None, as_json: bool) -> None:
    """Show the runs in folders, or run directories themselves, over time.

    Price of a good row, multiplier, cache reads and success; the models; what changed in which agent since
    the run of the same graph before; with --labels how right they were.
    """
    with told():
        runs = sorted(_runs(places or (".",)), key=lambda one: str(one.summary.get("created") or ""))
        if not runs:
            raise UsageError(f"there is no run in {', '.join(places) or 'this folder'}: none has a summary.json")
        hold = scorer(score)
        before: dict[str, _Run] = {}
        lines: list[dict[str, Any]] = []
        for one in runs:
            lines.append(_figures(one, before.get(one.graph), labels, hold))
            before[one.graph] = one
        if as_json:
            for line in lines:
                click.echo(json.dumps(line))
        else:
            _show(lines, labelled=labels is not None)


def _show(lines: list[dict[str, Any]], *, labelled: bool) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "created", "graph", "models"):
        table.add_column(name, overflow="fold")
    right = ("rows", "succeeded", *(("quality",) if labelled else ()), "per good row", "multiplier", "read", "cost")
    for name in right:
        table.add_column(name, justify="right")
    for row in lines:
        times = "" if row["multiplier_usd"] is None else f"{row['multiplier_usd']:.2f}x"
        score = ["none" if row["quality"] is None else f"{row['quality']:.3f}"] if labelled else []
        table.add_row(
            Text(row["directory"]), str(row["created"] or "")[:16], Text(row["graph"]), Text(", ".join(row["models"])),
            f"{row['rows']:,}", f"{100 * row['success']:.0f} %", *score,
            money(row["cost_per_successful_row_usd"]), times, f"{100 * row['cache_read']:.0f} %",
            money(row["cost_usd"]) + (" simulated" if row["offline"] else ""),
        )  # fmt: skip
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    for row in lines:
        for agent, words in row["changed"].items():
            console.print(Text(f"changed in {row['directory']}: {', '.join(words)} of {agent}"))


def _runs(places: Iterable[str]) -> Iterator[_Run]:
    for place in places:
        folder = Path(place)
        if not folder.is_dir():
            raise UsageError(f"there is no folder {place!r}")
        for file in (folder / "summary.json", *sorted(folder.glob("*/summary.json"))):
            if (file.parent / "journal.db").is_file() and file.is_file():
                yield _Run(file.parent, json.loads(file.read_text(encoding="utf-8")))


def _figures(run: _Run, before: _Run | None, labels: str | None, hold: Score) -> dict[str, Any]:
    one = run.summary
    times = one["multiplier"]
    with peeking(run.path) as db:
        agents = AGENTS.of(db).get("fanout", {})
        changed: dict[str, list[str]] = {}
        if before is not None:
            with peeking(before.path) as old:
                found = changes(old, db)
            changed = {each.agent: [WORDS.get(name, name) for name in each.changed] for each in found if each.changed}
        scored = None
        if labels is not None:
            manifest = Manifest.of(db)
            known = labels_of(labels, manifest.rows, manifest.format, manifest.spec.id_field)
            scored = quality(db, known or {}, hold)
    return {
        "directory": str(run.path), "created": one.get("created"), "graph": run.graph,
        "models": sorted({agent["model"] for agent in agents.values()}), "changed": changed,
        "rows": one["rows"]["read"], "success": one["rows"]["succeeded"] / max(one["rows"]["read"], 1),
        "quality": None if scored is None else scored[0], "labelled_rows": 0 if scored is None else scored[1],
        "cache_read": read_share(one["tokens"]["fanout"]),
        "cost_per_successful_row_usd": one["cost_per_successful_row_usd"], "cost_usd": one["cost_usd"],
        "multiplier_tokens": None if times is None else times["tokens"]["mean"],
        "multiplier_usd": None if times is None else times["usd"]["mean"], "offline": one["offline"],
    }  # fmt: skip
