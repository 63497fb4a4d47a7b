"""Imports go down only, and never in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from pathlib import Path

import networkx as nx
import pytest

SRC = Path(__file__).parent.parent / "src"
LAYERS = {
    "errors": 0, "units": 0, "canonical": 0, "blocks": 0, "models": 0, "limits": 0, "media": 0, "jsonable": 0, "log": 0,
    "pricing": 1, "graph": 1, "context": 1,
    "journal": 2,
    "ledger": 3, "api": 3,
    "dispatch": 4,
    "engine": 5,
    "rendering": 6, "telemetry": 3,
    "job": 7, "studies": 8,
    "cli": 9, "__init__": 10, "__main__": 11,
}  # fmt: skip
MAY_IMPORT_EMULATOR = {"job", "cli", "__init__"}
ONLY_IMPORTER = {
    "networkx": "graph",
    "anthropic": "api",
    "httpx2": "api",
    "click": "cli",
    "aiohttp": "emulator",
    "yaml": "graph",
    "genai_prices": "pricing",
    "opentelemetry": "telemetry",
}
SQL_PARTS = {"journal", "ledger", "emulator"}
"""Where SQL may stand; the emulator has a database of its own."""
SQL = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA|WITH|VACUUM|ATTACH|BEGIN|COMMIT|ROLLBACK)\b"
)
"""What a statement begins with, as we write it: in capitals."""
SQL_OF_META = re.compile(r"\b(FROM|JOIN|INTO|UPDATE)\s+meta\b", re.IGNORECASE)


def imports(source: str, module: str, files: Collection[str]) -> set[str]:
    """Every module that a source imports, `TYPE_CHECKING` blocks and function bodies included."""
    found: set[str] = set()
    is_package = any(name.startswith(f"{module}.") for name in files)
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            found |= {name} | {f"{name}.{alias.name}" for alias in node.names}
    return found


def reads_meta(module: str, source: str, files: Collection[str]) -> list[str]:
    """What a source does with the table `meta`, which `journal.meta` alone knows, as do the stores that hold it."""
    wrong: list[str] = []
    if module != "fanwise.job.manifest" and "fanwise.journal.meta.MANIFEST" in imports(source, module, files):
        wrong.append(f"{module} reads what a run is, which `job.manifest` alone knows")
    if part(module) in ("journal", "emulator"):  # the stores themselves; the emulator's has a table of that name
        return wrong
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ("meta", "set_meta"):
            wrong.append(f"{module}:{node.lineno} asks for a key of `meta` itself")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_OF_META.search(node.value):
            wrong.append(f"{module}:{node.lineno} reads the table `meta` itself")
    return wrong


def speaks_sql(module: str, source: str, files: Collection[str]) -> list[str]:
    """What a source has of SQL: the library, a statement, or a call that carries one out."""
    if part(module) in SQL_PARTS:
        return []
    wrong = [f"{module} imports {name}" for name in imports(source, module, files) if name.split(".")[0] == "sqlite3"]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            wrong.append(f"{module}:{node.lineno} has a statement: {node.value[:40]!r}")
        elif isinstance(node, ast.Attribute) and node.attr in ("execute", "executemany", "executescript"):
            wrong.append(f"{module}:{node.lineno} carries out a statement")
    return wrong


def part(module: str) -> str:
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def violations(files: dict[str, str]) -> list[str]:
    """What a tree of sources does that the layers forbid."""
    wrong: list[str] = []
    for module, source in files.items():
        here = part(module)
        for name in imports(source, module, files):
            top = name.split(".")[0]
            if top in ONLY_IMPORTER and ONLY_IMPORTER[top] != here:
                wrong.append(f"{module} imports {top}")
            if top != "fanwise" or (name not in files and name.rsplit(".", 1)[0] not in files and name != "fanwise"):
                continue
            there = part(name if name in files else name.rsplit(".", 1)[0])
            if there == here:
                continue
            if here == "emulator":
                if LAYERS.get(there, 99) != 0 or there == "models":
                    wrong.append(f"{module} imports {name}: the emulator shares nothing with the client side")
            elif there == "emulator":
                if here not in MAY_IMPORT_EMULATOR:
                    wrong.append(f"{module} imports {name}")
            elif there == "__init__":
                if here not in ("cli", "__main__"):
                    wrong.append(f"{module} imports from the package root")
            elif LAYERS[there] > LAYERS[here] or (LAYERS[there] == LAYERS[here] and LAYERS[here] > 0):
                wrong.append(f"{module} imports {name}, which is not below it")
    return sorted(set(wrong))


@pytest.fixture
def files() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted((SRC / "fanwise").rglob("*.py")):
        names = path.relative_to(SRC).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" and len(names) > 1 else names)] = path.read_text()
    return found


def test_every_part_has_a_layer(files: dict[str, str]) -> None:
    assert {part(module) for module in files} - {"emulator"} == set(LAYERS)


def test_imports_go_down_only(files: dict[str, str]) -> None:
    assert violations(files) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("fanwise.pricing.cost", "from fanwise.engine.run import Engine"),
        ("fanwise.graph.state", "if TYPE_CHECKING:\n    from fanwise.journal.port import Journal"),
        ("fanwise.context.layout", "def f():\n    from fanwise.graph.nodes import TaskNode"),
        ("fanwise.emulator.tables", "from fanwise.pricing.rates import rates"),
        ("fanwise.emulator.tables", "from fanwise.models import facts"),
        ("fanwise.engine.run", "from fanwise.emulator.server import serve"),
        ("fanwise.ledger.account", "import networkx"),
        ("fanwise.dispatch.live", "import anthropic"),
        ("fanwise.ledger.summary", "from fanwise import Job"),
    ],
)
def test_a_planted_upward_import_is_noticed(files: dict[str, str], module: str, line: str) -> None:
    assert violations({**files, module: f"{files[module]}\n{line}\n"}) != []


def test_meta_has_one_reader(files: dict[str, str]) -> None:
    assert [problem for module, source in files.items() for problem in reads_meta(module, source, files)] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("fanwise.ledger.summary", "def f(db):\n    return db.execute('SELECT value FROM meta').fetchone()"),
        ("fanwise.studies.show", "def f(journal):\n    return journal.meta('run_id')"),
        ("fanwise.dispatch.primer", "def f(journal):\n    journal.set_meta('primed', '{}')"),
        ("fanwise.cli.history", "from fanwise.journal.meta import MANIFEST"),
    ],
)
def test_a_planted_second_reader_of_meta_is_noticed(files: dict[str, str], module: str, line: str) -> None:
    assert reads_meta(module, f"{files[module]}\n{line}\n", files) != []


def test_sql_stands_in_journal_and_ledger_alone(files: dict[str, str]) -> None:
    assert [problem for module, source in files.items() for problem in speaks_sql(module, source, files)] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("fanwise.rendering.files", "ROWS = 'SELECT number FROM rows'"),
        ("fanwise.studies.compare", 'def f(arm):\n    return f"""\n  WITH a AS (SELECT 1) SELECT {arm} FROM a"""'),
        ("fanwise.job.sizes", "import sqlite3"),
        ("fanwise.cli.status", "def f():\n    from sqlite3 import connect"),
        ("fanwise.engine.standin", "def f(db, query):\n    return db.execute(query).fetchall()"),
        ("fanwise.dispatch.live", "PRAGMAS = 'PRAGMA cache_size=1'"),
    ],
)
def test_planted_sql_is_noticed(files: dict[str, str], module: str, line: str) -> None:
    assert speaks_sql(module, f"{files[module]}\n{line}\n", files) != []


def test_there_is_no_cycle_of_imports(files: dict[str, str]) -> None:
    graph = nx.DiGraph()
    for module, source in files.items():
        for name in imports(source, module, files):
            target = name if name in files else name.rsplit(".", 1)[0]
            if target in files and target != module and target != "fanwise":
                graph.add_edge(module, target)
    assert list(nx.simple_cycles(graph)) == []


def test_no_two_classes_have_one_name(files: dict[str, str]) -> None:
    places: dict[str, list[str]] = {}
    for module, source in files.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}
