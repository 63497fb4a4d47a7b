"""Tokens of one reply, by the kinds that have a price."""

from __future__ import annotations

from collections.abc import Mapping
from operator import add
from typing import Any, NamedTuple


class Usage(NamedTuple):
    """Token counts with the API's exclusive meaning: the kinds do not overlap.

    Source: SDK 2.12.0 `types/usage.py` and the page "Prompt caching", read 2026-11-23: the whole
    input is `input + cache_write_5m + cache_write_1h + cache_read`.
    """

    input: int = 0
    """`input_tokens`: neither written to nor read from the cache."""
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    output: int = 0
    """`output_tokens`, thinking included."""
    thinking: int = 0
    """Part of `output`."""
    web_searches: int = 0
    """Requests of the server's web search tool."""

    def plus(self, more: Usage) -> Usage:
        """Return the sum, kind by kind."""
        return Usage(*map(add, self, more))

    @property
    def prompt(self) -> int:
        """All input tokens, cached or not: what a price by prompt size looks at."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read

    @property
    def total(self) -> int:
        """All tokens, input and output."""
        return self.prompt + self.output


MOST_TOKENS = 10**9
"""No request takes so many: the largest context has a million."""


def is_counted(data: Mapping[str, Any]) -> bool:
    """Return whether the usage object of a reply says what it took: the API's always has both counts."""
    return data.get("input_tokens") is not None and data.get("output_tokens") is not None


def is_possible(usage: Usage) -> bool:
    """Return whether a request can have taken so much: nothing is negative, nor beyond all bounds."""
    return min(usage) >= 0 and max(usage) <= MOST_TOKENS


def read_usage(data: Mapping[str, Any]) -> Usage:
    """Return the usage object of a reply as counts; what is absent or null counts as 0.

    A reply without the 5m/1h split has only 5-minute writes, the API's default.
    """
    get = data.get
    written_5m, written_1h = get("cache_creation_input_tokens") or 0, 0
    if split := get("cache_creation"):
        written_5m, written_1h = (
            split.get("ephemeral_5m_input_tokens") or 0,
            split.get("ephemeral_1h_input_tokens") or 0,
        )
    thinking = searches = 0
    if details := get("output_tokens_details"):
        thinking = int(details.get("thinking_tokens") or 0)
    if tools := get("server_tool_use"):
        searches = int(tools.get("web_search_requests") or 0)
    # Whole numbers, whatever a gateway has made of them; by position, since every reply makes one and names cost more.
    return Usage(
        int(get("input_tokens") or 0), int(written_5m), int(written_1h), int(get("cache_read_input_tokens") or 0),
        int(get("output_tokens") or 0), thinking, searches,
    )  # fmt: skip
