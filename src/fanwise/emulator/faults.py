"""Scripted faults: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .problems import TYPES, ApiProblem, invalid

_KNOWN = {
    "status",
    "count",
    "retry_after",
    "match",
    "path",
    "model",
    "probability",
    "latency_s",
    "message",
    "code",
    "lost",
    "cut",
    "malformed",
    "item",
}


@dataclass(slots=True)
class Fault:
    """One rule; it goes when its count is used up."""

    status: int | None = None
    count: int | None = None
    """How many times it strikes; None: always."""
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
    lost: bool = False
    """The request is taken and billed, then the connection is cut."""
    cut: bool = False
    """The connection is cut before the request is taken."""
    malformed: bool = False
    """The reply is no JSON; billed."""
    item: str = ""
    """For batch items alone: errored, expired, canceled, missing or duplicated."""

    def problem(self) -> ApiProblem:
        """Return the error that the fault stands for."""
        assert self.status is not None
        return ApiProblem(
            self.status, self.message or f"simulated {self.status}", retry_after=self.retry_after, code=self.code
        )


class Faults:
    """The rules in force, oldest first."""

    def __init__(self, seed: int = 0) -> None:
        self.rules: list[Fault] = []
        self._random = random.Random(seed)

    def add(self, data: Mapping[str, Any]) -> Fault:
        """Add a rule.

        Raises:
            ApiProblem: A field is unknown or the rule says nothing.
        """
        unknown = sorted(set(data) - _KNOWN)
        if unknown:
            raise invalid(f"unknown field {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}")
        fault = Fault(**data)
        if fault.status is not None and fault.status not in TYPES:
            raise invalid(f"status {fault.status} is none of {sorted(TYPES)}")
        if not any((fault.status, fault.lost, fault.cut, fault.malformed, fault.item, fault.latency_s)):
            raise invalid("a fault needs one of status, lost, cut, malformed, item, latency_s")
        self.rules.append(fault)
        return fault

    def strike(self, *, path: str, model: str, text: str, item: bool) -> Fault | None:
        """Return the first rule that fits, and use it up by one."""
        for fault in self.rules:
            fits = fault.match in text and fault.path in path and fault.model in model
            fits = fits and (bool(fault.match) or fault.item != "" if item else not fault.item)
            if fits and (fault.probability >= 1 or self._random.random() < fault.probability):
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self.rules.remove(fault)
                return fault
        return None
