"""A run directory is data from somebody else: looking at it changes nothing and runs nothing of what it names."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fanwise import resume
from fanwise.errors import NotNamedError
from inprocess import own_modules
from support import emulator, environment, fanwise, tickets

GRAPH = '''"""Says in a file beside it that it was imported."""
from pathlib import Path

from fanwise import agent, graph

(Path(__file__).parent / "imported").write_text("yes")


@agent(model="claude-haiku-5-5", max_tokens=50)
def say(subject: str, body: str) -> str:
    """Say it."""
    return subject


@graph
def job(subject: str, body: str) -> str:
    return say(subject, body)
'''
KEY = environment(ANTHROPIC_API_KEY="sk-secret")
LOOKS = (
    ("status", "RUN"),
    ("status", "RUN", "--json"),
    ("report", "RUN"),
    ("report", "RUN", "--full"),
    ("report", "RUN", "--by", "agent,hour"),
    ("report", "RUN", "--json"),
    ("history", "RUN"),
    ("diff", "RUN", "RUN"),
    ("export", "RUN", "--out", "TABLES"),
    ("report", "RUN", "--html", "--out", "PAGE"),
    ("batches", "RUN"),
    ("batches", "RUN", "watch"),
    ("show", "RUN", "t0", "say"),
    ("resume", "RUN", "--yes"),
)
"""The last ones would import the graph, which is not under the current directory: they end with 2."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of a graph, simulated and ended."""
    folder = tmp_path_factory.mktemp("theirs")
    graph, rows = folder / "graph.py", tickets(folder / "rows.jsonl", 3)
    graph.write_text(GRAPH)
    ended = fanwise("run", f"{graph}:job", "--rows", rows, "--out", folder / "run", "--channel", "live")
    assert ended.returncode == 0, ended.stderr
    (folder / "imported").unlink()
    return folder


@pytest.fixture
def theirs(made: Path, tmp_path: Path) -> Path:
    """A directory of theirs, to be changed."""
    return shutil.copytree(made / "run", tmp_path / "run", symlinks=True)


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that can be seen of a folder from outside, but for when it was read."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


def changed(directory: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(directory / "journal.db")) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute(statement, values)
        db.commit()


def test_whoever_looks_changes_nothing_and_imports_nothing(made: Path, tmp_path: Path) -> None:
    before = tree(made)
    places = {"RUN": made / "run", "TABLES": tmp_path / "tables", "PAGE": tmp_path / "page.html"}
    for command in LOOKS:
        ended = fanwise(*[places.get(word, word) for word in command])
        assert ended.returncode == (2 if command[0] in ("show", "resume") else 0), ended.stderr
        assert tree(made) == before, command
    assert not (made / "imported").exists()


@pytest.mark.parametrize("command", [("show", "RUN", "t0", "say"), ("resume", "RUN")])
def test_a_graph_from_elsewhere_is_named_or_stands_here(made: Path, theirs: Path, command: tuple[str, ...]) -> None:
    words = [str(theirs) if word == "RUN" else word for word in command]
    reference = f"{made / 'graph.py'}:job"
    refused = fanwise(*words)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert refused.stderr.endswith(f": fanwise {' '.join(words)} --graph {reference}\n"), "the whole line to type"
    assert not (made / "imported").exists()
    try:
        for more, folder in ((("--graph", reference), None), ((), made)):
            ended = fanwise(*words, *more, cwd=folder)
            assert ended.returncode == 0, ended.stderr
            assert (made / "imported").exists()
            (made / "imported").unlink()
    finally:
        (made / "imported").unlink(missing_ok=True)


def test_a_graph_is_not_taken_for_one_that_stands_here(made: Path, theirs: Path) -> None:
    """Not by a link, not by a path from here, not in the run directory itself, and not as an installed module."""
    here = theirs.parent
    (here / "link.py").symlink_to(made / "graph.py")
    (theirs / "graph.py").write_text(GRAPH)
    (here / "graph.py").write_text(GRAPH)
    for reference in (
        f"{here}/link.py:job",
        "graph.py:job",
        "./graph.py:job",
        f"{theirs}/graph.py:job",
        f"{here}/../{made.name}/graph.py:job",
        "antigravity:job",
        "pip._internal:job",
        "xml.dom:job",
    ):
        changed(theirs, "UPDATE meta SET value=json_set(value,'$.graph',?) WHERE key='manifest'", reference)
        refused = fanwise("resume", theirs, "--yes", cwd=here)
        assert refused.returncode == 2 and "--graph" in refused.stderr, (reference, refused.stderr)
    for reference in ("graph\0.py:job", "/x\0y/graph.py:job"):
        changed(theirs, "UPDATE meta SET value=json_set(value,'$.graph',?) WHERE key='manifest'", reference)
        refused = fanwise("resume", theirs, "--yes", cwd=here)
        assert refused.returncode == 2 and "a NUL character" in refused.stderr, (reference, refused.stderr)
    changed(theirs, "UPDATE meta SET value=json_set(value,'$.graph',?) WHERE key='manifest'", f"{here}/graph.py:job")
    baseline = "UPDATE meta SET value=json_set(value,'$.spec.baseline',?) WHERE key='manifest'"
    changed(theirs, baseline, f"{made}/graph.py:job")
    assert f"--baseline {made}/graph.py:job" in fanwise("resume", theirs, "--yes", cwd=here).stderr
    assert not any((folder / "imported").exists() for folder in (made, here, theirs))


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_library_asks_the_same(theirs: Path) -> None:
    with own_modules(), pytest.raises(NotNamedError, match=r"graph='.*graph\.py:job'"):
        await resume(theirs)


ASKING = (("resume", "RUN", "--yes"), ("resume", "RUN", "--cancel"), ("batches", "RUN"), ("batches", "RUN", "cancel"),
          ("batches", "RUN", "collect"))  # fmt: skip


def test_no_key_goes_to_an_address_that_a_directory_names(made: Path, theirs: Path) -> None:
    """The key of who resumed a directory of somebody else's went where its journal said."""
    named = f"{made / 'graph.py'}:job"
    with emulator(graph=named) as url, emulator(graph=named) as trap:
        (made / "imported").unlink()
        changed(
            theirs,
            "UPDATE meta SET value=json_set(value,'$.mode','api','$.spec.base_url',?) WHERE key='manifest'",
            trap,
        )
        changed(theirs, "INSERT INTO batches VALUES(1, 2, 1e9, 'msgbatch_x', 'created')")
        for words in ASKING:
            line = [str(theirs) if word == "RUN" else word for word in words]
            refused = fanwise(*line, env=KEY, cwd=made)
            assert refused.returncode == 2 and refused.stderr.count("\n") == 1, refused.stderr
            assert refused.stderr.endswith(f": fanwise {' '.join(line)} --base-url {trap}\n")
        env = environment(ANTHROPIC_API_KEY="sk-secret", ANTHROPIC_BASE_URL=url)
        for how in ({"env": env}, {"env": {**KEY, "FANWISE_BATCHES_BASE_URL": url}}):
            assert fanwise("batches", theirs, **how).returncode == 0
        noted = fanwise("resume", theirs, "--yes", "--grace-s", 0, env=env, cwd=made)
        assert f"requests go to {url}, which ANTHROPIC_BASE_URL names; before they went to {trap}" in noted.stderr
        (made / "imported").unlink(missing_ok=True)
        assert asked(trap) == 0 < asked(url)


def test_a_recorded_address_is_said_without_its_password_and_another_can_be_named(made: Path, theirs: Path) -> None:
    """Found: a run of an earlier version, which took such addresses, could not be resumed with another either."""
    manifest = "UPDATE meta SET value=json_set(value,'$.mode','api','$.spec.base_url',?) WHERE key='manifest'"
    changed(theirs, manifest, "http://me:hunter2@127.0.0.1:9/v1?token=hunter2")
    changed(theirs, "INSERT INTO batches VALUES(1, 2, 1e9, 'msgbatch_x', 'created')")
    for words in ASKING:
        line = [str(theirs) if word == "RUN" else word for word in words]
        refused = fanwise(*line, env=KEY, cwd=made)
        assert refused.returncode == 2 and "hunter2" not in refused.stderr + refused.stdout
        assert refused.stderr.endswith(f": fanwise {' '.join(line)} --base-url http://127.0.0.1:9\n")
    with emulator(graph=f"{made / 'graph.py'}:job") as url:
        there = fanwise("resume", theirs, "--yes", "--grace-s", 0, env=KEY | {"ANTHROPIC_BASE_URL": url}, cwd=made)
    assert f"requests go to {url}, which ANTHROPIC_BASE_URL names" in there.stderr
    assert there.returncode == 0 and "hunter2" not in there.stderr + there.stdout
    shown = str(NotNamedError("run", {"base_url": "http://me:hunter2@host/?key=hunter2"}))
    assert "hunter2" not in shown and "base_url='http://***@host/?***'" in shown


def asked(url: str) -> int:
    """How often a server was asked anything by a client."""
    with urllib.request.urlopen(f"{url}/_emulator/requests", timeout=10) as reply:
        return len(json.load(reply)["requests"])


def _link(path: Path) -> None:
    target = path.parent.parent / "mine"
    target.write_bytes(path.read_bytes() if path.exists() else b"")
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize("planted", [_link, _pipe])
def test_no_name_in_a_directory_leads_elsewhere(theirs: Path, planted: Callable[[Path], None]) -> None:
    """A pipe as the lock was waited for without an end, and a link was followed and written to."""
    for name in ("lock", "journal.db", "journal.db-wal", "emulator.db", "summary.json", "looks.json"):
        here = shutil.copytree(theirs, theirs.parent / f"{name}.run", symlinks=True)
        planted(here / name)
        before = tree(here)
        mine = theirs.parent / "mine"
        kept = mine.read_bytes() if mine.exists() else b""
        for command in (("status", here), ("report", here), ("resume", here, "--yes"), ("purge", here, "--content")):
            ended = fanwise(*command)
            assert ended.returncode == 2 and "which no run makes" in ended.stderr, (name, command, ended.stderr)
            assert ended.stderr.count("\n") == 1
        assert fanwise("history", here).returncode in (0, 2)
        assert tree(here) == before
        assert (mine.read_bytes() if mine.exists() else b"") == kept


ODD_META = ("7", '"x"', "[1]", '{"a": 1}', "1e999", "9" * 400, "[" * 3_000, '{"a": {"b": 1}}', "{")
ODD_COLUMNS = (
    ("attempts.model", 7), ("attempts.why", "x"), ("attempts.sent", 9e300), ("attempts.chars", "x"),
    ("ends.status", "x"),
    ("ends.cost", 2**62), ("ends.at", "x"), ("ends.input", b"\xff"), ("results.status", None), ("results.output", "x"),
    ("asks.sizes", "x"), ("rows.row_id", b"\xff\xfe"), ("sessions.started", 9e300), ("attempts.blocks", "x"),
)  # fmt: skip
READERS = (("report", "--full"), ("status",), ("report", "--by", "agent,hour,status"), ("history",))


def test_odd_values_in_a_journal_are_said_in_a_line(theirs: Path) -> None:
    pristine = (theirs / "journal.db").read_bytes()
    with closing(sqlite3.connect(theirs / "journal.db")) as db:
        keys = [key for (key,) in db.execute("SELECT key FROM meta")]
    spoilt: list[tuple[str, tuple[object, ...]]] = [
        ("UPDATE meta SET value=? WHERE key=?", (ODD_META[number % len(ODD_META)], key))
        for number, key in enumerate(keys)
    ]
    spoilt += [
        (f"UPDATE {name.partition('.')[0]} SET {name.partition('.')[2]}=?", (value,)) for name, value in ODD_COLUMNS
    ]
    for number, (statement, values) in enumerate(spoilt):
        (theirs / "journal.db").write_bytes(pristine)
        changed(theirs, statement, *values)
        word, *options = READERS[number % 2] if number < len(keys) else READERS[0]
        ended = fanwise(word, theirs, *options)
        assert "Traceback" not in ended.stderr, (statement, values, ended.stderr)
        if ended.returncode:
            assert ended.returncode in (2, 70) and ended.stderr.count("\n") == 1 and len(ended.stderr) < 1_000
