"""`fanwise emulate` as a program: where it listens, what its options say, what it keeps, how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support import DESK, bill, environment, fanwise, lines, summary, tickets

GRAPH = f"{DESK}:single"


def started(*options: object) -> tuple[subprocess.Popen[str], str]:
    """An emulator as a process, and the URL that it prints."""
    command = [sys.executable, "-m", "fanwise", "emulate", "--port", "0", *map(str, options)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_it_answers_by_its_options_ends_when_it_is_told_and_keeps_its_bill(tmp_path: Path) -> None:
    rows, out, kept = tickets(tmp_path / "rows.jsonl", 4), tmp_path / "run", tmp_path / "kept"
    options = ("--latency-s", 0.01, "--level", "start", "--clock-speed", 60, "--ramp-limit", "--spend-limit-usd", 5)
    process, url = started("--graph", GRAPH, "--dir", kept, *options)
    with process:
        key = environment(ANTHROPIC_API_KEY="k")
        run = ("run", GRAPH, "--rows", rows, "--out", out, "--channel", "live", "--base-url", url)
        assert fanwise(*run, env=key).returncode == 0
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (0, ""), "the address alone, for scripts"
    assert said == f"fanwise: simulated Messages API at {url}; bill at {url}/_emulator/bill; Ctrl-C ends it\n"
    assert [line["output"] for line in lines(out / "results.jsonl")] == [f"Hello, s{number}" for number in range(4)]
    process, url = started("--dir", kept)
    with process:
        entries = bill(url)["totals"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert (entries["entries"], entries["usd"]) == (4, summary(out)["cost_usd"])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--host", "0.0.0.0"), "is no loopback address; add --token"),
        (("--spend-limit-usd", "much"), "'--spend-limit-usd': "),
        (("--graph", "nothing.py:graph"), "there is no file 'nothing.py'"),
        (("--latency-s", "nan"), "'--latency-s': nan is not a number"),
        (("--clock-speed", "inf"), "'--clock-speed': inf is not in the range"),
        (("--record", "record", "--upstream", "notaurl"), "--upstream: 'notaurl' is no address"),
        (("--replay", "nothing"), "'--replay': Directory 'nothing' does not exist"),
        (("--record", "file"), "'--record': Directory 'file' is a file"),
        (("--dir", "damaged"), "damaged/emulator.db cannot be used: file is not a database; choose another"),
        (("--dir", "file/below"), "file/below cannot be used: Not a directory; choose another"),
    ],
)
def test_mistakes_of_the_call_are_told_in_one_line(tmp_path: Path, options: tuple[str, ...], text: str) -> None:
    """A number that is none was served with, a recorded folder that is not there too; a state that is none was a
    traceback.
    """
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "emulator.db").write_bytes(b"no database" * 500)
    result = fanwise("emulate", "--port", 0, *options, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1
