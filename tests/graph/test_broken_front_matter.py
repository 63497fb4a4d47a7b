"""Front matter of agent files with the slips that people make: read as it was meant, or said what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanwise import Agent, Agents, DefinitionError


def read_file(path: str) -> str:
    """Return the text of a file."""
    return Path(path).name


def run_command(command: str) -> str:
    """Run a command."""
    return command


TOOLS = {"Read": read_file, "Bash": run_command}


def load(folder: Path, text: str, **given: Any) -> Agent[[str], str]:
    """An agent that is a file with this text alone."""
    path = folder / "a.md"
    path.write_text(text)
    return Agent.load(path, **given)


def mistakes_of(folder: Path, text: str, **given: Any) -> list[str]:
    """What is wrong with such a file, each mistake without the folder."""
    with pytest.raises(DefinitionError) as caught:
        load(folder, text, **given)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in caught.value.mistakes]


@pytest.mark.parametrize("description", ["For files.", "user: reads files"])
@pytest.mark.parametrize("line", ["tools:Read", "tools:\u00a0Read", "tools:[Read]", "tools:\u00a0 Read"])
def test_a_known_field_without_a_space_behind_its_colon_is_that_field(
    tmp_path: Path, description: str, line: str
) -> None:
    text = f"---\nname: a\nmodel: haiku\ndescription: {description}\n{line}\n---\nGo.\n"
    agent = load(tmp_path, text, tools=TOOLS)
    assert [tool.name for tool in agent.spec.tools] == ["read_file"]
    assert agent.spec.description == description
    said = [str(note) for note in agent.notes if "tools has no space behind its colon" in note.text]
    assert len(said) == 1 and "a.md:5: " in said[0]


def test_a_front_matter_without_any_space_is_read(tmp_path: Path) -> None:
    spec = load(tmp_path, "---\nname:\u00a0reader\nmodel:haiku\n---\nGo.\n").spec
    assert (spec.name, spec.model) == ("reader", "claude-haiku-5-5")


def test_what_looks_like_a_field_in_a_quoted_text_stays_a_part_of_it(tmp_path: Path) -> None:
    agent = load(tmp_path, '---\nname: a\nmodel: haiku\ndescription: "x\ntools:Read"\n---\nGo.\n', tools=TOOLS)
    assert agent.spec.description == "x tools:Read" and len(agent.spec.tools) == 2 and not agent.notes


@pytest.mark.parametrize("value", ['""', "", "null", "' '"])
def test_an_empty_model_is_said_to_be_empty(tmp_path: Path, value: str) -> None:
    text = f"---\nname: a\nmodel: {value}\n---\nGo.\n"
    assert mistakes_of(tmp_path, text) == ['a.md:3: model is empty, and none is given; give model="claude-haiku-5-5"']
    assert load(tmp_path, text, model="claude-haiku-5-5").spec.model == "claude-haiku-5-5"


@pytest.mark.parametrize(("value", "shown"), [("[haiku]", "['haiku']"), ("4", "4")])
def test_a_model_that_is_no_text_is_one_mistake(tmp_path: Path, value: str, shown: str) -> None:
    assert mistakes_of(tmp_path, f"---\nname: a\nmodel: {value}\n---\nGo.\n") == [
        f"a.md:3: model is {shown}, not text; write model: and a text in one line"
    ]


def test_a_field_that_stands_twice_is_said_in_plain_yaml_too(tmp_path: Path) -> None:
    agent = load(tmp_path, "---\nname: a\nmodel: haiku\ntools: Read\n'tools': Bash\n---\nGo.\n", tools=TOOLS)
    assert [tool.name for tool in agent.spec.tools] == ["run_command"]
    assert [str(note).partition("a.md:")[2] for note in agent.notes] == ["5: tools stands twice; this is read"]


@pytest.mark.parametrize("effort", ["max", "xhigh"])
def test_too_high_an_effort_is_told_what_can_be_done_where_it_is_loaded(tmp_path: Path, effort: str) -> None:
    text = f"---\nname: a\nmodel: haiku\neffort: {effort}\n---\nGo.\n"
    problem = f"a.md:4: claude-haiku-5-5 cannot switch thinking off at effort '{effort}'; "
    assert mistakes_of(tmp_path, text) == [f"{problem}set thinking=True"]
    assert load(tmp_path, text, thinking=True).spec.effort == effort
    with pytest.raises(DefinitionError) as caught:
        Agents.load(tmp_path)
    (mistake,) = caught.value.mistakes
    assert str(mistake) == f"{tmp_path}/{problem}write a lower effort here"


def test_a_model_that_is_given_is_checked_as_that_of_a_file(tmp_path: Path) -> None:
    text = "---\nname: a\n---\nGo.\n"
    assert load(tmp_path, text, model="haiku").spec.model == "claude-haiku-5-5"
    assert Agents.load(tmp_path, inherit="sonnet")["a"].spec.model == "claude-sonnet-5-5"
    for word, call in (("model", Agent.load), ("inherit", Agents.load)):
        with pytest.raises(DefinitionError) as caught:
            call(tmp_path / "a.md" if word == "model" else tmp_path, **{word: "hiku"})
        (mistake,) = caught.value.mistakes
        assert mistake.place.startswith(__file__)
        assert f"{word}='hiku': model 'hiku' is none of the Anthropic API" in mistake.message
        assert mistake.hint == "did you mean 'haiku'?"
    with pytest.raises(DefinitionError, match="inherit='inherit': that names no model"):
        Agents.load(tmp_path, inherit="inherit")


@pytest.mark.parametrize("first", ["```yaml\n---", "```yaml", "```", "----", "\u2014\u2014"])
def test_a_front_matter_behind_something_else_is_said_to_be_none(tmp_path: Path, first: str) -> None:
    (mistake,) = mistakes_of(tmp_path, f"{first}\nname: a\nmodel: haiku\n---\n```\nGo.\n")
    assert mistake.startswith(f"a.md:1: {first.splitlines()[0]!r} begins no front matter; it begins at the first line")


def test_a_fence_of_code_at_the_top_of_instructions_is_a_part_of_them(tmp_path: Path) -> None:
    agent = load(tmp_path, "```yaml\nport: 80\n```\nExplain it.\n", model="claude-haiku-5-5")
    assert agent.spec.instructions.startswith("```yaml")


@pytest.mark.parametrize("indent", ["\t", "  "])
def test_a_field_that_is_indented_below_another_is_said_to_be_its_part(tmp_path: Path, indent: str) -> None:
    (mistake,) = mistakes_of(tmp_path, f"---\nname: a\n{indent}model: haiku\n---\nGo.\n", model="claude-haiku-5-5")
    assert mistake == "a.md:3: model is indented, and so a part of name; begin it at the first column"
