"""`fanwise compare`: should this job fan out?"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from fanwise.engine.arms import build_arms
from fanwise.engine.rows import format_of
from fanwise.engine.toolbox import listed
from fanwise.job.arms import graph_arms
from fanwise.job.directory import reading
from fanwise.job.job import Job
from fanwise.journal.records import Channel
from fanwise.ledger.verdict import Word
from fanwise.rendering.comparison import show_comparison
from fanwise.rendering.console import standard_output
from fanwise.studies.compare import compare
from fanwise.studies.labels import labels_of, scorer
from fanwise.studies.plan.plan import Asked
from fanwise.studies.plan.plan import sample as sample_rows

from .common import told
from .consent import threshold
from .options import given
from .sampled import carry_out_sample

STATUSES: dict[Word, int] = {"fan out": 0, "do not fan out": 1, "not enough rows to tell": 4}


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
        graphs = graph_arms(graph, options["baseline"])
        arms = build_arms(graphs, toolbox=listed(graphs.values()))
        chosen = given({name: options[name] for name in ("channel", "baseline", "base_url", "budget_usd", "id_field")})
        with tempfile.TemporaryDirectory() as folder:
            place = out or f"{folder}/run"
            job = Job(graph, rows=rows, out=place, format=form, **chosen)
            channel: Channel = "live" if options["channel"] == "live" else "batch"
            what = f"both sides on {len(drawn.rows)} rows"
            carry_out_sample(job, asked, drawn, channel, what, options, both=True)
            with reading(place) as journal:
                comparison = compare(journal.db, arms, drawn.valid, known, hold)
        if as_json:
            click.echo(json.dumps(comparison.data(), indent=2))
        else:
            show_comparison(comparison, standard_output())
        sys.exit(STATUSES[comparison.verdict.word])
