"""What values of a job are beside their types: each check raises a ValueError that says what is wrong.

Behind a semicolon stands what to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise.addresses import address_problem
from fanwise.dispatch.deadline import seconds
from fanwise.jsonable import fault_of_text
from fanwise.units import MOST_USD, PICO_PER_USD, pico_from_usd

Dollars = str | int | Decimal
"""An amount of dollars; as a float it would not be exact."""
DOLLARS_HINT = "write it as text, like '2.50'"
LONGEST_S = 366 * 24 * 3600
"""No run is longer, in seconds."""
WEEK_S = 7 * 24 * 3600
MOST_ROWS = 10**12


def check_dollars(value: Any) -> None:
    """Refuse what is no amount that a run may cost."""
    pico = pico_from_usd(str(value))
    if not pico:
        raise ValueError(f"{str(value)!r} pays for nothing; write more, like '2.50', or leave it out for no budget")
    if pico > MOST_USD * PICO_PER_USD:
        raise ValueError(f"{str(value)!r} is more than any run can cost; write at most '{MOST_USD}', or leave it out")


def check_duration(value: str) -> None:
    """Refuse what is no length of time, or is longer than any run."""
    if not seconds(value) <= LONGEST_S:
        raise ValueError(f"{value!r} is longer than any run; write it like 90s, 30m, 6h or 1d")


def check_reference(value: Any) -> None:
    """Refuse a text that names no graph."""
    if isinstance(value, str) and not all(value.rpartition(":")[::2]):
        raise ValueError(f"{value!r} names no graph; write path/file.py:name or package.module:name")


def check_baseline(value: str) -> None:
    """Refuse a text that names no single agent."""
    if value not in ("none", "auto", "auto:thinking") and not all(value.rpartition(":")[::2]):
        raise ValueError(
            f"{value!r} is no baseline; write auto, auto:thinking, none, path/file.py:name or package.module:name"
        )


def check_rows(value: object) -> None:
    """Refuse what rows cannot be read from."""
    kind = type(value).__name__
    if isinstance(value, str | Path):
        check_path(value)
    elif isinstance(value, bytes | bytearray | memoryview):
        raise ValueError(f"{kind} are no rows; write them to a file, or give models or dicts")
    elif isinstance(value, Mapping | BaseModel):
        raise ValueError(f"a {kind} is one row; put it into a list")


def check_path(value: str | Path) -> None:
    """Refuse what is no path."""
    if not str(value):
        raise ValueError(f"{value!r} is no path")


def check_paths(value: Sequence[Any]) -> None:
    """Refuse what is no list of paths; one text is a list of its characters to Python, and to nobody else."""
    if isinstance(value, str | bytes):
        raise ValueError(f"{value!r} is one text; put it into a list: [{value!r}]")
    for path in value:
        if not isinstance(path, str | Path) or fault_of_text(str(path)):
            raise ValueError(f"{path!r} is no path")
        check_path(path)


def check_address(value: str) -> None:
    """Refuse what is no address of a server."""
    problem = address_problem(value)
    if problem:
        raise ValueError(problem)


def check_field_name(value: str) -> None:
    """Refuse what names no field."""
    if not value.strip():
        raise ValueError(f"{value!r} names no field; leave it out for `id`, else the line number")
