"""Packs: several inputs of one agent in one request, and one answer that has a field for each, named by its number.

Answers are matched by number and never by place. What is not certain is not taken: an answer that does not fit its
type, a number that comes twice, what stands behind the place where the text was cut off. Whoever lacks an answer is
asked again alone, so a broken answer costs its own input. A field named by its number is the shortest form that is
certain: a list of records with numbers took twice the tokens, at the price of output.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from fanwise.definitions import DEFINITIONS, Schema, joined, reference
from fanwise.errors import OutputError

from .schema import OPTIONAL_LIMIT, UNION_LIMIT, choices
from .wire import ReadAnswer, encode_field, read_value, without_fence

MISSING = "the answer to the pack has none for it"
TWICE = "the answer to the pack has several for it"
FIELD_TOKENS = 8
"""More than stands around an answer in its field: a number in quotes, a colon and a comma."""
_SAID = "The answer to the input of this number."
_DEFINITION = "answer"
_FIELD = re.compile(r'[\s,]*"(\d{1,3})"\s*:\s*')
"""The begin of the answer to an input."""
_OBJECT = re.compile(r'\s*(?:\{\s*"[^"]*[^"\d][^"]*"\s*:\s*)?\{')
"""The begin of an answer, perhaps in an envelope, where it is no JSON as a whole."""
_LOOKS_LIKE_FIELD = re.compile(r'\d\\*"\s*:')
_decode_at = json.JSONDecoder().raw_decode


def most_inputs(tp: Any) -> int:
    """Return how many inputs a pack may have whose answers are of a type: each is an optional field of the answer."""
    own = choices(tp)
    unions = own.unions - own.absent if own.leaves_out else own.unions
    optional = own.optional + (own.absent if own.leaves_out else 0)
    return min(OPTIONAL_LIMIT // (1 + optional), UNION_LIMIT // unions if unions else OPTIONAL_LIMIT)


def pack_schema(answer: Mapping[str, Any], inputs: int) -> Schema:
    """Return the schema of the answer to a pack, an object.

    Args:
        answer: Schema of the answer to one input, each of its types a definition.
        inputs: How many a pack has at most.
    """
    definitions: Schema = dict(answer.get(DEFINITIONS, {}))
    name = _DEFINITION
    while name in definitions:
        name += "_"
    body = {key: part for key, part in answer.items() if key != DEFINITIONS}
    definitions[name] = {**body, "description": joined(_SAID, body.get("description"))}
    fields = {str(number): reference(name) for number in range(1, inputs + 1)}
    return {
        "type": "object", "properties": fields, "required": [], "additionalProperties": False, DEFINITIONS: definitions,
    }  # fmt: skip


def encode_pack(tp: Any, answers: Iterable[tuple[int, Any]]) -> str:
    """Return values of the output type as the text that a model would answer to a pack.

    Args:
        tp: The output type.
        answers: Number of the input, and the answer to it.
    """
    return wrap((number, encode_field(tp, value)) for number, value in answers)


def one_answer(answer: str) -> str:
    """Return the answer to a pack of one input, from the JSON that stands for it in an envelope."""
    return wrap([(1, answer)])


def wrap(answers: Iterable[tuple[int, str]]) -> str:
    """Return the answer to a pack that has these, each with its number and as JSON text."""
    return "{" + ",".join([f'"{number}":{answer}' for number, answer in answers]) + "}"


class PackedAnswer(NamedTuple):
    """What the answer to a pack says of one input."""

    answer: ReadAnswer | None
    """None where it says nothing that can be used."""
    problem: str = ""
    """Why it cannot be used."""


def read_pack(tp: Any, text: str, size: int, is_quoted: Callable[[], bool]) -> list[PackedAnswer]:
    """Return what the answer to a pack says of each input, in the order of their numbers.

    Args:
        tp: The output type.
        text: What the model wrote; it may be cut off.
        size: How many inputs it was shown, numbered from 1.
        is_quoted: Tells whether an input, or the type, holds what may look like a field. Only where none does is looked
            for fields behind one that cannot be read: a text that an answer quotes could pose as the answer to another
            input.
    """
    found: dict[str, Any] = {}
    several = set[str]()
    for number, answer in _fields(without_fence(text), is_quoted):
        if number in found:
            several.add(number)
        found[number] = answer
    return [_answer(tp, str(number), found, several) for number in range(1, size + 1)]


def _answer(tp: Any, number: str, found: Mapping[str, Any], several: Collection[str]) -> PackedAnswer:
    if number in several:
        return PackedAnswer(None, TWICE)
    if number not in found:
        return PackedAnswer(None, MISSING)
    try:
        return PackedAnswer(read_value(tp, found[number]))
    except OutputError as error:
        return PackedAnswer(None, str(error))


def _fields(text: str, is_quoted: Callable[[], bool]) -> Iterator[tuple[str, Any]]:
    """Yield the fields of an answer: of the whole where it is JSON, else those that can be read one by one."""
    try:
        whole: Any = json.loads(text, object_pairs_hook=_Pairs)
        fields = [(name, _plain(answer)) for name, answer in whole] if isinstance(whole, _Pairs) else []
    except (ValueError, RecursionError):
        start = _OBJECT.match(text)
        fields = () if start is None else _one_by_one(text, start.end(), go_on=not is_quoted())
    yield from fields


class _Pairs(list[tuple[str, Any]]):
    """The fields of an object, also those that come twice."""


def _plain(data: Any) -> Any:
    """Return JSON data with an object for each list of its fields."""
    if isinstance(data, _Pairs):
        return {name: _plain(part) for name, part in data}
    return [_plain(part) for part in cast("list[Any]", data)] if isinstance(data, list) else data


def _one_by_one(text: str, at: int, *, go_on: bool) -> Iterator[tuple[str, Any]]:
    """Yield the fields that can be read of those that begin at a place.

    Args:
        text: The answer.
        at: Where the first begins.
        go_on: Whether to look for fields behind one that cannot be read.
    """
    while (found := (_FIELD.search if go_on else _FIELD.match)(text, at)) is not None:
        try:
            answer, at = _decode_at(text, found.end())
        except (ValueError, RecursionError):
            if not go_on:
                return
            at = found.end()
        else:
            if not _ends(text, at):
                continue
            yield found[1], answer


def _ends(text: str, at: int) -> bool:
    """Return whether an answer ends at a place: a number that is cut off reads as a shorter one."""
    return text[at:].lstrip()[:1] in (",", "}")


def looks_like_field(text: str) -> bool:
    """Return whether a text holds what may look like a field of an answer to a pack."""
    return _LOOKS_LIKE_FIELD.search(text) is not None
