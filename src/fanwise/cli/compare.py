"""`fanwise compare`: should this job fan out?"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.engine.arms import build_arms
from fanwise.engine.rows import format_of
from fanwise.engine.toolbox import listed
from fanwise.job.arms import graph_arms
from fanwise.job.directory import reading
from fanwise.job.job import Job
from fanwise.journal.meta import OFFLINE
from fanwise.journal.records import Channel
from fanwise.ledger.verdict import Interval
from fanwise.studies.compare import Comparison, compare, shape
from fanwise.studies.labels import labels_of, scorer
from fanwise.studies.plan.plan import Asked
from fanwise.studies.plan.plan import sample as sample_rows

from .common import told
from .consent import threshold
from .options import given
from .sampled import carry_out_sample

NOT, UNKNOWN = 1, 4


@click.command("compare")
@click.argument("graph")
@click.option("--rows", required=True, metavar="FILE", help="JSONL, CSV or Parquet.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet"]), default=None, help="Their format.")
@click.option("--labels", metavar="FIELD|FILE", default=None, help="Field of the rows with what is right, or a JSONL.")
@click.option("--score", metavar="FILE.py:FUNCTION", default=None, help="Gives 0 to 1 for an output and its label.")
@click.option("--sample", type=click.IntRange(2), default=40, show_default=True, help="Rows, drawn at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another one draws other rows.")
@click.option("--baseline", metavar="auto|GRAPH", default="auto", show_default=True, help="The single agent.")
@click.option("--id", "id_field", metavar="FIELD", default=None, help="Field with the row's id.")
@click.option("--channel", type=click.Choice(["live", "batch", "auto"]), default="live", show_default=True)
@click.option("--out", metavar="DIR", default=None, help="Keep the run here; `fanwise resume` goes on with all rows.")
@click.option("--base-url", metavar="URL", default=None, help="Another server, such as `fanwise emulate`.")
@click.option("--budget-usd", metavar="X", default=None, help="Most that it may cost.")
@threshold
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def compare_(
    graph: str, rows: str, form: Any, labels: str | None, score: str | None, sample: int, seed: int, **options: Any
) -> None:
    """Tell whether GRAPH should fan out: both it and one agent carry out the same rows, and are held together.

    Exit status: 0 fan out, 1 do not, 4 not enough rows to tell, 2 something is wrong with the call.
    """
    as_json, out = options.pop("as_json"), options.pop("out")
    with told():
        format_ = format_of(Path(rows), form)
        known = None if labels is None else labels_of(labels, Path(rows), format_, options["id_field"])
        hold = scorer(score)
        asked = Asked(graph, rows, form, options["id_field"], baseline=options["baseline"])
        drawn = sample_rows(asked, sample, seed)
        arms = graph_arms(graph, options["baseline"])
        plan = build_arms(arms, toolbox=listed(arms.values()))["fanout"]
        chosen = given({name: options[name] for name in ("channel", "baseline", "base_url", "budget_usd", "id_field")})
        with tempfile.TemporaryDirectory() as folder:
            place = out or f"{folder}/run"
            job = Job(graph, rows=rows, out=place, format=form, **chosen)
            channel: Channel = "live" if options["channel"] == "live" else "batch"
            what = f"both sides on {len(drawn.rows)} rows"
            carry_out_sample(job, asked, drawn, channel, what, options, both=True)
            with reading(place) as journal:
                found = compare(journal.db, arms, drawn.valid, known, hold)
                offline = OFFLINE.of(journal) is True
        if as_json:
            click.echo(json.dumps({"simulated": offline, "shape": list(shape(plan)), **asdict(found)}, indent=2))
        else:
            _show(found, list(shape(plan)), offline=offline)
        sys.exit({"fan out": 0, "do not fan out": NOT}.get(found.verdict.word, UNKNOWN))


def _show(found: Comparison, lines: list[str], *, offline: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else 120)
    if offline:
        text = "SIMULATED: answered by stand-ins; how often they are right says nothing of a model"
        console.print(Text(text, style="bold yellow"))
    console.print(Text(" ".join(_paragraph(found))))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("a row", "fan-out", "one agent"):
        table.add_column(name, justify="left" if name == "a row" else "right")
    both = (found.fanout, found.baseline)
    table.add_row("dollars", *(f"${one.cost_usd:,.6f}" for one in both))
    goods = (one.per_success_usd for one in both)
    table.add_row("dollars for each success", *("none" if good is None else f"${good:,.6f}" for good in goods))
    table.add_row("tokens", *(f"{one.tokens:,.0f}" for one in both))
    table.add_row("score", *(f"{one.score:.3f}" for one in both))
    if not offline:
        table.add_row("seconds along its longest path", *(f"{one.seconds:.1f}" for one in both))
    console.print(table)
    for line in lines:
        console.print(Text(f"shape: {line}"))


def _paragraph(found: Comparison) -> Iterator[str]:
    verdict = found.verdict
    yield f"{verdict.word.capitalize()}: {verdict.why}."
    if verdict.more:
        yield f"About {verdict.more:,} rows more would tell, if they are like these."
    yield f"On {verdict.rows:,} rows drawn from {found.job_rows:,}"
    one, two = found.fanout.per_success_usd, found.baseline.per_success_usd
    if verdict.ratio is not None and one is not None and two is not None:
        yield f"a successful row cost ${one:,.6f} with the fan-out and ${two:,.6f} with one agent,"
        yield f"{_times(verdict.ratio)}."
    else:
        yield f"the fan-out succeeded {found.fanout.good} times and one agent {found.baseline.good} times."
    kind = "right" if found.labelled else "answered"
    yield f"{found.fanout.score:.1%} were {kind} against {found.baseline.score:.1%},"
    yield f"a difference of {_points(verdict.quality)}."
    if not found.labelled:
        yield "Without labels every output counts as right: --labels tells more."
    if found.left_out:
        yield f"{found.left_out} rows are left out: without a label, or with a cost that is not known."


def _times(one: Interval) -> str:
    return f"{one.value:.2f} times as much (95 % {one.low:.2f} to {one.high:.2f})"


def _points(one: Interval) -> str:
    return f"{100 * one.value:+.1f} points (95 % {100 * one.low:+.1f} to {100 * one.high:+.1f})"
