"""The package root: what it offers, whatever was loaded before, and what it does not load."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module

import click
import pytest

import fanwise
from fanwise.cli.main import COMMANDS, main
from support import ROOT, environment

WORDS = {"agent", "each", "given", "graph", "not_", "optional", "step", "tool", "when"}
FUNCTIONS = WORDS | {"audit", "check", "compare", "diff", "history", "plan", "preview", "report", "resume", "sync"}


def test_every_name_of_the_root_is_what_it_should_be_after_every_module_was_loaded() -> None:
    """`fanwise.graph` is a package too, and Python binds a package to its parent when it loads."""
    for module in pkgutil.walk_packages(fanwise.__path__, "fanwise."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for name in fanwise.__all__:
        value = getattr(fanwise, name)
        assert callable(value), f"{name} is a package"
        assert isinstance(value, type) == (name not in FUNCTIONS), name
        assert value.__name__ == name
    assert set(fanwise.__all__) <= set(dir(fanwise))


def test_no_name_of_the_root_is_that_of_a_package_but_graph() -> None:
    packages = {module.name for module in pkgutil.iter_modules(fanwise.__path__)}
    assert packages & set(fanwise.__all__) == {"graph"}, "graph is kept by the class of the root module"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fanwise.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import sys; sys.argv = ['fanwise', '--help']; from fanwise.cli.main import main\n"
         "try:\n    main()\nexcept SystemExit:\n    pass\n", "pydantic anyio rich anthropic structlog fanwise.graph"),
        ("from fanwise import agent, each, graph", "anthropic aiohttp genai_prices time_machine networkx click rich"),
        ("import fanwise.engine.run, fanwise.job.job, fanwise.api.client, fanwise.api.mcp",
         "anthropic httpx2 mcp opentelemetry fanwise.api.wire fanwise.telemetry.spans"),
    ],
    ids=["help", "words", "run"],
)  # fmt: skip
def test_what_is_dear_is_loaded_by_those_who_need_it(code: str, absent: str) -> None:
    code += f"\nimport sys\nprint([name for name in {absent.split()!r} if name in sys.modules], file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment(PYTHONPATH=str(ROOT / "src")), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert result.stderr.splitlines()[-1] == "[]"


def test_every_module_of_a_command_offers_it_and_the_list_names_each() -> None:
    context = click.Context(main)
    folder = ROOT / "src" / "fanwise" / "cli"
    for name, line in COMMANDS.items():
        command = main.get_command(context, name)
        assert command is not None and command.help, name
        assert line.endswith(".") and len(line) <= 70, name
    with_commands = {path.stem for path in folder.glob("*.py") if "@click.command(" in path.read_text(encoding="utf-8")}
    assert with_commands == set(COMMANDS)
    assert main.get_command(context, "nothing") is None
