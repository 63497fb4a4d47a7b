"""What an agent takes from its file: the file, held against the model and the tools that its caller gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from fanwise.errors import Mistake, line_of
from fanwise.models import intensity

from .agentfile import AgentFile, read_agent_file
from .agentsettings import AgentSettings
from .deniedtools import Denial
from .examples import checked_examples
from .filetools import NO_TOOLS, FoundTools, MissingTools, ToolFinder, Toolset, missing_mistakes
from .filetypes import TEXT, TypeNames, signature_of
from .modelnames import INHERIT, model_named
from .notes import Note
from .toolnames import NO_NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a caller gives for agent files, beside settings that win over theirs."""

    inherit: str = ""
    """Model id of files that say `inherit`, or nothing; empty where none is given."""
    word: str = "model"
    """How a caller writes the model that it gives."""
    takes_thinking: bool = True
    """Whether the caller can say `thinking=`, so that it may be told to."""
    tools: Toolset = NO_TOOLS
    missing_tools: MissingTools = "refuse"
    is_alone: bool = False
    """Whether the agent is its file alone, so that no signature of a function wins over the file."""
    types: TypeNames | None = None
    """What names of types in files are; None: files name none."""


def with_file(settings: AgentSettings, path: Path, given: Given, mistakes: list[Mistake]) -> AgentSettings:
    """Return settings with what an agent file says where they say nothing, and with its instructions and tools.

    Args:
        settings: Of the caller.
        path: The file.
        given: What the caller has for it.
        mistakes: Gets what is wrong, each with its line.
    """
    notes: list[Note] = []
    file = read_agent_file(path, mistakes, notes, typed=given.types is not None)
    name, signature = settings.name or file.name, TEXT
    if given.types is not None:
        signature = signature_of(file, name or path.stem, given.types, mistakes)
    if not settings.examples:  # else those of the file are of no use
        file = _of_text(file, notes) if given.is_alone and signature == TEXT else file
        mistakes += file.example_mistakes
    model = settings.model or _model(file, given, mistakes, notes)
    if model and file.effort is not None and settings.effort is None:
        try:
            intensity(model, settings.thinking, file.effort)
        except ValueError as error:
            problem, _, hint = str(error).partition("; ")
            can_do = hint if given.takes_thinking or "thinking" not in hint else "write a lower effort here"
            mistakes.append(Mistake(file.place("effort"), problem, can_do))
    found = _tools(file, given, mistakes, notes)
    return replace(
        settings,
        name=name,
        model=model,
        signature=signature,
        instructions=file.instructions,
        description=file.description,
        max_tokens=settings.max_tokens or file.max_tokens,
        effort=settings.effort or file.effort,
        tools=found.tools,
        max_turns=settings.max_turns or file.max_turns,
        reuse=file.reuse if settings.reuse is None else settings.reuse,
        pack=settings.pack or file.pack,
        without=found.missing,
        denied=file.denied,
        notes=tuple(sorted(notes, key=line_of)),
        examples=settings.examples or file.examples,
        origins=settings.origins.by_file(_places(settings, file)),
    )


def _of_text(file: AgentFile, notes: list[Note]) -> AgentFile:
    """Return a file for an agent that has no signature of its own: examples of another one are instructions of it."""
    mistakes = [*file.example_mistakes]
    checked_examples(file.examples, file.name, TEXT.params, TEXT.output, mistakes)
    if not mistakes:
        return file
    text = f"the section Examples is read as instructions: {mistakes[0].message}"
    notes.append(Note(mistakes[0].place, text))
    return replace(file, instructions=file.body, examples=(), example_mistakes=())


def _places(settings: AgentSettings, file: AgentFile) -> dict[str, str]:
    """Return the places of the settings that a file gives and its caller does not."""
    fields = {name: name for name in ("effort", "max_tokens", "pack", "reuse")} | {"max_turns": "maxTurns"}
    return {
        name: file.place(field)
        for name, field in fields.items()
        if not _is_left_out(getattr(file, name)) and _is_left_out(getattr(settings, name))
    }


def _is_left_out(value: object) -> bool:
    return value is None or (value == 0 and value is not False)


def _model(file: AgentFile, given: Given, mistakes: list[Mistake], notes: list[Note]) -> str:
    """Return the id of a file's model; empty where it names none, which is a mistake."""
    place = file.place("model")
    named = model_named(file.model or INHERIT)
    if named.problem:
        mistakes.append(Mistake(place, named.problem, named.hint))
    if named.note:
        notes.append(Note(place, named.note))
    if named.model != INHERIT:
        return named.model
    stands_there = "model" in file.lines
    is_refused = stands_there and any(mistake.place == place for mistake in mistakes)
    if not given.inherit and file.is_readable and not is_refused:  # what could not be read says nothing of its model
        says = f"model is {INHERIT}" if file.model else "model is empty" if stands_there else "names no model"
        misspelt = "" if stands_there else _misspelt(file)
        where = file.place(misspelt) if misspelt else place
        meant = f"{misspelt} is no field, did you mean 'model'? or " if misspelt else ""
        mistakes.append(Mistake(where, f"{says}, and none is given", f'{meant}give {given.word}="claude-haiku-5-5"'))
    return given.inherit


def _misspelt(file: AgentFile) -> str:
    """Return the field of a file that was probably meant to name its model; empty where none was."""
    return next(iter(get_close_matches("model", [*file.lines], 1, 0.75)), "")


def _tools(file: AgentFile, given: Given, mistakes: list[Mistake], notes: list[Note]) -> FoundTools:
    """Return the tools of a file's agent."""
    place = file.place("tools")
    denial = Denial(file.denied, given.tools.named)
    found = ToolFinder(given.tools, place, notes).found(file.tools, denial)
    mistakes += missing_mistakes(found.missing, place, given.missing_tools)
    if file.denied != NO_NAMES:
        notes.extend(Note(file.place("disallowedTools"), text) for text in denial.texts())
    if file.tools.is_all and "tools" in file.lines and not given.tools.all:
        notes.append(Note(place, "every tool is meant, and none is given here: the agent has none"))
    return found
