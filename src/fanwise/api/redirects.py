"""Redirects: none is followed. A key and what rows hold go only to the address that was named.

HTTP clients follow them as they come, and leave out `Authorization` alone where another host is meant (httpx2 2.16.2
`_client.py`, `_redirect_headers`): `x-api-key` and the body go along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from fanwise.addresses import without_secrets

if TYPE_CHECKING:
    import httpx2

REDIRECTED = "redirected"
"""Kind of a failure: the server names another address."""
MOST_SHOWN = 300
"""Characters of an address that are shown."""


def redirect_words(response: httpx2.Response) -> str:
    """Return what a redirect says, without secrets, and what to do; empty where a response is none."""
    location = response.headers.get("location", "")
    if not 300 <= response.status_code < 400 or not location:
        return ""
    try:
        address = urljoin(str(response.request.url), location)
    except ValueError:  # it is no address
        address = location
    shown = repr(without_secrets(address)[:MOST_SHOWN])
    return (
        f"the server redirects to {shown}, and no redirect is followed: a key and what rows hold go only to the "
        "address that was named; if the other one is meant, name it with --base-url"
    )
