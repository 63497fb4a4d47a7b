"""Four reviewers look at a module, each at its own slice; a fifth agent writes the finding.

The bodies are stand-ins: they answer offline, by rules over exactly what the agent is shown.
"""

import ast
import re
import threading
from typing import Annotated

from pydantic import BaseModel

from fanwise import Block, Document, agent, graph, optional, step

GUIDE = Document.load("guide.md")
MOST_REMARKS = 12
PARSER = threading.Lock()
"""Steps run on threads, and CPython 3.11 now and then raises SystemError where two threads parse at once."""


class Module(BaseModel):
    id: str
    path: str
    source: Annotated[str, Block]


class Outline(BaseModel):
    signatures: list[str]
    documented: list[str]
    handlers: list[str]
    imports: list[str]


class Review(BaseModel):
    remarks: list[str]


class Finding(BaseModel):
    api: int
    docs: int
    errors: int
    safety: int
    remarks: list[str]
    first: str


@step
def outline(source: str) -> Outline:
    """Take from a module what the reviewers need of it."""
    with PARSER:
        tree = ast.parse(source)
    nodes = [*ast.walk(tree)]
    signatures, documented = [], []
    for node in _public(tree.body):
        doc = (ast.get_docstring(node) or "").strip().split("\n")[0]
        documented.append(f"{node.name}: {doc}".strip())
        if not isinstance(node, ast.ClassDef):
            signatures.append(f"{node.name}({ast.unparse(node.args)})")
    handlers = [
        f"line {node.lineno}: except {ast.unparse(node.type) if node.type else ''}: {ast.unparse(node.body[0])[:60]}"
        for node in nodes
        if isinstance(node, ast.ExceptHandler)
    ]
    imports = [
        f"line {node.lineno}: {ast.unparse(node)}" for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return Outline(signatures=signatures, documented=documented, handlers=sorted(handlers), imports=sorted(imports))


def _public(body):
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def _review(remarks):
    return Review(remarks=remarks if len(remarks) <= MOST_REMARKS else [*remarks[:MOST_REMARKS], "and more"])


@agent("agents/review_api.md", context=[GUIDE])
def review_api(signatures: list[str]) -> Review:
    wide = [line.split("(")[0] + ": more than six parameters" for line in signatures if line.count(",") > 5]
    mutable = [
        line.split("(")[0] + ": mutable default" for line in signatures if re.search(r"=(\[\]|\{\}|set\(\))", line)
    ]
    return _review(wide + mutable)


@agent("agents/review_docs.md", context=[GUIDE])
def review_docs(documented: list[str]) -> Review:
    return _review([f"{line.rstrip(':')}: no docstring" for line in documented if line.endswith(":")])


@agent("agents/review_errors.md", context=[GUIDE])
def review_errors(source: str, handlers: list[str]) -> Review:
    bare = [line.split(":")[0] + ": bare except" for line in handlers if ": except :" in line]
    silent = [
        line.split(":")[0] + ": error passed over" for line in handlers if line.endswith("except Exception: pass")
    ]
    return _review(bare + silent)


@agent("agents/review_safety.md", context=[GUIDE])
def review_safety(source: str, imports: list[str]) -> Review:
    risky = [
        line.split(":")[0] + ": " + line.split(": ", 1)[1]
        for line in imports
        if re.search(r"\b(pickle|marshal|ctypes|subprocess)\b|import \*", line)
    ]
    lines = [
        f"line {number}: eval or exec"
        for number, line in enumerate(source.split("\n"), 1)
        if re.match(r"[^#\"']*(?<![\w.])(eval|exec)\(", line)
    ]
    return _review(risky + lines)


@agent("agents/write_finding.md")
def write_finding(path: str, api: Review, docs: Review, errors: Review, safety: Review | None) -> Finding:
    parts = [safety.remarks if safety else [], errors.remarks, docs.remarks, api.remarks]
    remarks = [remark for part in parts for remark in part]
    first = f"Look first at {remarks[0]!r} in {path}." if remarks else f"Nothing to do in {path}."
    return Finding(
        api=len(api.remarks),
        docs=len(docs.remarks),
        errors=len(errors.remarks),
        safety=len(parts[0]),
        remarks=remarks,
        first=first,
    )


@graph
def review(module: Module) -> Finding:
    """Review one module of the standard library."""
    parts = outline(module.source)
    safety = optional(review_safety(module.source, parts.imports))
    errors = review_errors(module.source, parts.handlers)
    return write_finding(module.path, review_api(parts.signatures), review_docs(parts.documented), errors, safety)
