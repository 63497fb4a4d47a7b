"""Examples of an agent: what does not fit is refused where the agent is defined, and a file may hold them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from fanwise import Agent, DefinitionError, Example, Media, agent
from fanwise.graph.examples import CheckedExample
from support import fanwise

MODEL = "claude-haiku-5-5"
PIXEL = Media(bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010800000000"))
HERE = __file__


class Ticket(BaseModel):
    subject: str
    opened: dt.date = dt.date(2026, 1, 2)
    notes: list[str] = []
    secret: str = Field(default="", exclude=True)


class Kind(BaseModel):
    kind: Literal["bug", "bill"]
    by_word: dict[str, int] = {}


def share(value: Any) -> Any:
    return float(value[:-1]) / 100 if isinstance(value, str) and value.endswith("%") else value


def halved(value: float) -> float:
    return value / 2


def spec_with(*examples: Any) -> tuple[CheckedExample, ...]:
    @agent(model=MODEL, examples=examples)
    def sort(ticket: Ticket, count: int) -> Kind:
        """Sort the ticket."""
        return Kind(kind="bug")

    return sort.spec.examples


def mistakes_with(*examples: Any) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        spec_with(*examples)
    places = [mistake.place.rpartition(":") for mistake in caught.value.mistakes]
    assert {(file, line.isdecimal()) for file, _, line in places} == {(HERE, True)}
    return [str(mistake).removeprefix(f"{mistake.place}: ") for mistake in caught.value.mistakes]


@pytest.mark.parametrize("ticket", [Ticket(subject="x"), {"subject": "x"}, {"subject": "x", "opened": "2026-01-02"}])
@pytest.mark.parametrize("output", [Kind(kind="bug"), {"kind": "bug"}, {"kind": "bug", "by_word": {}}])
def test_values_are_of_their_types_or_data(ticket: Any, output: Any) -> None:
    (example,) = spec_with(Example({"count": 5, "ticket": ticket}, output))
    assert list(example.inputs) == ["ticket", "count"], "in the order of the signature"
    assert example.inputs == {"ticket": {"subject": "x", "opened": "2026-01-02", "notes": []}, "count": 5}
    assert (example.output, example.answer) == ({"kind": "bug", "by_word": {}}, '{"kind":"bug","by_word":[]}')


def test_all_mistakes_of_all_examples_are_told_at_once() -> None:
    fitting = Example({"ticket": {"subject": "x"}, "count": 1}, {"kind": "bug"})
    assert mistakes_with(
        Example({"tickt": {"subject": "x"}, "count": "many"}, {"kind": "bag"}),
        fitting,
        Example("x", {"kind": "bug", "by_word": {"a": "b"}}),
        ("x", "y"),
        Example({"ticket": Ticket(subject="\ud800"), "count": 1}, {"kind": "bug"}),
    ) == [
        "example 1 of agent 'sort' gives 'tickt', which is no parameter; did you mean 'ticket'?",
        "example 1 of agent 'sort' gives no ticket; name every parameter, also one that has a default",
        "example 1 of agent 'sort' gives count what does not fit int: the value: Input should be a valid integer, "
        "unable to parse string as an integer",
        "example 1 of agent 'sort' has an output that does not fit Kind: kind: Input should be 'bug' or 'bill'",
        "example 3 of agent 'sort' gives one value without a name; it takes ticket, count: write values by name",
        "example 3 of agent 'sort' has an output that does not fit Kind: by_word.a: Input should be a valid integer, "
        "unable to parse string as an integer",
        "example 4 of agent 'sort' is ('x', 'y'); write Example({...}, output)",
        "example 5 of agent 'sort' gives ticket what does not fit Ticket: "
        "it holds half a surrogate pair, which no request can carry",
    ]


def test_examples_and_settings_are_wrong_at_once() -> None:
    with pytest.raises(DefinitionError) as caught:

        @agent(examples=[Example("x", 5)])
        def bare(text: str) -> str:  # pyright: ignore[reportUnusedFunction]
            return text

    texts = [mistake.message for mistake in caught.value.mistakes]
    assert texts == [
        "example 1 of agent 'bare' has an output that does not fit str: the value: Input should be a valid string",
        "agent 'bare' has no instructions",
        "agent 'bare' has no model",
    ]


@pytest.mark.parametrize("empty", ["", " \n"])
def test_an_output_that_no_model_could_give_is_refused(empty: str) -> None:
    with pytest.raises(DefinitionError, match="has an output that does not fit str: the answer is"):

        @agent(model=MODEL, examples=[Example("x", empty)])
        def says(text: str) -> str:  # pyright: ignore[reportUnusedFunction]
            """Say it."""
            return text


def test_one_parameter_takes_the_value_alone_or_by_name() -> None:
    @agent(model=MODEL, examples=[Example({"a": 1}, "b"), Example({"counts": {"a": 1}}, "b")])
    def adds(counts: dict[str, int]) -> str:
        """Add them."""
        return str(counts)

    first, second = adds.spec.examples
    assert first.inputs == second.inputs == {"counts": {"a": 1}}


def test_images_and_pdfs_are_refused_in_a_plain_word() -> None:
    with pytest.raises(DefinitionError) as caught:

        @agent(model=MODEL, examples=[Example(PIXEL, "a dot"), Example({"scan": None}, "nothing")])
        def looks(scan: Media | None) -> str:  # pyright: ignore[reportUnusedFunction]
            """Look at it."""
            return "seen"

    (mistake,) = caught.value.mistakes
    assert mistake.message.endswith("it is or holds an image or a PDF, which examples cannot show")


def test_what_a_model_would_write_is_shown_where_a_validator_makes_something_else_of_it() -> None:
    @agent(model=MODEL, examples=[Example("a", "50%"), Example("b", 0.25)])
    def weighs(text: str) -> Annotated[float, BeforeValidator(share)]:
        """Weigh it."""
        return 0.5

    assert [(example.output, example.answer) for example in weighs.spec.examples] == [
        (0.5, '{"value":0.5}'), (0.25, '{"value":0.25}'),
    ]  # fmt: skip

    @agent(model=MODEL, examples=[Example("a", 3.0)])
    def halves(text: str) -> Annotated[float, AfterValidator(halved)]:
        """Halve it."""
        return 0.5

    (example,) = halves.spec.examples
    assert (example.output, example.answer) == (1.5, '{"value":3.0}'), "what the model writes is read as 1.5"


def test_one_example_may_stand_alone_and_what_is_none_is_told() -> None:
    assert len(agent(model=MODEL, examples=Example("a", "b"))(says_it).spec.examples) == 1  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match=r"example 1 of agent 'says_it' is 5; write Example"):
        agent(model=MODEL, examples=5)(says_it)  # type: ignore[arg-type]


def says_it(text: str) -> str:
    """Say it."""
    return text


def test_options_give_other_examples_or_keep_them() -> None:
    @agent(model=MODEL, examples=[Example("a", "b")])
    def says(text: str) -> str:
        """Say it."""
        return text

    assert says.options(effort="high").spec.examples == says.spec.examples
    assert says.options(examples=[]).spec.examples == ()
    (example,) = says.options(examples=[Example("c", "d")]).spec.examples
    assert (example.inputs, example.answer) == ({"text": "c"}, "d")
    with pytest.raises(DefinitionError, match="example 1 of agent 'says' has an output"):
        says.options(examples=[Example("c", 1)])


def test_an_example_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Example("a", "b").output = "c"  # pyright: ignore[reportAttributeAccessIssue]


# Agent files --------------------------------------------------------------------------------------

FRONT = "---\nname: sorter\nmodel: haiku\n---\n"
SECTION = """Sort it.

## Examples

```input
Two
lines
```

```output
bug
```

### One that closes a fence

~~~~yaml input
task: |
  ```output
  none
  ```
~~~~
```json output
"bill"
```
"""


def load(folder: Path, body: str, **given: Any) -> Agent[[str], str]:
    path = folder / "sorter.md"
    path.write_bytes((FRONT + body).encode())
    return Agent.load(path, **given)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_section_of_inputs_and_outputs_is_taken_for_examples(tmp_path: Path, end: str) -> None:
    spec = load(tmp_path, SECTION.replace("\n", end)).spec
    assert spec.instructions == "Sort it." and not spec.notes
    assert [(example.inputs, example.output) for example in spec.examples] == [
        ({"task": "Two\nlines"}, "bug"),
        ({"task": "```output\nnone\n```\n"}, "bill"),
    ]
    assert [example.place for example in spec.examples] == [f"{tmp_path}/sorter.md:{line}" for line in (9, 20)]


def test_examples_of_a_file_fit_the_function_that_it_is_of(tmp_path: Path) -> None:
    (tmp_path / "sorter.md").write_text(
        f"{FRONT}Sort it.\n## Examples\n```yaml input\nticket:\n  subject: x\ncount: 1\n```\n"
        '```json output\n{"kind": "bug"}\n```\n```yaml input\nticket: {}\n```\n```yaml output\nkind: [\n```\n'
        "```yaml input\ncount: *a\n```\n```yaml output\nkind: bag\n```\n"
    )
    with pytest.raises(DefinitionError) as caught:

        @agent(tmp_path / "sorter.md")
        def sort(ticket: Ticket, count: int) -> Kind:  # pyright: ignore[reportUnusedFunction]
            return Kind(kind="bug")

    assert [str(mistake).removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes] == [
        "sorter.md:20: the output of example 2 is no YAML: expected the node content, but found '<stream end>'",
        "sorter.md:22: the input of example 3 is no YAML: it has an alias of nothing",
    ]


def test_an_example_of_a_file_that_does_not_fit_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "sorter.md").write_text(
        f"{FRONT}Sort it.\n## Examples\n```yaml input\nticket:\n  subject: x\n  opened: 2026-01-02\ncount: 1\n```\n"
        '```json output\n{"kind": "bug"}\n```\n'
        "```yaml input\nticket: {}\ncount: 2\n```\n```yaml output\nkind: bug\n```\n"
    )
    with pytest.raises(DefinitionError) as caught:

        @agent(tmp_path / "sorter.md")
        def sort(ticket: Ticket, count: int) -> Kind:  # pyright: ignore[reportUnusedFunction]
            return Kind(kind="bug")

    assert [str(mistake).removeprefix(f"{tmp_path}/") for mistake in caught.value.mistakes] == [
        "sorter.md:16: example 2 of agent 'sorter' gives ticket what does not fit Ticket: subject: Field required"
    ]


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("```yaml input\nsubject: x\n```\n```json output\n{}\n```\n", "example 1 of agent 'sorter' gives task what"),
        ('```input\nx\n```\n```json output\n{"kind": "bug"}\n```\n', "example 1 of agent 'sorter' has an output"),
        ("```json input\n{...}\n```\n```output\nx\n```\n", "the input of example 1 cannot be used: not valid JSON"),
    ],
)
def test_examples_of_another_signature_are_instructions_of_a_file_that_has_none(
    tmp_path: Path, block: str, why: str
) -> None:
    """A folder of files is loaded whole, also those that functions with types use."""
    body = f"Sort it.\n\n## Examples\n{block}"
    spec = load(tmp_path, body).spec
    assert spec.instructions == body.strip() and not spec.examples
    (note,) = spec.notes
    assert note.place in {f"{tmp_path}/sorter.md:8"}
    assert note.text.startswith(f"the section Examples is read as instructions: {why}")
    assert load(tmp_path, body, examples=[Example("a", "b")]).spec.examples


def test_what_yaml_has_taken_for_no_text_is_shown_with_its_way_out(tmp_path: Path) -> None:
    """`12:30` is a number in YAML, and `no` is no text."""
    (tmp_path / "sorter.md").write_text(
        f"{FRONT}Sort it.\n## Examples\n```yaml input\ntask: 12:30\n```\n```yaml output\nno\n```\n"
    )
    with pytest.raises(DefinitionError) as caught:

        @agent(tmp_path / "sorter.md")
        def sorter(task: str) -> str:  # pyright: ignore[reportUnusedFunction]
            return task

    assert [mistake.hint for mistake in caught.value.mistakes] == [
        "it is 750; write a text, in YAML with quotes around it",
        "it is False; write a text, in YAML with quotes around it",
    ]


def test_examples_given_in_python_win_over_those_of_the_file(tmp_path: Path) -> None:
    spec = load(tmp_path, SECTION, examples=[Example("a", "b")]).spec
    assert spec.instructions == "Sort it." and [example.answer for example in spec.examples] == ["b"]


@pytest.mark.parametrize(
    "section",
    [
        "## Examples\n\nUser: hello\nYou: hi\n",
        "## Examples\n\n```\nin\n```\n\n```python\nout\n```\n",
        "# Examples\n\n```input\na\n```\n```output\nb\n```\n",
        "````markdown\n## Examples\n```input\na\n```\n```output\nb\n```\n````\n",
        "## Examples\n\n- one\n\n## Output\n\n```json\n{}\n```\n",
        "## EXAMPLES\n",
        "## Examples",
    ],
)
def test_sections_in_free_text_stay_instructions(tmp_path: Path, section: str) -> None:
    spec = load(tmp_path, f"Sort it.\n\n{section}").spec
    assert spec.instructions == f"Sort it.\n\n{section}".strip()
    assert not spec.examples and not spec.notes


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("```input\na\n```\nIs answered by:\n```output\nb\n```\n", 11),
        ("```input\na\n```\n", 8),
        ("```output\na\n```\n", 8),
        ("```input\na\n```\n```input\na\n```\n```output\nb\n```\n", 11),
        ("```input\na\n```\n```output\nb\n```\n## Next\n", 14),
        ("```input\na\n```\n```output\nb\n", 11),
        ("```input\na\n```\n```output\nb\n```\n```python\nc\n```\n", 14),
    ],
)
def test_a_section_with_more_in_it_stays_and_that_is_said_with_its_line(
    tmp_path: Path, section: str, line: int
) -> None:
    body = f"Sort it.\n\n## Examples\n{section}"
    spec = load(tmp_path, body).spec
    assert spec.instructions == body.strip() and not spec.examples
    (note,) = spec.notes
    assert note.place == f"{tmp_path}/sorter.md:{line}"
    assert note.text.startswith("the section Examples is read as instructions: this is not of the form ```yaml input")


def test_a_file_of_examples_alone_has_no_instructions(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="has no body"):
        load(tmp_path, "## Examples\n```input\na\n```\n```output\nb\n```\n")


# What commands say of them ------------------------------------------------------------------------

GRAPH = """
from fanwise import Example, agent, graph

@agent(model="claude-haiku-5-5", examples=[Example("a", "b"), Example({"txt": "a"}, 5)])
def says(text: str) -> str:
    '''Say it.'''
    return text

@graph
def job(text: str) -> str:
    return says(text)
"""


def test_audit_and_every_other_command_list_those_that_do_not_fit(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(GRAPH)
    (tmp_path / "rows.jsonl").write_text('{"text": "x"}\n')
    for command in (["audit", "--rows", tmp_path / "rows.jsonl"], ["graph"], ["check"]):
        ended = fanwise(command[0], f"{tmp_path}/job.py:job", *command[1:])
        assert ended.returncode == 2
        assert "job.py:4: example 2 of agent 'says' gives text what does not fit str" in ended.stderr
        assert "job.py:4: example 2 of agent 'says' has an output that does not fit str" in ended.stderr
        assert "example 1" not in ended.stderr


def test_graph_says_how_many_an_agent_has(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(GRAPH.replace('{"txt": "a"}, 5', '"a", "c"'))
    assert "\n      2 examples\n" in fanwise("graph", f"{tmp_path}/job.py:job").stdout
    assert '"examples": 2' in fanwise("graph", f"{tmp_path}/job.py:job", "--json").stdout
