"""Settings of all tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "sample"))

# Each client of the SDK reads the authorities of TLS, 30 ms for those of a machine. No test leaves this one.
os.environ["SSL_CERT_FILE"] = str(HERE / "sample" / "authority.pem")

LONGEST = (
    "dispatch/test_hangs.py", "cli/test_plan.py", "typed/test_typed.py", "ledger/test_as_it_is_now.py",
    "engine/test_crash.py", "test_documents.py", "test_truth.py", "engine/test_foreign.py", "cli/test_compare.py",
    "engine/test_run.py", "engine/test_tools.py", "engine/test_users_code.py", "ledger/test_peeking.py",
    "engine/test_budget.py", "test_inprocess.py", "studies/test_plan_totals.py", "ledger/test_composition.py",
    "cli/test_sync.py", "job/test_sync_scripts.py", "cli/test_audit.py", "ledger/test_floor.py",
    "cli/test_cli.py", "engine/test_texts.py",
)  # fmt: skip
"""Files whose tests take more than ten seconds together, from the longest test on: workers begin with them."""

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
    if "PYTEST_XDIST_WORKER" in os.environ:
        places = {f"tests/{file}": place for place, file in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(_file_of(item.nodeid), len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal files out whole, so that one worker makes what the tests of a file share; those of the longest one by one.

    The groups of `--dist loadgroup` come to nothing: pytest 9.2 has no `_nodeid`, which xdist 3.8 sets.
    """
    from xdist.scheduler import LoadScopeScheduling  # only here: a worker and a run without `-n` need none

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = _file_of(nodeid)
            return nodeid if file.removeprefix("tests/") in LONGEST else file

    config.option.loadscopereorder = False  # it would begin with the file of most tests
    return ByFile(config, log)


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]
