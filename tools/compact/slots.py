"""Finds which locals of a function can share a place: two that are never needed at the same time.

MicroPython gives each local a word of the frame for the whole call, and a frame of more than eleven words is taken from
the heap, at each call again.

Rules
1. A local is needed from the first place that names it to the last, in the order of the text; all of a loop around such
   a place counts, unless the local begins again in each turn (all its places are in the loop, the first one stores, and
   no turn skips that one).
2. Arguments come first, in their order; a local that is no longer needed makes room for later ones.
3. Where the order of the text is not the order of execution (a function inside, a comprehension) nothing is shared.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from tools.compact.walk import walk

_APART = (ast.FunctionDef, ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.DictComp, ast.SetComp)
Chain = tuple[tuple[int, int], ...]


@dataclass
class _Life:
    """The places of one local: when, in which lists of statements, and whether the first one stores."""

    stores_first: bool
    places: list[tuple[int, Chain]] = field(default_factory=list)


@dataclass
class _Loop:
    level: int
    begin: tuple[int, int]
    start: int
    end: int


def is_simple(function: ast.FunctionDef) -> bool:
    """True if the function has no other one inside, and no import of a dotted name."""
    inside = [node for node in walk(function) if node is not function]
    return not any(isinstance(node, (*_APART, ast.Import)) for node in inside)


def arguments_of(function: ast.FunctionDef) -> list[str]:
    """Return the names of a function's arguments, `*rest` and `**named` last."""
    args = function.args
    last = [one for one in (args.vararg, args.kwarg) if one]
    return [one.arg for one in args.posonlyargs + args.args + args.kwonlyargs + last]


def slots(function: ast.FunctionDef, names: set[str]) -> dict[str, int]:
    """Return a number for each local in `names`, arguments included; the same number if they can share a place."""
    walker = _Walk(names)
    arguments = arguments_of(function)
    for argument in arguments:
        walker.place(argument, (), True)
    walker.statements(function.body, ())
    spans = {name: walker.span(life) for name, life in walker.lives.items()}
    busy = [spans[argument][1] for argument in arguments]
    found = {argument: index for index, argument in enumerate(arguments)}
    for name in sorted(set(spans) - set(arguments), key=lambda name: (spans[name][0], name)):
        start, end = spans[name]
        slot = next((index for index, until in enumerate(busy) if until < start), len(busy))
        busy[slot : slot + 1] = [end]
        found[name] = slot
    return found


class _Walk:
    """Numbers the places of a function in the order they are reached."""

    def __init__(self, names: set[str]):
        self.names = names
        self.now = 0
        self.lives: dict[str, _Life] = {}
        self.loops: list[_Loop] = []

    def place(self, name: str, chain: Chain, stores: bool) -> None:
        self.lives.setdefault(name, _Life(stores)).places.append((self.now, chain))

    def expression(self, node: ast.AST | None, chain: Chain) -> None:
        if node is None:
            return
        self.now += 1
        for part in walk(node):
            if isinstance(part, ast.Name) and part.id in self.names:
                self.place(part.id, chain, isinstance(part.ctx, ast.Store))

    def statements(self, statements: list[ast.stmt], chain: Chain) -> None:
        for index, statement in enumerate(statements):
            self.statement(statement, (*chain, (id(statements), index)))

    def statement(self, node: ast.stmt, chain: Chain) -> None:
        if isinstance(node, ast.Assign):
            for part in (node.value, *node.targets):
                self.expression(part, chain)
        elif isinstance(node, ast.AugAssign):
            for part in (ast.Expr(node.target), node.value, node.target):
                self.expression(part, chain)
        elif isinstance(node, (ast.For, ast.While)):
            self.loop(node, chain)
        elif isinstance(node, ast.If):
            self.expression(node.test, chain)
            self.statements(node.body, chain)
            self.statements(node.orelse, chain)
        elif isinstance(node, ast.Try):
            self.statements(node.body, chain)
            for handler in node.handlers:
                self.expression(handler.type, chain)
                if handler.name:
                    self.place(handler.name, chain, True)
                self.statements(handler.body, chain)
            self.statements(node.orelse, chain)
            self.statements(node.finalbody, chain)
        elif isinstance(node, ast.With):
            for item in node.items:
                self.expression(item.context_expr, chain)
                self.expression(item.optional_vars, chain)
            self.statements(node.body, chain)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self.now += 1
            for alias in node.names:
                self.place(alias.asname or alias.name.split(".")[0], chain, True)
        else:
            self.expression(node, chain)

    def loop(self, node: ast.For | ast.While, chain: Chain) -> None:
        if isinstance(node, ast.For):
            self.expression(node.iter, chain)
        start = self.now + 1
        self.expression(node.target if isinstance(node, ast.For) else node.test, chain)
        self.statements(node.body, chain)
        self.now += 1
        self.loops.append(_Loop(len(chain) - 1, chain[-1], start, self.now))
        self.statements(node.orelse, chain)

    def span(self, life: _Life) -> tuple[int, int]:
        """Return from when to when a local is needed."""
        start, end = life.places[0][0], life.places[-1][0]
        chains = [chain for _, chain in life.places]
        common = 0  # how many lists of statements all places share around them
        while all(len(chain) > common for chain in chains) and len({chain[common][0] for chain in chains}) == 1:
            common += 1
        for loop in self.loops:
            inside = [at for at, chain in life.places if loop.start <= at <= loop.end and loop.begin in chain]
            begins_again = loop.level < common - 1 and life.stores_first and len(chains[0]) == common
            if inside and not begins_again:
                start, end = min(start, loop.start), max(end, loop.end)
        return start, end
