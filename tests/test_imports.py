"""Imports go down only, and never in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

SRC = Path(__file__).parent.parent / "src"
LAYERS = {
    "addresses": 0, "errors": 0, "foreign": 0, "threads": 0, "units": 0, "canonical": 0, "blocks": 0, "models": 0,
    "limits": 0, "media": 0, "jsonable": 0, "definitions": 0, "log": 0, "paths": 0, "pixels": 0, "quick": 0,
    "pricing": 1, "graph": 1, "context": 1,
    "journal": 2, "plans": 2,
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
CAPITALS = (
    "SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA|WITH|VACUUM|ATTACH|BEGIN|COMMIT|ROLLBACK|EXPLAIN"
    "|VALUES"
)
"""What a statement begins with, as we write it."""
SMALL = (
    r"select\s+(distinct\s+)?(\S*\(.*|[^\s,]+(\s+(as\s+)?\w+)?\s*(,.*)?)\sfrom\s|select\s+[\d*'(]",
    r"(insert|replace)\s+(or\s+\w+\s+)?into\b|delete\s+from\b|update\s+(or\s+\w+\s+)?\S+\s+set\b",
    r"create\s+((temp|temporary|unique|virtual)\s+)*(table|index|view|trigger)\b",
    r"(drop|alter)\s+(table|index|view|trigger)\b",
    r"with\s+(recursive\s+)?\w+\s*(\([^)]*\)\s*)?as\s*((not\s+)?materialized\s*)?\(",
    r"pragma\s+\w+\s*(=|\(|;|$)|vacuum\s*(into\b|;|$)|attach\s+(database\b|['\"?:])|values\s*\(",
    r"begin\s*(;|immediate\b|exclusive\b|deferred\b|transaction\b)|(commit|rollback)\s*(;|$|transaction\b)",
    r"explain\s+(query\s+plan\s+)?(select|insert|update|delete|replace|with)\b",
)
"""The same in small letters, where English begins with the same words: with what follows in a statement alone."""
SQL = re.compile(rf"(\s|--[^\n]*\n|\()*(({CAPITALS})\b|(?i:{'|'.join(SMALL)}))", re.DOTALL)
SQL_OF_META = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE(\s+OR\s+\w+)?|TABLE(\s+IF(\s+NOT)?\s+EXISTS)?|FROM\s[^();]*,)"
    r"""\s*(\b|["'`\[])(\w+["'`\]]?\s*\.\s*["'`\[]?)?meta\b""",
    re.IGNORECASE,
)
META = "fanwise.journal.meta"
KEYS = {
    target.id
    for node in ast.parse((SRC / "fanwise/journal/meta.py").read_text()).body
    for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
    if isinstance(target, ast.Name) and "MetaKey" in ast.unparse(node)
}
"""Names of the keys of `meta`."""
KEEPERS = {"journal", "engine", "dispatch", "job", "ledger"}
"""Parts that may have a module which reads a key, or keeps a value under it; a journal sees by them what counts."""


@cache
def nodes(source: str) -> tuple[ast.AST, ...]:
    """Every node of a source; of all but the planted ones once for all tests."""
    return tuple(ast.walk(ast.parse(source)))


def imports(source: str, module: str, files: Collection[str]) -> frozenset[str]:
    """Every module, or name of one, that a source imports, in `TYPE_CHECKING` blocks and function bodies too."""
    is_package = any(name.startswith(f"{module}.") for name in files)
    return imports_of(source, tuple(module.split(".") if is_package else module.split(".")[:-1]))


@cache
def imports_of(source: str, package: tuple[str, ...]) -> frozenset[str]:
    """The same, where the package is known."""
    names: set[str] = set()
    loaders = {"import_module", "__import__"}
    for node in nodes(source):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            names |= {f"{name}.{alias.name}" for alias in node.names}
            loaders |= {alias.asname for alias in node.names if alias.name in loaders and alias.asname}
    return frozenset(names | {loaded(node, package) for node in nodes(source) if called(node) in loaders})


def called(node: ast.AST) -> str:
    """The last part of the name of what is called; empty where nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def loaded(node: ast.AST, package: tuple[str, ...]) -> str:
    """The module that a call loads by its name, as far as that is written out."""
    assert isinstance(node, ast.Call)
    words = [text for argument in node.args[:2] for text in [written(argument)] if text is not None]
    name = words[0] if words else ""
    dots = len(name) - len(name.lstrip("."))
    base = words[1].split(".") if len(words) > 1 else [*package]
    return ".".join([*base[: len(base) - dots + 1], name.lstrip(".")] if dots else [name]).rstrip(".")


def written(node: ast.AST) -> str | None:
    """The text of an expression: sums of texts are one, and what is filled in later is `{}`; None where it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(written(value) or "{}" for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = written(node.left), written(node.right)
        return None if left is None and right is None else f"{left or '{}'}{right or '{}'}"
    return None


@cache
def texts(source: str) -> tuple[tuple[int, str], ...]:
    """Every text of a source with its line, as the parts of it and as a whole."""
    lines = ((getattr(node, "lineno", 0), written(node)) for node in nodes(source))
    return tuple((line, text) for line, text in lines if text)


def reads_meta(module: str, source: str, files: Collection[str]) -> list[str]:
    """What a source does with the table `meta`, which `journal.meta` alone knows, as do the stores that hold it."""
    wrong: list[str] = []
    if module != META:
        wrong += makes_keys(module, source, files)
    if module not in ("fanwise.job.manifest", META):
        wrong += reads_manifest(module, source, files)
    if part(module) in ("journal", "emulator"):  # the stores themselves; the emulator's has a table of that name
        return wrong
    for node in nodes(source):
        if isinstance(node, ast.Attribute) and node.attr in ("meta", "set_meta"):
            wrong.append(f"{module}:{node.lineno} asks for a key of `meta` itself")
    wrong += [
        f"{module}:{line} reads the table `meta` itself" for line, text in texts(source) if SQL_OF_META.search(text)
    ]
    return wrong


def reads_manifest(module: str, source: str, files: Collection[str]) -> list[str]:
    """How a source comes at what a run is: by its key, or by all of the module in which that stands."""
    wrong = [
        f"{module} imports {name}: keys are imported from `journal.meta` one by one, and what a run is by none"
        for name in sorted(imports(source, module, files))
        if name in (META, f"{META}.*", "fanwise.journal.*") or name.rpartition(".")[2] == "MANIFEST"
    ]
    lines = [
        getattr(node, "lineno", 0)
        for node in nodes(source)
        if "MANIFEST" in (getattr(node, "attr", None), getattr(node, "value", None))
    ]
    wrong += [f"{module}:{line} reads what a run is, which `job.manifest` alone knows" for line in lines]
    return wrong


def makes_keys(module: str, source: str, files: Collection[str]) -> list[str]:
    """How a source makes a key of `meta` of its own, or comes by the class of keys."""
    wrong = [
        f"{module} imports {name}: keys are made in `journal.meta`"
        for name in sorted(imports(source, module, files))
        if name.rpartition(".")[2] == "MetaKey"
    ]
    return wrong + [
        f"{module}:{getattr(node, 'lineno', 0)} makes a key of its own, or a copy of one"
        for node in nodes(source)
        if "MetaKey" in (getattr(node, "attr", None), getattr(node, "value", None), getattr(node, "id", None))
        or (called(node) in ("type", "replace") and is_key(node))
    ]


def is_key(node: ast.AST) -> bool:
    """Return whether the first argument of a call is named as keys of `meta` are."""
    assert isinstance(node, ast.Call)
    return bool(node.args) and isinstance(node.args[0], ast.Name) and node.args[0].id in KEYS


def readers(files: dict[str, str]) -> dict[tuple[str, str], list[str]]:
    """Return by key of `meta` and part the modules that import the key."""
    modules: dict[tuple[str, str], list[str]] = {}
    for module, source in files.items():
        for name in imports(source, module, files):
            key = name.removeprefix(f"{META}.")
            if key in KEYS and module != META:
                modules.setdefault((key, part(module)), []).append(module)
    return modules


def speaks_sql(module: str, source: str, files: Collection[str]) -> list[str]:
    """What a source has of SQL: the library, a statement, or a call that carries one out."""
    if part(module) in SQL_PARTS:
        return []
    wrong = [f"{module} imports {name}" for name in imports(source, module, files) if name.split(".")[0] == "sqlite3"]
    wrong += [f"{module}:{line} has a statement: {text[:40]!r}" for line, text in texts(source) if SQL.match(text)]
    for node in nodes(source):
        if isinstance(node, ast.Attribute) and node.attr in ("execute", "executemany", "executescript"):
            wrong.append(f"{module}:{node.lineno} carries out a statement")
    return wrong


WIRED = {"api", "journal", "engine", "job", "studies", "cli"}
"""Parts whose objects have what they work with when they are made; elsewhere some are states that a module keeps."""


def sets_late(module: str, source: str) -> list[str]:
    """What a source sets on an object that another has made."""
    if part(module) not in WIRED:
        return []
    counted = {
        (node.target.lineno, node.target.col_offset) for node in nodes(source) if isinstance(node, ast.AugAssign)
    }
    return [
        f"{module}:{node.lineno} sets {ast.unparse(node)}"
        for node in nodes(source)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) != "self"
        if (node.lineno, node.col_offset) not in counted
    ]


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


@pytest.fixture(scope="module")
def files() -> Iterator[dict[str, str]]:
    sources: dict[str, str] = {}
    for path in sorted((SRC / "fanwise").rglob("*.py")):
        names = path.relative_to(SRC).with_suffix("").parts
        sources[".".join(names[:-1] if names[-1] == "__init__" and len(names) > 1 else names)] = path.read_text()
    yield sources
    for kept in (nodes, imports_of, texts):
        kept.cache_clear()  # half a million nodes, which every collection of garbage would go over


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
        ("fanwise.ledger.summary", "from fanwise.studies import *"),
        ("fanwise.pricing.cost", "import importlib\nimportlib.import_module('fanwise.engine.run')"),
        ("fanwise.pricing.cost", "from importlib import import_module as load\nload(f'fanwise.engine.{1}')"),
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
        ("fanwise.cli.history", "from fanwise.journal import meta"),
        (
            "fanwise.cli.history",
            "def f(db):\n    from fanwise.journal import meta as keys\n    return keys.NOTES.of(db)",
        ),
        ("fanwise.cli.history", "import fanwise.journal.meta"),
        ("fanwise.cli.history", "import fanwise.journal.meta as keys\nkeys.MANIFEST"),
        ("fanwise.cli.history", "from fanwise.journal.meta import *"),
        ("fanwise.cli.history", "from fanwise.journal import *"),
        ("fanwise.cli.history", "import fanwise.journal as store\nstore.meta.MANIFEST"),
        ("fanwise.cli.history", "import importlib\nimportlib.import_module('fanwise.journal.meta')"),
        ("fanwise.cli.history", "from importlib import import_module\nimport_module('.meta', 'fanwise.journal')"),
        ("fanwise.cli.history", "__import__('fanwise.journal.meta')"),
        ("fanwise.cli.history", "from fanwise.job.manifest import MANIFEST"),
        ("fanwise.cli.history", "import fanwise.job.manifest as manifest\nmanifest.MANIFEST"),
        ("fanwise.cli.history", "def f(module):\n    return getattr(module, 'MANIFEST')"),
        ("fanwise.journal.copy", "from . import meta"),
        ("fanwise.journal.copy", "from .meta import MANIFEST as key"),
        ("fanwise.cli.history", "from fanwise.journal.meta import MetaKey\nKEY = MetaKey('manifest', dict)"),
        ("fanwise.cli.history", "from fanwise.journal.meta import MetaKey as Key\nKEY = Key('manifest', dict)"),
        ("fanwise.job.manifest", "from fanwise.journal.meta import MetaKey"),
        ("fanwise.journal.copy", "from .meta import NOTES, MetaKey"),
        ("fanwise.cli.history", "import fanwise.job.manifest as m\nKEY = m.MetaKey('manifest', dict)"),
        ("fanwise.cli.history", "def f(module):\n    return getattr(module, 'MetaKey')"),
        ("fanwise.ledger.slices", "KEY = type(SLICES)('manifest', dict)"),
        ("fanwise.ledger.slices", "import dataclasses\nKEY = dataclasses.replace(SLICES, name='manifest')"),
        ("fanwise.ledger.summary", """QUERY = 'SELECT value FROM "meta"'"""),
        ("fanwise.ledger.summary", "QUERY = 'select value from [meta] where key=?'"),
        ("fanwise.ledger.summary", "QUERY = 'SELECT value FROM `meta`'"),
        ("fanwise.ledger.summary", """QUERY = 'SELECT value FROM main."meta"'"""),
        ("fanwise.ledger.summary", "QUERY = 'SELECT value FROM rows, meta'"),
        ("fanwise.ledger.summary", "QUERY = 'SELECT value FROM rows r JOIN\\n  meta m'"),
        ("fanwise.ledger.summary", "QUERY = 'UPDATE OR IGNORE meta SET value=1'"),
        ("fanwise.ledger.summary", "QUERY = 'DROP TABLE IF EXISTS meta'"),
        ("fanwise.ledger.summary", "QUERY = 'SELECT value FROM ' + 'meta'"),
    ],
)
def test_a_planted_second_reader_of_meta_is_noticed(files: dict[str, str], module: str, line: str) -> None:
    assert reads_meta(module, f"{files[module]}\n{line}\n", files) != []


def test_every_key_of_meta_has_one_keeper_in_a_part(files: dict[str, str]) -> None:
    modules = readers(files)
    assert {key for key, _ in modules} == KEYS, "no key is left over"
    assert {where: names for where, names in modules.items() if len(names) > 1 or where[1] not in KEEPERS} == {}


@pytest.mark.parametrize("module", ["fanwise.rendering.files", "fanwise.studies.show", "fanwise.ledger.status"])
def test_a_planted_second_keeper_of_a_key_is_noticed(files: dict[str, str], module: str) -> None:
    planted = {**files, module: f"{files[module]}\nfrom fanwise.journal.meta import OFFLINE\n"}
    assert readers(planted) != readers(files)
    with pytest.raises(AssertionError):
        test_every_key_of_meta_has_one_keeper_in_a_part(planted)


def test_nothing_is_set_on_an_object_that_another_has_made(files: dict[str, str]) -> None:
    assert [problem for module, source in files.items() for problem in sets_late(module, source)] == []


@pytest.mark.parametrize(
    "line",
    ["api.offline = True", "self.journal.observer = observer", "first, journal.watch = watch", "watcher.rows: int = 3"],
)
def test_a_planted_late_setting_is_noticed(files: dict[str, str], line: str) -> None:
    module = "fanwise.job.work"
    assert (
        sets_late(module, f"{files[module]}\ndef f(self, api, journal, watcher, observer, watch):\n    {line}\n") != []
    )


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
        *(
            ("fanwise.rendering.files", f"QUERY = {query!r}")
            for query in (
                "select number from rows",
                "Select\n  number\nFrom rows",
                "select 1",
                "  insert into rows values (1)",
                "insert or replace into rows(number) values (1)",
                "update rows set number=1",
                "delete from rows",
                "replace into rows values (1)",
                "create table t(x)",
                "create unique index i on t(x)",
                "create temp view v as select 1",
                "drop table rows",
                "alter table rows add column x",
                "with a as (select 1) select * from a",
                "with recursive a(x) as (select 1) select * from a",
                "pragma cache_size=1",
                "pragma table_info(rows)",
                "vacuum",
                "attach 'other.db' as other",
                "begin immediate",
                "commit;",
                "rollback",
                "explain query plan select 1 from rows",
                "-- all of them\nselect number from rows",
                "values (1), (2)",
                "(SELECT 1)",
            )
        ),
        ("fanwise.rendering.files", "def f(name):\n    return f'select {name} from rows'"),
        ("fanwise.rendering.files", "QUERY = 'select number' + ' from rows'"),
        ("fanwise.job.sizes", "__import__('sqlite3')"),
    ],
)
def test_planted_sql_is_noticed(files: dict[str, str], module: str, line: str) -> None:
    assert speaks_sql(module, f"{files[module]}\n{line}\n", files) != []


@pytest.mark.parametrize(
    "words",
    [
        "select the rows that are to be sent",
        "Select one of them from the list",
        "update the pinned version, then set the key",
        "Delete the folder",
        "create a folder of your own",
        "drop what is not used",
        "replace the key into which it goes",
        "with a key of its own, as said above",
        "begin",
        "begin again with another --out",
        "Commit hash of the source",
        "values that a field may have",
        "explain what is wrong",
    ],
)
def test_english_is_no_sql(files: dict[str, str], words: str) -> None:
    assert speaks_sql("fanwise.cli.status", f"{files['fanwise.cli.status']}\nWORDS = {words!r}\n", files) == []


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
        for node in nodes(source):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


# What is on one kind of system alone ---------------------------------------------------------------

POSIX_ONLY = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NOT_ON_WINDOWS = {
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXFSZ"},
    "os": {"O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "fork", "geteuid", "getuid", "mkfifo"},
    "time": {"tzset"},
}


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything of a module that runs while it is imported: all but the bodies of functions."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from at_import(child)


def posix_at_import(module: str, source: str) -> Iterator[str]:
    for node in at_import(nodes(source)[0]):
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        named += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        yield from (f"{module}:{node.lineno} imports {name}" for name in named if name in POSIX_ONLY)
        owner = node.value.id if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) else ""
        if isinstance(node, ast.Attribute) and node.attr in NOT_ON_WINDOWS.get(owner, ()):
            yield f"{module}:{node.lineno} uses {owner}.{node.attr}"


def test_no_module_needs_a_posix_system_to_be_imported(files: dict[str, str]) -> None:
    """Found: `fcntl`, so that on Windows not even `fanwise --help` could be called."""
    assert [problem for module, source in files.items() for problem in posix_at_import(module, source)] == []


@pytest.mark.parametrize(
    "planted",
    [
        "import fcntl", "from pwd import getpwuid", "try:\n    import resource\nexcept ImportError:\n    pass",
        "import signal\nHANGUP = signal.SIGHUP", "class A:\n    import os\n    flag = os.O_NOFOLLOW",
    ],
)  # fmt: skip
def test_a_planted_need_of_a_posix_system_is_noticed(planted: str) -> None:
    assert len(list(posix_at_import("fanwise.planted", planted))) == 1
    assert not list(posix_at_import("fanwise.planted", "def late():\n    " + planted.replace("\n", "\n    ")))
