"""An emulator on a thread, the real SDK, and plain HTTP for what the SDK would not send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic
from sending import Send, send_to

from fanwise.emulator import Emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def url(emulator: Emulator) -> str:
    return emulator.url


@pytest.fixture
def client(url: str) -> Iterator[Anthropic]:
    with Anthropic(api_key="test", base_url=url, max_retries=0) as sdk:
        yield sdk


@pytest.fixture
def send(url: str) -> Send:
    def bound(path: str, body: object = None, **more: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        return send_to(url, path, body, **more)

    return bound
