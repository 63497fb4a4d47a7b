"""Agent files: Markdown with front matter; every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanwise import DefinitionError
from fanwise.graph.agentfile import read_agent_file

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
