"""What the tests call in this process is what the program does, and leaves nothing behind."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from support import DESK, environment, fanwise, program, started, tickets

GRAPH = f"{DESK}:triage"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("report", "RUN"), 0),
        (("report", "RUN2"), 2),
        (("plan", GRAPH, "--rows", "-", "--sample"), 2),
        (("run", "package.broken:job", "--rows", "ROWS", "--out", "RUN2"), 70),
        (("-v", "resume", "RUN", "--graph", GRAPH), 0),
        (("run", "-h"), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_process_prints_the_same(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    """A report, errors in the form of a command and in that of a graph, events of the log, help."""
    rows, run = tickets(tmp_path / "rows.jsonl", 3), tmp_path / "run"
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "broken.py").write_text("import sys\nsys.nothing\n")
    assert fanwise("run", GRAPH, "--rows", rows, "--out", run).returncode == 0
    places = {"RUN": str(run), "RUN2": str(tmp_path / "run2"), "ROWS": str(rows)}
    words = [places.get(word, word) for word in arguments]
    env = environment(COLUMNS="90", PYTHONPATH=str(tmp_path))
    apart, here = (run_it(*words, env=env, stdin="no json\n", cwd=tmp_path) for run_it in (program, fanwise))
    assert (here.returncode, here.stdout) == (apart.returncode, apart.stdout)
    assert said(here.stderr) == said(apart.stderr)
    assert here.returncode == status
    assert here.stdout or here.stderr


def said(stderr: str) -> list[str]:
    """What is on standard error but for the progress, of which there is a line every ten seconds."""
    return [line for line in stderr.splitlines() if not re.match(r"[\d,]+/[\d,]+ rows, ", line)]


def test_a_process_that_is_forked_ends_and_prints_the_same(tmp_path: Path) -> None:
    words = ("report", "nothing", "--by", "wrong")
    with chdir(tmp_path), started(*words, stderr=subprocess.PIPE) as forked:
        apart = program(*words, cwd=tmp_path)
        assert forked.communicate() == (None, apart.stderr)
        assert forked.returncode == apart.returncode == 2


def test_what_nobody_has_caught_is_a_traceback_and_a_status(tmp_path: Path) -> None:
    graph = tmp_path / "odd.py"
    graph.write_text("class Odd(BaseException): pass\ndef __getattr__(name): raise Odd(name)\n")
    apart, here = (run_it("graph", f"{graph}:job") for run_it in (program, fanwise))
    assert here.returncode == apart.returncode == 1
    assert "Traceback" in here.stderr
    assert here.stderr.splitlines()[-1] == apart.stderr.splitlines()[-1]


def test_a_call_leaves_nothing_behind(tmp_path: Path) -> None:
    graph = tmp_path / "mine.py"
    (tmp_path / "neighbour.py").write_text("NAME = 'first'\n")
    graph.write_text(f"import neighbour, os\nos.environ['LEFT'] = '1'\n{Path(DESK).read_text()}")
    rows = tickets(tmp_path / "rows.jsonl", 2)

    def state() -> tuple[object, ...]:
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        loggers = [logging.getLogger(name) for name in ("", "fanwise", "httpx2")]
        ours = {name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))}
        streams = sys.stdin, sys.stdout, sys.stderr
        levels = [(logger.level, list(logger.handlers)) for logger in loggers]
        return dict(os.environ), Path.cwd(), list(sys.path), handlers, levels, ours, streams

    before = state()
    run = ("-vv", "run", f"{graph}:triage", "--rows", rows, "--channel", "live")
    assert fanwise(*run, "--out", tmp_path / "a").returncode == 0
    assert state() == before
    (tmp_path / "neighbour.py").write_text("raise ValueError('second')\n")  # as long ago, as far as a clock can tell
    assert "second" in fanwise(*run, "--out", tmp_path / "b").stderr, "a graph and its neighbours are read anew"
    assert state() == before
