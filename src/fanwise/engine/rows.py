"""Rows: records of a file, validated against the parameters of a graph."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from fanwise.canonical import canonical, digest
from fanwise.foreign import let_through, reason
from fanwise.graph import types as ty
from fanwise.graph.strictness import reads_json
from fanwise.quick import maker

from .oddvalues import odd_value
from .records import Record


class Row(NamedTuple):
    """A valid row."""

    number: int
    locator: int
    row_id: str
    arguments: dict[str, Any]
    """One value per parameter of the graph."""
    hash: str
    size: int
    since: int = 1
    """The first session that read it as it is, see `RowRecord`."""


_new_row = maker(Row)


def row_id_of(number: int, own: object) -> str:
    """Return the id of a row: its own, or `row 3` where it has none.

    No id that a row has is taken for one of these: a text of that form stands in quotes.

    Args:
        number: Of its line or record.
        own: What it has for an id; None, an empty text and NaN, which tables have for it: nothing.
    """
    if own is None or own == "" or (isinstance(own, float) and math.isnan(own)):
        return f"row {number}"
    text = str(own)
    return f'"{text}"' if _LIKE_OURS.fullmatch(text) else text


_LIKE_OURS = re.compile(r'("*)row [0-9]+\1')


class RowTypes:
    """Validates records against the parameters of a graph."""

    def __init__(
        self,
        params: Mapping[str, Any],
        id_field: str | None,
        folder: Path | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare.

        Args:
            params: Parameter types of the graph. A record is the value of a single parameter that takes one; else
                it has a field for each.
            id_field: Field with the row's id; None: `id` where there is one, else `row` and the number.
            folder: Where paths of images and PDFs begin; None: the working directory.
            defaults: Of the parameters that have one.
        """
        self.adapters = {name: TypeAdapter[Any](tp) for name, tp in params.items()}
        self._strict = frozenset(name for name, adapter in self.adapters.items() if reads_json(adapter.core_schema))
        """Parameters whose values are read as JSON."""
        only = [name for name, tp in params.items() if len(params) == 1 and _takes_records(tp)]
        self._whole = only[0] if only else ""
        """The parameter whose value is a record as it is."""
        self._defaults = defaults or {}
        self.id_field = id_field
        self._context = {"folder": folder}
        self._may_be_none = frozenset(_optional_fields(params[self._whole]) if only else _optional(params))
        """Columns in which an empty cell of CSV is None."""

    def check(self, record: Record) -> Row | str:
        """Return the row of a record, or the reason why it is set aside."""
        data = record.data
        if data is None:
            return record.problem
        field = self.id_field or "id"
        if self.id_field is not None and field not in data:
            return f"has no field {field!r}, which --id names{_meant(field, data)}"
        row_id = row_id_of(record.number, data.get(field))
        if record.is_text and self._may_be_none:
            data = {name: None if cell == "" and name in self._may_be_none else cell for name, cell in data.items()}
        arguments: dict[str, Any] = {}
        try:
            arguments = self._by_name(data) if not self._whole else self._as_one(data)
            content = canonical(list(arguments.values()))
        except _RowError as error:
            return str(error)
        except BaseException as error:  # of a validator or a serializer, which are users' code
            let_through(error)
            return self._odd(arguments, record) or reason(error)
        return _new_row(
            number=record.number, locator=record.locator, row_id=row_id, arguments=arguments, hash=digest(content),
            size=len(content),
        )  # fmt: skip

    def _odd(self, arguments: Mapping[str, Any], record: Record) -> str:
        """Return in words what of valid arguments has no form in JSON; empty where that is not known."""
        try:
            return odd_value(arguments.get(self._whole, arguments), record)
        except Exception:  # of what a validator has made, which may be anything
            return ""

    def _as_one(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of the one parameter that takes records.

        Raises:
            _RowError: It is wrong.
        """
        try:
            return {self._whole: self._valid(self._whole, data)}
        except ValidationError as error:
            raise _RowError(_reason(error, self._whole, in_front=False, data=data)) from None

    def _by_name(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each parameter, by its name in the record.

        Raises:
            _RowError: Some are missing or wrong; all of them are named.
        """
        arguments: dict[str, Any] = {}
        reasons: list[str] = []
        for name in self.adapters:
            try:
                if name in data:
                    arguments[name] = self._valid(name, data[name])
                elif name in self._defaults:
                    arguments[name] = self._defaults[name]
                else:
                    reasons.append(f"{name}: Field required{_meant(name, data)}")
            except ValidationError as error:
                reasons.append(_reason(error, name, in_front=True))
        if reasons:
            raise _RowError("; ".join(reasons[:MOST_REASONS]))
        return arguments

    def _valid(self, name: str, value: object) -> Any:
        """Return a value of a parameter.

        Validated once: its validators are users' code. Strict types take from JSON what they do not take from
        Python, such as a date that is a text; where they are, the value is read as JSON if it has that form.

        Raises:
            ValidationError: It is none.
        """
        validator = self.adapters[name].validator
        text = _as_json(value) if name in self._strict else None
        if text is None:
            return validator.validate_python(value, context=self._context)
        return validator.validate_json(text, context=self._context)


def _as_json(value: object) -> bytes | None:
    """Return a value as JSON; None where it has no such form, as times of Parquet and NaN have none."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return None


MOST_REASONS = 3
"""Of one row that are told."""


class _RowError(Exception):
    """Parameters are missing or wrong."""


def _reason(error: ValidationError, param: str, *, in_front: bool, data: Mapping[str, Any] | None = None) -> str:
    """Return what is wrong with a value of a parameter, each mistake with its place in the record.

    Args:
        error: What Pydantic says.
        param: The parameter.
        in_front: Whether its name belongs to each place; else it stands for the whole record.
        data: The record, where the value is the whole of it.
    """
    reasons: list[str] = []
    for mistake in error.errors(include_url=False)[:MOST_REASONS]:
        place = (param, *mistake["loc"]) if in_front else (mistake["loc"] or (param,))
        is_column = data is not None and mistake["type"] == "missing" and len(place) == 1
        meant = _meant(str(place[0]), data) if is_column and data is not None else ""
        reasons.append(f"{'.'.join(map(str, place))}: {mistake['msg']}{meant}")
    return "; ".join(reasons)


def _meant(name: str, data: Mapping[str, Any]) -> str:
    """Return in words which field of a record is most probably meant where one is missing; empty where none is near.

    Args:
        name: Of what is missing.
        data: The record.
    """
    near = [key for key in data if _folded(key) and _folded(key) == _folded(name)]
    return f" (did you mean its {near[0]!r}? name that {name!r})" if near else ""


def _folded(name: str) -> str:
    """Return a name without what people write now so, now so: case, spaces, and what stands for spaces."""
    return _NO_LETTERS.sub("", name.casefold())


_NO_LETTERS = re.compile(r"[\W_]+")


def _takes_records(tp: Any) -> bool:
    """Return whether a type has values that are whole records: models, dicts, or anything."""
    anything = (Any, object, ty.Unknown)
    return any(
        part in anything or ty.fields(part) is not None or ty.value_type(part) is not None for part in ty.members(tp)
    )


def _optional(types: Mapping[str, Any]) -> list[str]:
    return [name for name, tp in types.items() if ty.may_be_none(tp)]


def _optional_fields(tp: Any) -> list[str]:
    """Return the fields of a record type that may be None, by all names that they have in a file."""
    names: list[str] = []
    for part in ty.members(tp):
        model: Any = ty.strip(part)
        infos: dict[str, Any] = getattr(model, "model_fields", {})
        for name in _optional(ty.fields(part) or {}):
            aliases = (infos[name].alias, infos[name].validation_alias) if name in infos else ()
            names += [name, *(alias for alias in aliases if isinstance(alias, str))]
    return names
