"""Who answers is decided by the SDK's own rules for credentials, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanwise import RunDirectoryError
from fanwise.job.mode import check_mode


def test_without_credentials_and_address_the_embedded_emulator_answers() -> None:
    assert check_mode(None) == "embedded"


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"])
def test_any_of_them_alone_makes_a_run_that_is_not_embedded(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert check_mode(None) == "api"
    with pytest.raises(RunDirectoryError, match="never mixed"):
        check_mode(None, "embedded")


def test_a_profile_of_the_sdk_counts_as_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also one that is broken: the run then says so, and nothing is answered by stand-ins in its place."""
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("ANTHROPIC_PROFILE", "work")
    assert check_mode(None) == "api"


def test_a_run_with_a_key_is_not_resumed_without_one() -> None:
    with pytest.raises(RunDirectoryError, match="set it again"):
        check_mode(None, "api")
