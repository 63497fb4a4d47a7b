"""Who has raised what came out of a call: the network with what speaks to it, or this process itself.

What the network raises is waited for; it passes. What this process raises does not pass by waiting: a bug, memory that
has run out, a recursion limit that a step has set. The SDK gives both one name: its `APIConnectionError` is whatever
came out of the HTTP client (SDK 2.12.0 `_base_client.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

_SPEAKS = ("aiohttp", "httpx2", "httpcore", "h11", "anthropic._vendor")
"""Packages that speak to servers: what they raise, of whatever type, is made of what came or did not."""
_TYPES = (*_SPEAKS, "anyio", "asyncio", "ssl", "socket", "zlib", "brotli", "zstandard")
"""Packages whose exceptions are of connections and of their bytes."""
_OURS = (MemoryError, RecursionError)
"""Never a server's doing."""


def is_of_network(error: BaseException) -> bool:
    """Return whether an exception that came out of a call is of the connection, or of what came over it."""
    causes = list(_causes(error))
    if any(isinstance(cause, _OURS) for cause in causes):
        return False
    first = next((cause for cause in causes if not _is_in(type(cause).__module__, ("anthropic",))), None)
    if first is None:
        return True  # the SDK's own
    raiser = _raiser(first.__traceback__)
    if _is_in(raiser, ("fanwise",)):
        return False
    is_of_connection = isinstance(first, OSError | EOFError) or _is_in(type(first).__module__, _TYPES)
    return is_of_connection or _is_in(raiser, _SPEAKS)


def root_of(error: BaseException) -> BaseException:
    """Return what an exception was raised from first."""
    return [*_causes(error)][-1]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and what each was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _raiser(trace: TracebackType | None) -> str:
    """Return the module whose code has raised; empty where that is not known."""
    name = ""
    while trace is not None:
        name, trace = str(trace.tb_frame.f_globals.get("__name__", "")), trace.tb_next
    return name


def _is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
