"""What of a journal no run writes: asked once something in it could not be understood.

SQLite keeps any value in any column, so a journal that was changed by another hand may hold a text where its account
counts. Nobody looks through all records before every command for that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from fanwise.pricing.usage import Usage

from .tables import TABLES, RecordTable

_STORED = {int: ("integer",), float: ("real", "integer"), str: ("text",), type(None): ("null",)}
_LATEST_S = 1e11
"""Seconds since 1970 that no clock shows and no length of time reaches."""


def damage(db: sqlite3.Connection) -> str:
    """Return in words the first value of a journal that no run writes; empty where there is none."""
    try:
        return next(_odd_values(db), "")
    except sqlite3.DatabaseError as error:
        return str(error)


def _odd_values(db: sqlite3.Connection) -> Iterator[str]:
    for table in TABLES.values():
        for column, hint in _types(table):
            stored = ", ".join(f"'{name}'" for kind in _kinds(hint) for name in _STORED[kind])
            is_odd = f"typeof({column}) NOT IN ({stored})"
            words = get_args(hint) if get_origin(hint) is Literal else ()
            if words:
                is_odd += f" OR {column} NOT IN ({', '.join(map(repr, words))})"
            if float in _kinds(hint):
                is_odd += f" OR abs({column})>{_LATEST_S}"
            found = db.execute(f"SELECT substr(quote({column}), 1, 40) FROM {table.name} WHERE {is_odd} LIMIT 1")
            for (value,) in found:
                yield f"{table.name} has {value} as {column}"


def _types(table: RecordTable) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a table, with the types of their values."""
    hints = get_type_hints(table.kind)
    for column in table.columns:
        yield column, hints.get(column, int) if column not in Usage._fields or "usage" not in hints else int


def _kinds(hint: Any) -> tuple[type, ...]:
    if get_origin(hint) is Literal:
        return (str,)
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)
