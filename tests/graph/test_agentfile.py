"""Agent files: Markdown with front matter; every mistake with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise import Agent, Agents, DefinitionError, McpServer, UsageError, agent, graph, tool
from support import fanwise

ROOT = Path(__file__).parent.parent.parent


def load(folder: Path, text: str, **given: Any) -> Agent[[str], str]:
    """An agent that is a file with this text alone."""
    path = folder / "a.md"
    path.write_bytes(text.encode())
    return Agent.load(path, **given)


def mistakes_of(folder: Path, text: str, **given: Any) -> list[str]:
    """What is wrong with such a file, each mistake without the folder."""
    with pytest.raises(DefinitionError) as caught:
        load(folder, text, **given)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


def notes_of(agent: Agent[..., Any]) -> list[str]:
    return [f"{Path(note.place).name}: {note.text}" for note in agent.notes]


def test_the_agents_of_the_examples_can_be_read() -> None:
    agents = Agents.load(ROOT / "agents")
    (note,) = agents.notes
    assert len(agents) == 8
    assert note.text.startswith(
        "the section Examples is read as instructions: example 1 of agent 'classify' gives task"
    )
    for path in sorted((ROOT / "agents").glob("*.md")):
        spec = agents[path.stem].spec
        assert spec.model.startswith("claude-") and spec.max_tokens > 0 and spec.instructions and spec.description


def test_all_mistakes_are_listed_with_their_lines(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, "---\nname: a\nmodle: x\nmax_tokens: many\neffort: huge\n---\n\n") == [
        "a.md:3: names no model, and none is given; modle is no field, did you mean 'model'? or give "
        'model="claude-haiku-5-5"',
        "a.md:4: max_tokens is 'many'; give a positive whole number of tokens",
        "a.md:5: effort is 'huge'; one of low, medium, high, xhigh, max, default",
        "a.md:6: has no body; the body is the agent's instructions",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("---\n: : :\n---\nx", "a.md:2: front matter is not YAML"),
        ("---\n- a\n---\nx", "a.md:2: front matter is not a list of `key: value`"),
        ("---\nname: !!python/object/apply:os.system ['true']\n---\nx", "a.md:2: front matter has a value that is not"),
        ("---\nname: a: b\nmodel: !!python/name:os.system\n---\nx", "a.md:3: front matter has a value that is not"),
        (
            "---\nname: a: b\nhooks: &a [x, x]\nskills: [*a, *a]\nmodel: [&b [x], *b]\n---\nx",
            "a.md:5: front matter has",
        ),
        ("---\nname: a: b\nhooks: " + 25 * "[" + 25 * "]" + "\n---\nx", "a.md:3: front matter is nested too deeply"),
        ("---\nname: a: b\n" + 300 * "x:\n" + "---\nx", "a.md:2: front matter has 301 fields"),
        ("---\n" + "".join(f"x{number}: 1\n" for number in range(300)) + "---\nx", "a.md:2: front matter has 300 fie"),
        ("---\nname: a\n", "a.md:1: the front matter has no end"),
        ("---\nname: a\nmodel: claude-haiku-4-5\neffort: high\n---\nx", "a.md:4: claude-haiku-4-5 takes no effort"),
        ("---\nname: a\nmodel: [haiku]\n---\nx", "a.md:3: model is ['haiku'], not text"),
        ("---\nname: 7\nmodel: haiku\n---\nx", "a.md:2: name is 7"),
        (
            "---\nname: a\nmodel: haiku\ntools: {Read: 1}\n---\nx",
            "a.md:4: tools is {'Read': 1}, which is no list of names",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line_and_never_run(tmp_path: Path, text: str, mistake: str) -> None:
    (first, *_) = mistakes_of(tmp_path, text)
    assert first.startswith(mistake)


@given(st.text(alphabet="ab:-|>\"'*&!{}[]#,\n\t \\`@%?", max_size=80), st.booleans())
def test_whatever_stands_in_a_front_matter_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, known: bool
) -> None:
    """PyYAML raises what is no YAMLError for some texts; a file is an agent or a list of mistakes."""
    folder = tmp_path_factory.getbasetemp()
    lines = f"---\nname: a\n{'description: ' if known else ''}{text}\nmodel: haiku\n---\nGo.\n"
    try:
        agent = load(folder, lines)
    except DefinitionError as error:
        assert all(str(folder / "a.md") in mistake.place for mistake in error.mistakes)
    else:
        assert agent.spec.model == "claude-haiku-5-5" or "model" in text or "---" in text


def test_a_model_that_is_given_wins_over_whatever_the_file_says(tmp_path: Path) -> None:
    head = "---\nname: a\nmodel: {}\n---\nGo.\n"
    for said in ("inherit", "opusplan", "gpt-5", "sonnet"):
        assert load(tmp_path, head.format(said), model="claude-haiku-5-5").spec.model == "claude-haiku-5-5"
    assert mistakes_of(tmp_path, head.format("inherit")) == [
        'a.md:3: model is inherit, and none is given; give model="claude-haiku-5-5"'
    ]


def test_a_docstring_beside_a_file_is_not_read_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\nname: a\nmodel: haiku\ncolor: red\n---\nThe file's.\n")

    @agent(tmp_path / "a.md")
    def act(text: str) -> str:
        """The docstring's."""
        return text

    assert act.spec.instructions == "The file's."
    (ignored, docstring) = notes_of(act)
    assert ignored == "a.md:4: not read here: color (line 4)"
    assert docstring.startswith("test_agentfile.py:") and "the docstring of 'act' is not read" in docstring


def test_a_file_without_a_name_is_called_as_its_function(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Do it.\n")

    @agent(tmp_path / "a.md", model="claude-haiku-5-5")
    def act(text: str) -> str:
        return text

    assert (act.name, act.spec.instructions) == ("act", "Do it.")
    assert notes_of(act) == ["a.md:1: there is no front matter: the whole file is taken for the instructions"]


def read_file(path: str) -> str:
    """Return the text of a file."""
    return Path(path).name


@tool
def grep(pattern: str) -> list[str]:
    """Find lines."""
    return [pattern]


TICKETS = McpServer("tickets", command=["true"])
NAMED = "---\nname: a\nmodel: haiku\ntools: {}\n{}---\nGo.\n"


def tools_of(agent: Agent[..., Any]) -> list[str]:
    return [tool.name for tool in agent.spec.tools]


def test_names_of_tools_are_what_their_caller_says(tmp_path: Path) -> None:
    names = {"Read": read_file, "Grep": grep, "Write": read_file}
    read = load(tmp_path, NAMED.format("Read, Grep", ""), tools=names)
    assert tools_of(read) == ["read_file", "grep"] and not read.spec.notes and not read.spec.without
    assert mistakes_of(tmp_path, NAMED.format("Read, LS, Glob", ""), tools=names) == [
        'a.md:4: tools LS, Glob do not exist here; map each name, tools={"LS": ..., "Glob": ...}, or write '
        'missing_tools="drop"'
    ]
    dropped = load(tmp_path, NAMED.format("Read, LS, Glob", ""), tools=names, missing_tools="drop")
    assert (tools_of(dropped), dropped.spec.without) == (["read_file"], ("LS", "Glob"))
    assert tools_of(load(tmp_path, NAMED.format("[]", ""), tools=names)) == []


def test_without_the_field_or_with_a_star_an_agent_has_what_is_given_but_what_is_denied(tmp_path: Path) -> None:
    names = {"Read": read_file, "Grep": grep}
    for text in (NAMED.format('"*"', ""), NAMED.replace("tools: {}\n", "").format("")):
        assert tools_of(load(tmp_path, text, tools=names)) == ["read_file", "grep"]
    denied = load(tmp_path, NAMED.format("Read, Grep", "disallowedTools: Grep(secrets), Bash\n"), tools=names)
    assert tools_of(denied) == ["read_file"]
    assert notes_of(denied) == [
        "a.md:5: the agent is not given Bash",
        "a.md:5: Grep(secrets): the pattern cannot be kept to, so the agent is not given Grep at all",
    ]


def test_a_list_of_tools_is_the_agents_own_and_its_names_count(tmp_path: Path) -> None:
    listed = load(tmp_path, NAMED.format("read_file", ""), tools=[read_file, grep])
    assert tools_of(listed) == ["read_file", "grep"]
    denied = load(tmp_path, NAMED.format("read_file", "disallowedTools: grep\n"), tools=[read_file, grep])
    assert tools_of(denied) == ["read_file"]
    assert "tool Read does not exist here" in mistakes_of(tmp_path, NAMED.format("Read", ""), tools=[read_file])[0]


def test_tools_that_are_given_later_are_missing_no_more(tmp_path: Path) -> None:
    dropped = load(tmp_path, NAMED.format("Read, Grep", ""), missing_tools="drop")
    assert dropped.spec.without == ("Read", "Grep")
    given_later = dropped.options(tools={"Read": read_file})
    assert (tools_of(given_later), given_later.spec.without) == (["read_file"], ("Grep",))


def test_a_pattern_is_not_kept_to_and_that_is_said(tmp_path: Path) -> None:
    read = load(tmp_path, NAMED.format("Grep(src/**), Read", ""), tools={"Grep": grep, "Read": read_file})
    assert tools_of(read) == ["grep", "read_file"]
    assert notes_of(read) == ["a.md:4: Grep(src/**): the pattern is not kept to, Grep is given as it is"]


@pytest.mark.parametrize("tools", [[TICKETS], {"tickets": TICKETS}, {"mcp__tickets": TICKETS}])
def test_tools_of_a_server_are_found_by_its_name(tmp_path: Path, tools: Any) -> None:
    one = load(tmp_path, NAMED.format("mcp__tickets__find", ""), tools=tools)
    assert one.spec.tools == (TICKETS,)
    assert notes_of(one) == [
        "a.md:4: mcp__tickets__find: the agent is given every tool of tickets; McpServer(only=[...]) chooses"
    ]
    every = load(tmp_path, NAMED.format("mcp__tickets__*, mcp__tickets", ""), tools=tools)
    assert every.spec.tools == (TICKETS,) and not every.spec.notes
    chosen = McpServer("tickets", command=["true"], only=["find"])
    assert not load(tmp_path, NAMED.format("mcp__tickets__find", ""), tools=[chosen]).notes
    (missing,) = mistakes_of(tmp_path, NAMED.format("mcp__tickets__drop", ""), tools=[chosen])
    assert "tool mcp__tickets__drop does not exist" in missing
    assert "tool mcp__wiki__find does not" in mistakes_of(tmp_path, NAMED.format("mcp__wiki__find", ""), tools=tools)[0]


def test_a_word_for_missing_tools_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path, NAMED.format("[]", ""), missing_tools="ignore") == [
        "a.md:4: missing_tools is 'ignore'; one of refuse, drop"
    ]


def test_a_stand_in_answers_for_an_agent_that_is_its_file(tmp_path: Path) -> None:
    async def later(text: str) -> str:
        return text.lower()

    assert load(tmp_path, NAMED.format("[]", ""), stand_in=str.upper)("go") == "GO"
    loaded = load(tmp_path, NAMED.format("[]", ""), stand_in=later)

    @graph
    def job(text: str) -> str:
        return loaded(text)

    assert job.rehearse("GO") == "go"
    for wrong in (3, lambda: ""):
        assert "the stand-in of agent 'a' is" in mistakes_of(tmp_path, NAMED.format("[]", ""), stand_in=wrong)[0]


def test_two_agents_of_one_folder_have_two_names(tmp_path: Path) -> None:
    for name in ("first", "second", "inner/third", ".git/first"):
        path = tmp_path / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"---\nname: {name.replace('second', 'First').rpartition('/')[2]}\nmodel: haiku\n---\nGo.\n")
    (tmp_path / "README.md").write_text("# What is in here\n")
    with pytest.raises(DefinitionError) as caught:
        Agents.load(tmp_path)
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        f"{tmp_path}/second.md:1: agent 'first' is there already, in {tmp_path}/first.md:1; "
        "give one of them another name"
    ]
    (tmp_path / "second.md").unlink()
    agents = Agents.load(tmp_path, stand_ins={"third": str.upper})
    assert list(agents) == ["first", "third"] and "third" in agents and agents["third"]("go") == "GO"
    assert [str(note) for note in agents.notes] == [
        f"{tmp_path}/README.md:1: it is left out: by its name it is documentation"
    ]
    with pytest.raises(UsageError, match=r"no agent 'thrid' .*; did you mean 'third'"):
        agents["thrid"]
    with pytest.raises(DefinitionError, match="stand_ins has 'thrid', which is no agent; did you mean 'third'"):
        Agents.load(tmp_path, stand_ins={"thrid": str.upper})


def test_a_folder_of_agents_holds_agents_and_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    with pytest.raises(UsageError, match="no agent file"):
        Agents.load(tmp_path / "agents")
    with pytest.raises(UsageError, match="there is no folder"):
        Agents.load(tmp_path / "agent")
    (tmp_path / "secret.md").write_text(SECRET)
    (tmp_path / "agents" / "linked.md").symlink_to(tmp_path / "secret.md")
    with pytest.raises(DefinitionError, match=r"leads out of .* by a link") as caught:
        Agents.load(tmp_path / "agents")
    assert "open-sesame" not in str(caught.value)


SECRET = "---\nname: read\nmodel: haiku\n---\nopen-sesame\n"
GRAPH = """
from fanwise import Block, Document, agent, graph

{lines}

@graph
def job(text: str) -> str:
    return read(text)
"""
READ = '@agent({file}model="claude-haiku-5-5", max_tokens=10{more})\ndef read(text: str) -> str:\n    """Read."""'
IN_FILE, IN_BLOCK, IN_DOCUMENT = (
    READ.format(file='"{path}", ', more=""),
    READ.format(file="", more=', context=[Block.load("{path}")]'),
    READ.format(file="", more=', context=[Document.load("{path}")]'),
)


def shown(folder: Path, lines: str, path: str) -> tuple[int, str]:
    """How `fanwise graph` ends over a graph in a project, beside which there is a folder of somebody else."""
    project, other = folder / "project", folder / "other"
    for place in (project / "graphs", project / "agents", other):
        place.mkdir(parents=True)
    (other / "secret.md").write_text(SECRET)
    (project / "agents" / "own.md").write_text(SECRET.replace("open-sesame", "Read."))
    (project / "agents" / "linked.md").symlink_to(other / "secret.md")
    (project / "agents" / "renamed.md").symlink_to("own.md")
    (project / "folder").symlink_to(other)
    (project / "graphs" / "job.py").write_text(GRAPH.format(lines=lines.replace("{path}", path.format(other=other))))
    ended = fanwise("graph", f"{project / 'graphs' / 'job.py'}:job")
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("lines", [IN_FILE, IN_BLOCK, IN_DOCUMENT])
@pytest.mark.parametrize(
    ("path", "way", "file"),
    [
        ("../../other/secret.md", "`..`", "other/secret.md"), ("agents/linked.md", "a link", "other/secret.md"),
        ("folder/secret.md", "a link", "other/secret.md"), ("../agents/own.md", "`..`", "project/agents/own.md"),
    ],
)  # fmt: skip
def test_a_relative_path_stays_in_the_folder_that_it_is_seen_from(
    tmp_path: Path, lines: str, path: str, way: str, file: str
) -> None:
    """A link in a folder of agents of somebody else sent any file to the API, with each request."""
    status, said = shown(tmp_path, lines, path)
    assert (status, said.count("\n")) == (2, 1), said
    assert f"{path!r} leads out of " in said and f"by {way}, to {tmp_path / file}:" in said
    assert "absolute path" in said and "open-sesame" not in said


FOLDER = 'from fanwise import Agents\nread = Agents.load("{path}")["read"]'


@pytest.mark.parametrize(
    ("path", "way", "file"),
    [
        ("../../other", "`..`", "other"), ("folder", "a link", "other"), ("agents", "a link", "other/secret.md"),
    ],
)  # fmt: skip
def test_a_folder_of_agents_stays_in_the_folder_that_it_is_seen_from(
    tmp_path: Path, path: str, way: str, file: str
) -> None:
    status, said = shown(tmp_path, FOLDER, path)
    assert status == 2 and f"leads out of {tmp_path / 'project'}" in said
    assert f"by {way}, to {tmp_path / file}:" in said and "open-sesame" not in said


def test_a_folder_of_agents_that_is_named_in_full_is_read(tmp_path: Path) -> None:
    status, said = shown(tmp_path, FOLDER, "{other}")
    assert status == 0 and "read  claude-haiku-5-5" in said, said


@pytest.mark.parametrize("lines", [IN_FILE, IN_BLOCK, IN_DOCUMENT])
@pytest.mark.parametrize("path", ["agents/own.md", "agents/renamed.md", "{other}/secret.md"])
def test_what_lies_inside_and_what_is_named_in_full_is_read(tmp_path: Path, lines: str, path: str) -> None:
    status, said = shown(tmp_path, lines, path)
    assert status == 0 and "read  claude-haiku-5-5" in said, said
