"""Scripted faults: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .numbers import finite
from .problems import TYPES, ApiProblem, invalid

ITEMS = ("errored", "expired", "canceled", "missing", "duplicated")
STREAMS = ("cut", "error", "stall", "malformed")


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong, for which requests; it goes when its count or its time is used up."""

    status: int | None = None
    count: int | None = None
    """How many times it strikes; None: always."""
    for_s: float | None = None
    """How long it is in force, in simulated seconds from now on; None: always."""
    retry_after: float | None = None
    match: str = ""
    """A text of the request or of the batch item."""
    path: str = ""
    """A part of the URL path."""
    model: str = ""
    probability: float = 1.0
    latency_s: float = 0.0
    message: str = ""
    code: str | None = None
    """`error.details.error_code`."""
    lost: bool = False
    """The request is taken and billed, then the connection is cut."""
    cut: bool = False
    """The connection is cut before the request is taken."""
    malformed: bool = False
    """The reply is no JSON; billed."""
    stream: str = ""
    """How a stream breaks: cut, error, stall or malformed; billed."""
    after: int = 3
    """Events of a stream that come before it breaks."""
    item: str = ""
    """For batch items alone: errored, expired, canceled, missing or duplicated."""
    until: float | None = None
    """Moment at which it goes; from `for_s`."""

    @property
    def loses_reply(self) -> bool:
        """Whether the message is billed, and its reply does not arrive as one."""
        return self.lost or self.malformed

    def problem(self) -> ApiProblem:
        """Return the error that the fault stands for."""
        status = self.status or 500
        return ApiProblem(status, self.message or f"simulated {status}", retry_after=self.retry_after, code=self.code)


_TYPES: dict[str, tuple[type, ...]] = {
    "status": (int,), "count": (int,), "for_s": (int, float), "retry_after": (int, float), "match": (str,),
    "path": (str,), "model": (str,), "probability": (int, float), "latency_s": (int, float), "message": (str,),
    "code": (str,), "lost": (bool,), "cut": (bool,), "malformed": (bool,), "stream": (str,), "after": (int,),
    "item": (str,),
}  # fmt: skip
_EFFECTS = ("status", "lost", "cut", "malformed", "stream", "item", "latency_s")
"""Fields of which a fault has one at least."""


class Faults:
    """The faults in force, oldest first."""

    def __init__(self, clock: Callable[[], float], seed: int = 0) -> None:
        self.in_force: list[Fault] = []
        self._now, self._random = clock, random.Random(seed)

    def add(self, fields: Mapping[str, Any]) -> Fault:
        """Add a fault.

        Raises:
            ApiProblem: A field is unknown or of a wrong type, or the fault does nothing.
        """
        for name, field in fields.items():
            _check_type(name, field)
        fault = Fault(**{name: field for name, field in fields.items() if field is not None})
        _check_fault(fault)
        if fault.for_s is not None:
            fault.until = self._now() + fault.for_s
        self.in_force.append(fault)
        return fault

    def strike(self, *, path: str, model: Callable[[], str], text: Callable[[], str], item: bool) -> Fault | None:
        """Return the first fault that fits, and use it up by one.

        Args:
            path: Path of the request.
            model: Gives the request's model; asked only where a fault looks at it.
            text: Gives the request's text; asked only where a fault looks at it.
            item: Whether it is an item of a batch that is being processed.
        """
        if not self.in_force:
            return None
        now = self._now()
        self.in_force = [fault for fault in self.in_force if fault.until is None or now < fault.until]
        for fault in self.in_force:
            if _fits(fault, path, model, text, item=item) and self._happens(fault):
                self._use_up(fault)
                return fault
        return None

    def _happens(self, fault: Fault) -> bool:
        """Return whether chance lets a fault strike; one that always strikes draws no number."""
        return fault.probability >= 1 or self._random.random() < fault.probability

    def _use_up(self, fault: Fault) -> None:
        if fault.count is None:
            return
        fault.count -= 1
        if fault.count <= 0:
            self.in_force.remove(fault)


def _fits(fault: Fault, path: str, model: Callable[[], str], text: Callable[[], str], *, item: bool) -> bool:
    """Return whether a fault is meant for a request or an item; one with a text but no `item` is meant for both."""
    if item and not (fault.match or fault.item):
        return False
    if fault.item and not item:
        return False
    if fault.path not in path or (fault.model and fault.model not in model()):
        return False
    return not fault.match or fault.match in text()


def _check_type(name: str, field: object) -> None:
    if name not in _TYPES:
        raise invalid(f"unknown field {name!r}; known are {', '.join(sorted(_TYPES))}")
    if field is not None and not _is_of(_TYPES[name], field):
        raise invalid(f"{name}: {field!r} is no {_TYPES[name][-1].__name__}")


def _is_of(types: tuple[type, ...], field: object) -> bool:
    """Return whether a field has one of the types; a truth value is no number, nor is one that no clock can take."""
    if isinstance(field, bool):
        return bool in types
    if isinstance(field, int | float) and finite(field) is None:
        return False
    return isinstance(field, types)


def _check_fault(fault: Fault) -> None:
    if fault.status is not None and fault.status not in TYPES:
        raise invalid(f"status {fault.status} is none of {sorted(TYPES)}")
    for name, values in (("item", ITEMS), ("stream", STREAMS)):
        if getattr(fault, name) not in ("", *values):
            raise invalid(f"{name}: {getattr(fault, name)!r} is none of {', '.join(values)}")
    if not any(getattr(fault, name) for name in _EFFECTS):
        raise invalid(f"a fault needs one of {', '.join(_EFFECTS)}")
