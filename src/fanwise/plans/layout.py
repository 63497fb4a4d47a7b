"""Source of syntax trees, with calls that are too long for a line broken after their arguments."""

from __future__ import annotations

import ast

MOST_CHARS = 100
"""Of a line, where it can be broken."""
_INDENT = "    "


def source_of(statement: ast.stmt) -> str:
    """Return the source of a statement, without an end of line."""
    ast.fix_missing_locations(statement)
    match statement:
        case ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str())), *_]):
            return ast.unparse(statement)  # a docstring, which stands as it is read
        case ast.FunctionDef(body=body):
            head = ast.unparse(_with_body(statement)).removesuffix("...").rstrip()
            return "\n".join([head, *(_INDENT + _statement(part, 1) for part in body)])
        case ast.Expr(value=ast.Constant(value=str(text))):
            return f'"""{text}"""'  # ours; a text of a plan stands nowhere alone
        case _:
            return _statement(statement, 0)


def _with_body(function: ast.FunctionDef) -> ast.stmt:
    """Return a function whose body is `...`."""
    parts: dict[str, object] = {field: getattr(function, field, None) for field in function._fields}
    parts["body"] = [ast.Expr(ast.Constant(...))]
    return ast.fix_missing_locations(ast.FunctionDef(**parts))  # pyright: ignore[reportArgumentType]


def _statement(statement: ast.stmt, depth: int) -> str:
    text = ast.unparse(statement)
    if isinstance(statement, ast.Assign) and len(text) + depth * len(_INDENT) > MOST_CHARS:
        return f"{ast.unparse(statement.targets[0])} = {_expression(statement.value, depth)}"
    return text


def _expression(value: ast.expr, depth: int) -> str:
    """Return an expression whose calls are broken; the first line is not indented."""
    text = ast.unparse(value)
    if len(text) + depth * len(_INDENT) <= MOST_CHARS:
        return text
    match value:
        case ast.Lambda(args=args, body=body):
            front = ast.unparse(ast.Lambda(args, ast.Constant(...))).removesuffix("...")
            return front + _expression(body, depth)
        case ast.Call(func=function, args=args, keywords=keywords) if args or keywords:
            parts = [_expression(arg, depth + 1) for arg in args]
            parts += [f"{word.arg}={_expression(word.value, depth + 1)}" for word in keywords]
            lines = [f"{_INDENT * (depth + 1)}{part}," for part in parts]
            return "\n".join([f"{ast.unparse(function)}(", *lines, f"{_INDENT * depth})"])
        case _:
            return text
