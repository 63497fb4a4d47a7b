"""Examples of an agent: an input, and the answer to it. Held against the signature where the agent is defined."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from fanwise.canonical import canonical, plain, visible
from fanwise.errors import Mistake, NoFormError, OutputError
from fanwise.foreign import let_through, reason, shown
from fanwise.media import SHOWN_FIELDS

from . import types as ty
from .kinds import holds_media
from .pertype import adapter
from .wire import encode, encode_field, load, misfit, read_answer


@dataclass(frozen=True, slots=True)
class Example:
    """An input of an agent and the answer to it: shown to the model, in the form of its requests and answers."""

    inputs: Any
    """Values by parameter name, of the parameters' types or as JSON-ready data; of one parameter the value alone."""
    output: Any
    """What the agent is to answer: of its return type, or as JSON-ready data."""


class PlacedExample(NamedTuple):
    """An example as it was given."""

    example: Any
    """Anything: what is none is a mistake."""
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedExample:
    """An example that fits its agent: nothing of users' code is called any more to show it."""

    number: int
    """Among those of its agent, from 1."""
    inputs: Mapping[str, Any]
    """JSON-ready data by parameter, in the order of the signature, as a model sees it."""
    output: Any
    """JSON-ready data, keyed by field names."""
    answer: str
    """The text that a model would answer."""
    enclosed: str
    """The JSON that would stand for the answer in an envelope."""
    place: str = field(compare=False)

    @property
    def content(self) -> list[Any]:
        """What shapes the answers of its agent, as JSON-ready data."""
        return [dict(self.inputs), self.answer]


def placed(examples: Any, place: str) -> tuple[PlacedExample, ...]:
    """Return examples that were given at a place, several or one alone; what is none is told where it is checked."""
    several = cast("Iterable[Any]", examples) if isinstance(examples, Iterable) else [examples]
    return tuple(PlacedExample(example, place) for example in several)


def checked_examples(
    examples: Iterable[PlacedExample], name: str, params: Mapping[str, Any], output: Any, mistakes: list[Mistake]
) -> tuple[CheckedExample, ...]:
    """Return examples that fit an agent.

    Args:
        examples: As they were given.
        name: Of the agent.
        params: Types of its parameters, in order.
        output: Its return type.
        mistakes: Gets what does not fit: all of all examples.
    """
    checks = [_ExampleCheck(number, given, name, mistakes) for number, given in enumerate(examples, 1)]
    results = [check.result(params, output) for check in checks]
    return tuple(example for example in results if example is not None)


class _NoFitError(Exception):
    """A value does not fit; says why."""


class _ExampleCheck:
    """The check of one example."""

    def __init__(self, number: int, given: PlacedExample, agent: str, mistakes: list[Mistake]) -> None:
        self._number, self._example, self._place = number, given.example, given.place
        self._title, self._mistakes = f"example {number} of agent {agent!r}", mistakes

    def _add_mistake(self, problem: str, hint: str = "") -> None:
        self._mistakes.append(Mistake(self._place, f"{self._title} {problem}", hint))

    def result(self, params: Mapping[str, Any], output: Any) -> CheckedExample | None:
        """Return the example where it fits; None where it does not, which are mistakes."""
        if not isinstance(self._example, Example):
            self._add_mistake(f"is {shown(self._example):.80}", "write Example({...}, output)")
            return None
        before = len(self._mistakes)
        inputs = self._inputs(params, self._example.inputs)
        answer = self._answer(output, self._example.output)
        if answer is None or len(self._mistakes) > before:
            return None
        return CheckedExample(number=self._number, inputs=inputs, **answer._asdict(), place=self._place)

    def _inputs(self, params: Mapping[str, Any], given: Any) -> dict[str, Any]:
        """Return the values by parameter, as far as they fit."""
        values = self._by_name(params, given)
        inputs: dict[str, Any] = {}
        for name in params:
            if name in values:
                try:
                    inputs[name] = _data(params[name], values[name])
                except _NoFitError as error:
                    problem = f"gives {name} what does not fit {ty.name(params[name])}: {error}"
                    self._add_mistake(problem, _as_text(params[name], values[name]))
        return inputs

    def _by_name(self, params: Mapping[str, Any], given: Any) -> Mapping[str, Any]:
        """Return the values that are given, by parameter; names that are wrong or missing are mistakes."""
        (first, *others) = params or ("",)
        is_by_name = isinstance(given, Mapping) and (first in given or len(params) != 1)
        if not is_by_name and first and not others:
            return {first: given}
        named = f"it takes {', '.join(params) or 'nothing'}"
        if not is_by_name:
            self._add_mistake("gives one value without a name", f"{named}: write values by name")
            return {}
        values = cast("Mapping[str, Any]", given)
        for name in values:
            if name not in params:
                near = get_close_matches(str(name), params, 1)
                meant = f"did you mean {near[0]!r}?" if near else named
                self._add_mistake(f"gives {name!r}, which is no parameter", meant)
        for name in params:
            if name not in values:
                self._add_mistake(f"gives no {name}", "name every parameter, also one that has a default")
        return values

    def _answer(self, tp: Any, given: Any) -> _Answer | None:
        try:
            return _answer(tp, given)
        except _NoFitError as error:
            self._add_mistake(f"has an output that does not fit {ty.name(tp)}: {error}", _as_text(tp, given))
            return None


def _as_text(tp: Any, given: Any) -> str:
    """Return what to do where a text is asked for and a number or its like was given, which YAML makes of many."""
    if not ty.is_text(tp) or not isinstance(given, bool | int | float | dt.date):
        return ""
    return f"it is {shown(given)}; write a text, in YAML with quotes around it"


def _data(tp: Any, given: Any) -> Any:
    """Return a value of a parameter as JSON-ready data, as a model sees it.

    Raises:
        _NoFitError: It is none of the type, or cannot be shown.
    """
    value = _validated(tp, given)
    try:
        data = plain(visible(value))
        canonical(data).encode()
    except UnicodeEncodeError:
        raise _NoFitError("it holds half a surrogate pair, which no request can carry") from None
    except BaseException as error:  # of a serializer, which is users' code
        let_through(error)
        raise _NoFitError(reason(error)) from None
    if (holds_media(tp) or ty.unclear(tp)) and _shows_file(data):
        raise _NoFitError("it is or holds an image or a PDF, which examples cannot show")
    return data


def _shows_file(data: Any) -> bool:
    """Return whether data has the type and the hash that stand for an image or a PDF."""
    if isinstance(data, dict):
        record = cast("dict[str, Any]", data)
        return set(record) == SHOWN_FIELDS or any(map(_shows_file, record.values()))
    return isinstance(data, list) and any(map(_shows_file, cast("list[Any]", data)))


class _Answer(NamedTuple):
    """An answer in the forms of `CheckedExample`."""

    output: Any
    answer: str
    enclosed: str


def _answer(tp: Any, given: Any) -> _Answer:
    """Return the answer that a model would give for a value: one that is read as this value.

    That is the value as it is written or, where a validator makes something else of that, what was given.

    Raises:
        _NoFitError: There is none.
    """
    value = _validated(tp, given)
    problem = "what a model would answer for it is read as another value; give what the model writes, as data of JSON"
    for candidate in (value, given):
        try:
            text = encode(tp, candidate)
            text.encode()
            output = plain(read_answer(tp, text).value)
            if canonical(output) == canonical(value):
                return _Answer(output, text, encode_field(tp, candidate))
        except UnicodeEncodeError:
            problem = "it holds half a surrogate pair, which no answer has"
        except BaseException as error:  # of a serializer or a validator, which is users' code
            let_through(error)
            problem = str(error) if isinstance(error, OutputError) and candidate is value else problem
    raise _NoFitError(problem)


def _validated(tp: Any, given: Any) -> Any:
    """Return a value of a type, of what was given as one or as JSON-ready data.

    Raises:
        _NoFitError: It is neither.
    """
    if tp is ty.Unknown:
        return given
    try:
        return adapter(tp).validate_python(given, by_name=True, by_alias=True)
    except ValidationError as error:
        problem = misfit(error)
    except BaseException as error:  # of a validator, which is users' code
        let_through(error)
        problem = reason(error)
    try:
        return load(tp, json.loads(canonical(given)))
    except (OutputError, NoFormError, ValueError) as error:
        raise _NoFitError(str(error) if isinstance(error, OutputError) else problem) from None
    except BaseException as error:
        let_through(error)
        raise _NoFitError(problem) from None
