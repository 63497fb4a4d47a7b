"""Rows: records of a file, validated against the parameters of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from fanwise.canonical import canonical, digest

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


class RowTypes:
    """Validates records against the parameters of a graph."""

    def __init__(self, params: Mapping[str, Any], id_field: str | None, folder: Path | None = None) -> None:
        """Prepare.

        Args:
            params: Parameter types of the graph. With one parameter the record is its value;
                with several the record has a field for each.
            id_field: Field with the row's id; None: `id` where there is one, else the number.
            folder: Where paths of images and PDFs begin; None: the working directory.
        """
        self.adapters = {name: TypeAdapter[Any](tp) for name, tp in params.items()}
        only = [(name, adapter.validator) for name, adapter in self.adapters.items()]
        self._only = only[0] if len(only) == 1 else None
        self.id_field = id_field
        self._context = {"folder": folder}

    def check(self, record: Record) -> Row | str:
        """Return the row of a record, or the reason why it is set aside."""
        if record.data is None:
            return record.problem
        field = self.id_field or "id"
        if self.id_field is not None and field not in record.data:
            return f"has no field {field!r}, which --id names"
        row_id = str(record.data[field]) if field in record.data else str(record.number)
        try:
            if self._only is not None:
                name, validator = self._only
                arguments = {name: validator.validate_python(record.data, context=self._context)}
            else:
                arguments = {
                    name: adapter.validate_python(record.data.get(name), context=self._context)
                    for name, adapter in self.adapters.items()
                }
            content = canonical(list(arguments.values()))
        except ValidationError as error:
            places = [
                f"{'.'.join(map(str, mistake['loc'])) or 'the row'}: {mistake['msg']}"
                for mistake in error.errors(include_url=False)[:3]
            ]
            return "; ".join(places)
        except TypeError as error:
            return str(error)
        return Row(
            number=record.number, locator=record.locator, row_id=row_id, arguments=arguments, hash=digest(content),
            size=len(content),
        )  # fmt: skip
