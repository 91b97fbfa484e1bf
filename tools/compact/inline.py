"""Inlines functions that are called from one place only: on a chip a function costs 65 bytes and a call.

Small functions are for the reader. Each has an object, a head, a place in a dict, and takes 700 to 1,500 instructions
to be called on a Cortex-M3.

Rules
1. A function goes in if its name is used once in the program, in a call in the same module, and nothing about it is
   out of the ordinary: no decorator, no function inside, no `yield`, `global` or `*args`.
2. The call is a statement, or what a statement evaluates first, so the order of evaluation does not change. An argument
   that is neither a constant nor a local is put into a local first. A call behind `and`, `or` or a condition is made
   the first: `if a and f():` becomes `if a:` and `if f():`.
3. `return` becomes the end of a branch, a break out of a loop whose `else` is what follows, or out of a loop of one
   turn. A function that returns out of two loops, or out of `try`, goes in only where the caller returns its answer at
   once.
4. The frame of the caller may not grow above `frame_words`: MicroPython takes a larger one from the heap at each call.
   One that is larger anyway may grow to FRAME_MOST.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.compact.frame import FRAME_MOST, FRAME_WORDS, frame_words_of
from tools.compact.lines import parse, placed_at, unparse
from tools.compact.prune import strings_in
from tools.compact.scopes import MODULE, scopes
from tools.compact.walk import walk


def inline(
    sources: dict[str, str], keep: frozenset[str] = frozenset(), frame_words: int = FRAME_WORDS
) -> dict[str, str]:
    """Return the program with fewer functions; those named in `keep` stay."""
    trees = {name: parse(text) for name, text in sources.items()}
    refused: set[str] = set(keep)
    uses = _uses(trees)
    for name, tree in trees.items():
        scopes(tree)
        while name.startswith("agent") and _inline_in(tree, uses, refused, frame_words):
            pass
    return {name: unparse(tree) for name, tree in trees.items()}


def bind_builtins(text: str) -> str:
    """Give a module short ways to the builtins its functions use: a miss in a full dict is slow."""
    tree = parse(text)
    scopes(tree)
    found: dict[str, list[ast.Name]] = {}
    for function in walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name != "__init__" and not function.decorator_list:
            for node in walk(function):
                if isinstance(node, ast.Name) and getattr(node, "home", 0) is None and hasattr(builtins, node.id):
                    if not isinstance(getattr(builtins, node.id), type) or not issubclass(
                        getattr(builtins, node.id), BaseException
                    ):
                        found.setdefault(node.id, []).append(node)
    taken = {node.id for node in walk(tree) if isinstance(node, ast.Name)}
    bound: list[ast.stmt] = []
    for name, nodes in sorted(found.items()):
        if name in NOT_BOUND or f"{name}__bound" in taken:
            continue
        bound.append(ast.Assign([ast.Name(f"{name}__bound", ast.Store())], ast.Name(name, ast.Load()), lineno=1))
        for node in nodes:
            node.id = f"{name}__bound"
    at = next((i for i, one in enumerate(tree.body) if not isinstance(one, (ast.Import, ast.ImportFrom))), 0)
    tree.body[at:at] = bound
    return unparse(tree)


def _uses(trees: dict[str, ast.Module]) -> Counter[str]:
    """Return how often each name is used, defined or looked up, in the whole program."""
    uses: Counter[str] = Counter()
    for tree in trees.values():
        for node in walk(tree):
            if isinstance(node, ast.Attribute):
                uses[node.attr] += 1
            elif isinstance(node, ast.Name):
                uses[node.id] += 1
            elif isinstance(node, ast.alias):
                uses[node.name] += 1
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.arg)):
                uses[node.name if not isinstance(node, ast.arg) else node.arg] += 1
    for text in strings_in(trees.values()):
        uses[text] += 2
    return uses


# The compiler makes a loop of `for index in range(...)` without an object, and knows it by its name.
NOT_BOUND = ("range", "globals", "getattr", "super")
Callers = dict[str, list[ast.FunctionDef]]  # the functions in which a name is used


@dataclass
class _Place:
    """Where a statement stands: its list, and the function around it."""

    function: ast.FunctionDef
    statements: list[ast.stmt]
    index: int
    call: ast.Call = field(repr=False)


def _inline_in(tree: ast.Module, uses: Counter[str], refused: set[str], frame_words: int) -> bool:
    """Inline every function of the module that can be, in one pass; True if there was one."""
    found = False
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    callers: Callers = {}
    for owner in owners:
        for function in owner.body:
            if isinstance(function, ast.FunctionDef):
                for name in {_names(node) for node in walk(function)}:
                    callers.setdefault(name, []).append(function)
    for owner in owners:
        for function in list(owner.body):
            if not isinstance(function, ast.FunctionDef) or function.name in refused or uses[function.name] != 2:
                continue
            if not _is_ordinary(function):
                refused.add(function.name)
                continue
            is_method = owner is not tree
            place = _find_call(callers, function, is_method)
            if place is None:
                place, old = _split_before(callers, function, is_method)
            else:
                old = []
            if place is None or not _put_in(place, function, is_method, frame_words):
                for statements, before in reversed(old):
                    statements[:] = before
                refused.add(function.name)
                continue
            owner.body.remove(function)
            for node in walk(function):
                asked = callers.setdefault(_names(node), [])
                asked[:] = [one for one in asked if one not in (function, place.function)] + [place.function]
            if not owner.body:
                owner.body.append(ast.Pass())
            found = True
    return found


def _is_ordinary(function: ast.FunctionDef) -> bool:
    args = function.args
    if function.decorator_list or function.name.startswith("__") or args.vararg or args.kwarg or args.kwonlyargs:
        return False
    odd = (ast.Lambda, ast.Yield, ast.YieldFrom, ast.Global, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.Import)
    inside = [node for node in walk(function) if node is not function]
    return not any(isinstance(node, (*odd, ast.FunctionDef, ast.ClassDef, ast.ImportFrom)) for node in inside)


# -- where it is called --------------------------------------------------------------------------------------------


def _find_call(callers: Callers, function: ast.FunctionDef, is_method: bool) -> _Place | None:
    for caller in callers.get(function.name, ()):
        if caller is function or caller.decorator_list or not _is_plain(caller):
            continue
        for statements in _lists(caller):
            for index, statement in enumerate(statements):
                call = _first_call(_head_of(statement))
                while call is not None:
                    if _is_call_of(call, function.name, is_method):
                        return _Place(caller, statements, index, call)
                    call = _first_inside(call)
    return None


def _split_before(
    callers: Callers, function: ast.FunctionDef, is_method: bool
) -> tuple[_Place | None, list[tuple[list[ast.stmt], list[ast.stmt]]]]:
    """Split a statement in which a call is behind `and`, `or` or a condition, so that a part begins with the call.

    Return the place, None if there is none, and the lists that were changed with their old content.
    """
    for caller in callers.get(function.name, ()):
        if caller is function or caller.decorator_list or not _is_plain(caller):
            continue
        for statements in _lists(caller):
            for index, statement in enumerate(statements):
                head = statement.test if isinstance(statement, ast.While) else _head_of(statement)
                if head is None or isinstance(statement, ast.For):
                    continue
                calls = [node for node in walk(head) if isinstance(node, ast.Call)]
                if not any(_is_call_of(call, function.name, is_method) for call in calls):
                    continue
                before = list(statements)
                statements[index] = copy.deepcopy(statement)
                found = _split(statements, index, f"{function.name}__so_far", function.name, is_method)
                if found is not None:
                    return _Place(caller, *found), [(statements, before)]
                statements[:] = before
    return None, []


def _is_plain(caller: ast.FunctionDef) -> bool:
    """True if all that it does is its own: it has no function inside."""
    apart = (ast.FunctionDef, ast.Lambda, ast.Yield)
    return not any(isinstance(node, apart) for node in walk(caller) if node is not caller)


def _split(
    statements: list[ast.stmt], index: int, so_far: str, name: str, is_method: bool
) -> tuple[list[ast.stmt], int, ast.Call] | None:
    """Split the statement until a part begins with the call; return its list, its place there, and the call."""
    for _ in range(4):
        statement = statements[index]
        if isinstance(statement, ast.While):
            if statement.orelse:
                return None
            test = statement.test
            out = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else _not(test)
            statement.test = ast.Constant(True)
            statement.body.insert(0, ast.If(out, [ast.Break()], []))
            statements, index = statement.body, 0
            continue
        head = _head_of(statement)
        call = _first_call(head)
        while call is not None:
            if _is_call_of(call, name, is_method):
                return statements, index, call
            call = _first_inside(call)
        point = _branch(head, name, is_method)
        if point is None:
            return None
        part = _parted(statement, *point, so_far)
        statements[index : index + 1] = part.statements
        statements, index = part.inner, part.index
    return None


@dataclass
class _Part:
    """A statement in parts, and which of them has the call."""

    statements: list[ast.stmt]
    inner: list[ast.stmt]
    index: int


def _branch(node: ast.expr | None, name: str, is_method: bool) -> tuple[ast.BoolOp | ast.IfExp, int] | None:
    """Return the `and`, `or` or condition that decides whether the call is reached, and which value has it."""

    def has(part: ast.expr) -> bool:
        return any(isinstance(one, ast.Call) and _is_call_of(one, name, is_method) for one in walk(part))

    while node is not None:
        if isinstance(node, ast.BoolOp):
            at = next(index for index, value in enumerate(node.values) if has(value))
            if at:
                return node, at
            node = node.values[0]
        elif isinstance(node, ast.IfExp):
            if not has(node.test):
                return node, 0 if has(node.body) else 1
            node = node.test
        elif isinstance(node, ast.UnaryOp):
            node = node.operand
        elif isinstance(node, (ast.BinOp, ast.Compare)):
            node = node.left if has(node.left) else None
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value if has(node.value) else None
        else:
            return None
    return None


def _parted(statement: ast.stmt, node: ast.BoolOp | ast.IfExp, at: int, so_far: str) -> _Part:
    if isinstance(node, ast.IfExp):
        first, inner = _two_ways(statement, node, so_far)
        return _Part(first, inner[at], 0)
    before, rest = (
        values[0] if len(values) == 1 else ast.BoolOp(node.op, values)
        for values in (node.values[:at], node.values[at:])
    )
    is_and = isinstance(node.op, ast.And)
    if is_and and isinstance(statement, ast.If) and statement.test is node and not statement.orelse:
        statement.test = rest
        both = ast.If(before, [statement], [])
        return _Part([both], both.body, 0)
    once: list[ast.stmt] = [ast.Assign([_local(so_far, ast.Store())], rest, lineno=1)]
    test = _local(so_far, ast.Load())
    _replace_node(statement, node, _local(so_far, ast.Load()))
    begin = ast.Assign([_local(so_far, ast.Store())], before, lineno=1)
    decide = ast.If(test if is_and else _not(test), once, [])
    return _Part([begin, decide, statement], once, 0)


def _two_ways(
    statement: ast.stmt, node: ast.IfExp, so_far: str
) -> tuple[list[ast.stmt], tuple[list[ast.stmt], list[ast.stmt]]]:
    """Return a condition as a statement: all that is done, and the lists of its two ways."""
    ways: tuple[list[ast.stmt], list[ast.stmt]]
    if isinstance(statement, ast.Return) and statement.value is node:
        ways = [ast.Return(node.body)], [ast.Return(node.orelse)]
        return [ast.If(node.test, *ways)], ways
    targets = [_local(so_far, ast.Store())]
    rest: list[ast.stmt] = [statement]
    if isinstance(statement, ast.Assign) and statement.value is node:
        targets, rest = statement.targets, []  # type: ignore[assignment]
    else:
        _replace_node(statement, node, _local(so_far, ast.Load()))
    ways = tuple([ast.Assign(copy.deepcopy(targets), value, lineno=1)] for value in (node.body, node.orelse))  # type: ignore[assignment]
    return [ast.If(node.test, *ways), *rest], ways


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _names(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _lists(function: ast.FunctionDef):
    for node in walk(function):
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                yield statements


def _head_of(statement: ast.stmt) -> ast.expr | None:
    """Return what a statement evaluates before it does anything else."""
    if isinstance(statement, (ast.Expr, ast.Return)):
        return statement.value
    if isinstance(statement, ast.Assign):
        return statement.value
    if isinstance(statement, ast.If):
        return statement.test
    if isinstance(statement, ast.For):
        return statement.iter
    return None


def _first_call(node: ast.expr | None) -> ast.Call | None:
    """Return the call that an expression evaluates first, unconditionally."""
    while node is not None and not isinstance(node, ast.Call):
        if isinstance(node, ast.UnaryOp):
            node = node.operand
        elif isinstance(node, (ast.BinOp, ast.Compare)):
            node = node.left
        elif isinstance(node, ast.BoolOp):
            node = node.values[0]
        elif isinstance(node, ast.IfExp):
            node = node.test
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        else:
            return None
    return node


def _first_inside(call: ast.Call) -> ast.Call | None:
    """Return the call evaluated before this one, as its object or its first argument that is not settled."""
    if isinstance(call.func, ast.Attribute):
        found = _first_call(call.func.value)
        if found is not None:
            return found
    for argument in call.args:
        if _is_settled(argument):
            continue
        return _first_call(argument)
    return None


def _is_settled(node: ast.expr) -> bool:
    """True if it is the same whenever it is evaluated: a constant, a local."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and _is_local(node))


def _is_local(node: ast.Name) -> bool:
    home = getattr(node, "home", None)
    return home is not None and home.kind != MODULE


def _is_call_of(call: ast.Call, name: str, is_method: bool) -> bool:
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    if is_method:
        return isinstance(call.func, ast.Attribute) and call.func.attr == name
    return isinstance(call.func, ast.Name) and call.func.id == name


# -- putting it in -------------------------------------------------------------------------------------------------


def _put_in(place: _Place, function: ast.FunctionDef, is_method: bool, frame_words: int) -> bool:
    """Replace the call; False, and nothing changed, if that is impossible or makes the frame too large."""
    if _others(function) & place.function.inner.names:  # type: ignore[attr-defined]
        return False  # the name means something else in the caller
    before = frame_words_of(place.function)
    statement = place.statements[place.index]
    kept = copy.deepcopy(statement.__dict__), list(place.statements)
    new = _expanded(place, statement, copy.deepcopy(function), is_method)
    if new is None:
        return False
    place.statements[place.index : place.index + 1] = new
    words = frame_words_of(place.function)
    if words > (frame_words if before <= frame_words else max(FRAME_MOST, before)):
        statement.__dict__.update(kept[0])
        place.statements[:] = kept[1]
        return False
    return True


def _others(function: ast.FunctionDef) -> set[str]:
    """Return the names in a function that are not its own."""
    return {node.id for node in walk(function) if isinstance(node, ast.Name) and not _is_local(node)}


def _expanded(place: _Place, statement: ast.stmt, function: ast.FunctionDef, is_method: bool) -> list[ast.stmt] | None:
    """Return the statements that do what the one with the call did."""
    parameters = _arguments_of(place.call, function, is_method)
    if parameters is None:
        return None
    first = _settle(function, parameters)
    body = function.body
    call = place.call
    if isinstance(statement, ast.Return) and statement.value is call:
        return first + body + ([] if _ends(body) else [ast.Return(None)])
    if isinstance(statement, ast.Expr) and statement.value is call:
        answered = _answers(body, None)
        return None if answered is None else first + answered
    if isinstance(statement, ast.Assign) and statement.value is call and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name) or (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)):
            answered = _answers(body, target)
            return None if answered is None else first + answered
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        _replace_node(statement, call, body[0].value)
        return [*first, statement]
    name = f"{function.name}__answer"
    answered = _answers(body, _local(name, ast.Store()))
    if answered is None:
        return None
    _replace_node(statement, call, _local(name, ast.Load()))
    return [*first, *answered, statement]


def _arguments_of(call: ast.Call, function: ast.FunctionDef, is_method: bool) -> dict[str, ast.expr] | None:
    names = [one.arg for one in function.args.args]
    values = list(call.args)
    if is_method:
        assert isinstance(call.func, ast.Attribute)
        values.insert(0, call.func.value)
    found = dict(zip(names, values, strict=False))
    for one in call.keywords:
        if one.arg is None or one.arg in found:
            return None
        found[one.arg] = one.value
    defaults = function.args.defaults
    for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
        if name not in found:
            if not isinstance(default, ast.Constant):
                return None
            found[name] = default
    return found if len(found) == len(names) == len({*names}) and len(values) <= len(names) else None


def _settle(function: ast.FunctionDef, parameters: dict[str, ast.expr]) -> list[ast.stmt]:
    """Give the function's locals unique names, and its arguments their values; return what must come first."""
    stored = {node.id for node in walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    first: list[ast.stmt] = []
    values: dict[str, ast.expr] = {}
    for name, value in parameters.items():
        if _is_settled(value) and name not in stored:
            values[name] = value
        else:
            new = f"{function.name}__{name}"
            first.append(ast.Assign([_local(new, ast.Store())], value, lineno=1))
            values[name] = _local(new, ast.Load())

    class Settler(ast.NodeTransformer):
        def visit_Name(self, node):
            if not _is_local(node):
                return node
            if node.id in values and isinstance(node.ctx, ast.Load):
                return copy.deepcopy(values[node.id])
            return ast.copy_location(_local(f"{function.name}__{node.id}", node.ctx), node)

        def visit_ExceptHandler(self, node):
            if node.name:
                node.name = f"{function.name}__{node.name}"
            return self.generic_visit(node)

    function.body = [Settler().visit(statement) for statement in function.body]
    return first


def _local(name: str, context: ast.expr_context) -> ast.Name:
    node = ast.Name(name, context)
    node.home = _SOME_LOCAL  # type: ignore[attr-defined]
    return node


class _Somewhere:
    kind = "function"

    def __deepcopy__(self, memo):
        return self


_SOME_LOCAL = _Somewhere()


def _replace_node(statement: ast.stmt, old: ast.expr, by: ast.expr) -> None:
    class Replacer(ast.NodeTransformer):
        def visit(self, node):
            return by if node is old else self.generic_visit(node)

    for name, value in ast.iter_fields(statement):
        if isinstance(value, ast.expr):
            setattr(statement, name, Replacer().visit(value))


# -- returns -------------------------------------------------------------------------------------------------------


def _has_return(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Return) for one in walk(node))


def _ends(statements: list[ast.stmt]) -> bool:
    """True if what follows these is never reached."""
    if not statements:
        return False
    last = statements[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return True
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    if isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and last.test.value:
        return not any(isinstance(node, ast.Break) for node in walk(last))
    return False


def _answers(statements: list[ast.stmt], target: ast.expr | None) -> list[ast.stmt] | None:
    """Return them with the answer put into `target` (nowhere if None) instead of returned; None if impossible."""
    out: list[ast.stmt] = []
    for index, statement in enumerate(statements):
        if isinstance(statement, ast.Return):
            return out + _store(statement.value, target, statement)
        if not _has_return(statement):
            out.append(statement)
            continue
        rest = statements[index + 1 :]
        if isinstance(statement, (ast.For, ast.While)) and _breaks_freely(statement):
            after = _answers(statement.orelse + rest, target)
            if after is None:
                return None
            loop = copy.copy(statement)
            loop.body, loop.orelse = _broken_off(statement.body, target), after
            return [*out, loop]
        if not isinstance(statement, ast.If):
            return None
        body = statement.body if _ends(statement.body) else None
        orelse = statement.orelse if _ends(statement.orelse) else None
        if not rest or (body is not None and orelse is not None):
            one, other = _answers(statement.body, target), _answers(statement.orelse, target)
        elif body is not None:
            one, other = _answers(statement.body, target), _answers(statement.orelse + rest, target)
        elif orelse is not None:
            one, other = _answers(statement.body + rest, target), _answers(statement.orelse, target)
        else:
            return _one_turn(out + statements[index:], target)
        if one is None or other is None:
            return None
        out.append(placed_at(statement, ast.If(statement.test, one or [ast.Pass()], other)))
        return out
    return out if target is None or _ends(statements) else out + _store(None, target)


def _own(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield every statement outside inner loops, and outside what must end in order (`try`, `with`)."""
    for statement in statements:
        yield statement
        if isinstance(statement, ast.If):
            yield from _own(statement.body)
            yield from _own(statement.orelse)


def _breaks_freely(loop: ast.For | ast.While) -> bool:
    """True if each return in the loop can be a break, and it has no other: what follows becomes its `else`."""
    own = list(_own(loop.body))
    returns = [one for one in walk(loop) if isinstance(one, ast.Return)]
    in_else = [one for statement in loop.orelse for one in walk(statement) if isinstance(one, ast.Return)]
    breaks = [one for one in walk(loop) if isinstance(one, ast.Break)]
    inner = [one for one in walk(loop) if isinstance(one, (ast.For, ast.While)) and one is not loop]
    inner_breaks = [one for other in inner for one in walk(other) if isinstance(one, ast.Break)]
    if len(breaks) > len({id(one) for one in inner_breaks}):
        return False
    return all(any(one is other for other in (*own, *in_else)) for one in returns)


def _broken_off(statements: list[ast.stmt], target: ast.expr | None) -> list[ast.stmt]:
    """Return them with the answer put into `target` and a break instead of each return."""
    out: list[ast.stmt] = []
    for statement in statements:
        if isinstance(statement, ast.Return):
            return [*out, *_store(statement.value, target, statement), ast.Break()]
        if isinstance(statement, ast.If) and _has_return(statement):
            body, orelse = (_broken_off(part, target) for part in (statement.body, statement.orelse))
            statement = placed_at(statement, ast.If(statement.test, body, orelse))
        out.append(statement)
    return out


def _one_turn(statements: list[ast.stmt], target: ast.expr | None) -> list[ast.stmt] | None:
    """Return a loop of one turn that a return leaves; None if a break would leave something else."""
    own = list(_own(statements))
    returns = [one for statement in statements for one in walk(statement) if isinstance(one, ast.Return)]
    if not all(any(one is other for other in own) for one in returns):
        return None
    body = _broken_off(statements, target)
    if not _ends(statements):
        body += [*(() if target is None else _store(None, target)), ast.Break()]
    return [ast.While(ast.Constant(True), body, [])]


def _store(value: ast.expr | None, target: ast.expr | None, at: ast.stmt | None = None) -> list[ast.stmt]:
    if target is None:
        return [] if value is None or isinstance(value, (ast.Constant, ast.Name)) else [placed_at(at, ast.Expr(value))]
    return [placed_at(at, ast.Assign([copy.deepcopy(target)], value or ast.Constant(None), lineno=1))]
