"""Agent files: Markdown with front matter; every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanwise import DefinitionError
from fanwise.graph.agentfile import read_agent_file
from support import fanwise

ROOT = Path(__file__).parent.parent.parent


def test_the_agents_of_the_examples_can_be_read() -> None:
    files = sorted((ROOT / "agents").glob("*.md"))
    assert len(files) == 8
    for path in files:
        agent_file = read_agent_file(path)
        assert agent_file.name == path.stem
        assert agent_file.model.startswith("claude-")
        assert agent_file.max_tokens > 0
        assert agent_file.instructions


def test_fields_of_claude_code_are_borne_and_aliases_resolved(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("---\nname: a\ndescription: d\nmodel: haiku\ntools: Read, Grep\ncolor: red\n---\nDo it.\n")
    assert read_agent_file(path).model == "claude-haiku-5-5"


def test_all_mistakes_are_listed_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.md"
    path.write_text("---\nname: a\nmodle: x\nmax_tokens: many\neffort: huge\n---\n\n")
    with pytest.raises(DefinitionError) as caught:
        read_agent_file(path)
    texts = [str(mistake) for mistake in caught.value.mistakes]
    assert [line.split(" ")[0] for line in texts] == [f"{path}:{line}:" for line in (6, 3, 4, 5)]
    assert "did you mean 'model'?" in texts[1]


@pytest.mark.parametrize(
    "text",
    [
        "no front matter",
        "---\n: : :\n---\nx",
        "---\n- a\n---\nx",
        "---\nname: !!python/object/apply:os.system ['true']\n---\nx",
    ],
)
def test_what_is_no_front_matter_is_refused_and_never_run(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.md"
    path.write_text(text)
    with pytest.raises(DefinitionError):
        read_agent_file(path)


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


@pytest.mark.parametrize("lines", [IN_FILE, IN_BLOCK, IN_DOCUMENT])
@pytest.mark.parametrize("path", ["agents/own.md", "agents/renamed.md", "{other}/secret.md"])
def test_what_lies_inside_and_what_is_named_in_full_is_read(tmp_path: Path, lines: str, path: str) -> None:
    status, said = shown(tmp_path, lines, path)
    assert status == 0 and "read  claude-haiku-5-5" in said, said
