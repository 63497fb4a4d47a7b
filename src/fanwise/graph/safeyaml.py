"""YAML out of a file that anybody may have written: plain data, of bounded depth, without references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MOST_DEPTH = 20
"""Levels of lists and objects; hooks of Claude Code have five."""


class NoYamlError(Exception):
    """A text is no YAML; says why, and in which line of it, from 0."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem, line)
        self.problem, self.line = problem, line


class RefusedYamlError(Exception):
    """A text is YAML that is not read; says what it has, and in which line of it, from 0."""

    def __init__(self, problem: str, line: int, hint: str = "") -> None:
        super().__init__(problem, line, hint)
        self.problem, self.line, self.hint = problem, line, hint


def safe_yaml(text: str) -> Any:
    """Return the plain data that a text is in YAML.

    Raises:
        NoYamlError: It is no YAML.
        RefusedYamlError: It would need more memory or depth than there is, makes an object, or holds what Python has
            no value for.
    """
    import yaml  # here, since only agents that come from files need it

    try:
        _refuse(yaml.parse(text, yaml.SafeLoader))
        return yaml.safe_load(text)
    except yaml.constructor.ConstructorError as error:  # a tag that makes an object, a key that is a list
        line = error.problem_mark.line if error.problem_mark is not None else 0
        raise RefusedYamlError(f"has a value that is not read: {error.problem}", line) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise NoYamlError(problem, mark.line if mark is not None else 0) from None
    except ValueError as error:  # a date or a number that YAML reads and Python does not have
        raise RefusedYamlError(f"has a value that cannot be read: {error}", 0) from None


def repeated_keys(text: str) -> Iterator[tuple[str, int]]:
    """Yield each key of a text's first level that stood there before, and in which line, from 0.

    Args:
        text: One that `safe_yaml` has read: it takes the last of them without a word.
    """
    import yaml

    root, seen = yaml.compose(text, yaml.SafeLoader), set[str]()
    for key, _ in root.value if isinstance(root, yaml.MappingNode) else ():
        if str(key.value) in seen:
            yield str(key.value), key.start_mark.line
        seen.add(str(key.value))


def _refuse(events: Iterator[Any]) -> None:
    """Refuse what is not to be built.

    As a stream: what is too deep takes time in squares, and a few lines of aliases make values that no memory holds.

    Raises:
        NoYamlError: A text begins with a star, as an alias does.
        RefusedYamlError: There is an alias of something, or too much depth.
    """
    import yaml

    depth, has_anchor = 0, False
    for event in events:
        line = event.start_mark.line
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise RefusedYamlError("is nested too deeply", line, "write `key: value`")
        if isinstance(event, yaml.AliasEvent):
            if has_anchor:
                raise RefusedYamlError("has an alias (*name)", line, "write the value out")
            raise NoYamlError("it has an alias of nothing", line)
        has_anchor = has_anchor or getattr(event, "anchor", None) is not None
