"""An emulator on a thread, and the real SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anthropic import Anthropic

from fanwise.emulator.server import Settings, in_thread


@pytest.fixture
def url() -> Iterator[str]:
    with in_thread(Settings()) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[Anthropic]:
    with Anthropic(api_key="test", base_url=url, max_retries=0) as made:
        yield made
