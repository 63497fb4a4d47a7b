"""MCP servers that end, over standard input and HTTP, and tools with names that the API does not take."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web
from pydantic import BaseModel

from fanwise import Emulator, Graph, Job, McpServer, UsageError, agent, graph, step
from fanwise.job.job import resume
from serving import serving
from support import environment, fanwise, journal_value

SERVER = r"""
import json, os, sys

names = os.environ["NAMES"].split()
schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
print(f"\x1b]0;owned\x07 to \x1b[31mserve\x1b[0m with {os.environ['PASS']}", file=sys.stderr, flush=True)


def answer(asked):
    if asked["method"] == "initialize":
        return {"result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                           "serverInfo": {"name": "register", "version": "1"}}}
    if asked["method"] == "tools/list":
        return {"result": {"tools": [{"name": name, "description": name, "inputSchema": schema} for name in names]}}
    if asked["method"] != "tools/call":
        return {"error": {"code": -32601, "message": "no such method"}}
    with open(os.environ["CALLS"], "a") as file:
        file.write(asked["params"]["name"] + "\n")
    text = asked["params"]["arguments"]["text"]
    if text == "closed":  # its own error, with the number that clients use for a connection that is gone
        return {"error": {"code": -32000, "message": "Connection closed, says the register"}}
    if os.path.exists(os.environ["DEADLY"]) and text.startswith("deadly"):
        print(f"the register ends at {text}", file=sys.stderr, flush=True)
        os._exit(1)
    return {"result": {"content": [{"type": "text", "text": "found " + text}]}}


for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer(asked)}), flush=True)
"""


class Note(BaseModel):
    id: str
    text: str


def job_with(server: McpServer) -> Graph[..., Any]:
    @agent(model="claude-haiku-5-5", max_tokens=60, tools=[server], max_turns=3)
    def say(text: str) -> str:
        """Say what is found."""
        raise NotImplementedError

    @graph
    def notes(note: Note) -> str:
        return say(note.text)

    return notes


def register(folder: Path, names: str = "look", **fields: Any) -> McpServer:
    """A server that ends at a note that is deadly, as long as there is a file `deadly`."""
    program = folder / "register.py"
    program.write_text(SERVER)
    env = {"NAMES": names, "CALLS": str(folder / "calls"), "DEADLY": str(folder / "deadly"), "PASS": "open-sesame"}
    command = [sys.executable, "-IS", str(program), "--api-key", "sk-of-the-register"]
    return McpServer("register", command=command, env=env, **fields)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A model that asks for the first tool about its note, and then says what it was told."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")

    def answer(body: dict[str, Any]) -> Any:
        first, last = json.dumps(body["messages"][0]), body["messages"][-1]["content"]
        if len(body["messages"]) < 3:
            text = next(text for text in TEXTS if text in first)
            return {"tools": [{"name": body["tools"][0]["name"], "input": {"text": text}}]}
        told = last[0]["content"]
        return told if isinstance(told, str) else told[0]["text"]

    with Emulator(answer=answer) as emulator:
        yield emulator


TEXTS = ("first", "closed", "deadly one", "deadly two", "fifth", "sixth")


def test_a_server_that_ends_is_started_again_once_and_then_its_rows_fail(tmp_path: Path, emulator: Emulator) -> None:
    """Rows "succeeded" on the words of a broken connection, each told to the model, and nobody heard of it."""
    job, deadly, out = job_with(register(tmp_path)), tmp_path / "deadly", tmp_path / "run"
    deadly.write_text("")
    rows = [Note(id=text, text=text) for text in TEXTS]
    how: dict[str, Any] = {"out": out, "channel": "live", "base_url": emulator.url}
    account = Job(job, rows=rows[:3], slots=1, **how).run_sync()
    lines = {line["id"]: line for line in account.results()}
    assert lines["first"]["output"] == "found first"
    assert "says the register" in lines["closed"]["output"], "it is alive: an error of its own is told to the model"
    assert lines["deadly one"]["status"] == "failed", "the call that ended it was made once more"
    assert (tmp_path / "calls").read_text().split() == ["look"] * 4

    told = [*account.summary["notes"], lines["deadly one"]["reason"]]
    assert len(told) == 2
    assert "has ended" in told[0] and "started again" in told[0]
    assert "has ended again" in told[1] and "server_lost" in told[1]
    for text in told:
        assert "MCP server 'register'" in text and "register.py" in text
        assert "the register ends at deadly one" in text
        assert text.isprintable() and "to serve with" in text and "owned" not in text
        assert "open-sesame" not in text and "sk-of-the-register" not in text
    kept = (out / "journal.db").read_bytes()
    assert b"open-sesame" not in kept and b"sk-of-the-register" not in kept

    deadly.unlink()
    sent = journal_value(out, "SELECT COUNT(*) FROM attempts")
    again = anyio.run(partial(resume, out, graph=job, retry=["failed"], base_url=emulator.url))
    assert [line["output"] for line in again.results()][2] == "found deadly one"
    assert journal_value(out, "SELECT COUNT(*) FROM attempts") == sent + 1, "what the model asked for was paid already"


@step
def moved(note: Note) -> Note:
    os.chdir("/")
    return note


def test_a_server_is_started_again_where_its_command_was_given(
    tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step had changed the working directory, from which a relative command names nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deadly").write_text("")
    server = replace(register(tmp_path), command=(sys.executable, "-IS", "register.py"))
    say = job_with(server)

    @graph
    def notes_elsewhere(note: Note) -> str:
        return say(moved(note))

    how: dict[str, Any] = {"out": tmp_path / "run", "channel": "live", "base_url": emulator.url}
    Job(notes_elsewhere, rows=[Note(id="1", text="deadly one")], **how).run_sync()
    assert (tmp_path / "calls").read_text() == "look\nlook\n", "asked, and once more when it was started again"


def test_names_of_tools_are_made_such_that_the_api_takes_them(tmp_path: Path, emulator: Emulator) -> None:
    names = f"crm.find/größe {'long' * 40}"
    job = job_with(register(tmp_path, names))
    row = Note(id="1", text="first")
    account = Job(job, rows=[row], out=tmp_path / "run", channel="live", base_url=emulator.url).run_sync()
    assert next(iter(account.results()))["output"] == "found first"
    assert (tmp_path / "calls").read_text().split() == ["crm.find/größe"], "the server knows its own names"
    body = next(request["body"] for request in emulator.requests() if "tools" in (request.get("body") or {}))
    assert [one["name"] for one in body["tools"]] == ["crm_find_gr__e", ("long" * 40)[:128]]


def test_two_tools_that_the_api_cannot_tell_apart_are_told_at_start(tmp_path: Path) -> None:
    job = job_with(register(tmp_path, "crm.find crm/find other"))
    with pytest.raises(UsageError, match=r"'crm\.find' and 'crm/find'.*'crm_find'.*only="):
        Job(job, rows=[Note(id="1", text="first")], out=tmp_path / "run").run_sync()
    assert not (tmp_path / "run").exists()


def test_a_server_that_cannot_be_started_says_what_it_wrote(tmp_path: Path) -> None:
    command = [sys.executable, "-ISc", "import sys; sys.exit('no such table: \\x1b[1mcustomers')"]
    job = job_with(McpServer("broken", command=command))
    with pytest.raises(UsageError, match=r"MCP server 'broken' cannot be used.*no such table: customers"):
        Job(job, rows=[Note(id="1", text="first")], out=tmp_path / "run").run_sync()


def test_a_server_that_writes_other_lines_to_its_output_is_named_once(tmp_path: Path, emulator: Emulator) -> None:
    """Each such line was a traceback of the package `mcp` on the screen, and nobody said whose line it was."""
    loud = SERVER.replace("    asked = json", "    print('at your service')\n    asked = json")
    program = tmp_path / "register.py"
    program.write_text(loud)
    (tmp_path / "rows.jsonl").write_text('{"id": "1", "text": "first"}\n')
    names = {"NAMES": "look", "CALLS": str(tmp_path / "calls"), "DEADLY": "", "PASS": "open-sesame"}
    (tmp_path / "loud.py").write_text(
        "from fanwise import McpServer, agent, graph\n"
        f"server = McpServer('register', command={[sys.executable, '-IS', str(program)]}, env={names})\n"
        "@agent(model='claude-haiku-5-5', max_tokens=60, tools=[server], max_turns=3)\n"
        "def say(text: str) -> str:\n    'Say what is found.'\n    raise NotImplementedError\n"
        "@graph\ndef notes(text: str) -> str:\n    return say(text)\n"
    )
    ended = fanwise(
        "run", "loud.py:notes", "--rows", "rows.jsonl", "--out", "run", "--channel", "live", "--base-url", emulator.url,
        "--yes", cwd=tmp_path, env=environment(ANTHROPIC_API_KEY="k"),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr and "at your service" not in ended.stderr
    wordy = fanwise(
        "-v", "run", "loud.py:notes", "--rows", "rows.jsonl", "--out", "wordy", "--channel", "live", "--base-url",
        emulator.url, "--yes", cwd=tmp_path, env=environment(ANTHROPIC_API_KEY="k"),
    )  # fmt: skip
    assert wordy.returncode == 0, wordy.stderr
    assert "JSONRPC" in wordy.stderr, "what mcp logs of such a line"
    assert "Traceback" not in wordy.stderr and "at your service" not in wordy.stderr
    (told,) = [line for line in ended.stderr.splitlines() if "JSON-RPC" in line]
    assert told.startswith("fanwise: MCP server 'register' ") and "register.py" in told


def test_a_server_at_an_address_that_breaks_off_fails_its_rows_and_not_the_run(
    tmp_path: Path, emulator: Emulator
) -> None:
    """The reset went through the connection's tasks to the run, and ended it."""
    calls: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.json() if request.method == "POST" else {}
        if "id" not in asked:
            return web.Response(status=202 if asked else 405)
        said: dict[str, Any] = {"error": {"code": -32601, "message": "no such method"}}
        if asked["method"] == "initialize":
            said = {"result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": SELF}}
        if asked["method"] == "tools/list":
            said = {"result": {"tools": [{"name": "look", "inputSchema": {"type": "object"}}]}}
        if asked["method"] == "tools/call":
            calls.append(asked["params"]["arguments"]["text"])
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **said})

    with serving(answer) as url:
        address = url.replace("//", "//user:open-sesame@")
        job = job_with(McpServer("crm", url=f"{address}/mcp?token=sk-of-the-crm"))
        rows = [Note(id=text, text=text) for text in ("first", "fifth")]
        out = tmp_path / "run"
        account = Job(job, rows=rows, out=out, channel="live", base_url=emulator.url, slots=1).run_sync()
    reasons = [line["reason"] for line in account.results()]
    assert len(reasons) == 2 and all("server_lost" in reason and f"{url[7:]}/mcp" in reason for reason in reasons)
    assert calls == ["first", "first"], "once more over a new connection, and then no more"
    assert b"open-sesame" not in (out / "journal.db").read_bytes()
    assert b"sk-of-the-crm" not in (out / "journal.db").read_bytes()


SELF = {"name": "crm", "version": "1"}
