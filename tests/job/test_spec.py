"""A job that is described wrongly is refused in words, all of it at once, and before anything is made."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import pytest
from anthropic import Anthropic
from desk import single

from fanwise import Job, JobSpec, SpecError, UsageError, agent, compare, graph, plan, resume
from support import DESK, environment, fanwise, tickets


@agent(model="claude-nobody-1", max_tokens=300)
def answer(body: str) -> str:
    """Answer."""
    return body


@graph
def unknown(body: str) -> str:
    return answer(body)


ROWS = [{"id": "a", "subject": "s", "body": "b"}]
WRONG: dict[str, Any] = {
    "channel": "lve", "slots": 0, "sample": -1, "schemas": "nope", "budget_usd": "lots", "row_budget_usd": "-1",
    "deadline": "soon", "baseline": "atuo", "latency_s": math.nan,
}  # fmt: skip


def test_all_mistakes_are_named_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        Job(single, rows=ROWS, out=tmp_path / "run", **WRONG)
    assert isinstance(refused.value, SpecError)
    assert {mistake.place for mistake in refused.value.mistakes} == set(WRONG)
    for mistake in refused.value.mistakes:
        assert repr(WRONG[mistake.place]) in mistake.message, "the value is named"
        assert mistake.hint, "and what to do"
        assert str(mistake) in str(refused.value)
    assert not (tmp_path / "run").exists()
    assert Job(single, rows=ROWS, out=tmp_path / "run", channel="live").run_sync().ended == "completed"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("channel", "lve", "did you mean 'live'?"),
        ("channel", None, "None is not one of live, batch, auto"),
        ("slots", 0, "0 is not a whole number from 1 to 4096; leave it out for 32"),
        ("slots", "8", "'8' is not a whole number from 1 to 4096"),
        ("slots", 8.0, "8.0 is not a whole number"),
        ("sample", -1, "-1 is not a whole number, 1 or more"),
        ("sample", True, "True is not a whole number"),
        ("limit", 0, "0 is not a whole number from 1 to 1000000000000; leave it out"),
        ("seed", "1", "'1' is not a whole number"),
        ("budget_usd", "lots", "'lots' is not an amount of dollars; write it as text, like '2.50'"),
        ("budget_usd", "nan", "'nan' is not a positive amount"),
        ("budget_usd", "snan", "'snan' is not a positive amount"),
        ("budget_usd", "1e999999", "'1e999999' is not an amount of dollars"),
        ("budget_usd", "0", "'0' pays for nothing; write more, like '2.50'"),
        ("row_budget_usd", Decimal("0.00"), "'0.00' pays for nothing"),
        ("budget_usd", "1e400", "'1e400' is more than any run can cost; write at most '9223372'"),
        ("budget_usd", 0.5, "0.5 is not text or a whole number or a decimal; write it as text"),
        ("row_budget_usd", -1, "'-1' is not a positive amount"),
        ("budget_tokens", 0, "0 is not a whole number, 1 or more"),
        ("row_budget_tokens", -5, "-5 is not a whole number, 1 or more"),
        ("deadline", "0m", "'0m' is no length of time; write it like 90s"),
        ("deadline", 90, "90 is not text"),
        ("deadline", "9" * 400 + "d", "is longer than any run"),
        ("deadline", "99999999d", "'99999999d' is longer than any run"),
        ("baseline", "single", "'single' is no baseline; write auto, auto:thinking, none, path"),
        ("baseline", "desk.py:", "'desk.py:' is no baseline"),
        ("baseline", None, "None is not text"),
        ("base_url", "http://[", "'http://[' is no address: Invalid IPv6 URL; write it like http://"),
        ("base_url", "http://127.0.0.1:x", "'http://127.0.0.1:x' is no address: Port could not be cast to integer"),
        ("base_url", "http://127.0.0.1:99999", "is no address: Port out of range 0-65535; write it like"),
        ("base_url", "http://:80", "'http://:80' is no address"),
        ("base_url", "localhost:8000", "'localhost:8000' is no address; write it like http://"),
        ("base_url", "http://me:pw@host", "'http://***@host' has a name or a password in front of its host; leave it"),
        ("base_url", "http://me:p?w@host", "'http://***@host' is no address"),
        ("base_url", "http://host/#there", "'http://host/#***' has a query or a fragment"),
        ("base_url", "http://host/v1/messages/", "ends in /v1/messages, which the SDK adds itself; leave it out"),
        ("id_field", " ", "' ' names no field"),
        ("schemas", "nope", "'nope' is not one of auto, strict, shared"),
        ("format", "xml", "'xml' is not one of jsonl, csv, parquet"),
        ("grace_s", -1, "-1 is not a number from 0 to 604800; leave it out for 120.0"),
        ("latency_s", math.inf, "inf is not a number"),
        ("batch_delay_s", math.nan, "nan is not a number"),
        ("latency_s", 1e300, "1e+300 is not a number from 0 to 604800; leave it out for 0.0"),
        ("batch_delay_s", 10**400, "is not a number from 0 to 604800"),
        ("grace_s", 1e9, "1000000000.0 is not a number from 0 to 604800; leave it out for 120.0"),
        ("limit", 10**30, "is not a whole number from 1 to 1000000000000"),
        ("gate", 1, "1 is not True or False"),
        ("pay_twice_for_deadline", "yes", "'yes' is not True or False"),
        ("graph", "desk.py", "'desk.py' names no graph; write path/file.py:name"),
        ("graph", 4, "4 is not a graph or text"),
        ("rows", 5, "5 is not text or a path or rows as models or dicts"),
        ("rows", b"x", "bytes are no rows; write them to a file"),
        ("rows", "", "'' is no path; name a JSONL, CSV or Parquet file"),
        ("rows", {"id": "a"}, "a dict is one row; put it into a list"),
        ("out", 3, "3 is not text or a path"),
        ("out", "", "'' is no path; name the run directory"),
        ("out", "a\0b", "'a\\x00b' cannot be used: a NUL character stands in it"),
        ("out", Path("a\udcff"), "'a\\udcff' cannot be used: it is not UTF-8"),
        ("id_field", "a\udcff", "'a\\udcff' cannot be used: it is not UTF-8"),
    ],
)
def test_a_value_is_refused_in_words(name: str, value: Any, message: str) -> None:
    fields: dict[str, Any] = {"graph": single, "rows": ROWS, name: value}
    with pytest.raises(SpecError, match=f"^{name}: ") as refused:
        JobSpec(**fields)
    assert message in str(refused.value)


def test_whole_amounts_need_no_quotes_and_whole_seconds_no_point() -> None:
    spec = JobSpec(graph=single, rows=ROWS, budget_usd=2, row_budget_usd=Decimal("0.01"), latency_s=1, slots=4096)
    assert spec.budget_pico == 2 * 10**12
    assert spec.row_budget_pico == 10**10


def test_a_start_that_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="knows no model 'claude-nobody-1'"):
        Job(unknown, rows=[{"body": "b"}], out=tmp_path / "new" / "run").run_sync()  # by the embedded emulator
    assert list(tmp_path.iterdir()) == [], "neither the directory nor the one that holds it"
    (tmp_path / "mine").mkdir()
    with pytest.raises(ZeroDivisionError):
        Job(single, rows=({**ROWS[0], "id": 1 // number} for number in (1, 0)), out=tmp_path / "mine").run_sync()
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"], "what was there before stays"
    assert list((tmp_path / "mine").iterdir()) == []
    assert Job(single, rows=ROWS, out=tmp_path / "mine", channel="live").run_sync().ended == "completed"


def test_a_start_that_is_interrupted_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the API is asked for its models, and says nothing."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")

    async def main() -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        async with listener, anyio.create_task_group() as group:

            async def interrupt(stream: anyio.abc.SocketStream) -> None:
                async with stream:
                    group.cancel_scope.cancel()

            group.start_soon(listener.serve, interrupt)
            await Job(single, rows=ROWS, out=tmp_path / "run", base_url=url).run()

    anyio.run(main)
    assert list(tmp_path.iterdir()) == []


def test_what_is_run_cannot_change_when_it_goes_on(tmp_path: Path) -> None:
    Job(single, rows=ROWS, out=tmp_path / "run", channel="live").run_sync()

    async def again(**fields: Any) -> None:
        await resume(tmp_path / "run", **fields)

    with pytest.raises(SpecError, match="rows: a run that goes on keeps it"):
        anyio.run(lambda: again(rows="other.jsonl"))
    with pytest.raises(SpecError, match="slots: 0 is not"):
        anyio.run(lambda: again(slots=0))
    anyio.run(lambda: again(slots=2))


def test_the_command_line_names_the_options(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 1)
    wrong = (
        "--budget-usd", "lots", "--deadline", "soon", "--id", "", "--slots", "many", "--limit", 0, "--channel", "lve",
        "--latency-s", -1, "--seed", "x",
    )  # fmt: skip
    run = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", tmp_path / "run", *wrong)
    assert run.returncode == 2
    lines = run.stderr.splitlines()
    assert lines[0] == "fanwise: the job has 8 mistakes:", "click had ended at the first that is no number or no word"
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "--seed", "--limit", "--id", "--channel", "--budget-usd", "--deadline", "--slots", "--latency-s",
    ]  # fmt: skip
    assert "  --slots: 'many' is not a whole number from 1 to 4096; leave it out for 32" in lines
    assert "  --limit: 0 is not a whole number from 1 to 1000000000000; leave it out" in lines
    assert "  --channel: 'lve' is not one of live, batch, auto; did you mean 'live'?" in lines
    assert not (tmp_path / "run").exists()


def test_studies_name_their_options_too(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 1)
    call = (f"{DESK}:nothing", "--rows", rows)
    for command, wrong, places in [
        ("plan", ("--simulate", 0, "--channel", "auto", "--budget-usd", "0"),
         ["--budget-usd", "--simulate", "--channel", "GRAPH"]),
        ("compare", ("--sample", 1, "--seed", "x", "--score", "f"),
         ["--sample", "--seed", "GRAPH", "--score", "--score"]),
        ("audit", ("--sample", "x", "--format", "xml"), ["--format", "--sample", "GRAPH"]),
    ]:  # fmt: skip
        said = fanwise(command, *call, *wrong)
        assert said.returncode == 2
        lines = said.stderr.splitlines()
        assert lines[0] == f"fanwise: the call has {len(places)} mistakes:"
        assert [line.split(":")[0].strip() for line in lines[1:]] == places


@pytest.mark.parametrize(
    ("call", "mistakes"),
    [
        (("compare", "--sample", 1, "--score", "nowhere.py:f", "--labels", "x"),
         ["--sample: 1 is not a whole number, 2 or more; leave it out", "--score: there is no file 'nowhere.py'"]),
        (("plan", "--simulate", 0), ["--simulate: 0 is not a whole number, 1 or more; leave it out for 20"]),
        (("run", "--channel", "lve"),
         ["--channel: 'lve' is not one of live, batch, auto; did you mean 'live'?",
          "--out: nothing is given; name the run directory"]),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_the_other_mistakes_of_a_call(call: tuple[Any, ...], mistakes: list[str]) -> None:
    """click said `Missing option '--rows'` alone, and the others when that was mended."""
    said = fanwise(*call)
    assert said.returncode == 2
    assert [line.strip() for line in said.stderr.splitlines()[1:]] == [
        "GRAPH: nothing is given; name it like path/file.py:name or package.module:name",
        "--rows: nothing is given; name a JSONL, CSV or Parquet file",
        *mistakes,
    ]


def test_rows_that_only_a_run_can_take_are_refused_as_what_they_are(tmp_path: Path) -> None:
    """Of a list standard input was spoken."""
    for question in (plan, compare):
        with pytest.raises(
            SpecError, match=r"^rows: a list of rows is taken by a run alone, .*; write them to a JSONL"
        ):
            question(f"{DESK}:triage", rows=[{"id": "a"}])  # type: ignore[arg-type]
    said = fanwise("plan", f"{DESK}:triage", "--rows", "-")
    assert "--rows: standard input is taken by a run alone, and this reads rows more than once" in said.stderr


@pytest.mark.parametrize("command", ["run", "plan", "compare"])
def test_an_address_without_a_key_is_one_line_that_says_what_to_set(tmp_path: Path, command: str) -> None:
    """The SDK's TypeError came out as a traceback."""
    rows = tickets(tmp_path / "rows.jsonl", 3)
    sample = () if command == "run" else ("--sample", 2)
    said = fanwise(
        command, f"{DESK}:triage", "--rows", rows, "--out", tmp_path / "run", *sample, "--base-url",
        "http://127.0.0.1:9",
    )  # fmt: skip
    assert said.returncode == 2
    assert said.stderr.splitlines()[-1] == (
        "fanwise: no key is set for http://127.0.0.1:9: set ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN; "
        "an emulator takes any text"
    )
    assert not (tmp_path / "run").exists()


def test_an_address_of_the_environment_that_is_none_is_one_line(tmp_path: Path) -> None:
    """The HTTP client's InvalidURL came out as a traceback."""
    env = environment(ANTHROPIC_BASE_URL="http://127.0.0.1:x", ANTHROPIC_API_KEY="k")
    call = ("run", f"{DESK}:single", "--rows", tickets(tmp_path / "rows.jsonl", 1), "--out", tmp_path / "run")
    said = fanwise(*call, env=env)
    assert said.returncode == 2 and said.stderr.count("\n") == 1
    assert said.stderr.startswith("fanwise: the base URL 'http://127.0.0.1:x' is no address: Port"), said.stderr


def test_names_and_terms_are_refused_in_words_too(tmp_path: Path) -> None:
    """`chanel` was a bare TypeError, a client that is none an AttributeError after the directory was made."""
    out, wrong = tmp_path / "run", dict[str, Any](chanel="live", client=3, slots=0)
    with pytest.raises(UsageError) as refused:
        Job(single, rows=ROWS, out=out, **wrong)
    lines = str(refused.value).splitlines()
    assert lines[0] == "the job has 3 mistakes:"
    assert "  chanel: a job has no such field; did you mean channel?" in lines
    assert "  client: 3 is not an asynchronous client of the SDK; give an AsyncAnthropic, or leave it out" in lines
    assert not out.exists()
    with pytest.raises(UsageError, match=r"client: .*Anthropic object.* is not an asynchronous client of the SDK"):
        Job(single, rows=ROWS, out=out, client=Anthropic(api_key="k"))  # type: ignore[arg-type]
    rows = tickets(tmp_path / "rows.jsonl", 2)
    for study in (plan, compare):
        with pytest.raises(UsageError, match=r"budget_us: a job has no such field; did you mean budget_usd\?"):
            study(single, rows=rows, budget_us="1")


def test_a_resumed_run_refuses_all_at_once_what_it_cannot_take(tmp_path: Path) -> None:
    """`retry=["nope"]` was taken and asked nothing again; a text was taken letter by letter."""
    Job(single, rows=ROWS, out=tmp_path / "run", channel="live").run_sync()

    async def again(**call: Any) -> Any:
        return await resume(tmp_path / "run", **call)

    wrong: dict[str, Any] = {"retry": ["nope", "refusd"], "client": "c", "slot": 3, "channel": "lve"}
    with pytest.raises(UsageError) as refused:
        anyio.run(lambda: again(**wrong))
    assert str(refused.value).splitlines() == [
        "the call has 5 mistakes:",
        "  slot: a job has no such field; did you mean slots?",
        "  channel: 'lve' is not one of live, batch, auto; did you mean 'live'?",
        "  client: 'c' is not an asynchronous client of the SDK; give an AsyncAnthropic, or leave it out",
        "  retry: 'nope' is no failure; give 'failed' for all of them, 'refused' or 'truncated'",
        "  retry: 'refusd' is no failure; did you mean 'refused'?",
    ]
    with pytest.raises(UsageError, match=r"retry: 'failed' is one text; put it into a list: \['failed'\]"):
        anyio.run(lambda: again(retry="failed"))
    kinds = ["failed", "overloaded_error", "http_502", "some_new_error"]
    assert anyio.run(lambda: again(retry=kinds)).summary["attempts"]["sent"] == 1
