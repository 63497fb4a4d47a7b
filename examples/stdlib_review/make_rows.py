"""Write the modules of the running Python's standard library as rows, and their labels.

Labels are counted in the syntax tree: bare handlers, public names without a docstring.
Usage: python make_rows.py FOLDER [COUNT]
"""

import ast
import json
import sys
import sysconfig
from itertools import islice
from pathlib import Path

LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "site-packages",
    "__pycache__",
    "turtledemo",
    "ensurepip",
    "pydoc_data",
    "encodings",
    "config",
}
MOST_BYTES = 120_000  # a longer module is a table, or passes the price step of 100,000 tokens


def modules(library: Path):
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).parts
        if any(part in LEFT_OUT or part.startswith("config-") for part in parts) or path.stat().st_size > MOST_BYTES:
            continue
        source = path.read_text(encoding="utf-8", errors="replace")
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        if source.strip():
            yield "/".join(parts), source, tree


def label(tree: ast.Module) -> dict:
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    bare = sum(isinstance(node, ast.ExceptHandler) and node.type is None for node in ast.walk(tree))
    return {"bare_handlers": bare, "undocumented": sum(ast.get_docstring(node) is None for node in public)}


def main() -> None:
    folder, most = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (
        (folder / "modules.jsonl").open("w", encoding="utf-8") as rows,
        (folder / "labels.jsonl").open("w", encoding="utf-8") as labels,
    ):
        for name, source, tree in islice(modules(Path(sysconfig.get_path("stdlib"))), most):
            rows.write(json.dumps({"id": name, "path": name, "source": source}) + "\n")
            labels.write(json.dumps({"id": name, **label(tree)}) + "\n")
            count += 1
    print(f"{count} modules written to {folder / 'modules.jsonl'}", file=sys.stderr)


main()
