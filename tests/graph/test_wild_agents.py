"""Agent files as people write them for Claude Code: each shape was found in public repositories, and is told here anew.

Searched on 2026-11-30 in a public index of GitHub: files under `.claude/agents/`, and texts such as `tools: Agent(`,
`tools: ["Read", "Grep"`, `model: opus[1m]`, `permissionMode: acceptEdits`, `disallowedTools: Write`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fanwise import Agents, DefinitionError

WILD, REFUSED = Path(__file__).parent / "wild", Path(__file__).parent / "wild_refused"
GIVEN = "claude-haiku-4-5"
"""The model of files that leave it to whoever loads them."""
HAIKU, SONNET, OPUS, FABLE = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-2"

READINGS: dict[str, dict[str, Any]] = {
    "comma-tools": {"model": SONNET, "without": "Read Grep Glob Bash", "body": "You look a change over.\n\nSay first"},
    "colons-in-description": {
        "model": HAIKU,
        "says": 'turns red. Examples: <example>Context: The build has failed. user: "Why is it red?"',
        "notes": ["2: no YAML, so read as text up to the next field: description (line 3: ", "5: not read here: color"],
    },
    "escapes-in-plain-text": {
        "model": OPUS,
        "without": "Glob Grep Read",
        "says": r"database.\n\nExamples:\n<example>\nContext: A column",
        "notes": ["description (line 3: "],
    },
    "example-over-lines": {
        "model": GIVEN,
        "without": "Read Grep",
        "says": 'user: "Ship it on Friday"\nassistant: "First the planner',
        "notes": ["description (line 3: ", "15: not read here: color (line 15)"],
    },
    "quotes-inside-quotes": {
        "model": SONNET,
        "says": 'Call it when somebody says "it worked yesterday" and means it.',
        "notes": ["description (line 3: "],
    },
    "apostrophe-in-single-quotes": {
        "model": HAIKU,
        "without": "Read WebFetch",
        "says": "Call it where the docs don't say how.",
        "notes": ["description (line 3: "],
    },
    "quoted-with-escapes": {"model": SONNET, "says": 'slow.\n\n<example>\nuser: "It takes ages"'},
    "folded-description": {
        "model": HAIKU,
        "without": "Read Edit Bash",
        "says": "Keeps the changelog. Use PROACTIVELY: after each merge.",
    },
    "rule-in-a-block": {
        "model": HAIKU,
        "says": "Draws lines:\n---\nname: of no agent\n---",
        "body": "You draw lines.\n\n---\n\nThen you draw another.\n\n---",
    },
    "star-for-tools": {
        "model": SONNET,
        "notes": ["tools (line 4: ", "4: every tool is meant, and none is given here"],
    },
    "all-tools-in-words": {"model": GIVEN, "notes": ["4: every tool is meant", "color (line 5), skills (line 6)"]},
    "patterns": {
        "model": HAIKU,
        "missing": ("Read", "Bash(git log:*)", "Bash(git show:*)", "Bash(gh pr view, gh pr list)"),
    },
    "mcp-tools": {"model": GIVEN, "without": "mcp__tickets__find mcp__tickets__read mcp__wiki__search Read"},
    "agents-as-tools": {"model": FABLE, "missing": ("Agent(worker, tester)", "Task", "Read")},
    "denied-tools": {
        "model": OPUS,
        "effort": "high",
        "max_turns": 12,
        "notes": [
            "4: the agent is not given Write, Edit",
            "5: not read here: permissionMode (line 5), memory (line 7)",
        ],
    },
    "hooks-and-servers": {"model": HAIKU, "notes": ["4: not read here: hooks (line 4), mcpServers (line 10)"]},
    "no-model": {"model": GIVEN},
    "dated-model": {"model": "claude-sonnet-4-5-20250929"},
    "retired-model": {
        "model": "claude-sonnet-4-20250514",
        "notes": ["4: model 'claude-sonnet-4-20250514' is not in the table of models"],
    },
    "long-context": {"model": OPUS, "effort": "high", "notes": ["4: [1m] is not read", "6: not read here: color"]},
    "comments": {"model": SONNET, "without": "Read"},
    "title-case-name": {
        "name": "release-notes-writer",
        "model": GIVEN,
        "body": "# Release Notes Writer\n",
        "notes": ["2: the name 'Release Notes Writer' becomes 'release-notes-writer'", "emoji (line 5), vibe (line 6)"],
    },
    "name-of-a-plugin": {
        "name": "toolkit-reviewer",
        "model": HAIKU,
        "notes": ["2: the name 'toolkit:reviewer' becomes"],
    },
    "byte-order-mark": {
        "model": HAIKU,
        "without": "Read Grep",
        "says": "Comes from Windows: with marks and all.",
        "body": "You come from Windows.\n\nLine by line.",
        "notes": ["description (line 3: "],
    },
    "tabs": {
        "model": HAIKU,
        "without": "Read Grep",
        "says": "Was typed with the tab key.",
        "notes": ["name (line 2: "],
    },
    "body-only": {
        "model": GIVEN,
        "body": "# Security reviewer\n\nYou look for what an attacker would look for.\n\n---\n",
        "notes": [
            "1: there is no front matter",
            "1: there is no name: the agent is called 'body-only', after the file",
        ],
    },
    "no-name": {
        "model": SONNET,
        "without": "Read Grep Glob",
        "notes": ["1: there is no name: the agent is called 'no-name', after the file"],
    },
    "keys-of-others": {
        "model": HAIKU,
        "notes": ["model_rationale (line 10), allowed-tools (line 11, did you mean 'tools'?)"],
    },
    "bracket-in-front": {
        "model": HAIKU,
        "says": "[Internal] Answers questions on invoices: dates, sums, names.",
        "notes": ["description (line 3: "],
    },
    "star-in-front": {
        "model": GIVEN,
        "without": "Read",
        "says": "*Always* ask it first: it knows who knows.",
        "notes": ["description (line 3: "],
    },
    "alias-in-front": {
        "model": HAIKU,
        "says": "*everything that moves is counted.",
        "notes": ["description (line 3: "],
    },
    "backtick-in-front": {
        "model": HAIKU,
        "says": "`make release` has failed? This one reads its log.",
        "notes": ["description (line 3: "],
    },
    "comment-above": {"model": HAIKU, "notes": ["3: the front matter does not begin at the first line"]},
    "spaces-between-tools": {"model": HAIKU, "missing": ("Read", "Grep", "Bash(git diff *)")},
    "no-tools-at-all": {
        "model": SONNET,
        "effort": "medium",
        "max_turns": 2,
        "notes": ["7: not read here: omitClaudeMd"],
    },
    "field-twice": {"model": HAIKU, "without": "Read", "notes": ["(line 3: ", "6: model stands twice; this is read"]},
    "name-in-another-script": {"name": "検査官", "model": HAIKU, "body": "変更を読んで、危ない行だけを挙げる。"},
    "long-prompt-field": {
        "model": SONNET,
        "without": "Read Grep",
        "notes": ["5: not read here: initialPrompt (line 5)"],
    },
}
"""What is read of each file; without `notes` nothing is said of it. `without` are the tools that it names, in words."""


@pytest.fixture(scope="module")
def agents() -> Agents:
    return Agents.load(WILD, inherit=GIVEN, missing_tools="drop")


def test_every_file_of_the_folder_has_its_reading(agents: Agents) -> None:
    assert {path.stem for path in WILD.glob("*.md")} == set(READINGS)
    assert len(agents) == len(READINGS) > 20


@pytest.mark.parametrize("file", READINGS)
def test_a_file_in_the_wild_is_read(agents: Agents, file: str) -> None:
    expected = READINGS[file]
    spec = agents[expected.get("name", file)].spec
    assert spec.model == expected["model"]
    assert spec.without == expected.get("missing", tuple(expected.get("without", "").split()))
    assert (spec.effort, spec.max_turns) == (expected.get("effort"), expected.get("max_turns", 10))
    assert expected.get("says", "") in spec.description
    assert spec.instructions.startswith(expected.get("body", ""))
    assert "name:" not in spec.instructions and "\r" not in spec.instructions
    notes = [str(note) for note in spec.notes]
    assert len(notes) == len(expected.get("notes", [])), notes
    for words, note in zip(expected.get("notes", []), notes, strict=True):
        assert words in note and note.startswith(f"{WILD / file}.md:"), note


def test_a_file_is_a_function_of_a_task_that_answers_text(agents: Agents) -> None:
    spec = agents["comma-tools"].spec
    assert (dict(spec.params), spec.output) == ({"task": str}, str)


def test_all_mistakes_of_a_folder_are_told_at_once_each_with_file_and_line() -> None:
    with pytest.raises(DefinitionError) as caught:
        Agents.load(REFUSED)
    said = [str(mistake).removeprefix(f"{REFUSED}/") for mistake in caught.value.mistakes]
    expected = [
        "missing-tools.md:5: tools Read, NotebookEdit do not exist here; map each name, "
        'tools={"Read": ..., "NotebookEdit": ...}, or write missing_tools="drop"',
        "misspelt-model.md:4: names no model, and none is given; modle is no field, did you mean 'model'?",
        "model-behind-a-slash.md:4: model 'anthropic/claude-sonnet-4-6' is none of the Anthropic API; "
        "did you mean 'claude-sonnet-4-6'?",
        "model-behind-a-slash.md:6: tools is {'write': False, 'edit': False}, which is no list of names",
        "model-in-two-parts.md:4: model 'opusplan' names no model; it is opus for plans",
        "model-misspelt.md:4: model 'claude-sonet-5-5' is none of the Anthropic API; did you mean 'claude-sonnet-5-5'",
        "model-of-another-house.md:4: model 'gpt-5' is none of the Anthropic API; haiku, sonnet, opus, fable, inherit",
        "model-with-a-dot.md:4: model 'claude-sonnet-4.5' is none of the Anthropic API; "
        "did you mean 'claude-sonnet-4-5'?",
        "name-without-letters.md:2: name is '🚀'",
        "no-body.md:5: has no body",
        "no-end.md:1: the front matter has no end; write --- on a line of its own",
        "wrong-values.md:5: effort is 'ultra'; one of low, medium, high, xhigh, max, default",
        "wrong-values.md:6: maxTurns is 'many'",
        "wrong-values.md:7: max_tokens is 0",
    ]
    assert len(said) == len(expected), said
    for words, mistake in zip(expected, said, strict=True):
        assert mistake.startswith(words), mistake


def test_without_a_model_for_them_files_that_inherit_are_mistakes_with_their_lines() -> None:
    with pytest.raises(DefinitionError) as caught:
        Agents.load(WILD, missing_tools="drop")
    said = {str(mistake).removeprefix(f"{WILD}/").partition(";")[0] for mistake in caught.value.mistakes}
    assert "example-over-lines.md:14: model is inherit, and none is given" in said
    assert "no-model.md:1: names no model, and none is given" in said
    assert len(said) == sum(reading["model"] == GIVEN for reading in READINGS.values())
