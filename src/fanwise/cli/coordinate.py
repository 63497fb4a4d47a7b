"""`fanwise coordinate`: a model plans a graph over a folder of agents."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import click

from fanwise.errors import SpecError, UsageError
from fanwise.job.account import Account
from fanwise.job.directory import holds_run
from fanwise.job.job import begin
from fanwise.job.job import resume as go_on
from fanwise.job.mode import is_simulated
from fanwise.job.spec import mistakes_in_changes
from fanwise.job.watcher import Watcher
from fanwise.ledger.forecast import Forecast
from fanwise.paths import fixed, typed
from fanwise.plans.coordinator import MODEL
from fanwise.rendering.harmless import one_line
from fanwise.rendering.words import money
from fanwise.studies import coordinating as study
from fanwise.units import usd_text

from .agents import inherit_option
from .carrying import carry_out
from .command import Command
from .consent import Question, asking, foreseen, threshold
from .ending import FAILED_ROWS, MOST_WORDS
from .freeze import given_limits, graph_file, limit_options, write_graph
from .options import job_option
from .saying import echo, echo_json


@click.command(cls=Command)
@click.argument("goal")
@click.option("--agents", "folder", metavar="DIR", required=True, help="The folder of agents.")
@click.option("--types", metavar="FILE.py", required=True, help="Where types and documents stand: beside --write.")
@click.option("--row", metavar="TYPE", required=True, help="The type of a row, by its name there.")
@click.option("--output", metavar="TYPE", required=True, help="The type of a row's output, by its name there.")
@click.option("--rows", metavar="FILE", required=True, help="The job's rows: sizes of fields are told, and no content.")
@click.option("--write", "file", metavar="FILE.py", required=True, help="Where the graph is written.")
@click.option("--name", metavar="NAME", default=None, help="Name of the graph. [default: that of FILE]")
@click.option("--out", metavar="DIR", default=None, help="Where the answers are kept. [default: FILE.planning]")
@click.option("--model", metavar="MODEL", default=MODEL, show_default=True, help="The coordinator's model.")
@click.option("--run", metavar="RUN", default=None, help="A run directory, by which calls of agents are priced.")
@inherit_option
@limit_options
@job_option("base_url")
@job_option("budget_usd", help="Most that planning may cost.")
@threshold
@click.option("--json", "as_json", is_flag=True, help="Print the plan and the prices as JSON.")
def coordinate(goal: str, file: str, rows: str, out: str | None, as_json: bool, **options: Any) -> None:
    """Let a model plan how agents of a folder reach GOAL for each row, and write the plan as a graph of Python.

    The coordinator sees the goal, the agents as signatures, names, types and sizes of the row's fields, and the single
    agent as one of the agents; never the content of a row. A plan with mistakes goes back to it with their places, at
    most twice. What is written is an ordinary graph: read it, edit it, run it. The same call again sends nothing that
    was answered. Offline a stand-in joins the agents by their types.

    Exit status: 0 a graph is written, 1 no plan could be used, 2 something is wrong with the call, 3 halted.
    """
    path = graph_file(file)
    question, limits = asking(options), given_limits(options)
    job = {name: value for name in ("base_url", "budget_usd") if (value := options.pop(name)) is not None}
    if mistakes := mistakes_in_changes(job):
        raise SpecError(mistakes, "the call")
    name = options.pop("name") or path.stem
    desk = study.coordination(
        goal, agents=options.pop("folder"), rows=fixed(rows), file=path, graph=name, limits=limits, **options
    )
    directory = fixed(out) if out else path.with_suffix(".planning")
    if path.exists() and not holds_run(directory):  # a graph of this very call stands beside its answers
        raise UsageError(f"{typed(path)} is there already and was not planned here; write another, or remove it")
    status = _ask(desk, directory, question, job)
    sys.exit(status or _write(desk, directory, path, name, as_json=as_json))


def _ask(desk: study.Coordination, out: Path, question: Question, fields: dict[str, Any]) -> int:
    """Say the prices, ask the coordinator, and return 0, or the exit status of a run that did not end."""
    spec = desk.planning(out, **fields)
    echo(f"fanwise: one agent alone would take {_prices(desk.alone)} for {desk.alone.rows:,} rows", err=True)
    if not anyio.run(is_simulated, spec.base_url) and not holds_run(out):
        forecast = foreseen(spec)
        question.consent(forecast.total(), "the task plan", spec, unpriced=forecast.unpriced)

    async def work(watcher: Watcher) -> Account:
        if holds_run(out):
            return await go_on(out, watcher, graph=desk.coordinator.graph, retry=("failed",), **fields)
        return await begin(spec, watcher)

    status = carry_out(work, as_json=False, out=out, report=False, again="the same command")
    return status if status not in (0, FAILED_ROWS) else 0


def _write(desk: study.Coordination, out: Path, path: Path, name: str, *, as_json: bool) -> int:
    """Write the graph of the plan that was answered, and say what it will cost."""
    answer = study.plan_of(out)
    cost = "a sum that is not known" if answer.cost_usd is None else money(answer.cost_usd)
    if answer.lost:
        cost += f" and up to {money(answer.lost_upper_bound_usd)} more, since replies were lost: {answer.lost:,}"
    simulated = " (simulated)" if answer.simulated else ""
    if answer.plan is None:
        echo(f"fanwise: {one_line(answer.reason, MOST_WORDS)}", err=True)
        echo(f"fanwise: no plan could be used, and nothing is written; planning has cost {cost}{simulated}", err=True)
        return FAILED_ROWS
    said = write_graph(path, name, desk.desk.frozen(answer.plan))
    forecast = desk.price(f"{path}:{name}")
    if as_json:
        planned = {"graph": f"{typed(path)}:{name}", "task_plan": answer.plan.hash, "plan": answer.plan.model_dump()}
        echo_json(planned | _prices_data(answer, forecast, desk.alone), 2)
        return 0
    echo(said)
    echo(f"why: {one_line(answer.plan.reason, MOST_WORDS)}")
    echo(f"the graph will take {_prices(forecast)} for {forecast.rows:,} rows")
    echo(f"planning has cost {cost}{simulated}{_share(answer.cost_usd, forecast)}")
    echo(
        f"read it, then: fanwise run {typed(path)}:{name} --rows {typed(desk.rows)} --baseline auto --out DIR", err=True
    )
    return 0


def _prices_data(answer: study.PlanAnswer, forecast: Forecast, alone: Forecast) -> dict[str, Any]:
    """Return what planning has cost and rows will as JSON-ready data, money as decimal strings of dollars."""
    return {
        "simulated": answer.simulated, "planning_usd": answer.cost_usd, "lost": answer.lost,
        "lost_upper_bound_usd": answer.lost_upper_bound_usd, "rows": forecast.rows,
        "graph_usd": _usd(forecast), "alone_usd": _usd(alone),
    }  # fmt: skip


def _share(cost_usd: str | None, forecast: Forecast) -> str:
    """Return in words how much planning is beside what it is for, in the cheapest channel."""
    expected = min((Decimal(usd) for usd in _usd(forecast).values() if usd is not None), default=Decimal(0))
    return "" if cost_usd is None or not expected else f", {100 * Decimal(cost_usd) / expected:,.1f} % of the graph's"


def _usd(forecast: Forecast) -> dict[str, str | None]:
    return {price.channel: usd_text(price.expected) for price in forecast.prices if price.arm == "fanout"}


def _prices(forecast: Forecast) -> str:
    """Return what rows will cost in each channel, in words."""
    words = {"live": "live", "batch": "in batches"}
    return " or ".join(f"{money(usd)} {words[channel]}" for channel, usd in _usd(forecast).items())
