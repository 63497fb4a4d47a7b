"""The pytest plugin: an emulated Messages API for the tests of any Anthropic client.

Installed with fanwise; a test asks for the fixture by its name. It is a package of its own, since
pytest loads it in every project that has fanwise installed, and the SDK is dear to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fanwise.emulator import Emulator


@pytest.fixture
def fanwise_emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator of the Messages API, and an environment in which every Anthropic client finds it.

    The clients' variables `ANTHROPIC_BASE_URL` and `ANTHROPIC_API_KEY` point at it for the length
    of the test, so that code which makes its own client needs no change.
    """
    from fanwise.emulator import Emulator

    with Emulator() as emulator:
        for name in ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_CUSTOM_HEADERS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", emulator.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", emulator.api_key)
        yield emulator
