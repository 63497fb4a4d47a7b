"""Images and PDFs inside of values: in a list, in a record, in a row that is passed whole.

They travel in front of the values, each behind a line with the place where it stands; in the values its type and
hash stand for it.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, cast

from pydantic import BaseModel

from fanwise.canonical import digest
from fanwise.media import SHOWN_FIELDS, Media

_HASH = '"sha256": "'
"""Stands in what is shown of every value that holds a file."""


def enclosed(values: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, list[tuple[str, Media]]]:
    """Return the files inside of values by parameter, each with the place where it stands.

    Args:
        values: Arguments by parameter name, those that travel as blocks of the row left out.
        texts: The same as they are shown: by far the most hold no file, which the text tells at once.
    """
    holders = [param for param in values if _HASH in texts[param]]
    return {param: files for param in holders if (files := list(_files(param, values[param])))} if holders else {}


def _files(place: str, value: Any) -> Iterator[tuple[str, Media]]:
    match value:
        case Media():
            yield place, value
        case BaseModel() | Mapping():
            record = cast("Mapping[Any, Any]", value if isinstance(value, Mapping) else value.__dict__)
            for name, part in record.items():
                yield from _files(f"{place}.{name}", part)
        case str() | bytes() | bytearray():
            return
        case Sequence() | Set():
            for index, part in enumerate(cast("Sequence[Any]", value)):
                yield from _files(f"{place}[{index}]", part)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            for field in dataclasses.fields(value):
                yield from _files(f"{place}.{field.name}", getattr(value, field.name))
        case _:
            return


def files_by_hash(sources: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the files of a request, as its blocks have them, by the hash that stands for each in the values."""
    return {digest(base64.b64decode(source.get("data") or "")): source for source in sources}


def with_files(value: Any, files: Callable[[], Mapping[str, Mapping[str, Any]]]) -> Any:
    """Return a value that was read back with the files of the request in the places of their hashes.

    Args:
        value: As it stands in the request.
        files: Gives them by hash; asked only where the value holds one.
    """
    if isinstance(value, dict):
        record = cast("dict[str, Any]", value)
        if set(record) == SHOWN_FIELDS:
            return files().get(record["sha256"], record)
        return {name: with_files(part, files) for name, part in record.items()}
    if isinstance(value, list):
        return [with_files(part, files) for part in cast("list[Any]", value)]
    return value
