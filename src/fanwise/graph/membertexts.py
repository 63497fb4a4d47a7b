"""What an enum says of its members: the text behind each in the source, or the docstring that a member was given."""

from __future__ import annotations

import ast
import enum
import inspect
import textwrap
from collections.abc import Mapping
from itertools import pairwise


def member_texts(kind: type[enum.Enum]) -> Mapping[str, str]:
    """Return by name what is said of members of an enum; nothing of one of which nothing is said."""
    behind = _behind(kind)
    texts = {name: vars(member).get("__doc__") or behind.get(name) for name, member in kind.__members__.items()}
    return {name: inspect.cleandoc(text) for name, text in texts.items() if isinstance(text, str)}


def _behind(kind: type[enum.Enum]) -> dict[str, str]:
    """Return the texts that stand behind members in the source; none where there is no source to read."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return {}
    statements = body.body if isinstance(body, ast.ClassDef) else []
    texts: dict[str, str] = {}
    for member, text in pairwise(statements):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            said = text.value.value
            texts |= {name.id: said for name in member.targets if isinstance(name, ast.Name) and isinstance(said, str)}
    return texts
