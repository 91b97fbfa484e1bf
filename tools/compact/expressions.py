"""Inlines functions that are one expression: `order.is_due()` is replaced by what it returns.

A function costs 65 bytes of heap and its call 700 to 1,500 instructions on a Cortex-M3; the expression costs its code
at each place.

Rules
1. A function or method goes in if it only returns an expression without a function of its own (lambda, comprehension),
   if nothing else in the program has its name, and if the name is only ever called.
2. Each argument is a constant, a local or a chain of attributes, and the same whenever it is evaluated: the
   expression calls nothing before it is done (a call around all of it is the last thing it does), or no attribute of
   the chain is stored outside `__init__`.
3. A name of the module that the expression uses must mean the same in the caller: the same module, no such local.
4. It goes in everywhere or nowhere, and only if its code at all these places is not `dearer` by more bytes than
   allowed: FUNCTION_OCTETS where code is in the heap. The frame of a caller may not grow above `frame_words` (inline.py
   says why).
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from dataclasses import dataclass

from tools.compact.frame import FRAME_MOST, frame_words_of
from tools.compact.lines import parse, unparse
from tools.compact.prune import strings_in
from tools.compact.scopes import COMPREHENSIONS, MODULE, scopes
from tools.compact.walk import bound_by, walk

FUNCTION_OCTETS = 65  # object, head, entry of a dict
_BUILTIN_OCTETS, _ATTRIBUTE_OCTETS, _GLOBAL_OCTETS, _CONSTANT_OCTETS = 3, 3, 3, 2
_APART = (ast.Lambda, *COMPREHENSIONS, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Await, ast.Starred)


@dataclass
class _Function:
    """One that may go in."""

    node: ast.FunctionDef
    module: str
    is_method: bool
    value: ast.expr


@dataclass
class _Use:
    """One place that calls it."""

    module: str
    caller: ast.FunctionDef
    parent: ast.AST
    field: str
    index: int  # in the parent's list, -1 if it is not a list
    call: ast.Call


def put_in_expressions(
    sources: dict[str, str],
    keep: frozenset[str] = frozenset(),
    frame_words: int = FRAME_MOST,
    dearer: int = FUNCTION_OCTETS,
) -> dict[str, str]:
    """Return the program with fewer functions; those named in `keep` stay."""
    trees = {name: parse(text) for name, text in sources.items()}
    refused = set(keep) | strings_in(trees.values()) | _imported(trees)
    facts = {name: _Facts(name, tree) for name, tree in trees.items()}
    changed = set(facts)
    while changed:
        changed = _put_in_round(trees, list(facts.values()), refused, frame_words, dearer)
        for name in changed:
            facts[name] = _Facts(name, trees[name])
    return {name: unparse(tree) for name, tree in trees.items()}


def _put_in_round(
    trees: dict[str, ast.Module], facts: list[_Facts], refused: set[str], frame_words: int, dearer: int
) -> set[str]:
    """Put functions in as long as none touches what another has changed; return the changed modules, to be read again.

    A function that has had its chance is refused from then on.
    """
    stored: set[str] = set().union(*(one.stored for one in facts))
    candidates = _candidates(facts, refused)
    changed: set[str] = set()
    touched: set[int] = set()  # functions that differ from their module's facts
    moved: set[str] = set()  # what they call now
    for name, uses in _uses_of(facts, candidates).items():
        function = candidates[name]
        if name in moved or id(function.node) in touched or any(id(use.caller) in touched for use in uses):
            continue
        refused.add(name)
        if _put_in(function, uses, stored, frame_words, dearer):
            _take_out(trees[function.module], function.node)
            changed |= {function.module, *(use.module for use in uses)}
            touched |= {id(use.caller) for use in uses}
            moved |= {_called(node) for node in walk(function.value) if isinstance(node, ast.Call)}
    return changed


def _imported(trees: dict[str, ast.Module]) -> set[str]:
    return {
        alias.name
        for tree in trees.values()
        for node in walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


# -- what a module says --------------------------------------------------------------------------------------------


class _Facts:
    """What one module binds, stores, names and calls, as it is now; marks its scopes."""

    def __init__(self, module: str, tree: ast.Module):
        scopes(tree)
        nodes = walk(tree)
        self.bindings = _bindings(nodes)
        self.stored = _stored_later(nodes)
        self.named = Counter(
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in nodes
            if isinstance(node, (ast.Attribute, ast.Name))
        )
        self.uses: dict[str, list[_Use]] = {}
        for caller in [node for node in nodes if isinstance(node, ast.FunctionDef)]:
            for parent, field, index, call in _calls(caller):
                self.uses.setdefault(_called(call), []).append(_Use(module, caller, parent, field, index, call))
        self.functions = _functions(module, tree) if module.startswith("agent") else []


def _bindings(nodes: list[ast.AST]) -> Counter[str]:
    """Return how often a name is bound: to functions, classes, arguments, variables, attributes."""
    counts = Counter(map(bound_by, nodes))
    counts.update(node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load))
    return counts


def _stored_later(nodes: list[ast.AST]) -> set[str]:
    """Return the attributes that change after their object was made."""
    beginnings = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    within = {id(node) for one in beginnings for node in walk(one)}
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and id(node) not in within
    }


def _calls(function: ast.FunctionDef) -> list[tuple[ast.AST, str, int, ast.Call]]:
    """Return every call in a function's own scope, with its place."""
    found = []
    todo: list[ast.AST] = list(function.body)
    while todo:
        parent = todo.pop()
        if isinstance(parent, (*_APART, ast.FunctionDef, ast.ClassDef)):
            continue
        for field, value in ast.iter_fields(parent):
            for index, node in enumerate(value) if isinstance(value, list) else [(-1, value)]:
                if isinstance(node, ast.AST):
                    todo.append(node)
                    if isinstance(node, ast.Call):
                        found.append((parent, field, index, node))
    return found


def _functions(module: str, tree: ast.Module) -> list[_Function]:
    """Return the functions and methods that only return an expression."""
    found = []
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        for node in owner.body:
            value = _value_of(node) if isinstance(node, ast.FunctionDef) else None
            if value is not None:
                found.append(_Function(node, module, owner is not tree, value))
    return found


# -- who may go in -------------------------------------------------------------------------------------------------


def _candidates(facts: list[_Facts], refused: set[str]) -> dict[str, _Function]:
    counts = sum((one.bindings for one in facts), Counter())
    return {
        function.node.name: function
        for one in facts
        for function in one.functions
        if function.node.name not in refused and counts[function.node.name] == 1
    }


def _value_of(node: ast.FunctionDef) -> ast.expr | None:
    args = node.args
    if node.decorator_list or node.name.startswith("__") or args.vararg or args.kwarg or args.kwonlyargs:
        return None
    if len(node.body) != 1 or not isinstance(node.body[0], ast.Return) or node.body[0].value is None:
        return None
    value = node.body[0].value
    return None if any(isinstance(one, _APART) for one in walk(value)) else value


# -- where it is called --------------------------------------------------------------------------------------------


def _uses_of(facts: list[_Facts], candidates: dict[str, _Function]) -> dict[str, list[_Use]]:
    """Return the places of each candidate that is called wherever it is named; those with the fewest first."""
    found: dict[str, list[_Use]] = {}
    for name, function in candidates.items():
        uses = [use for one in facts for use in one.uses.get(name, ()) if _fits(function, use)]
        if uses and len(uses) == sum(one.named[name] for one in facts):
            found[name] = uses
    return dict(sorted(found.items(), key=lambda item: (len(item[1]), item[0])))


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _fits(function: _Function, use: _Use) -> bool:
    """True if this is a call of it, from where its names mean the same."""
    if use.caller is function.node or function.is_method != isinstance(use.call.func, ast.Attribute):
        return False
    own = {node.arg for node in function.node.args.args}
    wanted = {node.id for node in walk(function.value) if isinstance(node, ast.Name)} - own
    has_globals = any(
        isinstance(node, ast.Name) and node.home is not None and node.home.kind == MODULE  # type: ignore[attr-defined]
        for node in walk(function.value)
    )
    if not function.is_method or has_globals:
        if use.module != function.module:
            return False
    return not wanted & use.caller.inner.names  # type: ignore[attr-defined]


# -- putting it in -------------------------------------------------------------------------------------------------


def _put_in(function: _Function, uses: list[_Use], stored: set[str], frame_words: int, dearer: int) -> bool:
    """Replace every call; False, and nothing changed, if one cannot be replaced or all together cost too much."""
    new: list[ast.expr] = []
    cost = 0
    for use in uses:
        value = _with_arguments(function, use.call, stored)
        if value is None:
            return False
        cost += _octets(value) - _octets(use.call)
        new.append(value)
    if cost >= dearer:
        return False
    before = [frame_words_of(use.caller) for use in uses]
    for use, value in zip(uses, new, strict=True):
        _set(use, value)
    for use, words in zip(uses, before, strict=True):
        if frame_words_of(use.caller) > (frame_words if words <= frame_words else max(FRAME_MOST, words)):
            for one in uses:
                _set(one, one.call)
            return False
    return True


def _set(use: _Use, value: ast.expr) -> None:
    if use.index < 0:
        setattr(use.parent, use.field, value)
    else:
        getattr(use.parent, use.field)[use.index] = value


def _with_arguments(function: _Function, call: ast.Call, stored: set[str]) -> ast.expr | None:
    """Return what the call evaluates to, its arguments in their places."""
    values = _arguments(function, call)
    if values is None:
        return None
    calls = [node for node in walk(function.value) if isinstance(node, ast.Call)]
    ends_with_call = not calls or calls == [function.value]
    for value in values.values():
        if not _is_chain(value) or not (ends_with_call or _is_settled(value, stored)):
            return None

    class Filler(ast.NodeTransformer):
        def visit_Name(self, node):
            return copy.deepcopy(values[node.id]) if node.id in values else node

    return Filler().visit(copy.deepcopy(function.value))


def _arguments(function: _Function, call: ast.Call) -> dict[str, ast.expr] | None:
    names = [one.arg for one in function.node.args.args]
    given = list(call.args)
    if function.is_method:
        assert isinstance(call.func, ast.Attribute)
        given.insert(0, call.func.value)
    if len(given) > len(names):
        return None
    found = dict(zip(names, given, strict=False))
    for one in call.keywords:
        if one.arg is None or one.arg in found:
            return None
        found[one.arg] = one.value
    defaults = function.node.args.defaults
    for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
        if name not in found:
            found[name] = default
    return found if len(found) == len(names) else None


def _is_chain(node: ast.expr) -> bool:
    """True for a constant, a name, or attributes of a name: evaluating it has no effect, however often."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, (ast.Constant, ast.Name)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    )


def _is_settled(node: ast.expr, stored: set[str]) -> bool:
    while isinstance(node, ast.Attribute):
        if node.attr in stored:
            return False
        node = node.value
    return True


def _take_out(tree: ast.Module, function: ast.FunctionDef) -> None:
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        if function in owner.body:
            owner.body.remove(function)
            if not owner.body:
                owner.body.append(ast.Pass())


def _octets(node: ast.expr) -> int:
    """Return the approximate size of an expression's bytecode."""
    total = 0
    for one in walk(node):
        if isinstance(one, ast.Name):
            home = getattr(one, "home", None)
            total += 1 if home is not None and home.kind != MODULE else _GLOBAL_OCTETS
        elif isinstance(one, ast.Attribute):
            total += _ATTRIBUTE_OCTETS
        elif isinstance(one, ast.Constant):
            small = isinstance(one.value, int) and -16 <= one.value < 48
            total += 1 if small or one.value is None else _CONSTANT_OCTETS
        elif isinstance(one, ast.Call):
            total += 2
        elif isinstance(one, ast.BoolOp):
            total += 3 * (len(one.values) - 1)
        elif isinstance(one, ast.IfExp):
            total += 6
        elif isinstance(one, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript)):
            total += 1
    return total
