"""`disallowedTools` of agent files: what is forbidden is not given, however it is spelt, and what is said is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanwise import Agent, McpServer


def read_file(path: str) -> str:
    """Return the text of a file."""
    return Path(path).name


def run_command(command: str) -> str:
    """Run a command."""
    return command


CRM = McpServer("crm", command=["true"])
FINDING = McpServer("crm", command=["true"], only=["find"])
TOOLS = {"Read": read_file, "Bash": run_command, "crm": CRM}


def read(folder: Path, lines: str, tools: Any) -> tuple[list[str], list[str]]:
    """The names of the tools that an agent with these lines has, and what is said of them."""
    path = folder / "a.md"
    path.write_text(f"---\nname: a\nmodel: haiku\n{lines}\n---\nGo.\n")
    agent = Agent.load(path, tools=tools)
    return [tool.name for tool in agent.spec.tools], [note.text for note in agent.notes]


@pytest.mark.parametrize(
    ("denied", "left"),
    [
        ("mcp__crm", "read_file run_command"),
        ("mcp__crm__*", "read_file run_command"),
        ("mcp__CRM", "read_file run_command"),
        ("mcp__*", "read_file run_command"),
        ("crm", "read_file run_command"),
        ("read", "run_command crm"),
        ("read_file", "run_command crm"),
        ("Read;Bash", "crm"),
        ("[BASH, 'mcp__crm']", "read_file"),
    ],
)
def test_what_is_forbidden_is_not_given_however_it_is_spelt(tmp_path: Path, denied: str, left: str) -> None:
    names, notes = read(tmp_path, f"disallowedTools: {denied}", TOOLS)
    assert names == left.split()
    assert len(notes) == 1 and notes[0].startswith("the agent is not given "), notes


@pytest.mark.parametrize("server", [{"support": CRM}, {"mcp__support__*": CRM}, [CRM]])
def test_a_server_is_forbidden_by_its_own_name_and_by_the_callers(tmp_path: Path, server: Any) -> None:
    assert read(tmp_path, "disallowedTools: mcp__crm", server)[0] == []
    if isinstance(server, dict):
        assert read(tmp_path, "disallowedTools: mcp__support", server)[0] == []
    assert read(tmp_path, "disallowedTools: mcp__wiki", server)[0] == ["crm"]


@pytest.mark.parametrize("denied", ["'*'", "all", "All, Read", "['*']"])
@pytest.mark.parametrize("wanted", ["", "tools: Read, Bash\n", "tools: '*'\n"])
def test_where_all_is_forbidden_the_agent_has_nothing_and_that_is_said(
    tmp_path: Path, denied: str, wanted: str
) -> None:
    for tools in (TOOLS, [read_file, CRM]) if "Bash" not in wanted else (TOOLS,):
        said = ["every tool is forbidden: the agent has none"]
        assert read(tmp_path, f"{wanted}disallowedTools: {denied}", tools) == ([], said)


@pytest.mark.parametrize("wanted", ["", "tools: Read, Bash\n", "tools: Read, Bash(git log:*)\n"])
def test_what_is_forbidden_in_part_is_not_given_at_all_and_that_is_said(tmp_path: Path, wanted: str) -> None:
    names, notes = read(tmp_path, f"{wanted}disallowedTools: Bash(rm:*)", {"Read": read_file, "Bash": run_command})
    assert names == ["read_file"]
    assert notes == ["Bash(rm:*): the pattern cannot be kept to, so the agent is not given Bash at all"]


def test_one_forbidden_tool_of_a_server_takes_the_server_unless_the_caller_has_chosen_others(tmp_path: Path) -> None:
    lines = "tools: Read, mcp__crm__find\ndisallowedTools: mcp__crm__delete"
    names, notes = read(tmp_path, lines, TOOLS)
    assert names == ["read_file"]
    assert notes == [
        "mcp__crm__delete: one tool of a server cannot be taken away, so the agent is not given crm at all; "
        "McpServer(only=[...]) chooses"
    ]
    names, notes = read(tmp_path, lines, {"Read": read_file, "crm": FINDING})
    assert (names, notes) == (["read_file", "crm"], ["the agent is not given mcp__crm__delete"])
    assert read(tmp_path, "disallowedTools: mcp__crm__f*", [FINDING])[0] == []


def test_a_function_with_two_names_goes_with_either_and_that_is_said(tmp_path: Path) -> None:
    names, notes = read(tmp_path, "tools: Read\ndisallowedTools: Write", {"Read": read_file, "Write": read_file})
    assert names == [] and notes == [
        "the agent is not given Write",
        "nor is it given Read: that is the same tool here as one that is forbidden",
    ]


def test_a_function_that_stands_for_a_tool_of_a_server_goes_with_the_server(tmp_path: Path) -> None:
    assert read(tmp_path, "disallowedTools: mcp__crm", {"mcp__crm__find": read_file})[0] == []


def test_a_bracket_that_does_not_close_hides_no_names_behind_it(tmp_path: Path) -> None:
    assert read(tmp_path, "disallowedTools: Bash(rm:*, Read", TOOLS)[0] == ["crm"]


@pytest.mark.parametrize("denied", ["Bash", "run_command", "'*'", "mcp__crm, Bash(rm:*)"])
@pytest.mark.parametrize("tools", [{"Bash": run_command, "Read": read_file}, [run_command, read_file]])
def test_options_do_not_grant_what_the_file_forbids(tmp_path: Path, denied: str, tools: Any) -> None:
    if denied.startswith(("Bash", "mcp__")) and isinstance(tools, list):
        pytest.skip("the function is not called Bash")
    path = tmp_path / "a.md"
    path.write_text(f"---\nname: a\nmodel: haiku\ndisallowedTools: {denied}\n---\nGo.\n")
    before = Agent.load(path)
    changed = before.options(tools=tools).options(max_turns=3)
    left = [] if denied == "'*'" else ["read_file"]
    assert [tool.name for tool in changed.spec.tools] == left
    (note,) = changed.notes[len(before.notes) :]
    assert note.place.startswith(f"{__file__}:")
    assert "is not given to 'a' by .options: its file forbids it" in note.text
    assert [tool.name for tool in changed.options(tools=tools).spec.tools] == left, "nor by another call"


def test_options_of_a_file_that_forbids_nothing_give_what_they_give(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\nname: a\nmodel: haiku\n---\nGo.\n")
    changed = Agent.load(path).options(tools=[run_command, read_file])
    assert [tool.name for tool in changed.spec.tools] == ["run_command", "read_file"] and not changed.notes
