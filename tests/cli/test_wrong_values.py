"""Every option and argument of every command, with values that it cannot have: one line and status 2, no traceback."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from fanwise.cli.main import COMMANDS, main
from inprocess import own_modules

GRAPH = """\
from pydantic import BaseModel

from fanwise import agent, graph


class Note(BaseModel):
    id: int
    text: str


@agent(model="claude-haiku-5-5", max_tokens=50)
def grade(text: str) -> int:
    "Grade the note from 1 to 6."
    return len(text) % 6 + 1


@graph
def notes(note: Note) -> int:
    return grade(note.text)
"""
UNWRITABLE = ("\udcff", "nul\0nul")
"""What no file and no database can hold: a byte that is not UTF-8, and a NUL."""
NUMBERS = ("", " ", "text", "-1", "-9" + 30 * "9", "9" * 30, "1.5", "nan", "inf", "-inf", "1e999", "0x10", *UNWRITABLE)
WORDS = ("", "text", "-1", *UNWRITABLE)
TEXTS = (
    "", " ", "-1", "nan", "9" * 30, "text", "x" * 5000, "folder", "file", "file/below", "missing/path", "binary",
    "binary.py:notes", "folder.py:notes", "missing.py:notes", ":", "http://[::1", "http://a:99999", "\x1b[31m",
    *UNWRITABLE,
)  # fmt: skip
CALLS = {
    "run": "graph.py:notes --rows rows.jsonl --out new --slots 0",
    "resume": "done --slots 0",
    "sync": "done --slots 0",
    "status": "done",
    "batches": "done",
    "report": "done",
    "export": "done",
    "history": "done",
    "diff": "done gone",
    "compare": "graph.py:notes --rows rows.jsonl --sample 0",
    "graph": "graph.py:notes",
    "plan": "graph.py:notes --rows rows.jsonl --simulate 0",
    "advise": "graph.py:notes --rows rows.jsonl --simulate 0",
    "audit": "graph.py:notes --rows gone.jsonl",
    "check": "graph.py:notes",
    "show": "done 1 grade",
    "purge": "done",
    "agents": "agents --types types.py",
    "coordinate": "goal --agents agents --types types.py --row Note --output Note --rows gone.jsonl --write new.py",
    "freeze": "plan.json --agents agents --types types.py --row Note --write new.py",
    "emulate": "--token secret --port {taken}",
}
"""A call of each that ends early, with nothing carried out: most by one mistake, which the wrong value precedes."""
ENDS = (0, 1, 2, 4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a graph, a finished run, and files and folders that are something else than they seem."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "graph.py").write_text(GRAPH)
    (folder / "rows.jsonl").write_text('{"id": 1, "text": "a"}\n')
    (folder / "file").write_text("no run\n")
    for name in ("binary", "binary.py"):
        (folder / name).write_bytes(bytes(range(256)) * 8)
    for name in ("folder", "folder.py"):
        (folder / name).mkdir()
    with chdir(folder), own_modules():
        words = "run graph.py:notes --rows rows.jsonl --out done --channel live"
        first = CliRunner().invoke(main, words.split())
        assert first.exit_code == 0, first.output
        yield folder


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def wrong_calls(command: click.Command, words: list[str]) -> Iterator[list[str]]:
    """Each value that is wrong for some kind of parameter, in the place of each parameter of a command."""
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    for parameter in command.params:
        kind = parameter.type
        if isinstance(parameter, click.Option) and parameter.is_flag:
            continue
        numbers = isinstance(kind, click.types.IntParamType | click.types.FloatParamType)
        for value in NUMBERS if numbers else WORDS if isinstance(kind, click.Choice) else TEXTS:
            if isinstance(parameter, click.Option):
                yield [*words, f"{parameter.opts[0]}={value}"]
            else:
                position = arguments.index(parameter)
                yield [*words[:position], value, *words[position + 1 :]]


def fault(result: Result) -> str:
    """What is wrong with how a call has ended; nothing where it is as it should be."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return f"{type(result.exception).__name__}: {result.exception}"
    said = result.stderr.splitlines()
    if result.exit_code not in ENDS:
        return f"status {result.exit_code}: {said}"
    if result.exit_code != 2:
        return ""
    several = re.fullmatch(r"fanwise: .* has (\d+) mistakes?:", said[0]) if said else None
    if len(said) != (1 + int(several[1]) if several else 1) or not said[0].startswith("fanwise: "):
        return f"{len(said)} lines: {said}"
    return "" if all(line.isprintable() for line in said) else f"steers a terminal: {said}"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_value_is_one_line_and_status_2(place: Path, taken: int, name: str) -> None:
    """Found tracebacks: a name that is not UTF-8, a NUL, `plan --simulate` with 30 digits, a host that cannot be one.

    `emulate` took nan and inf as seconds, and what click says took four lines.
    """
    command = main.get_command(click.Context(main), name)
    assert command is not None
    runner, faults = CliRunner(), []
    for words in wrong_calls(command, CALLS[name].format(taken=taken).split()):
        said = fault(runner.invoke(main, [name, *words]))
        if said:
            faults.append(f"{[word[:60] for word in words]}: {said[:300]}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("value", ["-5", "nan", "inf", "1e400"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_number_without_sense_is_refused_by_the_name_of_its_option(
    place: Path, taken: int, name: str, value: str
) -> None:
    """Found: `diff --fail-above -5` failed a run that was as cheap as before, `--ask-above-usd 1e400` never asked."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    words, any_number = CALLS[name].format(taken=taken).split(), ("--seed",) if value == "-5" else ()
    for option in command.params:
        kinds = click.types.IntParamType | click.types.FloatParamType
        if not isinstance(option, click.Option) or option.opts[0] in any_number:
            continue
        if isinstance(option.type, kinds) or option.metavar in ("X", "TIME", "PERCENT"):
            said = CliRunner().invoke(main, [name, *words, f"{option.opts[0]}={value}"])
            assert (said.exit_code, fault(said)) == (2, ""), option.opts
            assert option.opts[0] in said.stderr


@pytest.mark.parametrize(
    "words",
    [["nothing"], ["run", "--nothing"], ["--nothing"], ["report"], ["show", "done"], ["report", "done", "done"]],
)
def test_a_call_of_another_form_is_one_line(place: Path, words: list[str]) -> None:
    said = CliRunner().invoke(main, words, prog_name="fanwise")
    assert said.exit_code == 2
    assert re.fullmatch(r"fanwise: .*; see `fanwise.* --help`\n", said.stderr)


def test_values_of_the_environment_are_looked_at_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANWISE_EXPORT_OUT", "folder/\udcff")
    said = CliRunner().invoke(main, ["export", "done"])
    assert fault(said) == ""
    assert said.stderr.startswith("fanwise: --out: ")


@pytest.mark.parametrize(
    ("call", "typed"),
    [("show done 1 grade --graph nope", "--graph"), ("resume done --graph nope", "--graph"),
     ("audit nope --rows rows.jsonl", "GRAPH")],
)  # fmt: skip
def test_a_mistake_is_named_as_the_command_has_it(place: Path, call: str, typed: str) -> None:
    """`show` and `resume` called their `--graph` GRAPH, which they do not take."""
    said = CliRunner().invoke(main, call.split())
    assert said.exit_code == 2
    assert f"{typed}: 'nope' names no graph" in said.stderr
