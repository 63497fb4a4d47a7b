"""What the environment says of the network: one line where it is wrong, and nothing of it on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import DESK, emulator, environment, fanwise, tickets

GRAPH = f"{DESK}:single"
NETWORK = {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9", "SSL_CERT_FILE": "/nonexistent"}


def test_a_server_on_this_machine_is_asked_past_every_proxy(tmp_path: Path) -> None:
    """An offline run sent loopback through the proxy, and ended in a traceback for socks and for a missing file."""
    rows = tickets(tmp_path / "rows.jsonl", 1)
    with emulator(graph=GRAPH) as url:
        for number, more in enumerate(({}, {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "k"})):
            out, env = tmp_path / f"run{number}", environment(**NETWORK, **more)
            ended = fanwise("run", GRAPH, "--rows", rows, "--out", out, "--channel", "live", env=env)
            assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"HTTPS_PROXY": "nonsense://x"}, "HTTPS_PROXY"),
        ({"SSL_CERT_FILE": "/nonexistent"}, "SSL_CERT_FILE"),
        ({"ANTHROPIC_BASE_URL": "http://gateway.example/v1/"}, "ends in /v1"),
        ({"ANTHROPIC_BASE_URL": "http://gateway.example/v1/messages"}, "ends in /v1/messages, which the SDK adds"),
        ({"ANTHROPIC_BASE_URL": "http://me:open-sesame@gateway.example"}, "'http://***@gateway.example' has a name"),
        ({"ANTHROPIC_BASE_URL": "http://gateway.example?key=open-sesame"}, "has a query or a fragment"),
        ({"ANTHROPIC_BASE_URL": "gateway"}, "is no address"),
        ({"ANTHROPIC_BASE_URL": "http://[::1"}, "is no address"),
    ],
)
def test_what_is_wrong_with_it_is_said_in_a_line(tmp_path: Path, variables: dict[str, str], told: str) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 1)
    env = environment(ANTHROPIC_API_KEY="k", **({"ANTHROPIC_BASE_URL": "https://gateway.example"} | variables))
    ended = fanwise("run", GRAPH, "--rows", rows, "--out", tmp_path / "run", "--yes", env=env)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and told in ended.stderr, ended.stderr
    assert "open-sesame" not in ended.stderr and not (tmp_path / "run").exists()
