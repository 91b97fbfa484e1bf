"""Keeps the place in the sources of each statement.

The steps of the compactor pass texts to each other. `parse` and `unparse` carry each statement's origin from one text
to the next; a statement made by a step has the origin of the one before it, or of the one it was made from
(`placed_at`).
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Callable, Iterator

Origin = tuple[str, str, int]  # module, function, line of the sources


class Text(str):
    """A module's text with the origin of each of its statements, in order."""

    origins: tuple[Origin | None, ...] = ()


def numbered(module: str, text: str) -> Text:
    """Return a module of the sources, each statement with its own line."""
    found: list[Origin | None] = []

    def take(node: ast.AST, function: str) -> None:
        for one in _inner(node):
            within = function
            if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
                within = f"{function}.{one.name}".lstrip(".")
            if isinstance(one, ast.stmt):
                found.append((module, within, one.lineno))
            take(one, within)

    take(ast.parse(text), "")
    return _with(text, found)


def parse(text: str) -> ast.Module:
    """Return the tree of a text; its statements have the text's origins."""
    tree = ast.parse(text)
    origins = getattr(text, "origins", ())
    if origins:
        for node, origin in zip(_statements(tree), origins, strict=True):
            node.origin = origin  # type: ignore[attr-defined]
    return tree


def unparse(tree: ast.Module) -> Text:
    """Return the text of a tree, with the origins of its statements."""
    found, last = [], None
    for node in _statements(tree):
        last = getattr(node, "origin", None) or last
        found.append(last)
    return _with(ast.unparse(tree) + "\n" if tree.body else "", found)


def same_statements(text: str, changed: str) -> Text:
    """Return `changed`, which has the statements of `text` in another layout, with their origins."""
    return _with(changed, getattr(text, "origins", ()))


def behind(first: str, text: str) -> Text:
    """Return `text` after statements without an origin."""
    return _with(first + text, [None] * sum(1 for _ in _statements(ast.parse(first))) + [*getattr(text, "origins", ())])


def placed_at(old: ast.stmt | None, new: ast.stmt) -> ast.stmt:
    """Return a statement that a step made in place of another one."""
    if old is not None and hasattr(old, "origin"):
        new.origin = old.origin  # type: ignore[attr-defined]
    return new


def by_line(text: str) -> tuple[Callable[[int], Origin | None], Callable[[int], str]]:
    """Return two functions: the origin of a line of the text, and which function of the text it is in."""
    tree = parse(text)
    starts = sorted(
        {node.lineno: (getattr(node, "origin", None), name) for node, name in _named(tree, "<module>")}.items()
    )
    lines = [line for line, _ in starts]

    def at(line: int) -> tuple[Origin | None, str]:
        index = bisect_right(lines, line)
        return starts[index - 1][1] if index else (None, "<module>")

    return lambda line: at(line)[0], lambda line: at(line)[1]


def _with(text: str, origins) -> Text:
    same = Text(text)
    same.origins = tuple(origins)
    return same


def _named(node: ast.AST, name: str) -> Iterator[tuple[ast.stmt, str]]:
    for one in _inner(node):
        if isinstance(one, ast.stmt):
            yield one, name
        yield from _named(one, one.name if isinstance(one, (ast.FunctionDef, ast.ClassDef)) else name)


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    for field in ("body", "handlers", "orelse", "finalbody"):
        value = getattr(node, field, None)
        if isinstance(value, list):
            yield from value


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    for one in _inner(node):
        if isinstance(one, ast.stmt):
            yield one
        yield from _statements(one)
