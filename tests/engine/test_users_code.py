"""Users' code, wherever it is called: what it raises is an outcome of its row, and a validator is called once."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from pydantic import AfterValidator, BaseModel, field_validator

from fanwise import DefinitionError, HaltedError, Job, agent, graph, step, tool
from fanwise.job.job import resume
from sample import raising
from sample.raising import PLACES, SELDOM, Failure, look, record, stepped
from support import fanwise, journal_value, started, wait_for


class Note(BaseModel):
    id: str
    text: str


def notes(count: int) -> list[Note]:
    return [Note(id=f"n{number}", text=f"note {number}") for number in range(count)]


# Validators that are not idempotent ----------------------------------------------------------------


class Rate(BaseModel):
    share: Annotated[float, AfterValidator(lambda percent: percent / 100)]
    price: str

    @field_validator("price")
    @classmethod
    def _dollars(cls, value: str) -> str:
        if not value.startswith("$"):
            raise ValueError("must begin with $")
        return value[1:]


@agent(model="claude-haiku-5-5", max_tokens=100)
def rate(text: str) -> Rate:
    """How many percent of it are vowels, and what does it cost?"""
    return Rate.model_construct(share=45.0, price="$3.50")


@step
def counted(text: str) -> Rate:
    return Rate(share=45.0, price="$3.50")


@agent(model="claude-haiku-5-5", max_tokens=100)
def say(rate: Rate) -> str:
    """Say it."""
    return f"{rate.share} for {rate.price}"


@graph
def rates(note: Note) -> list[str]:
    return [say(rate(note.text)), say(counted(note.text))]


def test_what_a_model_said_is_validated_once_and_again_only_from_what_it_said(tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = Job(rates, rows=notes(2), out=out, channel="live", reuse=False).run_sync()
    assert [line["output"] for line in before.results()] == [["0.45 for 3.50"] * 2] * 2
    sent = journal_value(out, "SELECT COUNT(*) FROM attempts")
    assert sent == 6

    after = anyio.run(partial(resume, out, graph=rates))
    assert [line["output"] for line in after.results()] == [["0.45 for 3.50"] * 2] * 2
    assert journal_value(out, "SELECT COUNT(*) FROM attempts") == sent
    kept: Any = journal_value(out, "SELECT x.text FROM tasks t JOIN texts x ON x.sha=t.output WHERE t.agent='rate'")
    assert kept == '{"price":"3.50","share":0.45}', "the account has what was accepted"


# Keys that are no texts ----------------------------------------------------------------------------

DAY = date(2026, 11, 30)
ByNumber = dict[int, dict[date, list[str]]]
READY = list[bool]()


@step
def keyed(text: str) -> ByNumber:
    return {7: {DAY: [text]}}


@step
def looked_up(keys: ByNumber) -> str:
    if not READY:
        raise LookupError("not yet")
    return keys[7][DAY][0]


@step
def of_any_keys(text: str) -> dict:  # type: ignore[type-arg] # pyright: ignore[reportMissingTypeArgument]
    return {"whole": [{"7": text, 7: text} if text == "note 1" else {DAY: text} if text == "note 2" else {"7": text}]}


@step
def first(keys: dict) -> str:  # type: ignore[type-arg] # pyright: ignore[reportMissingTypeArgument]
    return str(keys["whole"][0]["7"])


@graph
def keys(note: Note) -> list[str]:
    return [looked_up(keyed(note.text)), first(of_any_keys(note.text))]  # pyright: ignore[reportReturnType] - likewise


def test_keys_of_a_steps_value_come_back_as_they_were_or_fail_their_row(tmp_path: Path) -> None:
    """Keys of a bare `dict` came back as texts in silence, and of 7 and "7" one was lost."""
    out = tmp_path / "run"
    Job(keys, rows=notes(3), out=out, channel="live").run_sync()
    READY.append(True)
    lines = [*anyio.run(partial(resume, out, graph=keys, retry=("failed",))).results()]
    assert lines[0]["output"] == ["note 0", "note 0"], "the keys that were kept are numbers and days again"
    assert "its keys '7' and 7 are the same text in JSON" in lines[1]["reason"]
    assert "its key datetime.date(2026, 11, 30) is of the type date" in lines[2]["reason"]


# Exceptions ----------------------------------------------------------------------------------------


KINDS = (
    "KeyError", "MuteError", "StopIteration", "RecursionError", "SystemExit", "KeyboardInterrupt", "GeneratorExit",
    "CancelledError", "TimeoutError", "HalfError",
)  # fmt: skip


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_whatever_users_code_raises_is_an_outcome_of_its_row(
    tmp_path: Path, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = [place for place in PLACES if place not in SELDOM or place == "tool"]
    failures = {f"{place}-{kind}": Failure(place, kind) for place in called for kind in KINDS}
    monkeypatch.setattr(raising, "PLANS", failures)
    rows = [record(name, number) for number, name in enumerate(("good", *failures, "as good"))]
    account = Job(raising.places, rows=rows, out=tmp_path / "run", channel=channel).run_sync()
    results = {line["id"]: line for line in account.results()}
    for row in rows:
        line, failure = results.get(str(row["id"])), failures.get(row["name"])
        if failure is None or failure.place == "tool":
            assert line is not None and line["status"] == "succeeded", line
        elif failure.place == "row":
            assert line is None, "it was set aside"
        else:
            assert line is not None and line["status"] == "failed", (failure, line)
            is_told = failure.kind != "HalfError"  # half a character, which Pydantic itself cannot tell
            assert not is_told or failure.kind in line["reason"], (failure, line)
    again = anyio.run(partial(resume, tmp_path / "run", graph=raising.places))
    assert [*again.results()] == [*account.results()]


# Time ----------------------------------------------------------------------------------------------

RELEASED = threading.Event()
"""What hangs waits for it: set when the tests that hang are over."""


@pytest.fixture
def released() -> Iterator[None]:
    RELEASED.clear()
    yield
    RELEASED.set()


@step(time_limit_s=0.05)
def hung(text: str) -> str:
    if "good" not in text:
        RELEASED.wait()
    return text


@step(time_limit_s=0.05)
async def hung_later(text: str) -> str:
    if "good" not in text:
        await anyio.sleep_forever()
    return text


@graph
def hanging(note: Note) -> list[str]:
    return [hung(note.text), hung_later(note.text)]  # pyright: ignore[reportReturnType] - likewise


@pytest.mark.usefixtures("released")
def test_a_step_that_hangs_is_given_up_and_so_is_a_run_of_which_a_hundred_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Note(id=f"n{number}", text="hangs" if number < 8 else "good") for number in range(10)]
    results = [*Job(hanging, rows=rows, out=tmp_path / "run").run_sync().results()]
    assert [line["status"] for line in results] == ["failed"] * 8 + ["succeeded"] * 2
    assert "no value within 0.05 s" in results[0]["reason"]
    monkeypatch.setattr("fanwise.threads.MOST_ABANDONED", 4)
    with pytest.raises(HaltedError, match="have not ended within their time limits"):
        Job(hanging, rows=rows, out=tmp_path / "halted").run_sync()


@tool(time_limit_s=0.05)
def hung_tool(text: str) -> str:
    """Never answer."""
    RELEASED.wait()
    return text


@tool(time_limit_s=0.05)
async def hung_tool_later(text: str) -> str:
    """Never answer."""
    await anyio.sleep_forever()
    return text


@tool
def slower(text: str) -> str:
    """Take longer than the others have."""
    threading.Event().wait(0.1)
    return text


@agent(model="claude-haiku-5-5", max_tokens=100, tools=[hung_tool, hung_tool_later, slower], max_turns=5)
async def patient(text: str) -> list[str]:
    """Say what the tools say."""
    said = [slower(text)]
    for call in (partial(hung_tool, text), partial(hung_tool_later, text)):
        try:
            answer: Any = call()
            said.append(answer if isinstance(answer, str) else await answer)
        except Exception as error:
            said.append(str(error))
    return said


@graph
def asked(note: Note) -> list[str]:
    return patient(note.text)  # pyright: ignore[reportReturnType] - in a graph it is its value


@pytest.mark.usefixtures("released")
def test_a_tool_that_hangs_is_given_up_after_its_own_time_and_the_model_is_told(tmp_path: Path) -> None:
    account = Job(asked, rows=notes(1), out=tmp_path / "run", channel="live").run_sync()
    line = next(iter(account.results()))
    assert line["output"] == ["note 0", "no result within 0.05 s", "no result within 0.05 s"], line


def test_a_time_limit_is_a_positive_number_of_seconds() -> None:
    for limit_s in (0, -1, float("nan")):
        with pytest.raises(DefinitionError, match=r"time_limit_s .* is not a positive number of seconds"):
            tool(time_limit_s=limit_s)(look.body)
        with pytest.raises(DefinitionError, match=r"time_limit_s .* is not a positive number of seconds"):
            step(time_limit_s=limit_s)(stepped.body)


HANGS = """
import threading
from pydantic import BaseModel
from fanwise import graph, step

class Note(BaseModel):
    text: str

@step
def hung(text: str) -> int:
    open(text, "w").write("begun")
    threading.Event().wait()
    return 1

@graph
def hanging(note: Note) -> int:
    return hung(note.text)
"""


@pytest.mark.parametrize("numbers", [(signal.SIGINT, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)])
def test_a_second_signal_ends_a_run_at_once_whose_step_hangs(tmp_path: Path, numbers: tuple[int, int]) -> None:
    (tmp_path / "hangs.py").write_text(HANGS)
    rows, mark = tmp_path / "rows.jsonl", tmp_path / "begun"
    rows.write_text(json.dumps({"text": str(mark)}) + "\n")
    command = ("run", f"{tmp_path / 'hangs.py'}:hanging", "--rows", rows, "--out", tmp_path / "run")
    with started(*command, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        wait_for(mark.exists, "the step has begun")
        run.send_signal(numbers[0])
        assert any("press again" in line for line in run.stderr), "on a busy machine a line of progress comes first"
        run.send_signal(numbers[1])
        assert run.wait(10) == 128 + numbers[0]
        assert "go on with: fanwise resume" in run.stderr.read()


@pytest.mark.parametrize("command", ["run", "graph"])
def test_a_graph_file_that_raises_is_told_in_a_line_with_its_place(tmp_path: Path, command: str) -> None:
    file = tmp_path / "raises.py"
    raising = {
        "SystemExit: 0": "import sys\nsys.exit(0)\n",
        "ZeroDivisionError": "def f():\n    return 1 / 0\n\n\nf()\n",
    }
    for kind, text in raising.items():
        file.write_text(text)
        more = ("--rows", file, "--out", tmp_path / "run") if command == "run" else ()
        result = fanwise(command, f"{file}:raises", *more)
        assert result.returncode == 70, result.stderr
        assert f"{file}:2: {kind}" in result.stderr and "Traceback" not in result.stderr
        assert result.stderr.count("\n") == 1


def test_ctrl_c_before_a_run_begins_ends_as_it_ends_a_run(tmp_path: Path) -> None:
    """It was "Aborted!" with exit status 1, as if rows had failed."""
    file, mark = tmp_path / "slow.py", tmp_path / "begun"
    file.write_text(f"import threading\nopen({str(mark)!r}, 'w').close()\nthreading.Event().wait(20)\n")
    with started("run", f"{file}:slow", "--rows", file, "--out", tmp_path / "run", stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        wait_for(mark.exists, "the file is being loaded")
        run.send_signal(signal.SIGINT)
        assert run.wait(10) == 130
        assert run.stderr.read() in ("fanwise: stopped\n", "fanwise: stopped before anything was sent\n")
    assert not (tmp_path / "run").exists()
