"""Settings of all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "sample"))

# Each client of the SDK reads the authorities of TLS, 30 ms for those of a machine. No test leaves this one.
os.environ["SSL_CERT_FILE"] = str(HERE / "sample" / "authority.pem")

# In CI the same examples every time, so that a change is judged by what it changed; elsewhere new ones.
settings.register_profile("fast", max_examples=60, deadline=None, derandomize="CI" in os.environ)
settings.register_profile("full", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may spend: keys and profiles of the machine are out of reach."""
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "FANWISE_")):
            monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):  # where not even root can make a folder
        monkeypatch.setenv(name, "/dev/null/nowhere")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rule", default=None, help="run only the tests that name this rule of the emulator")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--rule")
    if wanted is not None:
        items[:] = [item for item in items if any(wanted in mark.args for mark in item.iter_markers("rule"))]
