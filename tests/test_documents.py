"""The pages say what is true: every code block is run, every console block is compared."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fanwise as fanwise_package
from support import ROOT, environment, fanwise

PAGES = [ROOT / "README.md", *sorted((ROOT / "examples").glob("*/README.md"))]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO = re.compile(r"^rows .* [1-9]\d* rejected|^\w+: (\d+) of (?!\1 )\d+ examples pass", re.MULTILINE)
"""What is printed where the exit status is 1: rows were set aside, or a stand-in fails examples."""


def blocks(page: Path) -> list[tuple[str, str, str]]:
    return [(match[1], match[2] or "", match[3]) for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]


def shell(command: str, folder: Path) -> str:
    """What a command prints; a page's own programs are processes, as they end whatever they leave open."""
    words, env = shlex.split(command), environment(COLUMNS="120")
    if words[0] == "fanwise":
        result = fanwise(*words[1:], env=env, cwd=folder)
    else:
        words[0] = sys.executable
        result = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == int(NO.search(result.stdout) is not None), result.stdout + result.stderr
    return result.stdout


def plain(text: str) -> list[str]:
    """Lines without trailing space, with the run's id masked."""
    return [re.sub(r"^run +\w{12}", "run ID", line.rstrip()) for line in text.strip().splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: "README" if page.parent == ROOT else page.parent.name)
def test_the_blocks_of_a_page_do_what_they_say(page: Path, tmp_path: Path) -> None:
    for name in ("examples", "agents"):  # as a reader has them: a run goes on by a graph below where one stands
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shown = page.read_text(encoding="utf-8")
    for kind, name, text in blocks(page):
        if name:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        if kind == "python" and not re.search(rf"^\$ python .*{re.escape(name)}", shown, re.MULTILINE):
            shell(f"python {name}", tmp_path)
        if kind == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, expected = part.partition("\n")
                printed = shell(command, tmp_path)
                if expected.strip():
                    assert plain(printed) == plain(expected), command


def test_a_program_of_a_page_sees_what_a_reader_would(tmp_path: Path) -> None:
    """The folder of a page was on the search path, so that what is not installed was found in it."""
    program = tmp_path / "inner" / "program.py"
    program.parent.mkdir()
    program.write_text("import sys, fanwise\nprint(*sys.path, fanwise.__file__, sep='\\n')\n", encoding="utf-8")
    *searched, package = shell("python inner/program.py", tmp_path).splitlines()
    assert str(tmp_path) not in searched
    assert package == fanwise_package.__file__


def test_no_page_names_a_file_that_is_not_there() -> None:
    for page in (*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"):
        prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):  # in code, brackets and parentheses are no link
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_architecture_names_every_part() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "src" / "fanwise").iterdir()):
        if path.suffix == ".py" and not path.stem.startswith("_"):
            assert path.stem in text, path
        elif path.is_dir() and path.name != "__pycache__":
            assert f"{path.name}/" in text, path
