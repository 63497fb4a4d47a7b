"""Agents with tools: every round of a loop is an attempt, in batches all rows' rounds travel together."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from fanwise import DefinitionError, Emulator, HaltedError, Job, McpServer, UsageError, agent, graph, tool
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.job import resume
from fanwise.studies.show import rendered
from sample.helper import Ticket, answer, desk, look_up
from support import read_only, wait_for


def rows(count: int, depth: int | None = None) -> list[Ticket]:
    return [Ticket(id=str(n), order="o1", depth=1 + n % 3 if depth is None else depth) for n in range(count)]


def attempts(out: Path) -> list[dict[str, Any]]:
    query = """SELECT row, number, channel, intent, kind, why, cache_read AS read, cost FROM task_attempts
      WHERE at IS NOT NULL ORDER BY attempt"""
    with read_only(out / "journal.db") as db:
        return [dict(one) for one in db.execute(query)]


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_a_stand_in_that_calls_a_tool_asks_for_it_as_a_model_does(tmp_path: Path, channel: Any) -> None:
    account = Job(desk, rows=rows(6), out=tmp_path / "run", channel=channel).run_sync()
    assert [line["output"] for line in account.results()][:3] == ["shipped", "shipped, lost", "shipped, lost, paid"]
    sent = attempts(tmp_path / "run")
    per_row = [sum(attempt["row"] == row for attempt in sent) for row in range(1, 7)]
    assert per_row == [2, 4, 6, 2, 4, 6], "each look-up is a round, and so is the answer"
    assert {attempt["channel"] for attempt in sent} == {channel}
    assert [attempt["kind"] for attempt in sent].count("tool_use") == 18
    assert account.summary["cost_usd"] == account.summary["bill_usd"]
    assert account.summary["attempts"]["retried"] == 0, "a round is no retry"


def test_in_batches_the_rounds_of_a_thousand_rows_travel_together(tmp_path: Path) -> None:
    account = Job(desk, rows=rows(1_000), out=tmp_path / "run", channel="batch").run_sync().summary
    assert account["rows"]["succeeded"] == 1_000
    sent = attempts(tmp_path / "run")
    assert len(sent) == sum(2 * (1 + n % 3) for n in range(1_000)), "every turn is in the ledger"
    assert len({attempt["intent"] for attempt in sent}) == 6, "as many batches as the longest loop has rounds"
    assert account["cost_usd"] == account["bill_usd"]


def test_a_live_conversation_reads_what_it_has_sent_before(tmp_path: Path) -> None:
    class Long(BaseModel):
        id: str
        text: str

    @agent(model="claude-opus-5-5", max_tokens=100, tools=[look_up])
    def read(text: str) -> str:
        """Read the text and look up the order."""
        return look_up("o1").state

    @graph
    def job(long: Long) -> str:
        return read(long.text)

    long = [Long(id=str(n), text=f"{n} " + "A long story about an order. " * 800) for n in range(2)]
    account = Job(job, rows=long, out=tmp_path / "run", channel="live").run_sync().summary
    sent = attempts(tmp_path / "run")
    assert [attempt["read"] > 4_000 for attempt in sent if attempt["number"] == 2] == [True, True]
    assert account["cost_usd"] == account["bill_usd"]


def test_a_single_agent_asks_for_the_tools_of_those_that_it_stands_for(tmp_path: Path) -> None:
    """Its calls of tools were taken for failures of its stand-in, so that it failed on every row."""

    @agent(model="claude-haiku-5-5", max_tokens=100, tools=[look_up])
    def read(text: str) -> str:
        """Read the text and look up the order."""
        return look_up("o1").state

    @agent(model="claude-haiku-5-5", max_tokens=100)
    def word(read: str) -> str:
        """Word it."""
        return f"It is {read}."

    @graph
    def job(text: str) -> str:
        return word(read(text))

    told = [{"id": "a", "text": "where is it?"}]
    account = Job(job, rows=told, out=tmp_path / "run", channel="live", baseline="auto").run_sync().summary
    assert account["failed_tasks"] == {}
    assert [account["attempts"]["baseline"][name] for name in ("sent", "succeeded")] == [2, 2], (
        "a round, and the answer"
    )
    assert account["cost_usd"] == account["bill_usd"]


def model(*said: Any) -> Any:
    """An answerer that says one thing after the other, by the length of the conversation."""

    def answer(body: dict[str, Any]) -> Any:
        one = said[len(body["messages"]) // 2]
        return one(body) if callable(one) else one

    return answer


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    answers: list[Any] = []
    with Emulator(answer=lambda body: answers[0](body)) as emulator:

        def carry_out(*said: Any) -> tuple[Any, list[dict[str, Any]]]:
            answers.append(model(*said))
            job = Job(desk, rows=rows(1), out=tmp_path / "run", channel="live", base_url=emulator.url)
            account = job.run_sync()
            return account, [
                request["body"] for request in emulator.requests() if "messages" in (request.get("body") or {})
            ]

        yield carry_out


def test_calls_in_parallel_and_what_goes_wrong_are_told_to_the_model(run: Any) -> None:
    calls = [
        {"name": "look_up", "input": {"order": "o2"}},
        {"name": "look_up", "input": {"order": "o9"}},
        {"name": "look_up", "input": {"number": 3}},
        {"name": "burn", "input": {}},
        {"name": "next_order", "input": {"after": "o1"}},
    ]
    account, bodies = run({"tools": calls}, "done")
    assert next(iter(account.results()))["output"] == "done"
    told = bodies[-1]["messages"][-1]["content"]
    assert [one["type"] for one in told] == ["tool_result"] * 5
    said = bodies[-1]["messages"][1]["content"]
    assert [one["tool_use_id"] for one in told] == [one["id"] for one in said if one["type"] == "tool_use"]
    assert [bool(one.get("is_error")) for one in told] == [False, True, True, True, False]
    texts = [one["content"] for one in told]
    assert texts[0] == '{"id":"o2","state":"lost"}'
    assert texts[1] == "LookupError: there is no order o9"
    assert "order" in texts[2]
    assert texts[3] == "there is no tool 'burn'"
    assert texts[4] == "o2"


def test_what_a_tool_was_given_is_sent_back_in_the_order_in_which_the_model_wrote_it(run: Any) -> None:
    """Found: its keys were sorted; the order is part of the cached bytes of what follows."""
    first = {"tools": [{"name": "next_order", "input": {"steps": 1, "after": "o1"}}]}
    second = {"tools": [{"name": "next_order", "input": {"after": "o2", "steps": 1}}]}
    _, bodies = run(first, second, "done")
    given = [[list(use["input"]) for use in body["messages"][1]["content"] if "input" in use] for body in bodies[-2:]]
    assert given == [[["steps", "after"]]] * 2
    assert [list(use["input"]) for use in bodies[-1]["messages"][3]["content"]] == [["after", "steps"]]


def test_a_loop_without_an_end_is_ended(run: Any) -> None:
    ask = {"tools": [{"name": "look_up", "input": {"order": "o1"}}]}
    account, bodies = run(*[ask] * 20)
    assert len(bodies) == 6, "max_turns"
    line = next(iter(account.results()))
    assert line["status"] == "failed"
    assert "too_many_turns" in line["reason"] and "max_turns" in line["reason"]


def test_an_answer_that_does_not_fit_is_asked_again_at_the_end_of_the_conversation(run: Any) -> None:
    ask = {"tools": [{"name": "look_up", "input": {"order": "o1"}}]}

    def second(body: dict[str, Any]) -> Any:
        last = body["messages"][-1]["content"][-1]
        return "better" if last["type"] == "text" else " \n"

    account, bodies = run(ask, second)
    assert next(iter(account.results()))["output"] == "better"
    last = bodies[-1]["messages"][-1]["content"]
    assert [one["type"] for one in last] == ["tool_result", "text"]
    assert last[1]["text"].startswith("The answer before this one could not be used:")
    assert account.summary["attempts"]["retried"] == 1


def test_a_conversation_goes_on_behind_its_last_round_after_a_halt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": desk.spec}))) as emulator:
        # A refused key is tried once more through the SDK: one slot, so that both refusals are one call's.
        emulator.fault(status=401, count=2, path="/v1/messages", match="tool_result")
        job = Job(desk, rows=rows(4, depth=3), out=tmp_path / "run", channel="live", base_url=emulator.url, slots=1)
        with pytest.raises(HaltedError):
            job.run_sync()
        before = len(attempts(tmp_path / "run"))
        account = resume_sync(tmp_path / "run", graph=desk, base_url=emulator.url)
    assert account.summary["rows"]["succeeded"] == 4
    found = [sent for sent in attempts(tmp_path / "run") if sent["kind"] in ("tool_use", "end_turn")]
    assert len(found) == 4 * 6, "no round was asked for twice"
    assert before < 24
    assert account.summary["cost_usd"] == account.summary["bill_usd"]


def resume_sync(*args: Any, **options: Any) -> Any:
    async def work() -> Any:
        return await resume(*args, **options)

    return anyio.run(work)


def test_a_request_of_an_agent_with_tools_can_be_shown_again(tmp_path: Path) -> None:
    reference = f"{Path(__file__).parent.parent / 'sample' / 'helper.py'}:desk"
    Job(reference, rows=rows(2), out=tmp_path / "run", channel="live").run_sync()
    shown = rendered(str(tmp_path / "run"), "1", "answer", "fanout")
    assert [one["name"] for one in shown.body["tools"]] == ["look_up", "next_order"]
    assert shown.body["tools"][0]["input_schema"]["properties"]["order"]["description"] == "Its number."
    assert all(attempt.is_unchanged for attempt in shown.attempts) and len(shown.attempts) == 4


def test_mistakes_are_told_all_at_once(tmp_path: Path) -> None:
    def silent(x: int):
        return x

    with pytest.raises(DefinitionError) as caught:

        @agent(model="claude-haiku-5-5", tools=[silent, 3, McpServer("time"), look_up, look_up])
        def helper(text: str) -> str:
            """Help."""
            return text

    text = str(caught.value)
    for word in ("no return type", "no docstring", "3 is no tool", "neither a command nor a URL", "two tools called"):
        assert word in text


def test_a_tool_is_a_function_where_no_stand_in_answers() -> None:
    assert look_up("o2").state == "lost"
    assert answer.spec.max_turns == 6

    @tool()
    def double(x: int) -> int:
        """Double a number."""
        return 2 * x

    assert double(4) == 8


# MCP ---------------------------------------------------------------------------------------------

TIME = McpServer("time", command=[sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"])


class Meeting(BaseModel):
    id: str
    at: str


@agent(model="claude-haiku-5-5", max_tokens=200, tools=[TIME])
def local(at: str) -> str:
    """Say when that is in Tokyo."""
    raise NotImplementedError


@graph
def meetings(meeting: Meeting) -> str:
    return local(meeting.at)


def test_a_server_of_others_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mcp-server-time, a reference server of the protocol's project."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    times = {"source_timezone": "UTC", "time": "16:30", "target_timezone": "Asia/Tokyo"}
    said = model({"tools": [{"name": "convert_time", "input": times}]}, "at half past one in the morning")
    with Emulator(answer=said) as emulator:
        job = Job(
            meetings, rows=[Meeting(id="1", at="16:30")], out=tmp_path / "run", channel="live", base_url=emulator.url
        )
        assert job.run_sync().summary["rows"]["succeeded"] == 1
        last = [request["body"] for request in emulator.requests() if "messages" in (request.get("body") or {})][-1]
    assert {one["name"] for one in last["tools"]} == {"get_current_time", "convert_time"}
    result = last["messages"][-1]["content"][0]
    assert not result.get("is_error")
    assert "01:30" in result["content"][0]["text"]


SERVER = """
import sys
from mcp.server import MCPServer

server = MCPServer("weather")


@server.tool()
def weather(city: str) -> str:
    \"\"\"Tell the weather of a city.\"\"\"
    return f"rain in {city}"


server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as listener:
        return listener.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_is_reached_over_http(tmp_path: Path) -> None:
    port = free_port()
    server = McpServer("weather", url=f"http://127.0.0.1:{port}/mcp", headers={"authorization": "Bearer secret-word"})

    @agent(model="claude-haiku-5-5", tools=[server])
    def forecast(city: str) -> str:
        """Tell the weather."""
        raise NotImplementedError

    @graph
    def job(meeting: Meeting) -> str:
        return forecast(meeting.at)

    with subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: listens(port), "the server")
            Job(job, rows=[Meeting(id="1", at="Kiel")], out=tmp_path / "run", channel="live").run_sync()
        finally:
            process.terminate()
    with read_only(tmp_path / "run" / "journal.db") as db:
        texts = [row[0] for row in db.execute("SELECT text FROM texts")]
    assert any("rain in" in text for text in texts), "the built-in answer of the emulator calls every tool once"
    assert b"secret-word" not in (tmp_path / "run" / "journal.db").read_bytes()


def test_a_server_that_cannot_be_started_is_told_in_a_line(tmp_path: Path) -> None:
    broken = local.options(tools=[McpServer("broken", command=["/no/such/program"])])

    @graph
    def job(meeting: Meeting) -> str:
        return broken(meeting.at)

    with pytest.raises(UsageError, match="MCP server 'broken' cannot be used"):
        Job(job, rows=[Meeting(id="1", at="1")], out=tmp_path / "run").run_sync()
    assert not (tmp_path / "run").exists()


def test_a_stand_in_that_cannot_be_repeated_is_told_so(tmp_path: Path) -> None:
    asked: list[int] = []

    @tool
    def one(x: int) -> int:
        """Give one."""
        return x

    @tool
    def other(x: int) -> int:
        """Give another."""
        return x

    @agent(model="claude-haiku-5-5", tools=[one, other])
    def fickle(text: str) -> str:
        """Do this or that."""
        asked.append(1)
        return str((one if len(asked) % 2 else other)(1))

    @graph
    def job(meeting: Meeting) -> str:
        return fickle(meeting.at)

    account = Job(job, rows=[Meeting(id="1", at="1")], out=tmp_path / "run", channel="live").run_sync()
    reason = next(iter(account.results()))["reason"]
    assert "asks for 'other' where it asked for 'one' before: it must be repeatable" in reason
