"""Mistakes that are the user's: one line, exit status 2, no traceback; bad rows never cost good ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import DESK, emulator, environment, fanwise, lines, post, summary, tickets

GRAPH = f"{DESK}:single"


def test_seven_broken_rows_among_a_thousand_are_set_aside_with_their_lines(tmp_path: Path) -> None:
    good = [json.dumps({"id": f"g{number}", "subject": "s", "body": "b"}).encode() for number in range(1000)]
    broken = {
        10: (b"{not json", "not valid JSON"),
        99: (b'{"id": "x1", "subject": "s"}', "body: Field required"),
        100: (b'{"id": "g5", "subject": "s", "body": "b"}', "its id 'g5' is that of line"),
        500: ('{"id": "x2", "subject": "s", "body": "caf\xe9"}'.encode("latin-1"), "not UTF-8 at byte"),
        700: (b"[1, 2]", "not a JSON object but list"),
        701: (b'{"id": "x3", "subject": 5, "body": "b"}', "subject: Input should be a valid string"),
        1007: (
            b'{"id": "x4", "subject": "\\ud800", "body": "b"}',
            "subject: half of a surrogate pair stands in it, which no request can carry",
        ),
    }
    everything = list(good)
    for number, (line, _) in sorted(broken.items()):
        everything.insert(number - 1, line)
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"\n".join(everything) + b"\n")

    result = fanwise("run", GRAPH, "--rows", rows, "--out", tmp_path / "run", "--channel", "live")

    assert result.returncode == 1, result.stderr
    assert "7 of 1,007 rows were set aside" in result.stderr
    assert "1 (line 10): not valid JSON" in result.stderr
    assert "found in rows.jsonl: id, subject, body" in result.stderr
    assert str(tmp_path / "run" / "rejects.jsonl") in result.stderr
    assert len(lines(tmp_path / "run" / "results.jsonl")) == 1000
    rejects = lines(tmp_path / "run" / "rejects.jsonl")
    assert [reject["line"] for reject in rejects] == sorted(broken)
    for reject in rejects:
        assert broken[reject["line"]][1] in reject["reason"]
    counts = summary(tmp_path / "run")["rows"]
    assert counts == {"read": 1007, "succeeded": 1000, "partial": 0, "failed": 0, "rejected": 7, "unfinished": 0}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return tickets(tmp_path / "rows.jsonl", 2)


def refused(*args: object, env: dict[str, str] | None = None) -> str:
    result = fanwise(*args, env=env)
    assert result.returncode == 2, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    return result.stderr


def test_what_does_not_exist_is_said_in_one_line(tmp_path: Path, rows: Path) -> None:
    out = tmp_path / "run"
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    odd = tmp_path / "rows.xyz"
    odd.write_text("{}")
    cases = {
        ("run", GRAPH, "--rows", tmp_path / "no.jsonl", "--out", out): "there is no rows file",
        ("run", GRAPH, "--rows", empty, "--out", out): "is empty",
        ("run", GRAPH, "--rows", odd, "--out", out): "add --format jsonl, csv or parquet",
        ("run", "nofile.py:graph", "--rows", rows, "--out", out): "there is no file 'nofile.py'",
        ("run", f"{DESK}:sinle", "--rows", rows, "--out", out): "did you mean 'single'?",
        ("run", f"{DESK}:HANDBOOK", "--rows", rows, "--out", out): "is no graph but Block",
        ("run", "no.such.module:graph", "--rows", rows, "--out", out): "there is no module 'no.such.module'",
        ("run", "graph", "--rows", rows, "--out", out): "write path/file.py:name",
        ("run", GRAPH, "--rows", rows, "--out", out, "--budget-usd", "much"): "--budget-usd",
        ("resume", tmp_path): "is no run directory",
        ("report", tmp_path): "is no run directory",
    }
    for command, words in cases.items():
        told = refused(*command)
        assert words in told
        assert len(told.strip().splitlines()) == 1
        assert not out.exists(), "nothing is left behind"


def test_a_used_directory_is_refused(tmp_path: Path, rows: Path) -> None:
    out = tmp_path / "run"
    assert fanwise("run", GRAPH, "--rows", rows, "--out", out, "--channel", "live").returncode == 0
    assert "fanwise resume" in refused("run", GRAPH, "--rows", rows, "--out", out)
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_text("mine")
    assert "is not empty" in refused("run", GRAPH, "--rows", rows, "--out", other)
    assert (other / "file").read_text() == "mine"


def test_a_refused_key_and_an_unknown_model_are_told_before_anything_is_sent(tmp_path: Path, rows: Path) -> None:
    key = environment(ANTHROPIC_API_KEY="sk-secret-123")
    graph = tmp_path / "graph.py"
    graph.write_text(
        Path(DESK).read_text().replace('"claude-haiku-5-5", max_tokens=100', '"claude-nothing-9", max_tokens=100')
    )
    with emulator() as url:
        assert "knows no model 'claude-nothing-9'" in refused(
            "run", f"{graph}:single", "--rows", rows, "--out", tmp_path / "a", "--base-url", url, env=key
        )
    with emulator() as url:
        post(f"{url}/_emulator/faults", {"status": 401, "path": "/v1/models", "message": "invalid x-api-key"})
        told = refused("run", GRAPH, "--rows", rows, "--out", tmp_path / "b", "--base-url", url, env=key)
        assert "refuses the key" in told
        assert "sk-secret-123" not in told


def test_a_key_that_is_refused_in_the_middle_halts_the_run(tmp_path: Path) -> None:
    many = tickets(tmp_path / "many.jsonl", 200)
    key = environment(ANTHROPIC_API_KEY="sk-secret-123")
    with emulator(graph=GRAPH) as url:
        post(f"{url}/_emulator/faults", {"status": 401, "match": 'subject: s50"'})
        out = tmp_path / "run"
        result = fanwise(
            "run", GRAPH, "--rows", many, "--out", out, "--channel", "live", "--slots", 4, "--base-url", url, env=key
        )
    assert result.returncode == 3
    assert "authentication_error" in result.stderr
    account = summary(out)
    assert account["ended"] == "halted"
    assert account["rows"]["succeeded"] > 0
    assert account["rows"]["unfinished"] > 0
    for path in out.iterdir():
        assert b"sk-secret-123" not in path.read_bytes()


def test_with_a_token_and_no_key_the_run_is_not_offline(tmp_path: Path, rows: Path) -> None:
    """Whether somebody pays is decided by the SDK's own rules; here nobody answers at the address."""
    env = environment(ANTHROPIC_AUTH_TOKEN="token", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    told = refused("run", GRAPH, "--rows", rows, "--out", tmp_path / "run", env=env)
    assert "nobody answers at http://127.0.0.1:9" in told


def test_an_offline_run_is_not_resumed_with_a_key(tmp_path: Path, rows: Path) -> None:
    out = tmp_path / "run"
    assert fanwise("run", GRAPH, "--rows", rows, "--out", out).returncode == 0
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        assert "never mixed" in refused("resume", out, env=environment(**{name: "secret"}))
    assert summary(out)["offline"] is True


def test_a_mistake_in_the_graph_file_is_told_with_its_line(tmp_path: Path, rows: Path) -> None:
    graph = tmp_path / "graph.py"
    call = ("run", f"{graph}:job", "--rows", rows, "--out", tmp_path / "run")
    graph.write_text("x = 1 +\n")
    assert "graph.py:1: invalid syntax" in refused(*call)
    graph.write_text("import json\njson.nothing\n")
    raised = fanwise(*call)
    assert raised.returncode == 70 and "graph.py:2: AttributeError" in raised.stderr
    assert "Traceback" not in raised.stderr


def test_an_output_and_a_label_from_the_model_cannot_steer_the_terminal(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "\u001b[31mred", "subject": "x", "body": "y"}) + "\n")
    with emulator(graph=GRAPH) as url:
        post(f"{url}/_emulator/faults", {"status": 400, "match": '"Greet."', "message": "\u001b[2J[bold]x[/bold]"})
        out = tmp_path / "run"
        fanwise(
            "run",
            GRAPH,
            "--rows",
            rows,
            "--out",
            out,
            "--channel",
            "live",
            "--base-url",
            url,
            env=environment(ANTHROPIC_API_KEY="k"),
        )
    report = fanwise("report", out).stdout
    assert "\u001b" not in report
    assert "[bold]x[/bold]" in report
