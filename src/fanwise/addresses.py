"""What is wrong with the address of a server of the API, in words that hold no password."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

VARIABLE = "ANTHROPIC_BASE_URL"
"""Of the environment, which names an address where none is given."""
_HINT = "write it like http://127.0.0.1:8000"
_ADDED = re.compile(r"/v1(/messages(/batches|/count_tokens)?|/models)?$")
"""Ends of a path that the SDK adds itself to the address."""


def address_problem(address: str) -> str:
    """Return what is wrong with a base URL and what to write instead; empty where nothing is.

    A name with a password, a query and a fragment are refused: they would be kept in journals and told in
    errors, and the SDK joins its paths to the end of the address.
    """
    told = repr(without_secrets(address))
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        why = "" if told != repr(address) else f": {error}"  # its words quote what is to be hidden
        return f"{told} is no address{why}; {_HINT}"
    if parts.scheme not in ("http", "https") or not host:
        return f"{told} is no address; {_HINT}"
    if "@" in parts.netloc:
        return f"{told} has a name or a password in front of its host; leave it out, and set ANTHROPIC_API_KEY"
    if "?" in address or "#" in address:
        return f"{told} has a query or a fragment, behind which no path can stand; leave it out"
    end = _ADDED.search(parts.path.rstrip("/"))
    return f"{told} ends in {end[0]}, which the SDK adds itself; leave it out" if end else ""


def as_taken_today(address: str) -> str:
    """Return an address that an earlier version took, without what is refused today; as it is where that is none."""
    if not address_problem(address):
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    host, path = parts.netloc.rpartition("@")[2], _ADDED.sub("", parts.path.rstrip("/"))
    shorter = urlunsplit((parts.scheme, host, path, "", ""))
    return address if address_problem(shorter) else shorter


def without_secrets(address: str) -> str:
    """Return an address with *** for what may be a secret: all in front of its last @, its query, its fragment."""
    front, at, behind = address.rpartition("@")
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", front)
    shown = f"{scheme[0] if scheme else ''}***@{behind}" if at else address
    return re.sub(r"([?#]).*", r"\1***", shown, count=1, flags=re.DOTALL)
